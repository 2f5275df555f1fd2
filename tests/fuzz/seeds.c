/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes what the fuzz targets begin with and no editor can: netlink messages as the kernel makes
 * them and arguments as the bus carries them, into a directory for each target.
 *
 *   seeds DIRECTORY
 */
#include "nft-batch.h"
#include "compile.h"
#include "scenario.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <string.h>

#define SEED_MAX 4096

static const char *root;

/* One input of @target. */
static void
put (const char *target, const char *name, gconstpointer data, gsize size)
{
    g_autofree char *directory = g_build_filename (root, target, NULL);
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autoptr (GError) error = NULL;

    if (g_mkdir_with_parents (directory, 0700) < 0
        || !g_file_set_contents (path, data, size, &error))
        g_error ("%s: %s", path, error != NULL ? error->message : g_strerror (errno));
}

/* ---- links ---- */

typedef struct {
    guint8 bytes[SEED_MAX] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    gsize length; /* of the messages that are done */
} Messages;

static gpointer
begin (Messages *messages, struct nlmsghdr **ret, guint16 type, gsize header)
{
    *ret = mnl_nlmsg_put_header (messages->bytes + messages->length);
    (*ret)->nlmsg_type = type;
    return mnl_nlmsg_put_extra_header (*ret, header);
}

static void
end (Messages *messages, const struct nlmsghdr *message)
{
    messages->length += NLMSG_ALIGN (message->nlmsg_len);
    g_assert_cmpuint (messages->length, <=, sizeof messages->bytes);
}

static void
put_address (struct nlmsghdr *message, guint16 type, const char *text)
{
    guint8 bytes[16];
    gboolean ipv6 = strchr (text, ':') != NULL;

    g_assert_cmpint (inet_pton (ipv6 ? AF_INET6 : AF_INET, text, bytes), ==, 1);
    mnl_attr_put (message, type, ipv6 ? 16 : 4, bytes);
}

static void
add_link (Messages *messages, int index, const char *name, const char *kind, guint32 master)
{
    struct nlmsghdr *message;
    struct ifinfomsg *info = begin (messages, &message, RTM_NEWLINK, sizeof *info);
    struct nlattr *nest;

    info->ifi_index = index;
    info->ifi_type = ARPHRD_ETHER;
    info->ifi_flags = IFF_UP | IFF_LOWER_UP;
    mnl_attr_put_strz (message, IFLA_IFNAME, name);
    if (master != 0)
        mnl_attr_put_u32 (message, IFLA_MASTER, master);
    if (kind == NULL) {
        mnl_attr_put_strz (message, IFLA_PARENT_DEV_NAME, "0000:00:1f.6");
    } else {
        nest = mnl_attr_nest_start (message, IFLA_LINKINFO);
        mnl_attr_put_strz (message, IFLA_INFO_KIND, kind);
        mnl_attr_nest_end (message, nest);
    }
    end (messages, message);
}

static void
add_address (Messages *messages, int index, const char *own, const char *peer, guint8 length)
{
    struct nlmsghdr *message;
    struct ifaddrmsg *info = begin (messages, &message, RTM_NEWADDR, sizeof *info);

    info->ifa_family = strchr (own, ':') != NULL ? AF_INET6 : AF_INET;
    info->ifa_prefixlen = length;
    info->ifa_index = index;
    put_address (message, IFA_LOCAL, own);
    put_address (message, IFA_ADDRESS, peer);
    mnl_attr_put_u32 (message, IFA_FLAGS, IFA_F_PERMANENT);
    end (messages, message);
}

/* @gateways: one for each next hop, ended by NULL. */
static void
add_route (Messages *messages, const char *destination, guint8 length, guint32 index,
           const char *const *gateways)
{
    struct nlmsghdr *message;
    struct rtmsg *info = begin (messages, &message, RTM_NEWROUTE, sizeof *info);
    struct nlattr *nest = NULL;

    info->rtm_family = strchr (destination, ':') != NULL ? AF_INET6 : AF_INET;
    info->rtm_dst_len = length;
    info->rtm_table = RT_TABLE_MAIN;
    info->rtm_scope = gateways[0] == NULL ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    info->rtm_type = RTN_UNICAST;
    put_address (message, RTA_DST, destination);
    if (gateways[0] == NULL || gateways[1] == NULL) {
        mnl_attr_put_u32 (message, RTA_OIF, index);
        if (gateways[0] != NULL)
            put_address (message, RTA_GATEWAY, gateways[0]);
    } else {
        nest = mnl_attr_nest_start (message, RTA_MULTIPATH);
        for (guint i = 0; gateways[i] != NULL; i++) {
            struct rtnexthop *hop = mnl_nlmsg_get_payload_tail (message);

            *hop = (struct rtnexthop){ .rtnh_ifindex = index };
            message->nlmsg_len += sizeof *hop;
            put_address (message, RTA_GATEWAY, gateways[i]);
            hop->rtnh_len = (char *)mnl_nlmsg_get_payload_tail (message) - (char *)hop;
        }
        mnl_attr_nest_end (message, nest);
    }
    end (messages, message);
}

