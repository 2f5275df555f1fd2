/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile-sets.h"

#include "statement.h"

#define ETHER_IP 0x0800
#define ETHER_ARP 0x0806
#define ETHER_VLAN 0x8100
#define ETHER_IP6 0x86dd
#define ETHER_SLOW 0x8809 /* LACP */
#define ETHER_PPPOE_DISCOVERY 0x8863
#define ETHER_PPPOE 0x8864
#define ETHER_EAPOL 0x888e

static gboolean
has_type (const BulkheadNet *net, BulkheadLinkType type)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        if (link->type == type)
            return TRUE;
    }
    return FALSE;
}

/*
 * "A frame is what its bytes say": a packet socket may call anything ARP. Links without a link
 * header (mobile modems) cannot lie this way and are not matched; see has_header() for the others.
 */
static void
honest_frames (BulkheadChain *chain, gboolean vlan)
{
    if (vlan) {
        rule (chain, protocol_is (ETHER_IP), ll_type_not (ETHER_IP), ll_type_not (ETHER_VLAN),
              COUNTER, DROP);
        rule (chain, protocol_is (ETHER_IP6), ll_type_not (ETHER_IP6), ll_type_not (ETHER_VLAN),
              COUNTER, DROP);
    } else {
        rule (chain, protocol_is (ETHER_IP), ll_type_not (ETHER_IP), COUNTER, DROP);
        rule (chain, protocol_is (ETHER_IP6), ll_type_not (ETHER_IP6), COUNTER, DROP);
    }
}

/*
 * "ARP speaks for the physical link's address only": it neither asks nor answers for a tunnel's
 * (LEAKS L32, L98). EAPOL opens a switch port or a wireless network; bonds, teams and DSL modems
 * have protocols of their own, let out where there are such links.
 */
static void
link_protocols (BulkheadTable *table, BulkheadChain *chain, const BulkheadNet *net)
{
    if (bulkhead_table_find_set (table, "tunnel_addresses4") != NULL)
        rule (chain, in ("tunnel_addresses4", KEY_ARP_SADDR_IP), COUNTER, DROP);
    rule (chain, protocol_is (ETHER_ARP), ll_type (ETHER_ARP), ACCEPT);
    rule (chain, protocol_is (ETHER_EAPOL), ll_type (ETHER_EAPOL), ACCEPT);
    if (has_type (net, BULKHEAD_LINK_VLAN))
        rule (chain, protocol_is (ETHER_ARP), ll_type (ETHER_VLAN), ll_vlan_type (ETHER_ARP),
              ACCEPT);
    if (has_type (net, BULKHEAD_LINK_BOND) || has_type (net, BULKHEAD_LINK_TEAM))
        rule (chain, protocol_is (ETHER_SLOW), ll_type (ETHER_SLOW), ACCEPT);
    if (has_type (net, BULKHEAD_LINK_PPP)) {
        rule (chain, protocol_is (ETHER_PPPOE_DISCOVERY), ll_type (ETHER_PPPOE_DISCOVERY), ACCEPT);
        rule (chain, protocol_is (ETHER_PPPOE), ll_type (ETHER_PPPOE), ACCEPT);
    }
    if (has_type (net, BULKHEAD_LINK_PPP) && has_type (net, BULKHEAD_LINK_VLAN)) {
        rule (chain, protocol_is (ETHER_PPPOE_DISCOVERY), ll_type (ETHER_VLAN),
              ll_vlan_type (ETHER_PPPOE_DISCOVERY), ACCEPT);
        rule (chain, protocol_is (ETHER_PPPOE), ll_type (ETHER_VLAN), ll_vlan_type (ETHER_PPPOE),
              ACCEPT);
    }
}

static gboolean
has (BulkheadTable *table, const char *set)
{
    return bulkhead_table_find_set (table, set) != NULL;
}

/*
 * The later pieces of a datagram have no ports, and the kernel would read their payload as such
 * (LEAKS L73). The whole was judged in output; here the destination counts, and the sender.
 */
