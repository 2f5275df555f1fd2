/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "clock.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;
    GSourceFunc function;
    gpointer data;
} Timer;

gint64
bulkhead_boottime (void)
{
    struct timespec now;

    clock_gettime (CLOCK_BOOTTIME, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gint64
bulkhead_slept (void)
{
    return bulkhead_boottime () - g_get_monotonic_time ();
}

gint64
bulkhead_clock_of (gint64 boottime)
{
    return (g_get_real_time () - bulkhead_boottime () + boottime) / G_USEC_PER_SEC;
}

static void
timer_free (gpointer data)
{
    Timer *timer = data;

    if (timer->fd >= 0)
        close (timer->fd);
    g_free (timer);
}

static gboolean
on_expired_cb (int fd, GIOCondition condition, gpointer data)
{
    Timer *timer = data;

    timer->function (timer->data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_timeout_cb (gpointer data)
{
    Timer *timer = data;

    timer->function (timer->data);
    return G_SOURCE_REMOVE;
}

guint
bulkhead_boottime_add (gint64 when, GSourceFunc function, gpointer data)
{
    struct itimerspec at = { .it_value = { when / G_USEC_PER_SEC, when % G_USEC_PER_SEC * 1000 } };
    Timer *timer = g_new0 (Timer, 1);

    timer->function = function;
    timer->data = data;
    timer->fd = timerfd_create (CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer->fd >= 0 && timerfd_settime (timer->fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
        return g_unix_fd_add_full (G_PRIORITY_HIGH, timer->fd, G_IO_IN, on_expired_cb, timer,
                                   timer_free);
    return g_timeout_add_full (G_PRIORITY_HIGH,
                               CLAMP ((when - bulkhead_boottime ()) / 1000, 0, G_MAXINT),
                               on_timeout_cb, timer, timer_free);
}

static gboolean
on_clock_set_cb (int fd, GIOCondition condition, gpointer data)
{
    Timer *timer = data;
    guint64 expirations;

    /* Reading makes it watch on; it never expires by itself. */
    if (read (fd, &expirations, sizeof expirations) < 0 && errno == ECANCELED)
        timer->function (timer->data);
    return G_SOURCE_CONTINUE;
}

guint
bulkhead_clock_watch (GSourceFunc function, gpointer data)
{
    struct itimerspec never = { .it_value.tv_sec = G_MAXINT64 };
    Timer *timer = g_new0 (Timer, 1);

    timer->function = function;
    timer->data = data;
    timer->fd = timerfd_create (CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer->fd >= 0
        && timerfd_settime (timer->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL)
               == 0)
        return g_unix_fd_add_full (G_PRIORITY_DEFAULT, timer->fd, G_IO_IN, on_clock_set_cb, timer,
                                   timer_free);
    timer_free (timer);
    return 0;
}
