/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main window: pages in a stack, and the first run in front of them. */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_WINDOW (bulkhead_window_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadWindow, bulkhead_window, BULKHEAD, WINDOW, AdwApplicationWindow)

GtkWidget *bulkhead_window_new (GtkApplication *application, BulkheadClient *client);
