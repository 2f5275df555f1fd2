/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnel-list.h"

#define INTERVAL_SECONDS 2

struct _BulkheadTunnelList {
    GObject parent_instance;

    BulkheadClient *client;
    GListStore *tunnels;
    GCancellable *reading; /* NULL: no reading is under way */
    gboolean again;        /* something changed meanwhile */
    gboolean known;
    guint watchers;
    guint timeout; /* until the next reading; 0: none */
};

enum { SIGNAL_READ, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadTunnelList, bulkhead_tunnel_list, G_TYPE_OBJECT)

/* Looks behind those that have their place already: a link may have the name of a trusted tunnel,
 * and each keeps its own row. */
static BulkheadTunnel *
find (BulkheadTunnelList *self, guint from, const char *id)
{
    GListModel *model = G_LIST_MODEL (self->tunnels);

    for (guint i = from; i < g_list_model_get_n_items (model); i++) {
        g_autoptr (BulkheadTunnel) tunnel = g_list_model_get_item (model, i);

        if (g_str_equal (bulkhead_tunnel_get_id (tunnel), id))
            return g_steal_pointer (&tunnel);
    }
    return NULL;
}

/* Items stay where they are when the order did not change: the common case moves no row. */
static void
take (BulkheadTunnelList *self, GVariant *list)
{
    guint n = g_variant_n_children (list);

    for (guint i = 0; i < n; i++) {
        g_autoptr (GVariant) facts = g_variant_get_child_value (list, i);
        g_autofree char *id = bulkhead_tunnel_dup_id (facts);
        g_autoptr (BulkheadTunnel) tunnel = find (self, i, id);
        guint position;

        if (tunnel == NULL)
            tunnel = bulkhead_tunnel_new (facts);
        else
            bulkhead_tunnel_set_facts (tunnel, facts);
        if (!g_list_store_find (self->tunnels, tunnel, &position)) {
            g_list_store_insert (self->tunnels, i, tunnel);
        } else if (position != i) {
            g_list_store_remove (self->tunnels, position);
            g_list_store_insert (self->tunnels, i, tunnel);
        }
    }
    g_list_store_splice (self->tunnels, n,
                         g_list_model_get_n_items (G_LIST_MODEL (self->tunnels)) - n, NULL, 0);
}

static void
on_read_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        bulkhead_client_call_finish (BULKHEAD_CLIENT (source), result, &error);
    BulkheadTunnelList *self;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* then there may be no list any more */
    self = data;
    g_clear_object (&self->reading);
    self->known = answer != NULL;
    if (answer != NULL) {
        g_autoptr (GVariant) list = g_variant_get_child_value (answer, 0);

        take (self, list);
    } else {
        g_list_store_remove_all (self->tunnels);
    }
    g_signal_emit (self, signals[SIGNAL_READ], 0);
    if (self->again) {
        self->again = FALSE;
        bulkhead_tunnel_list_refresh (self);
    }
}

void
bulkhead_tunnel_list_refresh (BulkheadTunnelList *self)
{
    g_return_if_fail (BULKHEAD_IS_TUNNEL_LIST (self));

    if (self->reading != NULL) {
        self->again = TRUE;
        return;
    }
    self->reading = g_cancellable_new ();
    bulkhead_client_read_async (self->client, "ListTunnels", NULL, "(aa{sv})", self->reading,
                                on_read_cb, self);
}

static gboolean
on_time_to_read_cb (gpointer data)
{
    BulkheadTunnelList *self = data;

    if (self->reading == NULL)
        bulkhead_tunnel_list_refresh (self);
    return G_SOURCE_CONTINUE;
}

void
bulkhead_tunnel_list_watch (BulkheadTunnelList *self)
{
    g_return_if_fail (BULKHEAD_IS_TUNNEL_LIST (self));

    if (self->watchers++ > 0)
        return;
    self->timeout = g_timeout_add_seconds (INTERVAL_SECONDS, on_time_to_read_cb, self);
    bulkhead_tunnel_list_refresh (self);
}

void
bulkhead_tunnel_list_unwatch (BulkheadTunnelList *self)
{
    g_return_if_fail (BULKHEAD_IS_TUNNEL_LIST (self));
    g_return_if_fail (self->watchers > 0);

    if (--self->watchers == 0)
        g_clear_handle_id (&self->timeout, g_source_remove);
}

static void
on_client_changed_cb (BulkheadTunnelList *self)
{
    if (bulkhead_client_get_presence (self->client) != BULKHEAD_HELPER_ANSWERS) {
        self->known = FALSE;
        g_list_store_remove_all (self->tunnels);
        g_signal_emit (self, signals[SIGNAL_READ], 0);
    } else if (self->watchers > 0) {
        bulkhead_tunnel_list_refresh (self);
    }
}

GListModel *
bulkhead_tunnel_list_get_model (BulkheadTunnelList *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL_LIST (self), NULL);

    return G_LIST_MODEL (self->tunnels);
}

gboolean
bulkhead_tunnel_list_is_known (BulkheadTunnelList *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL_LIST (self), FALSE);

    return self->known;
}

guint
bulkhead_tunnel_list_count_trusted (BulkheadTunnelList *self)
{
    GListModel *model = bulkhead_tunnel_list_get_model (self);
    guint count = 0;

    for (guint i = 0; i < g_list_model_get_n_items (model); i++) {
        g_autoptr (BulkheadTunnel) tunnel = g_list_model_get_item (model, i);

        count += bulkhead_tunnel_is_trusted (tunnel);
    }
    return count;
}

static void
bulkhead_tunnel_list_dispose (GObject *object)
{
    BulkheadTunnelList *self = BULKHEAD_TUNNEL_LIST (object);

    if (self->reading != NULL)
        g_cancellable_cancel (self->reading);
    g_clear_object (&self->reading);
    g_clear_handle_id (&self->timeout, g_source_remove);
    if (self->client != NULL)
        g_signal_handlers_disconnect_by_func (self->client, on_client_changed_cb, self);
    g_clear_object (&self->client);
    g_clear_object (&self->tunnels);
    G_OBJECT_CLASS (bulkhead_tunnel_list_parent_class)->dispose (object);
}

static void
bulkhead_tunnel_list_class_init (BulkheadTunnelListClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_tunnel_list_dispose;
    signals[SIGNAL_READ] = g_signal_new ("read", BULKHEAD_TYPE_TUNNEL_LIST, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_tunnel_list_init (BulkheadTunnelList *self)
{
    self->tunnels = g_list_store_new (BULKHEAD_TYPE_TUNNEL);
}

BulkheadTunnelList *
bulkhead_tunnel_list_new (BulkheadClient *client)
{
    BulkheadTunnelList *self = g_object_new (BULKHEAD_TYPE_TUNNEL_LIST, NULL);

    self->client = g_object_ref (client);
    g_signal_connect_swapped (client, "changed", G_CALLBACK (on_client_changed_cb), self);
    return self;
}
