/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weaker.h"

static gboolean
adds_exception (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    g_autoptr (BulkheadPolicy) without = NULL;

    if (after->exceptions->len == 0)
        return FALSE;
    if (after->exceptions->len > before->exceptions->len)
        return TRUE;
    /* All of them were there before when they can be taken out of it. */
    without = bulkhead_policy_without_exceptions (
        before, (const BulkheadException *)after->exceptions->data, after->exceptions->len, NULL);
    return without == NULL;
}

static gboolean
adds_tunnel (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    for (guint i = 0; i < after->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = after->tunnels->pdata[i];
        const BulkheadTunnel *known = bulkhead_policy_find_tunnel (before, tunnel->name);

        if (known == NULL || !bulkhead_tunnel_equal (known, tunnel))
            return TRUE;
    }
    return FALSE;
}

gboolean
bulkhead_policy_is_weaker (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    return (before->locked && !after->locked) || (!before->lan && after->lan)
           || (!before->lan_cgnat && after->lan_cgnat)
           || (!before->lan_port_mapping && after->lan_port_mapping)
           || (after->pause_seconds > 0 && after->pause_until > before->pause_until)
           || adds_tunnel (before, after) || adds_exception (before, after);
}

gboolean
bulkhead_policy_differs_in_pause_only (const BulkheadPolicy *a, const BulkheadPolicy *b)
{
    g_autoptr (BulkheadPolicy) without_a = bulkhead_policy_with_pause (a, 0, 0, NULL);
    g_autoptr (BulkheadPolicy) without_b = bulkhead_policy_with_pause (b, 0, 0, NULL);

    return !bulkhead_policy_equal (a, b) && bulkhead_policy_equal (without_a, without_b);
}
