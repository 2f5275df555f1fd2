/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client.h"

#include "system-bus.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define RETRY 2 /* seconds until the next attempt */

struct _BulkheadClient {
    GObject parent_instance;

    BulkheadSystemBus *system_bus;
    GDBusConnection *bus; /* its connection as long as it lasts; NULL: there is none */
    char *owner;          /* the helper's unique name; NULL: it is not there */
    GHashTable *values;   /* property -> GVariant; empty: not known */
    gboolean settled;     /* it is known by now whether there is a helper that answers */
    gboolean silent;      /* the last reading was not answered */
    GCancellable *reading;
    guint name_id;
    guint properties_id;
    guint tampered_id;
    guint retry_id;  /* runs only while something is wrong */
    guint settle_id; /* runs only until it is settled */
};

G_DEFINE_FINAL_TYPE (BulkheadClient, bulkhead_client, G_TYPE_OBJECT)

static guint changed_signal;
static guint tampered_signal;

static void
tell_changed (BulkheadClient *self)
{
    g_signal_emit (self, changed_signal, 0);
}

static void
settle (BulkheadClient *self)
{
    self->settled = TRUE;
    g_clear_handle_id (&self->settle_id, g_source_remove);
}

/* A bus that hangs neither connects nor refuses. */
static gboolean
on_waited_enough_cb (gpointer data)
{
    BulkheadClient *self = data;

    self->settle_id = 0;
    settle (self);
    tell_changed (self);
    return G_SOURCE_REMOVE;
}

/* ---- reading ---- */

static gboolean
on_time_to_retry_cb (gpointer data)
{
    BulkheadClient *self = data;

    self->retry_id = 0;
    bulkhead_client_refresh (self);
    return G_SOURCE_REMOVE;
}

/* @changes: a{sv} */
static void
take_values (BulkheadClient *self, GVariant *changes)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init (&iter, changes);
    while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
        g_hash_table_replace (self->values, g_strdup (name), value);
}

static void
on_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    BulkheadClient *self;

    /* Then there may be no client any more. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    self = user_data;
    g_clear_object (&self->reading);
    g_hash_table_remove_all (self->values);
    settle (self);
    self->silent = answer == NULL;
    if (answer != NULL) {
        g_autoptr (GVariant) values = g_variant_get_child_value (answer, 0);

        take_values (self, values);
    } else {
        g_debug ("the helper does not answer: %s", error->message);
        if (self->retry_id == 0)
            self->retry_id = g_timeout_add_seconds (RETRY, on_time_to_retry_cb, self);
    }
    tell_changed (self);
}

void
bulkhead_client_refresh (BulkheadClient *self)
{
    g_return_if_fail (BULKHEAD_IS_CLIENT (self));

    if (self->owner == NULL || self->reading != NULL)
        return;
    self->reading = g_cancellable_new ();
    g_dbus_connection_call (self->bus, self->owner, BULKHEAD_PATH, PROPERTIES, "GetAll",
                            g_variant_new ("(s)", BULKHEAD_NAME), G_VARIANT_TYPE ("(a{sv})"),
                            G_DBUS_CALL_FLAGS_NO_AUTO_START, 1000 * BULKHEAD_CLIENT_PATIENCE,
                            self->reading, on_read_cb, self);
}

/* ---- what the helper tells ---- */

/* The bus delivers what anybody addresses to us: only the helper's word counts. */
static gboolean
is_from_helper (BulkheadClient *self, const char *sender)
{
    return self->owner != NULL && g_strcmp0 (sender, self->owner) == 0;
}

static void
on_properties_changed_cb (GDBusConnection *bus, const char *sender, const char *path,
                          const char *interface, const char *signal, GVariant *parameters,
                          gpointer user_data)
{
    BulkheadClient *self = user_data;
    g_autoptr (GVariant) changes = NULL;
    g_autoptr (GVariant) untold = NULL;

    if (!is_from_helper (self, sender)
        || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sa{sv}as)")))
        return;
    untold = g_variant_get_child_value (parameters, 2);
    /* A part is no answer: the first one tells all. */
    if (g_hash_table_size (self->values) == 0 || g_variant_n_children (untold) > 0) {
        bulkhead_client_refresh (self);
        return;
    }
    changes = g_variant_get_child_value (parameters, 1);
    take_values (self, changes);
    tell_changed (self);
}

static void
on_tampered_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                const char *signal, GVariant *parameters, gpointer user_data)
{
    BulkheadClient *self = user_data;
    const char *program;
    gboolean restored;

    if (!is_from_helper (self, sender)
        || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sb)")))
        return;
    g_variant_get (parameters, "(&sb)", &program, &restored);
    g_signal_emit (self, tampered_signal, 0, program, restored);
}

static void
forget (BulkheadClient *self)
{
    if (self->reading != NULL)
        g_cancellable_cancel (self->reading);
    g_clear_object (&self->reading);
    g_clear_pointer (&self->owner, g_free);
    g_hash_table_remove_all (self->values);
    self->silent = FALSE;
}

static void
on_name_appeared_cb (GDBusConnection *bus, const char *name, const char *owner, gpointer user_data)
{
    BulkheadClient *self = user_data;

    forget (self);
    self->owner = g_strdup (owner);
    bulkhead_client_refresh (self);
    tell_changed (self);
}

static void
on_name_vanished_cb (GDBusConnection *bus, const char *name, gpointer user_data)
{
    BulkheadClient *self = user_data;

    forget (self);
    settle (self);
    tell_changed (self);
}

/* ---- the bus ---- */

