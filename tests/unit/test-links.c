/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of real links: types, addresses, routes, forwarding. */
#include "link-watch.h"

#include <stdio.h>
#include <sys/socket.h>

static void
append_prefixes (GString *text, const char *what, GArray *prefixes)
{
    g_string_append_printf (text, "\n%s", what);
    for (guint i = 0; i < prefixes->len; i++) {
        const BulkheadPrefix *prefix = &g_array_index (prefixes, BulkheadPrefix, i);
        g_autofree char *address = bulkhead_address_to_string (&prefix->address);

        g_string_append_printf (text, " %s/%u", address, prefix->length);
    }
}

/* Everything about the addresses and routes of a link, in one text. */
static void
assert_routes (const BulkheadNet *net, const char *name, const char *expected)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, name);
    g_autoptr (GString) text = g_string_new (NULL);

    g_assert_nonnull (link);
    g_string_append (text, link->default_route ? "default" : "no default");
    for (guint i = 0; i < link->gateways->len; i++) {
        g_autofree char *gateway =
            bulkhead_address_to_string (&g_array_index (link->gateways, BulkheadAddress, i));

        g_string_append_printf (text, " %s", gateway);
    }
    append_prefixes (text, "own", link->addresses);
    append_prefixes (text, "onlink", link->onlink);
    append_prefixes (text, "routed", link->routed);
    g_assert_cmpstr (text->str, ==, expected);
}

static void
assert_link (const BulkheadNet *net, const char *name, BulkheadLinkType type, gboolean up,
             const char *master)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, name);

    g_test_message ("%s", name);
    g_assert_nonnull (link);
    g_assert_cmpint (link->type, ==, type);
    g_assert_cmpint (link->up, ==, up);
    g_assert_cmpint (link->master, ==,
                     master != NULL ? bulkhead_net_find_link (net, master)->index : 0);
}

static void
test_types (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;
    const BulkheadLink *link;

    ip (MAKE "link add br0 type bridge\n"
             "link set veb master br0\n"
             "link add mv0 link vea type macvlan\n"
             "link set mv0 up\n"
             "link add down0 type veth peer name down1\n"
             "link set down0 up\n"
             "tuntap add mode tun name tun0\n"
             "tuntap add mode tap name tap0\n"
             "link set tap0 master br0\n");
    net = read_net (links);
    assert_link (net, "lo", BULKHEAD_LINK_LOOPBACK, FALSE, NULL);
    assert_link (net, "vea", BULKHEAD_LINK_VETH, TRUE, NULL);
    assert_link (net, "veb", BULKHEAD_LINK_VETH, TRUE, "br0");
    assert_link (net, "br0", BULKHEAD_LINK_BRIDGE, FALSE, NULL);
    assert_link (net, "mv0", BULKHEAD_LINK_MACVLAN, TRUE, NULL);
    assert_link (net, "down0", BULKHEAD_LINK_VETH, FALSE, NULL); /* no carrier */
    assert_link (net, "tun0", BULKHEAD_LINK_TUN, FALSE, NULL);
    assert_link (net, "tap0", BULKHEAD_LINK_TUN, FALSE, "br0");
    link = bulkhead_net_find_link (net, "veb");
    g_assert_true (link->uplink);
    link = bulkhead_net_find_link (net, "tap0");
    g_assert_false (bulkhead_link_may_be_tunnel (link));
    g_clear_pointer (&net, bulkhead_net_unref);

    ip ("address add 172.17.0.1/16 dev br0\n");
    net = read_net (links);
    link = bulkhead_net_find_link (net, "veb");
    g_assert_false (link->uplink);
}

static void
test_addresses (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.0.2.1/24 dev vea\n"
             "address add 192.0.2.2/24 dev vea\n"
             "address add 10.1.1.1 peer 10.1.1.2/32 dev vea\n"
             "address add 10.2.2.1 peer 10.3.3.3/24 dev vea\n"
             "address add 10.4.4.4/24 dev vea noprefixroute\n"
             "address add 2001:db8::1/64 dev vea nodad\n"
             "address add 2001:db8:1::1/64 dev vea nodad noprefixroute\n"
             "address add fd00::1 peer fd00:1::/64 dev vea nodad\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default\n"
                   "own 10.1.1.1/32 10.2.2.1/32 10.4.4.4/24 192.0.2.1/24 192.0.2.2/24"
                   " 2001:db8::1/64 2001:db8:1::1/64 fd00::1/64\n"
                   "onlink 10.1.1.1/32 10.1.1.2/32 10.2.2.1/32 10.3.3.0/24 192.0.2.0/24"
                   " 2001:db8::/64 fd00::/64 fd00:1::/128\n"
                   "routed");
    assert_routes (net, "veb", "no default\nown\nonlink\nrouted");
}

