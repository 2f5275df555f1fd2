/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dialog that adds a tunnel by hand. What is wrong in it the helper says, and it is shown at
 * the field. */
#pragma once

#include "client.h"
#include "tunnel-list.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_ADD_TUNNEL (bulkhead_add_tunnel_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadAddTunnel, bulkhead_add_tunnel, BULKHEAD, ADD_TUNNEL, AdwWindow)

/* @list is read again when a tunnel was added. */
GtkWidget *bulkhead_add_tunnel_new (GtkWindow *parent, BulkheadClient *client,
                                    BulkheadTunnelList *list);
