/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnel-row.h"

#include "tunnel-text.h"

struct _BulkheadTunnelRow {
    AdwActionRow parent_instance;

    GtkImage *icon;
    BulkheadTunnel *tunnel;
};

G_DEFINE_FINAL_TYPE (BulkheadTunnelRow, bulkhead_tunnel_row, ADW_TYPE_ACTION_ROW)

static void
show (BulkheadTunnelRow *self)
{
    GVariant *facts = bulkhead_tunnel_get_facts (self->tunnel);
    const char *icon = bulkhead_tunnel_is_up (self->tunnel) ? "network-vpn-symbolic"
                                                            : "network-vpn-disconnected-symbolic";
    g_autofree char *server = bulkhead_tunnel_text_server (facts);
    g_autofree char *life = bulkhead_tunnel_text_life (facts, g_get_real_time () / G_USEC_PER_SEC);
    g_autofree char *subtitle =
        *server != '\0' ? g_strdup_printf ("%s\n%s", life, server) : g_strdup (life);

    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self),
                                   bulkhead_tunnel_get_id (self->tunnel));
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self), subtitle);
    if (g_strcmp0 (gtk_image_get_icon_name (self->icon), icon) != 0)
        gtk_image_set_from_icon_name (self->icon, icon);
}

static void
bulkhead_tunnel_row_dispose (GObject *object)
{
    g_clear_object (&BULKHEAD_TUNNEL_ROW (object)->tunnel);
    G_OBJECT_CLASS (bulkhead_tunnel_row_parent_class)->dispose (object);
}

static void
bulkhead_tunnel_row_class_init (BulkheadTunnelRowClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_tunnel_row_dispose;
}

static void
bulkhead_tunnel_row_init (BulkheadTunnelRow *self)
{
    self->icon =
        g_object_new (GTK_TYPE_IMAGE, "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
    adw_action_row_add_prefix (ADW_ACTION_ROW (self), GTK_WIDGET (self->icon));
    adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (self), 0);
    /* Names come from the outside. */
    adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self), FALSE);
}

GtkWidget *
bulkhead_tunnel_row_new (BulkheadTunnel *tunnel)
{
    BulkheadTunnelRow *self = g_object_new (BULKHEAD_TYPE_TUNNEL_ROW, NULL);

    self->tunnel = g_object_ref (tunnel);
    g_signal_connect_object (tunnel, "notify::facts", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
    show (self);
    return GTK_WIDGET (self);
}
