/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The StatusNotifierItem: one icon with a tooltip, at one object path for the life of the process,
 * so that no panel ever sees two. It knows nothing of who shows it; see watcher.h.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_ICON (bulkhead_icon_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadIcon, bulkhead_icon, BULKHEAD, ICON, GObject)

/*
 * Exports the item at @path with the menu at @menu_path. Not at the default path: a panel that
 * scans would then know it by another name than one it registered with.
 * Signal "activated" (): the user clicked it.
 */
BulkheadIcon *bulkhead_icon_new (GDBusConnection *bus, const char *path, const char *menu_path,
                                 GError **error);

/* @name: in the icon theme, with a pixmap in pixmaps.h; @headline, @reason: plain text. Shown at
 * once, or 200 ms after the last one: panels drop what changes faster. */
void bulkhead_icon_show (BulkheadIcon *icon, const char *name, const char *headline,
                         const char *reason);
/* Tells a panel that came anew to read everything: it may remember what it knew before. */
void bulkhead_icon_announce (BulkheadIcon *icon);
/* What a panel gave for the click, to bring a window to the front with, or NULL; once. (transfer
 * full) (nullable) */
char *bulkhead_icon_take_token (BulkheadIcon *icon);