static void
test_routes (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.0.2.1/24 dev vea\n"
             "address add 198.51.100.1/24 dev veb\n"
             "address add 2001:db8::1/64 dev vea nodad\n"
             "route add 10.5.0.0/16 dev vea\n"
             "route add 10.6.0.0/16 via 192.0.2.254\n"
             "route add 10.7.0.0/16 dev vea table 100\n"
             "route add 10.8.0.0/16 dev vea table 1000\n"
             "route add 11.8.0.0/16 via 192.0.2.66 table 1000\n"
             "route add blackhole 10.9.0.0/16\n"
             "route add 10.10.0.0/16 dev vea scope global\n"
             "route add 10.11.0.0/16 via inet6 2001:db8::33 dev vea\n"
             "route add multicast 239.0.0.0/8 dev vea\n"
             "route add 0.0.0.0/1 dev vea\n"
             "route add 128.0.0.0/1 via 192.0.2.99\n"
             "route add default via 192.0.2.77 table 100\n"
             "route add 2001:db8:5::/48 dev vea\n"
             "route add 2001:db8:6::/48 via 2001:db8::fe\n"
             "route add ::/1 dev vea\n"
             "route add 8000::/1 via 2001:db8::99\n"
             "route add unreachable ::/0 metric 9000\n");
    net = read_net (links);
    assert_routes (
        net, "vea",
        "no default 192.0.2.77 192.0.2.99 192.0.2.254 2001:db8::33 2001:db8::99 2001:db8::fe\n"
        "own 192.0.2.1/24 2001:db8::1/64\n"
        "onlink 10.5.0.0/16 192.0.2.0/24 2001:db8::/64 2001:db8:5::/48\n"
        "routed 10.6.0.0/16 10.7.0.0/16 10.8.0.0/16 10.11.0.0/16 2001:db8:6::/48");
    assert_routes (net, "veb", "no default\nown 198.51.100.1/24\nonlink 198.51.100.0/24\nrouted");
    g_clear_pointer (&net, bulkhead_net_unref);

    ip ("route add default via 192.0.2.254\n"
        "route add default metric 10 nexthop via 192.0.2.253 dev vea"
        " nexthop via 198.51.100.9 dev veb\n"
        "route add default via inet6 2001:db8::33 dev vea metric 20\n"
        "route add ::/0 metric 30 nexthop via 2001:db8::fe dev vea"
        " nexthop via 2001:db8::ff dev vea\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "default 192.0.2.77 192.0.2.99 192.0.2.253 192.0.2.254"
                   " 2001:db8::33 2001:db8::99 2001:db8::fe 2001:db8::ff\n"
                   "own 192.0.2.1/24 2001:db8::1/64\n"
                   "onlink 10.5.0.0/16 192.0.2.0/24 2001:db8::/64 2001:db8:5::/48\n"
                   "routed 10.6.0.0/16 10.7.0.0/16 10.8.0.0/16 10.11.0.0/16 2001:db8:6::/48");
    assert_routes (net, "veb",
                   "default 198.51.100.9\nown 198.51.100.1/24\nonlink 198.51.100.0/24\nrouted");
}

