/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile-sets.h"

#include "compile-element.h"

#define NEIGHBOURS_PREFIX_MIN 48

gboolean
bulkhead_compile_is_tunnel (const BulkheadLink *link, const BulkheadPolicy *policy)
{
    const BulkheadTunnel *tunnel = bulkhead_policy_find_interface (policy, link->name);

    return tunnel != NULL && bulkhead_link_is_of_kind (link, tunnel->kind);
}

/* Not a way into a tunnel, trusted or not, and not the machine itself. */
static gboolean
is_local_link (const BulkheadLink *link, const BulkheadPolicy *policy)
{
    return link->type != BULKHEAD_LINK_LOOPBACK && !bulkhead_link_may_be_tunnel (link)
           && !bulkhead_compile_is_tunnel (link, policy);
}

gboolean
bulkhead_compile_may_trust (const BulkheadTunnel *tunnel, const BulkheadNet *net)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, tunnel->interface);

    return link == NULL || bulkhead_link_is_of_kind (link, tunnel->kind);
}

/* Where strangers come from, trusted tunnels not counted: a guest's link leads to no router. */
static void
add_router_links (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        BulkheadElement element = { 0 };

        if (link->type == BULKHEAD_LINK_LOOPBACK || !bulkhead_link_leads_to_router (link)
            || bulkhead_compile_is_tunnel (link, policy))
            continue;
        add_ifname (&element, link->name);
        bulkhead_set_add (set_named (table, "router_links", FALSE, FIELDS (TYPE_IFNAME)), &element);
    }
}

/* Whom a lease is renewed with, by their own link only: a next hop may have any address. */
static void
add_dhcp_routers (BulkheadTable *table, const BulkheadLink *link)
{
    gboolean inet = table->family == BULKHEAD_FAMILY_INET;

    for (guint i = 0; i < link->gateways->len; i++) {
        const BulkheadAddress *address = &g_array_index (link->gateways, BulkheadAddress, i);
        BulkheadElement element = { 0 };
        BulkheadSet *set;

        if (!is_ipv4 (address))
            continue;
        if (inet)
            add_ifname (&element, link->name);
        add_address (&element, address);
        set = inet ? set_for (table, "dhcp_routers", address, FALSE, FIELDS (TYPE_IFNAME, ADDRESS))
                   : set_for (table, "dhcp_routers", address, FALSE, FIELDS (ADDRESS));
        bulkhead_set_add (set, &element);
    }
}

/* Whom port mapping is not asked of, by whatever link. */
static void
add_routers (BulkheadTable *table, const BulkheadLink *link)
{
    for (guint i = 0; i < link->gateways->len; i++) {
        const BulkheadAddress *address = &g_array_index (link->gateways, BulkheadAddress, i);
        BulkheadElement element = { 0 };

        add_address (&element, address);
        bulkhead_set_add (set_for (table, "routers", address, FALSE, FIELDS (ADDRESS)), &element);
    }
}

static void
append_text_prefix (GArray *ranges, const char *text)
{
    BulkheadPrefix prefix;

    if (!bulkhead_prefix_parse (text, &prefix))
        g_assert_not_reached ();
    append_prefix (ranges, &prefix);
}

static GArray *
link_ranges (const BulkheadLink *link)
{
    GArray *ranges = ranges_new ();

    for (guint i = 0; i < link->onlink->len; i++)
        append_prefix (ranges, &g_array_index (link->onlink, BulkheadPrefix, i));
    bulkhead_ranges_normalise (ranges);
    return ranges;
}

/* What one link reaches without a router, out of @ranges: "NAME4" and "NAME6" of the inet table. */
static void
add_link_ranges (BulkheadTable *table, const char *name, const BulkheadLink *link, GArray *ranges)
{
    for (guint i = 0; i < ranges->len; i++) {
        const BulkheadRange *range = &g_array_index (ranges, BulkheadRange, i);
        BulkheadElement first = { 0 }, last = { 0 };

        add_ifname (&first, link->name);
        add_ifname (&last, link->name);
        add_address (&first, &range->first);
        add_address (&last, &range->last);
        bulkhead_set_add_range (
            set_for (table, name, &range->first, TRUE, FIELDS (TYPE_IFNAME, ADDRESS)), &first,
            &last);
    }
}

