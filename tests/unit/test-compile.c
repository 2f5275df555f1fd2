/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What compile makes of a policy and a net: golden files, and what must hold for any of them. */
#include "compile.h"
#include "scenario.h"

#include <string.h>

/* ---- golden files ---- */

static void
test_golden (gconstpointer data)
{
    const char *path = data;
    g_autoptr (Scenario) scenario = scenario_load (path);
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (scenario->policy, scenario->net);
    g_autofree char *text = bulkhead_ruleset_to_text (ruleset);
    g_autofree char *golden = g_strconcat (path, ".nft", NULL);
    g_autofree char *expected = NULL;
    g_autoptr (GError) error = NULL;

    if (g_getenv ("BULKHEAD_TEST_REGENERATE") != NULL) {
        g_assert_null (g_getenv ("CI"));
        g_file_set_contents (golden, text, -1, &error);
        g_assert_no_error (error);
    }
    g_file_get_contents (golden, &expected, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (text, ==, expected);
}

/* ---- generated policies ---- */

#define ROUNDS 400

static BulkheadAddress
random_address (GRand *rand, gboolean ipv4)
{
    BulkheadAddress address = { .family = ipv4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6 };

    for (guint i = 0; i < (ipv4 ? 4 : 16); i++)
        address.bytes[i] = g_rand_int_range (rand, 0, 256);
    /* Within what the checks of a policy take: 11.0.0.0/8 and 2001:db8::/32. */
    if (ipv4)
        address.bytes[0] = 11;
    else
        memcpy (address.bytes, "\x20\x01\x0d\xb8", 4);
    return address;
}

static void
take (BulkheadPolicy **policy, BulkheadPolicy *next, GError *error)
{
    g_assert_no_error (error);
    bulkhead_policy_unref (*policy);
    *policy = next;
}

static BulkheadPolicy *
random_policy (GRand *rand)
{
    BulkheadPolicy *policy = bulkhead_policy_new ();
    g_autoptr (GError) error = NULL;
    guint tunnels = g_rand_int_range (rand, 0, 4);
    guint exceptions = g_rand_int_range (rand, 0, 6);

    take (&policy, bulkhead_policy_with_locked (policy, TRUE), NULL);
    take (&policy, bulkhead_policy_with_lan (policy, g_rand_boolean (rand)), NULL);
    take (&policy,
          bulkhead_policy_with_lan_options (policy, g_rand_boolean (rand), g_rand_boolean (rand)),
          NULL);
    for (guint i = 0; i < tunnels; i++) {
        g_autofree char *name = g_strdup_printf ("tunnel%u", i);
        g_autofree char *interface = g_strdup_printf ("tun%u", i);
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (name, interface);

        for (guint j = g_rand_int_range (rand, 0, 4); j > 0; j--) {
            BulkheadEndpoint endpoint = { random_address (rand, g_rand_boolean (rand)),
                                          g_rand_boolean (rand) ? BULKHEAD_PROTOCOL_TCP
                                                                : BULKHEAD_PROTOCOL_UDP,
                                          g_rand_int_range (rand, 1, 65536) };
            g_array_append_val (tunnel->endpoints, endpoint);
        }
        tunnel->mark = g_rand_boolean (rand) ? g_rand_int (rand) : 0;
        take (&policy, bulkhead_policy_with_tunnel (policy, tunnel, &error), error);
    }
    for (guint i = 0; i < exceptions; i++) {
        BulkheadException exception = { .destination = {
                                            random_address (rand, g_rand_boolean (rand)), 0 } };
        static const BulkheadProtocol protocols[] = { BULKHEAD_PROTOCOL_ANY, BULKHEAD_PROTOCOL_ICMP,
                                                      BULKHEAD_PROTOCOL_TCP,
                                                      BULKHEAD_PROTOCOL_UDP };

        exception.protocol = protocols[g_rand_int_range (rand, 0, 4)];
        if (exception.protocol == BULKHEAD_PROTOCOL_TCP)
            exception.port = g_rand_boolean (rand) ? 443 : 0;
        exception.destination.length = 8 * bulkhead_address_size (&exception.destination.address)
                                       - g_rand_int_range (rand, 0, 9);
        exception.destination = bulkhead_prefix_network (&exception.destination);
        take (&policy, bulkhead_policy_with_exceptions (policy, &exception, 1, &error), error);
    }
    return policy;
}

static void
add_own (BulkheadLink *link, BulkheadAddress address, guint8 length)
{
    BulkheadPrefix own = { address, length };
    BulkheadPrefix network = bulkhead_prefix_network (&own);

    g_array_append_val (link->addresses, own);
    g_array_append_val (link->onlink, network);
}

static BulkheadNet *
random_net (GRand *rand)
{
    static const BulkheadLinkType types[] = { BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_VETH,
                                              BULKHEAD_LINK_BRIDGE, BULKHEAD_LINK_VLAN };
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    guint n = g_rand_int_range (rand, 0, 5);
    guint tunnels = g_rand_int_range (rand, 0, 4);

    for (guint i = 0; i < n + tunnels; i++) {
        g_autofree char *name =
            i < n ? g_strdup_printf ("eth%u", i) : g_strdup_printf ("tun%u", i - n);
        BulkheadLink *link = bulkhead_link_new (
            i + 2, name, i < n ? types[g_rand_int_range (rand, 0, 4)] : BULKHEAD_LINK_TUN);
        BulkheadAddress private;
        BulkheadAddress ula;

        bulkhead_address_parse ("10.1.0.2", &private);
        bulkhead_address_parse ("fd00::2", &ula);
        private.bytes[2] = i;
        ula.bytes[3] = i;
        add_own (link, private, g_rand_int_range (rand, 8, 31));
        add_own (link, ula, 64);
        if (g_rand_boolean (rand))
            add_own (link, random_address (rand, FALSE), 64);
        g_ptr_array_add (links, link);
    }
    return bulkhead_net_new (BULKHEAD_FEATURES_ALL, links, NULL);
}

typedef void (*Property) (const BulkheadPolicy *policy, const BulkheadNet *net,
                          const BulkheadRuleset *ruleset);

static void
for_generated (Property property)
{
    GRand *rand = g_rand_new_with_seed (20261120);

    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr (BulkheadPolicy) policy = random_policy (rand);
        g_autoptr (BulkheadNet) net = random_net (rand);
        g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (policy, net);

        property (policy, net, ruleset);
    }
    g_rand_free (rand);
}

