/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-listing.h"

#include "nft-describe.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define ATTEMPTS 5          /* to read objects of one kind while somebody else changes some */
#define ACCEPTS " policy 1" /* in the description of a chain: NF_ACCEPT */

static const BulkheadFamily families[] = { BULKHEAD_FAMILY_INET, BULKHEAD_FAMILY_NETDEV };

struct _BulkheadListing {
    GHashTable *objects; /* "KIND FAMILY NAME" -> description; the rules of a chain are one text */
};

BulkheadListing *
bulkhead_listing_new (void)
{
    BulkheadListing *listing = g_new0 (BulkheadListing, 1);

    listing->objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    return listing;
}

void
bulkhead_listing_free (BulkheadListing *listing)
{
    g_hash_table_unref (listing->objects);
    g_free (listing);
}

/* "rule inet output [ … ]" -> "rules inet output"; of others the first three words. */
static char *
object_key (const char *description)
{
    g_auto (GStrv) words = g_strsplit (description, " ", 4);
    gboolean table = g_str_equal (words[0], "table");

    return g_strjoin (" ", words[0], words[1], table ? NULL : words[2], NULL);
}

void
bulkhead_listing_add (BulkheadListing *listing, const struct nlmsghdr *message)
{
    g_autofree char *description = bulkhead_describe (message);
    g_autofree char *key = NULL;
    const char *known;

    if (description == NULL)
        return;
    key = object_key (description);
    known = g_hash_table_lookup (listing->objects, key);
    if (known != NULL) {
        char *both = g_strconcat (known, "\n", description, NULL);
        g_hash_table_insert (listing->objects, g_steal_pointer (&key), both);
    } else {
        g_hash_table_insert (listing->objects, g_steal_pointer (&key),
                             g_steal_pointer (&description));
    }
}

static void
on_message (const struct nlmsghdr *message, gpointer data)
{
    bulkhead_listing_add (data, message);
}

static gboolean
take_object (gpointer key, gpointer description, gpointer listing)
{
    g_hash_table_insert (((BulkheadListing *)listing)->objects, key, description);
    return TRUE;
}

/* What somebody's change spoilt is read again by itself: beside one who changes something all the
 * time all of it would never be read. A table that is not there has nothing in it. */
static gboolean
read_objects (BulkheadListing *listing, BulkheadNftSocket *nft, guint16 type, BulkheadFamily family,
              const char *table, const char *chain)
{
    for (guint attempt = 1; attempt <= ATTEMPTS; attempt++) {
        g_autoptr (BulkheadListing) objects = bulkhead_listing_new ();

        if (bulkhead_nft_socket_dump (nft, type, family, table, chain, on_message, objects)
            || errno == ENOENT) {
            g_hash_table_foreach_steal (objects->objects, take_object, listing);
            return TRUE;
        }
        if (errno != EINTR)
            return FALSE;
    }
    return FALSE;
}

/* Chain by chain: the shorter a list, the likelier it is read before somebody changes something. */
static gboolean
read_rules (BulkheadListing *listing, BulkheadNftSocket *nft, BulkheadFamily family)
{
    g_auto (GStrv) chains = bulkhead_listing_names (listing, "chain", family);

    for (guint i = 0; chains[i] != NULL; i++)
        if (!read_objects (listing, nft, NFT_MSG_GETRULE, family, BULKHEAD_TABLE, chains[i]))
            return FALSE;
    return TRUE;
}

gboolean
bulkhead_listing_read (BulkheadListing *listing, BulkheadNftSocket *nft, gboolean rules)
{
    for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
        BulkheadFamily family = families[i];

        if (!read_objects (listing, nft, NFT_MSG_GETTABLE, family, NULL, NULL)
            || !read_objects (listing, nft, NFT_MSG_GETCHAIN, family, NULL, NULL)
            || !read_objects (listing, nft, NFT_MSG_GETSET, family, BULKHEAD_TABLE, NULL)
            || (rules && !read_rules (listing, nft, family)))
            return FALSE;
    }
    return TRUE;
}

void
bulkhead_listing_expect (BulkheadListing *listing, const BulkheadRuleset *ruleset, guint32 flags)
{
    g_autoptr (BulkheadBatch) batch = bulkhead_batch_new (0, 0);

    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];

        bulkhead_batch_add_table (batch, table, flags);
        for (guint j = 0; j < table->sets->len; j++)
            bulkhead_batch_add_set (batch, table, table->sets->pdata[j]);
        for (guint j = 0; j < table->chains->len; j++) {
            const BulkheadChain *chain = table->chains->pdata[j];

            bulkhead_batch_add_chain (batch, table, chain);
            for (guint k = 0; k < chain->rules->len; k++)
                bulkhead_batch_add_rule (batch, table, chain, chain->rules->pdata[k]);
        }
    }
    bulkhead_batch_foreach (batch, on_message, listing);
}

