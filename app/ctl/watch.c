/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watch.h"

struct _BulkheadWatch {
    GDBusConnection *bus;
    guint name_id;
    guint signal_id;
    gulong closed_id;
    gboolean changed;
    gboolean present;
    gboolean vanished;
};

static void
on_name_appeared_cb (GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    BulkheadWatch *watch = data;

    watch->changed = TRUE;
    watch->present = TRUE;
}

/* Also called when there was none at first, which is no change. */
static void
on_name_vanished_cb (GDBusConnection *bus, const char *name, gpointer data)
{
    BulkheadWatch *watch = data;

    if (!watch->present)
        return;
    watch->present = FALSE;
    watch->changed = TRUE;
    watch->vanished = TRUE;
}

static void
on_properties_changed_cb (GDBusConnection *bus, const char *sender, const char *path,
                          const char *interface, const char *signal, GVariant *parameters,
                          gpointer data)
{
    BulkheadWatch *watch = data;

    watch->changed = TRUE;
}

static void
on_bus_closed_cb (GDBusConnection *bus, gboolean by_peer, GError *error, gpointer data)
{
    BulkheadWatch *watch = data;

    watch->changed = TRUE;
}

BulkheadWatch *
bulkhead_watch_new (BulkheadCtl *ctl, GError **error)
{
    BulkheadWatch *watch;

    if (!bulkhead_connect (ctl, error))
        return NULL;
    watch = g_new0 (BulkheadWatch, 1);
    watch->bus = g_object_ref (ctl->bus);
    watch->closed_id =
        g_signal_connect (watch->bus, "closed", G_CALLBACK (on_bus_closed_cb), watch);
    watch->signal_id = g_dbus_connection_signal_subscribe (
        watch->bus, BULKHEAD_NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged",
        BULKHEAD_PATH, BULKHEAD_NAME, G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed_cb, watch,
        NULL);
    watch->name_id =
        g_bus_watch_name_on_connection (watch->bus, BULKHEAD_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                        on_name_appeared_cb, on_name_vanished_cb, watch, NULL);
    return watch;
}

void
bulkhead_watch_free (BulkheadWatch *watch)
{
    g_bus_unwatch_name (watch->name_id);
    g_dbus_connection_signal_unsubscribe (watch->bus, watch->signal_id);
    g_signal_handler_disconnect (watch->bus, watch->closed_id);
    g_object_unref (watch->bus);
    g_free (watch);
}

static gboolean
on_time_passed_cb (gpointer data)
{
    gboolean *passed = data;

    *passed = TRUE;
    return G_SOURCE_CONTINUE;
}

void
bulkhead_watch_wait (BulkheadWatch *watch, guint milliseconds)
{
    gboolean passed = FALSE;
    guint timer = 0;

    if (milliseconds > 0)
        timer = g_timeout_add (milliseconds, on_time_passed_cb, &passed);
    while (!watch->changed && !passed)
        g_main_context_iteration (NULL, TRUE);
    /* What belongs to one change arrives together; one look afterwards tells all of it. */
    while (g_main_context_iteration (NULL, FALSE))
        ;
    watch->changed = FALSE;
    if (timer != 0)
        g_source_remove (timer);
}

gboolean
bulkhead_watch_take_vanished (BulkheadWatch *watch)
{
    gboolean vanished = watch->vanished;

    watch->vanished = FALSE;
    return vanished;
}

gboolean
bulkhead_watch_is_bus_lost (BulkheadWatch *watch)
{
    return g_dbus_connection_is_closed (watch->bus);
}
