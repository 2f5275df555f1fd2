/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What there is around us, as an immutable snapshot: links with their addresses and on-link
 * prefixes, what was read from WireGuard links, what this kernel can do. Pure: links.c and
 * wireguard.c make the values, compile reads them.
 */
#pragma once

#include "policy.h"

/* Optional kernel features. What the lock cannot do without (inet tables, sets with
 * concatenations and intervals, ct state, reject) is not here: without it we are broken. */
typedef enum {
    BULKHEAD_FEATURE_EGRESS = 1 << 0, /* netdev egress hook, Linux 5.16 */
    BULKHEAD_FEATURE_LOG = 1 << 1,    /* log statement to an nflog group */
    BULKHEAD_FEATURE_OWNER = 1 << 2,  /* table flags owner and persist together, Linux 6.9 */
} BulkheadFeatures;
#define BULKHEAD_FEATURES_ALL                                                                      \
    (BULKHEAD_FEATURE_EGRESS | BULKHEAD_FEATURE_LOG | BULKHEAD_FEATURE_OWNER)

/* What a link is, told by rtnetlink (IFLA_INFO_KIND, IFLA_PARENT_DEV_NAME, ARPHRD type). */
typedef enum {
    BULKHEAD_LINK_OTHER = 0,
    BULKHEAD_LINK_LOOPBACK,
    BULKHEAD_LINK_HARDWARE, /* has a parent device, or an Ethernet/WLAN/WWAN link of no kind */
    BULKHEAD_LINK_VLAN,
    BULKHEAD_LINK_BOND,
    BULKHEAD_LINK_TEAM,
    BULKHEAD_LINK_WWAN,
    BULKHEAD_LINK_MACVLAN, /* macvlan, macvtap, ipvlan, ipvtap */
    BULKHEAD_LINK_VETH,
    BULKHEAD_LINK_BRIDGE,
    BULKHEAD_LINK_WIREGUARD,
    BULKHEAD_LINK_TUN, /* tun and tap: OpenVPN, wireguard-go, guests' taps */
    BULKHEAD_LINK_PPP,
    BULKHEAD_LINK_XFRM, /* xfrm, vti, vti6 */
    BULKHEAD_LINK_OVPN, /* ovpn, ovpn-dco-v2 */
    BULKHEAD_LINK_DUMMY,
} BulkheadLinkType;

typedef struct {
    int index;
    char name[BULKHEAD_IFNAME_SIZE]; /* zero padded */
    BulkheadLinkType type;
    gboolean up;            /* administratively up and with carrier */
    int master;             /* index of its bridge, bond or team; 0: none */
    gboolean uplink;        /* worked out by bulkhead_net_new() */
    GArray *addresses;      /* of BulkheadPrefix: its own, host bits kept, sorted */
    GArray *onlink;         /* of BulkheadPrefix: networks reached without a gateway */
    GArray *routed;         /* of BulkheadPrefix: networks reached through a gateway on it, or, if
                             * they are private, by other tables than main; not the default
                             * route, nor the two halves a VPN covers it with */
    GArray *gateways;       /* of BulkheadAddress: next hops of its routes: a VPN may leave of the
                             * router only the route to its server */
    gboolean default_route; /* it has one in main, with a gateway or without; two halves are none */
    gboolean had_router;    /* it was seen with a default route or a gateway: see links.h */
    gboolean forwards;      /* the kernel forwards packets that come in by it, IPv4 or IPv6 */
    gboolean ethernet;      /* its frames have such a header (ARPHRD_ETHER) */
    guint64 received;       /* bytes, since the link was made */
    guint64 sent;
} BulkheadLink;

/* What a WireGuard link says of itself. The private key is wiped where it is read. */
typedef struct {
    char interface[BULKHEAD_IFNAME_SIZE];
    guint32 mark;     /* its fwmark; 0: none */
    guint16 port;     /* UDP port it listens on */
    gint64 handshake; /* newest of all peers, seconds since the epoch; 0: never */
    guint64 received; /* bytes of all peers */
    guint64 sent;
    GArray *endpoints; /* of BulkheadEndpoint, udp, sorted */
} BulkheadWireguard;

typedef struct {
    BulkheadFeatures features;
    GPtrArray *links;      /* of BulkheadLink, sorted by name */
    GPtrArray *wireguards; /* of BulkheadWireguard, sorted by interface */
} BulkheadNet;

BulkheadLink *bulkhead_link_new (int index, const char *name, BulkheadLinkType type);
void bulkhead_link_free (BulkheadLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadLink, bulkhead_link_free)
BulkheadWireguard *bulkhead_wireguard_new (const char *interface);
void bulkhead_wireguard_free (BulkheadWireguard *wireguard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadWireguard, bulkhead_wireguard_free)

/*
 * Takes both arrays (with free functions set; either may be NULL), sorts them and everything in
 * them, and works out which links are uplinks.
 */
BulkheadNet *bulkhead_net_new (BulkheadFeatures features, GPtrArray *links, GPtrArray *wireguards);
BulkheadNet *bulkhead_net_ref (const BulkheadNet *net);
void bulkhead_net_unref (BulkheadNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadNet, bulkhead_net_unref)
/* Counters (handshake, received, sent, of links too) do not count: they never change a rule. */
gboolean bulkhead_net_equal (const BulkheadNet *a, const BulkheadNet *b);

const BulkheadLink *bulkhead_net_find_link (const BulkheadNet *net, const char *name);
const BulkheadWireguard *bulkhead_net_find_wireguard (const BulkheadNet *net, const char *name);

/* Any but fe80::, which the kernel gives to every link that is up. */
gboolean bulkhead_link_has_address (const BulkheadLink *link);
/* It leads to a router: it has a default route or a gateway, or had one. A VPN may take every route
 * by a link away, and the router is still there. */
gboolean bulkhead_link_leads_to_router (const BulkheadLink *link);
/*
 * Whether frames that leave by @link leave the machine. Hardware always, also as a port of a
 * bridge (bridged guests' frames pass there: LEAKS L85); vlan, bond, team, wwan, macvlan; ppp, as
 * modems have it; a veth without a master, or one in a bridge that leads outside (the bridge has no
 * address of its own, fe80:: not counted, for every link has one; or it leads to a router: then
 * nobody can tell which port is the guest's); and whatever holds a default route, tunnels' kinds
 * too, for which tunnels are trusted is not known here. Never loopback and bridges themselves;
 * without a default route, no other tunnels' kinds, taps, dummies, or veths in a bridge with an
 * address of its own and no router (docker0, virbr0, lxcbr0).
 */
gboolean bulkhead_link_is_uplink (const BulkheadLink *link, const BulkheadLink *master);
/* FALSE for what can never be a tunnel, whatever the policy calls it: loopback, bridges, and links
 * of hardware (a name may be born again on another link: LEAKS L38). */
gboolean bulkhead_link_may_be_trusted (const BulkheadLink *link);
/* Whether a tunnel of @kind may have such a link: a name may be born again on another kind of link
 * (LEAKS L38). Of an unknown kind, whatever may be trusted. */
gboolean bulkhead_link_is_of_kind (const BulkheadLink *link, BulkheadTunnelKind kind);
/* Tunnels' kinds: WireGuard, tun and tap without a master, ppp, xfrm, ovpn. */
gboolean bulkhead_link_may_be_tunnel (const BulkheadLink *link);
