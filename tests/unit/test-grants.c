/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is granted what, over restarts, renamed users, spoilt files and a disk that fails. */
#include "error.h"
#include "grants.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    char *directory, *passwd, *file;
    BulkheadGrants *grants;
} Fixture;

static void
write_text (const char *path, const char *text)
{
    g_autoptr (GError) error = NULL;

    g_file_set_contents (path, text, -1, &error);
    g_assert_no_error (error);
}

static void
set_users (Fixture *fixture, const char *lines)
{
    write_text (fixture->passwd, lines);
}

static void
reopen (Fixture *fixture)
{
    g_autoptr (GError) error = NULL;

    g_clear_pointer (&fixture->grants, bulkhead_grants_free);
    fixture->grants = bulkhead_grants_new (fixture->directory, fixture->passwd, &error);
    g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp ("bulkhead-grants-XXXXXX", NULL);
    fixture->passwd = g_build_filename (fixture->directory, "passwd", NULL);
    fixture->file = g_build_filename (fixture->directory, "grants.conf", NULL);
    set_users (fixture, "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n"
                        "bob:x:1001:1001::/:/bin/sh\nal ice:x:1002:1002::/:/bin/sh\n"
                        "\xff:x:1003:1003::/:/bin/sh\n");
    reopen (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
    g_autofree char *kept = g_strconcat (fixture->file, ".unreadable", NULL);

    g_clear_pointer (&fixture->grants, bulkhead_grants_free);
    g_remove (kept);
    g_remove (fixture->file);
    g_remove (fixture->passwd);
    g_assert_cmpint (g_remove (fixture->directory), ==, 0);
    g_free (fixture->directory);
    g_free (fixture->passwd);
    g_free (fixture->file);
}

static void
add (Fixture *fixture, guint32 uid)
{
    g_autoptr (GError) error = NULL;

    bulkhead_grants_add (fixture->grants, uid, 1700000000, &error);
    g_assert_no_error (error);
}

static void
test_kept (Fixture *fixture, gconstpointer data)
{
    const BulkheadGrant *grant;
    struct stat status;

    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
    add (fixture, 1001);
    add (fixture, 1000);
    reopen (fixture);
    g_assert_true (bulkhead_grants_has (fixture->grants, 1000));
    g_assert_true (bulkhead_grants_has (fixture->grants, 1001));
    g_assert_false (bulkhead_grants_has (fixture->grants, 0));
    g_assert_cmpuint (bulkhead_grants_list (fixture->grants)->len, ==, 2);
    grant = g_ptr_array_index (bulkhead_grants_list (fixture->grants), 0);
    g_assert_cmpuint (grant->uid, ==, 1000);
    g_assert_cmpstr (grant->name, ==, "alice");
    g_assert_cmpint (grant->since, ==, 1700000000);
    g_assert_cmpint (stat (fixture->file, &status), ==, 0);
    g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
}

static void
test_removed (Fixture *fixture, gconstpointer data)
{
    g_autoptr (GError) error = NULL;

    add (fixture, 1000);
    add (fixture, 1001);
    g_assert_true (bulkhead_grants_remove (fixture->grants, 1000, NULL));
    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
    reopen (fixture);
    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
    g_assert_true (bulkhead_grants_has (fixture->grants, 1001));
    g_assert_false (bulkhead_grants_remove (fixture->grants, 1000, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_FOUND);
}

static void
test_reused_uid (Fixture *fixture, gconstpointer data)
{
    const char *const others[] = { "", "mallory:x:1000:1000::/:/bin/sh\n",
                                   "mallory:x:1000:1000::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n",
                                   "alice:x:1009:1009::/:/bin/sh\n", "alic:x:1000:1000::/:/\n" };

    add (fixture, 1000);
    for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
        set_users (fixture, others[i]);
        g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
        g_assert_false (bulkhead_grants_has (fixture->grants, 1009));
        g_assert_cmpuint (bulkhead_grants_list (fixture->grants)->len, ==, 1);
    }
    g_remove (fixture->passwd);
    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
    set_users (fixture, "alice:x:1000:1000::/:/bin/sh\n");
    g_assert_true (bulkhead_grants_has (fixture->grants, 1000));
}

static void
test_who_cannot (Fixture *fixture, gconstpointer data)
{
    const guint32 uids[] = { 1002, 1003, 4711, G_MAXUINT32 };

    for (gsize i = 0; i < G_N_ELEMENTS (uids); i++) {
        g_autoptr (GError) error = NULL;

        g_assert_false (bulkhead_grants_check (fixture->grants, uids[i], NULL));
        g_assert_false (bulkhead_grants_add (fixture->grants, uids[i], 1, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_FOUND);
    }
    g_assert_false (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
}

/* The text with its right checksum. */
static char *
sealed (const char *body)
{
    g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);

    return g_strdup_printf ("%ssha256 %s\n", body, sum);
}

static void
assert_unreadable (Fixture *fixture, const char *text)
{
    g_autoptr (GError) error = NULL;

    write_text (fixture->file, text);
    g_clear_pointer (&fixture->grants, bulkhead_grants_free);
    fixture->grants = bulkhead_grants_new (fixture->directory, fixture->passwd, &error);
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    g_assert_nonnull (strstr (error->message, fixture->file));
    g_assert_cmpuint (bulkhead_grants_list (fixture->grants)->len, ==, 0);
    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
}

static void
test_unreadable (Fixture *fixture, gconstpointer data)
{
    const char *const bodies[] = {
        "bulkhead grants 2\n1000 1 alice\n",
        "bulkhead grants 1\n1000 1 alice\n1000 1 alice\n",
        "bulkhead grants 1\n1001 1 bob\n1000 1 alice\n",
        "bulkhead grants 1\n0 1 root\n",
        "bulkhead grants 1\n4294967295 1 alice\n",
        "bulkhead grants 1\n01000 1 alice\n",
        "bulkhead grants 1\n+1000 1 alice\n",
        "bulkhead grants 1\n1000 -1 alice\n",
        "bulkhead grants 1\n1000 1 alice \n",
        "bulkhead grants 1\n1000 1 \n",
        "bulkhead grants 1\n1000 1\n",
        "bulkhead grants 1\n\n1000 1 alice\n",
        "1000 1 alice\n",
        "\n",
    };
    g_autofree char *good = sealed ("bulkhead grants 1\n1000 1 alice\n");
    g_autofree char *kept = g_strconcat (fixture->file, ".unreadable", NULL);
    gsize length = strlen (good);

    for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
        g_autofree char *text = sealed (bodies[i]);

        assert_unreadable (fixture, text);
    }
    for (gsize i = 0; i < length; i++) {
        g_autofree char *cut = g_strndup (good, i);
        g_autofree char *changed = g_strdup (good);

        assert_unreadable (fixture, cut);
        changed[i] ^= 1;
        assert_unreadable (fixture, changed);
    }
    add (fixture, 1001);
    g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
    write_text (fixture->file, good);
    reopen (fixture);
    g_assert_true (bulkhead_grants_has (fixture->grants, 1000));
}

/* Whoever else may write to it could grant themselves. */
static void
test_not_ours (Fixture *fixture, gconstpointer data)
{
    g_autoptr (GError) error = NULL;

    add (fixture, 1000);
    g_assert_cmpint (g_chmod (fixture->file, 0620), ==, 0);
    g_clear_pointer (&fixture->grants, bulkhead_grants_free);
    fixture->grants = bulkhead_grants_new (fixture->directory, fixture->passwd, &error);
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    g_assert_false (bulkhead_grants_has (fixture->grants, 1000));
}

static void
test_not_stored (Fixture *fixture, gconstpointer data)
{
    g_autofree char *fresh = g_strconcat (fixture->file, ".new", NULL);
    g_autoptr (GError) error = NULL;

    add (fixture, 1000);
    g_assert_cmpint (g_mkdir (fresh, 0700), ==, 0); /* in the way of the new file */
    g_assert_false (bulkhead_grants_add (fixture->grants, 1001, 1, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED);
    g_clear_error (&error);
    g_assert_false (bulkhead_grants_remove (fixture->grants, 1000, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED);
    g_assert_false (bulkhead_grants_has (fixture->grants, 1001));
    g_assert_true (bulkhead_grants_has (fixture->grants, 1000));
    g_assert_cmpint (g_rmdir (fresh), ==, 0);
    reopen (fixture);
    g_assert_true (bulkhead_grants_has (fixture->grants, 1000));
}

static void
add_test (const char *path, void (*function) (Fixture *, gconstpointer))
{
    g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    add_test ("/grants/kept", test_kept);
    add_test ("/grants/removed", test_removed);
    add_test ("/grants/reused-uid", test_reused_uid);
    add_test ("/grants/who-cannot", test_who_cannot);
    add_test ("/grants/unreadable", test_unreadable);
    add_test ("/grants/not-ours", test_not_ours);
    add_test ("/grants/not-stored", test_not_stored);
    return g_test_run ();
}