/* Takes what @link may reach of @ranges. */
typedef GArray *(*LinkRanges) (const BulkheadLink *link, gpointer data);

/*
 * The egress guard sees a bridge's packets on the bridge's ports and a VLAN's on its parent, so
 * that its sets cannot name the link the address belongs to; output has already judged that.
 */
static void
add_local_ranges (BulkheadTable *table, const char *name, const BulkheadPolicy *policy,
                  const BulkheadNet *net, LinkRanges of_link, gpointer data)
{
    g_autoptr (GArray) all = ranges_new ();

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        g_autoptr (GArray) ranges = NULL;

        if (!is_local_link (link, policy))
            continue;
        ranges = of_link (link, data);
        if (table->family == BULKHEAD_FAMILY_INET)
            add_link_ranges (table, name, link, ranges);
        else
            g_array_append_vals (all, ranges->data, ranges->len);
    }
    bulkhead_ranges_normalise (all);
    add_ranges (table, name, all);
}

/* Where a neighbour may be that is asked for its link address (RFC 4861). A link that calls half
 * the internet its own (a router's advertisement may) has no neighbours there. */
static GArray *
neighbours (const BulkheadLink *link, gpointer data)
{
    GArray *ranges = ranges_new ();
    g_autoptr (GArray) ipv6 = ranges_new ();

    append_text_prefix (ipv6, "2000::/3");
    append_text_prefix (ipv6, "fc00::/7");
    append_text_prefix (ipv6, "fe80::/10");
    bulkhead_ranges_normalise (ipv6);
    for (guint i = 0; i < link->onlink->len; i++) {
        const BulkheadPrefix *prefix = &g_array_index (link->onlink, BulkheadPrefix, i);
        if (!is_ipv4 (&prefix->address) && prefix->length >= NEIGHBOURS_PREFIX_MIN)
            append_prefix (ranges, prefix);
    }
    bulkhead_ranges_normalise (ranges);
    bulkhead_ranges_intersect (ranges, ipv6);
    return ranges;
}

/* ---- LAN bypass ---- */

/*
 * Only private ranges, whatever DHCP or a router advertisement calls local (TunnelCrack LocalNet;
 * LEAKS L19, L26).
 */
static GArray *
private_ranges (const BulkheadPolicy *policy)
{
    GArray *ranges = ranges_new ();

    append_text_prefix (ranges, "10.0.0.0/8");
    append_text_prefix (ranges, "172.16.0.0/12");
    append_text_prefix (ranges, "192.168.0.0/16");
    append_text_prefix (ranges, "169.254.0.0/16");
    append_text_prefix (ranges, "fc00::/7");
    append_text_prefix (ranges, "fe80::/10");
    if (policy->lan_cgnat)
        append_text_prefix (ranges, "100.64.0.0/10");
    bulkhead_ranges_normalise (ranges);
    return ranges;
}

static void
append_networks (GArray *ranges, const GArray *networks)
{
    BulkheadPrefix link_local;

    if (!bulkhead_prefix_parse ("fe80::/10", &link_local))
        g_assert_not_reached ();
    for (guint i = 0; i < networks->len; i++) {
        const BulkheadPrefix *prefix = &g_array_index (networks, BulkheadPrefix, i);

        /* Every link has one of those. */
        if (!bulkhead_prefix_contains (&link_local, &prefix->address))
            append_prefix (ranges, prefix);
    }
}

/* A private network behind a tunnel, trusted or not, up or gone, must not be stolen onto the LAN
 * (LEAKS L25). */
static GArray *
tunnel_ranges (const BulkheadPolicy *policy, const BulkheadNet *net)
{
    GArray *ranges = ranges_new ();

    for (guint i = 0; i < policy->tunnels->len; i++)
        append_networks (ranges, ((const BulkheadTunnel *)policy->tunnels->pdata[i])->networks);
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (is_local_link (link, policy) || link->type == BULKHEAD_LINK_LOOPBACK)
            continue;
        append_networks (ranges, link->onlink);
        append_networks (ranges, link->routed);
    }
    bulkhead_ranges_normalise (ranges);
    return ranges;
}

