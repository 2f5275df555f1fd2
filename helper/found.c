/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "found.h"

#include "error.h"

BulkheadTunnelKind
bulkhead_found_kind (const BulkheadNet *net, const char *interface)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, interface);

    /* A userspace WireGuard has a tun link; its own word counts. */
    if (bulkhead_net_find_wireguard (net, interface) != NULL)
        return BULKHEAD_TUNNEL_WIREGUARD;
    if (link == NULL)
        return BULKHEAD_TUNNEL_UNKNOWN;
    if (link->type == BULKHEAD_LINK_WIREGUARD)
        return BULKHEAD_TUNNEL_WIREGUARD;
    if (link->type == BULKHEAD_LINK_OVPN)
        return BULKHEAD_TUNNEL_OPENVPN;
    /* A pair of Ethernet ends may be anything; a tunnel's kind of link stays one (LEAKS L38). */
    return bulkhead_link_may_be_tunnel (link) ? BULKHEAD_TUNNEL_OTHER : BULKHEAD_TUNNEL_UNKNOWN;
}

BulkheadTunnel *
bulkhead_found_tunnel (const BulkheadNet *net, const char *interface)
{
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (interface, interface);

    tunnel->kind = bulkhead_found_kind (net, interface);
    return bulkhead_found_update (tunnel, net);
}

static gboolean
has_endpoint (GArray *endpoints, const BulkheadEndpoint *endpoint)
{
    for (guint i = 0; i < endpoints->len; i++)
        if (bulkhead_endpoint_compare (&g_array_index (endpoints, BulkheadEndpoint, i), endpoint)
            == 0)
            return TRUE;
    return FALSE;
}

GArray *
bulkhead_found_endpoints (const BulkheadTunnel *tunnel, const BulkheadWireguard *wireguard)
{
    for (guint i = 0; wireguard != NULL && i < wireguard->endpoints->len; i++)
        if (!has_endpoint (tunnel->endpoints,
                           &g_array_index (wireguard->endpoints, BulkheadEndpoint, i)))
            return wireguard->endpoints;
    return tunnel->endpoints;
}

static const BulkheadPrefix private_blocks[] = {
    { { G_SOCKET_FAMILY_IPV4, { 10 } }, 8 },        { { G_SOCKET_FAMILY_IPV4, { 100, 64 } }, 10 },
    { { G_SOCKET_FAMILY_IPV4, { 169, 254 } }, 16 }, { { G_SOCKET_FAMILY_IPV4, { 172, 16 } }, 12 },
    { { G_SOCKET_FAMILY_IPV4, { 192, 168 } }, 16 }, { { G_SOCKET_FAMILY_IPV6, { 0xfc } }, 7 },
};

const BulkheadPrefix *
bulkhead_found_private_block (const BulkheadPrefix *network)
{
    for (gsize i = 0; i < G_N_ELEMENTS (private_blocks); i++)
        if (bulkhead_prefix_covers (&private_blocks[i], network))
            return &private_blocks[i];
    return NULL;
}

static int
compare_networks (gconstpointer a, gconstpointer b)
{
    return bulkhead_prefix_compare (a, b);
}

/* The private networks behind @link; with @whole, the whole blocks that they are of. */
static GArray *
private_networks (const BulkheadLink *link, gboolean whole)
{
    const GArray *const lists[] = { link->onlink, link->routed };
    GArray *networks = g_array_new (FALSE, FALSE, sizeof (BulkheadPrefix));

    for (gsize list = 0; list < G_N_ELEMENTS (lists); list++) {
        for (guint i = 0; i < lists[list]->len; i++) {
            const BulkheadPrefix *network = &g_array_index (lists[list], BulkheadPrefix, i);
            const BulkheadPrefix *block = bulkhead_found_private_block (network);

            if (block != NULL)
                g_array_append_vals (networks, whole ? block : network, 1);
        }
    }
    bulkhead_sort_unique (networks, compare_networks);
    return networks;
}

static gboolean
includes_all (const GArray *networks, const GArray *others)
{
    for (guint i = 0; i < others->len; i++) {
        const BulkheadPrefix *other = &g_array_index (others, BulkheadPrefix, i);
        gboolean found = FALSE;

        for (guint j = 0; !found && j < networks->len; j++)
            found =
                bulkhead_prefix_compare (&g_array_index (networks, BulkheadPrefix, j), other) == 0;
        if (!found)
            return FALSE;
    }
    return TRUE;
}

/* A tunnel on its way down loses its routes before its address: what is known stays while nothing
 * else is seen. */
static void
take_networks (BulkheadTunnel *tunnel, const BulkheadLink *link)
{
    g_autoptr (GArray) seen = private_networks (link, FALSE);

    if (seen->len == 0 || includes_all (tunnel->networks, seen))
        return;
    /* More than can be kept: rather close too much of the LAN than open one of them. */
    g_array_unref (tunnel->networks);
    tunnel->networks = seen->len <= BULKHEAD_NETWORKS_MAX ? g_steal_pointer (&seen)
                                                          : private_networks (link, TRUE);
}

BulkheadTunnel *
bulkhead_found_update (const BulkheadTunnel *tunnel, const BulkheadNet *net)
{
    BulkheadTunnel *updated = bulkhead_tunnel_copy (tunnel);
    const BulkheadWireguard *wireguard = bulkhead_net_find_wireguard (net, tunnel->interface);
    const BulkheadLink *link = bulkhead_net_find_link (net, tunnel->interface);

    if (updated->kind == BULKHEAD_TUNNEL_UNKNOWN)
        updated->kind = bulkhead_found_kind (net, tunnel->interface);
    if (wireguard != NULL) {
        g_array_unref (updated->endpoints);
        updated->endpoints = g_array_copy (bulkhead_found_endpoints (tunnel, wireguard));
        if (wireguard->mark != 0)
            updated->mark = wireguard->mark;
    }
    /* Another link may have been given the name (LEAKS L38). */
    if (link != NULL && link->up && link->addresses->len > 0
        && bulkhead_link_is_of_kind (link, updated->kind))
        take_networks (updated, link);
    return updated;
}

gboolean
bulkhead_found_check (const BulkheadNet *net, const char *interface, GError **error)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, interface);
    const char *reason = NULL;

    if (link == NULL)
        return TRUE;
    if (link->type == BULKHEAD_LINK_LOOPBACK)
        reason = "is the loopback, not a tunnel";
    else if (link->type == BULKHEAD_LINK_BRIDGE)
        reason = "is a bridge, not a tunnel";
    else if (!bulkhead_link_may_be_trusted (link)
             || (link->type == BULKHEAD_LINK_VETH && link->default_route))
        reason = "is an uplink, by which traffic leaves this machine, not a tunnel";
    return reason == NULL
           || bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "interface",
                                        interface, reason);
}
