/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages about links, addresses and routes that no kernel at hand would send. */
#include "links-parse.h"

#include "net.h"

#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static void
put_kind (struct nlmsghdr *message, const char *kind)
{
    struct nlattr *info = mnl_attr_nest_start (message, IFLA_LINKINFO);

    mnl_attr_put_strz (message, IFLA_INFO_KIND, kind);
    mnl_attr_nest_end (message, info);
}

static struct nlmsghdr *
make_link (guint8 *buffer, guint16 hardware, const char *kind, const char *parent)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);

    message->nlmsg_type = RTM_NEWLINK;
    info->ifi_index = 4;
    info->ifi_type = hardware;
    mnl_attr_put_strz (message, IFLA_IFNAME, "x");
    if (kind != NULL)
        put_kind (message, kind);
    if (parent != NULL)
        mnl_attr_put_strz (message, IFLA_PARENT_DEV_NAME, parent);
    return message;
}

static GPtrArray *
new_links (void)
{
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
}

/* What this kernel cannot make, as messages. */
static void
test_kinds (void)
{
    static const struct {
        guint16 hardware;
        const char *kind;
        const char *parent;
        BulkheadLinkType type;
    } kinds[] = {
        { ARPHRD_ETHER, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, NULL, "0000:00:1f.6", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_IEEE80211, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_INFINIBAND, "ipoib", "0000:01:00.0", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_IEEE1394, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_RAWIP, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_NONE, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { 12345, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, "never heard of", NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, "", NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_PPP, NULL, NULL, BULKHEAD_LINK_PPP },
        { ARPHRD_PPP, NULL, "0000:02:00.0", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_PPP, "ppp", NULL, BULKHEAD_LINK_PPP },
        { ARPHRD_LOOPBACK, NULL, NULL, BULKHEAD_LINK_LOOPBACK },
        { ARPHRD_NONE, "wireguard", NULL, BULKHEAD_LINK_WIREGUARD },
        { ARPHRD_NONE, "tun", NULL, BULKHEAD_LINK_TUN },
        { ARPHRD_NONE, "xfrm", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_TUNNEL, "vti", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_TUNNEL6, "vti6", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_NONE, "ovpn", NULL, BULKHEAD_LINK_OVPN },
        { ARPHRD_NONE, "ovpn-dco-v2", NULL, BULKHEAD_LINK_OVPN },
        { ARPHRD_ETHER, "vlan", NULL, BULKHEAD_LINK_VLAN },
        { ARPHRD_ETHER, "bond", NULL, BULKHEAD_LINK_BOND },
        { ARPHRD_ETHER, "team", NULL, BULKHEAD_LINK_TEAM },
        { ARPHRD_NONE, "wwan", "wwan0", BULKHEAD_LINK_WWAN },
        { ARPHRD_ETHER, "macvlan", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "macvtap", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "ipvlan", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "ipvtap", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "veth", NULL, BULKHEAD_LINK_VETH },
        { ARPHRD_ETHER, "bridge", NULL, BULKHEAD_LINK_BRIDGE },
        { ARPHRD_ETHER, "dummy", NULL, BULKHEAD_LINK_DUMMY },
        { ARPHRD_SIT, "sit", NULL, BULKHEAD_LINK_OTHER },
        { ARPHRD_ETHER, "vrf", NULL, BULKHEAD_LINK_OTHER },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
        guint8 buffer[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        struct nlmsghdr *message =
            make_link (buffer, kinds[i].hardware, kinds[i].kind, kinds[i].parent);
        const BulkheadLink *link;

        g_test_message ("%u %s", kinds[i].hardware, kinds[i].kind);
        g_assert_cmpint (bulkhead_links_parse_cb (message, array), ==, MNL_CB_OK);
        g_assert_cmpuint (array->len, ==, 1);
        link = g_ptr_array_index (array, 0);
        g_assert_cmpint (link->type, ==, kinds[i].type);
        g_assert_cmpint (link->ethernet, ==, kinds[i].hardware == ARPHRD_ETHER);
    }
}

/* Of kernels that know more counters than we do, and fewer. */
static void
test_counters (void)
{
    const gsize sizes[] = { sizeof (struct rtnl_link_stats64), 24, 4, 0, 400 };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        guint8 buffer[1024] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        g_autofree guint8 *counters = g_malloc0 (MAX (sizes[i], sizeof (struct rtnl_link_stats64)));
        g_autofree struct nlmsghdr *copy = NULL;
        struct nlmsghdr *message = make_link (buffer, 1, "tun", "y");
        struct rtnl_link_stats64 *known = (gpointer)counters;
        const BulkheadLink *link;

        known->rx_bytes = G_GUINT64_CONSTANT (5000000000);
        known->tx_bytes = 7;
        mnl_attr_put (message, IFLA_STATS64, sizes[i], counters);
        copy = g_memdup2 (buffer, message->nlmsg_len);
        bulkhead_links_parse_cb (copy, array);
        g_assert_cmpuint (array->len, ==, 1);
        link = g_ptr_array_index (array, 0);
        /* rx_bytes is the third counter, tx_bytes the fourth. */
        g_assert_cmpuint (link->received, ==, sizes[i] >= 24 ? known->rx_bytes : 0);
        g_assert_cmpuint (link->sent, ==, sizes[i] >= 32 ? 7 : 0);
    }
}

/* Found by the fuzzer: libmnl takes the padding after the last attribute for there. */
static void
test_unpadded (void)
{
    guint8 buffer[1024] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (GPtrArray) array = new_links ();
    struct nlmsghdr *message = make_link (buffer, 1, "tun", "y");
    g_autofree struct nlmsghdr *copy = NULL;

    message->nlmsg_len -= 2;
    copy = g_memdup2 (buffer, message->nlmsg_len);
    bulkhead_links_parse_cb (copy, array);
    g_assert_cmpuint (array->len, ==, 0);
}

static struct nlmsghdr *
make_route (guint8 *buffer)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct rtmsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);
    struct {
        struct rtnexthop hop;
        struct nlattr gateway;
        guint8 address[4];
    } hops[2] = {
        { { sizeof hops[0], 0, 0, 4 }, { 8, RTA_GATEWAY }, { 192, 0, 2, 1 } },
        { { sizeof hops[0], 0, 0, 4 }, { 8, RTA_GATEWAY }, { 192, 0, 2, 2 } },
    };

    message->nlmsg_type = RTM_NEWROUTE;
    info->rtm_family = AF_INET;
    info->rtm_table = RT_TABLE_MAIN;
    info->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32 (message, RTA_OIF, 4);
    mnl_attr_put_u32 (message, RTA_DST, 0x0a000000);
    mnl_attr_put (message, RTA_VIA, 18, "\12\0abcdefghijklmnop");
    mnl_attr_put (message, RTA_MULTIPATH, sizeof hops, hops);
    return message;
}

