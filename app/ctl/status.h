/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of GetStatus, in the words of this program.
 */
#pragma once

#include "ctl.h"

/* Trusts what was read back more than the word: a lock that is not enforced is broken. */
BulkheadState bulkhead_status_state (GVariant *status);
const char *bulkhead_state_to_string (BulkheadState state);
/* One sentence: why it is so. (transfer full) */
char *bulkhead_status_reason (GVariant *status);
/* The whole status for people, several lines. (transfer full) */
char *bulkhead_status_to_text (GVariant *status);

/* "up", "down" or "absent". */
const char *bulkhead_tunnel_state (GVariant *tunnel);
/* An array of objects, with the kind as a word. */
void bulkhead_tunnels_json_set (JsonObject *object, GVariant *tunnels);

/* The value of a key, or nothing of that type when it is missing. */
gboolean bulkhead_get_flag (GVariant *dictionary, const char *key);
guint32 bulkhead_get_number (GVariant *dictionary, const char *key);
/* (transfer full): "" when missing. */
char *bulkhead_get_text (GVariant *dictionary, const char *key);
/* (transfer full): an empty array of @type when missing. */
GVariant *bulkhead_get_array (GVariant *dictionary, const char *key, const char *type);
