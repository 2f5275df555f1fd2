/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tunnels that were found and those added by hand: which are trusted, and by what they are
 * bound. */
#pragma once

#include "client.h"
#include "tunnel-list.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_TUNNELS_PAGE (bulkhead_tunnels_page_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadTunnelsPage, bulkhead_tunnels_page, BULKHEAD, TUNNELS_PAGE, AdwBin)

void bulkhead_tunnels_page_set_helper (BulkheadTunnelsPage *self, BulkheadClient *client,
                                       BulkheadTunnelList *tunnels);
