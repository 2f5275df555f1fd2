/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watchdog.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or with '@' in the place of its zero byte a name of the abstract kind. */
static socklen_t
fill_address (struct sockaddr_un *address, const char *name)
{
    gsize length = strlen (name);

    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof address->sun_path)
        return 0;
    address->sun_family = AF_UNIX;
    memcpy (address->sun_path, name, length);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + length;
}

gboolean
bulkhead_watchdog_tell (const char *state)
{
    const char *name = g_getenv ("NOTIFY_SOCKET");
    struct sockaddr_un address = { 0 };
    socklen_t length = name != NULL ? fill_address (&address, name) : 0;
    gssize sent;
    int fd;

    if (length == 0)
        return FALSE;
    fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return FALSE;
    sent = sendto (fd, state, strlen (state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close (fd);
    return sent == (gssize)strlen (state);
}

static gboolean
on_time_cb (gpointer data)
{
    bulkhead_watchdog_tell ("WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static gboolean
read_number (const char *name, guint64 max, guint64 *ret)
{
    const char *text = g_getenv (name);

    return text != NULL && g_ascii_string_to_unsigned (text, 10, 1, max, ret, NULL);
}

guint
bulkhead_watchdog_start (void)
{
    guint64 usec, pid;

    if (!read_number ("WATCHDOG_USEC", (guint64)G_MAXUINT * 1000, &usec))
        return 0;
    if (g_getenv ("WATCHDOG_PID") != NULL
        && (!read_number ("WATCHDOG_PID", G_MAXINT, &pid) || (pid_t)pid != getpid ()))
        return 0;
    if (!bulkhead_watchdog_tell ("WATCHDOG=1"))
        return 0;
    return g_timeout_add (MAX (usec / 2000, 1), on_time_cb, NULL);
}
