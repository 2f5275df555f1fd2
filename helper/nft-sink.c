/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-sink.h"

#include "clock.h"
#include "error.h"
#include "nft-change.h"
#include "nft-describe.h"
#include "nft-socket.h"
#include "statement.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#ifndef NFT_TABLE_F_PERSIST /* Linux 6.9; Debian 12's headers are 6.1 */
#define NFT_TABLE_F_PERSIST 0x4
#endif
#define OWNER_FLAGS (NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST)

#define SLACK (2 * G_USEC_PER_SEC) /* between the kernel's time for an element and ours */
#define ATTEMPTS 50                /* when somebody else changes the ruleset at the same time */

struct _BulkheadSink {
    BulkheadNftSocket *nft;
    BulkheadFeatures features;
    gboolean forget_flows;
};

static guint32
table_flags (BulkheadSink *sink)
{
    return sink->features & BULKHEAD_FEATURE_OWNER ? OWNER_FLAGS : 0;
}

/* ---- apply ---- */

/* What is to be sent next: empty when nothing is. */
static BulkheadBatch *
next_batch (BulkheadSink *sink, const BulkheadRuleset *ruleset, const BulkheadRuleset *before,
            guint32 generation, const BulkheadListing *actual, gboolean *ret_last)
{
    const BulkheadChange change = {
        .wanted = ruleset,
        .before = before,
        .actual = actual,
        .flags = table_flags (sink),
        .forget_flows = sink->forget_flows,
    };
    BulkheadBatch *batch = bulkhead_change_next (
        &change, bulkhead_nft_socket_take_seq (sink->nft, 0), generation, ret_last);

    bulkhead_nft_socket_take_seq (sink->nft, batch->entries->len + 2);
    return batch;
}

static void
set_refused (GError **error, const BulkheadBatch *batch, guint32 seq, int reason)
{
    g_autofree char *line = bulkhead_batch_explain (batch, seq);

    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED, "kernel refused “%s”: %s",
                 line, g_strerror (reason));
}

/* Bound to the generation that was listed, unless somebody's changes come so fast that none is
 * ever met: then to any, for what came of it is read back by whoever applies. */
gboolean
bulkhead_sink_apply (BulkheadSink *sink, const BulkheadRuleset *ruleset,
                     const BulkheadRuleset *before, GError **error)
{
    for (guint attempt = 1;; attempt++) {
        g_autoptr (BulkheadListing) actual = bulkhead_listing_new ();
        g_autoptr (BulkheadBatch) batch = NULL;
        guint32 generation = bulkhead_nft_socket_generation (sink->nft, error);
        gboolean pinned = attempt <= ATTEMPTS / 2;
        gboolean last = TRUE;
        guint32 seq = 0;
        int reason;

        if (generation == 0)
            return FALSE;
        if (bulkhead_listing_read (actual, sink->nft, FALSE)) {
            batch = next_batch (sink, ruleset, before, pinned ? generation : 0, actual, &last);
            if (batch->entries->len == 0)
                return TRUE;
            reason = bulkhead_nft_socket_transact (sink->nft, batch, &seq);
        } else {
            reason = errno == EINTR ? ERESTART : errno;
        }
        if (reason == 0 && last) {
            sink->forget_flows = FALSE;
            return TRUE;
        }
        if (reason == 0)
            continue;
        if (reason == EPROTO && last) /* no answer: only reading back can tell */
            return bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, error);
        if ((reason == ERESTART || !last) && attempt < ATTEMPTS)
            continue;
        if (batch != NULL)
            set_refused (error, batch, seq, reason);
        else
            g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED,
                         "kernel does not list its rules: %s", g_strerror (reason));
        return FALSE;
    }
}

/* ---- verify ---- */

static void
on_elements (const struct nlmsghdr *message, gpointer data)
{
    bulkhead_elements_add_message (data, message);
}

/* An element with a timeout may be gone when its time is nearly over, and must be afterwards. It
 * may not stay longer than it should, as when the kernel's time stood still while the machine
 * slept, or when another program put it in again. */
