/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "links-parse.h"

#include "found.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ATTRIBUTES 128 /* more than rtnetlink has for links, addresses or routes */

static int
collect_cb (const struct nlattr *attribute, void *data)
{
    const struct nlattr **of = data;
    guint16 type = mnl_attr_get_type (attribute);

    if (type < ATTRIBUTES)
        of[type] = attribute;
    return MNL_CB_OK;
}

/* FALSE when the message is shorter than its own header, or not padded as the kernel pads: libmnl
 * would read the padding that is not there. */
static gboolean
collect (const struct nlmsghdr *message, gsize header, const struct nlattr *of[ATTRIBUTES])
{
    memset (of, 0, ATTRIBUTES * sizeof of[0]);
    if (mnl_nlmsg_get_payload_len (message) < header || message->nlmsg_len % MNL_ALIGNTO != 0)
        return FALSE;
    return mnl_attr_parse (message, header, collect_cb, of) >= MNL_CB_STOP;
}

static guint32
get_u32 (const struct nlattr *attribute, guint32 absent)
{
    if (attribute == NULL || mnl_attr_validate (attribute, MNL_TYPE_U32) < 0)
        return absent;
    return mnl_attr_get_u32 (attribute);
}

static const char *
get_string (const struct nlattr *attribute)
{
    if (attribute == NULL || mnl_attr_validate (attribute, MNL_TYPE_NUL_STRING) < 0)
        return NULL;
    return mnl_attr_get_str (attribute);
}

static gboolean
make_address (int family, const void *bytes, gsize size, BulkheadAddress *ret)
{
    BulkheadAddress address = { 0 };

    if (family == AF_INET)
        address.family = G_SOCKET_FAMILY_IPV4;
    else if (family == AF_INET6)
        address.family = G_SOCKET_FAMILY_IPV6;
    else
        return FALSE;
    if (size != bulkhead_address_size (&address))
        return FALSE;
    memcpy (address.bytes, bytes, size);
    *ret = address;
    return TRUE;
}

static gboolean
get_address (const struct nlattr *attribute, int family, BulkheadAddress *ret)
{
    return attribute != NULL
           && make_address (family, mnl_attr_get_payload (attribute),
                            mnl_attr_get_payload_len (attribute), ret);
}

/* An unknown kind is taken for hardware, because a link that is guarded needlessly only loses
 * traffic. Hence the last rows: kinds whose frames leave by another link, which is guarded, or
 * that carry no network traffic. */
