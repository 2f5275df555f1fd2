/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "system-bus.h"

#define RETRY 2 /* seconds until the next attempt */

struct _BulkheadSystemBus {
    GObject parent_instance;
    GDBusConnection *connection;
    GCancellable *connecting; /* for the life of this object */
    gulong closed_id;
    guint retry_id; /* runs only while there is no connection */
};

G_DEFINE_FINAL_TYPE (BulkheadSystemBus, bulkhead_system_bus, G_TYPE_OBJECT)

static guint changed_signal;

static void connect_to_bus (BulkheadSystemBus *self);

static gboolean
on_time_to_retry_cb (gpointer data)
{
    BulkheadSystemBus *self = data;

    self->retry_id = 0;
    connect_to_bus (self);
    return G_SOURCE_REMOVE;
}

static void
leave (BulkheadSystemBus *self)
{
    if (self->connection != NULL)
        g_signal_handler_disconnect (self->connection, self->closed_id);
    g_clear_object (&self->connection);
}

static void
on_closed_cb (BulkheadSystemBus *self)
{
    leave (self);
    self->retry_id = g_timeout_add_seconds (RETRY, on_time_to_retry_cb, self);
    g_signal_emit (self, changed_signal, 0);
}

static void
on_connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);
    BulkheadSystemBus *self;

    /* Then this object may be gone. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    self = user_data;
    if (connection == NULL) {
        g_debug ("no system bus: %s", error->message);
        self->retry_id = g_timeout_add_seconds (RETRY, on_time_to_retry_cb, self);
        g_signal_emit (self, changed_signal, 0);
        return;
    }
    self->connection = connection;
    self->closed_id =
        g_signal_connect_swapped (connection, "closed", G_CALLBACK (on_closed_cb), self);
    g_signal_emit (self, changed_signal, 0);
}

static void
connect_to_bus (BulkheadSystemBus *self)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &error);

    /* That address is a constant or a variable of the environment: it will not come later. */
    if (address == NULL) {
        g_warning ("no system bus: %s", error->message);
        return;
    }
    g_dbus_connection_new_for_address (address,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, self->connecting, on_connected_cb, self);
}

GDBusConnection *
bulkhead_system_bus_get_connection (BulkheadSystemBus *self)
{
    g_return_val_if_fail (BULKHEAD_IS_SYSTEM_BUS (self), NULL);

    return self->connection;
}

static void
bulkhead_system_bus_finalize (GObject *object)
{
    BulkheadSystemBus *self = BULKHEAD_SYSTEM_BUS (object);

    g_cancellable_cancel (self->connecting);
    g_object_unref (self->connecting);
    g_clear_handle_id (&self->retry_id, g_source_remove);
    leave (self);
    G_OBJECT_CLASS (bulkhead_system_bus_parent_class)->finalize (object);
}

static void
bulkhead_system_bus_class_init (BulkheadSystemBusClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_system_bus_finalize;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_SYSTEM_BUS, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_system_bus_init (BulkheadSystemBus *self)
{
    self->connecting = g_cancellable_new ();
    connect_to_bus (self);
}

BulkheadSystemBus *
bulkhead_system_bus_new (void)
{
    return g_object_new (BULKHEAD_TYPE_SYSTEM_BUS, NULL);
}
