/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "state.conf"
#define FRESH STATE ".new" /* being written; only a crash leaves one behind */
#define OLD "state.conf.old"
#define KEPT STATE ".unreadable"
#define STATE_SIZE_MAX (64 * 1024 * 1024)

struct _BulkheadStore {
    char *path;          /* of the state file, for messages */
    int directory;       /* holds the flock; a lock file of its own would need space on the disk */
    gboolean unreadable; /* what load found is not ours to throw away */
};

static gboolean
fail (GError **error, BulkheadError code, const char *path, const char *reason)
{
    g_set_error (error, BULKHEAD_ERROR, code, "state %s: %s", path, reason);
    return FALSE;
}

static gboolean
fail_errno (GError **error, const char *path)
{
    return fail (error, BULKHEAD_ERROR_STORE_FAILED, path, g_strerror (errno));
}

/* Whoever else could write here could unlock us. */
static const char *
find_distrust (const struct stat *status)
{
    if (status->st_uid != geteuid ())
        return "belongs to another user";
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return "others may write to it";
    return NULL;
}

static gboolean
open_directory (BulkheadStore *store, const char *path, GError **error)
{
    struct stat status;
    const char *distrust;

    if (g_mkdir_with_parents (path, 0700) < 0)
        return fail_errno (error, path);
    store->directory = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (store->directory < 0 || fstat (store->directory, &status) < 0)
        return fail_errno (error, path);
    distrust = find_distrust (&status);
    if (distrust != NULL)
        return fail (error, BULKHEAD_ERROR_STORE_FAILED, path, distrust);
    if (flock (store->directory, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno != EWOULDBLOCK)
        return fail_errno (error, path);
    return fail (error, BULKHEAD_ERROR_ALREADY_RUNNING, path, "held by another helper");
}

BulkheadStore *
bulkhead_store_new (const char *directory, GError **error)
{
    g_autoptr (BulkheadStore) store = g_new0 (BulkheadStore, 1);

    store->path = g_build_filename (directory, STATE, NULL);
    store->directory = -1;
    if (!open_directory (store, directory, error))
        return NULL;
    /* A file system that is read-only has no leftovers to remove, and what it says still counts. */
    unlinkat (store->directory, FRESH, 0);
    return g_steal_pointer (&store);
}

void
bulkhead_store_free (BulkheadStore *store)
{
    if (store->directory >= 0)
        close (store->directory);
    g_free (store->path);
    g_free (store);
}

/* Returns: NULL, or why the file cannot be taken for ours. */
static const char *
read_state (int fd, char **ret_text, gsize *ret_length)
{
    g_autofree char *text = NULL;
    const char *distrust;
    struct stat status;
    gsize length = 0;

    if (fstat (fd, &status) < 0)
        return g_strerror (errno);
    if (!S_ISREG (status.st_mode))
        return "not a regular file";
    distrust = find_distrust (&status);
    if (distrust != NULL)
        return distrust;
    if (status.st_size > STATE_SIZE_MAX)
        return "larger than 64 MiB";
    text = g_malloc0 (status.st_size + 1);
    while (length < (gsize)status.st_size) {
        gssize n = TEMP_FAILURE_RETRY (read (fd, text + length, status.st_size - length));

        if (n < 0)
            return g_strerror (errno);
        if (n == 0)
            break;
        length += n;
    }
    *ret_text = g_steal_pointer (&text);
    *ret_length = length;
    return NULL;
}

static BulkheadPolicy *
locked_with_nothing_open (void)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();

    return bulkhead_policy_with_locked (policy, TRUE);
}

