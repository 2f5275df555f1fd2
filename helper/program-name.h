/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which program a control group is of, told by the names that systemd, desktops and container
 * engines give to groups. Pure. */
#pragma once

#include <glib.h>

#define BULKHEAD_PROGRAM_NAME_MAX 64 /* bytes */

/*
 * @path: of the group, as "/user.slice/…/app.slice/app-gnome-firefox-1234.scope" -> "firefox".
 * Desktop applications by their id (systemd.io/DESKTOP_ENVIRONMENTS), services by their unit's
 * name, snaps and containers. A session, a terminal's tab or a unit without a name of its own
 * says nothing of the program: "". Returns: (transfer full): UTF-8 without control characters.
 */
char *bulkhead_program_name (const char *path);