static void
test_routed_over_two_links (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE
        "address add 192.0.2.1/24 dev vea\n"
        "address add 198.51.100.1/24 dev veb\n"
        "address add 2001:db8::1/64 dev vea nodad\n"
        "address add 2001:db8:1::1/64 dev veb nodad\n"
        "route add 10.6.0.0/16 nexthop via 192.0.2.2 dev vea nexthop via 198.51.100.2 dev veb\n"
        "route add 10.6.0.0/16 metric 9 via 192.0.2.3\n"
        "route add 10.7.0.0/16 nexthop via 192.0.2.2 dev vea nexthop dev veb\n"
        "route add fd06::/48 nexthop via 2001:db8::2 dev vea"
        " nexthop via 2001:db8:1::2 dev veb\n"
        "route add fd07::1 via 2001:db8::2\n"
        "route add 2001:db8:7::/48 via 2001:db8:1::2 table 100\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default 192.0.2.2 192.0.2.3 2001:db8::2\n"
                   "own 192.0.2.1/24 2001:db8::1/64\n"
                   "onlink 192.0.2.0/24 2001:db8::/64\n"
                   "routed 10.6.0.0/16 10.7.0.0/16 fd06::/48 fd07::1/128");
    assert_routes (net, "veb",
                   "no default 198.51.100.2 2001:db8:1::2\n"
                   "own 198.51.100.1/24 2001:db8:1::1/64\n"
                   "onlink 198.51.100.0/24 2001:db8:1::/64\n"
                   "routed 10.6.0.0/16 fd06::/48");
}

/* A VPN takes the default route away and leaves the one to its server. */
static void
test_router_without_default (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.168.1.2/24 dev vea\n"
             "route add default via 192.168.1.1\n"
             "route add 203.0.113.5 via 192.168.1.1\n"
             "route delete default\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default 192.168.1.1\nown 192.168.1.2/24\nonlink 192.168.1.0/24\n"
                   "routed 203.0.113.5/32");
}

static gboolean
had_router (BulkheadLinks *links, const char *name)
{
    g_autoptr (BulkheadNet) net = read_net (links);

    return bulkhead_net_find_link (net, name)->had_router;
}

static gboolean
forwards (BulkheadLinks *links, const char *name)
{
    g_autoptr (BulkheadNet) net = read_net (links);

    return bulkhead_net_find_link (net, name)->forwards;
}

static void
set_forwarding (const char *family, const char *name, const char *value)
{
    g_autofree char *path = g_strdup_printf ("/proc/sys/net/%s/conf/%s/forwarding", family, name);
    FILE *file = fopen (path, "w");

    g_assert_nonnull (file);
    g_assert_cmpint (fputs (value, file), >=, 0);
    g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_forwarding (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    set_forwarding ("ipv4", "all", "0"); /* a new namespace has what the machine has */
    ip (MAKE);
    count_changes (links, SETTLE_MS);
    g_assert_false (forwards (links, "vea") || forwards (links, "veb"));
    set_forwarding ("ipv4", "vea", "1");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    g_assert_true (forwards (links, "vea") && !forwards (links, "veb"));
    set_forwarding ("ipv6", "veb", "1");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    g_assert_true (forwards (links, "vea") && forwards (links, "veb"));
    set_forwarding ("ipv4", "vea", "0");
    g_assert_false (forwards (links, "vea"));
}

/* With every route gone, the router is still there; with the address gone, nobody knows. */
static void
test_router_is_remembered (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    ip (MAKE "address add 192.168.1.2/24 dev vea\n"
             "address add 172.17.0.1/16 dev veb\n"
             "address add fe80::7/64 dev vea nodad\n"
             "route add default via 192.168.1.1\n");
    g_assert_false (had_router (links, "vea"));
    ip ("route delete default\n");
    g_assert_true (had_router (links, "vea"));
    g_assert_true (had_router (links, "vea"));
    g_assert_false (had_router (links, "veb"));
    ip ("address delete 192.168.1.2/24 dev vea\n");
    g_assert_false (had_router (links, "vea"));
    ip ("address add 192.168.1.2/24 dev vea\n");
    g_assert_false (had_router (links, "vea"));
}

static void
test_default_without_gateway (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "route add default dev veb\n");
    net = read_net (links);
    assert_routes (net, "veb", "default\nown\nonlink\nrouted");
    assert_routes (net, "vea", "no default\nown\nonlink\nrouted");
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/links/types", test_types);
    g_test_add_func ("/links/addresses", test_addresses);
    g_test_add_func ("/links/routes", test_routes);
    g_test_add_func ("/links/routed over two links", test_routed_over_two_links);
    g_test_add_func ("/links/router without default", test_router_without_default);
    g_test_add_func ("/links/forwarding", test_forwarding);
    g_test_add_func ("/links/router is remembered", test_router_is_remembered);
    g_test_add_func ("/links/default without gateway", test_default_without_gateway);
    return g_test_run ();
}
