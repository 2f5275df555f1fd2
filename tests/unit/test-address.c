/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address.h"

#include <string.h>

static BulkheadAddress
address (const char *text)
{
    BulkheadAddress result;

    if (!bulkhead_address_parse (text, &result))
        g_error ("not an address: %s", text);
    return result;
}

static BulkheadPrefix
prefix (const char *text)
{
    BulkheadPrefix result;

    if (!bulkhead_prefix_parse (text, &result))
        g_error ("not a prefix: %s", text);
    return result;
}

static void
test_address_text (void)
{
    static const char *const good[][2] = {
        { "0.0.0.0", "0.0.0.0" },
        { "203.0.113.5", "203.0.113.5" },
        { "255.255.255.255", "255.255.255.255" },
        { "::", "::" },
        { "::1", "::1" },
        { "2001:DB8:0:0:0:0:0:5", "2001:db8::5" },
        { "2001:0db8::0005", "2001:db8::5" },
        { "64:ff9b::102:304", "64:ff9b::102:304" },
        { "::1:0:0:0", "::1:0:0:0" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
        BulkheadAddress parsed = address (good[i][0]);
        g_autofree char *text = bulkhead_address_to_string (&parsed);

        g_assert_cmpstr (text, ==, good[i][1]);
        g_assert_true (bulkhead_address_is_plain (&parsed));
        g_assert_cmpuint (bulkhead_address_size (&parsed), ==, strchr (text, ':') ? 16 : 4);
    }
}

static void
test_address_bad_text (void)
{
    static const char *const bad[] = {
        "",
        " ",
        "localhost",
        "vpn.example.com",
        "1.2.3",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "01.2.3.4",
        "1.2.3.04",
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4/32",
        "-1.2.3.4",
        "[::1]",
        "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "fe80::1%eth0",
        "fe80::1%1",
        "1.2.3.4%eth0",
        /* IPv4 in IPv6 clothing, whatever the spelling */
        "::ffff:1.2.3.4",
        "::ffff:102:304",
        "::ffff:0:0",
        "::ffff:ffff:ffff",
        "0:0:0:0:0:FFFF:0102:0304",
        "::1.2.3.4",
        "::102:304",
        "::2",
        "::0.0.0.1",
        "64:ff9b::1.2.3.4",
    };
    BulkheadAddress untouched;

    memset (&untouched, 0xa5, sizeof untouched);
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        BulkheadAddress parsed = untouched;

        if (bulkhead_address_parse (bad[i], &parsed))
            g_error ("taken for an address: “%s”", bad[i]);
        g_assert_cmpmem (&parsed, sizeof parsed, &untouched, sizeof untouched);
    }
}

static void
test_address_kinds (void)
{
    static const struct {
        const char *text;
        gboolean multicast, unspecified, loopback;
    } cases[] = {
        { "0.0.0.0", FALSE, TRUE, FALSE },         { "::", FALSE, TRUE, FALSE },
        { "0.0.0.1", FALSE, FALSE, FALSE },        { "127.0.0.0", FALSE, FALSE, TRUE },
        { "127.255.255.255", FALSE, FALSE, TRUE }, { "126.255.255.255", FALSE, FALSE, FALSE },
        { "128.0.0.0", FALSE, FALSE, FALSE },      { "::1", FALSE, FALSE, TRUE },
        { "7f00::1", FALSE, FALSE, FALSE },        { "223.255.255.255", FALSE, FALSE, FALSE },
        { "224.0.0.0", TRUE, FALSE, FALSE },       { "239.255.255.255", TRUE, FALSE, FALSE },
        { "240.0.0.0", FALSE, FALSE, FALSE },      { "ff02::1", TRUE, FALSE, FALSE },
        { "fe80::1", FALSE, FALSE, FALSE },        { "e000::", FALSE, FALSE, FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        BulkheadAddress parsed = address (cases[i].text);

        g_test_message ("%s", cases[i].text);
        g_assert_cmpint (bulkhead_address_is_multicast (&parsed), ==, cases[i].multicast);
        g_assert_cmpint (bulkhead_address_is_unspecified (&parsed), ==, cases[i].unspecified);
        g_assert_cmpint (bulkhead_address_is_loopback (&parsed), ==, cases[i].loopback);
    }
}

static void
test_address_plain (void)
{
    BulkheadAddress dirty = address ("192.0.2.1");
    BulkheadAddress mapped = { G_SOCKET_FAMILY_IPV6, { [10] = 0xff, [11] = 0xff, [15] = 1 } };
    BulkheadAddress nothing = { 0 };

    dirty.bytes[15] = 1;
    g_assert_false (bulkhead_address_is_plain (&dirty));
    g_assert_false (bulkhead_address_is_plain (&mapped));
    g_assert_false (bulkhead_address_is_plain (&nothing));
}

static void
test_order (void)
{
    static const char *const sorted[] = {
        "0.0.0.0",         "1.2.3.4/31", "1.2.3.4", "1.2.3.5",
        "255.255.255.255", "::/0",       "::",      "2001:db8::",
    };

    for (gsize i = 0; i < G_N_ELEMENTS (sorted); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS (sorted); j++) {
            BulkheadPrefix a = prefix (sorted[i]);
            BulkheadPrefix b = prefix (sorted[j]);
            int order = bulkhead_prefix_compare (&a, &b);

            g_assert_cmpint ((order > 0) - (order < 0), ==, (i > j) - (i < j));
        }
    }
}

