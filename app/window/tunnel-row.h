/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trusted tunnel on the Status page: name, kind, server, since when, traffic, handshake. */
#pragma once

#include "tunnel.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_TUNNEL_ROW (bulkhead_tunnel_row_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadTunnelRow, bulkhead_tunnel_row, BULKHEAD, TUNNEL_ROW, AdwActionRow)

GtkWidget *bulkhead_tunnel_row_new (BulkheadTunnel *tunnel);