typedef void (*RuleVisitor) (const BulkheadTable *table, const BulkheadChain *chain, guint index,
                             const BulkheadRule *rule);

static void
for_each_rule (const BulkheadRuleset *ruleset, RuleVisitor visit)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];
        for (guint j = 0; j < table->chains->len; j++) {
            const BulkheadChain *chain = table->chains->pdata[j];
            for (guint k = 0; k < chain->rules->len; k++)
                visit (table, chain, k, chain->rules->pdata[k]);
        }
    }
}

static const BulkheadStatement *
last_statement (const BulkheadRule *rule)
{
    return &rule->statements[rule->n - 1];
}

static gboolean
looks_up (const BulkheadRule *rule, const char *prefix)
{
    for (guint i = 0; i < rule->n; i++)
        if (rule->statements[i].type == STATEMENT_LOOKUP
            && g_str_has_prefix (rule->statements[i].name, prefix))
            return TRUE;
    return FALSE;
}

static gboolean
looks_at (const BulkheadRule *rule, BulkheadKey key)
{
    for (guint i = 0; i < rule->n; i++)
        for (guint j = 0; j < rule->statements[i].n_keys; j++)
            if (rule->statements[i].keys[j] == key)
                return TRUE;
    return FALSE;
}

static void
chains_end_in_a_verdict (const BulkheadPolicy *policy, const BulkheadNet *net,
                         const BulkheadRuleset *ruleset)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];
        for (guint j = 0; j < table->chains->len; j++) {
            const BulkheadChain *chain = table->chains->pdata[j];
            const BulkheadRule *last = chain->rules->pdata[chain->rules->len - 1];

            if (chain->hook == HOOK_NONE)
                continue;
            for (guint k = 0; k + 1 < last->n; k++)
                g_assert_cmpint (last->statements[k].type, ==, STATEMENT_COUNTER);
            g_assert_cmpint (last_statement (last)->type, ==,
                             chain->policy_drop ? STATEMENT_DROP : STATEMENT_ACCEPT);
            g_assert_true (chain->policy_drop || chain->hook == HOOK_PREROUTING);
        }
    }
}

