/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tray's menu: what the helper's state makes of it, and what a click means. Weakening goes to
 * the helper as it is, and polkit asks for a password where one is needed.
 */
#pragma once

#include "client.h"

#define BULKHEAD_TYPE_MENU (bulkhead_menu_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadMenu, bulkhead_menu, BULKHEAD, MENU, GObject)

/*
 * Exports the menu at @path and follows @client.
 * Signals:
 *   "open" (), "quit" (): was chosen.
 *   "failed" (char *sentence): what the user chose was not done; "done" (): it was.
 */
BulkheadMenu *bulkhead_menu_new (GDBusConnection *bus, const char *path, BulkheadClient *client,
                                 GError **error);
