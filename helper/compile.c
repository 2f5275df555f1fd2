/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile.h"

#include "compile-sets.h"
#include "statement.h"

#include <string.h>

#define PRIORITY_RAW (-300)
#define PRIORITY_FILTER 0
/* Behind source NAT (100) and everything else a distribution ships: nothing re-routes later. */
#define PRIORITY_LATE 300

static gboolean
has (BulkheadTable *table, const char *set)
{
    return bulkhead_table_find_set (table, set) != NULL;
}

/* The address is one that @link reaches by itself; see add_local_ranges() for the egress guard. */
static BulkheadStatement
on_link (BulkheadTable *table, const char *set, BulkheadKey link, BulkheadKey address)
{
    return table->family == BULKHEAD_FAMILY_INET ? in (set, link, address) : in (set, address);
}

/* ---- Nothing but loopback and the trusted tunnels ---- */

/*
 * A trusted tunnel takes what has one of its own addresses as source, so that a socket opened
 * before it came up cannot carry the LAN's or the real IPv6 address into it (LEAKS L33). Tunnels
 * stand first, each address in a rule of its own: there are few, and every packet of a protected
 * machine pays for this (a set costs five per cent of small packets, loopback before it three).
 */
static void
into_tunnels (BulkheadChain *chain, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (!bulkhead_compile_is_tunnel (link, policy))
            continue;
        for (guint j = 0; j < link->addresses->len; j++)
            rule (chain, oifname (link->name),
                  saddr (&g_array_index (link->addresses, BulkheadPrefix, j).address), ACCEPT);
    }
}

static void
from_tunnels (BulkheadChain *chain, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];

        if (bulkhead_compile_may_trust (tunnel, net))
            rule (chain, iifname (tunnel->interface), ACCEPT);
    }
}

/* ---- The pause: everything, until the kernel takes the elements out ---- */

void
bulkhead_compile_add_pause (BulkheadTable *table, BulkheadChain *chain)
{
    if (!has (table, "paused"))
        return;
    if (table->family == BULKHEAD_FAMILY_INET)
        rule (chain, in ("paused", KEY_NFPROTO), ACCEPT);
    else
        rule (chain, in ("paused", KEY_PROTOCOL), ACCEPT);
}

/* ---- What the link itself needs ---- */

/*
 * A header that names the next hop makes the endpoint's address a relay (LEAKS L41). IGMP alone
 * carries a harmless option of one word by its standard (RFC 2236: router alert).
 */
static void
source_routing (BulkheadChain *chain)
{
    rule (chain, ip_hdrlength_over (6), COUNTER, DROP);
    rule (chain, ip_hdrlength_over (5), l4proto_not (2), COUNTER, DROP);
    rule (chain, exthdr_rt_exists (), COUNTER, DROP);
}

/*
 * A tunnel's address leaves by its tunnel alone, which has stood before: a socket that is bound to
 * it would tell the LAN, and whoever an exception is for, who he is in there (LEAKS L32).
 */
static void
tunnel_sources (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "tunnel_addresses4"))
        rule (chain, in ("tunnel_addresses4", KEY_IP_SADDR), COUNTER, DROP);
    if (has (table, "tunnel_addresses6"))
        rule (chain, in ("tunnel_addresses6", KEY_IP6_SADDR), COUNTER, DROP);
}

/* The same for a tunnel that is gone, as far as its networks are known: its sockets may live on. */
static void
stale_sources (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "stale_sources4"))
        rule (chain, in ("stale_sources4", KEY_IP_SADDR), COUNTER, DROP);
    if (has (table, "stale_sources6"))
        rule (chain, in ("stale_sources6", KEY_IP6_SADDR), COUNTER, DROP);
}

/* DHCP by RFC 2131 and RFC 8415: to everybody on the link, or to the link's router. */
static void
dhcp_out (BulkheadTable *table, BulkheadChain *chain)
{
    rule (chain, ip_daddr ("255.255.255.255"), udp_sport (68), udp_dport (67), ACCEPT);
    if (has (table, "dhcp_routers4"))
        rule (chain, on_link (table, "dhcp_routers4", KEY_OIFNAME, KEY_IP_DADDR), udp_sport (68),
              udp_dport (67), ACCEPT);
    rule (chain, ip6_daddr ("ff02::1:2"), udp_sport (546), udp_dport (547), ACCEPT);
}

