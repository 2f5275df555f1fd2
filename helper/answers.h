/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the helper tells, as the D-Bus XML describes it. Reads, never changes. */
#pragma once

#include "at-boot.h"
#include "blocked.h"
#include "lock.h"

/* All "aa{sv}" or "a{sv}", floating. Without @addresses the addresses are left out. */
GVariant *bulkhead_answer_tunnels (BulkheadLock *lock, gboolean addresses);
GVariant *bulkhead_answer_status (BulkheadLock *lock, BulkheadAtBoot *at_boot, gboolean addresses);

/* What the user @uid was refused, the newest first; root: what everybody was. "aa{sv}". */
GVariant *bulkhead_answer_blocked (const BulkheadBlocked *blocked, guint32 uid);

/* TRUE when the kernel was just read back to enforce what is wanted; else FALSE and why, in words
 * that hold no rule when there is to be no address. */
gboolean bulkhead_answer_verify (BulkheadLock *lock, gboolean addresses, char **ret_problem);
