/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lock refused lately: how often, to where, by which program where that is known, and an
 * exception for it. Hidden while nothing was refused. */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_BLOCKED_GROUP (bulkhead_blocked_group_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadBlockedGroup, bulkhead_blocked_group, BULKHEAD, BLOCKED_GROUP,
                      AdwPreferencesGroup)

void bulkhead_blocked_group_set_client (BulkheadBlockedGroup *self, BulkheadClient *client);
