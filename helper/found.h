/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Links that could be tunnels: what a tunnel made from one would be, and which links never are.
 * Pure.
 */
#pragma once

#include "net.h"

/* What the snapshot says of that interface; UNKNOWN when it is not there. */
BulkheadTunnelKind bulkhead_found_kind (const BulkheadNet *net, const char *interface);

/* A tunnel of the link's name, with the endpoints and the mark that WireGuard tells.
 * (transfer full) */
BulkheadTunnel *bulkhead_found_tunnel (const BulkheadNet *net, const char *interface);

/*
 * The endpoints that count: those known, unless the WireGuard link (nullable) has roamed to a
 * server that nobody wrote down; then its own word counts and the old one's does not.
 * (transfer none)
 */
GArray *bulkhead_found_endpoints (const BulkheadTunnel *tunnel, const BulkheadWireguard *wireguard);
/* @tunnel with the mark its WireGuard link has now, and the endpoints that count. (transfer full)
 */
BulkheadTunnel *bulkhead_found_update (const BulkheadTunnel *tunnel,
                                       const BulkheadWireguard *wireguard);

/* FALSE and INVALID_ARGUMENT when that interface is there and is the loopback, an uplink or a
 * bridge: to trust one of those would be to unlock. */
gboolean bulkhead_found_check (const BulkheadNet *net, const char *interface, GError **error);