static void
names_before_lan (const BulkheadPolicy *policy, const BulkheadNet *net,
                  const BulkheadRuleset *ruleset)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];
        for (guint j = 0; j < table->chains->len; j++) {
            const BulkheadChain *chain = table->chains->pdata[j];
            /* A datagram's later pieces have no port; its first was refused. */
            gboolean refused = g_str_equal (chain->name, "pieces");

            for (guint k = 0; k < chain->rules->len; k++) {
                const BulkheadRule *rule = chain->rules->pdata[k];

                refused |= looks_up (rule, "name_services")
                           && last_statement (rule)->type != STATEMENT_ACCEPT;
                /* Input is where others ask us; everything that leaves comes by here. */
                if ((looks_up (rule, "lan") || looks_up (rule, "exception"))
                    && chain->hook != HOOK_INPUT)
                    g_assert_true (refused);
            }
        }
    }
}

/* "lo" or a tunnel, which random_policy() calls tunN. */
static gboolean
is_link (const BulkheadRule *rule)
{
    const BulkheadStatement *first = &rule->statements[0];
    gboolean link = first->keys[0] == KEY_IIFNAME || first->keys[0] == KEY_OIFNAME;

    return first->type == STATEMENT_MATCH && link
           && (g_str_has_prefix ((const char *)first->value, "tun")
               || g_str_equal ((const char *)first->value, "lo"));
}

static void
visit_accept (const BulkheadTable *table, const BulkheadChain *chain, guint index,
              const BulkheadRule *rule)
{
    gboolean own = looks_up (rule, "paused") || looks_up (rule, "guest_flows") || is_link (rule);
    gboolean end_of_prerouting = chain->hook == HOOK_PREROUTING && index + 1 == chain->rules->len;
    gboolean protocol = looks_at (rule, KEY_L4PROTO) || looks_at (rule, KEY_UDP_DPORT)
                        || looks_at (rule, KEY_ICMP_TYPE) || looks_at (rule, KEY_ICMPV6_TYPE)
                        || looks_at (rule, KEY_LL_TYPE);

    if (last_statement (rule)->type == STATEMENT_ACCEPT && !own && !end_of_prerouting) {
        g_autofree char *text = bulkhead_rule_to_text (table, chain, rule);
        if (!protocol)
            g_error ("names no protocol: %s", text);
    }
}

static void
accepts_name_their_protocol (const BulkheadPolicy *policy, const BulkheadNet *net,
                             const BulkheadRuleset *ruleset)
{
    for_each_rule (ruleset, visit_accept);
}

static void
same_in_same_out (const BulkheadPolicy *policy, const BulkheadNet *net,
                  const BulkheadRuleset *ruleset)
{
    g_autoptr (BulkheadRuleset) again = bulkhead_compile (policy, net);
    g_autofree char *a = bulkhead_ruleset_to_text (ruleset);
    g_autofree char *b = bulkhead_ruleset_to_text (again);

    g_assert_true (bulkhead_ruleset_equal (ruleset, again));
    g_assert_cmpstr (a, ==, b);
}

static void
collect_accepts (const BulkheadRuleset *ruleset, GHashTable *accepts)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];
        for (guint j = 0; j < table->chains->len; j++) {
            const BulkheadChain *chain = table->chains->pdata[j];
            for (guint k = 0; k < chain->rules->len; k++) {
                const BulkheadRule *rule = chain->rules->pdata[k];
                if (last_statement (rule)->type == STATEMENT_ACCEPT)
                    g_hash_table_add (accepts, bulkhead_rule_to_text (table, chain, rule));
            }
        }
    }
}

static void
assert_no_new_accepts (const BulkheadPolicy *stricter, const BulkheadNet *net,
                       GHashTable *looser_accepts)
{
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (stricter, net);
    g_autoptr (GHashTable) accepts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer text;

    collect_accepts (ruleset, accepts);
    g_hash_table_iter_init (&iter, accepts);
    while (g_hash_table_iter_next (&iter, &text, NULL))
        if (!g_hash_table_contains (looser_accepts, text))
            g_error ("the stricter policy adds: %s", (const char *)text);
}

