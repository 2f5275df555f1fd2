/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trusted-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define SIZE_MAX_READ (64 * 1024 * 1024)

const char *
bulkhead_trusted_file_distrust (const struct stat *status)
{
    if (status->st_uid != geteuid ())
        return "belongs to another user";
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return "others may write to it";
    return NULL;
}

/* A lease on reading is to be had only while nobody writes; until its end nobody can begin to. */
static gboolean
hold_writers (int fd)
{
    fcntl (fd, F_SETSIG, SIGURG); /* who tries is told of by this; it may be overheard */
    return fcntl (fd, F_SETLEASE, F_RDLCK) == 0 || errno != EAGAIN;
}

static const char *
read_all (int fd, gboolean at_rest, char **ret_text, gsize *ret_length)
{
    g_autofree char *text = NULL;
    const char *distrust;
    struct stat status;
    gsize length = 0;

    if (fstat (fd, &status) < 0)
        return g_strerror (errno);
    if (!S_ISREG (status.st_mode))
        return "not a regular file";
    if (at_rest && !hold_writers (fd))
        return "somebody is writing to it";
    distrust = bulkhead_trusted_file_distrust (&status);
    if (distrust != NULL)
        return distrust;
    if (status.st_size > SIZE_MAX_READ)
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

const char *
bulkhead_trusted_file_read (int directory, const char *name, gboolean at_rest, char **ret_text,
                            gsize *ret_length)
{
    /* O_NONBLOCK: a FIFO put there must not hang the boot. */
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = openat (directory, name, flags);
    const char *problem;

    *ret_text = NULL;
    *ret_length = 0;
    if (fd < 0)
        return errno == ENOENT ? NULL : g_strerror (errno);
    problem = read_all (fd, at_rest, ret_text, ret_length);
    close (fd); /* and with it, the lease */
    return problem;
}