static BulkheadLinkType
type_of_kind (const char *kind)
{
    static const struct {
        const char *kind;
        BulkheadLinkType type;
    } kinds[] = {
        { "wireguard", BULKHEAD_LINK_WIREGUARD },
        { "tun", BULKHEAD_LINK_TUN },
        { "ppp", BULKHEAD_LINK_PPP },
        { "xfrm", BULKHEAD_LINK_XFRM },
        { "vti", BULKHEAD_LINK_XFRM },
        { "vti6", BULKHEAD_LINK_XFRM },
        { "ovpn", BULKHEAD_LINK_OVPN },
        { "ovpn-dco", BULKHEAD_LINK_OVPN },
        { "ovpn-dco-v2", BULKHEAD_LINK_OVPN },
        { "vlan", BULKHEAD_LINK_VLAN },
        { "bond", BULKHEAD_LINK_BOND },
        { "team", BULKHEAD_LINK_TEAM },
        { "wwan", BULKHEAD_LINK_WWAN },
        { "macvlan", BULKHEAD_LINK_MACVLAN },
        { "macvtap", BULKHEAD_LINK_MACVLAN },
        { "ipvlan", BULKHEAD_LINK_MACVLAN },
        { "ipvtap", BULKHEAD_LINK_MACVLAN },
        { "veth", BULKHEAD_LINK_VETH },
        { "netkit", BULKHEAD_LINK_VETH }, /* a veth by another name, Linux 6.7 */
        { "bridge", BULKHEAD_LINK_BRIDGE },
        { "dummy", BULKHEAD_LINK_DUMMY },
        { "ipip", BULKHEAD_LINK_OTHER },
        { "sit", BULKHEAD_LINK_OTHER },
        { "ip6tnl", BULKHEAD_LINK_OTHER },
        { "gre", BULKHEAD_LINK_OTHER },
        { "gretap", BULKHEAD_LINK_OTHER },
        { "erspan", BULKHEAD_LINK_OTHER },
        { "ip6gre", BULKHEAD_LINK_OTHER },
        { "ip6gretap", BULKHEAD_LINK_OTHER },
        { "ip6erspan", BULKHEAD_LINK_OTHER },
        { "vxlan", BULKHEAD_LINK_OTHER },
        { "geneve", BULKHEAD_LINK_OTHER },
        { "ifb", BULKHEAD_LINK_OTHER },
        { "vrf", BULKHEAD_LINK_OTHER },
        { "nlmon", BULKHEAD_LINK_OTHER },
        { "can", BULKHEAD_LINK_OTHER },
        { "vcan", BULKHEAD_LINK_OTHER },
        { "vxcan", BULKHEAD_LINK_OTHER },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
        if (strcmp (kinds[i].kind, kind) == 0)
            return kinds[i].type;
    return BULKHEAD_LINK_HARDWARE;
}

static BulkheadLinkType
type_of_link (const struct ifinfomsg *info, const struct nlattr *const *of)
{
    const struct nlattr *nested[ATTRIBUTES] = { 0 };
    const char *kind;

    if ((info->ifi_flags & IFF_LOOPBACK) != 0 || info->ifi_type == ARPHRD_LOOPBACK)
        return BULKHEAD_LINK_LOOPBACK;
    if (of[IFLA_LINKINFO] != NULL)
        mnl_attr_parse_nested (of[IFLA_LINKINFO], collect_cb, nested);
    kind = get_string (nested[IFLA_INFO_KIND]);
    if (kind != NULL)
        return type_of_kind (kind);
    /* A serial WAN card speaks PPP too, but has a device below it (told since Linux 5.14). */
    if (info->ifi_type == ARPHRD_PPP && of[IFLA_PARENT_DEV_NAME] == NULL)
        return BULKHEAD_LINK_PPP;
    return BULKHEAD_LINK_HARDWARE;
}

/* The kernel may know more counters than we do, or fewer. */
static void
read_counters (const struct nlattr *attribute, BulkheadLink *link)
{
    struct rtnl_link_stats64 counters = { 0 };

    if (attribute == NULL)
        return;
    memcpy (&counters, mnl_attr_get_payload (attribute),
            MIN (mnl_attr_get_payload_len (attribute), sizeof counters));
    link->received = counters.rx_bytes;
    link->sent = counters.tx_bytes;
}

/* One value of the array of settings that a link has for a family; it may be shorter than ours. */
static gboolean
get_setting (const struct nlattr *family, guint16 array, guint index)
{
    const struct nlattr *of[ATTRIBUTES] = { 0 };
    guint32 value = 0;

    if (family != NULL)
        mnl_attr_parse_nested (family, collect_cb, of);
    if (of[array] != NULL && mnl_attr_get_payload_len (of[array]) >= (index + 1) * sizeof value)
        memcpy (&value, (const guint32 *)mnl_attr_get_payload (of[array]) + index, sizeof value);
    return value != 0;
}

static gboolean
read_forwards (const struct nlattr *families)
{
    const struct nlattr *of[ATTRIBUTES] = { 0 };

    if (families != NULL)
        mnl_attr_parse_nested (families, collect_cb, of);
    return get_setting (of[AF_INET], IFLA_INET_CONF, IPV4_DEVCONF_FORWARDING - 1)
           || get_setting (of[AF_INET6], IFLA_INET6_CONF, DEVCONF_FORWARDING);
}

static void
read_link (const struct nlmsghdr *message, GPtrArray *links)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload (message);
    const struct nlattr *of[ATTRIBUTES];
    const char *name;
    BulkheadLink *link;

    if (!collect (message, sizeof *info, of))
        return;
    name = get_string (of[IFLA_IFNAME]);
    if (name == NULL)
        return;

    link = bulkhead_link_new (info->ifi_index, name, type_of_link (info, of));
    link->up = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & IFF_LOWER_UP) != 0;
    link->master = (int)get_u32 (of[IFLA_MASTER], 0);
    link->forwards = read_forwards (of[IFLA_AF_SPEC]);
    link->ethernet = info->ifi_type == ARPHRD_ETHER;
    read_counters (of[IFLA_STATS64], link);
    g_ptr_array_add (links, link);
}

