/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sleep.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#define NAME "org.freedesktop.login1"
#define PATH "/org/freedesktop/login1"
#define INTERFACE NAME ".Manager"

struct _BulkheadSleep {
    GDBusConnection *bus;
    guint name_id;
    guint signal_id;
    GCancellable *asking; /* for the inhibitor; NULL: nobody is asked */
    int inhibitor;        /* while it is open, the sleep waits for us; -1: none */
    BulkheadSleepTold told;
    gpointer data;
};

static void
release (BulkheadSleep *sleep)
{
    if (sleep->asking != NULL)
        g_cancellable_cancel (sleep->asking);
    g_clear_object (&sleep->asking);
    if (sleep->inhibitor >= 0)
        close (sleep->inhibitor);
    sleep->inhibitor = -1;
}

/* A cancelled call is no business of ours any more: @data may be gone. */
static void
on_inhibited_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    BulkheadSleep *sleep = data;
    g_autoptr (GUnixFDList) fds = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish (
        G_DBUS_CONNECTION (source), &fds, result, &error);
    gint32 handle;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    g_clear_object (&sleep->asking);
    if (answer != NULL && fds != NULL) {
        g_variant_get (answer, "(h)", &handle);
        sleep->inhibitor = g_unix_fd_list_get (fds, handle, &error);
    }
    if (error != NULL)
        g_info ("the machine will not wait for the lock before it sleeps: %s", error->message);
}

static void
inhibit (BulkheadSleep *sleep)
{
    release (sleep);
    sleep->asking = g_cancellable_new ();
    g_dbus_connection_call_with_unix_fd_list (
        sleep->bus, NAME, PATH, INTERFACE, "Inhibit",
        g_variant_new ("(ssss)", "sleep", "Bulkhead", "The network lock is verified", "delay"),
        G_VARIANT_TYPE ("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, sleep->asking,
        on_inhibited_cb, sleep);
}

static void
on_prepare_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
               const char *signal, GVariant *arguments, gpointer data)
{
    BulkheadSleep *sleep = data;
    gboolean asleep;

    if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(b)")))
        return;
    g_variant_get (arguments, "(b)", &asleep);
    sleep->told (asleep, sleep->data);
    if (asleep)
        release (sleep);
    else
        inhibit (sleep);
}

static void
on_appeared_cb (GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    inhibit (data);
}

static void
on_vanished_cb (GDBusConnection *bus, const char *name, gpointer data)
{
    release (data);
}

BulkheadSleep *
bulkhead_sleep_new (GDBusConnection *bus, BulkheadSleepTold told, gpointer data)
{
    BulkheadSleep *sleep = g_new0 (BulkheadSleep, 1);

    sleep->bus = g_object_ref (bus);
    sleep->inhibitor = -1;
    sleep->told = told;
    sleep->data = data;
    sleep->signal_id =
        g_dbus_connection_signal_subscribe (bus, NAME, INTERFACE, "PrepareForSleep", PATH, NULL,
                                            G_DBUS_SIGNAL_FLAGS_NONE, on_prepare_cb, sleep, NULL);
    sleep->name_id = g_bus_watch_name_on_connection (bus, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                     on_appeared_cb, on_vanished_cb, sleep, NULL);
    return sleep;
}

void
bulkhead_sleep_free (BulkheadSleep *sleep)
{
    g_bus_unwatch_name (sleep->name_id);
    g_dbus_connection_signal_unsubscribe (sleep->bus, sleep->signal_id);
    release (sleep);
    g_object_unref (sleep->bus);
    g_free (sleep);
}
