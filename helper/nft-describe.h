/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel lists of our tables, and what we would send, told in the same way: to compare
 * content, not names. Counters and handles do not count.
 */
#pragma once

#include "ruleset.h"

struct nlmsghdr;

/* One object as a line, the same for what we send and for what the kernel lists: NULL for what
 * is not a table, chain, set or rule, or belongs to another table than ours. */
char *bulkhead_describe (const struct nlmsghdr *message);
/* The flags in the line of a table. */
guint32 bulkhead_describe_flags (const char *table);
/* Whether @message is of a table of ours, and then which, and which object in it: @name, of @size
 * bytes, is the chain's or set's, else ""; @flags are a table's, else 0. FALSE leaves all alone. */
gboolean bulkhead_describe_identify (const struct nlmsghdr *message, BulkheadFamily *family,
                                     char *name, gsize size, guint32 *flags);

/* The elements of a set as the kernel keeps them, one record each, sorted: to compare. */
typedef struct {
    gsize key;    /* bytes of a key */
    guint64 left; /* ms until the last of them goes, as the kernel tells; 0: they stay */
    gsize record; /* bytes of one */
    GByteArray *bytes;
} BulkheadElements;
BulkheadElements *bulkhead_elements_new (const BulkheadSet *set);
void bulkhead_elements_free (BulkheadElements *elements);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadElements, bulkhead_elements_free)
/* What we would send. */
BulkheadElements *bulkhead_elements_of_set (const BulkheadSet *set);
/* Adds the elements of one message the kernel lists: a record for each, also for one that is not as
 * ours are, which then equals none of ours. */
void bulkhead_elements_add_message (BulkheadElements *elements, const struct nlmsghdr *message);
/* After the last message. */
void bulkhead_elements_sort (BulkheadElements *elements);
