/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address.h"

#include <string.h>

#define ADDRESS_TEXT_MAX 45 /* eight groups with the last two in dotted form */

gsize
bulkhead_address_size (const BulkheadAddress *address)
{
    return address->family == G_SOCKET_FAMILY_IPV4 ? 4 : 16;
}

/* ::ffff:0:0/96 and ::/96 but for :: and ::1 (RFC 4291, 2.5.5): the kernel may send such a packet
 * as IPv4, past every rule that looks for IPv6. */
static gboolean
is_ipv4_in_ipv6 (const guint8 *bytes)
{
    static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const guint8 zero[15] = { 0 };

    if (memcmp (bytes, mapped, sizeof mapped) == 0)
        return TRUE;

    return memcmp (bytes, zero, 12) == 0 && (memcmp (bytes, zero, 15) != 0 || bytes[15] > 1);
}

gboolean
bulkhead_address_is_plain (const BulkheadAddress *address)
{
    static const guint8 zero[12] = { 0 };

    switch ((int)address->family) {
    case G_SOCKET_FAMILY_IPV4:
        return memcmp (address->bytes + 4, zero, sizeof zero) == 0;
    case G_SOCKET_FAMILY_IPV6:
        return !is_ipv4_in_ipv6 (address->bytes);
    default:
        return FALSE;
    }
}

gboolean
bulkhead_address_parse (const char *text, BulkheadAddress *ret)
{
    g_autoptr (GInetAddress) inet = NULL;
    BulkheadAddress address = { 0 };

    /* Newer GLib takes scope ids; an IPv4 tail in an IPv6 address may be anything. */
    if (strchr (text, '%') != NULL || (strchr (text, ':') != NULL && strchr (text, '.') != NULL))
        return FALSE;

    inet = g_inet_address_new_from_string (text);
    if (inet == NULL)
        return FALSE;

    address.family = g_inet_address_get_family (inet);
    memcpy (address.bytes, g_inet_address_to_bytes (inet), g_inet_address_get_native_size (inet));
    if (!bulkhead_address_is_plain (&address))
        return FALSE;

    *ret = address;
    return TRUE;
}

