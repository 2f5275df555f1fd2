/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places.h"

static void
test_nobody_gets_more (void)
{
    g_autoptr (BulkheadPlaces) places = bulkhead_places_new ();
    BulkheadPlace *taken[BULKHEAD_PLACES_MAX];
    BulkheadPlace *other;

    for (gsize i = 0; i < BULKHEAD_PLACES_MAX; i++) {
        taken[i] = bulkhead_places_take (places, ":1.5", 1);
        g_assert_nonnull (taken[i]);
    }
    g_assert_null (bulkhead_places_take (places, ":1.5", 1));
    other = bulkhead_places_take (places, ":1.6", 1);
    g_assert_nonnull (other);
    bulkhead_place_leave (other);
    for (gsize round = 0; round < 3; round++) {
        bulkhead_place_leave (taken[7]);
        taken[7] = bulkhead_places_take (places, ":1.5", 1);
        g_assert_nonnull (taken[7]);
        g_assert_null (bulkhead_places_take (places, ":1.5", 1));
    }
    for (gsize i = 0; i < BULKHEAD_PLACES_MAX; i++)
        bulkhead_place_leave (taken[i]);
}

static void
test_wide_ones (void)
{
    g_autoptr (BulkheadPlaces) places = bulkhead_places_new ();
    BulkheadPlace *most = bulkhead_places_take (places, "large", BULKHEAD_PLACES_MAX - 1);
    BulkheadPlace *last;

    g_assert_nonnull (most);
    g_assert_null (bulkhead_places_take (places, "large", 2));
    g_assert_null (bulkhead_places_take (places, "large", G_MAXSIZE));
    last = bulkhead_places_take (places, "large", 1);
    g_assert_nonnull (last);
    bulkhead_place_leave (most);
    g_assert_null (bulkhead_places_take (places, "large", BULKHEAD_PLACES_MAX));
    bulkhead_place_leave (last);
    most = bulkhead_places_take (places, "large", BULKHEAD_PLACES_MAX);
    g_assert_nonnull (most);
    bulkhead_place_leave (most);
    bulkhead_place_leave (NULL);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/places/nobody-gets-more", test_nobody_gets_more);
    g_test_add_func ("/places/wide-ones", test_wide_ones);
    return g_test_run ();
}
