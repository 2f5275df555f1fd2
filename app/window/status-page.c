/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status-page.h"

#include "blocked-group.h"
#include "request.h"
#include "sign-in-banner.h"
#include "state-card.h"
#include "switch-row.h"
#include "tunnel-row.h"
#include "warnings-group.h"

#include <glib/gi18n.h>

struct _BulkheadStatusPage {
    AdwBin parent_instance;

    BulkheadSignInBanner *banner;
    BulkheadStateCard *card;
    GtkWidget *managed_group;
    AdwActionRow *managed_row;
    GtkWidget *tunnels_group;
    GtkListBox *tunnels;
    GtkWidget *no_tunnels;
    BulkheadSwitchRow *lan_row;
    BulkheadSwitchRow *boot_row;
    BulkheadBlockedGroup *blocked;
    BulkheadWarningsGroup *warnings;

    BulkheadClient *client;
    BulkheadTunnelList *list;
    GtkFilter *filter; /* trusted tunnels only */
};

G_DEFINE_FINAL_TYPE (BulkheadStatusPage, bulkhead_status_page, ADW_TYPE_BIN)

static BulkheadSwitchValue
value_of (BulkheadClient *client, const char *property)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (client, property, "b");

    if (value == NULL)
        return BULKHEAD_SWITCH_UNKNOWN;
    return g_variant_get_boolean (value) ? BULKHEAD_SWITCH_ON : BULKHEAD_SWITCH_OFF;
}

static void
on_client_changed_cb (BulkheadStatusPage *self)
{
    gboolean answers = bulkhead_client_get_presence (self->client) == BULKHEAD_HELPER_ANSWERS;
    BulkheadSwitchValue boot = value_of (self->client, "AtBoot");

    bulkhead_switch_row_set_value (self->lan_row, value_of (self->client, "Lan"),
                                   bulkhead_client_is_fixed (self->client, "lan"));
    bulkhead_switch_row_set_value (self->boot_row, boot,
                                   bulkhead_client_is_fixed (self->client, "at-boot"));
    /* Where there is no systemd, a helper has nothing that starts before the network. */
    gtk_widget_set_visible (GTK_WIDGET (self->boot_row),
                            !answers || boot != BULKHEAD_SWITCH_UNKNOWN);
}

static void
on_tunnels_read_cb (BulkheadStatusPage *self)
{
    guint trusted = bulkhead_tunnel_list_count_trusted (self->list);

    gtk_filter_changed (self->filter, GTK_FILTER_CHANGE_DIFFERENT);
    gtk_widget_set_visible (self->tunnels_group, bulkhead_tunnel_list_is_known (self->list));
    gtk_widget_set_visible (self->no_tunnels, trusted == 0);
    gtk_widget_set_visible (GTK_WIDGET (self->tunnels), trusted > 0);
}

static void
on_switch_begun_cb (GtkWidget *widget)
{
    bulkhead_switch_row_set_busy (BULKHEAD_SWITCH_ROW (widget), TRUE);
}

static void
on_switch_done_cb (GtkWidget *widget, const GError *error)
{
    bulkhead_switch_row_set_busy (BULKHEAD_SWITCH_ROW (widget), FALSE);
}

static void
on_lan_asked_cb (BulkheadStatusPage *self, gboolean wanted)
{
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self->lan_row),
        .method = "SetLan",
        .arguments = g_variant_new ("(ba{sv})", wanted, NULL),
        .question = wanted ? BULKHEAD_QUESTION_LAN : BULKHEAD_QUESTION_NONE,
        .failure = _ ("The Local Network Setting Was Not Changed"),
        .begun = on_switch_begun_cb,
        .done = on_switch_done_cb,
    });
}

static void
on_boot_asked_cb (BulkheadStatusPage *self, gboolean wanted)
{
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self->boot_row),
        .method = "SetAtBoot",
        .arguments = g_variant_new ("(b)", wanted),
        .question = wanted ? BULKHEAD_QUESTION_NONE : BULKHEAD_QUESTION_AT_BOOT,
        .failure = _ ("The Setting Was Not Changed"),
        .begun = on_switch_begun_cb,
        .done = on_switch_done_cb,
    });
}

