/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words and icons for what the helper tells, the same in tray and window. They claim what the
 * state says and no more. Plain text without markup, in the user's language.
 */
#pragma once

#include "client.h"

/* A few words, as "Protected" or "Paused until 14:30". (transfer full) */
char *bulkhead_words_headline (BulkheadClient *client);
/* One sentence: what it means, or why it is so. (transfer full) */
char *bulkhead_words_reason (BulkheadClient *client);
/* A symbolic icon's name in the theme; each state has its own silhouette. */
const char *bulkhead_words_icon (BulkheadState state);
/* The time of day of @seconds since the epoch, in local time, as "14:30"; with its date when it is
 * half a day or more away from @now. (transfer full) */
char *bulkhead_words_moment (gint64 seconds, gint64 now);
/* The same, as it is now. (transfer full) */
char *bulkhead_words_time (gint64 seconds);
/* What to tell a person about a call that failed: a sentence, or NULL when there is nothing to
 * tell, because they closed the prompt or the wait was given up. (transfer full) (nullable) */
char *bulkhead_words_error (const GError *error);