static void
dhcp_in (BulkheadChain *chain)
{
    rule (chain, udp_sport (67), udp_dport (68), ACCEPT);
    rule (chain, ip6_saddr ("fe80::/10"), udp_sport (547), udp_dport (546), ACCEPT);
}

/* Neighbour discovery by RFC 4861: a hop limit of 255 says that no router forwarded it. */
static void
neighbour_discovery_out (BulkheadTable *table, BulkheadChain *chain)
{
    rule (chain, ip6_daddr ("ff02::2"), ip6_hoplimit (255), icmpv6_type (133), ACCEPT);
    rule (chain, ip6_daddr ("ff02::1:ff00:0/104"), ip6_hoplimit (255), icmpv6_type (135), ACCEPT);
    rule (chain, ip6_daddr ("ff02::1"), ip6_hoplimit (255), icmpv6_type (136), ACCEPT);
    if (!has (table, "neighbours6"))
        return;
    rule (chain, on_link (table, "neighbours6", KEY_OIFNAME, KEY_IP6_DADDR), ip6_hoplimit (255),
          icmpv6_type (135), ACCEPT);
    rule (chain, on_link (table, "neighbours6", KEY_OIFNAME, KEY_IP6_DADDR), ip6_hoplimit (255),
          icmpv6_type (136), ACCEPT);
}

static void
neighbour_discovery_in (BulkheadChain *chain)
{
    rule (chain, ip6_saddr ("fe80::/10"), ip6_hoplimit (255), icmpv6_type (134), ACCEPT);
    rule (chain, ip6_hoplimit (255), icmpv6_type (135), ACCEPT);
    rule (chain, ip6_hoplimit (255), icmpv6_type (136), ACCEPT);
}

/* ---- Answers ---- */

/*
 * Answers are let in for what the rules themselves saw leaving: the same hosts, protocol and
 * ports, or for guests the same hosts and links. Connection tracking would do it too, but for
 * every packet of the machine, which costs a sixth of the small ones through the tunnel; it takes
 * in old flows (LEAKS L64), and what a guest calls an answer.
 */
#define FLOW4 KEY_IP_DADDR, KEY_L4PROTO, KEY_TH_DPORT, KEY_TH_SPORT
#define FLOW6 KEY_IP6_DADDR, KEY_L4PROTO, KEY_TH_DPORT, KEY_TH_SPORT
#define GUEST_FLOW4 KEY_IIFNAME, KEY_IP_SADDR, KEY_IP_DADDR, KEY_OIFNAME
#define GUEST_FLOW6 KEY_IIFNAME, KEY_IP6_SADDR, KEY_IP6_DADDR, KEY_OIFNAME

/* Accepts what matches; where packets start, with a note in @memory for the answer. What one user
 * can fill does not hold what another needs: endpoints and exceptions have memories of their own.
 */
static void
add_let_out (BulkheadChain *chain, const char *memory, const BulkheadStatement *match, guint n)
{
    gboolean ipv4 = g_str_has_suffix (memory, "4");
    BulkheadStatement statements[5];

    g_assert (n + 2 <= G_N_ELEMENTS (statements));
    memcpy (statements, match, n * sizeof *match);
    if (chain->hook == HOOK_OUTPUT)
        statements[n++] = ipv4 ? update (memory, FLOW4) : update (memory, FLOW6);
    else if (chain->hook == HOOK_FORWARD)
        statements[n++] =
            ipv4 ? update ("guest_flows4", GUEST_FLOW4) : update ("guest_flows6", GUEST_FLOW6);
    statements[n++] = ACCEPT;
    bulkhead_chain_add_rule (chain, statements, n);
}

#define let_out(chain, memory, ...)                                                                \
    add_let_out ((chain), (memory), (const BulkheadStatement[]){ __VA_ARGS__ },                    \
                 sizeof ((const BulkheadStatement[]){ __VA_ARGS__ }) / sizeof (BulkheadStatement))

static void
remembered_in (BulkheadTable *table, BulkheadChain *chain, const char *memory4, const char *memory6)
{
    if (has (table, memory4))
        rule (chain, in (memory4, KEY_IP_SADDR, KEY_L4PROTO, KEY_TH_SPORT, KEY_TH_DPORT), ACCEPT);
    if (has (table, memory6))
        rule (chain, in (memory6, KEY_IP6_SADDR, KEY_L4PROTO, KEY_TH_SPORT, KEY_TH_DPORT), ACCEPT);
}

