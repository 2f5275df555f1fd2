/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A setting of the helper that is on or off. The switch shows what the helper says, never what was
 * clicked: a click is a request (signal "asked"), and the switch moves when the helper has done it.
 */
#pragma once

#include <adwaita.h>

#define BULKHEAD_TYPE_SWITCH_ROW (bulkhead_switch_row_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadSwitchRow, bulkhead_switch_row, BULKHEAD, SWITCH_ROW, AdwActionRow)

typedef enum {
    BULKHEAD_SWITCH_UNKNOWN, /* there is no helper to ask: insensitive */
    BULKHEAD_SWITCH_OFF,
    BULKHEAD_SWITCH_ON,
} BulkheadSwitchValue;

/* @fixed: the administrator decided; the row says so and is insensitive. */
void bulkhead_switch_row_set_value (BulkheadSwitchRow *self, BulkheadSwitchValue value,
                                    gboolean fixed);
/* Its subtitle, where that changes. */
void bulkhead_switch_row_set_about (BulkheadSwitchRow *self, const char *about);
/* Between a request and its answer. */
void bulkhead_switch_row_set_busy (BulkheadSwitchRow *self, gboolean busy);