static BulkheadLink *
find_link (const GPtrArray *links, guint32 index)
{
    for (guint i = 0; i < links->len; i++) {
        BulkheadLink *link = g_ptr_array_index (links, i);

        if (link->index == (int)index)
            return link;
    }
    return NULL;
}

static void
add_network (GArray *networks, const BulkheadPrefix *prefix)
{
    BulkheadPrefix network = bulkhead_prefix_network (prefix);

    g_array_append_val (networks, network);
}

/* IFA_LOCAL is our own address and IFA_ADDRESS the peer's; without a peer they are equal (IPv4)
 * or IFA_LOCAL is missing (IPv6). With one, the length is the peer's in IPv4 and ours in IPv6,
 * and the other of the two is a single address. */
static void
read_address (const struct nlmsghdr *message, GPtrArray *links)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload (message);
    const struct nlattr *of[ATTRIBUTES];
    BulkheadPrefix own = { 0 };
    BulkheadPrefix peer = { 0 };
    BulkheadLink *link;
    guint8 bits;

    if (!collect (message, sizeof *info, of))
        return;
    link = find_link (links, info->ifa_index);
    if (link == NULL || !get_address (of[IFA_ADDRESS], info->ifa_family, &peer.address))
        return;
    bits = 8 * bulkhead_address_size (&peer.address);
    if (info->ifa_prefixlen > bits)
        return;

    if (!get_address (of[IFA_LOCAL], info->ifa_family, &own.address))
        own.address = peer.address;
    own.length = info->ifa_prefixlen;
    peer.length = info->ifa_prefixlen;
    if (bulkhead_address_compare (&own.address, &peer.address) != 0)
        *(info->ifa_family == AF_INET ? &own.length : &peer.length) = bits;
    g_array_append_val (link->addresses, own);
    if ((get_u32 (of[IFA_FLAGS], info->ifa_flags) & IFA_F_NOPREFIXROUTE) != 0)
        return;
    add_network (link->onlink, &own);
    add_network (link->onlink, &peer);
}

typedef struct {
    BulkheadPrefix destination;
    gboolean main; /* of the main table */
} Route;

static gboolean
get_destination (const struct rtmsg *info, const struct nlattr *destination, BulkheadPrefix *ret)
{
    ret->length = info->rtm_dst_len;
    return info->rtm_dst_len == 0
           || (get_address (destination, info->rtm_family, &ret->address)
               && info->rtm_dst_len <= 8 * bulkhead_address_size (&ret->address));
}

/* FALSE: a snapshot reads nothing of this route. Policy routing may keep the default route, and a
 * VPN what is behind it, in other tables than main; what routing daemons have there by the hundred
 * thousand are public networks, which say nothing. */
