/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The door to the kernel: a ruleset goes in by one transaction, flush in place, and what the
 * kernel then lists is compared with it, content and all. There is no moment between two rule
 * sets and no half of one.
 */
#pragma once

#include "net.h"
#include "ruleset.h"

typedef struct _BulkheadSink BulkheadSink;

/*
 * Probes the kernel's features. @use_owner: FALSE leaves out the table flags owner and persist, as
 * on kernels before 6.9 (owner alone would delete the lock with the helper: LEAKS L106).
 */
BulkheadSink *bulkhead_sink_new (gboolean use_owner, GError **error);
void bulkhead_sink_free (BulkheadSink *sink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadSink, bulkhead_sink_free)

BulkheadFeatures bulkhead_sink_get_features (BulkheadSink *sink);
/* The netlink address our own changes carry in notifications. */
guint32 bulkhead_sink_get_port (BulkheadSink *sink);

/* Whether a table of ours stands in the kernel, whoever put it there. */
gboolean bulkhead_sink_has_tables (BulkheadSink *sink);
/* Whether the chains of @ruleset stand there, at work, with the hook, priority and policy they have
 * in it, whatever their rules; FALSE also when the kernel cannot be read. */
gboolean bulkhead_sink_has_chains (BulkheadSink *sink, const BulkheadRuleset *ruleset);

/*
 * Puts @ruleset in the place of whatever our tables hold now: adopts an orphan, mends what was
 * changed, takes out what is not wanted; no table in @ruleset takes ours out altogether. Sets that
 * are in @before (nullable: what was last verified to be there) are left as they are.
 * KERNEL_REFUSED quotes the line the kernel refused; then nothing changed.
 */
gboolean bulkhead_sink_apply (BulkheadSink *sink, const BulkheadRuleset *ruleset,
                              const BulkheadRuleset *before, GError **error);

/* The next apply that changes anything also empties the dynamic sets: what was let out under a
 * looser policy is answered no more. */
void bulkhead_sink_forget_flows (BulkheadSink *sink);
/* Fills the dynamic sets of @ruleset, which nobody else has seen yet, with what the kernel
 * remembers in them now: only to be shown. */
void bulkhead_sink_read_dynamic (BulkheadSink *sink, BulkheadRuleset *ruleset);

/* Elements; the kernel takes a second to list as many as a hundred thousand. */
#define BULKHEAD_LARGE_SET 4096

typedef enum {
    BULKHEAD_READ_RULES, /* not the elements of large sets: only exceptions are that many */
    BULKHEAD_READ_ALL,
} BulkheadReadDepth;

/*
 * Reads back and compares flags, chains with hooks and policies, every rule, every element, but
 * for the elements of sets that are in @before (nullable) too. NOT_ENFORCED tells the first
 * difference.
 */
gboolean bulkhead_sink_verify (BulkheadSink *sink, const BulkheadRuleset *ruleset,
                               const BulkheadRuleset *before, BulkheadReadDepth depth,
                               GError **error);
