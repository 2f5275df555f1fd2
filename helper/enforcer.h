/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knows what stands in the kernel. Makes it what a policy means in a net, by one transaction that
 * is read back, and reads it again when asked. It decides nothing: what is wanted, and what is
 * done when it cannot be had, is the engine's.
 */
#pragma once

#include "nft-sink.h"
#include "policy.h"

typedef struct _BulkheadEnforcer BulkheadEnforcer;

/* @use_owner: see bulkhead_sink_new(). */
BulkheadEnforcer *bulkhead_enforcer_new (gboolean use_owner, GError **error);
void bulkhead_enforcer_free (BulkheadEnforcer *enforcer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadEnforcer, bulkhead_enforcer_free)
BulkheadSink *bulkhead_enforcer_get_sink (BulkheadEnforcer *enforcer);

/*
 * Puts what @policy means in @net into the kernel, and knows it is there; what is there already is
 * looked at, but for its elements, and left alone. KERNEL_REFUSED or NOT_ENFORCED: then nobody
 * knows what is there until the next success.
 */
gboolean bulkhead_enforcer_enforce (BulkheadEnforcer *enforcer, const BulkheadPolicy *policy,
                                    const BulkheadNet *net, GError **error);

/* Whether everything is still as it was last enforced. FALSE also when nobody knows, as after a
 * sleep during a pause. */
gboolean bulkhead_enforcer_verify (BulkheadEnforcer *enforcer);

/* Nothing that is thought to be there counts any more. */
void bulkhead_enforcer_forget (BulkheadEnforcer *enforcer);
gboolean bulkhead_enforcer_knows (BulkheadEnforcer *enforcer);

/* The elements of large sets are not read back with the transaction: the kernel takes its time to
 * list them. TRUE once after each change that left some: read them when there is time. */
gboolean bulkhead_enforcer_take_unread (BulkheadEnforcer *enforcer);

/* The rules of @policy in @net as nft text, with what the kernel remembers in them now, so that
 * it lists as the kernel does. (transfer full) */
char *bulkhead_enforcer_text (BulkheadEnforcer *enforcer, const BulkheadPolicy *policy,
                              const BulkheadNet *net);
