/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net.h"

#include <string.h>

BulkheadLink *
bulkhead_link_new (int index, const char *name, BulkheadLinkType type)
{
    BulkheadLink *link = g_new0 (BulkheadLink, 1);

    link->index = index;
    g_strlcpy (link->name, name, sizeof link->name);
    link->type = type;
    link->addresses = g_array_new (FALSE, TRUE, sizeof (BulkheadPrefix));
    link->onlink = g_array_new (FALSE, TRUE, sizeof (BulkheadPrefix));
    link->routed = g_array_new (FALSE, TRUE, sizeof (BulkheadPrefix));
    link->gateways = g_array_new (FALSE, TRUE, sizeof (BulkheadAddress));
    return link;
}

void
bulkhead_link_free (BulkheadLink *link)
{
    if (link == NULL)
        return;
    g_array_unref (link->addresses);
    g_array_unref (link->onlink);
    g_array_unref (link->routed);
    g_array_unref (link->gateways);
    g_free (link);
}

BulkheadWireguard *
bulkhead_wireguard_new (const char *interface)
{
    BulkheadWireguard *wireguard = g_new0 (BulkheadWireguard, 1);

    g_strlcpy (wireguard->interface, interface, sizeof wireguard->interface);
    wireguard->endpoints = g_array_new (FALSE, TRUE, sizeof (BulkheadEndpoint));
    return wireguard;
}

void
bulkhead_wireguard_free (BulkheadWireguard *wireguard)
{
    if (wireguard == NULL)
        return;
    g_array_unref (wireguard->endpoints);
    g_free (wireguard);
}

static gboolean
prefix_is_link_local (const BulkheadPrefix *prefix)
{
    const BulkheadAddress *address = &prefix->address;

    return address->family == G_SOCKET_FAMILY_IPV6 && address->bytes[0] == 0xfe
           && (address->bytes[1] & 0xc0) == 0x80;
}

gboolean
bulkhead_link_has_address (const BulkheadLink *link)
{
    for (guint i = 0; i < link->addresses->len; i++)
        if (!prefix_is_link_local (&g_array_index (link->addresses, BulkheadPrefix, i)))
            return TRUE;
    return FALSE;
}

gboolean
bulkhead_link_leads_to_router (const BulkheadLink *link)
{
    return link->had_router || link->default_route || link->gateways->len > 0;
}

gboolean
bulkhead_link_is_uplink (const BulkheadLink *link, const BulkheadLink *master)
{
    switch (link->type) {
    case BULKHEAD_LINK_LOOPBACK:
    case BULKHEAD_LINK_BRIDGE:
        return FALSE;
    case BULKHEAD_LINK_HARDWARE:
    case BULKHEAD_LINK_VLAN:
    case BULKHEAD_LINK_BOND:
    case BULKHEAD_LINK_TEAM:
    case BULKHEAD_LINK_WWAN:
    case BULKHEAD_LINK_MACVLAN:
    case BULKHEAD_LINK_PPP:
        return TRUE;
    case BULKHEAD_LINK_VETH:
        /* A master that is unknown, or no bridge, is taken to lead outside. */
        if (link->master == 0 || master == NULL || master->type != BULKHEAD_LINK_BRIDGE)
            return TRUE;
        return bulkhead_link_leads_to_router (link) || bulkhead_link_leads_to_router (master)
               || !bulkhead_link_has_address (master);
    case BULKHEAD_LINK_OTHER:
    case BULKHEAD_LINK_WIREGUARD:
    case BULKHEAD_LINK_TUN:
    case BULKHEAD_LINK_XFRM:
    case BULKHEAD_LINK_OVPN:
    case BULKHEAD_LINK_DUMMY:
        return link->default_route;
    }
    g_return_val_if_reached (TRUE);
}

