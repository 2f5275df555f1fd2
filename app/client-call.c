/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of the helper; client.c knows where it is. */
#include "client.h"

static void
on_called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

    /* Then nothing that it told before is known to be so still. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        bulkhead_client_refresh (g_task_get_source_object (task));
    if (answer != NULL)
        g_task_return_pointer (task, answer, (GDestroyNotify)g_variant_unref);
    else
        g_task_return_error (task, error);
}

static void
call (BulkheadClient *self, const char *method, GVariant *arguments, const char *reply,
      GDBusCallFlags flags, int timeout, GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data)
{
    GDBusConnection *bus = bulkhead_client_get_connection (self);
    g_autoptr (GVariant) owned = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
    g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

    g_task_set_source_tag (task, call);
    if (bus == NULL) {
        g_task_return_new_error (task, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED,
                                 "no connection to the system bus");
        return;
    }
    g_dbus_connection_call (bus, BULKHEAD_NAME, BULKHEAD_PATH, BULKHEAD_NAME, method, owned,
                            G_VARIANT_TYPE (reply), flags, timeout, cancellable, on_called_cb,
                            g_steal_pointer (&task));
}

void
bulkhead_client_read_async (BulkheadClient *self, const char *method, GVariant *arguments,
                            const char *reply, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
    g_return_if_fail (BULKHEAD_IS_CLIENT (self));

    call (self, method, arguments, reply, G_DBUS_CALL_FLAGS_NO_AUTO_START,
          1000 * BULKHEAD_CLIENT_PATIENCE, cancellable, callback, user_data);
}

void
bulkhead_client_change_async (BulkheadClient *self, const char *method, GVariant *arguments,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
    g_return_if_fail (BULKHEAD_IS_CLIENT (self));

    call (self, method, arguments, "()", G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
          G_MAXINT, cancellable, callback, user_data);
    /* A change has no time limit; that the helper hangs is found out by this. */
    bulkhead_client_refresh (self);
}

GVariant *
bulkhead_client_call_finish (BulkheadClient *self, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail (g_task_is_valid (result, self), NULL);

    return g_task_propagate_pointer (G_TASK (result), error);
}

void
bulkhead_client_wake_helper (BulkheadClient *self)
{
    GDBusConnection *bus = bulkhead_client_get_connection (self);

    if (bus != NULL)
        g_dbus_connection_call (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                "org.freedesktop.DBus", "StartServiceByName",
                                g_variant_new ("(su)", BULKHEAD_NAME, 0), NULL,
                                G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}