static void
add_pieces (BulkheadTable *table)
{
    BulkheadChain *chain = bulkhead_table_add_chain (table, "pieces", HOOK_NONE, 0, FALSE, NULL);

    if (has (table, "endpoint_pieces_by_mark4"))
        rule (chain, in ("endpoint_pieces_by_mark4", KEY_MARK, KEY_IP_DADDR, KEY_L4PROTO), ACCEPT);
    if (has (table, "endpoint_pieces_by_mark6"))
        rule (chain, in ("endpoint_pieces_by_mark6", KEY_MARK, KEY_IP6_DADDR, KEY_L4PROTO), ACCEPT);
    if (has (table, "endpoint_pieces_by_user4"))
        rule (chain, in ("endpoint_pieces_by_user4", KEY_SKUID, KEY_IP_DADDR, KEY_L4PROTO), ACCEPT);
    if (has (table, "endpoint_pieces_by_user6"))
        rule (chain, in ("endpoint_pieces_by_user6", KEY_SKUID, KEY_IP6_DADDR, KEY_L4PROTO),
              ACCEPT);
    bulkhead_compile_add_lan (table, chain);
    if (has (table, "exceptions4"))
        rule (chain, in ("exceptions4", KEY_IP_DADDR), in ("protocols", KEY_L4PROTO), ACCEPT);
    if (has (table, "exceptions6"))
        rule (chain, in ("exceptions6", KEY_IP6_DADDR), in ("protocols", KEY_L4PROTO), ACCEPT);
    if (has (table, "exception_pings4"))
        rule (chain, in ("exception_pings4", KEY_IP_DADDR), l4proto (1), ACCEPT);
    if (has (table, "exception_pings6"))
        rule (chain, in ("exception_pings6", KEY_IP6_DADDR), l4proto (58), ACCEPT);
    if (has (table, "exception_pieces4"))
        rule (chain, in ("exception_pieces4", KEY_IP_DADDR), l4proto (17), ACCEPT);
    if (has (table, "exception_pieces6"))
        rule (chain, in ("exception_pieces6", KEY_IP6_DADDR), l4proto (17), ACCEPT);
    rule (chain, COUNTER, DROP);
}

/*
 * A link that leads to no router, and that the kernel forwards for, leads to guests: a hotspot's
 * clients, a container. What forward let through to them may go on; it stays in private networks
 * that the link itself has. None of it looks for a router, which may be there all the same and
 * unknown (LEAKS L57).
 */
static void
to_guests (BulkheadTable *table, BulkheadChain *chain)
{
    if (has (table, "guests4") || has (table, "guests6")) {
        rule (chain, udp_dport (1900), COUNTER, DROP);
        rule (chain, udp_dport (5351), COUNTER, DROP);
    }
    if (has (table, "guests4"))
        rule (chain, in ("guests4", KEY_OIFNAME, KEY_IP_DADDR), in ("protocols", KEY_L4PROTO),
              ACCEPT);
    if (has (table, "guests6"))
        rule (chain, in ("guests6", KEY_OIFNAME, KEY_IP6_DADDR), in ("protocols", KEY_L4PROTO),
              ACCEPT);
}

/*
 * What a packet socket sends past the queue has no header that a rule could read, so that no rule
 * would find it lying. None of the kernel's own frames are like that, where there are headers.
 */
static BulkheadStatement
has_header (void)
{
    return ll_type_not (0);
}

static void
add_allowed (BulkheadTable *table, const BulkheadNet *net)
{
    BulkheadChain *chain = bulkhead_table_add_chain (table, "allowed", HOOK_NONE, 0, FALSE, NULL);

    honest_frames (chain, has_type (net, BULKHEAD_LINK_VLAN));
    link_protocols (table, chain, net);
    bulkhead_compile_add_refusals (table, chain);
    rule (chain, ip_frag_off_not_zero (), jump ("pieces"));
    rule (chain, frag_frag_off_not_zero (), jump ("pieces"));
    bulkhead_compile_add_holes (table, chain, DROP);
    to_guests (table, chain);
}

/* A chain's name is made of letters, digits, '_', '-' and '.'; a link's of nearly anything. */
static void
chain_name (const char *link, char *ret)
{
    GString *name = g_string_new ("egress-");

    for (const char *c = link; *c != '\0'; c++) {
        if (g_ascii_isalnum (*c) || *c == '-' || *c == '.')
            g_string_append_c (name, *c);
        else
            g_string_append_printf (name, "_%02x", (guchar)*c);
    }
    g_strlcpy (ret, name->str, BULKHEAD_NAME_SIZE);
    g_string_free (name, TRUE);
}

/*
 * The second guard sees what the inet hooks never see: bridged guests' frames, packet sockets,
 * macvlan children (LEAKS L85 to L88). It never logs: log in an egress chain is unsafe on some
 * kernels (LEAKS L115).
 */
void
bulkhead_compile_add_egress (BulkheadRuleset *ruleset, const BulkheadPolicy *policy,
                             const BulkheadNet *net)
{
    BulkheadTable *table = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_NETDEV);

    bulkhead_compile_add_sets (table, policy, net);
    add_pieces (table);
    add_allowed (table, net);
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        char name[BULKHEAD_NAME_SIZE];
        BulkheadChain *chain;

        if (!link->uplink || bulkhead_compile_is_tunnel (link, policy))
            continue;
        chain_name (link->name, name);
        chain = bulkhead_table_add_chain (table, name, HOOK_EGRESS, 0, TRUE, link->name);
        bulkhead_compile_add_pause (table, chain);
        if (link->ethernet)
            rule (chain, has_header (), jump ("allowed"));
        else
            rule (chain, jump ("allowed"));
        rule (chain, COUNTER, DROP);
    }
}
