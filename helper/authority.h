/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question: may the sender of this call have it done? Who the sender is says the bus, never
 * the message. What is not allowed by a row of the table is denied, and so is everything when the
 * question cannot be answered.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_AUTHORITY (bulkhead_authority_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadAuthority, bulkhead_authority, BULKHEAD, AUTHORITY, GObject)

#define BULKHEAD_UID_UNKNOWN G_MAXUINT32

typedef struct {
    guint32 uid;             /* or BULKHEAD_UID_UNKNOWN */
    gboolean sees_addresses; /* endpoints, exceptions and what else tells where people go */
} BulkheadCaller;

BulkheadAuthority *bulkhead_authority_new (void);

/* At most 64 questions of one sender wait at a time; one more is answered with FAILED. */
void bulkhead_authority_check_async (BulkheadAuthority *authority,
                                     GDBusMethodInvocation *invocation, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
/* FALSE and NOT_AUTHORIZED or FAILED. @ret_caller is filled either way, as far as it is known. */
gboolean bulkhead_authority_check_finish (BulkheadAuthority *authority, GAsyncResult *result,
                                          BulkheadCaller *ret_caller, GError **error);