char *
bulkhead_address_to_string (const BulkheadAddress *address)
{
    const guint8 *bytes = address->bytes;
    g_autoptr (GInetAddress) inet = NULL;

    /* Lists have 100,000 of these, and an object for each is four times as slow. */
    if (address->family == G_SOCKET_FAMILY_IPV4)
        return g_strdup_printf ("%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);

    inet = g_inet_address_new_from_bytes (bytes, address->family);
    return g_inet_address_to_string (inet);
}

int
bulkhead_address_compare (const BulkheadAddress *a, const BulkheadAddress *b)
{
    if (a->family != b->family)
        return a->family == G_SOCKET_FAMILY_IPV4 ? -1 : 1;

    return memcmp (a->bytes, b->bytes, sizeof a->bytes);
}

gboolean
bulkhead_address_is_multicast (const BulkheadAddress *address)
{
    if (address->family == G_SOCKET_FAMILY_IPV4)
        return (address->bytes[0] & 0xf0) == 0xe0;

    return address->bytes[0] == 0xff;
}

gboolean
bulkhead_address_is_unspecified (const BulkheadAddress *address)
{
    static const guint8 zero[16] = { 0 };

    return memcmp (address->bytes, zero, sizeof zero) == 0;
}

gboolean
bulkhead_address_is_loopback (const BulkheadAddress *address)
{
    static const guint8 one[16] = { [15] = 1 };

    if (address->family == G_SOCKET_FAMILY_IPV4)
        return address->bytes[0] == 127;

    return memcmp (address->bytes, one, sizeof one) == 0;
}

/* The bits of @fill stand in for those beyond @length. */
static BulkheadAddress
with_host_bits (const BulkheadAddress *address, guint length, guint8 fill)
{
    BulkheadAddress result = *address;
    gsize size = bulkhead_address_size (address);

    for (gsize i = length / 8; i < size; i++) {
        guint8 host = i == length / 8 ? 0xff >> (length % 8) : 0xff;

        result.bytes[i] = (result.bytes[i] & ~host) | (fill & host);
    }
    return result;
}

BulkheadPrefix
bulkhead_prefix_network (const BulkheadPrefix *prefix)
{
    return (BulkheadPrefix){ with_host_bits (&prefix->address, prefix->length, 0x00),
                             prefix->length };
}

BulkheadRange
bulkhead_prefix_range (const BulkheadPrefix *prefix)
{
    return (BulkheadRange){ with_host_bits (&prefix->address, prefix->length, 0x00),
                            with_host_bits (&prefix->address, prefix->length, 0xff) };
}

gboolean
bulkhead_prefix_is_network (const BulkheadPrefix *prefix)
{
    BulkheadPrefix network;

    if (!bulkhead_address_is_plain (&prefix->address)
        || prefix->length > 8 * bulkhead_address_size (&prefix->address))
        return FALSE;

    network = bulkhead_prefix_network (prefix);
    return bulkhead_prefix_compare (&network, prefix) == 0;
}

gboolean
bulkhead_prefix_parse (const char *text, BulkheadPrefix *ret)
{
    char host[ADDRESS_TEXT_MAX + 1] = { 0 };
    const char *slash = strchr (text, '/');
    gsize host_length = slash != NULL ? (gsize)(slash - text) : strlen (text);
    guint64 length = 0;
    BulkheadPrefix prefix = { 0 };

    if (host_length > ADDRESS_TEXT_MAX)
        return FALSE;
    memcpy (host, text, host_length);
    if (!bulkhead_address_parse (host, &prefix.address))
        return FALSE;

    if (slash == NULL)
        length = 8 * bulkhead_address_size (&prefix.address);
    else if ((slash[1] == '0' && slash[2] != '\0')
             || !g_ascii_string_to_unsigned (slash + 1, 10, 0, 128, &length, NULL))
        return FALSE;

    prefix.length = length;
    if (!bulkhead_prefix_is_network (&prefix))
        return FALSE;

    *ret = prefix;
    return TRUE;
}

char *
bulkhead_prefix_to_string (const BulkheadPrefix *prefix)
{
    g_autofree char *address = bulkhead_address_to_string (&prefix->address);

    if (prefix->length == 8 * bulkhead_address_size (&prefix->address))
        return g_steal_pointer (&address);

    return g_strdup_printf ("%s/%u", address, prefix->length);
}

int
bulkhead_prefix_compare (const BulkheadPrefix *a, const BulkheadPrefix *b)
{
    int order = bulkhead_address_compare (&a->address, &b->address);

    return order != 0 ? order : (int)a->length - (int)b->length;
}

gboolean
bulkhead_prefix_contains (const BulkheadPrefix *prefix, const BulkheadAddress *address)
{
    BulkheadAddress network;
    BulkheadAddress theirs;

    if (prefix->address.family != address->family)
        return FALSE;

    network = with_host_bits (&prefix->address, prefix->length, 0x00);
    theirs = with_host_bits (address, prefix->length, 0x00);
    return bulkhead_address_compare (&network, &theirs) == 0;
}

gboolean
bulkhead_prefix_covers (const BulkheadPrefix *prefix, const BulkheadPrefix *inner)
{
    return prefix->length <= inner->length && bulkhead_prefix_contains (prefix, &inner->address);
}

gboolean
bulkhead_range_to_prefix (const BulkheadRange *range, BulkheadPrefix *ret)
{
    guint bits = 8 * bulkhead_address_size (&range->first);
    guint length = 0;
    BulkheadPrefix prefix;
    BulkheadRange covered;

    while (length < bits
           && !((range->first.bytes[length / 8] ^ range->last.bytes[length / 8])
                & (0x80 >> (length % 8))))
        length++;

    prefix = (BulkheadPrefix){ range->first, length };
    covered = bulkhead_prefix_range (&prefix);
    if (bulkhead_address_compare (&covered.first, &range->first) != 0
        || bulkhead_address_compare (&covered.last, &range->last) != 0)
        return FALSE;

    *ret = prefix;
    return TRUE;
}

/* Callers know that there is a next one: an address after it in the same family. */
static BulkheadAddress
next_address (const BulkheadAddress *address)
{
    BulkheadAddress next = *address;

    for (gsize i = bulkhead_address_size (address); i > 0 && ++next.bytes[i - 1] == 0x00; i--)
        ;
    return next;
}

/* Callers know that there is one before it. */
static BulkheadAddress
previous_address (const BulkheadAddress *address)
{
    BulkheadAddress previous = *address;

    for (gsize i = bulkhead_address_size (address); i > 0 && previous.bytes[i - 1]-- == 0x00; i--)
        ;
    return previous;
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
    const BulkheadRange *left = a;
    const BulkheadRange *right = b;

    return bulkhead_address_compare (&left->first, &right->first);
}

void
bulkhead_sort_unique (GArray *array, GCompareFunc compare)
{
    gsize size = g_array_get_element_size (array);
    guint kept = 0;

    g_array_sort (array, compare);
    for (guint i = 0; i < array->len; i++) {
        const char *element = array->data + i * size;

        if (kept == 0 || compare (array->data + (kept - 1) * size, element) != 0)
            memmove (array->data + kept++ * size, element, size);
    }
    g_array_set_size (array, kept);
}

/* Whether @after, which does not begin before @range, overlaps it or begins right behind it. */
static gboolean
continues (const BulkheadRange *range, const BulkheadRange *after)
{
    BulkheadAddress before;

    if (bulkhead_address_compare (&after->first, &range->last) <= 0)
        return TRUE;

    before = previous_address (&after->first);
    return bulkhead_address_compare (&before, &range->last) == 0;
}

void
bulkhead_ranges_normalise (GArray *ranges)
{
    guint n = 0;

    g_array_sort (ranges, compare_ranges);
    for (guint i = 0; i < ranges->len; i++) {
        BulkheadRange range = g_array_index (ranges, BulkheadRange, i);
        BulkheadRange *last = n > 0 ? &g_array_index (ranges, BulkheadRange, n - 1) : NULL;

        if (last == NULL || !continues (last, &range))
            g_array_index (ranges, BulkheadRange, n++) = range;
        else if (bulkhead_address_compare (&range.last, &last->last) > 0)
            last->last = range.last;
    }
    g_array_set_size (ranges, n);
}

/* The content of @ranges becomes that of @result. */
static void
replace_ranges (GArray *ranges, GArray *result)
{
    g_array_set_size (ranges, 0);
    if (result->len > 0)
        g_array_append_vals (ranges, result->data, result->len);
}

void
bulkhead_ranges_subtract (GArray *ranges, GArray *minus)
{
    g_autoptr (GArray) result = g_array_new (FALSE, FALSE, sizeof (BulkheadRange));
    guint j = 0;

    for (guint i = 0; i < ranges->len; i++) {
        BulkheadRange rest = g_array_index (ranges, BulkheadRange, i);
        gboolean left = TRUE;

        while (left && j < minus->len) {
            const BulkheadRange *hole = &g_array_index (minus, BulkheadRange, j);

            if (bulkhead_address_compare (&hole->first, &rest.last) > 0)
                break;
            if (bulkhead_address_compare (&hole->last, &rest.first) < 0) {
                j++;
                continue;
            }
            if (bulkhead_address_compare (&hole->first, &rest.first) > 0) {
                BulkheadRange kept = { rest.first, previous_address (&hole->first) };

                g_array_append_val (result, kept);
            }
            /* A hole that reaches the end may reach into the next range too: it stays. */
            left = bulkhead_address_compare (&hole->last, &rest.last) < 0;
            if (left) {
                rest.first = next_address (&hole->last);
                j++;
            }
        }
        if (left)
            g_array_append_val (result, rest);
    }
    replace_ranges (ranges, result);
}

void
bulkhead_ranges_intersect (GArray *ranges, GArray *within)
{
    g_autoptr (GArray) result = g_array_new (FALSE, FALSE, sizeof (BulkheadRange));
    guint i = 0;
    guint j = 0;

    while (i < ranges->len && j < within->len) {
        const BulkheadRange *a = &g_array_index (ranges, BulkheadRange, i);
        const BulkheadRange *b = &g_array_index (within, BulkheadRange, j);
        gboolean a_first = bulkhead_address_compare (&a->first, &b->first) > 0;
        gboolean a_last = bulkhead_address_compare (&a->last, &b->last) < 0;
        BulkheadRange both = { a_first ? a->first : b->first, a_last ? a->last : b->last };

        if (bulkhead_address_compare (&both.first, &both.last) <= 0)
            g_array_append_val (result, both);
        if (a_last)
            i++;
        else
            j++;
    }
    replace_ranges (ranges, result);
}