static gboolean
same_elements (const BulkheadSet *set, const BulkheadElements *expected,
               const BulkheadElements *actual)
{
    gint64 left = set->expires - bulkhead_boottime ();

    if (set->timeout > 0 && left < SLACK && actual->bytes->len == 0)
        return TRUE;
    if (set->timeout > 0 && (left < -SLACK || actual->left * 1000 > (guint64)MAX (left, 0) + SLACK))
        return FALSE;
    return expected->bytes->len == actual->bytes->len
           && (expected->bytes->len == 0
               || memcmp (expected->bytes->data, actual->bytes->data, expected->bytes->len) == 0);
}

/* A dynamic set is the kernel's own to fill. */
static gboolean
read_set (BulkheadSink *sink, const BulkheadTable *table, const BulkheadSet *set,
          char **ret_problem)
{
    g_autoptr (BulkheadElements) expected = bulkhead_elements_of_set (set);
    g_autoptr (BulkheadElements) actual = bulkhead_elements_new (set);

    if (set->dynamic)
        return TRUE;
    if (!bulkhead_nft_socket_dump (sink->nft, NFT_MSG_GETSETELEM, table->family, BULKHEAD_TABLE,
                                   set->name, on_elements, actual)
        && errno != ENOENT)
        return FALSE;
    bulkhead_elements_sort (actual);
    if (!same_elements (set, expected, actual))
        *ret_problem = g_strdup_printf ("set %s has other elements than it should", set->name);
    return TRUE;
}

/* FALSE: the kernel could not be read (errno); else the first difference or NULL. */
static gboolean
read_back (BulkheadSink *sink, const BulkheadRuleset *ruleset, const BulkheadRuleset *before,
           BulkheadReadDepth depth, char **ret_problem)
{
    g_autoptr (BulkheadListing) expected = bulkhead_listing_new ();
    g_autoptr (BulkheadListing) actual = bulkhead_listing_new ();

    bulkhead_listing_expect (expected, ruleset, table_flags (sink));
    if (!bulkhead_listing_read (actual, sink->nft, TRUE))
        return FALSE;
    *ret_problem = bulkhead_listing_difference (expected, actual, ruleset);
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];

        for (guint j = 0; *ret_problem == NULL && j < table->sets->len; j++) {
            const BulkheadSet *set = table->sets->pdata[j];
            gboolean large = bulkhead_set_count (set) > BULKHEAD_LARGE_SET;

            if ((large && depth != BULKHEAD_READ_ALL)
                || bulkhead_ruleset_has_set (before, table->family, set))
                continue;
            if (!read_set (sink, table, set, ret_problem))
                return FALSE;
        }
    }
    return TRUE;
}

gboolean
bulkhead_sink_verify (BulkheadSink *sink, const BulkheadRuleset *ruleset,
                      const BulkheadRuleset *before, BulkheadReadDepth depth, GError **error)
{
    g_autofree char *problem = NULL;

    for (guint attempt = 1; !read_back (sink, ruleset, before, depth, &problem); attempt++) {
        /* The list changed while it was read, by somebody's other tables most likely. */
        if (errno == EINTR && attempt < ATTEMPTS)
            continue;
        problem = g_strdup_printf ("the kernel does not list its rules: %s", g_strerror (errno));
        break;
    }
    if (problem == NULL)
        return TRUE;
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED, "not enforced: %s", problem);
    return FALSE;
}

void
bulkhead_sink_forget_flows (BulkheadSink *sink)
{
    sink->forget_flows = TRUE;
}

void
bulkhead_sink_read_dynamic (BulkheadSink *sink, BulkheadRuleset *ruleset)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        BulkheadTable *table = ruleset->tables->pdata[i];

        for (guint j = 0; j < table->sets->len; j++) {
            BulkheadSet *set = table->sets->pdata[j];
            g_autoptr (BulkheadElements) elements = bulkhead_elements_new (set);

            if (!set->dynamic
                || !bulkhead_nft_socket_dump (sink->nft, NFT_MSG_GETSETELEM, table->family,
                                              BULKHEAD_TABLE, set->name, on_elements, elements))
                continue;
            for (gsize at = 0; at < elements->bytes->len; at += elements->record)
                g_byte_array_append (set->elements, elements->bytes->data + at, set->key_size);
            bulkhead_set_finish (set);
        }
    }
}

/* ---- features ---- */