static struct nlmsghdr *
make_address (guint8 *buffer)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);

    message->nlmsg_type = RTM_NEWADDR;
    info->ifa_family = AF_INET;
    info->ifa_prefixlen = 24;
    info->ifa_index = 4;
    mnl_attr_put_u32 (message, IFA_ADDRESS, 0x0a000001);
    mnl_attr_put_u32 (message, IFA_LOCAL, 0x0a000001);
    mnl_attr_put_u32 (message, IFA_FLAGS, 0);
    return message;
}

/* Lengths and types inside of a message may be anything. */
static void
test_random (void)
{
    for (int i = 0; i < 20000; i++) {
        guint8 buffer[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        g_autofree struct nlmsghdr *copy = NULL;
        struct nlmsghdr *message = i % 3 == 0   ? make_link (buffer, 1, "veth", "y")
                                   : i % 3 == 1 ? make_address (buffer)
                                                : make_route (buffer);
        gsize length = message->nlmsg_len;

        for (int j = g_test_rand_int_range (1, 6); j > 0; j--)
            buffer[g_test_rand_int_range (NLMSG_HDRLEN, length)] =
                g_test_rand_int_range (0, g_test_rand_bit () ? 40 : 256);
        g_ptr_array_add (array, bulkhead_link_new (4, "x", BULKHEAD_LINK_HARDWARE));
        copy = g_memdup2 (buffer, length);
        bulkhead_links_parse_cb (copy, array);
        bulkhead_links_event_counts (copy);
        bulkhead_net_unref (bulkhead_net_new (0, g_steal_pointer (&array), NULL));
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/links-parse/kinds", test_kinds);
    g_test_add_func ("/links-parse/counters", test_counters);
    g_test_add_func ("/links-parse/unpadded", test_unpadded);
    g_test_add_func ("/links-parse/random", test_random);
    return g_test_run ();
}
