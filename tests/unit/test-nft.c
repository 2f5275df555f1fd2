/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door to the kernel, in a network namespace of its own: what goes in, what is read back. */
#include "clock.h"
#include "compile.h"
#include "error.h"
#include "nft-listing.h"
#include "nft-sink.h"
#include "scenario.h"
#include "statement.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a program; its output, or NULL when it failed. */
static char *
run (const char *const *argv)
{
    g_autofree char *output = NULL;
    g_autoptr (GError) error = NULL;
    int status;

    g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                  NULL, &output, NULL, &status, &error);
    g_assert_no_error (error);
    return g_spawn_check_wait_status (status, NULL) ? g_steal_pointer (&output) : NULL;
}

#define LISTINGS_BESIDE 2000 /* some of them are disturbed, for sure */
#define RUN(...) run ((const char *[]){ __VA_ARGS__, NULL })

static void
must (char *output)
{
    g_assert_nonnull (output);
    g_free (output);
}

static void
must_fail (char *output)
{
    g_assert_null (output);
}

/* What nft lists, without the flags of our tables: nft 1.0.6 cannot write them all. */
static char *
listed (void)
{
    g_autoptr (GRegex) flags =
        g_regex_new (" # progname [^\n]*|\tflags [a-z,]*owner[^\n]*\n\n?", 0, 0, NULL);
    g_autofree char *text = NULL;

    /* nft gives up when somebody changes the ruleset while it reads. */
    for (guint i = 0; text == NULL && i < 20; i++)
        text = RUN ("nft", "-s", "list", "ruleset");
    g_assert_nonnull (text);
    return g_regex_replace (flags, text, -1, 0, "", 0, NULL);
}

static BulkheadSink *
sink_new (gboolean use_owner)
{
    g_autoptr (GError) error = NULL;
    BulkheadSink *sink = bulkhead_sink_new (use_owner, &error);

    g_assert_no_error (error);
    return sink;
}

static void
apply (BulkheadSink *sink, const BulkheadRuleset *ruleset)
{
    g_autoptr (GError) error = NULL;

    bulkhead_sink_apply (sink, ruleset, NULL, &error);
    g_assert_no_error (error);
    bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, &error);
    g_assert_no_error (error);
}

static void
clear (BulkheadSink *sink)
{
    g_autoptr (BulkheadRuleset) nothing = bulkhead_ruleset_new ();
    g_autofree char *text = NULL;

    apply (sink, nothing);
    text = listed ();
    g_assert_cmpstr (text, ==, "");
}

static BulkheadRuleset *
ruleset_of (const char *scenario)
{
    g_autofree char *path = g_build_filename (g_getenv ("BULKHEAD_GOLDEN_DIR"), scenario, NULL);
    g_autoptr (Scenario) loaded = scenario_load (path);

    return bulkhead_compile (loaded->policy, loaded->net);
}

/* A pause of the golden file would never end; here it ends when it says. */
static BulkheadRuleset *
paused (guint seconds)
{
    g_autofree char *path = g_build_filename (g_getenv ("BULKHEAD_GOLDEN_DIR"), "pause", NULL);
    g_autoptr (Scenario) loaded = scenario_load (path);
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_pause (
        loaded->policy, seconds, bulkhead_boottime () + seconds * G_USEC_PER_SEC, NULL);

    return bulkhead_compile (policy, loaded->net);
}

/* ---- the same as nft ---- */

/* The goldens are in the words of this one; later ones list a burst, a code or a mask otherwise. */
static gboolean
nft_speaks_golden (void)
{
    g_autofree char *version = RUN ("nft", "--version");

    return strstr (version, " v1.0.6 ") != NULL;
}

/* What nft makes of our text, as it lists it. */
static char *
listed_by_nft (const char *golden)
{
    g_autofree char *text = NULL;
    g_autofree char *expected = NULL;

    must (RUN ("nft", "-f", golden));
    text = listed ();
    must (RUN ("nft", "flush", "ruleset"));
    g_file_get_contents (golden, &expected, NULL, NULL);
    if (nft_speaks_golden ())
        g_assert_cmpstr (text, ==, expected);
    g_assert_cmpint (text[0] == '\0', ==, expected[0] == '\0');
    return g_steal_pointer (&text);
}