/*
 * Of what flows inside a tunnel nobody outside can know; who guesses it right would change its
 * packets' size, and see by that which connections there are. One rule an address: nft looks raw
 * bytes up in no set of addresses.
 */
static void
errors_about_tunnels_in (BulkheadChain *chain, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        for (guint j = 0; bulkhead_compile_is_tunnel (link, policy) && j < link->addresses->len;
             j++) {
            const BulkheadAddress *address =
                &g_array_index (link->addresses, BulkheadPrefix, j).address;

            rule (chain, l4proto (address->family == G_SOCKET_FAMILY_IPV4 ? 1 : 58),
                  icmp_quoted_saddr (address), COUNTER, DROP);
        }
    }
}

static void
answers_in (BulkheadTable *table, BulkheadChain *chain)
{
    remembered_in (table, chain, "flows4", "flows6");
    remembered_in (table, chain, "exception_flows4", "exception_flows6");
    remembered_in (table, chain, "router_flows4", "router_flows6");
    /* IPv6 comes in pieces that are put together behind this hook; the later ones have no ports. */
    if (has (table, "endpoint_hosts6"))
        rule (chain, frag_frag_off_not_zero (), in ("endpoint_hosts6", KEY_IP6_SADDR, KEY_L4PROTO),
              ACCEPT);
    if (has (table, "exceptions6"))
        rule (chain, frag_frag_off_not_zero (), in ("exceptions6", KEY_IP6_SADDR),
              in ("transports", KEY_L4PROTO), ACCEPT);
    if (has (table, "exception_pieces6"))
        rule (chain, frag_frag_off_not_zero (), in ("exception_pieces6", KEY_IP6_SADDR),
              l4proto (17), ACCEPT);
    /* What routers on the way say of packets that were too big (RFC 1191, RFC 8201). */
    if (has (table, "flows4") || has (table, "exception_flows4"))
        rule (chain, icmp_type (3), icmp_code (4), ACCEPT);
    if (has (table, "flows6") || has (table, "exception_flows6"))
        rule (chain, icmpv6_type (2), ACCEPT);
}

/* The same of guests' packets: what is said to a guest's own address is not about connections that
 * were translated for him, which are all that outside knows of. */
static void
errors_to_guests_in (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "guest_networks4"))
        rule (chain, in ("router_links", KEY_IIFNAME), in ("guest_networks4", KEY_IP_DADDR),
              icmp_type (3), icmp_code (4), COUNTER, DROP);
    if (has (table, "guest_networks6"))
        rule (chain, in ("router_links", KEY_IIFNAME), in ("guest_networks6", KEY_IP6_DADDR),
              icmpv6_type (2), COUNTER, DROP);
}

/* The same is said to guests, by us and by routers inside the tunnel. */
static void
too_big_to_guests (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "guests4"))
        rule (chain, in ("guests4", KEY_OIFNAME, KEY_IP_DADDR), icmp_type (3), icmp_code (4),
              ACCEPT);
    if (has (table, "guests6"))
        rule (chain, in ("guests6", KEY_OIFNAME, KEY_IP6_DADDR), icmpv6_type (2), ACCEPT);
}

static void
answers_to_guests (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "guest_flows4"))
        rule (chain, in ("guest_flows4", KEY_OIFNAME, KEY_IP_DADDR, KEY_IP_SADDR, KEY_IIFNAME),
              ACCEPT);
    if (has (table, "guest_flows6"))
        rule (chain, in ("guest_flows6", KEY_OIFNAME, KEY_IP6_DADDR, KEY_IP6_SADDR, KEY_IIFNAME),
              ACCEPT);
}

/* ---- The tunnels' own packets to their servers ---- */

