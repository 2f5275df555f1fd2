/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses, prefixes and ranges of both families as plain values: no pointers, compared byte by
 * byte, copied by assignment. Pure: parsing and arithmetic only, nothing is ever resolved.
 */
#pragma once

#include <gio/gio.h>

/* Bytes are in network order; an IPv4 address uses the first four and leaves the rest zero. */
typedef struct {
    GSocketFamily family; /* G_SOCKET_FAMILY_IPV4 or _IPV6 */
    guint8 bytes[16];
} BulkheadAddress;

/* `address` has its host bits kept when it is an interface's own address, cleared otherwise. */
typedef struct {
    BulkheadAddress address;
    guint8 length; /* 0..32 or 0..128 */
} BulkheadPrefix;

/* Both ends belong to the range and have the same family. */
typedef struct {
    BulkheadAddress first;
    BulkheadAddress last;
} BulkheadRange;

/* 4 or 16. */
gsize bulkhead_address_size (const BulkheadAddress *address);
/* One of the two families, unused bytes zero, no IPv4 in IPv6 clothing: what parsing gives. For
 * values that were built from bytes. */
gboolean bulkhead_address_is_plain (const BulkheadAddress *address);

/* Numeric text only: no names, no scope ids, no IPv4 in IPv6 clothing. FALSE leaves @ret alone. */
gboolean bulkhead_address_parse (const char *text, BulkheadAddress *ret);
/* Returns: (transfer full): as inet_ntop() writes it. */
char *bulkhead_address_to_string (const BulkheadAddress *address);
/* IPv4 first, then by value: <0, 0, >0. */
int bulkhead_address_compare (const BulkheadAddress *a, const BulkheadAddress *b);
gboolean bulkhead_address_is_multicast (const BulkheadAddress *address);
/* 0.0.0.0 or ::. */
gboolean bulkhead_address_is_unspecified (const BulkheadAddress *address);
gboolean bulkhead_address_is_loopback (const BulkheadAddress *address);

/* "ADDRESS" or "ADDRESS/LENGTH". Host bits must be zero, so that a typing error is an error. */
gboolean bulkhead_prefix_parse (const char *text, BulkheadPrefix *ret);
/* A plain address, a length its family has, host bits zero: what parsing gives. */
gboolean bulkhead_prefix_is_network (const BulkheadPrefix *prefix);
/* "ADDRESS/LENGTH"; a single address without its length. (transfer full) */
char *bulkhead_prefix_to_string (const BulkheadPrefix *prefix);
int bulkhead_prefix_compare (const BulkheadPrefix *a, const BulkheadPrefix *b);
gboolean bulkhead_prefix_contains (const BulkheadPrefix *prefix, const BulkheadAddress *address);
/* The same prefix with its host bits cleared. */
BulkheadPrefix bulkhead_prefix_network (const BulkheadPrefix *prefix);
BulkheadRange bulkhead_prefix_range (const BulkheadPrefix *prefix);
/* Whether every address of @inner is one of @prefix. */
gboolean bulkhead_prefix_covers (const BulkheadPrefix *prefix, const BulkheadPrefix *inner);

/* TRUE and @ret when the range is exactly one prefix. */
gboolean bulkhead_range_to_prefix (const BulkheadRange *range, BulkheadPrefix *ret);

/* Sorts any array of values in place and keeps one of what is equal. */
void bulkhead_sort_unique (GArray *array, GCompareFunc compare);

/*
 * Sorts an array of BulkheadRange of any families in place and merges what overlaps or touches,
 * so that the kernel's interval sets, which refuse overlaps, take it.
 */
void bulkhead_ranges_normalise (GArray *ranges);
/* Takes every address of @minus out of @ranges; both normalised, the result stays so. */
void bulkhead_ranges_subtract (GArray *ranges, GArray *minus);
/* Keeps only what is in @within too; both normalised, the result stays so. */
void bulkhead_ranges_intersect (GArray *ranges, GArray *within);
