/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads WireGuard links: by generic netlink from the kernel's, by the UAPI socket
 * (/var/run/wireguard/NAME.sock) from userspace ones. Private and preshared keys that come along
 * are wiped before anything else happens. It never writes to a tunnel.
 */
#pragma once

#include "net.h"

/*
 * @interface: a link of type WireGuard or tun. Returns: (transfer full) (nullable): NULL without
 * an error when the link is not a WireGuard one (no such socket, other answer); NULL with an
 * error when it is one and cannot be read. Bounded: answers within 200 ms or is an error.
 */
BulkheadWireguard *bulkhead_wireguard_read (const char *interface, BulkheadLinkType type,
                                            GError **error);

/*
 * The two parsers, for tests and fuzzing: @data is a whole UAPI reply, @message one netlink
 * message, aligned as malloc() does it. Keys are wiped when they are met; in the end all is
 * wiped but the netlink header, whatever happened. After FALSE @wireguard is half filled.
 */
gboolean bulkhead_wireguard_parse_uapi (char *data, gsize length, BulkheadWireguard *wireguard,
                                        GError **error);
gboolean bulkhead_wireguard_parse_message (guint8 *message, gsize length,
                                           BulkheadWireguard *wireguard, GError **error);