/* @problem: of the helper, in English; "": none */
static void
on_managed_cb (BulkheadStatusPage *self, const char *problem)
{
    /* Translators: %s is a message in English. */
    g_autofree char *text = g_strdup_printf (
        _ ("Until an administrator mends them nothing is opened: what was fixed stays so, or "
           "everything is locked. %s"),
        problem);

    adw_action_row_set_subtitle (self->managed_row, text);
    gtk_widget_set_visible (self->managed_group, *problem != '\0');
}

static GtkWidget *
new_row_cb (gpointer item, gpointer data)
{
    return bulkhead_tunnel_row_new (item);
}

static gboolean
is_trusted_cb (gpointer item, gpointer data)
{
    return bulkhead_tunnel_is_trusted (item);
}

void
bulkhead_status_page_set_helper (BulkheadStatusPage *self, BulkheadClient *client,
                                 BulkheadTunnelList *tunnels)
{
    g_autoptr (GtkFilterListModel) trusted = NULL;

    g_return_if_fail (BULKHEAD_IS_STATUS_PAGE (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->list = g_object_ref (tunnels);
    self->filter = GTK_FILTER (gtk_custom_filter_new (is_trusted_cb, NULL, NULL));
    trusted = gtk_filter_list_model_new (g_object_ref (bulkhead_tunnel_list_get_model (tunnels)),
                                         g_object_ref (self->filter));
    gtk_list_box_bind_model (self->tunnels, G_LIST_MODEL (trusted), new_row_cb, NULL, NULL);
    bulkhead_sign_in_banner_set_client (self->banner, client);
    bulkhead_state_card_set_client (self->card, client);
    bulkhead_blocked_group_set_client (self->blocked, client);
    bulkhead_warnings_group_set_client (self->warnings, client);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_client_changed_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (tunnels, "read", G_CALLBACK (on_tunnels_read_cb), self,
                             G_CONNECT_SWAPPED);
    on_client_changed_cb (self);
    on_tunnels_read_cb (self);
}

static gboolean
bulkhead_status_page_grab_focus (GtkWidget *widget)
{
    return gtk_widget_grab_focus (GTK_WIDGET (BULKHEAD_STATUS_PAGE (widget)->card));
}

static void
bulkhead_status_page_map (GtkWidget *widget)
{
    GTK_WIDGET_CLASS (bulkhead_status_page_parent_class)->map (widget);
    bulkhead_tunnel_list_watch (BULKHEAD_STATUS_PAGE (widget)->list);
}

static void
bulkhead_status_page_unmap (GtkWidget *widget)
{
    bulkhead_tunnel_list_unwatch (BULKHEAD_STATUS_PAGE (widget)->list);
    GTK_WIDGET_CLASS (bulkhead_status_page_parent_class)->unmap (widget);
}

static void
bulkhead_status_page_dispose (GObject *object)
{
    BulkheadStatusPage *self = BULKHEAD_STATUS_PAGE (object);

    g_clear_object (&self->client);
    g_clear_object (&self->list);
    g_clear_object (&self->filter);
    G_OBJECT_CLASS (bulkhead_status_page_parent_class)->dispose (object);
}

static void
bulkhead_status_page_class_init (BulkheadStatusPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_status_page_dispose;
    widget_class->map = bulkhead_status_page_map;
    widget_class->unmap = bulkhead_status_page_unmap;
    widget_class->grab_focus = bulkhead_status_page_grab_focus;
    g_type_ensure (BULKHEAD_TYPE_BLOCKED_GROUP);
    g_type_ensure (BULKHEAD_TYPE_SIGN_IN_BANNER);
    g_type_ensure (BULKHEAD_TYPE_STATE_CARD);
    g_type_ensure (BULKHEAD_TYPE_SWITCH_ROW);
    g_type_ensure (BULKHEAD_TYPE_WARNINGS_GROUP);
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/status-page.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, banner);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, card);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, tunnels_group);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, managed_group);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, managed_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, tunnels);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, no_tunnels);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, lan_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, boot_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, blocked);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStatusPage, warnings);
    gtk_widget_class_bind_template_callback (widget_class, on_lan_asked_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_boot_asked_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_managed_cb);
}

static void
bulkhead_status_page_init (BulkheadStatusPage *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
}
