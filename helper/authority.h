/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question: may the sender of this call have it done? Who the sender is says the bus, never
 * the message; whether they may say permission.c's table and polkit. Root always may. What
 * cannot be answered, in time, is denied.
 */
#pragma once

#include "grants.h"

#include <gio/gio.h>

#define BULKHEAD_TYPE_AUTHORITY (bulkhead_authority_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadAuthority, bulkhead_authority, BULKHEAD, AUTHORITY, GObject)

#define BULKHEAD_UID_UNKNOWN G_MAXUINT32

typedef struct {
    guint32 uid;             /* or BULKHEAD_UID_UNKNOWN */
    gboolean sees_addresses; /* endpoints, exceptions and what else tells where people go */
} BulkheadCaller;

/* @grants is borrowed and must outlive the authority. */
BulkheadAuthority *bulkhead_authority_new (const BulkheadGrants *grants);

/*
 * Answers within seconds, except while a person is asked for a password. At a time wait at most 32
 * questions of one sender, 16 of one user, and 16 more of one user that only close something;
 * their arguments are 16 MiB of one user, 32 MiB in all, and 32 MiB more until it is known whose
 * they are (places.h). Of password prompts are open at most one of a sender, four of a user and 32
 * in all. What GDBus has read and not handed over yet is not counted here; the unit's MemoryMax=
 * bounds it.
 */
void bulkhead_authority_check_async (BulkheadAuthority *authority,
                                     GDBusMethodInvocation *invocation,
                                     GAsyncReadyCallback callback, gpointer user_data);
/*
 * FALSE and NOT_AUTHORIZED, INTERACTION_REQUIRED, CANCELLED, NOT_FOUND or FAILED. After TRUE the
 * caller was still there a moment ago. @ret_caller is filled either way, as far as it is known.
 */
gboolean bulkhead_authority_check_finish (BulkheadAuthority *authority, GAsyncResult *result,
                                          BulkheadCaller *ret_caller, GError **error);