gboolean
bulkhead_link_may_be_tunnel (const BulkheadLink *link)
{
    switch (link->type) {
    case BULKHEAD_LINK_TUN:
        return link->master == 0;
    case BULKHEAD_LINK_WIREGUARD:
    case BULKHEAD_LINK_PPP:
    case BULKHEAD_LINK_XFRM:
    case BULKHEAD_LINK_OVPN:
        return TRUE;
    case BULKHEAD_LINK_OTHER:
    case BULKHEAD_LINK_LOOPBACK:
    case BULKHEAD_LINK_HARDWARE:
    case BULKHEAD_LINK_VLAN:
    case BULKHEAD_LINK_BOND:
    case BULKHEAD_LINK_TEAM:
    case BULKHEAD_LINK_WWAN:
    case BULKHEAD_LINK_MACVLAN:
    case BULKHEAD_LINK_VETH:
    case BULKHEAD_LINK_BRIDGE:
    case BULKHEAD_LINK_DUMMY:
        return FALSE;
    }
    g_return_val_if_reached (FALSE);
}

static int
compare_links (gconstpointer a, gconstpointer b)
{
    const BulkheadLink *const *link_a = a;
    const BulkheadLink *const *link_b = b;

    return strcmp ((*link_a)->name, (*link_b)->name);
}

static int
compare_wireguards (gconstpointer a, gconstpointer b)
{
    const BulkheadWireguard *const *wireguard_a = a;
    const BulkheadWireguard *const *wireguard_b = b;

    return strcmp ((*wireguard_a)->interface, (*wireguard_b)->interface);
}

static const BulkheadLink *
find_link_by_index (const GPtrArray *links, int index)
{
    for (guint i = 0; i < links->len; i++) {
        const BulkheadLink *link = g_ptr_array_index (links, i);

        if (link->index == index)
            return link;
    }
    return NULL;
}

static void
settle_links (GPtrArray *links)
{
    g_ptr_array_sort (links, compare_links);
    for (guint i = 0; i < links->len; i++) {
        BulkheadLink *link = g_ptr_array_index (links, i);
        const BulkheadLink *master =
            link->master != 0 ? find_link_by_index (links, link->master) : NULL;

        bulkhead_sort_unique (link->addresses, (GCompareFunc)bulkhead_prefix_compare);
        bulkhead_sort_unique (link->onlink, (GCompareFunc)bulkhead_prefix_compare);
        bulkhead_sort_unique (link->routed, (GCompareFunc)bulkhead_prefix_compare);
        bulkhead_sort_unique (link->gateways, (GCompareFunc)bulkhead_address_compare);
        link->uplink = bulkhead_link_is_uplink (link, master);
    }
}

static void
settle_wireguards (GPtrArray *wireguards)
{
    g_ptr_array_sort (wireguards, compare_wireguards);
    for (guint i = 0; i < wireguards->len; i++) {
        BulkheadWireguard *wireguard = g_ptr_array_index (wireguards, i);

        bulkhead_sort_unique (wireguard->endpoints, (GCompareFunc)bulkhead_endpoint_compare);
    }
}

BulkheadNet *
bulkhead_net_new (BulkheadFeatures features, GPtrArray *links, GPtrArray *wireguards)
{
    BulkheadNet *net = g_atomic_rc_box_new0 (BulkheadNet);

    if (links == NULL)
        links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    if (wireguards == NULL)
        wireguards = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_wireguard_free);
    settle_links (links);
    settle_wireguards (wireguards);

    net->features = features;
    net->links = links;
    net->wireguards = wireguards;
    return net;
}

BulkheadNet *
bulkhead_net_ref (const BulkheadNet *net)
{
    return g_atomic_rc_box_acquire ((gpointer)net);
}

static void
clear_net (gpointer data)
{
    BulkheadNet *net = data;

    g_ptr_array_unref (net->links);
    g_ptr_array_unref (net->wireguards);
}

void
bulkhead_net_unref (BulkheadNet *net)
{
    if (net != NULL)
        g_atomic_rc_box_release_full (net, clear_net);
}

/* Element by element: the structs have padding, which no one clears. */
static gboolean
arrays_equal (GArray *a, GArray *b, GCompareFunc compare)
{
    gsize size = g_array_get_element_size (a);

    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++)
        if (compare (a->data + i * size, b->data + i * size) != 0)
            return FALSE;
    return TRUE;
}

