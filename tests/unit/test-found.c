/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"
#include "found.h"

#include <string.h>

/* A net of the one link "x"; its lists are filled by the tests before anything reads them. */
static BulkheadNet *
net_of (BulkheadLinkType type)
{
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    BulkheadLink *link = bulkhead_link_new (3, "x", type);

    link->up = TRUE;
    g_ptr_array_add (links, link);
    return bulkhead_net_new (0, links, NULL);
}

static BulkheadLink *
link_of (const BulkheadNet *net)
{
    return g_ptr_array_index (net->links, 0);
}

static void
add_networks (GArray *networks, const char *texts)
{
    g_auto (GStrv) each = g_strsplit_set (texts, " ", -1);

    for (gsize i = 0; each[i] != NULL; i++) {
        BulkheadPrefix network;

        g_assert_true (bulkhead_prefix_parse (each[i], &network));
        g_array_append_val (networks, network);
    }
}

static void
add_endpoint (GArray *endpoints, const char *text)
{
    BulkheadEndpoint endpoint;

    g_assert_true (bulkhead_endpoint_parse (text, &endpoint, NULL));
    g_array_append_val (endpoints, endpoint);
}

static BulkheadWireguard *
add_wireguard (BulkheadNet *net, guint32 mark, const char *endpoint)
{
    BulkheadWireguard *wireguard = bulkhead_wireguard_new ("x");

    wireguard->mark = mark;
    if (endpoint != NULL)
        add_endpoint (wireguard->endpoints, endpoint);
    g_ptr_array_add (net->wireguards, wireguard);
    return wireguard;
}

/* Trusted while it was connected to 203.0.113.1 and 10.1.0.0/24 was behind it. */
static BulkheadTunnel *
known_tunnel (void)
{
    BulkheadTunnel *tunnel = bulkhead_tunnel_new ("home", "x");

    tunnel->kind = BULKHEAD_TUNNEL_WIREGUARD;
    tunnel->mark = 7;
    tunnel->uid = 1000;
    add_endpoint (tunnel->endpoints, "203.0.113.1:1/udp");
    add_networks (tunnel->networks, "10.1.0.0/24");
    return tunnel;
}

static void
assert_networks (const BulkheadTunnel *tunnel, const char *expected)
{
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < tunnel->networks->len; i++) {
        g_autofree char *network =
            bulkhead_prefix_to_string (&g_array_index (tunnel->networks, BulkheadPrefix, i));

        g_string_append_printf (text, "%s%s", i > 0 ? " " : "", network);
    }
    g_assert_cmpstr (text->str, ==, expected);
    bulkhead_tunnel_check (tunnel, &error);
    g_assert_no_error (error);
}

static void
test_networks (void)
{
    g_autoptr (BulkheadNet) net = net_of (BULKHEAD_LINK_WIREGUARD);
    g_autoptr (BulkheadTunnel) known = known_tunnel ();
    g_autoptr (BulkheadTunnel) updated = NULL;
    g_autoptr (BulkheadTunnel) again = NULL;

    add_networks (link_of (net)->addresses, "10.8.0.2");
    add_networks (link_of (net)->onlink,
                  "10.8.0.0/24 9.0.0.0/8 11.0.0.0/8 100.63.0.0/16 100.64.0.0/10 100.128.0.0/16"
                  " 169.253.0.0/16 169.254.7.0/24 172.15.0.0/16 172.16.0.0/12 172.32.0.0/16"
                  " 192.167.0.0/16 192.169.0.0/16 198.18.0.0/15 fe80::/64 2001:db8::/32");
    add_networks (link_of (net)->routed,
                  "192.168.7.1 10.8.0.0/24 10.0.0.0/7 0.0.0.0/2 172.31.255.255 203.0.113.5"
                  " fd00:8::/64 fb00::/8 fc00::/6 fdff::1 fe00::/8 10.0.0.0/8");
    updated = bulkhead_found_update (known, net);
    assert_networks (updated, "10.0.0.0/8 10.8.0.0/24 100.64.0.0/10 169.254.7.0/24 172.16.0.0/12"
                              " 172.31.255.255 192.168.7.1 fd00:8::/64 fdff::1");
    again = bulkhead_found_update (updated, net);
    g_assert_true (bulkhead_tunnel_equal (updated, again));
    assert_networks (known, "10.1.0.0/24");
}

/* What cannot tell leaves what was known; a tunnel that is up with nothing private behind it can.
 */
