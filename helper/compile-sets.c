/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile-sets.h"

#include "found.h"

/* An element from its fields, in order. */
static void
add_ifname (BulkheadElement *element, const char *name)
{
    char padded[BULKHEAD_IFNAME_SIZE] = { 0 };

    g_strlcpy (padded, name, sizeof padded);
    bulkhead_element_add (element, padded, sizeof padded);
}

static void
add_address (BulkheadElement *element, const BulkheadAddress *address)
{
    bulkhead_element_add (element, address->bytes, bulkhead_address_size (address));
}

static void
add_protocol (BulkheadElement *element, guint8 protocol)
{
    bulkhead_element_add (element, &protocol, sizeof protocol);
}

static void
add_port (BulkheadElement *element, guint16 port)
{
    guint16 be = GUINT16_TO_BE (port);
    bulkhead_element_add (element, &be, sizeof be);
}

static gboolean
is_ipv4 (const BulkheadAddress *address)
{
    return address->family == G_SOCKET_FAMILY_IPV4;
}

/* Sets are made on first use; ADDRESS in the list of fields is of the family at hand. */
#define ADDRESS TYPE_IPV4_ADDR
#define FIELDS(...)                                                                                \
    sizeof ((const BulkheadDatatype[]){ __VA_ARGS__ }) / sizeof (BulkheadDatatype),                \
        (const BulkheadDatatype[])                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static BulkheadSet *
set_named (BulkheadTable *table, const char *name, gboolean interval, guint n,
           const BulkheadDatatype *fields)
{
    BulkheadSet *set = bulkhead_table_find_set (table, name);
    return set != NULL ? set : bulkhead_table_add_set (table, name, interval, n, fields);
}

/* "NAME4" or "NAME6". */
static BulkheadSet *
set_for (BulkheadTable *table, const char *name, const BulkheadAddress *address, gboolean interval,
         guint n, const BulkheadDatatype *fields)
{
    char full[BULKHEAD_NAME_SIZE];
    BulkheadDatatype typed[BULKHEAD_KEYS_MAX];

    g_snprintf (full, sizeof full, "%s%d", name, is_ipv4 (address) ? 4 : 6);
    for (guint i = 0; i < n; i++)
        typed[i] = fields[i] == ADDRESS && !is_ipv4 (address) ? TYPE_IPV6_ADDR : fields[i];
    return set_named (table, full, interval, n, typed);
}

/* ---- tunnels ---- */

gboolean
bulkhead_compile_is_tunnel (const BulkheadLink *link, const BulkheadPolicy *policy)
{
    return bulkhead_link_may_be_trusted (link)
           && bulkhead_policy_find_interface (policy, link->name) != NULL;
}

/* Not a way into a tunnel, trusted or not, and not the machine itself. */
static gboolean
is_local_link (const BulkheadLink *link, const BulkheadPolicy *policy)
{
    return link->type != BULKHEAD_LINK_LOOPBACK && !bulkhead_link_may_be_tunnel (link)
           && !bulkhead_compile_is_tunnel (link, policy);
}

static void
add_tunnel_addresses (BulkheadTable *table, const BulkheadLink *link)
{
    for (guint i = 0; i < link->addresses->len; i++) {
        const BulkheadAddress *address =
            &g_array_index (link->addresses, BulkheadPrefix, i).address;
        BulkheadElement source = { 0 }, alone = { 0 };

        if (table->family == BULKHEAD_FAMILY_INET) {
            add_ifname (&source, link->name);
            add_address (&source, address);
            bulkhead_set_add (
                set_for (table, "tunnel_sources", address, FALSE, FIELDS (TYPE_IFNAME, ADDRESS)),
                &source);
        } else if (!is_ipv4 (address)) {
            continue; /* only ARP is asked about there */
        }
        add_address (&alone, address);
        bulkhead_set_add (set_for (table, "tunnel_addresses", address, FALSE, FIELDS (ADDRESS)),
                          &alone);
    }
}

