/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus.h"

#include "error.h"
#include "intake.h"

#define NAME "org.bulkhead.Helper1"
#define NAME_FLAG_DO_NOT_QUEUE 4 /* and no ALLOW_REPLACEMENT: nobody takes the name from us */
#define NAME_IS_OURS 1
#define LOOK_SECONDS 1

static GVariant *
ask_bus (GDBusConnection *bus, const char *method, GVariant *arguments, const char *type,
         GError **error)
{
    return g_dbus_connection_call_sync (
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
        arguments, G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
}

static gboolean
refuse_second (GError **error)
{
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING,
                 "bus name %s: another helper has it", NAME);
    return FALSE;
}

static gboolean
check_name_free (GDBusConnection *bus, GError **error)
{
    g_autoptr (GVariant) answer =
        ask_bus (bus, "NameHasOwner", g_variant_new ("(s)", NAME), "(b)", error);
    gboolean taken;

    if (answer == NULL)
        return FALSE;
    g_variant_get (answer, "(b)", &taken);
    return !taken || refuse_second (error);
}

gboolean
bulkhead_bus_own_name (GDBusConnection *bus, GError **error)
{
    g_autoptr (GVariant) answer = ask_bus (
        bus, "RequestName", g_variant_new ("(su)", NAME, NAME_FLAG_DO_NOT_QUEUE), "(u)", error);
    guint32 result;

    if (answer == NULL)
        return FALSE;
    g_variant_get (answer, "(u)", &result);
    return result == NAME_IS_OURS || refuse_second (error);
}

GDBusConnection *
bulkhead_bus_open (GError **error)
{
    g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);

    if (bus == NULL || !check_name_free (bus, error))
        return NULL;
    g_dbus_connection_set_exit_on_close (bus, FALSE);
    bulkhead_intake_guard (bus);
    return g_steal_pointer (&bus);
}

typedef struct {
    GSourceOnceFunc found;
    gpointer data;
} Wait;

static gboolean look_cb (gpointer data);

static void
on_answered_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (GDBusConnection) bus = g_dbus_connection_new_for_address_finish (result, NULL);
    Wait *wait = data;

    if (bus == NULL) {
        g_timeout_add_seconds (LOOK_SECONDS, look_cb, wait);
        return;
    }
    wait->found (wait->data);
    g_free (wait);
}

static gboolean
look_cb (gpointer data)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);

    g_dbus_connection_new_for_address (address,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, NULL, on_answered_cb, data);
    return G_SOURCE_REMOVE;
}

void
bulkhead_bus_wait (GSourceOnceFunc found, gpointer data)
{
    Wait *wait = g_new0 (Wait, 1);

    wait->found = found;
    wait->data = data;
    look_cb (wait);
}
