/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lengths of a pause that are offered: add and remove. */
#pragma once

#include <adwaita.h>

#define BULKHEAD_TYPE_PAUSE_GROUP (bulkhead_pause_group_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadPauseGroup, bulkhead_pause_group, BULKHEAD, PAUSE_GROUP,
                      AdwPreferencesGroup)
