/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A transaction in the making: nf_tables messages in nft's order and, for each, what it stands
 * for, so that a refusal of the kernel can be told in nft's words. Bytes only: nothing is sent.
 */
#pragma once

#include "ruleset.h"

struct nlmsghdr;

/* What one message of a batch does, for messages to people. */
typedef struct {
    guint32 seq;
    const char *verb; /* "add", "delete", "flush" */
    BulkheadFamily family;
    const BulkheadTable *table;
    const BulkheadSet *set;
    const BulkheadChain *chain;
    const BulkheadRule *rule;
    char name[BULKHEAD_NAME_SIZE]; /* of what is deleted or flushed and is not a value of ours */
} BulkheadBatchEntry;

typedef struct {
    GByteArray *bytes;
    GArray *entries;        /* of BulkheadBatchEntry */
    guint32 seq;            /* of the next message */
    gsize last;             /* where in bytes the last message starts */
    const char *table_name; /* "bulkhead"; another one only to probe features */
} BulkheadBatch;

/* @generation: the kernel's generation the batch was made for; it refuses any other (ERESTART). 0:
 * any will do. */
BulkheadBatch *bulkhead_batch_new (guint32 seq, guint32 generation);
void bulkhead_batch_free (BulkheadBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadBatch, bulkhead_batch_free)

/* The messages, in the words of nft. @flags: NFT_TABLE_F_*. */
void bulkhead_batch_add_table (BulkheadBatch *batch, const BulkheadTable *table, guint32 flags);
void bulkhead_batch_delete_table (BulkheadBatch *batch, BulkheadFamily family);
void bulkhead_batch_flush_rules (BulkheadBatch *batch, BulkheadFamily family);
void bulkhead_batch_add_set (BulkheadBatch *batch, const BulkheadTable *table,
                             const BulkheadSet *set);
void bulkhead_batch_delete_set (BulkheadBatch *batch, BulkheadFamily family, const char *name);
void bulkhead_batch_flush_set (BulkheadBatch *batch, BulkheadFamily family, const char *name);
/* As many messages as the 64 KiB limit of one element list needs (LEAKS L111). @now: µs of
 * CLOCK_BOOTTIME, for elements that expire. */
void bulkhead_batch_add_elements (BulkheadBatch *batch, const BulkheadTable *table,
                                  const BulkheadSet *set, gint64 now);
void bulkhead_batch_add_chain (BulkheadBatch *batch, const BulkheadTable *table,
                               const BulkheadChain *chain);
void bulkhead_batch_delete_chain (BulkheadBatch *batch, BulkheadFamily family, const char *name);
void bulkhead_batch_add_rule (BulkheadBatch *batch, const BulkheadTable *table,
                              const BulkheadChain *chain, const BulkheadRule *rule);
/* Asks for an acknowledgement of the last message and ends the batch. Without this the kernel
 * checks every message and then throws all away: that is how features are probed. */
void bulkhead_batch_end (BulkheadBatch *batch);

/* Calls @each for every message so far. */
void bulkhead_batch_foreach (const BulkheadBatch *batch,
                             void (*each) (const struct nlmsghdr *message, gpointer data),
                             gpointer data);

/* What the message with sequence number @seq does, as nft text. (transfer full) */
char *bulkhead_batch_explain (const BulkheadBatch *batch, guint32 seq);

/*
 * What the kernel keeps of a set's elements: a plain range is its first key and, flagged
 * NFT_SET_ELEM_INTERVAL_END, the first key behind it; a concatenated one has @key_end.
 */
typedef void (*BulkheadEachElement) (const guint8 *key, const guint8 *key_end, guint32 flags,
                                     gpointer data);
void bulkhead_set_foreach_kernel_element (const BulkheadSet *set, BulkheadEachElement each,
                                          gpointer data);
