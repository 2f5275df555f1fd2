/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"
#include "managed.h"

#include <string.h>

/* From a copy of the exact size, so that the sanitizer sees any read beyond the end. */
static gboolean
add (BulkheadManaged *managed, const char *file, const char *text, gsize length, GError **error)
{
    g_autofree char *copy = g_malloc (MAX (length, 1));

    memcpy (copy, text, length);
    return bulkhead_managed_add (managed, file, copy, length, error);
}

/* One file after the other, named "0", "1". */
static BulkheadManaged *
read_files (const char *first, const char *second)
{
    const char *const texts[] = { first, second };
    BulkheadManaged *managed = bulkhead_managed_new ();

    for (guint i = 0; i < 2 && texts[i] != NULL; i++) {
        const char name[] = { '0' + i, '\0' };
        GError *error = NULL;

        add (managed, name, texts[i], strlen (texts[i]), &error);
        g_assert_no_error (error);
    }
    return managed;
}

static void
assert_fixed (const BulkheadManaged *managed, const char *words)
{
    g_auto (GStrv) list = bulkhead_managed_list (managed);
    g_autofree char *joined = g_strjoinv (" ", list);

    g_assert_cmpstr (joined, ==, words);
}

static const struct {
    const char *text, *fixed;
} words[] = {
    { "", "" },
    { "# nothing\n[bulkhead]\n", "" },
    { "[bulkhead]\nlocked=true\n", "lock" },
    { "[bulkhead]\nat-boot=false\n", "at-boot" },
    { "[bulkhead]\nlan=false\n", "lan" },
    { "[bulkhead]\nlan-cgnat=true\n", "lan-cgnat" },
    { "[bulkhead]\nlan-port-mapping=false\n", "lan-port-mapping" },
    { "[exceptions]\n", "exceptions" },
    { "[exceptions]\ntcp-443=192.0.2.0/24;2001:db8::/32\n", "exceptions" },
    { "[tunnel a]\ninterface=wg0\n", "tunnels" },
    { "[tunnel a]\ninterface=wg0\n[bulkhead]\nlan=true\nlocked=true\n", "lock lan tunnels" },
};

static void
test_words (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
        g_autoptr (BulkheadManaged) managed = read_files (words[i].text, NULL);

        assert_fixed (managed, words[i].fixed);
    }
}

static const struct {
    const char *text, *message;
} refused[] = {
    { "nonsense", "is not a key file" },
    { "[bulkhead]\nlokced=true\n", "[bulkhead] key “lokced”: is not known" },
    { "[bulkhead]\nlocked[de]=true\n", "[bulkhead] key “locked[de]”: is not known" },
    { "[bulkhead]\nversion=1\n", "[bulkhead] key “version”: is not known" },
    { "[bulkhaed]\n", "group “bulkhaed”: is not known" },
    { "[tunnel]\n", "group “tunnel”: is not known" },
    { "[checksum]\nsha256=\n", "group “checksum”: is not known" },
    { "[bulkhead]\nlocked=false\n", "[bulkhead] locked “false”: may only be true" },
    { "[bulkhead]\nlocked=1\n", "[bulkhead] locked “1”: must be true or false" },
    { "[bulkhead]\nlan=\n", "[bulkhead] lan “”: must be true or false" },
    { "[tunnel a]\n", "[tunnel a] interface: is missing" },
    { "[tunnel a]\ninterface=lo\n", "[tunnel a]: interface “lo”" },
    { "[tunnel a]\ninterface=wg0\nkind=vpn\n", "[tunnel a] kind “vpn”: is no kind of tunnel" },
    { "[tunnel a]\ninterface=wg0\nendpoint=192.0.2.1:1/udp\n",
      "[tunnel] key “endpoint”: is not known" },
    { "[tunnel a]\ninterface=wg0\nendpoints=vpn.example:1/udp\n", "[tunnel a] endpoints: " },
    { "[tunnel a]\ninterface=wg0\nmark=-1\n", "[tunnel a] mark “-1”: must be a number" },
    { "[tunnel a]\ninterface=wg0\nuser=root\n", "[tunnel a] user “root”: must be a number" },
    { "[tunnel a]\ninterface=wg0\n[tunnel b]\ninterface=wg0\n", "belongs to the tunnel “a”" },
    { "[exceptions]\nhttps=192.0.2.1\n", "[exceptions] key “https”: is not known" },
    { "[exceptions]\ntcp-53=192.0.2.1\n", "[exceptions] tcp-53: " },
    { "[exceptions]\nany=0.0.0.0/0\n", "[exceptions] any: " },
    { "[exceptions]\nany=example.org\n", "[exceptions] any “example.org”: is no address" },
    { "[bulkhead]\nlan=true\n\xff", "is not UTF-8" },
};

