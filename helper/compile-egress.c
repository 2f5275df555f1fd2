/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compile-sets.h"

#define ETHER_IP 0x0800
#define ETHER_ARP 0x0806
#define ETHER_VLAN 0x8100
#define ETHER_IP6 0x86dd
#define ETHER_EAPOL 0x888e

static gboolean
has_vlan (const BulkheadNet *net)
{
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        if (link->type == BULKHEAD_LINK_VLAN)
            return TRUE;
    }
    return FALSE;
}

/*
 * "A frame is what its bytes say": a packet socket may call anything ARP. Links without a link
 * header (mobile modems) cannot lie this way and are not matched.
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

/* "ARP speaks for the physical link's address only": neither asks nor answers for a tunnel's
 * (LEAKS L32, L98). EAPOL opens a switch port or a wireless network. */
static void
link_protocols (BulkheadTable *table, BulkheadChain *chain, gboolean vlan)
{
    if (bulkhead_table_find_set (table, "tunnel_addresses4") != NULL)
        rule (chain, in ("tunnel_addresses4", KEY_ARP_SADDR_IP), COUNTER, DROP);
    rule (chain, protocol_is (ETHER_ARP), ll_type (ETHER_ARP), ACCEPT);
    rule (chain, protocol_is (ETHER_EAPOL), ll_type (ETHER_EAPOL), ACCEPT);
    if (vlan)
        rule (chain, protocol_is (ETHER_ARP), ll_type (ETHER_VLAN), ll_vlan_type (ETHER_ARP),
              ACCEPT);
}

/* A datagram was judged whole in output; here its later pieces have no ports (LEAKS L73). */
static void
fragments (BulkheadTable *table, BulkheadChain *chain)
{
    if (bulkhead_table_find_set (table, "endpoint_hosts4") != NULL)
        rule (chain, in ("endpoint_hosts4", KEY_IP_DADDR), ip_frag_off_not_zero (), ACCEPT);
    if (bulkhead_table_find_set (table, "endpoint_hosts6") != NULL)
        rule (chain, in ("endpoint_hosts6", KEY_IP6_DADDR), exthdr_frag_exists (), ACCEPT);
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
    gboolean vlan = has_vlan (net);
    BulkheadChain *allowed;

    bulkhead_compile_add_sets (table, policy, net);
    allowed = bulkhead_table_add_chain (table, "allowed", HOOK_NONE, 0, FALSE, NULL);
    honest_frames (allowed, vlan);
    link_protocols (table, allowed, vlan);
    bulkhead_compile_add_holes (table, allowed, DROP);
    fragments (table, allowed);

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        char name[BULKHEAD_NAME_SIZE];
        BulkheadChain *chain;

        if (!link->uplink || bulkhead_compile_is_tunnel (link, policy))
            continue;
        chain_name (link->name, name);
        chain = bulkhead_table_add_chain (table, name, HOOK_EGRESS, 0, TRUE, link->name);
        rule (chain, jump ("allowed"));
        rule (chain, COUNTER, DROP);
    }
}
