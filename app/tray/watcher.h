/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The panel's side as seen from here: whether there is a StatusNotifierWatcher and a panel that
 * shows icons, and our icon's place with it. Registers once with each watcher that comes, always
 * with the same path.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_WATCHER (bulkhead_watcher_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadWatcher, bulkhead_watcher, BULKHEAD, WATCHER, GObject)

/*
 * @path: of the item, which must be complete by now.
 * Signals:
 *   "registered" (): a watcher took the item.
 *   "changed" (): bulkhead_watcher_has_host() may be different.
 */
BulkheadWatcher *bulkhead_watcher_new (GDBusConnection *bus, const char *path);
/* Whether somebody shows our icon. */
gboolean bulkhead_watcher_has_host (BulkheadWatcher *watcher);