/* The kernel lists what we sent as it lists what `nft -f` makes of our text. */
static void
check_scenario (BulkheadSink *sink, const char *path)
{
    g_autofree char *golden = g_strconcat (path, ".nft", NULL);
    g_autoptr (Scenario) scenario = scenario_load (path);
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (scenario->policy, scenario->net);
    g_autofree char *by_nft = NULL;
    g_autofree char *text = NULL;

    g_test_message ("%s", path);
    by_nft = listed_by_nft (golden);
    if (scenario->policy->pause_seconds > 0) /* endless here: no number for the kernel */
        return;
    apply (sink, ruleset);
    text = listed ();
    g_assert_cmpstr (text, ==, by_nft);
    clear (sink);
}

static void
test_same_as_nft (gconstpointer use_owner)
{
    g_autoptr (BulkheadSink) sink = sink_new (use_owner != NULL);
    g_auto (GStrv) scenarios = scenario_list ();

    for (guint i = 0; scenarios[i] != NULL; i++)
        check_scenario (sink, scenarios[i]);
}

/* Any ruleset becomes any other in place, and is then what it would be from nothing. */
static void
test_every_change (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_auto (GStrv) scenarios = scenario_list ();

    for (guint i = 0; scenarios[i] != NULL; i++) {
        g_autoptr (Scenario) from = scenario_load (scenarios[i]);
        g_autoptr (BulkheadRuleset) before = bulkhead_compile (from->policy, from->net);

        if (from->policy->pause_seconds > 0)
            continue;
        for (guint j = 0; scenarios[j] != NULL; j++) {
            g_autoptr (Scenario) to = scenario_load (scenarios[j]);
            g_autoptr (BulkheadRuleset) after = bulkhead_compile (to->policy, to->net);
            g_autoptr (GError) error = NULL;

            if (to->policy->pause_seconds > 0 || to->policy->exceptions->len > 1000)
                continue;
            apply (sink, before);
            bulkhead_sink_apply (sink, after, before, &error);
            g_assert_no_error (error);
            bulkhead_sink_verify (sink, after, NULL, BULKHEAD_READ_ALL, &error);
            g_assert_no_error (error);
        }
    }
    clear (sink);
}

/* Services are of several fields with intervals; many of them are not flushed in place. */
static BulkheadRuleset *
services (guint n)
{
    g_autofree char *path = g_build_filename (g_getenv ("BULKHEAD_GOLDEN_DIR"), "blocking", NULL);
    g_autoptr (Scenario) loaded = scenario_load (path);
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autofree BulkheadException *exceptions = g_new0 (BulkheadException, n);
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < n; i++) {
        g_autofree char *text = g_strdup_printf ("20.%u.%u.0/25 tcp 443", i / 256 % 256, i % 256);

        g_assert_true (bulkhead_exception_parse (text, &exceptions[i], NULL));
    }
    policy = bulkhead_policy_with_exceptions (loaded->policy, exceptions, n, &error);
    g_assert_no_error (error);
    return bulkhead_compile (policy, loaded->net);
}

static void
test_many_services (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) many = services (3000);
    g_autoptr (BulkheadRuleset) fewer = services (2999);
    g_autoptr (BulkheadRuleset) few = services (3);
    const BulkheadRuleset *steps[] = { many, many, fewer, few, many, few };
    const BulkheadRuleset *before = NULL;

    for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
        g_autoptr (GError) error = NULL;

        bulkhead_sink_apply (sink, steps[i], i % 2 == 0 ? before : NULL, &error);
        g_assert_no_error (error);
        bulkhead_sink_verify (sink, steps[i], NULL, BULKHEAD_READ_ALL, &error);
        g_assert_no_error (error);
        before = steps[i];
    }
    clear (sink);
}

/* ---- the pause ---- */

static void
test_pause (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) ruleset = paused (3);
    g_autoptr (GError) error = NULL;
    g_autofree char *during = NULL;
    g_autofree char *after = NULL;

    apply (sink, ruleset);
    during = RUN ("nft", "list", "set", "inet", "bulkhead", "paused");
    g_assert_nonnull (strstr (during, "ipv4 timeout 3s expires 2s"));
    g_usleep (3200 * 1000);
    after = RUN ("nft", "list", "set", "inet", "bulkhead", "paused");
    g_assert_null (strstr (after, "elements"));
    /* Over is not broken; put back early, it would be. */
    bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, &error);
    g_assert_no_error (error);
    clear (sink);
}

