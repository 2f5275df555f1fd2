/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store.h"

#include "state-file.h"

struct _BulkheadStore {
    BulkheadStateFile *file;
};

BulkheadStore *
bulkhead_store_new (const char *directory, GError **error)
{
    g_autoptr (BulkheadStore) store = g_new0 (BulkheadStore, 1);

    store->file = bulkhead_state_file_new (directory, BULKHEAD_STORE_FILE, error);
    if (store->file == NULL || !bulkhead_state_file_lock_directory (store->file, error))
        return NULL;
    /* A file system that is read-only has no leftovers to remove, and what it says still counts. */
    bulkhead_state_file_discard (store->file);
    return g_steal_pointer (&store);
}

void
bulkhead_store_free (BulkheadStore *store)
{
    g_clear_pointer (&store->file, bulkhead_state_file_free);
    g_free (store);
}

static BulkheadPolicy *
locked_with_nothing_open (void)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();

    return bulkhead_policy_with_locked (policy, TRUE);
}

BulkheadPolicy *
bulkhead_store_load (BulkheadStore *store, GError **error)
{
    g_autofree char *text = NULL;
    BulkheadPolicy *policy;
    gsize length = 0;

    if (!bulkhead_state_file_read (store->file, &text, &length, error))
        return locked_with_nothing_open ();
    if (text == NULL)
        return bulkhead_policy_new ();
    policy = bulkhead_policy_from_text (text, length, error);
    if (policy != NULL)
        return policy;
    bulkhead_state_file_reject (store->file, error);
    return locked_with_nothing_open ();
}

gboolean
bulkhead_store_prepare (BulkheadStore *store, const BulkheadPolicy *policy, GError **error)
{
    g_autofree char *text = bulkhead_policy_to_text (policy);

    return bulkhead_state_file_prepare (store->file, text, error);
}

gboolean
bulkhead_store_commit (BulkheadStore *store, GError **error)
{
    return bulkhead_state_file_commit (store->file, error);
}

void
bulkhead_store_discard (BulkheadStore *store)
{
    bulkhead_state_file_discard (store->file);
}

gboolean
bulkhead_store_save (BulkheadStore *store, const BulkheadPolicy *policy, GError **error)
{
    return bulkhead_store_prepare (store, policy, error) && bulkhead_store_commit (store, error);
}
