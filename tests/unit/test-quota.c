/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quota.h"

static void
test_no_more_than_so_many_in_a_span (void)
{
    BulkheadQuota quota = { .max = 2, .span = 10 };

    g_assert_true (bulkhead_quota_take (&quota, 1000));
    g_assert_true (bulkhead_quota_take (&quota, 1009));
    g_assert_false (bulkhead_quota_take (&quota, 1009));
    /* Asking in vain does not make the span longer. */
    g_assert_true (bulkhead_quota_take (&quota, 1010));
    g_assert_true (bulkhead_quota_take (&quota, 1010));
    g_assert_false (bulkhead_quota_take (&quota, 1019));
}

static void
test_a_span_begins_with_the_first (void)
{
    BulkheadQuota quota = { .max = 1, .span = 10 };

    g_assert_true (bulkhead_quota_take (&quota, 5));
    g_assert_false (bulkhead_quota_take (&quota, 14));
    g_assert_true (bulkhead_quota_take (&quota, 100));
    g_assert_false (bulkhead_quota_take (&quota, 109));
    g_assert_true (bulkhead_quota_take (&quota, 110));
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/quota/no-more-than-so-many-in-a-span", test_no_more_than_so_many_in_a_span);
    g_test_add_func ("/quota/a-span-begins-with-the-first", test_a_span_begins_with_the_first);
    return g_test_run ();
}
