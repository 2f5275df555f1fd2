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
    return link->type == BULKHEAD_LINK_OVPN ? BULKHEAD_TUNNEL_OPENVPN : BULKHEAD_TUNNEL_OTHER;
}

BulkheadTunnel *
bulkhead_found_tunnel (const BulkheadNet *net, const char *interface)
{
    const BulkheadWireguard *wireguard = bulkhead_net_find_wireguard (net, interface);
    BulkheadTunnel *tunnel = bulkhead_tunnel_new (interface, interface);

    tunnel->kind = bulkhead_found_kind (net, interface);
    if (wireguard != NULL) {
        tunnel->mark = wireguard->mark;
        g_array_append_vals (tunnel->endpoints, wireguard->endpoints->data,
                             wireguard->endpoints->len);
    }
    return tunnel;
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

BulkheadTunnel *
bulkhead_found_update (const BulkheadTunnel *tunnel, const BulkheadWireguard *wireguard)
{
    BulkheadTunnel *updated = bulkhead_tunnel_copy (tunnel);
    GArray *endpoints = bulkhead_found_endpoints (tunnel, wireguard);

    g_array_unref (updated->endpoints);
    updated->endpoints = g_array_copy (endpoints);
    if (wireguard->mark != 0)
        updated->mark = wireguard->mark;
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
    else if (!bulkhead_link_may_be_trusted (link) || (link->uplink && link->default_route))
        reason = "is an uplink, by which traffic leaves this machine, not a tunnel";
    return reason == NULL
           || bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "interface",
                                        interface, reason);
}
