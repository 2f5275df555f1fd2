/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "network.h"

#define NAME "org.freedesktop.NetworkManager"
#define PATH "/org/freedesktop/NetworkManager"
#define CONNECTIVITY_PORTAL 2 /* NM_CONNECTIVITY_PORTAL */

struct _BulkheadNetwork {
    GObject parent_instance;

    BulkheadClient *client;
    GDBusConnection *bus;  /* on which NetworkManager is looked for; NULL: none */
    GCancellable *looking; /* NULL: not under way */
    GDBusProxy *manager;   /* NULL: not yet */
    char *primary;         /* the connection that has the default route, "/" if none has */
};

enum { SIGNAL_CHANGED, SIGNAL_JOINED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadNetwork, bulkhead_network, G_TYPE_OBJECT)

static char *
read_primary (BulkheadNetwork *self)
{
    g_autoptr (GVariant) path =
        g_dbus_proxy_get_cached_property (self->manager, "PrimaryConnection");

    return path != NULL && g_variant_is_of_type (path, G_VARIANT_TYPE_OBJECT_PATH)
               ? g_variant_dup_string (path, NULL)
               : g_strdup ("/");
}

static void
on_properties_changed_cb (BulkheadNetwork *self)
{
    g_autofree char *primary = read_primary (self);
    gboolean joined = !g_str_equal (primary, "/") && !g_str_equal (primary, self->primary);

    /* A network that was lost and came back is joined anew. */
    g_free (self->primary);
    self->primary = g_steal_pointer (&primary);
    g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
    if (joined)
        g_signal_emit (self, signals[SIGNAL_JOINED], 0);
}

static void
on_proxy_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (GError) error = NULL;
    GDBusProxy *manager = g_dbus_proxy_new_finish (result, &error);
    BulkheadNetwork *self;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* then there may be no object any more */
    self = data;
    g_clear_object (&self->looking);
    if (manager == NULL) {
        g_debug ("NetworkManager cannot be watched: %s", error->message);
        return;
    }
    self->manager = manager;
    self->primary = g_strdup ("/");
    g_signal_connect_swapped (manager, "g-properties-changed",
                              G_CALLBACK (on_properties_changed_cb), self);
    g_signal_connect_swapped (manager, "notify::g-name-owner",
                              G_CALLBACK (on_properties_changed_cb), self);
    on_properties_changed_cb (self);
}

static void
forget (BulkheadNetwork *self)
{
    if (self->looking != NULL)
        g_cancellable_cancel (self->looking);
    g_clear_object (&self->looking);
    if (self->manager != NULL)
        g_signal_handlers_disconnect_by_data (self->manager, self);
    g_clear_object (&self->manager);
    g_clear_pointer (&self->primary, g_free);
    g_clear_object (&self->bus);
}

/* The bus may go, and come back as another connection. */
static void
on_client_changed_cb (BulkheadNetwork *self)
{
    GDBusConnection *bus = bulkhead_client_get_connection (self->client);

    if (bus == self->bus)
        return;
    forget (self);
    if (bus != NULL) {
        self->bus = g_object_ref (bus);
        self->looking = g_cancellable_new ();
        g_dbus_proxy_new (bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL, NAME, PATH, NAME,
                          self->looking, on_proxy_cb, self);
    }
    g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

gboolean
bulkhead_network_has_portal (BulkheadNetwork *self)
{
    g_autoptr (GVariant) connectivity = NULL;

    g_return_val_if_fail (BULKHEAD_IS_NETWORK (self), FALSE);

    if (self->manager != NULL)
        connectivity = g_dbus_proxy_get_cached_property (self->manager, "Connectivity");
    return connectivity != NULL && g_variant_is_of_type (connectivity, G_VARIANT_TYPE_UINT32)
           && g_variant_get_uint32 (connectivity) == CONNECTIVITY_PORTAL;
}

static void
bulkhead_network_dispose (GObject *object)
{
    BulkheadNetwork *self = BULKHEAD_NETWORK (object);

    forget (self);
    if (self->client != NULL)
        g_signal_handlers_disconnect_by_func (self->client, on_client_changed_cb, self);
    g_clear_object (&self->client);
    G_OBJECT_CLASS (bulkhead_network_parent_class)->dispose (object);
}

static void
bulkhead_network_class_init (BulkheadNetworkClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_network_dispose;
    signals[SIGNAL_CHANGED] = g_signal_new ("changed", BULKHEAD_TYPE_NETWORK, G_SIGNAL_RUN_LAST, 0,
                                            NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_JOINED] = g_signal_new ("joined", BULKHEAD_TYPE_NETWORK, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_network_init (BulkheadNetwork *self)
{
}

BulkheadNetwork *
bulkhead_network_new (BulkheadClient *client)
{
    BulkheadNetwork *self = g_object_new (BULKHEAD_TYPE_NETWORK, NULL);

    self->client = g_object_ref (client);
    g_signal_connect_swapped (client, "changed", G_CALLBACK (on_client_changed_cb), self);
    on_client_changed_cb (self);
    return self;
}
