/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waits for the helper to change, come or go. Signals only wake; what is true is asked again.
 */
#pragma once

#include "ctl.h"

typedef struct _BulkheadWatch BulkheadWatch;

/* @ctl is borrowed and must outlive the watch. */
BulkheadWatch *bulkhead_watch_new (BulkheadCtl *ctl, GError **error);
void bulkhead_watch_free (BulkheadWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadWatch, bulkhead_watch_free)

/* Returns at the next change, or after @milliseconds when that is not 0. */
void bulkhead_watch_wait (BulkheadWatch *watch, guint milliseconds);
/* Whether the helper went away since this was last asked, though it may be back by now. */
gboolean bulkhead_watch_take_vanished (BulkheadWatch *watch);
gboolean bulkhead_watch_is_bus_lost (BulkheadWatch *watch);
