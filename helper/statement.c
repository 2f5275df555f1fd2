/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "statement.h"

BulkheadStatement
bulkhead_lookup (BulkheadStatementType type, const char *set, const guint8 *keys, gsize n_keys)
{
    BulkheadStatement statement = { .type = type };

    g_assert (n_keys <= BULKHEAD_KEYS_MAX);
    statement.n_keys = n_keys;
    memcpy (statement.keys, keys, n_keys);
    g_strlcpy (statement.name, set, sizeof statement.name);
    return statement;
}

BulkheadStatement
bulkhead_match (BulkheadKey key, BulkheadOperator op, gconstpointer value, gsize size)
{
    BulkheadStatement statement = { .type = STATEMENT_MATCH, .op = op, .n_keys = 1 };

    statement.keys[0] = key;
    g_assert (size <= bulkhead_datatype_size (bulkhead_key_datatype (key)));
    memcpy (statement.value, value, size);
    statement.prefix = 8 * bulkhead_datatype_size (bulkhead_key_datatype (key));
    return statement;
}

BulkheadStatement
bulkhead_match_prefix (BulkheadKey key, const char *text)
{
    BulkheadPrefix prefix;
    BulkheadStatement statement;

    if (!bulkhead_prefix_parse (text, &prefix))
        g_assert_not_reached ();
    statement =
        bulkhead_match (key, OP_EQ, prefix.address.bytes, bulkhead_address_size (&prefix.address));
    statement.prefix = prefix.length;
    return statement;
}

BulkheadStatement
jump (const char *chain)
{
    BulkheadStatement statement = { .type = STATEMENT_JUMP };

    g_strlcpy (statement.name, chain, sizeof statement.name);
    return statement;
}
