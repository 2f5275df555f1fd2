/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An administrator's policy file, on top of one that was read before. */
#include "error.h"
#include "fuzz.h"
#include "managed.h"

#include <string.h>

static const char earlier[] = "[bulkhead]\nlan=false\n[exceptions]\ntcp-443=192.0.2.0/24\n"
                              "[tunnel a]\ninterface=wg0\n";
static const char users[] = "[bulkhead]\nlan=true\nlan-cgnat=true\n[exceptions]\nudp=198.51.100.1\n"
                            "[tunnel home]\ninterface=wg7\n";

static BulkheadManaged *
read_known (const char *text)
{
    BulkheadManaged *managed = bulkhead_managed_new ();

    g_assert_true (bulkhead_managed_add (managed, "earlier", text, strlen (text), NULL));
    return managed;
}

static gboolean
add (BulkheadManaged *managed, const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    g_autoptr (GError) error = NULL;
    gboolean ok = bulkhead_managed_add (managed, "file", (const char *)copy, size, &error);

    g_assert_true (ok == (error == NULL));
    if (ok)
        return TRUE;
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    fuzz_check_error (error);
    return FALSE;
}

/* What is in force is the user's but for what is fixed; what is kept is the user's in all. */
static void
check_applied (const BulkheadManaged *managed, const BulkheadPolicy *own)
{
    g_autoptr (BulkheadPolicy) in_force = bulkhead_managed_apply (managed, own);
    g_autoptr (BulkheadPolicy) kept = bulkhead_managed_take_own (managed, own, in_force);
    g_autoptr (BulkheadPolicy) unlocked = bulkhead_policy_with_locked (in_force, FALSE);
    g_autoptr (BulkheadPolicy) opened = bulkhead_policy_with_lan (in_force, !in_force->lan);

    g_assert_true (bulkhead_policy_equal (kept, own));
    g_assert_true (bulkhead_managed_check (managed, in_force, in_force, NULL));
    g_assert_cmpint (in_force->locked, ==, bulkhead_managed_fixes (managed, BULKHEAD_SETTING_LOCK));
    g_assert_cmpint (bulkhead_managed_check (managed, in_force, unlocked, NULL), ==,
                     !in_force->locked);
    g_assert_cmpint (bulkhead_managed_check (managed, in_force, opened, NULL), ==,
                     !bulkhead_managed_fixes (managed, BULKHEAD_SETTING_LAN));
    if (!bulkhead_managed_fixes (managed, BULKHEAD_SETTING_EXCEPTIONS))
        g_assert_true (in_force->exceptions == own->exceptions);
    if (!bulkhead_managed_fixes (managed, BULKHEAD_SETTING_TUNNELS))
        g_assert_true (in_force->tunnels == own->tunnels);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autoptr (BulkheadManaged) own = read_known (users);
    g_autoptr (BulkheadManaged) before = read_known (earlier);
    g_autoptr (BulkheadManaged) managed = bulkhead_managed_copy (before);
    g_autoptr (BulkheadManaged) alone = bulkhead_managed_new ();
    g_autoptr (BulkheadManaged) twice = NULL;

    if (add (managed, data, size)) {
        check_applied (managed, own->policy);
        twice = bulkhead_managed_copy (managed);
        g_assert_true (add (twice, data, size));
        g_assert_true (bulkhead_managed_equal (twice, managed));
    } else {
        g_assert_true (bulkhead_managed_equal (managed, before));
    }
    if (add (alone, data, size))
        check_applied (alone, own->policy);
    return 0;
}