/* Whether the kernel takes @table: checked and thrown away, as the batch has no end. It is bound to
 * no generation, or somebody else's change at that moment would pass for a feature that is not. */
static gboolean
probe (BulkheadSink *sink, const BulkheadTable *table, guint32 flags)
{
    g_autoptr (BulkheadBatch) batch = NULL;
    guint32 seq;

    batch = bulkhead_batch_new (bulkhead_nft_socket_take_seq (sink->nft, 64), 0);
    batch->table_name = BULKHEAD_TABLE "-probe";
    bulkhead_batch_add_table (batch, table, flags);
    for (guint i = 0; i < table->chains->len; i++) {
        const BulkheadChain *chain = table->chains->pdata[i];

        bulkhead_batch_add_chain (batch, table, chain);
        for (guint j = 0; j < chain->rules->len; j++)
            bulkhead_batch_add_rule (batch, table, chain, chain->rules->pdata[j]);
    }
    return bulkhead_nft_socket_transact (sink->nft, batch, &seq) == EPROTO;
}

static BulkheadFeatures
probe_features (BulkheadSink *sink, gboolean use_owner)
{
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_ruleset_new ();
    BulkheadTable *plain = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_INET);
    BulkheadTable *logging = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_INET);
    BulkheadTable *egress = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_NETDEV);
    BulkheadChain *chain =
        bulkhead_table_add_chain (logging, "output", HOOK_OUTPUT, 0, FALSE, NULL);
    BulkheadFeatures features = 0;

    rule (chain, limit_per_second (10), log_group (BULKHEAD_LOG_GROUP));
    bulkhead_table_add_chain (egress, "egress", HOOK_EGRESS, 0, FALSE, "lo");
    if (probe (sink, egress, 0))
        features |= BULKHEAD_FEATURE_EGRESS;
    if (probe (sink, logging, 0))
        features |= BULKHEAD_FEATURE_LOG;
    if (use_owner && probe (sink, plain, OWNER_FLAGS))
        features |= BULKHEAD_FEATURE_OWNER;
    return features;
}

BulkheadSink *
bulkhead_sink_new (gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadSink) sink = g_new0 (BulkheadSink, 1);

    sink->nft = bulkhead_nft_socket_new (error);
    if (sink->nft == NULL || bulkhead_nft_socket_generation (sink->nft, error) == 0)
        return NULL;
    sink->features = probe_features (sink, use_owner);
    return g_steal_pointer (&sink);
}

void
bulkhead_sink_free (BulkheadSink *sink)
{
    g_clear_pointer (&sink->nft, bulkhead_nft_socket_free);
    g_free (sink);
}

BulkheadFeatures
bulkhead_sink_get_features (BulkheadSink *sink)
{
    return sink->features;
}

guint32
bulkhead_sink_get_port (BulkheadSink *sink)
{
    return bulkhead_nft_socket_port (sink->nft);
}

/* What stands there but for the rules; NULL: the kernel could not be read. (transfer full) */
static BulkheadListing *
list (BulkheadSink *sink)
{
    for (guint attempt = 1; attempt <= ATTEMPTS; attempt++) {
        g_autoptr (BulkheadListing) listing = bulkhead_listing_new ();

        if (bulkhead_listing_read (listing, sink->nft, FALSE))
            return g_steal_pointer (&listing);
        if (errno != EINTR) /* somebody else changed the ruleset */
            break;
    }
    return NULL;
}

gboolean
bulkhead_sink_has_tables (BulkheadSink *sink)
{
    g_autoptr (BulkheadListing) listing = list (sink);

    /* What cannot be read may be there. */
    if (listing == NULL)
        return TRUE;
    return bulkhead_listing_lookup (listing, "table", BULKHEAD_FAMILY_INET, NULL) != NULL
           || bulkhead_listing_lookup (listing, "table", BULKHEAD_FAMILY_NETDEV, NULL) != NULL;
}

gboolean
bulkhead_sink_has_chains (BulkheadSink *sink, const BulkheadRuleset *ruleset)
{
    g_autoptr (BulkheadListing) expected = bulkhead_listing_new ();
    g_autoptr (BulkheadListing) actual = list (sink);

    bulkhead_listing_expect (expected, ruleset, 0);
    return actual != NULL && bulkhead_listing_has_chains (actual, expected);
}
