/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link-watch.h"

#include <errno.h>
#include <gio/gio.h>
#include <sched.h>

void
ip (const char *lines)
{
    g_autofree char *errors = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GSubprocess) process =
        g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error,
                          "ip", "-batch", "-", NULL);

    g_assert_no_error (error);
    g_subprocess_communicate_utf8 (process, lines, NULL, NULL, &errors, &error);
    g_assert_no_error (error);
    if (!g_subprocess_get_successful (process))
        g_error ("ip: %s of: %s", errors, lines);
}

char *
repeat (const char *format, guint n)
{
    g_autoptr (GString) text = g_string_new (NULL);
    g_auto (GStrv) parts = g_strsplit (format, "%u", -1);

    for (guint i = 1; i <= n; i++) {
        g_autofree char *number = g_strdup_printf ("%u.%u", i / 250, i % 250 + 1);
        g_autofree char *line = g_strjoinv (number, parts);

        g_string_append_printf (text, "%s\n", line);
    }
    return g_string_free (g_steal_pointer (&text), FALSE);
}

BulkheadLinks *
watch (void)
{
    g_autoptr (GError) error = NULL;
    BulkheadLinks *links;

    if (unshare (CLONE_NEWNET) < 0)
        g_error ("no network namespace of its own: %s; this test needs root", g_strerror (errno));
    links = bulkhead_links_new (&error);
    g_assert_no_error (error);
    return links;
}

BulkheadNet *
read_net (BulkheadLinks *links)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *array = bulkhead_links_read (links, &error);

    g_assert_no_error (error);
    return bulkhead_net_new (0, array, NULL);
}

static void
on_changed_cb (BulkheadLinks *links, gpointer data)
{
    guint *count = data;

    (*count)++;
}

static gboolean
on_timeout_cb (gpointer data)
{
    gboolean *over = data;

    *over = TRUE;
    return G_SOURCE_REMOVE;
}

guint
count_changes (BulkheadLinks *links, guint milliseconds)
{
    guint count = 0;
    gboolean over = FALSE;
    gulong handler = g_signal_connect (links, "changed", G_CALLBACK (on_changed_cb), &count);

    g_timeout_add (milliseconds, on_timeout_cb, &over);
    while (!over)
        g_main_context_iteration (NULL, TRUE);
    g_signal_handler_disconnect (links, handler);
    return count;
}
