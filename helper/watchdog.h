/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells the service manager that the main loop still turns, as sd_notify(3) describes: datagrams to
 * the socket that the environment names. By hand, since libsystemd brings more memory with it than
 * the whole helper has. Without a manager, or one that does not watch, nothing happens.
 */
#pragma once

#include <glib.h>

/* Adds a source to the default main context that says "WATCHDOG=1" twice in the time in which the
 * manager (WATCHDOG_USEC, WATCHDOG_PID) expects it. Returns: its id; 0: nobody expects it. */
guint bulkhead_watchdog_start (void);

/* Tells @state, as "STOPPING=1". FALSE: nobody hears it. */
gboolean bulkhead_watchdog_tell (const char *state);
