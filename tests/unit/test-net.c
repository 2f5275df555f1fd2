/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net.h"

#include <string.h>

static BulkheadPrefix
prefix (const char *address, guint8 length)
{
    BulkheadPrefix value;

    /* Padding differs between equal prefixes, so that comparing bytes would be found out. */
    memset (&value, g_test_rand_int (), sizeof value);
    g_assert_true (bulkhead_address_parse (address, &value.address));
    value.length = length;
    return value;
}

static void
add_prefix (GArray *array, const char *address, guint8 length)
{
    BulkheadPrefix value = prefix (address, length);

    g_array_append_val (array, value);
}

static void
add_gateway (BulkheadLink *link, const char *text)
{
    BulkheadAddress address;

    g_assert_true (bulkhead_address_parse (text, &address));
    g_array_append_val (link->gateways, address);
}

static void
add_endpoint (BulkheadWireguard *wireguard, const char *text)
{
    BulkheadEndpoint endpoint;

    g_assert_true (bulkhead_endpoint_parse (text, &endpoint, NULL));
    g_array_append_val (wireguard->endpoints, endpoint);
}

static GPtrArray *
new_links (void)
{
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
}

#define NONE BULKHEAD_LINK_OTHER

static const struct {
    const char *what;
    BulkheadLinkType type;
    BulkheadLinkType master; /* NONE: it has no master */
    const char *master_address;
    gboolean master_default_route;
    gboolean uplink;
    gboolean tunnel;
} cases[] = {
    { "hardware", BULKHEAD_LINK_HARDWARE, NONE, NULL, FALSE, TRUE, FALSE },
    { "hardware, port of a bridge", BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_BRIDGE, NULL, FALSE, TRUE,
      FALSE },
    { "hardware, port of a bridge with an address", BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_BRIDGE,
      "192.168.1.2", TRUE, TRUE, FALSE },
    { "hardware, port of a bridge like docker0", BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_BRIDGE,
      "172.17.0.1", FALSE, TRUE, FALSE },
    { "hardware, slave of a bond", BULKHEAD_LINK_HARDWARE, BULKHEAD_LINK_BOND, "192.168.1.2", TRUE,
      TRUE, FALSE },
    { "vlan", BULKHEAD_LINK_VLAN, NONE, NULL, FALSE, TRUE, FALSE },
    { "bond", BULKHEAD_LINK_BOND, NONE, NULL, FALSE, TRUE, FALSE },
    { "bond, port of a bridge", BULKHEAD_LINK_BOND, BULKHEAD_LINK_BRIDGE, NULL, FALSE, TRUE,
      FALSE },
    { "team", BULKHEAD_LINK_TEAM, NONE, NULL, FALSE, TRUE, FALSE },
    { "wwan", BULKHEAD_LINK_WWAN, NONE, NULL, FALSE, TRUE, FALSE },
    { "macvlan, ipvlan", BULKHEAD_LINK_MACVLAN, NONE, NULL, FALSE, TRUE, FALSE },
    { "veth without a master", BULKHEAD_LINK_VETH, NONE, NULL, FALSE, TRUE, FALSE },
    { "veth in a bridge like docker0", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BRIDGE, "172.17.0.1",
      FALSE, FALSE, FALSE },
    { "veth in a bridge with a private IPv6 address", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BRIDGE,
      "fd00::1", FALSE, FALSE, FALSE },
    { "veth in a bridge without an address", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BRIDGE, NULL, FALSE,
      TRUE, FALSE },
    { "veth in a bridge with fe80:: only", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BRIDGE, "fe80::1",
      FALSE, TRUE, FALSE },
    { "veth in a bridge with a default route", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BRIDGE,
      "192.168.1.2", TRUE, TRUE, FALSE },
    { "veth in a bond", BULKHEAD_LINK_VETH, BULKHEAD_LINK_BOND, "192.168.1.2", FALSE, TRUE, FALSE },
    { "bridge", BULKHEAD_LINK_BRIDGE, NONE, NULL, FALSE, FALSE, FALSE },
    { "tap of a guest in virbr0", BULKHEAD_LINK_TUN, BULKHEAD_LINK_BRIDGE, "192.168.122.1", FALSE,
      FALSE, FALSE },
    { "tap of a guest in a bridge with hardware", BULKHEAD_LINK_TUN, BULKHEAD_LINK_BRIDGE, NULL,
      FALSE, FALSE, FALSE },
    { "tun", BULKHEAD_LINK_TUN, NONE, NULL, FALSE, FALSE, TRUE },
    { "wireguard", BULKHEAD_LINK_WIREGUARD, NONE, NULL, FALSE, FALSE, TRUE },
    { "ppp", BULKHEAD_LINK_PPP, NONE, NULL, FALSE, TRUE, TRUE },
    { "xfrm, vti", BULKHEAD_LINK_XFRM, NONE, NULL, FALSE, FALSE, TRUE },
    { "ovpn", BULKHEAD_LINK_OVPN, NONE, NULL, FALSE, FALSE, TRUE },
    { "lo", BULKHEAD_LINK_LOOPBACK, NONE, NULL, FALSE, FALSE, FALSE },
    { "dummy", BULKHEAD_LINK_DUMMY, NONE, NULL, FALSE, FALSE, FALSE },
    { "other", BULKHEAD_LINK_OTHER, NONE, NULL, FALSE, FALSE, FALSE },
};

