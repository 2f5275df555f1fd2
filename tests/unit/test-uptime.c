/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "uptime.h"

static BulkheadPolicy *
trusting_kind (const char *interface, BulkheadTunnelKind kind)
{
    g_autoptr (BulkheadPolicy) none = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("home", interface);
    g_autoptr (GError) error = NULL;
    BulkheadPolicy *policy;

    tunnel->kind = kind;
    policy = bulkhead_policy_with_tunnel (none, tunnel, &error);
    g_assert_no_error (error);
    return policy;
}

static BulkheadPolicy *
trusting (const char *interface)
{
    return trusting_kind (interface, BULKHEAD_TUNNEL_UNKNOWN);
}

/* At @now the link tun0 is there, of that type, and up or not. */
static void
look_at (BulkheadUptime *uptime, const BulkheadPolicy *policy, BulkheadLinkType type, gboolean up,
         gint64 now)
{
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    BulkheadLink *link = bulkhead_link_new (3, "tun0", type);
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
look (BulkheadUptime *uptime, const BulkheadPolicy *policy, gboolean up, gint64 now)
{
    look_at (uptime, policy, BULKHEAD_LINK_TUN, up, now);
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

/* What the rules let nothing into is not up: the name of a tunnel on another kind of link, and a
 * WireGuard link that does not tell of a handshake. */
static void
test_another_kind (void)
{
    static const struct {
        BulkheadTunnelKind kind;
        BulkheadLinkType type;
        gboolean up;
    } cases[] = {
        { BULKHEAD_TUNNEL_OPENVPN, BULKHEAD_LINK_VETH, FALSE },
        { BULKHEAD_TUNNEL_OPENVPN, BULKHEAD_LINK_WIREGUARD, FALSE },
        { BULKHEAD_TUNNEL_OPENVPN, BULKHEAD_LINK_OVPN, TRUE },
        { BULKHEAD_TUNNEL_OTHER, BULKHEAD_LINK_VETH, FALSE },
        { BULKHEAD_TUNNEL_OTHER, BULKHEAD_LINK_WIREGUARD, FALSE },
        { BULKHEAD_TUNNEL_OTHER, BULKHEAD_LINK_TUN, TRUE },
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_VETH, TRUE },
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_HARDWARE, FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (BulkheadUptime) uptime = bulkhead_uptime_new ();
        g_autoptr (BulkheadPolicy) policy = trusting_kind ("tun0", cases[i].kind);

        g_test_message ("%d %d", cases[i].kind, cases[i].type);
        look_at (uptime, policy, cases[i].type, FALSE, 10);
        look_at (uptime, policy, cases[i].type, TRUE, 20);
        g_assert_cmpint (bulkhead_uptime_get (uptime, "tun0"), ==, cases[i].up ? 20 : 0);
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/uptime/comes-up", test_comes_up);
    g_test_add_func ("/uptime/up-already", test_up_already);
    g_test_add_func ("/uptime/forgotten", test_forgotten);
    g_test_add_func ("/uptime/another-kind", test_another_kind);
    return g_test_run ();
}