static void
add_tunnels (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        const BulkheadLink *link = bulkhead_net_find_link (net, tunnel->interface);
        BulkheadElement element = { 0 };

        if (link != NULL && !bulkhead_compile_is_tunnel (link, policy))
            continue;
        add_ifname (&element, tunnel->interface);
        if (table->family == BULKHEAD_FAMILY_INET)
            bulkhead_set_add (set_named (table, "tunnels", FALSE, FIELDS (TYPE_IFNAME)), &element);
        if (link != NULL)
            add_tunnel_addresses (table, link);
    }
}

/* ---- endpoints ---- */

static void
add_destination (BulkheadElement *element, const BulkheadEndpoint *endpoint)
{
    add_address (element, &endpoint->address);
    add_protocol (element, endpoint->protocol);
    add_port (element, endpoint->port);
}

/*
 * The sender counts as much as the destination: an endpoint open to every program lets a web page
 * tell who its visitor is (TunnelCrack ServerIP; LEAKS L22, L68).
 */
static void
add_endpoint (BulkheadTable *table, const BulkheadEndpoint *endpoint, guint32 mark, guint32 uid)
{
    const BulkheadAddress *address = &endpoint->address;
    BulkheadElement sender = { 0 }, alone = { 0 }, host = { 0 };
    BulkheadSet *set;

    bulkhead_element_add (&sender, mark != 0 ? &mark : &uid, sizeof mark);
    add_destination (&sender, endpoint);
    set = mark != 0 ? set_for (table, "endpoints_by_mark", address, FALSE,
                               FIELDS (TYPE_MARK, ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE))
                    : set_for (table, "endpoints_by_user", address, FALSE,
                               FIELDS (TYPE_UID, ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE));
    bulkhead_set_add (set, &sender);

    if (table->family == BULKHEAD_FAMILY_INET) {
        add_destination (&alone, endpoint);
        set = set_for (table, "endpoints", address, FALSE,
                       FIELDS (ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE));
        bulkhead_set_add (set, &alone);
    } else {
        add_address (&host, address);
        set = set_for (table, "endpoint_hosts", address, FALSE, FIELDS (ADDRESS));
        bulkhead_set_add (set, &host);
    }
}

static void
add_endpoints (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        const BulkheadWireguard *wireguard = bulkhead_net_find_wireguard (net, tunnel->interface);
        GArray *endpoints = bulkhead_found_endpoints (tunnel, wireguard);
        guint32 mark = wireguard != NULL && wireguard->mark != 0 ? wireguard->mark : tunnel->mark;

        for (guint j = 0; j < endpoints->len; j++)
            add_endpoint (table, &g_array_index (endpoints, BulkheadEndpoint, j), mark,
                          tunnel->uid);
    }
}

