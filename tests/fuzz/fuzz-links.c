/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel lists of links, addresses and routes, all the way to the rules: compile is
 * total, so there are rules for whatever was read, and every uplink has its guard.
 */
#include "compile.h"
#include "fuzz.h"
#include "links-parse.h"
#include "net.h"

#include <libmnl/libmnl.h>
#include <string.h>

#define TEXT_EVERY 16 /* the text takes longer than all the rest */

static BulkheadPolicy *policy; /* everything that looks at links is on */

static BulkheadPolicy *
trust (BulkheadPolicy *from, const char *interface, const char *endpoint, guint32 mark)
{
    g_autoptr (BulkheadPolicy) before = from;
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (interface, interface);
    BulkheadEndpoint parsed;

    g_assert_true (bulkhead_endpoint_parse (endpoint, &parsed, NULL));
    g_array_append_val (tunnel->endpoints, parsed);
    tunnel->mark = mark;
    return bulkhead_policy_with_tunnel (before, tunnel, NULL);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    g_autoptr (BulkheadPolicy) off = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (off, TRUE);
    g_autoptr (BulkheadPolicy) lan = bulkhead_policy_with_lan (locked, TRUE);

    policy = bulkhead_policy_with_lan_options (lan, TRUE, TRUE);
    policy = trust (policy, "wg0", "203.0.113.5:51820/udp", 0xca6c);
    policy = trust (policy, "tun0", "[2001:db8::5]:1194/tcp", 0);
    return 0;
}

static BulkheadNet *
read_net (const guint8 *data, gsize size)
{
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    const struct nlmsghdr *message;
    gsize at = 0;

    while ((message = fuzz_next_message (data, size, &at)) != NULL) {
        bulkhead_links_event_counts (message);
        g_assert_cmpint (bulkhead_links_parse_cb (message, links), ==, MNL_CB_OK);
    }
    return bulkhead_net_new (BULKHEAD_FEATURES_ALL, links, NULL);
}

/* compile does not ask any more whether a prefix has more bits than an address. */
static void
check_prefixes (const GArray *prefixes, gboolean networks)
{
    for (guint i = 0; i < prefixes->len; i++) {
        const BulkheadPrefix *prefix = &g_array_index (prefixes, BulkheadPrefix, i);
        BulkheadPrefix network = bulkhead_prefix_network (prefix);

        g_assert_cmpuint (prefix->length, <=, 8 * bulkhead_address_size (&prefix->address));
        g_assert_true (!networks || bulkhead_prefix_compare (&network, prefix) == 0);
    }
}

static gboolean
has_guard (const BulkheadTable *table, const char *device)
{
    for (guint i = 0; i < table->chains->len; i++) {
        const BulkheadChain *chain = table->chains->pdata[i];

        if (chain->hook == HOOK_EGRESS && chain->policy_drop && g_str_equal (chain->device, device))
            return TRUE;
    }
    return FALSE;
}

static void
check_links (const BulkheadNet *net, const BulkheadRuleset *ruleset)
{
    const BulkheadTable *table = bulkhead_ruleset_find_table (ruleset, BULKHEAD_FAMILY_NETDEV);

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        gboolean tunnel = bulkhead_link_may_be_trusted (link)
                          && bulkhead_policy_find_interface (policy, link->name) != NULL;

        check_prefixes (link->addresses, FALSE);
        check_prefixes (link->onlink, TRUE);
        check_prefixes (link->routed, TRUE);
        g_assert_true (!link->uplink || tunnel || has_guard (table, link->name));
    }
}

static void
check_rules (const BulkheadRuleset *ruleset)
{
    static const char *const base[] = { "input", "forward", "output" };
    const BulkheadTable *table = bulkhead_ruleset_find_table (ruleset, BULKHEAD_FAMILY_INET);

    g_assert_nonnull (table);
    for (guint i = 0; i < G_N_ELEMENTS (base); i++) {
        const BulkheadChain *chain = bulkhead_table_find_chain (table, base[i]);

        g_assert_nonnull (chain);
        g_assert_true (chain->policy_drop);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    g_autoptr (BulkheadNet) net = read_net (copy, size);
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (policy, net);

    check_rules (ruleset);
    if (size % TEXT_EVERY == 0) {
        g_autofree char *text = bulkhead_ruleset_to_text (ruleset);

        g_assert_cmpuint (strlen (text), >, 0);
    }
    check_links (net, ruleset);
    return 0;
}
