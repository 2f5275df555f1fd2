/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy-files.h"

#include "error.h"
#include "trusted-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FOLDER "policy.d"
#define SUFFIX ".conf"
#define QUIET_MS 100 /* an editor's steps belong together */

/* ---- reading ---- */

typedef struct {
    BulkheadManaged *managed;
    char *refused; /* the first file that cannot be used, and why: the next when it is mended */
    char *problem;
} Reading;

static void
refuse (Reading *reading, const char *file, const char *reason)
{
    if (reading->refused != NULL)
        return;
    reading->refused = g_strdup (file);
    reading->problem = g_strdup_printf ("%s: %s", file, reason);
}

/* What is refused closes, but only when all the others are read: their tunnels count. */
static BulkheadManaged *
finish (Reading *reading)
{
    if (reading->refused != NULL) {
        bulkhead_managed_close (reading->managed, reading->refused);
        bulkhead_managed_set_problem (reading->managed, reading->problem);
    }
    g_free (reading->refused);
    g_free (reading->problem);
    return reading->managed;
}

/* A directory that is ours alone, or -1: it is not there, or it was refused. */
static int
open_directory (Reading *reading, int parent, const char *path)
{
    int fd = openat (parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const char *reason;
    struct stat status;

    if (fd < 0) {
        if (errno != ENOENT)
            refuse (reading, path, g_strerror (errno));
        return -1;
    }
    reason =
        fstat (fd, &status) < 0 ? g_strerror (errno) : bulkhead_trusted_file_distrust (&status);
    if (reason == NULL)
        return fd;
    refuse (reading, path, reason);
    close (fd);
    return -1;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
    return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The files' names, sorted. Hidden ones are an editor's. */
static GPtrArray *
list_names (Reading *reading, DIR *directory)
{
    GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
    const struct dirent *entry;

    while (errno = 0, (entry = readdir (directory)) != NULL)
        if (entry->d_name[0] != '.' && g_str_has_suffix (entry->d_name, SUFFIX))
            g_ptr_array_add (names, g_strdup (entry->d_name));
    if (errno != 0)
        refuse (reading, FOLDER, g_strerror (errno));
    g_ptr_array_sort (names, compare_names);
    return names;
}

static void
read_file (Reading *reading, int folder, const char *name)
{
    g_autofree char *valid = g_utf8_make_valid (name, -1);
    g_autofree char *shown = g_build_filename (FOLDER, valid, NULL);
    g_autofree char *text = NULL;
    g_autoptr (GError) error = NULL;
    const char *reason;
    gsize length;

    reason = bulkhead_trusted_file_read (folder, name, TRUE, &text, &length);
    if (reason != NULL)
        refuse (reading, shown, reason);
    else if (text != NULL && !bulkhead_managed_add (reading->managed, shown, text, length, &error))
        refuse (reading, shown, error->message);
}

/* Takes @folder. */
static void
read_folder (Reading *reading, int folder)
{
    DIR *directory = fdopendir (folder);
    g_autoptr (GPtrArray) names = NULL;

    if (directory == NULL) {
        refuse (reading, FOLDER, g_strerror (errno));
        close (folder);
        return;
    }
    names = list_names (reading, directory);
    for (guint i = 0; i < names->len; i++)
        read_file (reading, folder, names->pdata[i]);
    closedir (directory);
}

BulkheadManaged *
bulkhead_policy_files_read (const char *config_dir)
{
    Reading reading = { bulkhead_managed_new (), NULL, NULL };
    int parent = open_directory (&reading, AT_FDCWD, config_dir);
    int folder = parent >= 0 ? open_directory (&reading, parent, FOLDER) : -1;

    if (folder >= 0)
        read_folder (&reading, folder);
    if (parent >= 0)
        close (parent);
    return finish (&reading);
}

/* ---- watching ---- */

struct _BulkheadPolicyFiles {
    char *config_dir;
    int inotify;
    guint source;
    guint quiet_source;
    void (*changed) (gpointer data);
    gpointer data;
};

/* FALSE with errno set. */
static gboolean
watch_directory (const BulkheadPolicyFiles *files, const char *path)
{
    const guint32 mask = IN_ONLYDIR | IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE | IN_DELETE
                         | IN_MOVE_SELF; /* another one may take its place */

    return inotify_add_watch (files->inotify, path, mask) >= 0;
}

static gboolean
is_absent (void)
{
    return errno == ENOENT || errno == ENOTDIR;
}

/* Adding what is watched already does nothing; what is new is watched from now on. Where there is
 * no directory yet, the one above tells of its coming. */
static void
watch_directories (const BulkheadPolicyFiles *files)
{
    g_autofree char *above = g_path_get_dirname (files->config_dir);
    g_autofree char *folder = g_build_filename (files->config_dir, FOLDER, NULL);

    if ((watch_directory (files, files->config_dir)
         || (is_absent () && watch_directory (files, above)))
        && (watch_directory (files, folder) || is_absent ()))
        return;
    g_warning (
        "not all of the policy files can be watched: %s; a SIGHUP makes the helper read them",
        g_strerror (errno));
}

static gboolean
on_quiet_cb (gpointer data)
{
    BulkheadPolicyFiles *files = data;

    files->quiet_source = 0;
    watch_directories (files);
    files->changed (files->data);
    return G_SOURCE_REMOVE;
}

/* What happened does not matter: all is read anew. Not put off again by each event, or a directory
 * that never rests would never be read. */
static gboolean
on_readable_cb (int fd, GIOCondition condition, gpointer data)
{
    BulkheadPolicyFiles *files = data;
    char buffer[4096];

    while (read (fd, buffer, sizeof buffer) > 0)
        ;
    if (files->quiet_source == 0)
        files->quiet_source = g_timeout_add (QUIET_MS, on_quiet_cb, files);
    return G_SOURCE_CONTINUE;
}

BulkheadPolicyFiles *
bulkhead_policy_files_watch (const char *config_dir, void (*changed) (gpointer data), gpointer data,
                             GError **error)
{
    int inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
    BulkheadPolicyFiles *files;

    if (inotify < 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                     "policy files cannot be watched: %s", g_strerror (errno));
        return NULL;
    }
    files = g_new0 (BulkheadPolicyFiles, 1);
    files->config_dir = g_strdup (config_dir);
    files->inotify = inotify;
    files->changed = changed;
    files->data = data;
    files->source = g_unix_fd_add (inotify, G_IO_IN, on_readable_cb, files);
    watch_directories (files);
    return files;
}

void
bulkhead_policy_files_free (BulkheadPolicyFiles *files)
{
    g_clear_handle_id (&files->source, g_source_remove);
    g_clear_handle_id (&files->quiet_source, g_source_remove);
    close (files->inotify);
    g_free (files->config_dir);
    g_free (files);
}
