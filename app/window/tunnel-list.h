/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tunnels the helper knows, as a list of BulkheadTunnel. While somebody watches, it is read
 * again every two seconds, each time only after the last answer came. A tunnel keeps its object as
 * long as it is there, so that its row keeps the focus.
 */
#pragma once

#include "client.h"
#include "tunnel.h"

#define BULKHEAD_TYPE_TUNNEL_LIST (bulkhead_tunnel_list_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadTunnelList, bulkhead_tunnel_list, BULKHEAD, TUNNEL_LIST, GObject)

/* Signal "read" (): an answer came, or the helper went. */
BulkheadTunnelList *bulkhead_tunnel_list_new (BulkheadClient *client);
/* (transfer none) */
GListModel *bulkhead_tunnel_list_get_model (BulkheadTunnelList *self);
/* By whoever shows it, while it is shown. */
void bulkhead_tunnel_list_watch (BulkheadTunnelList *self);
void bulkhead_tunnel_list_unwatch (BulkheadTunnelList *self);
/* Reads now: after a change. */
void bulkhead_tunnel_list_refresh (BulkheadTunnelList *self);
/* Whether the list is what the helper that runs now has told. */
gboolean bulkhead_tunnel_list_is_known (BulkheadTunnelList *self);
/* How many of them are trusted. */
guint bulkhead_tunnel_list_count_trusted (BulkheadTunnelList *self);
