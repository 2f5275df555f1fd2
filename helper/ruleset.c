/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ruleset.h"

#include <string.h>

static void
set_free (BulkheadSet *set)
{
    g_byte_array_unref (set->elements);
    g_free (set);
}

static void
chain_free (BulkheadChain *chain)
{
    g_ptr_array_unref (chain->rules);
    g_free (chain);
}

static void
table_free (BulkheadTable *table)
{
    g_ptr_array_unref (table->sets);
    g_ptr_array_unref (table->chains);
    g_free (table);
}

BulkheadRuleset *
bulkhead_ruleset_new (void)
{
    BulkheadRuleset *ruleset = g_rc_box_new0 (BulkheadRuleset);
    ruleset->tables = g_ptr_array_new_with_free_func ((GDestroyNotify)table_free);
    return ruleset;
}

BulkheadRuleset *
bulkhead_ruleset_ref (const BulkheadRuleset *ruleset)
{
    return g_rc_box_acquire ((BulkheadRuleset *)ruleset);
}

static void
ruleset_clear (gpointer data)
{
    BulkheadRuleset *ruleset = data;
    g_ptr_array_unref (ruleset->tables);
}

void
bulkhead_ruleset_unref (BulkheadRuleset *ruleset)
{
    g_rc_box_release_full (ruleset, ruleset_clear);
}

BulkheadTable *
bulkhead_ruleset_add_table (BulkheadRuleset *ruleset, BulkheadFamily family)
{
    BulkheadTable *table = g_new0 (BulkheadTable, 1);
    table->family = family;
    table->sets = g_ptr_array_new_with_free_func ((GDestroyNotify)set_free);
    table->chains = g_ptr_array_new_with_free_func ((GDestroyNotify)chain_free);
    g_ptr_array_add (ruleset->tables, table);
    return table;
}

BulkheadTable *
bulkhead_ruleset_find_table (const BulkheadRuleset *ruleset, BulkheadFamily family)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        BulkheadTable *table = ruleset->tables->pdata[i];
        if (table->family == family)
            return table;
    }
    return NULL;
}

BulkheadSet *
bulkhead_table_add_set (BulkheadTable *table, const char *name, gboolean interval, guint n_fields,
                        const BulkheadDatatype *fields)
{
    BulkheadSet *set = g_new0 (BulkheadSet, 1);
    g_strlcpy (set->name, name, sizeof set->name);
    set->interval = interval;
    set->n_fields = n_fields;
    for (guint i = 0; i < n_fields; i++) {
        set->fields[i] = fields[i];
        set->key_size += (bulkhead_datatype_size (fields[i]) + 3) / 4 * 4;
    }
    if (n_fields == 1)
        set->key_size = bulkhead_datatype_size (fields[0]);
    set->elements = g_byte_array_new ();
    g_ptr_array_add (table->sets, set);
    return set;
}

BulkheadSet *
bulkhead_table_find_set (const BulkheadTable *table, const char *name)
{
    for (guint i = 0; i < table->sets->len; i++) {
        BulkheadSet *set = table->sets->pdata[i];
        if (g_str_equal (set->name, name))
            return set;
    }
    return NULL;
}

BulkheadChain *
bulkhead_table_add_chain (BulkheadTable *table, const char *name, BulkheadHook hook, int priority,
                          gboolean policy_drop, const char *device)
{
    BulkheadChain *chain = g_new0 (BulkheadChain, 1);
    g_strlcpy (chain->name, name, sizeof chain->name);
    chain->hook = hook;
    chain->priority = priority;
    chain->policy_drop = policy_drop;
    if (device != NULL)
        g_strlcpy (chain->device, device, sizeof chain->device);
    chain->rules = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (table->chains, chain);
    return chain;
}

BulkheadChain *
bulkhead_table_find_chain (const BulkheadTable *table, const char *name)
{
    for (guint i = 0; i < table->chains->len; i++) {
        BulkheadChain *chain = table->chains->pdata[i];
        if (g_str_equal (chain->name, name))
            return chain;
    }
    return NULL;
}

void
bulkhead_chain_add_rule (BulkheadChain *chain, const BulkheadStatement *statements, guint n)
{
    gsize size = n * sizeof *statements;
    BulkheadRule *rule = g_malloc0 (sizeof *rule + size);
    rule->n = n;
    memcpy (rule->statements, statements, size);
    g_ptr_array_add (chain->rules, rule);
}

