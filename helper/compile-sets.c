/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile-sets.h"

#include "compile-element.h"
#include "found.h"

/* ---- tunnels ---- */

static void
add_tunnel_addresses (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        for (guint j = 0; bulkhead_compile_is_tunnel (link, policy) && j < link->addresses->len;
             j++) {
            const BulkheadAddress *address =
                &g_array_index (link->addresses, BulkheadPrefix, j).address;
            BulkheadElement element = { 0 };

            add_address (&element, address);
            bulkhead_set_add (set_for (table, "tunnel_addresses", address, FALSE, FIELDS (ADDRESS)),
                              &element);
        }
    }
}

/* ---- endpoints ---- */

/*
 * The sender counts as much as the destination: an endpoint open to every program lets a web page
 * tell who its visitor is (TunnelCrack ServerIP; LEAKS L22, L68).
 */
static void
add_endpoint (BulkheadTable *table, const BulkheadEndpoint *endpoint, guint32 mark, guint32 uid)
{
    const BulkheadAddress *address = &endpoint->address;
    BulkheadElement sender = { 0 };
    BulkheadSet *set;

    bulkhead_element_add (&sender, mark != 0 ? &mark : &uid, sizeof mark);
    add_address (&sender, address);
    add_protocol (&sender, endpoint->protocol);
    if (table->family == BULKHEAD_FAMILY_INET && !is_ipv4 (address)) {
        BulkheadElement host = { 0 };
        add_address (&host, address);
        add_protocol (&host, endpoint->protocol);
        set = set_for (table, "endpoint_hosts", address, FALSE, FIELDS (ADDRESS, TYPE_INET_PROTO));
        bulkhead_set_add (set, &host);
    }
    if (table->family == BULKHEAD_FAMILY_NETDEV) {
        /* The later pieces of a datagram have no ports. */
        set = mark != 0 ? set_for (table, "endpoint_pieces_by_mark", address, FALSE,
                                   FIELDS (TYPE_MARK, ADDRESS, TYPE_INET_PROTO))
                        : set_for (table, "endpoint_pieces_by_user", address, FALSE,
                                   FIELDS (TYPE_UID, ADDRESS, TYPE_INET_PROTO));
        bulkhead_set_add (set, &sender);
    }
    add_port (&sender, endpoint->port);
    set = mark != 0 ? set_for (table, "endpoints_by_mark", address, FALSE,
                               FIELDS (TYPE_MARK, ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE))
                    : set_for (table, "endpoints_by_user", address, FALSE,
                               FIELDS (TYPE_UID, ADDRESS, TYPE_INET_PROTO, TYPE_INET_SERVICE));
    bulkhead_set_add (set, &sender);
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
add_protocols (BulkheadTable *table, const char *name, const guint8 *protocols, gsize n)
{
    BulkheadSet *set = set_named (table, name, FALSE, FIELDS (TYPE_INET_PROTO));

    for (gsize i = 0; i < n; i++) {
        BulkheadElement element = { 0 };

        add_protocol (&element, protocols[i]);
        bulkhead_set_add (set, &element);
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
    /* NAT-PMP, PCP and UPnP: the router tells the real address by them to whoever asks (LEAKS
     * L57). A router has more addresses than the one that is known, so that only what other
     * devices use too is refused to the known one alone. */
    static const Service port_mapping[] = {
        { BULKHEAD_PROTOCOL_TCP, 1900 },  { BULKHEAD_PROTOCOL_TCP, 2869 },
        { BULKHEAD_PROTOCOL_UDP, 5351 },  { BULKHEAD_PROTOCOL_TCP, 5351 },
        { BULKHEAD_PROTOCOL_TCP, 49000 }, { BULKHEAD_PROTOCOL_TCP, 49152 },
    };
    static const Service router_services[] = {
        { BULKHEAD_PROTOCOL_TCP, 5000 },
    };
    /* What a LAN is opened for; not what carries other packets (LEAKS L45). */
    static const guint8 protocols[] = { 1, 2, 6, 17, 58 };
    static const guint8 transports[] = { 6, 17 };

    add_services (table, "name_services", name_services, G_N_ELEMENTS (name_services));
    if (policy->lan && !policy->lan_port_mapping) {
        add_services (table, "port_mapping", port_mapping, G_N_ELEMENTS (port_mapping));
        add_services (table, "router_services", router_services, G_N_ELEMENTS (router_services));
    }
    if (policy->lan || table->family == BULKHEAD_FAMILY_NETDEV)
        add_protocols (table, "protocols", protocols, G_N_ELEMENTS (protocols));
    if (policy->exceptions->len > 0 || policy->lan)
        add_protocols (table, "transports", transports, G_N_ELEMENTS (transports));
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
        BulkheadElement first = { 0 }, last = { 0 };

        add_address (&first, &range->first);
        add_address (&last, &range->last);
        add_protocol (&first, protocol);
        add_protocol (&last, protocol);
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

/* Of a datagram's later pieces only the address is known; IPv4's are put together before input. */
static void
add_exception_pieces (BulkheadTable *table, const BulkheadPolicy *policy)
{
    g_autoptr (GArray) ranges = ranges_new ();

    for (guint i = 0; i < policy->exceptions->len; i++) {
        const BulkheadException *exception =
            &g_array_index (policy->exceptions, BulkheadException, i);
        if (exception->protocol == BULKHEAD_PROTOCOL_UDP
            && (table->family == BULKHEAD_FAMILY_NETDEV
                || !is_ipv4 (&exception->destination.address)))
            append_prefix (ranges, &exception->destination);
    }
    bulkhead_ranges_normalise (ranges);
    add_ranges (table, "exception_pieces", ranges);
}

/* Those for every service may be many: they go to a set of plain ranges. */
static void
add_exceptions (BulkheadTable *table, const BulkheadPolicy *policy)
{
    g_autoptr (GArray) every = exception_ranges (policy, BULKHEAD_PROTOCOL_ANY, 0);
    g_autoptr (GArray) pings = exception_ranges (policy, BULKHEAD_PROTOCOL_ICMP, 0);

    add_ranges (table, "exceptions", every);
    add_ranges (table, "exception_pings", pings);
    add_protocol_exceptions (table, policy, BULKHEAD_PROTOCOL_TCP);
    add_protocol_exceptions (table, policy, BULKHEAD_PROTOCOL_UDP);
    add_exception_pieces (table, policy);
}

/* ---- answers ---- */

#define FLOW_SECONDS                                                                               \
    600 /* without a packet out; as long as a NAT keeps a silent flow, and more                    \
         */

static void
add_flows (BulkheadTable *table, const char *name, guint n, const BulkheadDatatype *fields)
{
    BulkheadSet *set = bulkhead_table_add_set (table, name, FALSE, n, fields);

    set->dynamic = TRUE;
    set->timeout = FLOW_SECONDS;
}

static void
add_flows_of (BulkheadTable *table, const char *name4, const char *name6)
{
    add_flows (table, name4,
               FIELDS (TYPE_IPV4_ADDR, TYPE_INET_PROTO, TYPE_INET_SERVICE, TYPE_INET_SERVICE));
    add_flows (table, name6,
               FIELDS (TYPE_IPV6_ADDR, TYPE_INET_PROTO, TYPE_INET_SERVICE, TYPE_INET_SERVICE));
}

/* What the kernel remembers of packets let out, to let their answers in. */
static void
add_answers (BulkheadTable *table, const BulkheadPolicy *policy)
{
    if (policy->tunnels->len > 0)
        add_flows_of (table, "flows4", "flows6");
    if (policy->exceptions->len > 0)
        add_flows_of (table, "exception_flows4", "exception_flows6");
    if (policy->lan && !policy->lan_port_mapping)
        add_flows_of (table, "router_flows4", "router_flows6");
    if (policy->tunnels->len == 0 && policy->exceptions->len == 0)
        return;
    add_flows (table, "guest_flows4",
               FIELDS (TYPE_IFNAME, TYPE_IPV4_ADDR, TYPE_IPV4_ADDR, TYPE_IFNAME));
    add_flows (table, "guest_flows6",
               FIELDS (TYPE_IFNAME, TYPE_IPV6_ADDR, TYPE_IPV6_ADDR, TYPE_IFNAME));
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
    add_tunnel_addresses (table, policy, net);
    add_pause (table, policy);
    if (table->family == BULKHEAD_FAMILY_INET)
        add_answers (table, policy);
    add_endpoints (table, policy, net);
    add_known_services (table, policy);
    bulkhead_compile_add_local_sets (table, policy, net);
    add_exceptions (table, policy);
    for (guint i = 0; i < table->sets->len; i++)
        bulkhead_set_finish (table->sets->pdata[i]);
}
