/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three steps: tick the tunnels to trust, be authorised once, lock. Each can be passed over, and
 * the whole can be left at any time. The ticks are wishes of the person until the last step, where
 * the helper is asked for them; what is trusted already is ticked, and stays so.
 */
#pragma once

#include "client.h"
#include "tunnel-list.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_FIRST_RUN (bulkhead_first_run_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadFirstRun, bulkhead_first_run, BULKHEAD, FIRST_RUN, AdwBin)

/* Signal "left" (): done, or given up. */
void bulkhead_first_run_set_helper (BulkheadFirstRun *self, BulkheadClient *client,
                                    BulkheadTunnelList *tunnels);
/* Begins anew at the first step: no wish of an earlier time is left. */
void bulkhead_first_run_restart (BulkheadFirstRun *self);