#define HOPS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__ (, ) NULL })

static void
write_links (void)
{
    Messages desktop = { 0 };
    Messages bridged = { 0 };

    add_link (&desktop, 2, "eth0", NULL, 0);
    add_link (&desktop, 3, "wg0", "wireguard", 0);
    add_address (&desktop, 2, "192.168.7.2", "192.168.7.2", 24);
    add_address (&desktop, 3, "10.8.0.2", "10.8.0.1", 32);
    add_address (&desktop, 2, "fe80::2", "fe80::2", 64);
    add_route (&desktop, "0.0.0.0", 0, 2, HOPS ("192.168.7.1"));
    add_route (&desktop, "192.168.7.0", 24, 2, HOPS ());
    add_route (&desktop, "fd00:8::", 64, 3, HOPS ("fe80::1"));
    put ("links", "desktop", desktop.bytes, desktop.length);

    add_link (&bridged, 4, "br0", "bridge", 0);
    add_link (&bridged, 5, "eth0", NULL, 4);
    add_link (&bridged, 6, "vnet0", "tun", 4);
    add_link (&bridged, 7, "ppp0", "ppp", 0);
    add_route (&bridged, "10.0.0.0", 8, 4, HOPS ("10.0.0.1", "10.0.0.2"));
    put ("links", "bridged", bridged.bytes, bridged.length);
}

/* ---- WireGuard ---- */

static void
add_peer (struct nlmsghdr *message, const struct sockaddr *address, gsize size)
{
    const gint64 time[2] = { 1700000000, 7 };
    const guint8 key[32] = { 1, 2, 3 };
    struct nlattr *peer = mnl_attr_nest_start (message, 0);

    mnl_attr_put (message, WGPEER_A_PRESHARED_KEY, sizeof key, key);
    mnl_attr_put (message, WGPEER_A_ENDPOINT, size, address);
    mnl_attr_put_u64 (message, WGPEER_A_RX_BYTES, 1000);
    mnl_attr_put_u64 (message, WGPEER_A_TX_BYTES, 10);
    mnl_attr_put (message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof time, time);
    mnl_attr_nest_end (message, peer);
}

static void
write_wireguard (void)
{
    const struct sockaddr_in v4 = { .sin_family = AF_INET,
                                    .sin_port = htons (51820),
                                    .sin_addr.s_addr = htonl (0xcb007105) };
    const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                                     .sin6_port = htons (443),
                                     .sin6_addr.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 } };
    const guint8 key[32] = { 9, 8, 7 };
    Messages messages = { 0 };
    struct nlmsghdr *message;
    struct genlmsghdr *generic = begin (&messages, &message, 0x1d, sizeof *generic);
    struct nlattr *peers;

    generic->cmd = WG_CMD_GET_DEVICE;
    mnl_attr_put_u16 (message, WGDEVICE_A_LISTEN_PORT, 51820);
    mnl_attr_put_u32 (message, WGDEVICE_A_FWMARK, 0xca6c);
    mnl_attr_put (message, WGDEVICE_A_PRIVATE_KEY, sizeof key, key);
    peers = mnl_attr_nest_start (message, WGDEVICE_A_PEERS);
    add_peer (message, (const struct sockaddr *)&v4, sizeof v4);
    add_peer (message, (const struct sockaddr *)&v6, sizeof v6);
    mnl_attr_nest_end (message, peers);
    end (&messages, message);
    put ("wireguard", "two-peers", messages.bytes, messages.length);
}

