/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "uptime.h"

#include "observe.h"

#define DOWN (-1)
#define UP_BEFORE 0 /* when it was seen first */

struct _BulkheadUptime {
    GHashTable *since; /* interface -> gint64: DOWN, UP_BEFORE, or when it came up */
};

BulkheadUptime *
bulkhead_uptime_new (void)
{
    BulkheadUptime *uptime = g_new0 (BulkheadUptime, 1);

    uptime->since = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    return uptime;
}

void
bulkhead_uptime_free (BulkheadUptime *uptime)
{
    g_hash_table_unref (uptime->since);
    g_free (uptime);
}

void
bulkhead_uptime_update (BulkheadUptime *uptime, const BulkheadNet *net,
                        const BulkheadPolicy *policy, gint64 now)
{
    GHashTable *before = uptime->since;

    /* Made anew, so that what is trusted no longer is forgotten. */
    uptime->since = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        const gint64 *known = g_hash_table_lookup (before, tunnel->interface);
        gint64 since = DOWN;

        if (bulkhead_observe_tunnel_is_up (net, tunnel))
            since = known == NULL ? UP_BEFORE : (*known == DOWN ? now : *known);
        g_hash_table_insert (uptime->since, g_strdup (tunnel->interface),
                             g_memdup2 (&since, sizeof since));
    }
    g_hash_table_unref (before);
}

gint64
bulkhead_uptime_get (const BulkheadUptime *uptime, const char *interface)
{
    const gint64 *since = g_hash_table_lookup (uptime->since, interface);

    return since != NULL && *since > 0 ? *since : 0;
}