/* The machine slept for a minute of two: the kernel's timeouts stood still, and what stands there
 * now stays for longer than it should. Put in again, it does not. */
static void
test_pause_after_sleep (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) before = paused (120);
    g_autoptr (BulkheadRuleset) after = paused (60);
    g_autoptr (GError) error = NULL;

    apply (sink, before);
    g_assert_false (bulkhead_sink_verify (sink, after, NULL, BULKHEAD_READ_ALL, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED);
    g_assert_nonnull (strstr (error->message, "set paused"));
    g_clear_error (&error);
    apply (sink, after);
    bulkhead_sink_verify (sink, after, NULL, BULKHEAD_READ_ALL, &error);
    g_assert_no_error (error);
    clear (sink);
}

/* A pause that is over already opens nothing, also when it is put in again. */
static void
test_pause_over (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) ruleset = paused (1);
    g_autofree char *text = NULL;

    g_usleep (1200 * 1000);
    apply (sink, ruleset);
    text = listed ();
    g_assert_nonnull (strstr (text, "set paused"));
    g_assert_null (strstr (text, "timeout 1s"));
    clear (sink);
}

/* ---- who may touch it ---- */

static void
test_owner (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadSink) heir = NULL;
    g_autoptr (BulkheadRuleset) ruleset = ruleset_of ("protected-dual");
    g_autoptr (GError) error = NULL;

    g_assert_true (bulkhead_sink_get_features (sink) & BULKHEAD_FEATURE_OWNER);
    apply (sink, ruleset);
    must_fail (RUN ("nft", "delete", "table", "inet", "bulkhead"));
    must_fail (RUN ("nft", "flush", "chain", "inet", "bulkhead", "output"));
    must_fail (RUN ("nft", "insert", "rule", "inet", "bulkhead", "output", "accept"));
    must (RUN ("nft", "flush", "ruleset"));
    bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, &error);
    g_assert_no_error (error);

    /* A second helper is refused by the kernel too, and changes nothing. */
    heir = sink_new (TRUE);
    g_assert_false (bulkhead_sink_apply (heir, ruleset, NULL, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED);
    g_assert_nonnull (strstr (error->message, "inet bulkhead"));
    g_clear_error (&error);

    /* The owner dies: the table stays, and the next helper has it for its own. */
    g_clear_pointer (&sink, bulkhead_sink_free);
    must (RUN ("nft", "list", "table", "inet", "bulkhead"));
    g_assert_false (bulkhead_sink_verify (heir, ruleset, NULL, BULKHEAD_READ_ALL, &error));
    g_clear_error (&error);
    apply (heir, ruleset);
    must_fail (RUN ("nft", "delete", "table", "inet", "bulkhead"));
    clear (heir);
}

/* A link came while there was no helper: the heir adds its guard to the orphan. */
static void
test_orphan_and_new_link (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadSink) heir = NULL;
    g_autoptr (BulkheadRuleset) one = ruleset_of ("protected-dual");
    g_autoptr (BulkheadRuleset) three = ruleset_of ("three-uplinks");

    apply (sink, one);
    g_clear_pointer (&sink, bulkhead_sink_free);
    heir = sink_new (TRUE);
    apply (heir, three);
    must_fail (RUN ("nft", "delete", "table", "netdev", "bulkhead"));
    clear (heir);
}

/* The plain table of an older helper or kernel becomes an owned one, and the other way round. */
static void
test_between_ways (void)
{
    g_autoptr (BulkheadSink) plain = sink_new (FALSE);
    g_autoptr (BulkheadSink) owner = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) ruleset = ruleset_of ("protected-dual");

    g_assert_false (bulkhead_sink_get_features (plain) & BULKHEAD_FEATURE_OWNER);
    apply (plain, ruleset);
    apply (owner, ruleset);
    must_fail (RUN ("nft", "delete", "table", "inet", "bulkhead"));
    g_clear_pointer (&owner, bulkhead_sink_free);
    apply (plain, ruleset);
    must (RUN ("nft", "delete", "table", "netdev", "bulkhead"));
    clear (plain);
}

/* ---- tampering is seen and mended (the way without owner) ---- */

