/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of the helper's log, as people read it. */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_LOG_EVENT (bulkhead_log_event_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadLogEvent, bulkhead_log_event, BULKHEAD, LOG_EVENT, GObject)

/*
 * @line: a line of JSON, as GetLog gives it. One that cannot be understood is shown as it is: a log
 * hides nothing. Properties, all strings: "title" (a translated sentence), "caption" (the local
 * time and what else the line holds) and "search" (all of it and the stable word of the event, as
 * "locked", for look-ups).
 */
BulkheadLogEvent *bulkhead_log_event_new (const char *line);