static gboolean
links_equal (gconstpointer data_a, gconstpointer data_b)
{
    const BulkheadLink *a = data_a;
    const BulkheadLink *b = data_b;

    return a->index == b->index && strcmp (a->name, b->name) == 0 && a->type == b->type
           && a->up == b->up && a->master == b->master && a->uplink == b->uplink
           && a->default_route == b->default_route && a->had_router == b->had_router
           && a->forwards == b->forwards && a->ethernet == b->ethernet
           && arrays_equal (a->addresses, b->addresses, (GCompareFunc)bulkhead_prefix_compare)
           && arrays_equal (a->onlink, b->onlink, (GCompareFunc)bulkhead_prefix_compare)
           && arrays_equal (a->routed, b->routed, (GCompareFunc)bulkhead_prefix_compare)
           && arrays_equal (a->gateways, b->gateways, (GCompareFunc)bulkhead_address_compare);
}

static gboolean
wireguards_equal (gconstpointer data_a, gconstpointer data_b)
{
    const BulkheadWireguard *a = data_a;
    const BulkheadWireguard *b = data_b;

    return strcmp (a->interface, b->interface) == 0 && a->mark == b->mark && a->port == b->port
           && arrays_equal (a->endpoints, b->endpoints, (GCompareFunc)bulkhead_endpoint_compare);
}

static gboolean
all_equal (const GPtrArray *a, const GPtrArray *b, GEqualFunc equal)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++)
        if (!equal (g_ptr_array_index (a, i), g_ptr_array_index (b, i)))
            return FALSE;
    return TRUE;
}

gboolean
bulkhead_net_equal (const BulkheadNet *a, const BulkheadNet *b)
{
    return a == b
           || (a->features == b->features && all_equal (a->links, b->links, links_equal)
               && all_equal (a->wireguards, b->wireguards, wireguards_equal));
}

const BulkheadLink *
bulkhead_net_find_link (const BulkheadNet *net, const char *name)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = g_ptr_array_index (net->links, i);

        if (strcmp (link->name, name) == 0)
            return link;
    }
    return NULL;
}

const BulkheadWireguard *
bulkhead_net_find_wireguard (const BulkheadNet *net, const char *name)
{
    for (guint i = 0; i < net->wireguards->len; i++) {
        const BulkheadWireguard *wireguard = g_ptr_array_index (net->wireguards, i);

        if (strcmp (wireguard->interface, name) == 0)
            return wireguard;
    }
    return NULL;
}

gboolean
bulkhead_link_may_be_trusted (const BulkheadLink *link)
{
    switch (link->type) {
    case BULKHEAD_LINK_LOOPBACK:
    case BULKHEAD_LINK_HARDWARE:
    case BULKHEAD_LINK_VLAN:
    case BULKHEAD_LINK_BOND:
    case BULKHEAD_LINK_TEAM:
    case BULKHEAD_LINK_WWAN:
    case BULKHEAD_LINK_MACVLAN:
    case BULKHEAD_LINK_BRIDGE:
        return FALSE;
    case BULKHEAD_LINK_OTHER:
    case BULKHEAD_LINK_VETH:
    case BULKHEAD_LINK_WIREGUARD:
    case BULKHEAD_LINK_TUN:
    case BULKHEAD_LINK_PPP:
    case BULKHEAD_LINK_XFRM:
    case BULKHEAD_LINK_OVPN:
    case BULKHEAD_LINK_DUMMY:
        return TRUE;
    }
    g_assert_not_reached ();
}

gboolean
bulkhead_link_is_of_kind (const BulkheadLink *link, BulkheadTunnelKind kind)
{
    switch (kind) {
    case BULKHEAD_TUNNEL_WIREGUARD:
        return link->type == BULKHEAD_LINK_WIREGUARD || link->type == BULKHEAD_LINK_TUN;
    case BULKHEAD_TUNNEL_OPENVPN:
        return link->type == BULKHEAD_LINK_OVPN || link->type == BULKHEAD_LINK_TUN;
    case BULKHEAD_TUNNEL_OTHER:
        return bulkhead_link_may_be_trusted (link) && link->type != BULKHEAD_LINK_VETH
               && link->type != BULKHEAD_LINK_DUMMY && link->type != BULKHEAD_LINK_OTHER;
    case BULKHEAD_TUNNEL_UNKNOWN:
        return bulkhead_link_may_be_trusted (link);
    }
    g_assert_not_reached ();
}
