/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holder.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "bulkheadd"
#define REMOVED " (deleted)" /* what the kernel appends to the name of an open file */
#define END_MS 5000

gboolean
bulkhead_holder_is_program (const char *exe)
{
    gsize length = strlen (exe);
    g_autofree char *path = NULL;
    g_autofree char *name = NULL;

    if (g_str_has_suffix (exe, REMOVED))
        length -= strlen (REMOVED);
    path = g_strndup (exe, length);
    name = g_path_get_basename (path);
    return g_str_equal (name, PROGRAM);
}

/* Who has the directory open has these two of it. */
typedef struct {
    char *number; /* how a /proc/PID/fdinfo/FD says it; "": not at all */
    struct statx status;
} Directory;

static void
directory_clear (Directory *directory)
{
    g_free (directory->number);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Directory, directory_clear)

/* Returns: (transfer full): see above. */
static char *
read_number (int fd)
{
    g_autofree char *path = g_strdup_printf ("/proc/self/fdinfo/%d", fd);
    g_autofree char *info = NULL;
    const char *start, *end;

    g_file_get_contents (path, &info, NULL, NULL);
    start = info != NULL ? strstr (info, "\nino:") : NULL;
    end = start != NULL ? strchr (start + 1, '\n') : NULL;
    return end != NULL ? g_strndup (start, end + 1 - start) : g_strdup ("");
}

/* Asks no server: what was last known of a file is enough, for ours are not on one. */
static gboolean
look_at (int at, const char *path, int flags, struct statx *ret_status)
{
    flags |= AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
    return statx (at, path, flags, STATX_TYPE | STATX_INO, ret_status) == 0;
}

/* FALSE: there is none. */
static gboolean
directory_init (Directory *directory, const char *path)
{
    int fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fd >= 0 && look_at (fd, "", AT_EMPTY_PATH, &directory->status);

    if (ok)
        directory->number = read_number (fd);
    if (fd >= 0)
        close (fd);
    return ok;
}

/*
 * By number first: a file on a server that the rules cut off may be of a file system that asks it
 * whatever the flags are, and then this process would wait for ever, not even to be killed.
 * @info: the text of its /proc/PID/fdinfo/FD. @file: the path of its /proc/PID/fd/FD.
 */
static gboolean
is_directory (const Directory *directory, const char *info, const char *file)
{
    const struct statx *a = &directory->status;
    struct statx b;

    return strstr (info, directory->number) != NULL && look_at (AT_FDCWD, file, 0, &b)
           && a->stx_ino == b.stx_ino && a->stx_dev_major == b.stx_dev_major
           && a->stx_dev_minor == b.stx_dev_minor;
}

static gboolean
has_lock (const char *info)
{
    return g_regex_match_simple ("^lock:.*FLOCK +ADVISORY +WRITE", info, G_REGEX_MULTILINE, 0);
}

/* Returns: (transfer full): the program it runs; "" when that cannot be told. */
static char *
read_program (pid_t pid)
{
    g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
    char *exe = g_file_read_link (link, NULL);

    return exe != NULL ? exe : g_strdup ("");
}

/* Whether its rules are where ours would be. */
static gboolean
shares_network (pid_t pid)
{
    g_autofree char *file = g_strdup_printf ("/proc/%d/ns/net", pid);
    struct stat own, its;

    return stat ("/proc/self/ns/net", &own) == 0 && stat (file, &its) == 0
           && own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

/* Whether it is of our user. Any user may name a program as the helper is named. */
static gboolean
shares_user (pid_t pid)
{
    g_autofree char *file = g_strdup_printf ("/proc/%d/status", pid);
    g_autofree char *form = g_strdup_printf ("^Uid:\t\\d+\t%u\t", geteuid ());
    g_autofree char *text = NULL;

    return g_file_get_contents (file, &text, NULL, NULL)
           && g_regex_match_simple (form, text, G_REGEX_MULTILINE, 0);
}

/* A helper's state that was removed under it has no name by which it could be found; it locks
 * nothing else. */
static gboolean
is_removed_state (pid_t pid, const char *file)
{
    g_autofree char *path = g_file_read_link (file, NULL);
    g_autofree char *exe = NULL;

    if (path == NULL || !g_str_has_suffix (path, REMOVED) || !shares_user (pid))
        return FALSE;
    exe = read_program (pid);
    return bulkhead_holder_is_program (exe) && shares_network (pid);
}

/* Whether one of the process's open files is that directory, or one that is gone, locked.
 * @directory: (nullable): there is none. */
static gboolean
holds (pid_t pid, const Directory *directory)
{
    g_autofree char *files = g_strdup_printf ("/proc/%d/fd", pid);
    g_autoptr (GDir) list = g_dir_open (files, 0, NULL);
    const char *fd;

    while (list != NULL && (fd = g_dir_read_name (list)) != NULL) {
        g_autofree char *file = g_build_filename (files, fd, NULL);
        g_autofree char *path = g_strdup_printf ("/proc/%d/fdinfo/%s", pid, fd);
        g_autofree char *info = NULL;

        if (!g_file_get_contents (path, &info, NULL, NULL) || !has_lock (info))
            continue;
        if ((directory != NULL && is_directory (directory, info, file))
            || is_removed_state (pid, file))
            return TRUE;
    }
    return FALSE;
}

/* Returns: a pidfd of the holder, or -1. */
static int
find (const Directory *directory, pid_t *ret_pid)
{
    g_autoptr (GDir) list = g_dir_open ("/proc", 0, NULL);
    const char *name;

    while (list != NULL && (name = g_dir_read_name (list)) != NULL) {
        guint64 pid;
        int fd;

        if (!g_ascii_string_to_unsigned (name, 10, 1, G_MAXINT, &pid, NULL)
            || (pid_t)pid == getpid ())
            continue;
        fd = pidfd_open (pid, 0);
        if (fd < 0)
            continue;
        if (holds (pid, directory)) {
            *ret_pid = pid;
            return fd;
        }
        close (fd);
    }
    return -1;
}

static gboolean
end (int pidfd)
{
    struct pollfd poll_fd = { pidfd, POLLIN, 0 };

    if (pidfd_send_signal (pidfd, SIGKILL, NULL, 0) != 0 && errno != ESRCH)
        return FALSE;
    return TEMP_FAILURE_RETRY (poll (&poll_fd, 1, END_MS)) == 1;
}

static pid_t
end_if_ours (pid_t pid, int pidfd, GError **error)
{
    g_autofree char *exe = read_program (pid);
    g_autofree char *text = g_strdup_printf ("%d", pid);

    if (!bulkhead_holder_is_program (exe)) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_FAILED, "process", text,
                                  "holds the state and is not the helper; end it yourself");
        return -1;
    }
    if (!end (pidfd)) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_FAILED, "process", text,
                                  "the helper does not end, even when it is killed");
        return -1;
    }
    return pid;
}

pid_t
bulkhead_holder_end (const char *directory, GError **error)
{
    g_auto (Directory) wanted = { 0 };
    gboolean exists = directory_init (&wanted, directory);
    pid_t pid = 0;
    int pidfd = find (exists ? &wanted : NULL, &pid);

    if (pidfd < 0)
        return 0;
    pid = end_if_ours (pid, pidfd, error);
    close (pidfd);
    return pid;
}
