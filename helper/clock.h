/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of pauses: it goes on while the machine sleeps, and nobody can set it. */
#pragma once

#include <glib.h>
#include <time.h>

/* µs of CLOCK_BOOTTIME. */
static inline gint64
bulkhead_boottime (void)
{
    struct timespec now;

    clock_gettime (CLOCK_BOOTTIME, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}
