/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "observe.h"

#include "wireguard.h"

#define HANDSHAKE_FRESH 180 /* seconds; WireGuard gives a session up then (REJECT_AFTER_TIME) */

static gboolean
may_be_wireguard (const BulkheadLink *link)
{
    return link->type == BULKHEAD_LINK_WIREGUARD
           || (link->type == BULKHEAD_LINK_TUN && link->master == 0);
}

static GPtrArray *
read_wireguards (const GPtrArray *links)
{
    GPtrArray *wireguards =
        g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_wireguard_free);

    for (guint i = 0; i < links->len; i++) {
        const BulkheadLink *link = links->pdata[i];
        g_autoptr (GError) error = NULL;
        BulkheadWireguard *wireguard;

        if (!may_be_wireguard (link))
            continue;
        wireguard = bulkhead_wireguard_read (link->name, link->type, &error);
        if (wireguard != NULL)
            g_ptr_array_add (wireguards, wireguard);
        else if (error != NULL)
            g_info ("link %s: %s", link->name, error->message);
    }
    return wireguards;
}

BulkheadNet *
bulkhead_observe (BulkheadLinks *reader, BulkheadFeatures features, GError **error)
{
    GPtrArray *links = bulkhead_links_read (reader, error);

    if (links == NULL)
        return NULL;
    return bulkhead_net_new (features, links, read_wireguards (links));
}

/* Seconds since the newest handshake, or -1 when there was none, or it lies in the future. */
static gint64
handshake_age (const BulkheadWireguard *wireguard)
{
    gint64 now = g_get_real_time () / G_USEC_PER_SEC;

    return wireguard->handshake <= 0 || wireguard->handshake > now ? -1
                                                                   : now - wireguard->handshake;
}

static gboolean
handshake_is_fresh (const BulkheadWireguard *wireguard)
{
    gint64 age = handshake_age (wireguard);

    return age >= 0 && age < HANDSHAKE_FRESH;
}

gboolean
bulkhead_observe_tunnel_is_up (const BulkheadNet *net, const BulkheadTunnel *tunnel)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, tunnel->interface);
    const BulkheadWireguard *wireguard;

    if (link == NULL || !link->up || link->addresses->len == 0
        || !bulkhead_link_is_of_kind (link, tunnel->kind))
        return FALSE;
    wireguard = bulkhead_net_find_wireguard (net, tunnel->interface);
    if (wireguard == NULL) /* one that cannot be read is not known to be up */
        return tunnel->kind != BULKHEAD_TUNNEL_WIREGUARD && link->type != BULKHEAD_LINK_WIREGUARD;
    return handshake_is_fresh (wireguard);
}

gboolean
bulkhead_observe_any_tunnel_is_up (const BulkheadNet *net, const BulkheadPolicy *policy)
{
    for (guint i = 0; i < policy->tunnels->len; i++)
        if (bulkhead_observe_tunnel_is_up (net, policy->tunnels->pdata[i]))
            return TRUE;
    return FALSE;
}

guint
bulkhead_observe_poll_interval (const BulkheadNet *net, const BulkheadPolicy *policy,
                                guint silent_seconds)
{
    guint interval = 0;

    for (guint i = 0; policy->locked && i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        const BulkheadWireguard *wireguard = bulkhead_net_find_wireguard (net, tunnel->interface);
        guint wanted = silent_seconds;

        if (wireguard == NULL
            && (tunnel->kind != BULKHEAD_TUNNEL_WIREGUARD
                || bulkhead_net_find_link (net, tunnel->interface) == NULL))
            continue;
        if (wireguard != NULL && handshake_is_fresh (wireguard))
            wanted = HANDSHAKE_FRESH + 1 - handshake_age (wireguard);
        interval = interval == 0 ? wanted : MIN (interval, wanted);
    }
    return interval;
}
