/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a service manager hears, at a socket that stands for its own. */
#include "watchdog.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    char *directory, *path;
    int fd;
} Manager;

/* @name: NULL: a path in a directory of its own; else an abstract name, with '@' in front. */
static void
manager_open (Manager *manager, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t length;

    manager->directory = g_dir_make_tmp (NULL, NULL);
    manager->path =
        name != NULL ? g_strdup (name) : g_build_filename (manager->directory, "notify", NULL);
    length = G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + strlen (manager->path);
    memcpy (address.sun_path, manager->path, strlen (manager->path));
    if (name != NULL)
        address.sun_path[0] = '\0';
    manager->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint (bind (manager->fd, (struct sockaddr *)&address, length), ==, 0);
    g_setenv ("NOTIFY_SOCKET", manager->path, TRUE);
}

static void
manager_close (Manager *manager)
{
    close (manager->fd);
    g_unlink (manager->path);
    g_rmdir (manager->directory);
    g_free (manager->path);
    g_free (manager->directory);
    g_unsetenv ("NOTIFY_SOCKET");
    g_unsetenv ("WATCHDOG_USEC");
    g_unsetenv ("WATCHDOG_PID");
}

/* What was told and not yet heard; NULL: nothing. */
static char *
hear (const Manager *manager)
{
    char text[64];
    gssize n = recv (manager->fd, text, sizeof text, MSG_DONTWAIT);

    return n < 0 ? NULL : g_strndup (text, n);
}

static void
assert_heard (const Manager *manager, const char *expected)
{
    g_autofree char *text = hear (manager);

    g_assert_cmpstr (text, ==, expected);
}

static void
test_tell (void)
{
    const char *const names[] = { NULL, "@bulkhead-test-watchdog" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        Manager manager;

        manager_open (&manager, names[i]);
        g_assert_true (bulkhead_watchdog_tell ("STOPPING=1"));
        assert_heard (&manager, "STOPPING=1");
        assert_heard (&manager, NULL);
        manager_close (&manager);
    }
}

static void
test_nobody (void)
{
    g_autofree char *long_path = g_strnfill (108, 'x');
    const char *const names[] = {
        "", "/", "@", "relative", "vsock:2:1", "/nonexistent/x", long_path
    };

    long_path[0] = '/';
    g_unsetenv ("NOTIFY_SOCKET");
    g_assert_false (bulkhead_watchdog_tell ("STOPPING=1"));
    g_setenv ("WATCHDOG_USEC", "1000000", TRUE);
    g_assert_cmpuint (bulkhead_watchdog_start (), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_setenv ("NOTIFY_SOCKET", names[i], TRUE);
        g_assert_false (bulkhead_watchdog_tell ("STOPPING=1"));
    }
    g_unsetenv ("NOTIFY_SOCKET");
    g_unsetenv ("WATCHDOG_USEC");
}

static gboolean
on_time_over_cb (gpointer loop)
{
    g_main_loop_quit (loop);
    return G_SOURCE_REMOVE;
}

/* Only the main loop feeds it: one that does not turn is not heard of again. */
static void
test_fed_by_the_main_loop (void)
{
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    g_autofree char *pid = g_strdup_printf ("%d", getpid ());
    Manager manager;
    guint source, heard = 0;
    char *text;

    manager_open (&manager, NULL);
    g_setenv ("WATCHDOG_USEC", "200000", TRUE);
    g_setenv ("WATCHDOG_PID", pid, TRUE);
    source = bulkhead_watchdog_start ();
    g_assert_cmpuint (source, >, 0);
    assert_heard (&manager, "WATCHDOG=1");
    g_usleep (300000);
    assert_heard (&manager, NULL);
    g_timeout_add (650, on_time_over_cb, loop);
    g_main_loop_run (loop);
    for (; (text = hear (&manager)) != NULL; heard++) {
        g_assert_cmpstr (text, ==, "WATCHDOG=1");
        g_free (text);
    }
    /* Every 100 ms; a busy machine may miss some, and none comes too often. */
    g_assert_cmpuint (heard, >=, 2);
    g_assert_cmpuint (heard, <=, 7);
    g_source_remove (source);
    manager_close (&manager);
}

static void
test_not_asked_for (void)
{
    const char *const usecs[] = { NULL, "", "0", "-1", "many", "99999999999999999999" };
    Manager manager;

    manager_open (&manager, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (usecs); i++) {
        if (usecs[i] != NULL)
            g_setenv ("WATCHDOG_USEC", usecs[i], TRUE);
        g_assert_cmpuint (bulkhead_watchdog_start (), ==, 0);
    }
    /* Another process is meant. */
    g_setenv ("WATCHDOG_USEC", "1000000", TRUE);
    g_setenv ("WATCHDOG_PID", "1", TRUE);
    g_assert_cmpuint (bulkhead_watchdog_start (), ==, 0);
    assert_heard (&manager, NULL);
    manager_close (&manager);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/watchdog/tell", test_tell);
    g_test_add_func ("/watchdog/nobody", test_nobody);
    g_test_add_func ("/watchdog/fed-by-the-main-loop", test_fed_by_the_main_loop);
    g_test_add_func ("/watchdog/not-asked-for", test_not_asked_for);
    return g_test_run ();
}