static const char *const tampering[] = {
    "delete table inet bulkhead",
    "delete table netdev bulkhead",
    "add table inet bulkhead { flags dormant; }",
    "add table netdev bulkhead { flags dormant; }",
    "flush chain inet bulkhead output",
    "insert rule inet bulkhead output accept",
    "add rule inet bulkhead output accept",
    "insert rule inet bulkhead output ip daddr { 198.51.100.9, 198.51.100.10 } accept",
    "insert rule inet bulkhead output meta mark vmap { 1 : accept }",
    "insert rule inet bulkhead output jump { accept; }",
    "insert rule netdev bulkhead egress-eth0 jump { accept; }",
    "insert rule inet bulkhead forward counter",
    "add chain inet bulkhead output { policy accept; }",
    "add chain inet bulkhead extra",
    "add chain inet bulkhead early { type filter hook output priority -500; policy accept; }",
    "add element inet bulkhead dhcp_routers4 { \"eth0\" . 198.51.100.9 }",
    "delete element inet bulkhead name_services { udp . 53 }",
    "flush set inet bulkhead name_services",
    "add element inet bulkhead endpoints_by_mark4 { 1 . 198.51.100.9 . tcp . 80 }",
    "add element inet bulkhead tunnel_addresses4 { * }",
    "add element inet bulkhead endpoints_by_mark4 { * }",
    "add set inet bulkhead extra { type ipv4_addr; }",
    "flush chain netdev bulkhead egress-eth0",
    "flush table netdev bulkhead",
};

static void
test_tampering (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (FALSE);
    g_autoptr (BulkheadRuleset) ruleset = ruleset_of ("protected-dual");

    for (guint i = 0; i < G_N_ELEMENTS (tampering); i++) {
        g_autoptr (GError) error = NULL;

        g_test_message ("%s", tampering[i]);
        apply (sink, ruleset);
        must (RUN ("nft", tampering[i]));
        g_assert_false (bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED);
        g_test_message ("  %s", error->message);
        apply (sink, ruleset);
    }
    clear (sink);
}

/* A rule of an expression that only newer kernels and libraries have is seen for what it is: not
 * ours. */