/* ---- equality ---- */

static gboolean
statement_equal (const BulkheadStatement *a, const BulkheadStatement *b)
{
    return a->type == b->type && a->op == b->op && a->n_keys == b->n_keys
           && memcmp (a->keys, b->keys, sizeof a->keys) == 0 && a->prefix == b->prefix
           && memcmp (a->value, b->value, sizeof a->value) == 0 && a->number == b->number
           && g_str_equal (a->name, b->name);
}

static gboolean
rule_equal (const BulkheadRule *a, const BulkheadRule *b)
{
    if (a->n != b->n)
        return FALSE;
    for (guint i = 0; i < a->n; i++)
        if (!statement_equal (&a->statements[i], &b->statements[i]))
            return FALSE;
    return TRUE;
}

static gboolean
set_equal (const BulkheadSet *a, const BulkheadSet *b)
{
    return g_str_equal (a->name, b->name) && a->n_fields == b->n_fields
           && memcmp (a->fields, b->fields, sizeof a->fields) == 0 && a->interval == b->interval
           && a->dynamic == b->dynamic && a->timeout == b->timeout && a->expires == b->expires
           && a->elements->len == b->elements->len
           && (a->elements->len == 0
               || memcmp (a->elements->data, b->elements->data, a->elements->len) == 0);
}

static gboolean
chain_equal (const BulkheadChain *a, const BulkheadChain *b)
{
    if (!g_str_equal (a->name, b->name) || a->hook != b->hook || a->priority != b->priority
        || a->policy_drop != b->policy_drop || !g_str_equal (a->device, b->device)
        || a->rules->len != b->rules->len)
        return FALSE;
    for (guint i = 0; i < a->rules->len; i++)
        if (!rule_equal (a->rules->pdata[i], b->rules->pdata[i]))
            return FALSE;
    return TRUE;
}

static gboolean
table_equal (const BulkheadTable *a, const BulkheadTable *b)
{
    if (a->family != b->family || a->sets->len != b->sets->len || a->chains->len != b->chains->len)
        return FALSE;
    for (guint i = 0; i < a->sets->len; i++)
        if (!set_equal (a->sets->pdata[i], b->sets->pdata[i]))
            return FALSE;
    for (guint i = 0; i < a->chains->len; i++)
        if (!chain_equal (a->chains->pdata[i], b->chains->pdata[i]))
            return FALSE;
    return TRUE;
}

gboolean
bulkhead_ruleset_equal (const BulkheadRuleset *a, const BulkheadRuleset *b)
{
    if (a->tables->len != b->tables->len)
        return FALSE;
    for (guint i = 0; i < a->tables->len; i++)
        if (!table_equal (a->tables->pdata[i], b->tables->pdata[i]))
            return FALSE;
    return TRUE;
}

gboolean
bulkhead_ruleset_has_set (const BulkheadRuleset *ruleset, BulkheadFamily family,
                          const BulkheadSet *set)
{
    const BulkheadTable *table =
        ruleset != NULL ? bulkhead_ruleset_find_table (ruleset, family) : NULL;
    const BulkheadSet *same = table != NULL ? bulkhead_table_find_set (table, set->name) : NULL;

    return same != NULL && (same == set || set_equal (same, set));
}

/* ---- keys and types ---- */

guint
bulkhead_datatype_size (BulkheadDatatype type)
{
    switch (type) {
    case TYPE_NF_PROTO:
    case TYPE_INET_PROTO:
        return 1;
    case TYPE_ETHER_TYPE:
    case TYPE_INET_SERVICE:
        return 2;
    case TYPE_IPV4_ADDR:
    case TYPE_MARK:
    case TYPE_UID:
        return 4;
    case TYPE_IPV6_ADDR:
    case TYPE_IFNAME:
        return 16;
    }
    g_assert_not_reached ();
}

