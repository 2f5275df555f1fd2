/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user and the administrator want, as an immutable value. A change makes a new policy.
 * Everything in a policy has been checked when it was built: compile never meets a bad one.
 * Pure: no files, no time, no logging. The text form (a key file) is a string in, a string out.
 */
#pragma once

#include "address.h"

#define BULKHEAD_IFNAME_SIZE 16     /* IFNAMSIZ: 15 characters and the zero */
#define BULKHEAD_TUNNEL_NAME_MAX 64 /* bytes */
#define BULKHEAD_TUNNELS_MAX 64
#define BULKHEAD_ENDPOINTS_MAX 256 /* of one tunnel */
#define BULKHEAD_NETWORKS_MAX 256  /* of one tunnel */
#define BULKHEAD_EXCEPTIONS_MAX 200000
#define BULKHEAD_PAUSE_MAX 86400 /* seconds */

/* IPPROTO_TCP and IPPROTO_UDP; 0 in an exception: tcp, udp and icmp alike. */
typedef enum {
    BULKHEAD_PROTOCOL_ANY = 0,
    BULKHEAD_PROTOCOL_ICMP = 1,
    BULKHEAD_PROTOCOL_TCP = 6,
    BULKHEAD_PROTOCOL_UDP = 17,
} BulkheadProtocol;

/* A VPN server: only an address, never a name. Protocol is tcp or udp, port 1..65535. */
typedef struct {
    BulkheadAddress address;
    BulkheadProtocol protocol;
    guint16 port;
} BulkheadEndpoint;

typedef enum {
    BULKHEAD_TUNNEL_UNKNOWN = 0,
    BULKHEAD_TUNNEL_WIREGUARD = 1,
    BULKHEAD_TUNNEL_OPENVPN = 2,
    BULKHEAD_TUNNEL_OTHER = 3,
} BulkheadTunnelKind;

/*
 * A link the user trusts. Who may send to the endpoints: packets with @mark when it is not 0,
 * else packets of sockets opened by user @uid. A WireGuard link adds the endpoints and the mark
 * that are read from it (net.h).
 */
typedef struct {
    char *name;                           /* the user's, unique */
    char interface[BULKHEAD_IFNAME_SIZE]; /* zero padded to the end, unique */
    BulkheadTunnelKind kind;
    GArray *endpoints; /* of BulkheadEndpoint, sorted, may be empty */
    GArray *networks;  /* of BulkheadPrefix: private networks last seen behind it, kept for the
                        * time it is gone; sorted, may be empty */
    guint32 mark;      /* 0: none */
    guint32 uid;       /* used when there is no mark; root by default */
} BulkheadTunnel;

/* An opening the user wrote: destination, protocol and port. */
typedef struct {
    BulkheadPrefix destination;
    BulkheadProtocol protocol;
    guint16 port; /* 0: every port; else protocol is tcp or udp */
} BulkheadException;

typedef struct {
    gboolean locked;
    gboolean lan;              /* LAN bypass */
    gboolean lan_cgnat;        /* count 100.64.0.0/10 as LAN */
    gboolean lan_port_mapping; /* let NAT-PMP, PCP and UPnP reach the router */
    guint pause_seconds;       /* 0: no pause; else how long the pause is in all */
    gint64 pause_until;        /* µs of CLOCK_BOOTTIME at which the pause ends; never stored */
    GPtrArray *tunnels;        /* of BulkheadTunnel, sorted by name */
    GArray *exceptions;        /* of BulkheadException, sorted by service, each once */
} BulkheadPolicy;

/* Not locked, no tunnels, nothing open. */
BulkheadPolicy *bulkhead_policy_new (void);
/* A policy is never written to after it was built, whatever the C type says. */
BulkheadPolicy *bulkhead_policy_ref (const BulkheadPolicy *policy);
void bulkhead_policy_unref (BulkheadPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadPolicy, bulkhead_policy_unref)
gboolean bulkhead_policy_equal (const BulkheadPolicy *a, const BulkheadPolicy *b);

/* Each returns a new policy; those with an error return NULL and BULKHEAD_ERROR_*. */
/* Locking and unlocking both end a pause. */
BulkheadPolicy *bulkhead_policy_with_locked (const BulkheadPolicy *policy, gboolean locked);
BulkheadPolicy *bulkhead_policy_with_lan (const BulkheadPolicy *policy, gboolean lan);
BulkheadPolicy *bulkhead_policy_with_lan_options (const BulkheadPolicy *policy, gboolean cgnat,
                                                  gboolean port_mapping);
/* @seconds 0 ends the pause. @until is CLOCK_BOOTTIME in µs. WRONG_STATE when not locked. */
BulkheadPolicy *bulkhead_policy_with_pause (const BulkheadPolicy *policy, guint seconds,
                                            gint64 until, GError **error);
/* Adds; EXISTS when the name or the interface is taken. @tunnel is copied and checked here:
 * a bad value is INVALID_ARGUMENT with a message that names field, value and reason. */