/* The sender is part of the key: the protocol and the port are as narrow as they can be. */
static void
endpoints_out (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "endpoints_by_mark4"))
        let_out (chain, "flows4",
                 in ("endpoints_by_mark4", KEY_MARK, KEY_IP_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
    if (has (table, "endpoints_by_mark6"))
        let_out (chain, "flows6",
                 in ("endpoints_by_mark6", KEY_MARK, KEY_IP6_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
    if (has (table, "endpoints_by_user4"))
        let_out (chain, "flows4",
                 in ("endpoints_by_user4", KEY_SKUID, KEY_IP_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
    if (has (table, "endpoints_by_user6"))
        let_out (chain, "flows6",
                 in ("endpoints_by_user6", KEY_SKUID, KEY_IP6_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
}

/* ---- The local network ---- */

/* The router tells the real address by these to whoever asks (LEAKS L57). What LAN bypass does not
 * reach is not its to refuse: an exception may have opened it. */
static void
port_mapping (BulkheadTable *table, BulkheadChain *chain, BulkheadStatement refuse)
{
    if (!has (table, "port_mapping"))
        return;
    if (has (table, "lan4")) {
        BulkheadStatement there = on_link (table, "lan4", KEY_OIFNAME, KEY_IP_DADDR);
        rule (chain, in ("port_mapping", KEY_L4PROTO, KEY_TH_DPORT), there, COUNTER, refuse);
        rule (chain, ip_daddr_not ("224.0.0.0/4"), udp_dport (1900), there, COUNTER, refuse);
    }
    if (has (table, "lan6")) {
        BulkheadStatement there = on_link (table, "lan6", KEY_OIFNAME, KEY_IP6_DADDR);
        rule (chain, in ("port_mapping", KEY_L4PROTO, KEY_TH_DPORT), there, COUNTER, refuse);
        rule (chain, ip6_daddr_not ("ff00::/8"), udp_dport (1900), there, COUNTER, refuse);
    }
    if (has (table, "routers4"))
        rule (chain, in ("routers4", KEY_IP_DADDR),
              in ("router_services", KEY_L4PROTO, KEY_TH_DPORT), COUNTER, refuse);
    if (has (table, "routers6"))
        rule (chain, in ("routers6", KEY_IP6_DADDR),
              in ("router_services", KEY_L4PROTO, KEY_TH_DPORT), COUNTER, refuse);
}

void
bulkhead_compile_add_lan (BulkheadTable *table, BulkheadChain *chain)
{
    /* Noted, so that a router's answer to this is told from its answer to discovery. */
    if (chain->hook == HOOK_OUTPUT && has (table, "router_flows4") && has (table, "routers4")
        && has (table, "lan4"))
        let_out (chain, "router_flows4", in ("routers4", KEY_IP_DADDR),
                 in ("lan4", KEY_OIFNAME, KEY_IP_DADDR), in ("transports", KEY_L4PROTO));
    if (chain->hook == HOOK_OUTPUT && has (table, "router_flows6") && has (table, "routers6")
        && has (table, "lan6"))
        let_out (chain, "router_flows6", in ("routers6", KEY_IP6_DADDR),
                 in ("lan6", KEY_OIFNAME, KEY_IP6_DADDR), in ("transports", KEY_L4PROTO));
    if (has (table, "lan4"))
        rule (chain, on_link (table, "lan4", KEY_OIFNAME, KEY_IP_DADDR),
              in ("protocols", KEY_L4PROTO), ACCEPT);
    if (has (table, "lan6"))
        rule (chain, on_link (table, "lan6", KEY_OIFNAME, KEY_IP6_DADDR),
              in ("protocols", KEY_L4PROTO), ACCEPT);
}

/* A router's answer to discovery names the door to its port mapping, and comes from any port:
 * only what it was asked itself is let in (answers_in). A guest that has no address yet asks for
 * one. */
static void
lan_in (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "port_mapping") && has (table, "routers4"))
        rule (chain, in ("routers4", KEY_IP_SADDR), l4proto (17), COUNTER, DROP);
    if (has (table, "port_mapping") && has (table, "routers6"))
        rule (chain, in ("routers6", KEY_IP6_SADDR), l4proto (17), COUNTER, DROP);
    if (has (table, "lan4")) {
        rule (chain, on_link (table, "lan4", KEY_IIFNAME, KEY_IP_SADDR),
              in ("protocols", KEY_L4PROTO), ACCEPT);
        rule (chain, ip_daddr ("255.255.255.255"), udp_sport (68), udp_dport (67), ACCEPT);
    }
    if (has (table, "lan6"))
        rule (chain, on_link (table, "lan6", KEY_IIFNAME, KEY_IP6_SADDR),
              in ("protocols", KEY_L4PROTO), ACCEPT);
}

/* Both ends are local: guests and the LAN reach each other as the host reaches them. */
static void
lan_forward (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "lan4"))
        rule (chain, on_link (table, "lan4", KEY_IIFNAME, KEY_IP_SADDR),
              on_link (table, "lan4", KEY_OIFNAME, KEY_IP_DADDR), in ("protocols", KEY_L4PROTO),
              ACCEPT);
    if (has (table, "lan6"))
        rule (chain, on_link (table, "lan6", KEY_IIFNAME, KEY_IP6_SADDR),
              on_link (table, "lan6", KEY_OIFNAME, KEY_IP6_DADDR), in ("protocols", KEY_L4PROTO),
              ACCEPT);
}

/* ---- What the user wrote ---- */

/* Echo first: it has no ports to remember. */
static void
exceptions_out (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "exceptions4")) {
        rule (chain, in ("exceptions4", KEY_IP_DADDR), l4proto (1), ACCEPT);
        let_out (chain, "exception_flows4", in ("exceptions4", KEY_IP_DADDR),
                 in ("transports", KEY_L4PROTO));
    }
    if (has (table, "exceptions6")) {
        rule (chain, in ("exceptions6", KEY_IP6_DADDR), l4proto (58), ACCEPT);
        let_out (chain, "exception_flows6", in ("exceptions6", KEY_IP6_DADDR),
                 in ("transports", KEY_L4PROTO));
    }
    if (has (table, "exception_pings4"))
        rule (chain, in ("exception_pings4", KEY_IP_DADDR), l4proto (1), ACCEPT);
    if (has (table, "exception_pings6"))
        rule (chain, in ("exception_pings6", KEY_IP6_DADDR), l4proto (58), ACCEPT);
    if (has (table, "exception_services4"))
        let_out (chain, "exception_flows4",
                 in ("exception_services4", KEY_IP_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
    if (has (table, "exception_services6"))
        let_out (chain, "exception_flows6",
                 in ("exception_services6", KEY_IP6_DADDR, KEY_L4PROTO, KEY_TH_DPORT));
}

/* What echo answers does no harm. */
static void
exceptions_in (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "exceptions4"))
        rule (chain, in ("exceptions4", KEY_IP_SADDR), l4proto (1), ACCEPT);
    if (has (table, "exceptions6"))
        rule (chain, in ("exceptions6", KEY_IP6_SADDR), l4proto (58), ACCEPT);
    if (has (table, "exception_pings4"))
        rule (chain, in ("exception_pings4", KEY_IP_SADDR), l4proto (1), ACCEPT);
    if (has (table, "exception_pings6"))
        rule (chain, in ("exception_pings6", KEY_IP6_SADDR), l4proto (58), ACCEPT);
}

/* ---- Chains ---- */

void
bulkhead_compile_add_refusals (BulkheadTable *table, BulkheadChain *chain)
{
    tunnel_sources (table, chain);
    source_routing (chain);
}

void
bulkhead_compile_add_holes (BulkheadTable *table, BulkheadChain *chain, BulkheadStatement refuse)
{
    dhcp_out (table, chain);
    neighbour_discovery_out (table, chain);
    endpoints_out (table, chain);
    rule (chain, in ("name_services", KEY_L4PROTO, KEY_TH_DPORT), COUNTER, refuse);
    stale_sources (table, chain);
    port_mapping (table, chain, refuse);
    bulkhead_compile_add_lan (table, chain);
    exceptions_out (table, chain);
}

/*
 * "An address of a tunnel is answered for inside the tunnel only." (CVE-2019-14899, LEAKS L97)
 */
static void
add_prerouting (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadChain *chain =
        bulkhead_table_add_chain (table, "prerouting", HOOK_PREROUTING, PRIORITY_RAW, FALSE, NULL);

    from_tunnels (chain, policy, net);
    rule (chain, iifname ("lo"), ACCEPT);
    if (has (table, "tunnel_addresses4"))
        rule (chain, in ("tunnel_addresses4", KEY_IP_DADDR), COUNTER, DROP);
    if (has (table, "tunnel_addresses6"))
        rule (chain, in ("tunnel_addresses6", KEY_IP6_DADDR), COUNTER, DROP);
    errors_to_guests_in (table, chain);
    rule (chain, ACCEPT);
}

/* "Nothing comes in but answers to what may leave." */
static void
add_input (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadChain *chain =
        bulkhead_table_add_chain (table, "input", HOOK_INPUT, PRIORITY_FILTER, TRUE, NULL);

    from_tunnels (chain, policy, net);
    rule (chain, iifname ("lo"), ACCEPT);
    bulkhead_compile_add_pause (table, chain);
    bulkhead_compile_add_refusals (table, chain);
    dhcp_in (chain);
    neighbour_discovery_in (chain);
    errors_about_tunnels_in (chain, policy, net);
    answers_in (table, chain);
    lan_in (table, chain);
    exceptions_in (table, chain);
    rule (chain, COUNTER, DROP);
}

/*
 * "Containers, virtual machines and hotspot clients reach the tunnel or nothing." What they send
 * is seen once more behind NAT, where its source must be the tunnel's own. What comes from where a
 * router is, is no guest's: whoever is there would speak inside the tunnel with our address. Nor is
 * what comes out of a tunnel: it answers guests, and goes to no exception by the uplink.
 */
static void
add_forward (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadChain *chain =
        bulkhead_table_add_chain (table, "forward", HOOK_FORWARD, PRIORITY_FILTER, TRUE, NULL);

    answers_to_guests (table, chain);
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];

        if (!bulkhead_compile_may_trust (tunnel, net))
            continue;
        if (has (table, "router_links"))
            rule (chain, in ("router_links", KEY_IIFNAME), oifname (tunnel->interface), COUNTER,
                  DROP);
        let_out (chain, "guest_flows4", oifname (tunnel->interface));
        let_out (chain, "guest_flows6", oifname (tunnel->interface));
    }
    bulkhead_compile_add_pause (table, chain);
    bulkhead_compile_add_refusals (table, chain);
    too_big_to_guests (table, chain);
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];

        if (bulkhead_compile_may_trust (tunnel, net))
            rule (chain, iifname (tunnel->interface), COUNTER, DROP);
    }
    rule (chain, in ("name_services", KEY_L4PROTO, KEY_TH_DPORT), COUNTER, DROP);
    port_mapping (table, chain, DROP);
    lan_forward (table, chain);
    exceptions_out (table, chain);
    rule (chain, COUNTER, DROP);
}

