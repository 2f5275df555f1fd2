/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked for: the user's own settings, which are kept in the store, beneath those that the
 * administrator fixed, which are not. Callers see and give what is in force; what of it is the
 * user's own is worked out here. A pause is nobody's setting: it is never kept.
 */
#pragma once

#include "managed.h"
#include "store.h"

typedef struct _BulkheadSettings BulkheadSettings;

/* Takes both. What is stored is read: @error is STATE_UNREADABLE, and the settings are locked with
 * nothing open, when that cannot be understood. Never NULL. */
BulkheadSettings *bulkhead_settings_new (BulkheadStore *store, BulkheadManaged *managed,
                                         GError **error);
void bulkhead_settings_free (BulkheadSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadSettings, bulkhead_settings_free)

/* What is to be in force. (transfer full) */
BulkheadPolicy *bulkhead_settings_get_policy (BulkheadSettings *settings);
const BulkheadManaged *bulkhead_settings_get_managed (BulkheadSettings *settings);
/* Takes @managed. When it has a problem, what was fixed before stays, and only the problem is new.
 * TRUE: something is; what is to be in force may be another policy now. */
gboolean bulkhead_settings_set_managed (BulkheadSettings *settings, BulkheadManaged *managed);
/* As if the user had locked; not stored. */
void bulkhead_settings_lock (BulkheadSettings *settings);

/* Stores what is the user's own in @policy, in the two steps of store.h, or both. */
gboolean bulkhead_settings_prepare (BulkheadSettings *settings, const BulkheadPolicy *policy,
                                    GError **error);
gboolean bulkhead_settings_commit (BulkheadSettings *settings, GError **error);
void bulkhead_settings_discard (BulkheadSettings *settings);
gboolean bulkhead_settings_save (BulkheadSettings *settings, const BulkheadPolicy *policy,
                                 GError **error);
