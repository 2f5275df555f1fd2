/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The helper's connection to the system bus, and its name there. */
#pragma once

#include <gio/gio.h>

/* ALREADY_RUNNING when another helper has the name. The process outlives the connection. */
GDBusConnection *bulkhead_bus_open (GError **error);
/* ALREADY_RUNNING when another helper was quicker. */
gboolean bulkhead_bus_own_name (GDBusConnection *bus, GError **error);
/* Calls @found once there is a system bus again, after the one before went away. */
void bulkhead_bus_wait (GSourceOnceFunc found, gpointer data);