static void
test_uplink (gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE (data);
    GPtrArray *links = new_links ();
    BulkheadLink *link = bulkhead_link_new (7, "x", cases[i].type);
    BulkheadLink *bystander = bulkhead_link_new (9, "b", BULKHEAD_LINK_BRIDGE);
    g_autoptr (BulkheadNet) net = NULL;

    /* Another bridge, which would give the opposite answer, is not to be taken for the master. */
    if (cases[i].master_address == NULL)
        add_prefix (bystander->addresses, "10.0.0.1", 24);
    g_ptr_array_add (links, bystander);
    g_ptr_array_add (links, link);
    if (cases[i].master != NONE) {
        BulkheadLink *master = bulkhead_link_new (8, "m", cases[i].master);

        link->master = 8;
        master->default_route = cases[i].master_default_route;
        if (cases[i].master_address != NULL)
            add_prefix (master->addresses, cases[i].master_address, 24);
        g_ptr_array_add (links, master);
    }
    net = bulkhead_net_new (0, links, NULL);
    g_assert_cmpint (bulkhead_net_find_link (net, "x")->uplink, ==, cases[i].uplink);
    g_assert_cmpint (bulkhead_link_may_be_tunnel (bulkhead_net_find_link (net, "x")), ==,
                     cases[i].tunnel);
}

static void
test_uplink_unknown_master (void)
{
    g_autoptr (BulkheadLink) link = bulkhead_link_new (7, "x", BULKHEAD_LINK_VETH);

    link->master = 8;
    g_assert_true (bulkhead_link_is_uplink (link, NULL));
}

/* Whatever its kind and master, by the default route it leads outside. */
static void
test_uplink_by_default_route (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (BulkheadLink) link = bulkhead_link_new (7, "x", cases[i].type);
        g_autoptr (BulkheadLink) master = bulkhead_link_new (8, "m", BULKHEAD_LINK_BRIDGE);

        g_test_message ("%s", cases[i].what);
        add_prefix (master->addresses, "172.17.0.1", 16);
        link->master = cases[i].master != NONE ? 8 : 0;
        link->default_route = TRUE;
        g_assert_cmpint (bulkhead_link_is_uplink (link, link->master != 0 ? master : NULL), ==,
                         cases[i].type != BULKHEAD_LINK_LOOPBACK
                             && cases[i].type != BULKHEAD_LINK_BRIDGE);
    }
}

/* A port of a bridge whose default route a VPN took away: the route to its server is left, or what
 * was seen before. */
static void
test_uplink_by_router (void)
{
    for (guint i = 0; i < 4; i++) {
        g_autoptr (BulkheadLink) link = bulkhead_link_new (7, "x", BULKHEAD_LINK_VETH);
        g_autoptr (BulkheadLink) master = bulkhead_link_new (8, "m", BULKHEAD_LINK_BRIDGE);
        BulkheadLink *either = i % 2 == 0 ? master : link;

        add_prefix (master->addresses, "192.168.1.2", 24);
        link->master = 8;
        g_assert_false (bulkhead_link_is_uplink (link, master));
        if (i < 2)
            add_gateway (either, "192.168.1.1");
        else
            either->had_router = TRUE;
        g_assert_true (bulkhead_link_is_uplink (link, master));
    }
}

static void
test_bridge_names_do_not_matter (void)
{
    static const char *const names[] = { "docker0", "virbr0", "br0", "lxcbr0" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autoptr (BulkheadLink) link = bulkhead_link_new (3, names[i], BULKHEAD_LINK_BRIDGE);

        link->default_route = TRUE;
        g_assert_false (bulkhead_link_is_uplink (link, NULL));
        g_assert_false (bulkhead_link_may_be_tunnel (link));
    }
}

