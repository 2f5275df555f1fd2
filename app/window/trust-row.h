/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tunnel on the Tunnels page: a switch whether it is trusted, and what binds its server. */
#pragma once

#include "client.h"
#include "tunnel-list.h"

#include <adwaita.h>

/* A BulkheadSwitchRow that asks the helper to trust or forget @tunnel, and has @list read again. */
GtkWidget *bulkhead_trust_row_new (BulkheadTunnel *tunnel, BulkheadClient *client,
                                   BulkheadTunnelList *list);
