/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exceptions, pause lengths, who may control the lock, the tray's start, and the questions. No
 * AdwPreferencesWindow: the one of libadwaita 1.2 keeps its rows when it is closed.
 */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_PREFERENCES (bulkhead_preferences_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadPreferences, bulkhead_preferences, BULKHEAD, PREFERENCES, AdwWindow)

GtkWidget *bulkhead_preferences_new (GtkWindow *parent, BulkheadClient *client);
