/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lock as the rest of the helper sees it: it runs the engine when links, time, the user, the
 * administrator or somebody else's hands call for it, and tells and logs what came of it.
 */
#pragma once

#include "engine.h"
#include "journal.h"

#define BULKHEAD_TYPE_LOCK (bulkhead_lock_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadLock, bulkhead_lock, BULKHEAD, LOCK, GObject)

/*
 * Puts the stored policy, beneath what the administrator fixed, into the kernel. @use_owner: FALSE
 * forces the way of kernels before 6.9. Takes @store and @managed; @journal is borrowed and must
 * outlive it. Returns NULL only when there is no netlink at all; a lock that cannot be enforced
 * comes back as BROKEN.
 * Signals:
 *   "changed" (): state, policy, net or pause changed.
 *   "tampered" (char *program, gboolean restored): another program changed the rules; @program: any
 *       bytes, "" when not known; @restored: they are back. Not oftener than the log is told.
 */
BulkheadLock *bulkhead_lock_new (BulkheadStore *store, BulkheadManaged *managed,
                                 BulkheadJournal *journal, gboolean use_owner, GError **error);

BulkheadState bulkhead_lock_get_state (BulkheadLock *lock);
/* (transfer none), valid until the next change. */
const BulkheadPolicy *bulkhead_lock_get_policy (BulkheadLock *lock);
const BulkheadNet *bulkhead_lock_get_net (BulkheadLock *lock);
/* Whether it is locked, not paused, and all of it was read back to be in the kernel, for the links
 * as they are. It changes only after such a reading, and "changed" tells. */
gboolean bulkhead_lock_is_ready (BulkheadLock *lock);
/* Why it is broken, or "". */
const char *bulkhead_lock_get_problem (BulkheadLock *lock);
/* Whether it is broken and everything is blocked instead, tunnels too. */
gboolean bulkhead_lock_is_closed (BulkheadLock *lock);
/*
 * Looks at links, tunnels and rules anew before a status is told, unless the last look is younger
 * than @max_age µs: a caller who may not do anything must not be able to keep the helper busy.
 */
void bulkhead_lock_refresh (BulkheadLock *lock, gint64 max_age);

/*
 * Makes @policy the one in force. Whether it is stricter is worked out here, by field. Errors:
 * FIXED, when it differs in what the administrator fixed: then nothing was done. KERNEL_REFUSED,
 * NOT_ENFORCED, STORE_FAILED: then the policy before is in force again, but for a pause that was to
 * end: it has ended.
 */
gboolean bulkhead_lock_set_policy (BulkheadLock *lock, BulkheadPolicy *policy, GError **error);

/* While it is off: takes out the rules of a lock that stand all the same, somebody else's or put
 * back by a program that keeps rulesets. KERNEL_REFUSED, NOT_ENFORCED. */
gboolean bulkhead_lock_clear (BulkheadLock *lock, GError **error);

const BulkheadManaged *bulkhead_lock_get_managed (BulkheadLock *lock);
/* Takes what the administrator's files say now. When one of them cannot be used, what they said
 * before stays in force, and only the problem is new. */
void bulkhead_lock_set_managed (BulkheadLock *lock, BulkheadManaged *managed);

/* Reads everything back now, or not longer than @max_age µs ago, and mends what is not as it
 * should be; FALSE and NOT_ENFORCED with what could not be mended, or while it blocks, with why the
 * links it blocks could not be read at the last look. */
gboolean bulkhead_lock_verify (BulkheadLock *lock, gint64 max_age, GError **error);
/* For when the machine goes to sleep, and is awake: reads everything back, mends it, and logs what
 * was found. Awake, it looks at links and tunnels anew first, and shortens a pause in the kernel by
 * the time asleep. */
void bulkhead_lock_fall_asleep (BulkheadLock *lock);
void bulkhead_lock_wake_up (BulkheadLock *lock);
/* The rules as nft text; "" when off. (transfer full) */
char *bulkhead_lock_get_rules (BulkheadLock *lock);
/* Whether the trusted tunnel of that name is up: link up, address, WireGuard: handshake < 180 s. */
gboolean bulkhead_lock_tunnel_is_up (BulkheadLock *lock, const BulkheadTunnel *tunnel);
/* Seconds since the epoch since when the trusted tunnel of that interface is up; 0: it is down, or
 * was up already when it was first looked at. */
gint64 bulkhead_lock_tunnel_since (BulkheadLock *lock, const BulkheadTunnel *tunnel);
