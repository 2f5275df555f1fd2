/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes in from the bus, before anybody looks at it. Open files that a caller sends along are
 * closed at once, for no method takes any: the bus allows 16 with each call, and calls that wait
 * for polkit would use up the process's. What a flood of messages took of memory goes back to the
 * kernel soon after, which free() alone does not do.
 */
#pragma once

#include <gio/gio.h>

/* Stays for as long as @bus. */
void bulkhead_intake_guard (GDBusConnection *bus);