static void
test_prefix_text (void)
{
    static const char *const same[] = {
        "0.0.0.0/0",       "10.0.0.0/8",  "128.0.0.0/1", "192.0.2.128/25", "203.0.113.254/31",
        "192.0.2.1",       "::/0",        "8000::/1",    "2001:db8::/32",  "fe80::/10",
        "2001:db8::2/127", "2001:db8::1",
    };
    static const char *const bad[] = {
        "10.0.0.0/33",
        "10.0.0.1/8",
        "192.0.2.1/31",
        "2001:db8::1/64",
        "2001:db8::/129",
        "10.0.0.0/",
        "10.0.0.0/08",
        "10.0.0.0/00",
        "10.0.0.0/ 8",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/8x",
        "10.0.0.0/8/8",
        "10.0.0.0/256",
        "10.0.0.0/264",
        "10.0.0.0/0x8",
        "/8",
        "",
        "010.0.0.0/8",
        "10.0.0/8",
        "10/8",
        "::ffff:0:0/96",
        "::ffff:1.2.3.4/128",
        "fe80::%eth0/64",
        "example.com/24",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/4294967304",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
    };
    BulkheadPrefix untouched;
    BulkheadPrefix full = prefix ("10.0.0.1/32");
    g_autofree char *text = bulkhead_prefix_to_string (&full);

    g_assert_cmpstr (text, ==, "10.0.0.1");
    for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
        BulkheadPrefix parsed = prefix (same[i]);
        g_autofree char *again = bulkhead_prefix_to_string (&parsed);

        g_assert_cmpstr (again, ==, same[i]);
        g_assert_true (bulkhead_prefix_is_network (&parsed));
    }

    memset (&untouched, 0xa5, sizeof untouched);
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        BulkheadPrefix parsed = untouched;

        if (bulkhead_prefix_parse (bad[i], &parsed))
            g_error ("taken for a prefix: “%s”", bad[i]);
        g_assert_cmpmem (&parsed, sizeof parsed, &untouched, sizeof untouched);
    }
}