/* "An app that is refused hears it at once", and what was refused can be told to the user. */
static void
add_refuse (BulkheadTable *table, const BulkheadNet *net)
{
    BulkheadChain *chain =
        bulkhead_table_add_chain (table, BULKHEAD_CHAIN_REFUSE, HOOK_NONE, 0, FALSE, NULL);

    if (net->features & BULKHEAD_FEATURE_LOG)
        rule (chain, limit_per_second (10), log_group (BULKHEAD_LOG_GROUP));
    rule (chain, l4proto (6), COUNTER, REJECT_TCP_RESET);
    rule (chain, COUNTER, REJECT_ADMIN_PROHIBITED);
}

/* "Nothing of this machine leaves but through a tunnel you trust." */
static void
add_output (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadChain *chain =
        bulkhead_table_add_chain (table, "output", HOOK_OUTPUT, PRIORITY_FILTER, TRUE, NULL);

    into_tunnels (chain, policy, net);
    rule (chain, oifname ("lo"), ACCEPT);
    bulkhead_compile_add_pause (table, chain);
    bulkhead_compile_add_refusals (table, chain);
    too_big_to_guests (table, chain);
    bulkhead_compile_add_holes (table, chain, jump (BULKHEAD_CHAIN_REFUSE));
    rule (chain, jump (BULKHEAD_CHAIN_REFUSE));
    rule (chain, COUNTER, DROP);
}