static void
test_networks_are_kept (void)
{
    for (guint i = 0; i < 5; i++) {
        BulkheadLinkType type = i == 3 ? BULKHEAD_LINK_HARDWARE : BULKHEAD_LINK_TUN;
        g_autoptr (BulkheadNet) net = net_of (type);
        g_autoptr (BulkheadTunnel) known = known_tunnel ();
        g_autoptr (BulkheadTunnel) updated = NULL;

        add_networks (link_of (net)->addresses, "10.8.0.2");
        add_networks (link_of (net)->onlink, "198.51.100.0/24");
        if (i == 0)
            link_of (net)->name[0] = 'y';
        if (i == 1)
            link_of (net)->up = FALSE;
        if (i == 2)
            g_array_set_size (link_of (net)->addresses, 0);
        updated = bulkhead_found_update (known, net);
        g_test_message ("%u", i);
        assert_networks (updated, "10.1.0.0/24");
        g_assert_true (bulkhead_tunnel_equal (known, updated));
    }
}

/* @n networks of 10/8, and one more of another block. */
static void
add_many (GArray *networks, guint n)
{
    for (guint i = 0; i < n; i++) {
        BulkheadPrefix network = { { G_SOCKET_FAMILY_IPV4, { 10, i >> 8, i } }, 24 };

        g_array_append_val (networks, network);
    }
    add_networks (networks, "fd00::/64");
}

static void
test_too_many_networks (void)
{
    for (guint n = BULKHEAD_NETWORKS_MAX - 1; n <= BULKHEAD_NETWORKS_MAX; n++) {
        g_autoptr (BulkheadNet) net = net_of (BULKHEAD_LINK_TUN);
        g_autoptr (BulkheadTunnel) known = known_tunnel ();
        g_autoptr (BulkheadTunnel) updated = NULL;

        add_networks (link_of (net)->addresses, "10.8.0.2");
        add_many (link_of (net)->onlink, n);
        add_many (link_of (net)->routed, n); /* the same again counts once */
        updated = bulkhead_found_update (known, net);
        if (n < BULKHEAD_NETWORKS_MAX)
            g_assert_cmpuint (updated->networks->len, ==, BULKHEAD_NETWORKS_MAX);
        else
            assert_networks (updated, "10.0.0.0/8 fc00::/7");
    }
}

static void
test_wireguard (void)
{
    static const struct {
        guint32 mark;
        const char *endpoint; /* of the link; NULL: it has no peer yet */
        guint32 expected_mark;
        const char *expected_endpoint;
    } cases[] = {
        { 0, NULL, 7, "203.0.113.1:1/udp" },
        { 9, "203.0.113.1:1/udp", 9, "203.0.113.1:1/udp" },
        { 0, "203.0.113.2:2/udp", 7, "203.0.113.2:2/udp" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (BulkheadNet) net = net_of (BULKHEAD_LINK_WIREGUARD);
        g_autoptr (BulkheadTunnel) known = known_tunnel ();
        g_autoptr (BulkheadTunnel) updated = NULL;
        g_autofree char *endpoint = NULL;

        add_wireguard (net, cases[i].mark, cases[i].endpoint);
        updated = bulkhead_found_update (known, net);
        g_assert_cmpuint (updated->mark, ==, cases[i].expected_mark);
        g_assert_cmpuint (updated->endpoints->len, ==, 1);
        endpoint =
            bulkhead_endpoint_to_string (&g_array_index (updated->endpoints, BulkheadEndpoint, 0));
        g_assert_cmpstr (endpoint, ==, cases[i].expected_endpoint);
        g_assert_cmpstr (updated->name, ==, "home");
        g_assert_cmpuint (updated->uid, ==, 1000);
        assert_networks (updated, "10.1.0.0/24");
    }
}

/* Trusted before it was ever there, its kind is learnt once; no other link changes it. */
static void
test_kind_is_learnt (void)
{
    static const struct {
        BulkheadTunnelKind known;
        BulkheadLinkType type;
        BulkheadTunnelKind expected;
    } cases[] = {
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_WIREGUARD, BULKHEAD_TUNNEL_WIREGUARD },
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_OVPN, BULKHEAD_TUNNEL_OPENVPN },
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_TUN, BULKHEAD_TUNNEL_OTHER },
        { BULKHEAD_TUNNEL_UNKNOWN, BULKHEAD_LINK_VETH, BULKHEAD_TUNNEL_UNKNOWN },
        { BULKHEAD_TUNNEL_WIREGUARD, BULKHEAD_LINK_VETH, BULKHEAD_TUNNEL_WIREGUARD },
        { BULKHEAD_TUNNEL_WIREGUARD, BULKHEAD_LINK_OVPN, BULKHEAD_TUNNEL_WIREGUARD },
        { BULKHEAD_TUNNEL_OTHER, BULKHEAD_LINK_WIREGUARD, BULKHEAD_TUNNEL_OTHER },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (BulkheadNet) net = net_of (cases[i].type);
        g_autoptr (BulkheadTunnel) known = known_tunnel ();
        g_autoptr (BulkheadTunnel) updated = NULL;

        g_test_message ("%d %d", cases[i].known, cases[i].type);
        known->kind = cases[i].known;
        link_of (net)->up = FALSE;
        updated = bulkhead_found_update (known, net);
        g_assert_cmpint (updated->kind, ==, cases[i].expected);
    }
}

