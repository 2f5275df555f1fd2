/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way out when the helper is dead, hangs or is not there (bulkheadd --rescue): no bus, no
 * polkit, no other program. For root, who could do it by hand.
 */
#pragma once

#include <glib.h>

/*
 * Ends the helpers that hold @state_dir, takes the rules out of the kernel, stores that the lock is
 * off, with all settings kept, and takes the units out of what systemd starts with the machine.
 * Says each thing it undid on stdout. What cannot be done keeps nothing else from being
 * tried; it is told on stderr, and then the result is FALSE. NOT_AUTHORIZED: not root. The
 * administrator's files in @config_dir are not touched; one that will lock again is named.
 */
gboolean bulkhead_rescue (const char *state_dir, const char *config_dir, const char *log_dir,
                          GError **error);
