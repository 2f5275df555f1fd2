/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Remembers since when each trusted tunnel is up, as far as it was seen to come up. */
#pragma once

#include "net.h"

typedef struct _BulkheadUptime BulkheadUptime;

BulkheadUptime *bulkhead_uptime_new (void);
void bulkhead_uptime_free (BulkheadUptime *uptime);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadUptime, bulkhead_uptime_free)

/* To be told after every look at the links. @now: of bulkhead_boottime(), in µs, which no
 * setting of the clock changes: a clock is often set by what the tunnel carries. */
void bulkhead_uptime_update (BulkheadUptime *uptime, const BulkheadNet *net,
                             const BulkheadPolicy *policy, gint64 now);

/* The same; 0: down, or up since before it was looked at. */
gint64 bulkhead_uptime_get (const BulkheadUptime *uptime, const char *interface);
