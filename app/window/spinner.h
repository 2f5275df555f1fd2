/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says that something is under way, but only when it takes long enough to be noticed: a spinner
 * that appears 300 ms after it was started, so that quick answers do not flicker.
 */
#pragma once

#include <adwaita.h>

#define BULKHEAD_TYPE_SPINNER (bulkhead_spinner_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadSpinner, bulkhead_spinner, BULKHEAD, SPINNER, AdwBin)

void bulkhead_spinner_set_busy (BulkheadSpinner *self, gboolean busy);
