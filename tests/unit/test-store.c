/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state directory as a crash, a full disk, an administrator and an attacker leave it. fsync()
 * and renameat2() are this file's own, so that they can fail on demand.
 */
#include "error.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fsyncs_until_failure = -1; /* -1: never */
static gboolean can_exchange = TRUE;

int
fsync (int fd)
{
    if (fsyncs_until_failure == 0) {
        errno = EIO;
        return -1;
    }
    if (fsyncs_until_failure > 0)
        fsyncs_until_failure--;
    return syscall (SYS_fsync, fd);
}

int
renameat2 (int old_directory, const char *old, int new_directory, const char *new,
           unsigned int flags)
{
    if (flags != 0 && !can_exchange) {
        errno = EINVAL;
        return -1;
    }
    return syscall (SYS_renameat2, old_directory, old, new_directory, new, flags);
}

typedef struct {
    char *directory;
    char *state;
    char *kept;
    char *fresh;
    BulkheadPolicy *open;   /* unlocked, LAN bypass */
    BulkheadPolicy *locked; /* locked, a tunnel and an exception */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (policy, TRUE);
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("home", "wg0");
    g_autoptr (BulkheadPolicy) with_tunnel = NULL;
    BulkheadException exception;

    fixture->directory = g_dir_make_tmp ("bulkhead-store-XXXXXX", NULL);
    fixture->state = g_build_filename (fixture->directory, "state.conf", NULL);
    fixture->kept = g_strconcat (fixture->state, ".unreadable", NULL);
    fixture->fresh = g_strconcat (fixture->state, ".new", NULL);
    fixture->open = bulkhead_policy_with_lan (policy, TRUE);
    tunnel->mark = 0xca6c;
    with_tunnel = bulkhead_policy_with_tunnel (locked, tunnel, NULL);
    g_assert_true (bulkhead_exception_parse ("198.51.100.7 tcp 22", &exception, NULL));
    fixture->locked = bulkhead_policy_with_exceptions (with_tunnel, &exception, 1, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
    const char *names[] = { fixture->state, fixture->kept, fixture->fresh, fixture->directory };

    fsyncs_until_failure = -1;
    can_exchange = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        g_remove (names[i]);
    g_free (fixture->directory);
    g_free (fixture->state);
    g_free (fixture->kept);
    g_free (fixture->fresh);
    bulkhead_policy_unref (fixture->open);
    bulkhead_policy_unref (fixture->locked);
}

static BulkheadStore *
open_store (const Fixture *fixture)
{
    g_autoptr (GError) error = NULL;
    BulkheadStore *store = bulkhead_store_new (fixture->directory, &error);

    g_assert_no_error (error);
    return store;
}

static void
save (const Fixture *fixture, const BulkheadPolicy *policy)
{
    g_autoptr (BulkheadStore) store = open_store (fixture);
    g_autoptr (GError) error = NULL;

    bulkhead_store_save (store, policy, &error);
    g_assert_no_error (error);
}

static void
assert_stored (const Fixture *fixture, const BulkheadPolicy *policy)
{
    g_autoptr (BulkheadStore) store = open_store (fixture);
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadPolicy) loaded = bulkhead_store_load (store, &error);

    g_assert_no_error (error);
    g_assert_true (bulkhead_policy_equal (loaded, policy));
}

/* Locked, with nothing of what was there before open, and said with the path. */
static void
assert_unreadable (const Fixture *fixture, const char *reason)
{
    g_autoptr (BulkheadStore) store = open_store (fixture);
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadPolicy) loaded = bulkhead_store_load (store, &error);
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) strictest = bulkhead_policy_with_locked (empty, TRUE);

    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    g_assert_nonnull (strstr (error->message, fixture->state));
    g_assert_nonnull (strstr (error->message, reason));
    g_assert_true (bulkhead_policy_equal (loaded, strictest));
}

