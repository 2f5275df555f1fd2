/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

struct _BulkheadSettings {
    BulkheadStore *store;
    BulkheadManaged *managed;
    BulkheadPolicy *own;
    BulkheadPolicy *prepared; /* to be the own one; NULL: none */
};

BulkheadSettings *
bulkhead_settings_new (BulkheadStore *store, BulkheadManaged *managed, GError **error)
{
    BulkheadSettings *settings = g_new0 (BulkheadSettings, 1);

    settings->store = store;
    settings->managed = managed;
    settings->own = bulkhead_store_load (store, error);
    return settings;
}

void
bulkhead_settings_free (BulkheadSettings *settings)
{
    bulkhead_store_free (settings->store);
    bulkhead_managed_free (settings->managed);
    bulkhead_policy_unref (settings->own);
    g_clear_pointer (&settings->prepared, bulkhead_policy_unref);
    g_free (settings);
}

BulkheadPolicy *
bulkhead_settings_get_policy (BulkheadSettings *settings)
{
    return bulkhead_managed_apply (settings->managed, settings->own);
}

const BulkheadManaged *
bulkhead_settings_get_managed (BulkheadSettings *settings)
{
    return settings->managed;
}

gboolean
bulkhead_settings_set_managed (BulkheadSettings *settings, BulkheadManaged *managed)
{
    if (managed->problem != NULL) {
        BulkheadManaged *kept = bulkhead_managed_copy (settings->managed);

        bulkhead_managed_set_problem (kept, managed->problem);
        bulkhead_managed_free (managed);
        managed = kept;
    }
    if (bulkhead_managed_equal (managed, settings->managed)) {
        bulkhead_managed_free (managed);
        return FALSE;
    }
    bulkhead_managed_free (settings->managed);
    settings->managed = managed;
    return TRUE;
}

static void
take_own (BulkheadSettings *settings, BulkheadPolicy *own)
{
    bulkhead_policy_unref (settings->own);
    settings->own = own;
}

void
bulkhead_settings_lock (BulkheadSettings *settings)
{
    take_own (settings, bulkhead_policy_with_locked (settings->own, TRUE));
}

gboolean
bulkhead_settings_prepare (BulkheadSettings *settings, const BulkheadPolicy *policy, GError **error)
{
    g_autoptr (BulkheadPolicy) unpaused = bulkhead_policy_with_pause (policy, 0, 0, NULL);
    g_autoptr (BulkheadPolicy) own =
        bulkhead_managed_take_own (settings->managed, settings->own, unpaused);

    bulkhead_settings_discard (settings);
    if (!bulkhead_store_prepare (settings->store, own, error))
        return FALSE;
    settings->prepared = g_steal_pointer (&own);
    return TRUE;
}

gboolean
bulkhead_settings_commit (BulkheadSettings *settings, GError **error)
{
    BulkheadPolicy *own = g_steal_pointer (&settings->prepared);

    if (!bulkhead_store_commit (settings->store, error)) {
        bulkhead_policy_unref (own);
        return FALSE;
    }
    take_own (settings, own);
    return TRUE;
}

void
bulkhead_settings_discard (BulkheadSettings *settings)
{
    bulkhead_store_discard (settings->store);
    g_clear_pointer (&settings->prepared, bulkhead_policy_unref);
}

gboolean
bulkhead_settings_save (BulkheadSettings *settings, const BulkheadPolicy *policy, GError **error)
{
    return bulkhead_settings_prepare (settings, policy, error)
           && bulkhead_settings_commit (settings, error);
}
