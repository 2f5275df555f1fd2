/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tray program: one for each session, with icon, menu and messages that all follow the client.
 * It decides nothing about the lock and holds no state of it. Started again, it opens the window.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_TRAY (bulkhead_tray_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadTray, bulkhead_tray, BULKHEAD, TRAY, GApplication)

BulkheadTray *bulkhead_tray_new (void);
/* Whether it could not start, of which stderr tells. */
gboolean bulkhead_tray_has_failed (BulkheadTray *tray);
