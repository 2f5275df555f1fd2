/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When to look again although nobody told of a change: a pause ends, a WireGuard link may have
 * shaken hands or fallen silent, something went wrong. No timer runs when nothing can change by
 * itself.
 */
#pragma once

#include "net.h"

typedef struct _BulkheadSchedule BulkheadSchedule;

/* It is time to look. What is planned afterwards is up to the next bulkhead_schedule_plan(). */
typedef void (*BulkheadScheduleDue) (gpointer data);

BulkheadSchedule *bulkhead_schedule_new (BulkheadScheduleDue due, gpointer data);
void bulkhead_schedule_free (BulkheadSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadSchedule, bulkhead_schedule_free)

/* To be told after every look, what is wanted and what was seen. @soon: it did not go as it
 * should, so the next look is a second away. */
void bulkhead_schedule_plan (BulkheadSchedule *schedule, const BulkheadPolicy *policy,
                             const BulkheadNet *net, gboolean soon);

/* Something happened: a link that is silent may not be for long. A silent one is looked at less and
 * less often; this begins anew. */
void bulkhead_schedule_hurry (BulkheadSchedule *schedule);