/* The good half of a bad file counts as little as the bad one. */
static void
test_refused (void)
{
    g_autoptr (BulkheadManaged) before = read_files ("[bulkhead]\nlan=false\n", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
        g_autoptr (BulkheadManaged) managed = bulkhead_managed_copy (before);
        g_autofree char *text = g_strconcat ("[bulkhead]\nlan=true\nlan-cgnat=true\n[exceptions]\n"
                                             "udp-9=192.0.2.9\n",
                                             refused[i].text, NULL);
        const char *const texts[] = { refused[i].text, text };

        for (guint j = 0; j < 2; j++) {
            GError *error = NULL;

            g_assert_false (add (managed, "x", texts[j], strlen (texts[j]), &error));
            g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
            if (strstr (error->message, refused[i].message) == NULL)
                g_error ("no “%s” in “%s”", refused[i].message, error->message);
            g_assert_true (bulkhead_managed_equal (managed, before));
            g_error_free (error);
        }
    }
}

static void
test_zero_byte (void)
{
    g_autoptr (BulkheadManaged) managed = bulkhead_managed_new ();
    GError *error = NULL;

    g_assert_false (add (managed, "x", "[bulkhead]\n\0lan=true\n", 21, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    g_error_free (error);
}

static void
test_defaults_of_a_tunnel (void)
{
    g_autoptr (BulkheadManaged) managed = read_files ("[tunnel a]\ninterface=wg0\n", NULL);
    g_autoptr (BulkheadTunnel) wanted = bulkhead_tunnel_new ("a", "wg0");

    wanted->kind = BULKHEAD_TUNNEL_OTHER;
    g_assert_true (
        bulkhead_tunnel_equal (bulkhead_policy_find_tunnel (managed->policy, "a"), wanted));
}

static void
test_later_files_win (void)
{
    g_autoptr (BulkheadManaged) managed =
        read_files ("[bulkhead]\nlan=false\nat-boot=true\n[exceptions]\ntcp-1=192.0.2.1\n"
                    "udp=192.0.2.2\n[tunnel a]\ninterface=wg0\nmark=7\n[tunnel b]\ninterface=wg1\n",
                    "[bulkhead]\nlan=true\n[exceptions]\ntcp-1=192.0.2.3\nudp-1=192.0.2.4\n"
                    "[tunnel a]\ninterface=wg2\n");
    const BulkheadPolicy *policy = managed->policy;
    const char *const exceptions[] = { "192.0.2.3 tcp 1", "192.0.2.2 udp", "192.0.2.4 udp 1" };

    g_assert_true (policy->lan && managed->at_boot);
    g_assert_cmpstr (managed->fixed_by[BULKHEAD_SETTING_LAN], ==, "1");
    g_assert_cmpstr (managed->fixed_by[BULKHEAD_SETTING_AT_BOOT], ==, "0");
    g_assert_cmpuint (policy->exceptions->len, ==, G_N_ELEMENTS (exceptions));
    for (guint i = 0; i < policy->exceptions->len; i++) {
        g_autofree char *text = bulkhead_exception_to_string (
            &g_array_index (policy->exceptions, BulkheadException, i));

        g_assert_cmpstr (text, ==, exceptions[i]);
    }
    g_assert_cmpuint (policy->tunnels->len, ==, 2);
    g_assert_cmpstr (bulkhead_policy_find_tunnel (policy, "a")->interface, ==, "wg2");
    g_assert_cmpuint (bulkhead_policy_find_tunnel (policy, "a")->mark, ==, 0);
}

/* ---- above a policy ---- */

/* A user's: unlocked, LAN with CGNAT, an exception, a tunnel. */
static BulkheadPolicy *
users_policy (void)
{
    g_autoptr (BulkheadManaged) all =
        read_files ("[bulkhead]\nlan=true\nlan-cgnat=true\n[exceptions]\ntcp-22=198.51.100.1\n"
                    "[tunnel home]\ninterface=wg7\n",
                    NULL);

    return bulkhead_policy_ref (all->policy);
}

static void
test_fixed_goes_before_the_users (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
        g_autoptr (BulkheadManaged) managed = read_files (words[i].text, NULL);
        g_autoptr (BulkheadPolicy) own = users_policy ();
        g_autoptr (BulkheadPolicy) in_force = bulkhead_managed_apply (managed, own);
        g_autoptr (BulkheadPolicy) back = bulkhead_managed_take_own (managed, own, in_force);
        const BulkheadPolicy *lock = own, *lan = own, *exceptions = own, *tunnels = own;

        if (strstr (words[i].fixed, "lock") != NULL)
            lock = managed->policy;
        if (g_strv_contains ((const char *const[]){ "lan", "lock lan tunnels", NULL },
                             words[i].fixed))
            lan = managed->policy;
        if (strstr (words[i].fixed, "exceptions") != NULL)
            exceptions = managed->policy;
        if (strstr (words[i].fixed, "tunnels") != NULL)
            tunnels = managed->policy;
        g_assert_true (bulkhead_policy_equal (back, own));
        g_assert_cmpint (in_force->locked, ==, lock->locked);
        g_assert_cmpint (in_force->lan, ==, lan->lan);
        g_assert_true (in_force->exceptions == exceptions->exceptions);
        g_assert_true (in_force->tunnels == tunnels->tunnels);
    }
}

/* What is free of a change is the user's; what is fixed stays what it was beneath. */
static void
test_changes_are_the_users (void)
{
    g_autoptr (BulkheadManaged) managed = read_files ("[bulkhead]\nlocked=true\n", NULL);
    g_autoptr (BulkheadPolicy) own = users_policy ();
    g_autoptr (BulkheadPolicy) in_force = bulkhead_managed_apply (managed, own);
    g_autoptr (BulkheadPolicy) wanted = bulkhead_policy_with_lan (in_force, FALSE);
    g_autoptr (BulkheadPolicy) expected = bulkhead_policy_with_lan (own, FALSE);
    g_autoptr (BulkheadPolicy) kept = bulkhead_managed_take_own (managed, own, wanted);

    g_assert_true (in_force->locked);
    g_assert_true (bulkhead_policy_equal (kept, expected));
    g_assert_true (bulkhead_managed_check (managed, in_force, wanted, NULL));
}

static void
assert_check (const BulkheadManaged *managed, const BulkheadPolicy *now, BulkheadPolicy *wanted,
              const char *message)
{
    GError *error = NULL;

    g_assert_cmpint (bulkhead_managed_check (managed, now, wanted, &error), ==, message == NULL);
    if (message == NULL)
        g_assert_no_error (error);
    else
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FIXED);
    if (message != NULL)
        g_assert_cmpstr (error->message, ==, message);
    g_clear_error (&error);
    bulkhead_policy_unref (wanted);
}