static void
test_absent (void)
{
    g_autoptr (BulkheadNet) net = bulkhead_net_new (0, NULL, NULL);
    g_autoptr (BulkheadTunnel) known = known_tunnel ();
    g_autoptr (BulkheadTunnel) updated = bulkhead_found_update (known, net);

    g_assert_true (bulkhead_tunnel_equal (known, updated));
    g_assert_cmpint (bulkhead_found_kind (net, "x"), ==, BULKHEAD_TUNNEL_UNKNOWN);
    g_assert_true (bulkhead_found_check (net, "x", NULL));
}

static void
test_tunnel (void)
{
    g_autoptr (BulkheadNet) net = net_of (BULKHEAD_LINK_WIREGUARD);
    g_autoptr (BulkheadTunnel) tunnel = NULL;

    add_wireguard (net, 9, "203.0.113.1:1/udp");
    add_networks (link_of (net)->addresses, "10.8.0.2");
    add_networks (link_of (net)->onlink, "10.8.0.0/24");
    tunnel = bulkhead_found_tunnel (net, "x");
    g_assert_cmpstr (tunnel->name, ==, "x");
    g_assert_cmpint (tunnel->kind, ==, BULKHEAD_TUNNEL_WIREGUARD);
    g_assert_cmpuint (tunnel->mark, ==, 9);
    g_assert_cmpuint (tunnel->endpoints->len, ==, 1);
    assert_networks (tunnel, "10.8.0.0/24");
}

static const struct {
    BulkheadLinkType type;
    const char *reason;              /* NULL: it may be trusted */
    const char *reason_with_default; /* when it holds the default route */
} checks[] = {
    { BULKHEAD_LINK_LOOPBACK, "loopback", "loopback" },
    { BULKHEAD_LINK_BRIDGE, "bridge", "bridge" },
    { BULKHEAD_LINK_HARDWARE, "uplink", "uplink" },
    { BULKHEAD_LINK_VLAN, "uplink", "uplink" },
    { BULKHEAD_LINK_BOND, "uplink", "uplink" },
    { BULKHEAD_LINK_TEAM, "uplink", "uplink" },
    { BULKHEAD_LINK_WWAN, "uplink", "uplink" },
    { BULKHEAD_LINK_MACVLAN, "uplink", "uplink" },
    { BULKHEAD_LINK_VETH, NULL, "uplink" },
    { BULKHEAD_LINK_WIREGUARD, NULL, NULL },
    { BULKHEAD_LINK_TUN, NULL, NULL },
    { BULKHEAD_LINK_PPP, NULL, NULL },
    { BULKHEAD_LINK_XFRM, NULL, NULL },
    { BULKHEAD_LINK_OVPN, NULL, NULL },
};

static void
test_check (void)
{
    for (gsize i = 0; i < 2 * G_N_ELEMENTS (checks); i++) {
        gsize at = i / 2;
        gboolean has_default = i % 2 != 0;
        const char *reason = has_default ? checks[at].reason_with_default : checks[at].reason;
        g_autoptr (BulkheadNet) net = net_of (checks[at].type);
        g_autoptr (GError) error = NULL;

        g_test_message ("%d %d", checks[at].type, has_default);
        link_of (net)->default_route = has_default;
        link_of (net)->uplink = bulkhead_link_is_uplink (link_of (net), NULL);
        g_assert_cmpint (bulkhead_found_check (net, "x", &error), ==, reason == NULL);
        if (reason == NULL)
            continue;
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT);
        g_assert_nonnull (strstr (error->message, reason));
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/found/networks", test_networks);
    g_test_add_func ("/found/networks/are kept", test_networks_are_kept);
    g_test_add_func ("/found/networks/too many", test_too_many_networks);
    g_test_add_func ("/found/wireguard", test_wireguard);
    g_test_add_func ("/found/kind", test_kind_is_learnt);
    g_test_add_func ("/found/absent", test_absent);
    g_test_add_func ("/found/tunnel", test_tunnel);
    g_test_add_func ("/found/check", test_check);
    return g_test_run ();
}
