/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Links that could be tunnels: what a tunnel made from one would be, and which links never are.
 * Pure.
 */
#pragma once

#include "net.h"

/* What the snapshot says of that interface; UNKNOWN when it is not there. */
BulkheadTunnelKind bulkhead_found_kind (const BulkheadNet *net, const char *interface);

/* A tunnel of the link's name, with all that bulkhead_found_update() finds. (transfer full) */
BulkheadTunnel *bulkhead_found_tunnel (const BulkheadNet *net, const char *interface);

/* The block of private addresses, CGNAT's included, that @network is of; NULL: it is public. */
const BulkheadPrefix *bulkhead_found_private_block (const BulkheadPrefix *network);

/*
 * The endpoints that count: those known, unless the WireGuard link (nullable) has roamed to a
 * server that nobody wrote down; then its own word counts and the old one's does not.
 * (transfer none)
 */
GArray *bulkhead_found_endpoints (const BulkheadTunnel *tunnel, const BulkheadWireguard *wireguard);
/*
 * @tunnel as @net has it now: its kind, when that was not known (LEAKS L38), the mark of its
 * WireGuard link, the endpoints that count, and, while it is up and has an address, the private
 * networks behind it (LEAKS L25). What @net does not tell stays as it was known. (transfer full)
 */
BulkheadTunnel *bulkhead_found_update (const BulkheadTunnel *tunnel, const BulkheadNet *net);

/*
 * FALSE and INVALID_ARGUMENT when that interface is there and is the loopback, a bridge, of a kind
 * that may not be trusted, or a veth with a default route: to trust one of those would be to
 * unlock. A tunnel that holds the default route is what tunnels are for.
 */
gboolean bulkhead_found_check (const BulkheadNet *net, const char *interface, GError **error);