static void
test_foreign_expression (void)
{
    g_autoptr (BulkheadRuleset) ruleset = ruleset_of ("protected-dual");
    g_autoptr (BulkheadListing) expected = bulkhead_listing_new ();
    g_autoptr (BulkheadListing) actual = bulkhead_listing_new ();
    guint8 buffer[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header (message, sizeof *head);
    struct nlattr *list, *expression;
    g_autofree char *same = NULL;
    g_autofree char *difference = NULL;

    bulkhead_listing_expect (expected, ruleset, 0);
    bulkhead_listing_expect (actual, ruleset, 0);
    same = bulkhead_listing_difference (expected, actual, ruleset);
    g_assert_null (same);

    message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
    head->nfgen_family = BULKHEAD_FAMILY_INET;
    mnl_attr_put_strz (message, NFTA_RULE_TABLE, BULKHEAD_TABLE);
    mnl_attr_put_strz (message, NFTA_RULE_CHAIN, "output");
    list = mnl_attr_nest_start (message, NFTA_RULE_EXPRESSIONS);
    expression = mnl_attr_nest_start (message, NFTA_LIST_ELEM);
    mnl_attr_put_strz (message, NFTA_EXPR_NAME, "of-tomorrow");
    mnl_attr_nest_end (message, expression);
    mnl_attr_nest_end (message, list);
    bulkhead_listing_add (actual, message);
    difference = bulkhead_listing_difference (expected, actual, ruleset);
    g_assert_cmpstr (difference, ==, "chain output has 1 rules too many");
}

/* ---- refusals ---- */

/* One statement the kernel refuses: its line is quoted and nothing changes. */
static void
test_refused_statement (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) good = ruleset_of ("protected-dual");
    g_autoptr (BulkheadRuleset) bad = ruleset_of ("protected-dual");
    g_autoptr (GError) error = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    apply (sink, good);
    before = listed ();
    rule (bulkhead_table_find_chain (bulkhead_ruleset_find_table (bad, BULKHEAD_FAMILY_INET),
                                     "output"),
          in ("nosuch", KEY_OIFNAME), ACCEPT);
    g_assert_false (bulkhead_sink_apply (sink, bad, good, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED);
    g_assert_cmpstr (error->message, ==,
                     "kernel refused “add rule inet bulkhead output oifname @nosuch accept”: "
                     "No such file or directory");
    after = listed ();
    g_assert_cmpstr (before, ==, after);
    g_clear_error (&error);
    bulkhead_sink_verify (sink, good, NULL, BULKHEAD_READ_ALL, &error);
    g_assert_no_error (error);
    clear (sink);
}

/* ---- somebody else changes tables of his own all the time ---- */

/* timeout(1) ends all of its group then, and at the latest after a minute. */
static void
die_with_parent (gpointer user_data)
{
    prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static GPid
neighbour_new (void)
{
    const char *busy[] = { "timeout",
                           "60",
                           "sh",
                           "-c",
                           "nft 'add table inet other; add chain inet other one'; "
                           "yes 'add chain inet other two; delete chain inet other two' | nft -i",
                           NULL };
    GPid pid;

    g_assert_true (g_spawn_async (NULL, (char **)busy, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                                      | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                  die_with_parent, NULL, &pid, NULL));
    return pid;
}

static void
neighbour_free (GPid pid)
{
    g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
    g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
    g_spawn_close_pid (pid);
    g_usleep (100 * 1000); /* until nft itself is gone */
    must (RUN ("nft", "delete", "table", "inet", "other"));
}

/* Ours come through, whole. */
static void
test_busy_neighbour (void)
{
    g_autoptr (BulkheadSink) sink = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) a = ruleset_of ("protected-dual");
    g_autoptr (BulkheadRuleset) b = ruleset_of ("blocking");
    GPid neighbour = neighbour_new ();

    for (guint i = 0; i < 100; i++)
        apply (sink, i % 2 == 0 ? a : b);
    neighbour_free (neighbour);
    clear (sink);
}

/* What the kernel can do and what stands there is seen as it is. */
static void
test_start_beside_a_busy_neighbour (void)
{
    g_autoptr (BulkheadSink) quiet = sink_new (TRUE);
    g_autoptr (BulkheadRuleset) lock = ruleset_of ("blocking");
    GPid neighbour = neighbour_new ();

    for (guint i = 0; i < 30; i++) {
        g_autoptr (BulkheadSink) sink = sink_new (TRUE);

        g_assert_cmpuint (bulkhead_sink_get_features (sink), ==,
                          bulkhead_sink_get_features (quiet));
    }
    for (guint i = 0; i < LISTINGS_BESIDE; i++)
        g_assert_false (bulkhead_sink_has_tables (quiet));
    apply (quiet, lock);
    for (guint i = 0; i < LISTINGS_BESIDE; i++)
        g_assert_true (bulkhead_sink_has_chains (quiet, lock));
    neighbour_free (neighbour);
    clear (quiet);
}

static void
make_links (void)
{
    static const char *const names[] = { "eth0", "wlan0", "eth0.100" };

    must (RUN ("ip", "link", "set", "lo", "up"));
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *peer = g_strdup_printf ("p%u", i);
        must (RUN ("ip", "link", "add", names[i], "type", "veth", "peer", "name", peer));
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    if (unshare (CLONE_NEWNET) != 0)
        g_error ("no network namespace of its own: %s", g_strerror (errno));
    make_links ();
    g_test_add_data_func ("/nft/same-as-nft/plain", NULL, test_same_as_nft);
    g_test_add_data_func ("/nft/same-as-nft/owner", GINT_TO_POINTER (TRUE), test_same_as_nft);
    g_test_add_func ("/nft/every-change", test_every_change);
    g_test_add_func ("/nft/many-services", test_many_services);
    g_test_add_func ("/nft/pause", test_pause);
    g_test_add_func ("/nft/pause-over", test_pause_over);
    g_test_add_func ("/nft/pause-after-sleep", test_pause_after_sleep);
    g_test_add_func ("/nft/owner", test_owner);
    g_test_add_func ("/nft/orphan-and-new-link", test_orphan_and_new_link);
    g_test_add_func ("/nft/between-ways", test_between_ways);
    g_test_add_func ("/nft/tampering", test_tampering);
    g_test_add_func ("/nft/foreign-expression", test_foreign_expression);
    g_test_add_func ("/nft/refused-statement", test_refused_statement);
    g_test_add_func ("/nft/busy-neighbour", test_busy_neighbour);
    g_test_add_func ("/nft/start-beside-a-busy-neighbour", test_start_beside_a_busy_neighbour);
    return g_test_run ();
}
