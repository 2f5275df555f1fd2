/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses that may be reached outside the tunnel: add and remove. */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_EXCEPTIONS_GROUP (bulkhead_exceptions_group_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadExceptionsGroup, bulkhead_exceptions_group, BULKHEAD,
                      EXCEPTIONS_GROUP, AdwPreferencesGroup)

void bulkhead_exceptions_group_set_client (BulkheadExceptionsGroup *self, BulkheadClient *client);
