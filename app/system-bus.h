/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection to the system bus that comes back: when there is none, or it was closed, it is
 * tried again every few seconds. A connection of our own, as GIO's shared one cannot be had anew.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_SYSTEM_BUS (bulkhead_system_bus_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadSystemBus, bulkhead_system_bus, BULKHEAD, SYSTEM_BUS, GObject)

/* Begins to connect. Signal "changed" (): another connection, or none; also after each attempt
 * that failed. */
BulkheadSystemBus *bulkhead_system_bus_new (void);
/* NULL while there is none. (transfer none) (nullable) */
GDBusConnection *bulkhead_system_bus_get_connection (BulkheadSystemBus *bus);
