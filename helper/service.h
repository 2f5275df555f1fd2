/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helper on the bus: reads arguments, asks the authority, has the lock do it, answers. It
 * decides nothing itself and knows nothing of rules.
 */
#pragma once

#include "at-boot.h"
#include "grants.h"
#include "lock.h"

#define BULKHEAD_TYPE_SERVICE (bulkhead_service_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadService, bulkhead_service, BULKHEAD, SERVICE, GObject)

/* @journal and @grants are borrowed and must outlive the service. */
BulkheadService *bulkhead_service_new (BulkheadLock *lock, BulkheadJournal *journal,
                                       BulkheadGrants *grants, BulkheadAtBoot *at_boot);

gboolean bulkhead_service_export (BulkheadService *service, GDBusConnection *connection,
                                  GError **error);
void bulkhead_service_unexport (BulkheadService *service);
