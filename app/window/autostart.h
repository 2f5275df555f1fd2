/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the tray icon starts with the user's session. It is installed for everybody in
 * /etc/xdg/autostart; a user switches it off with a file of the same name in their own
 * configuration that says Hidden, or what GNOME's programs write instead. What else such a file
 * says stays. The lock depends on neither.
 */
#pragma once

#include <glib.h>

/* There is such a file for everybody: the tray is installed. */
gboolean bulkhead_autostart_is_there (void);
gboolean bulkhead_autostart_is_on (void);
gboolean bulkhead_autostart_set (gboolean on, GError **error);