/* ---- links ---- */

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
append_prefix (GArray *ranges, const BulkheadPrefix *prefix)
{
    BulkheadRange range = bulkhead_prefix_range (prefix);
    g_array_append_val (ranges, range);
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
ranges_new (void)
{
    return g_array_new (FALSE, FALSE, sizeof (BulkheadRange));
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

/* Addresses alone. */
static void
add_ranges (BulkheadTable *table, const char *name, GArray *ranges)
{
    for (guint i = 0; i < ranges->len; i++) {
        const BulkheadRange *range = &g_array_index (ranges, BulkheadRange, i);
        BulkheadElement first = { 0 }, last = { 0 };

        add_address (&first, &range->first);
        add_address (&last, &range->last);
        bulkhead_set_add_range (set_for (table, name, &range->first, TRUE, FIELDS (ADDRESS)),
                                &first, &last);
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

/* Where a neighbour may be that is asked for its link address (RFC 4861). */
static GArray *
neighbours (const BulkheadLink *link, gpointer data)
{
    GArray *ranges = link_ranges (link);
    g_autoptr (GArray) ipv6 = ranges_new ();

    append_text_prefix (ipv6, "2000::/3");
    append_text_prefix (ipv6, "fc00::/7");
    append_text_prefix (ipv6, "fe80::/10");
    bulkhead_ranges_normalise (ipv6);
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

/* A private address inside a tunnel, trusted or not, must not be stolen onto the LAN (LEAKS L25).
 * Link-local networks are on every link and stay. */
static GArray *
tunnel_ranges (const BulkheadPolicy *policy, const BulkheadNet *net)
{
    GArray *ranges = ranges_new ();
    BulkheadPrefix link_local;

    if (!bulkhead_prefix_parse ("fe80::/10", &link_local))
        g_assert_not_reached ();
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (is_local_link (link, policy) || link->type == BULKHEAD_LINK_LOOPBACK)
            continue;
        for (guint j = 0; j < link->onlink->len; j++) {
            const BulkheadPrefix *prefix = &g_array_index (link->onlink, BulkheadPrefix, j);

            if (!bulkhead_prefix_contains (&link_local, &prefix->address))
                append_prefix (ranges, prefix);
        }
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

/* ---- services ---- */

typedef struct {
    BulkheadProtocol protocol;
    guint16 port;
} Service;

static void
add_services (BulkheadTable *table, const char *name, const Service *services, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        BulkheadElement element = { 0 };

        add_protocol (&element, services[i].protocol);
        add_port (&element, services[i].port);
        bulkhead_set_add (
            set_named (table, name, FALSE, FIELDS (TYPE_INET_PROTO, TYPE_INET_SERVICE)), &element);
    }
}

static void
add_known_services (BulkheadTable *table, const BulkheadPolicy *policy)
{
    /* DNS, DNS over TLS and QUIC, NetBIOS and LLMNR: what a person typed must not be told to the
     * local network (LEAKS L48, L51, L52). */
    static const Service name_services[] = {
        { BULKHEAD_PROTOCOL_TCP, 53 },   { BULKHEAD_PROTOCOL_UDP, 53 },
        { BULKHEAD_PROTOCOL_UDP, 137 },  { BULKHEAD_PROTOCOL_UDP, 138 },
        { BULKHEAD_PROTOCOL_TCP, 853 },  { BULKHEAD_PROTOCOL_UDP, 853 },
        { BULKHEAD_PROTOCOL_TCP, 5355 }, { BULKHEAD_PROTOCOL_UDP, 5355 },
    };
    /* NAT-PMP and PCP; UPnP where routers are known to answer. They tell the real address to
     * whoever asks (LEAKS L57). */
    static const Service port_mapping[] = {
        { BULKHEAD_PROTOCOL_UDP, 1900 },  { BULKHEAD_PROTOCOL_TCP, 1900 },
        { BULKHEAD_PROTOCOL_TCP, 2869 },  { BULKHEAD_PROTOCOL_TCP, 5000 },
        { BULKHEAD_PROTOCOL_UDP, 5350 },  { BULKHEAD_PROTOCOL_UDP, 5351 },
        { BULKHEAD_PROTOCOL_TCP, 5351 },  { BULKHEAD_PROTOCOL_TCP, 49000 },
        { BULKHEAD_PROTOCOL_TCP, 49152 },
    };
    /* What a LAN or an exception is opened for; not what carries other packets (LEAKS L45). */
    static const guint8 protocols[] = { 1, 2, 6, 17, 58 };

    add_services (table, "name_services", name_services, G_N_ELEMENTS (name_services));
    if (policy->lan && !policy->lan_port_mapping)
        add_services (table, "port_mapping", port_mapping, G_N_ELEMENTS (port_mapping));
    if (!policy->lan && policy->exceptions->len == 0)
        return;
    for (guint i = 0; i < G_N_ELEMENTS (protocols); i++) {
        BulkheadElement element = { 0 };

        add_protocol (&element, protocols[i]);
        bulkhead_set_add (set_named (table, "protocols", FALSE, FIELDS (TYPE_INET_PROTO)),
                          &element);
    }
}

/* ---- exceptions ---- */

/* The destinations of every exception for one protocol and port, merged. */
static GArray *
exception_ranges (const BulkheadPolicy *policy, BulkheadProtocol protocol, guint16 port)
{
    GArray *ranges = ranges_new ();

    for (guint i = 0; i < policy->exceptions->len; i++) {
        const BulkheadException *exception =
            &g_array_index (policy->exceptions, BulkheadException, i);
        if (exception->protocol == protocol && exception->port == port)
            append_prefix (ranges, &exception->destination);
    }
    bulkhead_ranges_normalise (ranges);
    return ranges;
}

static void
add_service_ranges (BulkheadTable *table, GArray *ranges, BulkheadProtocol protocol, guint16 port)
{
    for (guint i = 0; i < ranges->len; i++) {
        const BulkheadRange *range = &g_array_index (ranges, BulkheadRange, i);
        guint8 number =
            protocol == BULKHEAD_PROTOCOL_ICMP && !is_ipv4 (&range->first) ? 58 : protocol;
        BulkheadElement first = { 0 }, last = { 0 };

        add_address (&first, &range->first);
        add_address (&last, &range->last);
        add_protocol (&first, number);
        add_protocol (&last, number);
        add_port (&first, port);
        add_port (&last, port != 0 ? port : G_MAXUINT16);
        bulkhead_set_add_range (set_for (table, "exception_services", &range->first, TRUE,
                                         FIELDS (ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE)),
                                &first, &last);
    }
}

/* The kernel refuses ranges that overlap: what all ports of a protocol have, one port has not. */
static void
add_protocol_exceptions (BulkheadTable *table, const BulkheadPolicy *policy,
                         BulkheadProtocol protocol)
{
    g_autoptr (GArray) every = exception_ranges (policy, protocol, 0);
    g_autofree guint8 *seen = g_new0 (guint8, G_MAXUINT16 + 1);

    add_service_ranges (table, every, protocol, 0);
    for (guint i = 0; i < policy->exceptions->len; i++) {
        const BulkheadException *exception =
            &g_array_index (policy->exceptions, BulkheadException, i);
        g_autoptr (GArray) ranges = NULL;

        if (exception->protocol != protocol || exception->port == 0 || seen[exception->port])
            continue;
        seen[exception->port] = TRUE;
        ranges = exception_ranges (policy, protocol, exception->port);
        bulkhead_ranges_subtract (ranges, every);
        add_service_ranges (table, ranges, protocol, exception->port);
    }
}

/* Those for every service may be many: they go to a set of plain ranges. */
static void
add_exceptions (BulkheadTable *table, const BulkheadPolicy *policy)
{
    g_autoptr (GArray) ranges = exception_ranges (policy, BULKHEAD_PROTOCOL_ANY, 0);

    add_ranges (table, "exceptions", ranges);
    add_protocol_exceptions (table, policy, BULKHEAD_PROTOCOL_ICMP);
    add_protocol_exceptions (table, policy, BULKHEAD_PROTOCOL_TCP);
    add_protocol_exceptions (table, policy, BULKHEAD_PROTOCOL_UDP);
}

/* ---- pause ---- */

/* The kernel closes what it opened, with the helper dead too (LEAKS L18). */
static void
add_pause (BulkheadTable *table, const BulkheadPolicy *policy)
{
    gboolean inet = table->family == BULKHEAD_FAMILY_INET;
    const guint16 ether_types[] = { GUINT16_TO_BE (0x0800), GUINT16_TO_BE (0x86dd) };
    const guint8 nf_protos[] = { 2, 10 };
    BulkheadSet *set;

    if (policy->pause_seconds == 0)
        return;
    set = set_named (table, "paused", FALSE, FIELDS (inet ? TYPE_NF_PROTO : TYPE_ETHER_TYPE));
    set->timeout = policy->pause_seconds;
    set->expires = policy->pause_until;
    for (guint i = 0; i < 2; i++) {
        BulkheadElement element = { 0 };

        if (inet)
            bulkhead_element_add (&element, &nf_protos[i], sizeof nf_protos[i]);
        else
            bulkhead_element_add (&element, &ether_types[i], sizeof ether_types[i]);
        bulkhead_set_add (set, &element);
    }
}

void
bulkhead_compile_add_sets (BulkheadTable *table, const BulkheadPolicy *policy,
                           const BulkheadNet *net)
{
    add_tunnels (table, policy, net);
    add_pause (table, policy);
    add_endpoints (table, policy, net);
    add_known_services (table, policy);
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (is_local_link (link, policy))
            add_routers (table, link);
    }
    add_local_ranges (table, "neighbours", policy, net, neighbours, NULL);
    if (policy->lan)
        add_lan (table, policy, net);
    add_exceptions (table, policy);
    for (guint i = 0; i < table->sets->len; i++)
        bulkhead_set_finish (table->sets->pdata[i]);
}
