/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a tunnel's facts (a dictionary as ListTunnels gives it) are in words, in the user's
 * language. Unknown or missing facts are left out, never guessed.
 */
#pragma once

#include <glib.h>

/* "WireGuard · 203.0.113.5:51820/udp" (transfer full) */
char *bulkhead_tunnel_text_server (GVariant *facts);
/* "Up", "Down" or "Not there" (transfer full) */
char *bulkhead_tunnel_text_presence (GVariant *facts);
/* "Up since 14:05, received 1.2 MB, sent 300 kB, last handshake 12 seconds ago"; @now: seconds
 * since the epoch. (transfer full) */
char *bulkhead_tunnel_text_life (GVariant *facts, gint64 now);
/* Who may talk to the server while locked: "Only packets with the mark 0xca6c may reach its
 * server." (transfer full) */
char *bulkhead_tunnel_text_binding (GVariant *facts);
/* "5 minutes", "1 hour"; for @minutes > 0. (transfer full) */
char *bulkhead_text_minutes (guint minutes);
