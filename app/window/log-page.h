/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the helper did and saw, newest first, with a search. Read anew when it is shown and when
 * the helper tells a change. */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_LOG_PAGE (bulkhead_log_page_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadLogPage, bulkhead_log_page, BULKHEAD, LOG_PAGE, AdwBin)

void bulkhead_log_page_set_client (BulkheadLogPage *self, BulkheadClient *client);
/* Puts the focus into the search. */
void bulkhead_log_page_search (BulkheadLogPage *self);
