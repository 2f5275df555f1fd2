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

static void
test_each_has_their_own (void)
{
    g_autoptr (BulkheadQuotas) quotas = bulkhead_quotas_new (2, 10);

    for (guint i = 0; i < 50; i++)
        g_assert_cmpint (bulkhead_quotas_take (quotas, 1000, 5), ==, i < 2);
    g_assert_true (bulkhead_quotas_take (quotas, 0, 6));
    g_assert_true (bulkhead_quotas_take (quotas, G_MAXUINT32, 6));
    g_assert_true (bulkhead_quotas_take (quotas, 1000, 15));
    g_assert_true (bulkhead_quotas_take (quotas, 0, 15));
    g_assert_false (bulkhead_quotas_take (quotas, 0, 15));
}

/* Whoever has many uids does not have as many times more. */
static void
test_of_so_many_users (void)
{
    g_autoptr (BulkheadQuotas) quotas = bulkhead_quotas_new (2, 10);
    guint taken = 0;

    for (guint32 uid = 0; uid < 5000; uid++)
        taken += bulkhead_quotas_take (quotas, uid, 5) ? 1 : 0;
    g_assert_cmpuint (taken, ==, BULKHEAD_QUOTA_USERS);
    g_assert_true (bulkhead_quotas_take (quotas, 0, 14));
    g_assert_true (bulkhead_quotas_take (quotas, 5000, 15));
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/quota/no-more-than-so-many-in-a-span", test_no_more_than_so_many_in_a_span);
    g_test_add_func ("/quota/a-span-begins-with-the-first", test_a_span_begins_with_the_first);
    g_test_add_func ("/quota/each-has-their-own", test_each_has_their_own);
    g_test_add_func ("/quota/of-so-many-users", test_of_so_many_users);
    return g_test_run ();
}