static void
test_check (void)
{
    g_autoptr (BulkheadManaged) managed =
        read_files ("[bulkhead]\nlocked=true\nlan=true\n", "[exceptions]\n[tunnel a]\n"
                                                           "interface=wg0\n");
    g_autoptr (BulkheadPolicy) own = users_policy ();
    g_autoptr (BulkheadPolicy) now = bulkhead_managed_apply (managed, own);

    assert_check (managed, now, bulkhead_policy_with_locked (now, TRUE), NULL);
    assert_check (managed, now, bulkhead_policy_with_lan (now, TRUE), NULL);
    assert_check (managed, now, bulkhead_policy_with_lan_options (now, FALSE, TRUE), NULL);
    assert_check (managed, now, bulkhead_policy_with_locked (now, FALSE),
                  "lock: is fixed by the administrator (0)");
    assert_check (managed, now, bulkhead_policy_with_pause (now, 5, 5000000, NULL),
                  "lock: is fixed by the administrator (0)");
    assert_check (managed, now, bulkhead_policy_with_lan (now, FALSE),
                  "lan: is fixed by the administrator (0)");
    assert_check (managed, now, bulkhead_policy_with_exceptions_of (now, own),
                  "exceptions: is fixed by the administrator (1)");
    assert_check (managed, now, bulkhead_policy_without_tunnel (now, "a", NULL),
                  "tunnels: is fixed by the administrator (1)");
}

/* A file that cannot be used: everything closed, whatever the others open; tunnels stay. */
static void
test_close (void)
{
    static const char all[] = "lock at-boot lan lan-cgnat lan-port-mapping exceptions tunnels";
    static const char opening[] = "[bulkhead]\nlan=true\nlan-cgnat=true\nlan-port-mapping=true\n"
                                  "[exceptions]\nany=192.0.2.0/24\n";
    g_autoptr (BulkheadManaged) with = read_files (opening, "[tunnel a]\ninterface=wg0\n");
    g_autoptr (BulkheadManaged) without = read_files (opening, NULL);
    BulkheadManaged *const both[] = { with, without };

    for (guint i = 0; i < 2; i++) {
        g_autoptr (BulkheadPolicy) own = users_policy ();
        g_autoptr (BulkheadPolicy) in_force = NULL, kept = NULL;

        bulkhead_managed_close (both[i], "bad");
        in_force = bulkhead_managed_apply (both[i], own);
        kept = bulkhead_managed_take_own (both[i], own, in_force);
        assert_fixed (both[i], all);
        g_assert_true (in_force->locked && !in_force->lan && !in_force->lan_cgnat
                       && !in_force->lan_port_mapping && in_force->exceptions->len == 0);
        g_assert_cmpuint (in_force->tunnels->len, ==, 1);
        g_assert_nonnull (bulkhead_policy_find_tunnel (in_force, i == 0 ? "a" : "home"));
        g_assert_true (bulkhead_policy_equal (kept, own));
        assert_check (both[i], in_force,
                      bulkhead_policy_with_tunnels_of (in_force, without->policy),
                      "tunnels: is fixed by the administrator (bad)");
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/managed/words", test_words);
    g_test_add_func ("/managed/refused", test_refused);
    g_test_add_func ("/managed/zero-byte", test_zero_byte);
    g_test_add_func ("/managed/defaults-of-a-tunnel", test_defaults_of_a_tunnel);
    g_test_add_func ("/managed/later-files-win", test_later_files_win);
    g_test_add_func ("/managed/fixed-goes-before-the-users", test_fixed_goes_before_the_users);
    g_test_add_func ("/managed/changes-are-the-users", test_changes_are_the_users);
    g_test_add_func ("/managed/check", test_check);
    g_test_add_func ("/managed/close", test_close);
    return g_test_run ();
}