static void
leave_bus (BulkheadClient *self)
{
    if (self->bus == NULL)
        return;
    g_bus_unwatch_name (self->name_id);
    g_dbus_connection_signal_unsubscribe (self->bus, self->properties_id);
    g_dbus_connection_signal_unsubscribe (self->bus, self->tampered_id);
    g_clear_object (&self->bus);
    forget (self);
}

static guint
subscribe (BulkheadClient *self, const char *interface, const char *signal, const char *arg0,
           GDBusSignalCallback callback)
{
    return g_dbus_connection_signal_subscribe (self->bus, BULKHEAD_NAME, interface, signal,
                                               BULKHEAD_PATH, arg0, G_DBUS_SIGNAL_FLAGS_NONE,
                                               callback, self, NULL);
}

static void
enter_bus (BulkheadClient *self)
{
    self->bus = g_object_ref (bulkhead_system_bus_get_connection (self->system_bus));
    self->properties_id =
        subscribe (self, PROPERTIES, "PropertiesChanged", BULKHEAD_NAME, on_properties_changed_cb);
    self->tampered_id = subscribe (self, BULKHEAD_NAME, "Tampered", NULL, on_tampered_cb);
    self->name_id =
        g_bus_watch_name_on_connection (self->bus, BULKHEAD_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                        on_name_appeared_cb, on_name_vanished_cb, self, NULL);
}

static void
on_bus_changed_cb (BulkheadClient *self)
{
    leave_bus (self);
    if (bulkhead_system_bus_get_connection (self->system_bus) != NULL)
        enter_bus (self);
    else
        settle (self);
    tell_changed (self);
}

/* ---- what is known ---- */

GVariant *
bulkhead_client_get_value (BulkheadClient *self, const char *name, const char *type)
{
    GVariant *value;

    g_return_val_if_fail (BULKHEAD_IS_CLIENT (self), NULL);
    value = g_hash_table_lookup (self->values, name);
    if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE (type)))
        return NULL;
    return g_variant_ref (value);
}

static gboolean
get_flag (BulkheadClient *self, const char *name)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (self, name, "b");

    return value != NULL && g_variant_get_boolean (value);
}

BulkheadState
bulkhead_client_get_state (BulkheadClient *self)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (self, "State", "u");
    guint32 state = value != NULL ? g_variant_get_uint32 (value) : BULKHEAD_STATE_UNKNOWN;

    return state <= BULKHEAD_STATE_BROKEN ? (BulkheadState)state : BULKHEAD_STATE_UNKNOWN;
}

GDBusConnection *
bulkhead_client_get_connection (BulkheadClient *self)
{
    g_return_val_if_fail (BULKHEAD_IS_CLIENT (self), NULL);

    return self->bus;
}

BulkheadHelperPresence
bulkhead_client_get_presence (BulkheadClient *self)
{
    g_return_val_if_fail (BULKHEAD_IS_CLIENT (self), BULKHEAD_HELPER_NO_BUS);

    if (!self->settled)
        return BULKHEAD_HELPER_ASKED;
    if (self->bus == NULL)
        return BULKHEAD_HELPER_NO_BUS;
    if (self->owner == NULL)
        return BULKHEAD_HELPER_ABSENT;
    if (self->silent)
        return BULKHEAD_HELPER_SILENT;
    return g_hash_table_size (self->values) > 0 ? BULKHEAD_HELPER_ANSWERS : BULKHEAD_HELPER_ASKED;
}

gboolean
bulkhead_client_is_locked (BulkheadClient *self)
{
    return get_flag (self, "Locked");
}

gboolean
bulkhead_client_is_closed (BulkheadClient *self)
{
    return get_flag (self, "Closed");
}

gboolean
bulkhead_client_allows_lan (BulkheadClient *self)
{
    return get_flag (self, "Lan");
}

gint64
bulkhead_client_get_paused_until (BulkheadClient *self)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (self, "PausedUntil", "x");

    return value != NULL ? g_variant_get_int64 (value) : 0;
}

gboolean
bulkhead_client_is_fixed (BulkheadClient *self, const char *setting)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (self, "Fixed", "as");
    g_autofree const char **fixed = value != NULL ? g_variant_get_strv (value, NULL) : NULL;

    return fixed != NULL && g_strv_contains (fixed, setting);
}

/* ---- object ---- */

static void
bulkhead_client_dispose (GObject *object)
{
    BulkheadClient *self = BULKHEAD_CLIENT (object);

    leave_bus (self);
    g_clear_object (&self->system_bus);
    g_clear_handle_id (&self->retry_id, g_source_remove);
    g_clear_handle_id (&self->settle_id, g_source_remove);
    G_OBJECT_CLASS (bulkhead_client_parent_class)->dispose (object);
}

static void
bulkhead_client_finalize (GObject *object)
{
    g_hash_table_unref (BULKHEAD_CLIENT (object)->values);
    G_OBJECT_CLASS (bulkhead_client_parent_class)->finalize (object);
}

static void
bulkhead_client_class_init (BulkheadClientClass *klass)
{
    G_OBJECT_CLASS (klass)->dispose = bulkhead_client_dispose;
    G_OBJECT_CLASS (klass)->finalize = bulkhead_client_finalize;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
    tampered_signal = g_signal_new ("tampered", BULKHEAD_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
}

static void
bulkhead_client_init (BulkheadClient *self)
{
    self->values =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
    self->settle_id = g_timeout_add_seconds (BULKHEAD_CLIENT_PATIENCE, on_waited_enough_cb, self);
    self->system_bus = bulkhead_system_bus_new ();
    g_signal_connect_object (self->system_bus, "changed", G_CALLBACK (on_bus_changed_cb), self,
                             G_CONNECT_SWAPPED);
}

BulkheadClient *
bulkhead_client_new (void)
{
    return g_object_new (BULKHEAD_TYPE_CLIENT, NULL);
}