BulkheadDatatype
bulkhead_key_datatype (BulkheadKey key)
{
    switch (key) {
    case KEY_IIFNAME:
    case KEY_OIFNAME:
        return TYPE_IFNAME;
    case KEY_MARK:
        return TYPE_MARK;
    case KEY_SKUID:
        return TYPE_UID;
    case KEY_NFPROTO:
        return TYPE_NF_PROTO;
    case KEY_PROTOCOL:
    case KEY_LL_TYPE:
    case KEY_LL_VLAN_TYPE:
        return TYPE_ETHER_TYPE;
    case KEY_IP_SADDR:
    case KEY_IP_DADDR:
    case KEY_ARP_SADDR_IP:
    case KEY_ICMP_QUOTED_SADDR:
        return TYPE_IPV4_ADDR;
    case KEY_IP6_SADDR:
    case KEY_IP6_DADDR:
    case KEY_ICMPV6_QUOTED_SADDR:
        return TYPE_IPV6_ADDR;
    case KEY_IP_FRAG_OFF:
    case KEY_FRAG_FRAG_OFF:
    case KEY_UDP_SPORT:
    case KEY_UDP_DPORT:
    case KEY_TH_SPORT:
    case KEY_TH_DPORT:
        return TYPE_INET_SERVICE;
    case KEY_L4PROTO:
    case KEY_IP_HDRLENGTH:
    case KEY_IP6_HOPLIMIT:
    case KEY_EXTHDR_RT:
    case KEY_ICMP_TYPE:
    case KEY_ICMP_CODE:
    case KEY_ICMPV6_TYPE:
        return TYPE_INET_PROTO;
    }
    g_assert_not_reached ();
}

/* ---- elements ---- */

void
bulkhead_element_add (BulkheadElement *element, gconstpointer value, guint size)
{
    g_assert (element->size + size <= sizeof element->bytes);
    memcpy (element->bytes + element->size, value, size);
    element->size += (size + 3) / 4 * 4;
}

void
bulkhead_set_add (BulkheadSet *set, const BulkheadElement *element)
{
    g_assert (element->size >= set->key_size);
    g_byte_array_append (set->elements, element->bytes, set->key_size);
    if (set->interval)
        g_byte_array_append (set->elements, element->bytes, set->key_size);
}

void
bulkhead_set_add_range (BulkheadSet *set, const BulkheadElement *first, const BulkheadElement *last)
{
    g_assert (set->interval && first->size >= set->key_size && last->size >= set->key_size);
    g_byte_array_append (set->elements, first->bytes, set->key_size);
    g_byte_array_append (set->elements, last->bytes, set->key_size);
}

guint
bulkhead_set_count (const BulkheadSet *set)
{
    return set->elements->len / (set->interval ? 2 * set->key_size : set->key_size);
}

/* The fields of a key without their padding, as nft strings them together to sort. */
static guint
key_pack (const BulkheadSet *set, const guint8 *key, guint8 *ret)
{
    guint size = 0;

    for (guint i = 0; i < set->n_fields; i++) {
        guint n = bulkhead_datatype_size (set->fields[i]);
        memcpy (ret + size, key, n);
        size += n;
        key += (n + 3) / 4 * 4;
    }
    return size;
}

/* nft reads a concatenation as one little-endian number, and a value in its own byte order. */
static int
key_compare (gconstpointer pa, gconstpointer pb, gpointer data)
{
    const BulkheadSet *set = data;
    guint8 a[64], b[64];
    guint size = key_pack (set, pa, a);
    gboolean little;

    key_pack (set, pb, b);
    little = set->n_fields > 1
             || (G_BYTE_ORDER == G_LITTLE_ENDIAN
                 && (set->fields[0] == TYPE_IFNAME || set->fields[0] == TYPE_MARK
                     || set->fields[0] == TYPE_UID));
    for (guint i = 0; i < size; i++) {
        guint at = little ? size - 1 - i : i;
        if (a[at] != b[at])
            return a[at] < b[at] ? -1 : 1;
    }
    return 0;
}

void
bulkhead_set_finish (BulkheadSet *set)
{
    guint stride = set->interval ? 2 * set->key_size : set->key_size;
    guint n = bulkhead_set_count (set);
    guint kept = 0;

    if (n < 2)
        return;
    /* nft lists the ranges of a concatenation in the order the kernel was given them. */
    if (!set->interval || set->n_fields == 1)
        g_qsort_with_data (set->elements->data, n, stride, key_compare, set);
    for (guint i = 0; i < n; i++) {
        guint8 *element = set->elements->data + i * stride;
        guint8 *last = kept > 0 ? set->elements->data + (kept - 1) * stride : NULL;
        if (last != NULL && memcmp (last, element, stride) == 0)
            continue;
        memmove (set->elements->data + kept * stride, element, stride);
        kept++;
    }
    g_byte_array_set_size (set->elements, kept * stride);
}