static void
assert_save_fails (const Fixture *fixture, BulkheadStore *store, const BulkheadPolicy *policy,
                   const char *reason)
{
    g_autoptr (GError) error = NULL;

    g_assert_false (bulkhead_store_save (store, policy, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED);
    g_assert_nonnull (strstr (error->message, fixture->state));
    g_assert_nonnull (strstr (error->message, reason));
    g_assert_false (g_file_test (fixture->fresh, G_FILE_TEST_EXISTS));
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();

    assert_stored (fixture, empty);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
    struct stat status;

    save (fixture, fixture->open);
    assert_stored (fixture, fixture->open);
    save (fixture, fixture->locked);
    assert_stored (fixture, fixture->locked);
    g_assert_cmpint (g_lstat (fixture->state, &status), ==, 0);
    g_assert_cmphex (status.st_mode & 07777, ==, 0600);
    g_assert_false (g_file_test (fixture->kept, G_FILE_TEST_EXISTS));
    g_assert_false (g_file_test (fixture->fresh, G_FILE_TEST_EXISTS));
}

static void
test_makes_directory (Fixture *fixture, gconstpointer data)
{
    struct stat status;

    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    save (fixture, fixture->locked);
    g_assert_cmpint (g_stat (fixture->directory, &status), ==, 0);
    g_assert_cmphex (status.st_mode & 07777, ==, 0700);
}

static void
test_second_helper (Fixture *fixture, gconstpointer data)
{
    g_autoptr (BulkheadStore) first = open_store (fixture);
    g_autoptr (GError) error = NULL;

    g_assert_nonnull (first);
    g_assert_null (bulkhead_store_new (fixture->directory, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING);
    g_assert_nonnull (strstr (error->message, fixture->directory));
}

static void
test_bad_directory (Fixture *fixture, gconstpointer data)
{
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (g_chmod (fixture->directory, 0777), ==, 0);
    g_assert_null (bulkhead_store_new (fixture->directory, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED);
    g_clear_error (&error);

    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_assert_cmpint (symlink ("/tmp", fixture->directory), ==, 0);
    g_assert_null (bulkhead_store_new (fixture->directory, &error));
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED);
    g_assert_nonnull (strstr (error->message, fixture->directory));
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;
    gsize length;

    save (fixture, fixture->locked);
    g_assert_true (g_file_get_contents (fixture->state, &text, &length, NULL));
    for (gsize i = 0; i < length; i++) {
        g_assert_cmpint (truncate (fixture->state, 0), ==, 0);
        g_assert_true (g_file_set_contents (fixture->state, text, i, NULL));
        assert_unreadable (fixture, "");
    }
}

static void
test_random (Fixture *fixture, gconstpointer data)
{
    for (guint round = 0; round < 200; round++) {
        gsize length = g_test_rand_int_range (0, 4096);
        g_autofree char *noise = g_malloc (length + 1);

        for (gsize i = 0; i < length; i++)
            noise[i] = g_test_rand_int_range (0, 256);
        g_assert_true (g_file_set_contents (fixture->state, noise, length, NULL));
        assert_unreadable (fixture, "");
    }
}

static void
test_not_ours (Fixture *fixture, gconstpointer data)
{
    g_autofree char *target = g_build_filename (fixture->directory, "target", NULL);

    save (fixture, fixture->open);
    g_assert_cmpint (g_rename (fixture->state, target), ==, 0);
    g_assert_cmpint (symlink (target, fixture->state), ==, 0);
    assert_unreadable (fixture, g_strerror (ELOOP));
    g_assert_cmpint (g_unlink (fixture->state), ==, 0);

    g_assert_cmpint (mkfifo (fixture->state, 0600), ==, 0);
    assert_unreadable (fixture, "not a regular file");
    g_assert_cmpint (g_unlink (fixture->state), ==, 0);

    g_assert_cmpint (g_mkdir (fixture->state, 0700), ==, 0);
    assert_unreadable (fixture, "not a regular file");
    g_assert_cmpint (g_rmdir (fixture->state), ==, 0);

    g_assert_cmpint (g_rename (target, fixture->state), ==, 0);
    g_assert_cmpint (g_chmod (fixture->state, 0620), ==, 0);
    assert_unreadable (fixture, "others may write");
    g_assert_cmpint (g_chmod (fixture->state, 0600), ==, 0);
    assert_stored (fixture, fixture->open);

    g_assert_cmpint (truncate (fixture->state, 64 * 1024 * 1024 + 1), ==, 0);
    assert_unreadable (fixture, "larger than 64 MiB");
}

static void
test_other_owner (Fixture *fixture, gconstpointer data)
{
    if (geteuid () != 0) {
        g_test_skip ("only root can give a file away");
        return;
    }
    save (fixture, fixture->open);
    g_assert_cmpint (chown (fixture->state, 65534, 65534), ==, 0);
    assert_unreadable (fixture, "another user");
}

/* @data: whether the file system can exchange two names. */
static void
test_bad_file_is_kept (Fixture *fixture, gconstpointer data)
{
    g_autoptr (BulkheadStore) store = NULL;
    g_autoptr (BulkheadPolicy) loaded = NULL;
    g_autofree char *kept = NULL;

    can_exchange = GPOINTER_TO_INT (data);
    g_assert_true (g_file_set_contents (fixture->state, "garbage", -1, NULL));
    store = open_store (fixture);
    loaded = bulkhead_store_load (store, NULL);
    g_assert_false (g_file_test (fixture->kept, G_FILE_TEST_EXISTS));
    g_assert_true (bulkhead_store_save (store, fixture->open, NULL));
    g_assert_true (g_file_get_contents (fixture->kept, &kept, NULL, NULL));
    g_assert_cmpstr (kept, ==, "garbage");

    /* The next save has nothing to keep: what it replaces is good. */
    g_assert_true (bulkhead_store_save (store, fixture->locked, NULL));
    g_clear_pointer (&kept, g_free);
    g_assert_true (g_file_get_contents (fixture->kept, &kept, NULL, NULL));
    g_assert_cmpstr (kept, ==, "garbage");
    g_clear_pointer (&store, bulkhead_store_free);
    assert_stored (fixture, fixture->locked);
}

static void
test_leftover (Fixture *fixture, gconstpointer data)
{
    save (fixture, fixture->locked);
    g_assert_true (g_file_set_contents (fixture->fresh, "half a policy", -1, NULL));
    assert_stored (fixture, fixture->locked);
    g_assert_false (g_file_test (fixture->fresh, G_FILE_TEST_EXISTS));

    /* One that appears while the helper runs is not written through either. */
    {
        g_autoptr (BulkheadStore) store = open_store (fixture);

        g_assert_cmpint (symlink ("/dev/null", fixture->fresh), ==, 0);
        g_assert_true (bulkhead_store_save (store, fixture->open, NULL));
    }
    assert_stored (fixture, fixture->open);
}

/* @data: how many fsync() succeed before one does not: the file's, then the directory's. */
static void
test_failing_disk (Fixture *fixture, gconstpointer data)
{
    save (fixture, fixture->locked);
    {
        g_autoptr (BulkheadStore) store = open_store (fixture);

        fsyncs_until_failure = GPOINTER_TO_INT (data);
        assert_save_fails (fixture, store, fixture->open, g_strerror (EIO));
        fsyncs_until_failure = -1;
    }
    assert_stored (fixture, fixture->locked);
}

/* Nothing was stored before, and so nothing is afterwards: it was told that it failed. */
static void
test_failing_disk_first (Fixture *fixture, gconstpointer data)
{
    g_autoptr (BulkheadPolicy) nothing = bulkhead_policy_new ();

    {
        g_autoptr (BulkheadStore) store = open_store (fixture);

        fsyncs_until_failure = GPOINTER_TO_INT (data);
        assert_save_fails (fixture, store, fixture->open, g_strerror (EIO));
        fsyncs_until_failure = -1;
    }
    g_assert_false (g_file_test (fixture->state, G_FILE_TEST_EXISTS));
    assert_stored (fixture, nothing);
}

static void
fill (const char *directory)
{
    g_autofree char *path = g_build_filename (directory, "ballast", NULL);
    char block[512] = { 0 };
    int fd = g_open (path, O_WRONLY | O_CREAT, 0600);

    while (write (fd, block, sizeof block) > 0)
        ;
    g_assert_cmpint (errno, ==, ENOSPC);
    close (fd);
}

static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
    if (unshare (CLONE_NEWNS) < 0) {
        g_assert_cmpint (errno, ==, EPERM);
        g_test_skip ("only root can mount a small disk");
        return;
    }
    if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        g_assert_cmpint (errno, ==, EINVAL);
        g_test_skip ("in a chroot, as packages are built in, \"/\" is no mount of its own");
        return;
    }
    g_assert_cmpint (mount ("tmpfs", fixture->directory, "tmpfs", 0, "size=32k,mode=0700"), ==, 0);
    save (fixture, fixture->locked);
    fill (fixture->directory);
    {
        g_autoptr (BulkheadStore) store = open_store (fixture);

        assert_save_fails (fixture, store, fixture->open, g_strerror (ENOSPC));
    }
    assert_stored (fixture, fixture->locked);
    g_assert_cmpint (mount (NULL, fixture->directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
    assert_stored (fixture, fixture->locked);
    g_assert_cmpint (umount (fixture->directory), ==, 0);
}

#define ADD(path, data, test) g_test_add (path, Fixture, data, set_up, test, tear_down)

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    ADD ("/store/missing", NULL, test_missing);
    ADD ("/store/round-trip", NULL, test_round_trip);
    ADD ("/store/makes-directory", NULL, test_makes_directory);
    ADD ("/store/second-helper", NULL, test_second_helper);
    ADD ("/store/bad-directory", NULL, test_bad_directory);
    ADD ("/store/truncated", NULL, test_truncated);
    ADD ("/store/random", NULL, test_random);
    ADD ("/store/not-ours", NULL, test_not_ours);
    ADD ("/store/other-owner", NULL, test_other_owner);
    ADD ("/store/bad-file-is-kept", GINT_TO_POINTER (TRUE), test_bad_file_is_kept);
    ADD ("/store/bad-file-is-kept/no-exchange", GINT_TO_POINTER (FALSE), test_bad_file_is_kept);
    ADD ("/store/leftover", NULL, test_leftover);
    ADD ("/store/failing-disk/file", GINT_TO_POINTER (0), test_failing_disk);
    ADD ("/store/failing-disk/directory", GINT_TO_POINTER (1), test_failing_disk);
    ADD ("/store/failing-disk/first/file", GINT_TO_POINTER (0), test_failing_disk_first);
    ADD ("/store/failing-disk/first/directory", GINT_TO_POINTER (1), test_failing_disk_first);
    ADD ("/store/full-disk", NULL, test_full_disk);
    return g_test_run ();
}
