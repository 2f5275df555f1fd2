/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of pauses: it goes on while the machine sleeps, and nobody can set it. The other clock,
 * which people read, can be set; whoever works out a time by it watches that. */
#pragma once

#include <glib.h>

/* µs of CLOCK_BOOTTIME. */
gint64 bulkhead_boottime (void);
/* µs the machine slept since it started, in all; good for differences only. */
gint64 bulkhead_slept (void);

/* A moment of bulkhead_boottime() in seconds since the epoch, as the clock that people read has it
 * now: what is kept as such a moment stays true when that clock is set. */
gint64 bulkhead_clock_of (gint64 boottime);

/* Calls @function once at @when, or as soon as the machine wakes after it; GLib's own timers
 * stand still while it sleeps. Returns a GSource's id. */
guint bulkhead_boottime_add (gint64 when, GSourceFunc function, gpointer data);

/* Calls @function whenever the clock that people read (CLOCK_REALTIME) was set, also by a wake-up;
 * timerfd_create(2), TFD_TIMER_CANCEL_ON_SET. Wakes nobody otherwise. Returns a GSource's id, or 0
 * if the kernel has no more timers to give: then it is not watched. */
guint bulkhead_clock_watch (GSourceFunc function, gpointer data);