/* @order: 0 or 1, the order in which everything is put in. */
static BulkheadNet *
make_net (int order)
{
    static const char *const addresses[] = { "192.168.1.2", "10.0.0.9", "fd00::2", "10.0.0.9" };
    static const char *const endpoints[] = { "203.0.113.5:51820/udp", "[2001:db8::1]:51820/udp",
                                             "203.0.113.5:51820/udp" };
    GPtrArray *links = new_links ();
    GPtrArray *wireguards =
        g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_wireguard_free);
    BulkheadLink *eth0 = bulkhead_link_new (2, "eth0", BULKHEAD_LINK_HARDWARE);
    BulkheadWireguard *wg0 = bulkhead_wireguard_new ("wg0");

    for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++) {
        const char *address = addresses[order == 0 ? i : G_N_ELEMENTS (addresses) - 1 - i];

        add_prefix (eth0->addresses, address, 24);
        add_prefix (eth0->onlink, address, 24);
        add_prefix (eth0->routed, address, 32);
        add_gateway (eth0, address);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (endpoints); i++)
        add_endpoint (wg0, endpoints[order == 0 ? i : G_N_ELEMENTS (endpoints) - 1 - i]);

    g_ptr_array_add (links, eth0);
    g_ptr_array_insert (links, order, bulkhead_link_new (5, "wg0", BULKHEAD_LINK_WIREGUARD));
    g_ptr_array_insert (links, 2 * order, bulkhead_link_new (1, "lo", BULKHEAD_LINK_LOOPBACK));
    g_ptr_array_add (wireguards, wg0);
    g_ptr_array_insert (wireguards, order, bulkhead_wireguard_new ("aw0"));
    return bulkhead_net_new (BULKHEAD_FEATURES_ALL, links, wireguards);
}

static void
test_sorted (void)
{
    g_autoptr (BulkheadNet) net = make_net (0);
    g_autoptr (BulkheadNet) reversed = make_net (1);
    const BulkheadLink *eth0 = g_ptr_array_index (net->links, 0);
    const BulkheadLink *lo = g_ptr_array_index (net->links, 1);
    const BulkheadLink *wg0 = g_ptr_array_index (net->links, 2);
    const BulkheadWireguard *first = g_ptr_array_index (net->wireguards, 0);
    const BulkheadWireguard *second = g_ptr_array_index (net->wireguards, 1);
    const char *const expected[] = { "10.0.0.9", "192.168.1.2", "fd00::2" };

    g_assert_cmpstr (eth0->name, ==, "eth0");
    g_assert_cmpstr (lo->name, ==, "lo");
    g_assert_cmpstr (wg0->name, ==, "wg0");
    g_assert_cmpstr (first->interface, ==, "aw0");
    g_assert_cmpstr (second->interface, ==, "wg0");
    g_assert_cmpuint (eth0->addresses->len, ==, G_N_ELEMENTS (expected));
    g_assert_cmpuint (eth0->onlink->len, ==, G_N_ELEMENTS (expected));
    g_assert_cmpuint (eth0->routed->len, ==, G_N_ELEMENTS (expected));
    g_assert_cmpuint (eth0->gateways->len, ==, G_N_ELEMENTS (expected));
    for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
        g_autofree char *address = bulkhead_address_to_string (
            &g_array_index (eth0->addresses, BulkheadPrefix, i).address);
        g_autofree char *routed =
            bulkhead_address_to_string (&g_array_index (eth0->routed, BulkheadPrefix, i).address);
        g_autofree char *gateway =
            bulkhead_address_to_string (&g_array_index (eth0->gateways, BulkheadAddress, i));

        g_assert_cmpstr (address, ==, expected[i]);
        g_assert_cmpstr (routed, ==, expected[i]);
        g_assert_cmpstr (gateway, ==, expected[i]);
    }
    g_assert_cmpuint (second->endpoints->len, ==, 2);
    g_assert_true (bulkhead_net_equal (net, reversed));
}

/* The change number @which to one field that counts; FALSE when there are no more. */
static gboolean
change (guint which, BulkheadNet *net)
{
    BulkheadLink *link = g_ptr_array_index (net->links, 0);
    BulkheadWireguard *wireguard = g_ptr_array_index (net->wireguards, 1);

    switch (which) {
    case 0:
        net->features = 0;
        return TRUE;
    case 1:
        g_ptr_array_set_size (net->links, 1);
        return TRUE;
    case 2:
        g_ptr_array_set_size (net->wireguards, 0);
        return TRUE;
    case 3:
        link->index++;
        return TRUE;
    case 4:
        link->name[0] = 'x';
        return TRUE;
    case 5:
        link->type = BULKHEAD_LINK_VLAN;
        return TRUE;
    case 6:
        link->up = !link->up;
        return TRUE;
    case 7:
        link->master = 3;
        return TRUE;
    case 8:
        link->uplink = !link->uplink;
        return TRUE;
    case 9:
        link->default_route = !link->default_route;
        return TRUE;
    case 10:
        g_array_index (link->addresses, BulkheadPrefix, 0).address.bytes[3]++;
        return TRUE;
    case 11:
        g_array_index (link->onlink, BulkheadPrefix, 2).length++;
        return TRUE;
    case 12:
        g_array_set_size (link->gateways, 2);
        return TRUE;
    case 13:
        wireguard->interface[2] = '1';
        return TRUE;
    case 14:
        wireguard->mark = 1;
        return TRUE;
    case 15:
        wireguard->port = 1;
        return TRUE;
    case 16:
        g_array_index (wireguard->endpoints, BulkheadEndpoint, 1).port++;
        return TRUE;
    case 17:
        g_array_index (link->routed, BulkheadPrefix, 1).length--;
        return TRUE;
    case 18:
        link->had_router = !link->had_router;
        return TRUE;
    case 19:
        link->forwards = !link->forwards;
        return TRUE;
    default:
        return FALSE;
    }
}

