/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the policy in one file of the state directory, whole or not at all (state-file.h). It
 * knows nothing of what the text means but what policy-text.c says of it. The directory is locked
 * (flock) while a helper holds the store.
 */
#pragma once

#include "policy.h"

#define BULKHEAD_STORE_FILE "state.conf" /* in the state directory */

typedef struct _BulkheadStore BulkheadStore;

/* Makes the directory (0700) if it is missing. ALREADY_RUNNING when another helper holds it;
 * STORE_FAILED, naming the path and the reason, for everything else. */
BulkheadStore *bulkhead_store_new (const char *directory, GError **error);
void bulkhead_store_free (BulkheadStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadStore, bulkhead_store_free)

/*
 * Returns: (transfer full): never NULL. File missing: a new policy, never locked, no error set.
 * File there but not understood, not ours (a symlink, not a regular file, over 64 MiB) or not
 * readable: a locked policy with nothing open, and @error is set to STATE_UNREADABLE with the path
 * and the reason. The bad file is kept, renamed beside with ".unreadable", when the next save is
 * made.
 */
BulkheadPolicy *bulkhead_store_load (BulkheadStore *store, GError **error);

/*
 * Saving in two steps: everything that can fail for want of space is in the first, so that the
 * second comes after the deed. STORE_FAILED names the path and the reason; what was stored before
 * is then untouched.
 */
gboolean bulkhead_store_prepare (BulkheadStore *store, const BulkheadPolicy *policy,
                                 GError **error);
gboolean bulkhead_store_commit (BulkheadStore *store, GError **error);
/* Forgets what was prepared. */
void bulkhead_store_discard (BulkheadStore *store);
/* Both steps. */
gboolean bulkhead_store_save (BulkheadStore *store, const BulkheadPolicy *policy, GError **error);
