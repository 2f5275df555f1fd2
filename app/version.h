/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The option --version, the same for tray and window. */
#pragma once

#include <gio/gio.h>

/* Prints "@program 0.1.0" and ends the program with 0 before it looks for a bus or a display.
 * @program: static. */
void bulkhead_version_add_option (GApplication *application, const char *program);
