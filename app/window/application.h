/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The window's process: one per user, started by the menu, the tray or the bus, and gone when its
 * window is closed. The lock does not notice either.
 */
#pragma once

#include <adwaita.h>

#define BULKHEAD_APPLICATION_ID "org.bulkhead.bulkhead"

#define BULKHEAD_TYPE_APPLICATION (bulkhead_application_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadApplication, bulkhead_application, BULKHEAD, APPLICATION,
                      AdwApplication)

BulkheadApplication *bulkhead_application_new (void);
