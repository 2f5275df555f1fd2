/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the helper's log holds beside the event, as "exceptions_added": "2", in words. */
#pragma once

#include <glib.h>

/*
 * "2 exceptions added", in the user's language. @key, @value: as they are in the log. What is not
 * known, as of a later helper, is "key: value": a log hides nothing. (transfer full)
 */
char *bulkhead_log_detail_text (const char *key, const char *value);
