/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first page: what the lock is doing, the trusted tunnels, and the two switches beside it. */
#pragma once

#include "client.h"
#include "tunnel-list.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_STATUS_PAGE (bulkhead_status_page_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadStatusPage, bulkhead_status_page, BULKHEAD, STATUS_PAGE, AdwBin)

void bulkhead_status_page_set_helper (BulkheadStatusPage *self, BulkheadClient *client,
                                      BulkheadTunnelList *tunnels);
