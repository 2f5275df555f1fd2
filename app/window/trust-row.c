/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust-row.h"

#include "request.h"
#include "switch-row.h"
#include "tunnel-text.h"

#include <glib/gi18n.h>

#define KEY "bulkhead-trust"

typedef struct {
    BulkheadTunnel *tunnel;
    BulkheadClient *client;
    BulkheadTunnelList *list;
} Trust;

static void
trust_free (gpointer data)
{
    Trust *trust = data;

    g_object_unref (trust->tunnel);
    g_object_unref (trust->client);
    g_object_unref (trust->list);
    g_free (trust);
}

static void
show (GtkWidget *row)
{
    Trust *trust = g_object_get_data (G_OBJECT (row), KEY);
    GVariant *facts = bulkhead_tunnel_get_facts (trust->tunnel);
    g_autofree char *server = bulkhead_tunnel_text_server (facts);
    g_autofree char *binding = bulkhead_tunnel_text_binding (facts);
    g_autofree char *life = bulkhead_tunnel_text_presence (facts);
    g_autofree char *subtitle =
        g_strdup_printf ("%s%s%s\n%s", life, *server != '\0' ? " · " : "", server, binding);

    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row),
                                   bulkhead_tunnel_get_id (trust->tunnel));
    bulkhead_switch_row_set_about (BULKHEAD_SWITCH_ROW (row), subtitle);
    bulkhead_switch_row_set_value (BULKHEAD_SWITCH_ROW (row),
                                   bulkhead_tunnel_is_trusted (trust->tunnel) ? BULKHEAD_SWITCH_ON
                                                                              : BULKHEAD_SWITCH_OFF,
                                   bulkhead_client_is_fixed (trust->client, "tunnels"));
}

static void
on_begun_cb (GtkWidget *row)
{
    bulkhead_switch_row_set_busy (BULKHEAD_SWITCH_ROW (row), TRUE);
}

static void
on_done_cb (GtkWidget *row, const GError *error)
{
    Trust *trust = g_object_get_data (G_OBJECT (row), KEY);

    bulkhead_switch_row_set_busy (BULKHEAD_SWITCH_ROW (row), FALSE);
    bulkhead_tunnel_list_refresh (trust->list);
}

static void
on_asked_cb (GtkWidget *row, gboolean wanted, Trust *trust)
{
    const char *id = bulkhead_tunnel_get_id (trust->tunnel);

    bulkhead_request_send (&(BulkheadRequest){
        .client = trust->client,
        .widget = row,
        .method = wanted ? "TrustTunnel" : "ForgetTunnel",
        .arguments = g_variant_new ("(s)", id),
        .question = wanted ? BULKHEAD_QUESTION_TRUST : BULKHEAD_QUESTION_NONE,
        .detail = id,
        .failure = wanted ? _ ("The Tunnel Was Not Trusted") : _ ("The Tunnel Was Not Forgotten"),
        .begun = on_begun_cb,
        .done = on_done_cb,
    });
}

GtkWidget *
bulkhead_trust_row_new (BulkheadTunnel *tunnel, BulkheadClient *client, BulkheadTunnelList *list)
{
    GtkWidget *row = g_object_new (BULKHEAD_TYPE_SWITCH_ROW, "use-markup", FALSE, NULL);
    Trust *trust = g_new (Trust, 1);

    *trust = (Trust){
        .tunnel = g_object_ref (tunnel),
        .client = g_object_ref (client),
        .list = g_object_ref (list),
    };
    g_object_set_data_full (G_OBJECT (row), KEY, trust, trust_free);
    g_signal_connect (row, "asked", G_CALLBACK (on_asked_cb), trust);
    g_signal_connect_object (tunnel, "notify::facts", G_CALLBACK (show), row, G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (show), row, G_CONNECT_SWAPPED);
    show (row);
    return row;
}