BulkheadPolicy *
bulkhead_store_load (BulkheadStore *store, GError **error)
{
    /* O_NONBLOCK: a FIFO put there must not hang the boot. */
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    g_autofree char *text = NULL;
    BulkheadPolicy *policy = NULL;
    const char *problem;
    gsize length = 0;
    int fd = openat (store->directory, STATE, flags);

    if (fd < 0 && errno == ENOENT)
        return bulkhead_policy_new ();
    problem = fd < 0 ? g_strerror (errno) : read_state (fd, &text, &length);
    if (fd >= 0)
        close (fd);
    if (problem != NULL) {
        fail (error, BULKHEAD_ERROR_STATE_UNREADABLE, store->path, problem);
    } else {
        policy = bulkhead_policy_from_text (text, length, error);
        if (policy == NULL)
            g_prefix_error (error, "state %s: ", store->path);
    }
    store->unreadable = policy == NULL;
    return policy != NULL ? policy : locked_with_nothing_open ();
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
    while (size > 0) {
        gssize n = TEMP_FAILURE_RETRY (write (fd, data, size));

        if (n < 0)
            return FALSE;
        data += n;
        size -= n;
    }
    return TRUE;
}

static gboolean
write_fresh (BulkheadStore *store, const char *text)
{
    gboolean ok;
    int fd;

    unlinkat (store->directory, FRESH, 0);
    fd = openat (store->directory, FRESH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600);
    if (fd < 0)
        return FALSE;
    ok = write_all (fd, text, strlen (text)) && fsync (fd) == 0;
    /* Some file systems tell of a full disk only here. */
    return close (fd) == 0 && ok;
}

/* What could not be read, under a name that is free: an earlier one may be there, and either may
 * be a directory. */
static void
keep_aside (BulkheadStore *store)
{
    g_autofree char *dated = g_strdup_printf (KEPT "-%" G_GINT64_FORMAT, g_get_real_time ());

    if (renameat2 (store->directory, FRESH, store->directory, KEPT, RENAME_NOREPLACE) != 0
        && renameat (store->directory, FRESH, store->directory, dated) != 0)
        g_warning ("the unreadable state is not kept: %s", g_strerror (errno));
}

/* For file systems that cannot exchange: the old file has a second name meanwhile. */
static gboolean
replace (BulkheadStore *store)
{
    int directory = store->directory;
    gboolean has_old;
    int reason;

    if (store->unreadable && linkat (directory, STATE, directory, KEPT, 0) != 0)
        g_warning ("the unreadable state is not kept: %s", g_strerror (errno));
    unlinkat (directory, OLD, 0);
    has_old = linkat (directory, STATE, directory, OLD, 0) == 0;
    if (renameat (directory, FRESH, directory, STATE) != 0)
        return FALSE;
    reason = fsync (directory) == 0 ? 0 : errno;
    if (reason != 0 && has_old)
        renameat (directory, OLD, directory, STATE);
    unlinkat (directory, OLD, 0);
    errno = reason;
    return reason == 0;
}

/*
 * The new file and the old one change places, so that at no moment there is none (which would
 * mean "never locked"), and so that the old one can come back when the disk does not take it.
 */
static gboolean
put_in_place (BulkheadStore *store)
{
    int directory = store->directory;

    if (renameat2 (directory, FRESH, directory, STATE, RENAME_EXCHANGE) == 0) {
        int reason = fsync (directory) == 0 ? 0 : errno;

        if (reason != 0)
            renameat2 (directory, FRESH, directory, STATE, RENAME_EXCHANGE);
        else if (store->unreadable)
            keep_aside (store);
        errno = reason;
        return reason == 0;
    }
    /* No state file yet, or a file system that cannot exchange. */
    return replace (store);
}

gboolean
bulkhead_store_prepare (BulkheadStore *store, const BulkheadPolicy *policy, GError **error)
{
    g_autofree char *text = bulkhead_policy_to_text (policy);

    if (write_fresh (store, text))
        return TRUE;
    fail_errno (error, store->path);
    bulkhead_store_discard (store);
    return FALSE;
}

gboolean
bulkhead_store_commit (BulkheadStore *store, GError **error)
{
    gboolean ok = put_in_place (store);

    if (!ok)
        fail_errno (error, store->path);
    else
        store->unreadable = FALSE;
    bulkhead_store_discard (store);
    return ok;
}

void
bulkhead_store_discard (BulkheadStore *store)
{
    unlinkat (store->directory, FRESH, 0);
}

gboolean
bulkhead_store_save (BulkheadStore *store, const BulkheadPolicy *policy, GError **error)
{
    return bulkhead_store_prepare (store, policy, error) && bulkhead_store_commit (store, error);
}