static void
test_prefix_arithmetic (void)
{
    static const char *const cases[][4] = {
        /* address, length, first, last */
        { "192.0.2.77", "25", "192.0.2.0", "192.0.2.127" },
        { "192.0.2.77", "0", "0.0.0.0", "255.255.255.255" },
        { "192.0.2.77", "32", "192.0.2.77", "192.0.2.77" },
        { "255.255.255.255", "1", "128.0.0.0", "255.255.255.255" },
        { "10.20.30.40", "13", "10.16.0.0", "10.23.255.255" },
        { "2001:db8::77", "125", "2001:db8::70", "2001:db8::77" },
        { "2001:db8::77", "0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "2001:db8::77", "128", "2001:db8::77", "2001:db8::77" },
        { "fe80::77", "10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        BulkheadPrefix own = { address (cases[i][0]), g_ascii_strtoull (cases[i][1], NULL, 10) };
        BulkheadPrefix network = bulkhead_prefix_network (&own);
        BulkheadRange range = bulkhead_prefix_range (&own);
        BulkheadRange expected = { address (cases[i][2]), address (cases[i][3]) };
        BulkheadPrefix back;

        g_assert_cmpint (bulkhead_address_compare (&range.first, &expected.first), ==, 0);
        g_assert_cmpint (bulkhead_address_compare (&range.last, &expected.last), ==, 0);
        g_assert_cmpint (bulkhead_address_compare (&network.address, &expected.first), ==, 0);
        g_assert_cmpuint (network.length, ==, own.length);
        g_assert_true (bulkhead_range_to_prefix (&range, &back));
        g_assert_cmpint (bulkhead_prefix_compare (&back, &network), ==, 0);
    }
}

static void
test_prefix_contains (void)
{
    static const struct {
        const char *prefix, *address;
        gboolean contains;
    } cases[] = {
        { "192.0.2.0/24", "192.0.2.0", TRUE },
        { "192.0.2.0/24", "192.0.2.255", TRUE },
        { "192.0.2.0/24", "192.0.3.0", FALSE },
        { "192.0.2.0/24", "192.0.1.255", FALSE },
        { "0.0.0.0/0", "255.255.255.255", TRUE },
        { "0.0.0.0/0", "::", FALSE },
        { "::/0", "0.0.0.0", FALSE },
        { "::/0", "ffff::", TRUE },
        { "2001:db8::/33", "2001:db8:8000::", FALSE },
        { "2001:db8::/33", "2001:db8:7fff::1", TRUE },
        { "10.0.0.1", "10.0.0.1", TRUE },
        { "10.0.0.1", "10.0.0.2", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        BulkheadPrefix outer = prefix (cases[i].prefix);
        BulkheadAddress inner = address (cases[i].address);

        g_test_message ("%s %s", cases[i].prefix, cases[i].address);
        g_assert_cmpint (bulkhead_prefix_contains (&outer, &inner), ==, cases[i].contains);
    }
}

static void
test_prefix_covers (void)
{
    static const struct {
        const char *outer;
        const char *inner;
        gboolean covers;
    } cases[] = {
        { "10.0.0.0/8", "10.0.0.0/8", TRUE },        { "10.0.0.0/8", "10.8.0.0/24", TRUE },
        { "10.0.0.0/8", "10.0.0.0/7", FALSE },       { "10.0.0.0/8", "11.0.0.0/24", FALSE },
        { "0.0.0.0/0", "192.0.2.1", TRUE },          { "172.16.0.0/12", "172.31.255.255", TRUE },
        { "172.16.0.0/12", "172.32.0.0/16", FALSE }, { "fc00::/7", "fd00::/8", TRUE },
        { "fc00::/7", "fe80::/10", FALSE },          { "::/0", "10.0.0.0/8", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        BulkheadPrefix outer = prefix (cases[i].outer);
        BulkheadPrefix inner = prefix (cases[i].inner);

        g_test_message ("%s %s", cases[i].outer, cases[i].inner);
        g_assert_cmpint (bulkhead_prefix_covers (&outer, &inner), ==, cases[i].covers);
    }
}

/*
 * The oracle: each family is a line of POINTS points. All but the middle one are one address,
 * the first ones from the family's first address on, the last ones up to its last; the middle one
 * is everything between, so that neighbours on the line are neighbours in the address space.
 */
#define EDGE 12
#define POINTS (2 * EDGE + 1)
#define LINE (2 * POINTS)

static BulkheadAddress
point_address (guint point, gboolean last)
{
    guint at = point % POINTS;
    gboolean high = at > EDGE || (at == EDGE && last);
    BulkheadAddress result = { point < POINTS ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6,
                               { 0 } };
    gsize size = bulkhead_address_size (&result);

    if (high)
        memset (result.bytes, 0xff, size);
    if (at == EDGE)
        result.bytes[size - 1] = last ? 0xff - EDGE : EDGE;
    else
        result.bytes[size - 1] = high ? 0xff - (POINTS - 1 - at) : at;
    return result;
}

/* Puts up to @max random ranges into a new array and their points into @points. */
static GArray *
random_ranges (guint max, gboolean *points)
{
    GArray *ranges = g_array_new (FALSE, FALSE, sizeof (BulkheadRange));
    guint n = g_test_rand_int_range (0, max + 1);

    memset (points, 0, LINE * sizeof *points);
    for (guint i = 0; i < n; i++) {
        guint base = g_test_rand_bit () ? POINTS : 0;
        guint first = g_test_rand_int_range (0, POINTS);
        guint length = g_test_rand_int_range (0, 6);
        guint last = MIN (first + length, POINTS - 1);
        BulkheadRange range = { point_address (base + first, FALSE),
                                point_address (base + last, TRUE) };

        g_array_append_val (ranges, range);
        for (guint p = first; p <= last; p++)
            points[base + p] = TRUE;
    }
    return ranges;
}

/* @ranges must be exactly the runs of @points, which is what "normalised" means. */
static void
assert_ranges (GArray *ranges, const gboolean *points)
{
    guint n = 0;

    for (guint p = 0; p < LINE; p++) {
        gboolean begins = points[p] && (p % POINTS == 0 || !points[p - 1]);
        BulkheadAddress first = point_address (p, FALSE);

        if (!begins)
            continue;
        while (p % POINTS != POINTS - 1 && points[p + 1])
            p++;

        BulkheadAddress last = point_address (p, TRUE);
        g_assert_cmpuint (n, <, ranges->len);
        const BulkheadRange *range = &g_array_index (ranges, BulkheadRange, n++);
        g_assert_cmpint (bulkhead_address_compare (&range->first, &first), ==, 0);
        g_assert_cmpint (bulkhead_address_compare (&range->last, &last), ==, 0);
    }
    g_assert_cmpuint (n, ==, ranges->len);
}

static void
test_ranges_oracle (void)
{
    for (guint round = 0; round < 20000; round++) {
        gboolean a_points[LINE], b_points[LINE], minus[LINE], both[LINE];
        g_autoptr (GArray) a = random_ranges (8, a_points);
        g_autoptr (GArray) b = random_ranges (8, b_points);
        g_autoptr (GArray) rest = NULL;
        g_autoptr (GArray) common = NULL;

        bulkhead_ranges_normalise (a);
        bulkhead_ranges_normalise (b);
        assert_ranges (a, a_points);

        for (guint p = 0; p < LINE; p++) {
            minus[p] = a_points[p] && !b_points[p];
            both[p] = a_points[p] && b_points[p];
        }
        rest = g_array_copy (a);
        bulkhead_ranges_subtract (rest, b);
        assert_ranges (rest, minus);
        common = g_array_copy (a);
        bulkhead_ranges_intersect (common, b);
        assert_ranges (common, both);
        assert_ranges (b, b_points);
    }
}

static void
test_range_to_prefix_oracle (void)
{
    for (guint family = 0; family < 2; family++) {
        for (guint first = 0; first < 70; first++) {
            for (guint last = first; last < 70; last++) {
                const char *start = family == 0 ? "192.0.2.0" : "2001:db8::";
                BulkheadRange range = { address (start), address (start) };
                gsize end = bulkhead_address_size (&range.first) - 1;
                guint count = last - first + 1;
                BulkheadPrefix found = prefix ("10.0.0.1");
                gboolean expected = (count & (count - 1)) == 0 && first % count == 0;

                range.first.bytes[end] = first;
                range.last.bytes[end] = last;
                g_assert_cmpint (bulkhead_range_to_prefix (&range, &found), ==, expected);
                if (expected)
                    g_assert_cmpuint (1u << (8 * (end + 1) - found.length), ==, count);
                else
                    g_assert_cmpuint (found.length, ==, 32);
            }
        }
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/address/text", test_address_text);
    g_test_add_func ("/address/bad-text", test_address_bad_text);
    g_test_add_func ("/address/kinds", test_address_kinds);
    g_test_add_func ("/address/plain", test_address_plain);
    g_test_add_func ("/address/order", test_order);
    g_test_add_func ("/prefix/text", test_prefix_text);
    g_test_add_func ("/prefix/arithmetic", test_prefix_arithmetic);
    g_test_add_func ("/prefix/contains", test_prefix_contains);
    g_test_add_func ("/prefix/covers", test_prefix_covers);
    g_test_add_func ("/ranges/oracle", test_ranges_oracle);
    g_test_add_func ("/ranges/to-prefix", test_range_to_prefix_oracle);
    return g_test_run ();
}