static gboolean
get_route (const struct rtmsg *info, const struct nlattr *const *of, Route *ret)
{
    guint32 table = get_u32 (of[RTA_TABLE], info->rtm_table);

    if ((info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
        || info->rtm_type != RTN_UNICAST || (info->rtm_flags & RTM_F_CLONED) != 0
        || table == RT_TABLE_LOCAL || !get_destination (info, of[RTA_DST], &ret->destination))
        return FALSE;
    ret->main = table == RT_TABLE_MAIN;
    return ret->main || ret->destination.length <= 1
           || bulkhead_found_private_block (&ret->destination) != NULL;
}

static gboolean
get_gateway (const struct nlattr *const *of, int family, BulkheadAddress *ret)
{
    const struct rtvia *via;
    gsize size;

    if (get_address (of[RTA_GATEWAY], family, ret))
        return TRUE;
    if (of[RTA_VIA] == NULL || mnl_attr_get_payload_len (of[RTA_VIA]) < sizeof *via)
        return FALSE;
    via = mnl_attr_get_payload (of[RTA_VIA]);
    size = mnl_attr_get_payload_len (of[RTA_VIA]) - sizeof *via;
    return make_address (via->rtvia_family, via->rtvia_addr, size, ret);
}

/*
 * One next hop of a route: @of are its own attributes. 0.0.0.0/1, 128.0.0.0/1 and their IPv6 twins
 * are a VPN's cover over the default route: neither a default route, as the one below is still
 * there, nor a network. Another table than main may be a VPN's own: its default route makes
 * no uplink, and no network of it is called local.
 */
static void
read_hop (GPtrArray *links, const struct rtmsg *info, const Route *route, guint32 index,
          const struct nlattr *const *of)
{
    BulkheadLink *link = find_link (links, index);
    BulkheadAddress gateway;
    gboolean has_gateway = get_gateway (of, info->rtm_family, &gateway);

    if (link == NULL)
        return;
    if (has_gateway)
        g_array_append_val (link->gateways, gateway);
    if (route->destination.length == 0 && route->main)
        link->default_route = TRUE;
    if (route->destination.length <= 1)
        return;
    if (has_gateway || !route->main)
        add_network (link->routed, &route->destination);
    /* IPv6 has no scopes: there every route without a gateway is on-link. */
    else if (info->rtm_family == AF_INET6 || info->rtm_scope == RT_SCOPE_LINK)
        add_network (link->onlink, &route->destination);
}

static void
read_hops (GPtrArray *links, const struct rtmsg *info, const Route *route,
           const struct nlattr *multipath)
{
    struct rtnexthop *hop = mnl_attr_get_payload (multipath);
    int left = mnl_attr_get_payload_len (multipath);

    while (left >= (int)sizeof *hop && RTNH_OK (hop, left)) {
        const struct nlattr *of[ATTRIBUTES] = { 0 };

        mnl_attr_parse_payload (RTNH_DATA (hop), hop->rtnh_len - sizeof *hop, collect_cb, of);
        read_hop (links, info, route, hop->rtnh_ifindex, of);
        left -= RTNH_ALIGN (hop->rtnh_len);
        hop = RTNH_NEXT (hop);
    }
}

static void
read_route (const struct nlmsghdr *message, GPtrArray *links)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload (message);
    const struct nlattr *of[ATTRIBUTES];
    Route route = { 0 };

    if (!collect (message, sizeof *info, of) || !get_route (info, of, &route))
        return;
    if (of[RTA_MULTIPATH] != NULL)
        read_hops (links, info, &route, of[RTA_MULTIPATH]);
    else
        read_hop (links, info, &route, get_u32 (of[RTA_OIF], 0), of);
}

int
bulkhead_links_parse_cb (const struct nlmsghdr *message, void *links)
{
    if (message->nlmsg_type == RTM_NEWLINK)
        read_link (message, links);
    else if (message->nlmsg_type == RTM_NEWADDR)
        read_address (message, links);
    else if (message->nlmsg_type == RTM_NEWROUTE)
        read_route (message, links);
    return MNL_CB_OK;
}

gboolean
bulkhead_links_event_counts (const struct nlmsghdr *message)
{
    const struct nlattr *of[ATTRIBUTES];
    Route route = { 0 };

    if (message->nlmsg_type != RTM_NEWROUTE && message->nlmsg_type != RTM_DELROUTE)
        return TRUE;
    return collect (message, sizeof (struct rtmsg), of)
           && get_route (mnl_nlmsg_get_payload (message), of, &route);
}