static void
stricter_adds_no_accept (const BulkheadPolicy *policy, const BulkheadNet *net,
                         const BulkheadRuleset *ruleset)
{
    g_autoptr (GHashTable) accepts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr (BulkheadPolicy) no_lan = bulkhead_policy_with_lan (policy, FALSE);

    collect_accepts (ruleset, accepts);
    assert_no_new_accepts (no_lan, net, accepts);
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        g_autoptr (BulkheadPolicy) fewer =
            bulkhead_policy_without_tunnel (policy, tunnel->name, NULL);
        assert_no_new_accepts (fewer, net, accepts);
    }
    if (policy->exceptions->len > 0) {
        g_autoptr (BulkheadPolicy) fewer = bulkhead_policy_without_exceptions (
            policy, (const BulkheadException *)policy->exceptions->data, 1, NULL);
        assert_no_new_accepts (fewer, net, accepts);
    }
}

static void
unlocked_is_nothing (const BulkheadPolicy *policy, const BulkheadNet *net,
                     const BulkheadRuleset *ruleset)
{
    g_autoptr (BulkheadPolicy) unlocked = bulkhead_policy_with_locked (policy, FALSE);
    g_autoptr (BulkheadRuleset) none = bulkhead_compile (unlocked, net);

    g_assert_cmpuint (ruleset->tables->len, ==, 2);
    g_assert_cmpuint (none->tables->len, ==, 0);
}

/* Every uplink has its guard, and nothing else has one. */
static void
uplinks_are_guarded (const BulkheadPolicy *policy, const BulkheadNet *net,
                     const BulkheadRuleset *ruleset)
{
    const BulkheadTable *table = bulkhead_ruleset_find_table (ruleset, BULKHEAD_FAMILY_NETDEV);
    guint guards = 0, uplinks = 0;

    for (guint i = 0; i < table->chains->len; i++) {
        const BulkheadChain *chain = table->chains->pdata[i];
        const BulkheadLink *link;

        if (chain->hook != HOOK_EGRESS)
            continue;
        link = bulkhead_net_find_link (net, chain->device);
        g_assert_true (link != NULL && link->uplink);
        guards++;
    }
    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        uplinks += link->uplink;
    }
    g_assert_cmpuint (guards, ==, uplinks);
}

static void
test_property (gconstpointer property)
{
    for_generated ((Property)property);
}

/* ---- what links need ---- */

/* A switch drops the ports of a bond or a team that do not speak LACP with it. */
static void
test_lacp (void)
{
    const BulkheadLinkType types[] = { BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_BOND,
                                       BULKHEAD_LINK_TEAM };
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_locked (empty, TRUE);

    for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
        GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
        g_autoptr (BulkheadNet) net = NULL;
        g_autoptr (BulkheadRuleset) ruleset = NULL;
        g_autofree char *text = NULL;

        g_ptr_array_add (links, bulkhead_link_new (2, "up0", types[i]));
        net = bulkhead_net_new (BULKHEAD_FEATURES_ALL, links, NULL);
        ruleset = bulkhead_compile (policy, net);
        text = bulkhead_ruleset_to_text (ruleset);
        g_assert_cmpint (strstr (text, "@ll,96,16 0x8809 accept") != NULL, ==, i > 0);
    }
}

static void
add_property (const char *name, Property property)
{
    g_autofree char *path = g_strconcat ("/compile/generated/", name, NULL);
    g_test_add_data_func (path, property, test_property);
}

int
main (int argc, char *argv[])
{
    g_auto (GStrv) scenarios = NULL;

    g_test_init (&argc, &argv, NULL);
    scenarios = scenario_list ();
    g_assert_nonnull (scenarios[0]);
    for (guint i = 0; scenarios[i] != NULL; i++) {
        g_autofree char *base = g_path_get_basename (scenarios[i]);
        g_autofree char *path = g_strconcat ("/compile/golden/", base, NULL);
        g_test_add_data_func (path, scenarios[i], test_golden);
    }
    g_test_add_func ("/compile/lacp", test_lacp);
    add_property ("chains-end-in-a-verdict", chains_end_in_a_verdict);
    add_property ("names-before-lan", names_before_lan);
    add_property ("accepts-name-their-protocol", accepts_name_their_protocol);
    add_property ("same-in-same-out", same_in_same_out);
    add_property ("stricter-adds-no-accept", stricter_adds_no_accept);
    add_property ("unlocked-is-nothing", unlocked_is_nothing);
    add_property ("uplinks-are-guarded", uplinks_are_guarded);
    return g_test_run ();
}