/* The last attribute of all is shorter than what it is for. */
static void
write_short_wireguard (void)
{
    Messages messages = { 0 };
    struct nlmsghdr *message;
    struct genlmsghdr *generic = begin (&messages, &message, 0x1d, sizeof *generic);
    struct nlattr *peers, *peer;

    generic->cmd = WG_CMD_GET_DEVICE;
    peers = mnl_attr_nest_start (message, WGDEVICE_A_PEERS);
    peer = mnl_attr_nest_start (message, 0);
    mnl_attr_put_u32 (message, WGPEER_A_LAST_HANDSHAKE_TIME, 1);
    mnl_attr_nest_end (message, peer);
    mnl_attr_nest_end (message, peers);
    end (&messages, message);
    put ("wireguard", "short", messages.bytes, messages.length);
}

/* ---- nf_tables ---- */

static void
append (const struct nlmsghdr *message, gpointer data)
{
    Messages *messages = data;

    if (messages->length + NLMSG_ALIGN (message->nlmsg_len) > sizeof messages->bytes)
        return;
    memcpy (messages->bytes + messages->length, message, message->nlmsg_len);
    messages->length += NLMSG_ALIGN (message->nlmsg_len);
}

/* Of each kind what we send, which is what the kernel lists. */
static void
write_nft (void)
{
    g_autofree char *path =
        g_build_filename (g_getenv ("BULKHEAD_GOLDEN_DIR"), "protected-dual", NULL);
    g_autoptr (Scenario) scenario = scenario_load (path);
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (scenario->policy, scenario->net);
    const BulkheadTable *table = bulkhead_ruleset_find_table (ruleset, BULKHEAD_FAMILY_INET);
    const BulkheadChain *output = bulkhead_table_find_chain (table, "output");
    const BulkheadSet *endpoints = bulkhead_table_find_set (table, "endpoints_by_mark4");
    const char *const names[] = { "objects", "elements" };

    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autoptr (BulkheadBatch) batch = bulkhead_batch_new (0, 0);
        Messages messages = { 0 };

        if (i == 0) {
            bulkhead_batch_add_table (batch, table, 0);
            bulkhead_batch_add_set (batch, table, endpoints);
            bulkhead_batch_add_chain (batch, table, output);
        } else {
            bulkhead_batch_add_elements (batch, table, endpoints, 0);
        }
        bulkhead_batch_foreach (batch, append, &messages);
        put ("nft", names[i], messages.bytes, messages.length);
    }
}

/* ---- arguments ---- */

static void
put_argument (guint8 method, const char *name, const char *text)
{
    g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_parsed (text));
    g_autoptr (GByteArray) bytes = g_byte_array_new ();

    g_byte_array_append (bytes, &method, 1);
    g_byte_array_append (bytes, g_variant_get_data (value), g_variant_get_size (value));
    put ("arguments", name, bytes->data, bytes->len);
}

static void
write_arguments (void)
{
    put_argument (0, "tunnel",
                  "@a{sv} {'name': <'home'>, 'interface': <'wg7'>, 'mark': <uint32 7>, "
                  "'user': <uint32 0>, 'kind': <uint32 1>, "
                  "'endpoints': <@as ['203.0.113.5:51820/udp', '[2001:db8::5]:443/tcp']>}");
    put_argument (1, "lan", "@a{sv} {'cgnat': <true>, 'port_mapping': <false>}");
    put_argument (2, "exceptions",
                  "@as ['192.0.2.0/24', '198.51.100.0/24 tcp 22', '2001:db8::/32 icmp']");
}

/* ---- packets ---- */

static void
write_packets (void)
{
    static const guint8 ipv4[] = {
        0x45, 0, 0, 36, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 9, 1, 2, 0, 53,
    };
    static const guint8 ipv6[64] = {
        [0] = 0x60, [6] = 0, /* hop-by-hop options, a fragment, TCP */
        [8] = 0x20, [23] = 1, [24] = 0x20, [39] = 9,  [40] = 44,
        [48] = 6,   [51] = 1, [57] = 7,    [59] = 80,
    };

    put ("packet", "ipv4", ipv4, sizeof ipv4);
    put ("packet", "ipv6", ipv6, sizeof ipv6);
}

int
main (int argc, char *argv[])
{
    if (argc != 2)
        g_error ("usage: seeds DIRECTORY");
    root = argv[1];
    write_links ();
    write_wireguard ();
    write_short_wireguard ();
    write_nft ();
    write_arguments ();
    write_packets ();
    return 0;
}
