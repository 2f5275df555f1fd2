/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watcher.h"

#define NAME "org.kde.StatusNotifierWatcher"
#define PATH "/StatusNotifierWatcher"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ATTEMPTS 5 /* a watcher may own its name before it can answer */
#define LATER 15   /* seconds between further ones */

struct _BulkheadWatcher {
    GObject parent_instance;
    GDBusConnection *bus;
    char *path;
    GCancellable *present; /* cancelled when this watcher is gone; NULL: there is none */
    gboolean registered;
    gboolean has_host; /* as the watcher says */
    guint attempts;    /* refused, one after the other */
    guint retry_id;
    guint name_id;
    guint signal_id;
};

G_DEFINE_FINAL_TYPE (BulkheadWatcher, bulkhead_watcher, G_TYPE_OBJECT)

static guint registered_signal;
static guint changed_signal;

static void register_item (BulkheadWatcher *self);

gboolean
bulkhead_watcher_has_host (BulkheadWatcher *self)
{
    g_return_val_if_fail (BULKHEAD_IS_WATCHER (self), FALSE);

    return self->registered && self->has_host;
}

static void
tell_changed (BulkheadWatcher *self)
{
    g_signal_emit (self, changed_signal, 0);
}

static void
on_host_known_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    g_autoptr (GVariant) value = NULL;
    BulkheadWatcher *self;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    self = user_data;
    if (answer != NULL)
        g_variant_get (answer, "(v)", &value);
    self->has_host = value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN)
                     && g_variant_get_boolean (value);
    tell_changed (self);
}

static void
ask_for_host (BulkheadWatcher *self)
{
    g_dbus_connection_call (self->bus, NAME, PATH, PROPERTIES, "Get",
                            g_variant_new ("(ss)", NAME, "IsStatusNotifierHostRegistered"),
                            G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                            self->present, on_host_known_cb, self);
}

static gboolean
on_time_to_retry_cb (gpointer data)
{
    BulkheadWatcher *self = data;

    self->retry_id = 0;
    register_item (self);
    return G_SOURCE_REMOVE;
}

static void
on_registered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    BulkheadWatcher *self;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    self = user_data;
    if (answer == NULL) {
        g_debug ("the tray refused the icon: %s", error->message);
        self->retry_id = g_timeout_add_seconds (++self->attempts < ATTEMPTS ? 1 : LATER,
                                                on_time_to_retry_cb, self);
        return;
    }
    self->registered = TRUE;
    g_signal_emit (self, registered_signal, 0);
    ask_for_host (self);
}

/* By path: the watcher takes the sender's unique name with it, and no second name is needed. */
static void
register_item (BulkheadWatcher *self)
{
    g_dbus_connection_call (self->bus, NAME, PATH, NAME, "RegisterStatusNotifierItem",
                            g_variant_new ("(s)", self->path), NULL,
                            G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->present, on_registered_cb,
                            self);
}

static void
forget (BulkheadWatcher *self)
{
    if (self->present != NULL)
        g_cancellable_cancel (self->present);
    g_clear_object (&self->present);
    g_clear_handle_id (&self->retry_id, g_source_remove);
    self->registered = FALSE;
    self->has_host = FALSE;
    self->attempts = 0;
}

static void
on_name_vanished_cb (GDBusConnection *bus, const char *name, gpointer user_data)
{
    BulkheadWatcher *self = user_data;

    forget (self);
    tell_changed (self);
}

static void
on_name_appeared_cb (GDBusConnection *bus, const char *name, const char *owner, gpointer user_data)
{
    BulkheadWatcher *self = user_data;

    forget (self);
    self->present = g_cancellable_new ();
    register_item (self);
}

/* A panel came to the watcher or left it; of the others only our own place would matter. With a
 * panel, a watcher that refused is worth asking anew, and at once. */
static void
on_signal_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
              const char *signal, GVariant *parameters, gpointer user_data)
{
    BulkheadWatcher *self = user_data;

    if (self->registered && g_str_has_prefix (signal, "StatusNotifierHost")) {
        ask_for_host (self);
    } else if (self->retry_id != 0 && self->attempts >= ATTEMPTS
               && g_str_equal (signal, "StatusNotifierHostRegistered")) {
        g_clear_handle_id (&self->retry_id, g_source_remove);
        self->attempts = 0;
        register_item (self);
    }
}

BulkheadWatcher *
bulkhead_watcher_new (GDBusConnection *bus, const char *path)
{
    BulkheadWatcher *self = g_object_new (BULKHEAD_TYPE_WATCHER, NULL);

    self->bus = g_object_ref (bus);
    self->path = g_strdup (path);
    self->signal_id = g_dbus_connection_signal_subscribe (
        bus, NAME, NAME, NULL, PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal_cb, self, NULL);
    self->name_id =
        g_bus_watch_name_on_connection (bus, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                        on_name_appeared_cb, on_name_vanished_cb, self, NULL);
    return self;
}

static void
bulkhead_watcher_finalize (GObject *object)
{
    BulkheadWatcher *self = BULKHEAD_WATCHER (object);

    g_bus_unwatch_name (self->name_id);
    g_dbus_connection_signal_unsubscribe (self->bus, self->signal_id);
    forget (self);
    g_object_unref (self->bus);
    g_free (self->path);
    G_OBJECT_CLASS (bulkhead_watcher_parent_class)->finalize (object);
}

static void
bulkhead_watcher_class_init (BulkheadWatcherClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_watcher_finalize;
    registered_signal = g_signal_new ("registered", BULKHEAD_TYPE_WATCHER, G_SIGNAL_RUN_LAST, 0,
                                      NULL, NULL, NULL, G_TYPE_NONE, 0);
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_WATCHER, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_watcher_init (BulkheadWatcher *self)
{
}