static void
test_equal (void)
{
    guint changes = 0;

    for (;;) {
        g_autoptr (BulkheadNet) a = make_net (0);
        g_autoptr (BulkheadNet) b = make_net (0);

        g_assert_true (bulkhead_net_equal (a, b));
        if (!change (changes, b))
            break;
        g_test_message ("change %u", changes);
        g_assert_false (bulkhead_net_equal (a, b));
        g_assert_false (bulkhead_net_equal (b, a));
        changes++;
    }
    g_assert_cmpuint (changes, ==, 20);
}

static void
test_equal_without_counters (void)
{
    g_autoptr (BulkheadNet) a = make_net (0);
    g_autoptr (BulkheadNet) b = make_net (1);
    BulkheadWireguard *wireguard = g_ptr_array_index (b->wireguards, 0);

    wireguard->handshake = 1700000000;
    wireguard->received = 1;
    wireguard->sent = 2;
    g_assert_true (bulkhead_net_equal (a, b));
}

static void
test_find (void)
{
    g_autoptr (BulkheadNet) net = make_net (0);

    g_assert_cmpint (bulkhead_net_find_link (net, "eth0")->index, ==, 2);
    g_assert_null (bulkhead_net_find_link (net, "eth"));
    g_assert_null (bulkhead_net_find_link (net, ""));
    g_assert_cmpstr (bulkhead_net_find_wireguard (net, "wg0")->interface, ==, "wg0");
    g_assert_null (bulkhead_net_find_wireguard (net, "eth0"));
}

static void
test_empty (void)
{
    g_autoptr (BulkheadNet) a = bulkhead_net_new (0, NULL, NULL);
    g_autoptr (BulkheadNet) b = bulkhead_net_new (0, new_links (), NULL);
    g_autoptr (BulkheadNet) c = make_net (0);

    g_assert_cmpuint (a->links->len, ==, 0);
    g_assert_cmpuint (a->wireguards->len, ==, 0);
    g_assert_true (bulkhead_net_equal (a, b));
    g_assert_false (bulkhead_net_equal (a, c));
}

static void
test_ref (void)
{
    BulkheadNet *net = make_net (0);
    BulkheadNet *other = bulkhead_net_ref (net);

    g_assert_true (net == other);
    bulkhead_net_unref (net);
    g_assert_cmpuint (other->links->len, ==, 3);
    bulkhead_net_unref (other);
    bulkhead_net_unref (NULL);
}

/* The whole name field is compared in the kernel, so nothing may follow the zero. */
static void
test_names_are_padded (void)
{
    static const char zeros[BULKHEAD_IFNAME_SIZE];
    g_autoptr (BulkheadLink) link =
        bulkhead_link_new (1, "abcdefghijklmnopqrstuvwxyz", BULKHEAD_LINK_DUMMY);
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");

    g_assert_cmpstr (link->name, ==, "abcdefghijklmno");
    g_assert_cmpmem (wireguard->interface + 3, sizeof zeros - 3, zeros, sizeof zeros - 3);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *path = g_strdup_printf ("/net/uplink/%s", cases[i].what);

        g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_uplink);
    }
    g_test_add_func ("/net/uplink/unknown master", test_uplink_unknown_master);
    g_test_add_func ("/net/uplink/default route", test_uplink_by_default_route);
    g_test_add_func ("/net/uplink/router", test_uplink_by_router);
    g_test_add_func ("/net/uplink/bridge by any name", test_bridge_names_do_not_matter);
    g_test_add_func ("/net/sorted", test_sorted);
    g_test_add_func ("/net/equal", test_equal);
    g_test_add_func ("/net/equal/without counters", test_equal_without_counters);
    g_test_add_func ("/net/find", test_find);
    g_test_add_func ("/net/empty", test_empty);
    g_test_add_func ("/net/ref", test_ref);
    g_test_add_func ("/net/names are padded", test_names_are_padded);
    return g_test_run ();
}