BulkheadPolicy *bulkhead_policy_with_tunnel (const BulkheadPolicy *policy,
                                             const BulkheadTunnel *tunnel, GError **error);
/* Puts @tunnel in the place of the one of the same name; NOT_FOUND when there is none. */
BulkheadPolicy *bulkhead_policy_with_tunnel_replaced (const BulkheadPolicy *policy,
                                                      const BulkheadTunnel *tunnel, GError **error);
BulkheadPolicy *bulkhead_policy_without_tunnel (const BulkheadPolicy *policy, const char *name,
                                                GError **error);
/* All of them or none. Adding one that is there already is no error; taking away one that is not
 * there is NOT_FOUND. */
BulkheadPolicy *bulkhead_policy_with_exceptions (const BulkheadPolicy *policy,
                                                 const BulkheadException *exceptions, gsize n,
                                                 GError **error);
BulkheadPolicy *bulkhead_policy_without_exceptions (const BulkheadPolicy *policy,
                                                    const BulkheadException *exceptions, gsize n,
                                                    GError **error);

/* With all the tunnels, or all the exceptions, of @other in the place of its own. */
BulkheadPolicy *bulkhead_policy_with_tunnels_of (const BulkheadPolicy *policy,
                                                 const BulkheadPolicy *other);
BulkheadPolicy *bulkhead_policy_with_exceptions_of (const BulkheadPolicy *policy,
                                                    const BulkheadPolicy *other);

/* The tunnel with that name, or that interface; NULL when there is none. */
const BulkheadTunnel *bulkhead_policy_find_tunnel (const BulkheadPolicy *policy, const char *name);
const BulkheadTunnel *bulkhead_policy_find_interface (const BulkheadPolicy *policy,
                                                      const char *interface);

BulkheadTunnel *bulkhead_tunnel_new (const char *name, const char *interface);
BulkheadTunnel *bulkhead_tunnel_copy (const BulkheadTunnel *tunnel);
gboolean bulkhead_tunnel_equal (const BulkheadTunnel *a, const BulkheadTunnel *b);
/* Everything about a tunnel that is no matter of the policy it goes into. */
gboolean bulkhead_tunnel_check (const BulkheadTunnel *tunnel, GError **error);
void bulkhead_tunnel_free (BulkheadTunnel *tunnel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadTunnel, bulkhead_tunnel_free)

/* 1..64 bytes of UTF-8, no control characters, no '[' or ']'. */
gboolean bulkhead_tunnel_name_check (const char *name, GError **error);
/* 1..15 bytes, printable, no space, no '/', no ':', not "." "..", not lo, not a wildcard. */
gboolean bulkhead_interface_check (const char *interface, GError **error);
/* "203.0.113.5:51820/udp", "[2001:db8::5]:443/tcp"; INVALID_ARGUMENT names what is wrong. */
gboolean bulkhead_endpoint_parse (const char *text, BulkheadEndpoint *ret, GError **error);
char *bulkhead_endpoint_to_string (const BulkheadEndpoint *endpoint);
/* What an endpoint may be: not unspecified, loopback, multicast or broadcast; port not 0. */
gboolean bulkhead_endpoint_check (const BulkheadEndpoint *endpoint, GError **error);
int bulkhead_endpoint_compare (const BulkheadEndpoint *a, const BulkheadEndpoint *b);
/* 1..65535 in decimal, no leading zero, nothing else. */
gboolean bulkhead_port_parse (const char *text, guint16 *ret);
/* "any", "icmp", "tcp", "udp". */
const char *bulkhead_protocol_to_string (BulkheadProtocol protocol);
/* tcp and udp. */
gboolean bulkhead_protocol_has_ports (BulkheadProtocol protocol);
gboolean bulkhead_protocol_parse (const char *text, BulkheadProtocol *ret);
/* "192.0.2.0/24", "192.0.2.0/24 tcp", "192.0.2.0/24 tcp 443": one word for each field. */
gboolean bulkhead_exception_parse (const char *text, BulkheadException *ret, GError **error);
char *bulkhead_exception_to_string (const BulkheadException *exception);
/* Refuses ports 53 and 853 (names never leave outside the tunnel), ports without tcp or udp, and
 * destinations that are loopback or multicast. A /0 is refused: that is unlocking. */
gboolean bulkhead_exception_check (const BulkheadException *exception, GError **error);
/* By protocol, then port, then destination, so that one service's destinations stand together. */
int bulkhead_exception_compare (const BulkheadException *a, const BulkheadException *b);

/*
 * The stored form: a key file that ends in a checksum of everything before it, so that a
 * truncated file is never taken for a shorter policy. The pause is not part of it: after a crash
 * the stricter state survives. (policy-text.c)
 */
char *bulkhead_policy_to_text (const BulkheadPolicy *policy);
/* NULL and STATE_UNREADABLE, naming the group and key, on any doubt whatsoever. */
BulkheadPolicy *bulkhead_policy_from_text (const char *text, gsize length, GError **error);
