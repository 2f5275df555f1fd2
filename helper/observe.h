/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is around us right now, put together from links and WireGuard, and what it says of the
 * tunnels the user trusts. */
#pragma once

#include "links.h"

/* Returns: (transfer full): NULL when the kernel does not answer; then what was known stays. */
BulkheadNet *bulkhead_observe (BulkheadLinks *reader, BulkheadFeatures features, GError **error);

/* Link of the tunnel's kind, up, with an address, and for WireGuard a handshake younger than 180 s.
 */
gboolean bulkhead_observe_tunnel_is_up (const BulkheadNet *net, const BulkheadTunnel *tunnel);
gboolean bulkhead_observe_any_tunnel_is_up (const BulkheadNet *net, const BulkheadPolicy *policy);

/*
 * Seconds until a trusted WireGuard link is worth another look, 0: never. The kernel does not
 * tell of handshakes: a live one is looked at when it would be stale, one that is silent or
 * cannot be read after @silent_seconds.
 */
guint bulkhead_observe_poll_interval (const BulkheadNet *net, const BulkheadPolicy *policy,
                                      guint silent_seconds);
