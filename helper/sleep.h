/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells when the machine is about to sleep and when it is awake again, as logind says. A delay
 * inhibitor holds the sleep back until the first has been answered. Without logind nothing is ever
 * told; when it comes, goes or restarts, this goes on with the new one.
 */
#pragma once

#include <gio/gio.h>

typedef struct _BulkheadSleep BulkheadSleep;

/* @asleep: TRUE: the machine goes to sleep when @told returns. FALSE: it is awake. */
typedef void (*BulkheadSleepTold) (gboolean asleep, gpointer data);

BulkheadSleep *bulkhead_sleep_new (GDBusConnection *bus, BulkheadSleepTold told, gpointer data);
void bulkhead_sleep_free (BulkheadSleep *sleep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadSleep, bulkhead_sleep_free)
