/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The actions "app.lock", "app.unlock", "app.pause" (the shortest length), "app.pause-for"
 * (minutes, u), "app.resume" and "app.wake-helper": for buttons, menus, keys, the desktop file and
 * the tray alike. While one is under way the application is busy, and while it is they are
 * disabled.
 */
#pragma once

#include "client.h"

#include <gtk/gtk.h>

/* Both live as long as the process. */
void bulkhead_lock_actions_add (GtkApplication *application, BulkheadClient *client);