/* Discovery: to groups that stay on the link or the site, and IPv4's broadcast. */
static void
append_discovery (GArray *ranges)
{
    gboolean ipv4 = FALSE, ipv6 = FALSE;

    for (guint i = 0; i < ranges->len; i++) {
        if (is_ipv4 (&g_array_index (ranges, BulkheadRange, i).first))
            ipv4 = TRUE;
        else
            ipv6 = TRUE;
    }
    if (ipv4) {
        append_text_prefix (ranges, "224.0.0.0/24");
        append_text_prefix (ranges, "239.0.0.0/8");
        append_text_prefix (ranges, "255.255.255.255");
    }
    if (ipv6) {
        append_text_prefix (ranges, "ff02::/16");
        append_text_prefix (ranges, "ff05::/16");
    }
}

static GArray *
own_addresses (const BulkheadPolicy *policy, const BulkheadNet *net)
{
    GArray *ranges = ranges_new ();

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        for (guint j = 0; is_local_link (link, policy) && j < link->addresses->len; j++) {
            BulkheadPrefix own = g_array_index (link->addresses, BulkheadPrefix, j);

            own.length = 8 * bulkhead_address_size (&own.address);
            append_prefix (ranges, &own);
        }
    }
    bulkhead_ranges_normalise (ranges);
    return ranges;
}

/* What sockets may still have as their source when a tunnel is gone (LEAKS L31, L32): of its
 * networks all but what is another link's own address. */
static void
add_stale_sources (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    g_autoptr (GArray) ranges = ranges_new ();
    g_autoptr (GArray) own = own_addresses (policy, net);

    for (guint i = 0; i < policy->tunnels->len; i++)
        append_networks (ranges, ((const BulkheadTunnel *)policy->tunnels->pdata[i])->networks);
    bulkhead_ranges_normalise (ranges);
    bulkhead_ranges_subtract (ranges, own);
    add_ranges (table, "stale_sources", ranges);
}

typedef struct {
    GArray *private;
    GArray *tunnels;
} LanScope;

static GArray *
lan (const BulkheadLink *link, gpointer data)
{
    const LanScope *scope = data;
    GArray *ranges = link_ranges (link);

    bulkhead_ranges_intersect (ranges, scope->private);
    bulkhead_ranges_subtract (ranges, scope->tunnels);
    append_discovery (ranges);
    return ranges;
}

static void
add_lan (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    g_autoptr (GArray) private = private_ranges (policy);
    g_autoptr (GArray) tunnels = tunnel_ranges (policy, net);
    LanScope scope = { private, tunnels };

    add_local_ranges (table, "lan", policy, net, lan, &scope);
}

/* Private networks of links that lead to no router: "guests" by their links, and, of the inet table
 * that has strangers, "guest_networks" without our own addresses there. */
static void
add_guests (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    g_autoptr (GArray) private = private_ranges (policy);
    g_autoptr (GArray) all = ranges_new ();
    g_autoptr (GArray) own = own_addresses (policy, net);

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        g_autoptr (GArray) ranges = NULL;

        /* The egress guard is on uplinks only, and whoever is not forwarded for is no guest. */
        if ((table->family == BULKHEAD_FAMILY_NETDEV && !(link->uplink && link->forwards))
            || bulkhead_link_leads_to_router (link) || !is_local_link (link, policy))
            continue;
        ranges = link_ranges (link);
        bulkhead_ranges_intersect (ranges, private);
        add_link_ranges (table, "guests", link, ranges);
        g_array_append_vals (all, ranges->data, ranges->len);
    }
    if (bulkhead_table_find_set (table, "router_links") == NULL)
        return;
    bulkhead_ranges_normalise (all);
    bulkhead_ranges_subtract (all, own);
    add_ranges (table, "guest_networks", all);
}

void
bulkhead_compile_add_local_sets (BulkheadTable *table, const BulkheadPolicy *policy,
                                 const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (!is_local_link (link, policy))
            continue;
        add_dhcp_routers (table, link);
        if (policy->lan && !policy->lan_port_mapping)
            add_routers (table, link);
    }
    if (table->family == BULKHEAD_FAMILY_INET && policy->tunnels->len > 0)
        add_router_links (table, policy, net);
    if (table->family == BULKHEAD_FAMILY_INET && (policy->lan || policy->exceptions->len > 0))
        add_stale_sources (table, policy, net);
    add_local_ranges (table, "neighbours", policy, net, neighbours, NULL);
    if (policy->lan)
        add_lan (table, policy, net);
    add_guests (table, policy, net);
}
