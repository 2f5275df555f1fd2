/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "state-file.h"

#include "error.h"
#include "trusted-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct _BulkheadStateFile {
    char *directory_path, *path; /* for messages */
    char *name;
    char *fresh; /* being written; only a crash leaves one behind */
    char *old, *kept;
    int directory;       /* holds the flock; a lock file of its own would need space on the disk */
    gboolean unreadable; /* what is there is not ours to throw away */
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

static gboolean
open_directory (BulkheadStateFile *file, GError **error)
{
    const char *path = file->directory_path;
    struct stat status;
    const char *distrust;

    if (g_mkdir_with_parents (path, 0700) < 0)
        return fail_errno (error, path);
    file->directory = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (file->directory < 0 || fstat (file->directory, &status) < 0)
        return fail_errno (error, path);
    distrust = bulkhead_trusted_file_distrust (&status);
    return distrust == NULL || fail (error, BULKHEAD_ERROR_STORE_FAILED, path, distrust);
}

BulkheadStateFile *
bulkhead_state_file_new (const char *directory, const char *name, GError **error)
{
    g_autoptr (BulkheadStateFile) file = g_new0 (BulkheadStateFile, 1);

    file->directory_path = g_strdup (directory);
    file->path = g_build_filename (directory, name, NULL);
    file->name = g_strdup (name);
    file->fresh = g_strconcat (name, ".new", NULL);
    file->old = g_strconcat (name, ".old", NULL);
    file->kept = g_strconcat (name, ".unreadable", NULL);
    file->directory = -1;
    return open_directory (file, error) ? g_steal_pointer (&file) : NULL;
}

void
bulkhead_state_file_free (BulkheadStateFile *file)
{
    if (file->directory >= 0)
        close (file->directory);
    g_free (file->directory_path);
    g_free (file->path);
    g_free (file->name);
    g_free (file->fresh);
    g_free (file->old);
    g_free (file->kept);
    g_free (file);
}

gboolean
bulkhead_state_file_lock_directory (BulkheadStateFile *file, GError **error)
{
    if (flock (file->directory, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno != EWOULDBLOCK)
        return fail_errno (error, file->directory_path);
    return fail (error, BULKHEAD_ERROR_ALREADY_RUNNING, file->directory_path,
                 "held by another helper");
}

gboolean
bulkhead_state_file_read (BulkheadStateFile *file, char **ret_text, gsize *ret_length,
                          GError **error)
{
    const char *problem =
        bulkhead_trusted_file_read (file->directory, file->name, FALSE, ret_text, ret_length);

    file->unreadable = problem != NULL;
    return problem == NULL || fail (error, BULKHEAD_ERROR_STATE_UNREADABLE, file->path, problem);
}

void
bulkhead_state_file_reject (BulkheadStateFile *file, GError **error)
{
    file->unreadable = TRUE;
    g_prefix_error (error, "state %s: ", file->path);
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
write_fresh (BulkheadStateFile *file, const char *text)
{
    gboolean ok;
    int fd;

    unlinkat (file->directory, file->fresh, 0);
    fd = openat (file->directory, file->fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600);
    if (fd < 0)
        return FALSE;
    ok = write_all (fd, text, strlen (text)) && fsync (fd) == 0;
    /* Some file systems tell of a full disk only here. */
    return close (fd) == 0 && ok;
}

/* For file systems that cannot exchange: the old file has a second name meanwhile. What the disk
 * does not take is not there afterwards, or the next start would do what was refused. */
static gboolean
replace (BulkheadStateFile *file)
{
    int directory = file->directory;
    gboolean has_old, is_first;
    int reason;

    if (file->unreadable && linkat (directory, file->name, directory, file->kept, 0) != 0)
        g_warning ("the unreadable state is not kept: %s", g_strerror (errno));
    unlinkat (directory, file->old, 0);
    has_old = linkat (directory, file->name, directory, file->old, 0) == 0;
    is_first = !has_old && errno == ENOENT; /* some file systems have no second names */
    if (renameat (directory, file->fresh, directory, file->name) != 0)
        return FALSE;
    reason = fsync (directory) == 0 ? 0 : errno;
    if (reason != 0 && has_old)
        renameat (directory, file->old, directory, file->name);
    else if (reason != 0 && is_first)
        unlinkat (directory, file->name, 0);
    unlinkat (directory, file->old, 0);
    errno = reason;
    return reason == 0;
}

/* What could not be read, under a name that is free: an earlier one may be there, and either may
 * be a directory. */
static void
keep_aside (BulkheadStateFile *file)
{
    g_autofree char *dated =
        g_strdup_printf ("%s-%" G_GINT64_FORMAT, file->kept, g_get_real_time ());

    if (renameat2 (file->directory, file->fresh, file->directory, file->kept, RENAME_NOREPLACE) != 0
        && renameat (file->directory, file->fresh, file->directory, dated) != 0)
        g_warning ("the unreadable state is not kept: %s", g_strerror (errno));
}

/*
 * The new file and the old one change places, so that at no moment there is none (which would
 * mean "never locked"), and so that the old one can come back when the disk does not take it.
 */
static gboolean
put_in_place (BulkheadStateFile *file)
{
    int directory = file->directory;

    if (renameat2 (directory, file->fresh, directory, file->name, RENAME_EXCHANGE) == 0) {
        int reason = fsync (directory) == 0 ? 0 : errno;

        if (reason != 0)
            renameat2 (directory, file->fresh, directory, file->name, RENAME_EXCHANGE);
        else if (file->unreadable)
            keep_aside (file);
        errno = reason;
        return reason == 0;
    }
    /* No file yet, or a file system that cannot exchange. */
    return replace (file);
}

gboolean
bulkhead_state_file_prepare (BulkheadStateFile *file, const char *text, GError **error)
{
    if (write_fresh (file, text))
        return TRUE;
    fail_errno (error, file->path);
    bulkhead_state_file_discard (file);
    return FALSE;
}

gboolean
bulkhead_state_file_commit (BulkheadStateFile *file, GError **error)
{
    gboolean ok = put_in_place (file);

    if (!ok)
        fail_errno (error, file->path);
    else
        file->unreadable = FALSE;
    bulkhead_state_file_discard (file);
    return ok;
}

void
bulkhead_state_file_discard (BulkheadStateFile *file)
{
    unlinkat (file->directory, file->fresh, 0);
}
