/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnels-page.h"

#include "add-tunnel.h"
#include "trust-row.h"

#include <glib/gi18n.h>

struct _BulkheadTunnelsPage {
    AdwBin parent_instance;

    GtkListBox *tunnels;
    AdwPreferencesRow *placeholder;
    GtkButton *add_button;

    BulkheadClient *client;
    BulkheadTunnelList *list;
};

G_DEFINE_FINAL_TYPE (BulkheadTunnelsPage, bulkhead_tunnels_page, ADW_TYPE_BIN)

static void
on_read_cb (BulkheadTunnelsPage *self)
{
    gboolean known = bulkhead_tunnel_list_is_known (self->list);
    gboolean fixed = bulkhead_client_is_fixed (self->client, "tunnels");

    adw_preferences_row_set_title (self->placeholder,
                                   known ? _ ("No tunnel was found") : _ ("Tunnels are not known"));
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self->placeholder),
                                 known ? _ ("Connect your VPN, or add its tunnel by hand.")
                                       : _ ("The helper does not tell them now."));
    gtk_widget_set_sensitive (GTK_WIDGET (self->add_button), known && !fixed);
}

static void
on_add_cb (BulkheadTunnelsPage *self)
{
    gtk_window_present (GTK_WINDOW (bulkhead_add_tunnel_new (
        GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), self->client, self->list)));
}

static GtkWidget *
new_row_cb (gpointer item, gpointer data)
{
    BulkheadTunnelsPage *self = data;

    return bulkhead_trust_row_new (item, self->client, self->list);
}

void
bulkhead_tunnels_page_set_helper (BulkheadTunnelsPage *self, BulkheadClient *client,
                                  BulkheadTunnelList *tunnels)
{
    g_return_if_fail (BULKHEAD_IS_TUNNELS_PAGE (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->list = g_object_ref (tunnels);
    gtk_list_box_bind_model (self->tunnels, bulkhead_tunnel_list_get_model (tunnels), new_row_cb,
                             self, NULL);
    g_signal_connect_object (tunnels, "read", G_CALLBACK (on_read_cb), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_read_cb), self, G_CONNECT_SWAPPED);
    on_read_cb (self);
}

static void
bulkhead_tunnels_page_map (GtkWidget *widget)
{
    GTK_WIDGET_CLASS (bulkhead_tunnels_page_parent_class)->map (widget);
    bulkhead_tunnel_list_watch (BULKHEAD_TUNNELS_PAGE (widget)->list);
}

static void
bulkhead_tunnels_page_unmap (GtkWidget *widget)
{
    bulkhead_tunnel_list_unwatch (BULKHEAD_TUNNELS_PAGE (widget)->list);
    GTK_WIDGET_CLASS (bulkhead_tunnels_page_parent_class)->unmap (widget);
}

static void
bulkhead_tunnels_page_dispose (GObject *object)
{
    BulkheadTunnelsPage *self = BULKHEAD_TUNNELS_PAGE (object);

    g_clear_object (&self->client);
    g_clear_object (&self->list);
    G_OBJECT_CLASS (bulkhead_tunnels_page_parent_class)->dispose (object);
}

static void
bulkhead_tunnels_page_class_init (BulkheadTunnelsPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_tunnels_page_dispose;
    widget_class->map = bulkhead_tunnels_page_map;
    widget_class->unmap = bulkhead_tunnels_page_unmap;
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/tunnels-page.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadTunnelsPage, tunnels);
    gtk_widget_class_bind_template_child (widget_class, BulkheadTunnelsPage, placeholder);
    gtk_widget_class_bind_template_child (widget_class, BulkheadTunnelsPage, add_button);
    gtk_widget_class_bind_template_callback (widget_class, on_add_cb);
}

static void
bulkhead_tunnels_page_init (BulkheadTunnelsPage *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
}
