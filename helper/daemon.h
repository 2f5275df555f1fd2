/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helper as it runs for good: the stored lock first, then the bus, and what else it listens to
 * (the administrator's files, sleep, signals), all on one main loop.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *state_dir, *config_dir, *log_dir;
    gboolean use_owner; /* FALSE: as kernels before 6.9 need it */
} BulkheadDaemonOptions;

/* Returns when it is told to end (SIGTERM, SIGINT), or when the bus was restarted: that is FALSE,
 * as is everything that keeps it from beginning. The rules stay in any case. */
gboolean bulkhead_daemon_run (const BulkheadDaemonOptions *options, GError **error);
