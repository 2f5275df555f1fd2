/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "managed.h"

#include "error.h"

static const char *const words[] = {
    [BULKHEAD_SETTING_LOCK] = "lock",
    [BULKHEAD_SETTING_AT_BOOT] = "at-boot",
    [BULKHEAD_SETTING_LAN] = "lan",
    [BULKHEAD_SETTING_LAN_CGNAT] = "lan-cgnat",
    [BULKHEAD_SETTING_LAN_PORT_MAPPING] = "lan-port-mapping",
    [BULKHEAD_SETTING_EXCEPTIONS] = "exceptions",
    [BULKHEAD_SETTING_TUNNELS] = "tunnels",
};

G_STATIC_ASSERT (G_N_ELEMENTS (words) == BULKHEAD_SETTINGS);

BulkheadManaged *
bulkhead_managed_new (void)
{
    BulkheadManaged *managed = g_new0 (BulkheadManaged, 1);

    managed->policy = bulkhead_policy_new ();
    return managed;
}

BulkheadManaged *
bulkhead_managed_copy (const BulkheadManaged *managed)
{
    BulkheadManaged *copy = g_memdup2 (managed, sizeof *managed);

    copy->policy = bulkhead_policy_ref (managed->policy);
    copy->problem = g_strdup (managed->problem);
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++)
        copy->fixed_by[i] = g_strdup (managed->fixed_by[i]);
    return copy;
}

void
bulkhead_managed_free (BulkheadManaged *managed)
{
    bulkhead_policy_unref (managed->policy);
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++)
        g_free (managed->fixed_by[i]);
    g_free (managed->problem);
    g_free (managed);
}

gboolean
bulkhead_managed_equal (const BulkheadManaged *a, const BulkheadManaged *b)
{
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++)
        if (g_strcmp0 (a->fixed_by[i], b->fixed_by[i]) != 0 || !a->keeps[i] != !b->keeps[i])
            return FALSE;
    return bulkhead_policy_equal (a->policy, b->policy) && !a->at_boot == !b->at_boot
           && g_strcmp0 (a->problem, b->problem) == 0;
}

void
bulkhead_managed_set_problem (BulkheadManaged *managed, const char *problem)
{
    g_free (managed->problem);
    managed->problem = g_strdup (problem);
}

void
bulkhead_managed_close (BulkheadManaged *managed, const char *file)
{
    static const BulkheadSetting kept[] = { BULKHEAD_SETTING_AT_BOOT, BULKHEAD_SETTING_TUNNELS };
    g_autoptr (BulkheadPolicy) nothing = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (nothing, TRUE);
    BulkheadPolicy *closed = bulkhead_policy_with_tunnels_of (locked, managed->policy);

    bulkhead_policy_unref (managed->policy);
    managed->policy = closed;
    for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
        managed->keeps[kept[i]] = managed->fixed_by[kept[i]] == NULL;
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++) {
        g_free (managed->fixed_by[i]);
        managed->fixed_by[i] = g_strdup (file);
    }
}

gboolean
bulkhead_managed_fixes (const BulkheadManaged *managed, BulkheadSetting setting)
{
    return managed->fixed_by[setting] != NULL;
}

GStrv
bulkhead_managed_list (const BulkheadManaged *managed)
{
    g_autoptr (GStrvBuilder) list = g_strv_builder_new ();

    for (guint i = 0; i < BULKHEAD_SETTINGS; i++)
        if (bulkhead_managed_fixes (managed, i))
            g_strv_builder_add (list, words[i]);
    return g_strv_builder_end (list);
}

gboolean
bulkhead_managed_at_boot (const BulkheadManaged *managed, gboolean now)
{
    const BulkheadSetting setting = BULKHEAD_SETTING_AT_BOOT;

    return bulkhead_managed_fixes (managed, setting) && !managed->keeps[setting] ? managed->at_boot
                                                                                 : now;
}

/* ---- policies ---- */

/* @base with one setting as it is in @from. */
static BulkheadPolicy *
with_setting (const BulkheadPolicy *base, BulkheadSetting setting, const BulkheadPolicy *from)
{
    gboolean cgnat = base->lan_cgnat, port_mapping = base->lan_port_mapping;
    g_autoptr (BulkheadPolicy) locked = NULL;

    switch (setting) {
    case BULKHEAD_SETTING_LOCK:
        locked = bulkhead_policy_with_locked (base, from->locked);
        if (from->pause_seconds == 0)
            return g_steal_pointer (&locked);
        return bulkhead_policy_with_pause (locked, from->pause_seconds, from->pause_until, NULL);
    case BULKHEAD_SETTING_LAN:
        return bulkhead_policy_with_lan (base, from->lan);
    case BULKHEAD_SETTING_LAN_CGNAT:
        return bulkhead_policy_with_lan_options (base, from->lan_cgnat, port_mapping);
    case BULKHEAD_SETTING_LAN_PORT_MAPPING:
        return bulkhead_policy_with_lan_options (base, cgnat, from->lan_port_mapping);
    case BULKHEAD_SETTING_EXCEPTIONS:
        return bulkhead_policy_with_exceptions_of (base, from);
    case BULKHEAD_SETTING_TUNNELS:
        return bulkhead_policy_with_tunnels_of (base, from);
    case BULKHEAD_SETTING_AT_BOOT:
        break; /* of no policy */
    }
    return bulkhead_policy_ref (base);
}

/* @base with the fixed settings as they are in @from. */
static BulkheadPolicy *
overlay (const BulkheadManaged *managed, const BulkheadPolicy *base, const BulkheadPolicy *from,
         gboolean kept_too)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_ref (base);

    for (guint i = 0; i < BULKHEAD_SETTINGS; i++) {
        BulkheadPolicy *next;

        if (!bulkhead_managed_fixes (managed, i) || (managed->keeps[i] && !kept_too))
            continue;
        next = with_setting (policy, i, from);
        bulkhead_policy_unref (policy);
        policy = next;
    }
    return g_steal_pointer (&policy);
}

BulkheadPolicy *
bulkhead_managed_apply (const BulkheadManaged *managed, const BulkheadPolicy *own)
{
    return overlay (managed, own, managed->policy, FALSE);
}

BulkheadPolicy *
bulkhead_managed_take_own (const BulkheadManaged *managed, const BulkheadPolicy *own,
                           const BulkheadPolicy *wanted)
{
    return overlay (managed, wanted, own, TRUE);
}

gboolean
bulkhead_managed_check_free (const BulkheadManaged *managed, BulkheadSetting setting,
                             GError **error)
{
    if (!bulkhead_managed_fixes (managed, setting))
        return TRUE;
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FIXED,
                 "%s: is fixed by the administrator (%s)", words[setting],
                 managed->fixed_by[setting]);
    return FALSE;
}

gboolean
bulkhead_managed_check (const BulkheadManaged *managed, const BulkheadPolicy *now,
                        const BulkheadPolicy *wanted, GError **error)
{
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++) {
        g_autoptr (BulkheadPolicy) changed = with_setting (now, i, wanted);

        if (!bulkhead_policy_equal (changed, now)
            && !bulkhead_managed_check_free (managed, i, error))
            return FALSE;
    }
    return TRUE;
}
