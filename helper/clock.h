/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of pauses: it goes on while the machine sleeps, and nobody can set it. */
#pragma once

#include <glib.h>

/* µs of CLOCK_BOOTTIME. */
gint64 bulkhead_boottime (void);
/* µs the machine slept since it started, in all; good for differences only. */
gint64 bulkhead_slept (void);

/* Calls @function once at @when, or as soon as the machine wakes after it; GLib's own timers
 * stand still while it sleeps. Returns a GSource's id. */
guint bulkhead_boottime_add (gint64 when, GSourceFunc function, gpointer data);
