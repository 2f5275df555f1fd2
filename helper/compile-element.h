/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elements from their fields and sets from their elements, for the compile files only. */
#pragma once

#include "policy.h"
#include "ruleset.h"

/* An element from its fields, in order. */
static inline void
add_ifname (BulkheadElement *element, const char *name)
{
    char padded[BULKHEAD_IFNAME_SIZE] = { 0 };

    g_strlcpy (padded, name, sizeof padded);
    bulkhead_element_add (element, padded, sizeof padded);
}

static inline void
add_address (BulkheadElement *element, const BulkheadAddress *address)
{
    bulkhead_element_add (element, address->bytes, bulkhead_address_size (address));
}

static inline void
add_protocol (BulkheadElement *element, guint8 protocol)
{
    bulkhead_element_add (element, &protocol, sizeof protocol);
}

static inline void
add_port (BulkheadElement *element, guint16 port)
{
    guint16 be = GUINT16_TO_BE (port);
    bulkhead_element_add (element, &be, sizeof be);
}

static inline gboolean
is_ipv4 (const BulkheadAddress *address)
{
    return address->family == G_SOCKET_FAMILY_IPV4;
}

/* In the list of a set's fields ADDRESS is of the family at hand. */
#define ADDRESS TYPE_IPV4_ADDR
#define FIELDS(...)                                                                                \
    sizeof ((const BulkheadDatatype[]){ __VA_ARGS__ }) / sizeof (BulkheadDatatype),                \
        (const BulkheadDatatype[])                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static inline BulkheadSet *
set_named (BulkheadTable *table, const char *name, gboolean interval, guint n,
           const BulkheadDatatype *fields)
{
    BulkheadSet *set = bulkhead_table_find_set (table, name);
    return set != NULL ? set : bulkhead_table_add_set (table, name, interval, n, fields);
}

/* "NAME4" or "NAME6". */
static inline BulkheadSet *
set_for (BulkheadTable *table, const char *name, const BulkheadAddress *address, gboolean interval,
         guint n, const BulkheadDatatype *fields)
{
    char full[BULKHEAD_NAME_SIZE];
    BulkheadDatatype typed[BULKHEAD_KEYS_MAX];

    g_snprintf (full, sizeof full, "%s%d", name, is_ipv4 (address) ? 4 : 6);
    for (guint i = 0; i < n; i++)
        typed[i] = fields[i] == ADDRESS && !is_ipv4 (address) ? TYPE_IPV6_ADDR : fields[i];
    return set_named (table, full, interval, n, typed);
}

/* Addresses alone: an interval set. */
static inline void
add_ranges (BulkheadTable *table, const char *name, GArray *ranges)
{
    for (guint i = 0; i < ranges->len; i++) {
        const BulkheadRange *range = &g_array_index (ranges, BulkheadRange, i);
        BulkheadElement first = { 0 }, last = { 0 };

        add_address (&first, &range->first);
        add_address (&last, &range->last);
        bulkhead_set_add_range (set_for (table, name, &range->first, TRUE, FIELDS (ADDRESS)),
                                &first, &last);
    }
}

static inline GArray *
ranges_new (void)
{
    return g_array_new (FALSE, FALSE, sizeof (BulkheadRange));
}

static inline void
append_prefix (GArray *ranges, const BulkheadPrefix *prefix)
{
    BulkheadRange range = bulkhead_prefix_range (prefix);
    g_array_append_val (ranges, range);
}
