/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schedule.h"

#include "clock.h"
#include "observe.h"

#define POLL_MAX 60     /* seconds between looks at a WireGuard link that is silent */
#define RETRY_SECONDS 1 /* when it did not go as it should */

struct _BulkheadSchedule {
    BulkheadScheduleDue due;
    gpointer data;

    guint pause_source;
    guint poll_source;
    guint poll_seconds; /* how long a silent link is left alone now */
    guint retry_source;
};

BulkheadSchedule *
bulkhead_schedule_new (BulkheadScheduleDue due, gpointer data)
{
    BulkheadSchedule *schedule = g_new0 (BulkheadSchedule, 1);

    schedule->due = due;
    schedule->data = data;
    return schedule;
}

void
bulkhead_schedule_free (BulkheadSchedule *schedule)
{
    g_clear_handle_id (&schedule->pause_source, g_source_remove);
    g_clear_handle_id (&schedule->poll_source, g_source_remove);
    g_clear_handle_id (&schedule->retry_source, g_source_remove);
    g_free (schedule);
}

static gboolean
on_pause_over_cb (gpointer data)
{
    BulkheadSchedule *schedule = data;

    schedule->pause_source = 0;
    schedule->due (schedule->data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_poll_cb (gpointer data)
{
    BulkheadSchedule *schedule = data;

    schedule->poll_source = 0;
    schedule->poll_seconds = CLAMP (2 * schedule->poll_seconds, 1, POLL_MAX);
    schedule->due (schedule->data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_retry_cb (gpointer data)
{
    BulkheadSchedule *schedule = data;

    schedule->retry_source = 0;
    schedule->due (schedule->data);
    return G_SOURCE_REMOVE;
}

void
bulkhead_schedule_plan (BulkheadSchedule *schedule, const BulkheadPolicy *policy,
                        const BulkheadNet *net, gboolean soon)
{
    guint interval = bulkhead_observe_poll_interval (net, policy, MAX (schedule->poll_seconds, 1));

    g_clear_handle_id (&schedule->pause_source, g_source_remove);
    g_clear_handle_id (&schedule->poll_source, g_source_remove);
    if (policy->pause_seconds > 0)
        schedule->pause_source =
            bulkhead_boottime_add (policy->pause_until, on_pause_over_cb, schedule);
    if (interval > 0)
        schedule->poll_source = g_timeout_add_seconds (interval, on_poll_cb, schedule);
    if (soon && schedule->retry_source == 0)
        schedule->retry_source = g_timeout_add_seconds (RETRY_SECONDS, on_retry_cb, schedule);
}

void
bulkhead_schedule_hurry (BulkheadSchedule *schedule)
{
    schedule->poll_seconds = 0;
}
