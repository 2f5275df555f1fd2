/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "uptime.h"

static BulkheadPolicy *
trusting (const char *interface)
{
    g_autoptr (BulkheadPolicy) none = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("home", interface);
    g_autoptr (GError) error = NULL;
    BulkheadPolicy *policy = bulkhead_policy_with_tunnel (none, tunnel, &error);

    g_assert_no_error (error);
    return policy;
}

/* At @now the link tun0 is there, and up or not. */
static void
look (BulkheadUptime *uptime, const BulkheadPolicy *policy, gboolean up, gint64 now)
{
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    BulkheadLink *link = bulkhead_link_new (3, "tun0", BULKHEAD_LINK_TUN);
    BulkheadPrefix address;
    g_autoptr (BulkheadNet) net = NULL;

    g_assert_true (bulkhead_prefix_parse ("10.8.0.2", &address));
    g_array_append_val (link->addresses, address);
    link->up = up;
    g_ptr_array_add (links, link);
    net = bulkhead_net_new (0, links, NULL);
    bulkhead_uptime_update (uptime, net, policy, now);
}

static void
test_comes_up (void)
{
    g_autoptr (BulkheadUptime) uptime = bulkhead_uptime_new ();
    g_autoptr (BulkheadPolicy) policy = trusting ("tun0");

    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
    look (uptime, policy, FALSE, 10);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
    look (uptime, policy, TRUE, 20);
    look (uptime, policy, TRUE, 30);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 20);
    look (uptime, policy, FALSE, 40);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
    look (uptime, policy, TRUE, 50);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 50);
}

static void
test_up_already (void)
{
    g_autoptr (BulkheadUptime) uptime = bulkhead_uptime_new ();
    g_autoptr (BulkheadPolicy) policy = trusting ("tun0");

    look (uptime, policy, TRUE, 10);
    look (uptime, policy, TRUE, 20);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
}

static void
test_forgotten (void)
{
    g_autoptr (BulkheadUptime) uptime = bulkhead_uptime_new ();
    g_autoptr (BulkheadPolicy) policy = trusting ("tun0");
    g_autoptr (BulkheadPolicy) other = trusting ("tun1");

    look (uptime, policy, FALSE, 10);
    look (uptime, policy, TRUE, 20);
    look (uptime, other, TRUE, 30);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
    look (uptime, policy, TRUE, 40);
    g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, 0);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/uptime/comes-up", test_comes_up);
    g_test_add_func ("/uptime/up-already", test_up_already);
    g_test_add_func ("/uptime/forgotten", test_forgotten);
    return g_test_run ();
}
