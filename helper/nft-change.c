/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-change.h"

#include "clock.h"
#include "nft-describe.h"

#include <linux/netfilter/nf_tables.h>

#define SLOW_FLUSH 1000 /* elements of several fields with intervals */

/* One table on its way to be another. */
typedef struct {
    const BulkheadChange *change;
    BulkheadBatch *batch;
    BulkheadFamily family;
    const BulkheadListing *actual; /* of nothing, when the table is made anew */
    const BulkheadListing *expected;
} Work;

static const BulkheadFamily families[] = { BULKHEAD_FAMILY_INET, BULKHEAD_FAMILY_NETDEV };

static gboolean
is_kept (const Work *work, const char *kind, const char *name)
{
    const char *actual = bulkhead_listing_lookup (work->actual, kind, work->family, name);

    return actual != NULL
           && g_strcmp0 (actual, bulkhead_listing_lookup (work->expected, kind, work->family, name))
                  == 0;
}

/* Whether the kernel has chains or sets that we do not want, or want otherwise. */
static gboolean
has_leftovers (const Work *work, const char *kind)
{
    g_auto (GStrv) names = bulkhead_listing_names (work->actual, kind, work->family);

    for (guint i = 0; names[i] != NULL; i++)
        if (!is_kept (work, kind, names[i]))
            return TRUE;
    return FALSE;
}

/* Deletes them. */
static void
delete_leftovers (const Work *work, const char *kind,
                  void (*delete_it) (BulkheadBatch *, BulkheadFamily, const char *))
{
    g_auto (GStrv) names = bulkhead_listing_names (work->actual, kind, work->family);

    for (guint i = 0; names[i] != NULL; i++)
        if (!is_kept (work, kind, names[i]))
            delete_it (work->batch, work->family, names[i]);
}

static guint
count_before (const Work *work, const char *name)
{
    const BulkheadTable *table =
        work->change->before != NULL
            ? bulkhead_ruleset_find_table (work->change->before, work->family)
            : NULL;
    const BulkheadSet *set = table != NULL ? bulkhead_table_find_set (table, name) : NULL;

    return set != NULL ? bulkhead_set_count (set) : 0;
}

/* The kernel takes elements out of a set of that type (pipapo) one by one and searches all for
 * each: 3 s for 10,000, minutes for 100,000, in which nobody else changes a rule. The whole set
 * goes at once; what it allows is refused for a moment then (LEAKS L104). */
static gboolean
is_slow_to_flush (const Work *work, const BulkheadSet *set)
{
    return set->interval && set->n_fields > 1
           && MAX (bulkhead_set_count (set), count_before (work, set->name)) > SLOW_FLUSH;
}

static void
change_set (const Work *work, const BulkheadTable *table, const BulkheadSet *set)
{
    gboolean kept = is_kept (work, "set", set->name);

    /* What the kernel remembers there is answers on their way. */
    if (set->dynamic && kept) {
        if (work->change->forget_flows)
            bulkhead_batch_flush_set (work->batch, work->family, set->name);
        return;
    }
    if (kept && bulkhead_ruleset_has_set (work->change->before, work->family, set))
        return;
    if (kept && is_slow_to_flush (work, set)) {
        bulkhead_batch_delete_set (work->batch, work->family, set->name);
        kept = FALSE;
    } else if (kept) {
        bulkhead_batch_flush_set (work->batch, work->family, set->name);
    }
    if (!kept)
        bulkhead_batch_add_set (work->batch, table, set);
    bulkhead_batch_add_elements (work->batch, table, set, bulkhead_boottime ());
}

static void
change_chains (const Work *work, const BulkheadTable *table)
{
    for (guint i = 0; i < table->chains->len; i++) {
        const BulkheadChain *chain = table->chains->pdata[i];

        if (!is_kept (work, "chain", chain->name))
            bulkhead_batch_add_chain (work->batch, table, chain);
    }
    for (guint i = 0; i < table->chains->len; i++) {
        const BulkheadChain *chain = table->chains->pdata[i];

        for (guint j = 0; j < chain->rules->len; j++)
            bulkhead_batch_add_rule (work->batch, table, chain, chain->rules->pdata[j]);
    }
}

/* What another program put there is not taken apart: the set or chain in a rule's own braces goes
 * with the rule, so that the kernel cannot delete it by name (ENOENT), and names may have spaces.
 */
static gboolean
is_strange (const Work *work)
{
    return work->change->before == NULL
           && (has_leftovers (work, "chain") || has_leftovers (work, "set"));
}

static gboolean
is_orphan (const BulkheadChange *change, const char *description)
{
    return change->flags & NFT_TABLE_F_OWNER
           && bulkhead_describe_flags (description)
                  == (change->flags & ~(guint32)NFT_TABLE_F_OWNER);
}

static void
change_table (Work *work)
{
    const BulkheadChange *change = work->change;
    const BulkheadTable *table = bulkhead_ruleset_find_table (change->wanted, work->family);
    const char *actual = bulkhead_listing_lookup (change->actual, "table", work->family, NULL);
    g_autoptr (BulkheadListing) nothing = bulkhead_listing_new ();
    gboolean stays =
        actual != NULL && table != NULL
        && (bulkhead_describe_flags (actual) == change->flags || is_orphan (change, actual));

    if (table == NULL && change->wanted->partial) {
        if (actual != NULL)
            bulkhead_batch_flush_rules (work->batch, work->family);
        return;
    }
    work->actual = change->actual;
    stays = stays && !is_strange (work);
    if (actual != NULL && !stays)
        bulkhead_batch_delete_table (work->batch, work->family);
    if (table == NULL)
        return;
    bulkhead_batch_add_table (work->batch, table, change->flags);
    if (!stays)
        work->actual = nothing;
    if (stays) {
        bulkhead_batch_flush_rules (work->batch, work->family);
        delete_leftovers (work, "chain", bulkhead_batch_delete_chain);
        delete_leftovers (work, "set", bulkhead_batch_delete_set);
    }
    for (guint i = 0; i < table->sets->len; i++)
        change_set (work, table, table->sets->pdata[i]);
    change_chains (work, table);
}

static void
change_tables (const BulkheadChange *change, BulkheadBatch *batch)
{
    g_autoptr (BulkheadListing) expected = bulkhead_listing_new ();
    Work work = { .change = change, .batch = batch, .expected = expected };

    bulkhead_listing_expect (expected, change->wanted, change->flags);
    for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
        work.family = families[i];
        change_table (&work);
    }
}

/*
 * The kernel lets no base chain be added in the transaction that changes a table's flags (EINVAL
 * for __NFT_TABLE_F_UPDATE), and links come and go between two helpers, so this is a transaction
 * of its own: no rule changes.
 */
static void
adopt_orphans (const BulkheadChange *change, BulkheadBatch *batch)
{
    for (guint i = 0; i < change->wanted->tables->len; i++) {
        const BulkheadTable *table = change->wanted->tables->pdata[i];
        const char *there = bulkhead_listing_lookup (change->actual, "table", table->family, NULL);

        if (there != NULL && is_orphan (change, there))
            bulkhead_batch_add_table (batch, table, change->flags);
    }
}

BulkheadBatch *
bulkhead_change_next (const BulkheadChange *change, guint32 seq, guint32 generation,
                      gboolean *ret_last)
{
    BulkheadBatch *batch = bulkhead_batch_new (seq, generation);

    adopt_orphans (change, batch);
    *ret_last = batch->entries->len == 0;
    if (*ret_last)
        change_tables (change, batch);
    if (batch->entries->len > 0)
        bulkhead_batch_end (batch);
    return batch;
}