const char *
bulkhead_listing_lookup (const BulkheadListing *listing, const char *kind, BulkheadFamily family,
                         const char *name)
{
    g_autofree char *key = g_strjoin (" ", kind, bulkhead_family_name (family), name, NULL);
    return g_hash_table_lookup (listing->objects, key);
}

GStrv
bulkhead_listing_names (const BulkheadListing *listing, const char *kind, BulkheadFamily family)
{
    g_autofree char *prefix = g_strdup_printf ("%s %s ", kind, bulkhead_family_name (family));
    g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init (&iter, listing->objects);
    while (g_hash_table_iter_next (&iter, &key, NULL))
        if (g_str_has_prefix (key, prefix))
            g_strv_builder_add (names, (const char *)key + strlen (prefix));
    return g_strv_builder_end (names);
}

/* A dormant table has no hooks. */
static gboolean
is_at_work (const BulkheadListing *listing, BulkheadFamily family)
{
    const char *table = bulkhead_listing_lookup (listing, "table", family, NULL);

    return table != NULL && (bulkhead_describe_flags (table) & NFT_TABLE_F_DORMANT) == 0;
}

gboolean
bulkhead_listing_has_chains (const BulkheadListing *listing, const BulkheadListing *expected)
{
    for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
        g_auto (GStrv) names = bulkhead_listing_names (expected, "chain", families[i]);

        if (names[0] != NULL && !is_at_work (listing, families[i]))
            return FALSE;
        for (guint j = 0; names[j] != NULL; j++)
            if (g_strcmp0 (bulkhead_listing_lookup (listing, "chain", families[i], names[j]),
                           bulkhead_listing_lookup (expected, "chain", families[i], names[j]))
                != 0)
                return FALSE;
    }
    return TRUE;
}

static BulkheadFamily
family_of (const char *name)
{
    return g_str_equal (name, "inet") ? BULKHEAD_FAMILY_INET : BULKHEAD_FAMILY_NETDEV;
}

/* Which rule of a chain differs first, in nft's words. */
static char *
explain_rules (const BulkheadRuleset *ruleset, BulkheadFamily family, const char *name,
               const char *expected, const char *actual)
{
    const BulkheadTable *table = bulkhead_ruleset_find_table (ruleset, family);
    const BulkheadChain *chain = bulkhead_table_find_chain (table, name);
    g_auto (GStrv) wanted = g_strsplit (expected, "\n", -1);
    g_auto (GStrv) found = g_strsplit (actual, "\n", -1);
    g_autofree char *line = NULL;
    guint i = 0;

    while (wanted[i] != NULL && g_strcmp0 (wanted[i], found[i]) == 0)
        i++;
    if (wanted[i] == NULL)
        return g_strdup_printf ("chain %s has %u rules too many", name, g_strv_length (found) - i);
    line = bulkhead_rule_to_text (table, chain, chain->rules->pdata[i]);
    return g_strdup_printf ("rule %u of chain %s is not “%s”", i + 1, name, line);
}

static char *
explain_object (const BulkheadRuleset *ruleset, const char *key, const char *expected,
                const char *actual)
{
    g_auto (GStrv) words = g_strsplit (key, " ", 3);

    if (actual == NULL)
        return g_str_equal (words[0], "rule") ? g_strdup_printf ("chain %s is empty", words[2])
                                              : g_strdup_printf ("%s is missing", key);
    if (expected == NULL)
        return g_strdup_printf ("%s is not ours", key);
    if (g_str_equal (words[0], "rule"))
        return explain_rules (ruleset, family_of (words[1]), words[2], expected, actual);
    return g_strdup_printf ("there is “%s” in the place of “%s”", actual, expected);
}

/* What a partial ruleset leaves of a table that is not in it: chains that accept nothing. */
static gboolean
may_stay (const BulkheadRuleset *ruleset, const char *key, const char *description)
{
    g_auto (GStrv) words = g_strsplit (key, " ", 3);

    return ruleset->partial && bulkhead_ruleset_find_table (ruleset, family_of (words[1])) == NULL
           && !g_str_equal (words[0], "rule") && strstr (description, ACCEPTS) == NULL;
}

char *
bulkhead_listing_difference (const BulkheadListing *expected, const BulkheadListing *actual,
                             const BulkheadRuleset *ruleset)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init (&iter, expected->objects);
    while (g_hash_table_iter_next (&iter, &key, &value)) {
        const char *found = g_hash_table_lookup (actual->objects, key);
        if (g_strcmp0 (value, found) != 0)
            return explain_object (ruleset, key, value, found);
    }
    g_hash_table_iter_init (&iter, actual->objects);
    while (g_hash_table_iter_next (&iter, &key, &value))
        if (!g_hash_table_contains (expected->objects, key) && !may_stay (ruleset, key, value))
            return explain_object (ruleset, key, NULL, value);
    return NULL;
}
