/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a helper: a machine that slept as many seconds as the file $BULKHEAD_TEST_SLEPT
 * says. While it sleeps, CLOCK_BOOTTIME goes on and everything else in the kernel stands still, as
 * the timeouts of sets.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int
clock_gettime (clockid_t clock, struct timespec *now)
{
    static int (*next) (clockid_t, struct timespec *);
    long slept = 0;
    FILE *file;
    int result;

    if (next == NULL)
        next = (int (*) (clockid_t, struct timespec *))dlsym (RTLD_NEXT, "clock_gettime");
    result = next (clock, now);
    if (clock != CLOCK_BOOTTIME)
        return result;
    file = fopen (getenv ("BULKHEAD_TEST_SLEPT"), "r");
    if (file != NULL) {
        if (fscanf (file, "%ld", &slept) == 1)
            now->tv_sec += slept;
        fclose (file);
    }
    return result;
}
