/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may control the lock without a password: authorise oneself, and revoke. */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_GRANTS_GROUP (bulkhead_grants_group_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadGrantsGroup, bulkhead_grants_group, BULKHEAD, GRANTS_GROUP,
                      AdwPreferencesGroup)

void bulkhead_grants_group_set_client (BulkheadGrantsGroup *self, BulkheadClient *client);
