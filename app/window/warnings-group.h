/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel of this computer lacks; hidden while it lacks nothing.
 * Signal "managed" (char *problem): why a file of the administrator's cannot be used, or "", after
 * each reading that told something else than the one before.
 */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_WARNINGS_GROUP (bulkhead_warnings_group_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadWarningsGroup, bulkhead_warnings_group, BULKHEAD, WARNINGS_GROUP,
                      AdwPreferencesGroup)

void bulkhead_warnings_group_set_client (BulkheadWarningsGroup *self, BulkheadClient *client);