/*
 * "The verdict holds for the link the packet really takes": a foreign route chain may have sent
 * it another way after the first one (LEAKS L39).
 */
static void
add_postrouting (BulkheadTable *table, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadChain *chain = bulkhead_table_add_chain (table, "postrouting", HOOK_POSTROUTING,
                                                     PRIORITY_LATE, TRUE, NULL);

    into_tunnels (chain, policy, net);
    rule (chain, oifname ("lo"), ACCEPT);
    answers_to_guests (table, chain);
    bulkhead_compile_add_pause (table, chain);
    bulkhead_compile_add_refusals (table, chain);
    too_big_to_guests (table, chain);
    bulkhead_compile_add_holes (table, chain, DROP);
    rule (chain, COUNTER, DROP);
}

BulkheadRuleset *
bulkhead_compile (const BulkheadPolicy *policy, const BulkheadNet *net)
{
    BulkheadRuleset *ruleset = bulkhead_ruleset_new ();
    BulkheadTable *table;

    if (!policy->locked)
        return ruleset;
    table = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_INET);
    bulkhead_compile_add_sets (table, policy, net);
    add_refuse (table, net);
    add_prerouting (table, policy, net);
    add_input (table, policy, net);
    add_forward (table, policy, net);
    add_output (table, policy, net);
    add_postrouting (table, policy, net);
    if (net->features & BULKHEAD_FEATURE_EGRESS)
        bulkhead_compile_add_egress (ruleset, policy, net);
    return ruleset;
}
