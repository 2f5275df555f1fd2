/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "window.h"

#include "first-run.h"
#include "log-page.h"
#include "status-page.h"
#include "tunnels-page.h"

struct _BulkheadWindow {
    AdwApplicationWindow parent_instance;

    GtkStack *stages; /* "pages" or "first-run" */
    AdwViewStack *pages;
    BulkheadFirstRun *first_run;
    BulkheadStatusPage *status_page;
    BulkheadTunnelsPage *tunnels_page;
    BulkheadLogPage *log_page;

    BulkheadClient *client;
    BulkheadTunnelList *tunnels;
    GSettings *settings;
};

G_DEFINE_FINAL_TYPE (BulkheadWindow, bulkhead_window, ADW_TYPE_APPLICATION_WINDOW)

/* The keyboard goes on from where the eyes are. */
static void
on_show_page (GtkWidget *widget, const char *action, GVariant *parameter)
{
    AdwViewStack *pages = BULKHEAD_WINDOW (widget)->pages;

    adw_view_stack_set_visible_child_name (pages, g_variant_get_string (parameter, NULL));
    gtk_widget_child_focus (adw_view_stack_get_visible_child (pages), GTK_DIR_TAB_FORWARD);
}

static void
on_search (GtkWidget *widget, const char *action, GVariant *parameter)
{
    BulkheadWindow *self = BULKHEAD_WINDOW (widget);

    adw_view_stack_set_visible_child_name (self->pages, "log");
    bulkhead_log_page_search (self->log_page);
}

/* What is behind the set-up has no keyboard: what had the focus there would keep it. */
static void
show_stage (BulkheadWindow *self, const char *stage)
{
    gboolean pages = g_str_equal (stage, "pages");

    gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.show-page", pages);
    gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.search", pages);
    gtk_stack_set_visible_child_name (self->stages, stage);
}

static void
on_first_run (GtkWidget *widget, const char *action, GVariant *parameter)
{
    BulkheadWindow *self = BULKHEAD_WINDOW (widget);

    bulkhead_first_run_restart (self->first_run);
    show_stage (self, "first-run");
}

static void
on_first_run_left_cb (BulkheadWindow *self)
{
    g_settings_set_boolean (self->settings, "first-run", FALSE);
    show_stage (self, "pages");
    /* What has come of it; and nothing that weakens, for Return may still be held down. */
    adw_view_stack_set_visible_child_name (self->pages, "status");
    gtk_widget_grab_focus (GTK_WIDGET (self->status_page));
    bulkhead_tunnel_list_refresh (self->tunnels);
}

/* Only where there is nothing set up yet; who used bulkheadctl before needs no introduction. */
static void
on_tunnels_read_cb (BulkheadWindow *self)
{
    if (!bulkhead_tunnel_list_is_known (self->tunnels))
        return;
    g_signal_handlers_disconnect_by_func (self->tunnels, on_tunnels_read_cb, self);
    if (bulkhead_client_get_state (self->client) == BULKHEAD_STATE_OFF
        && bulkhead_tunnel_list_count_trusted (self->tunnels) == 0)
        gtk_widget_activate_action (GTK_WIDGET (self), "win.first-run", NULL);
}

static void
bulkhead_window_dispose (GObject *object)
{
    BulkheadWindow *self = BULKHEAD_WINDOW (object);

    g_clear_object (&self->client);
    g_clear_object (&self->tunnels);
    g_clear_object (&self->settings);
    G_OBJECT_CLASS (bulkhead_window_parent_class)->dispose (object);
}

static void
ensure_types (void)
{
    g_type_ensure (BULKHEAD_TYPE_FIRST_RUN);
    g_type_ensure (BULKHEAD_TYPE_STATUS_PAGE);
    g_type_ensure (BULKHEAD_TYPE_TUNNELS_PAGE);
    g_type_ensure (BULKHEAD_TYPE_LOG_PAGE);
}

static void
bulkhead_window_class_init (BulkheadWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_window_dispose;
    ensure_types ();
    gtk_widget_class_set_template_from_resource (widget_class, "/org/bulkhead/bulkhead/window.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, stages);
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, pages);
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, first_run);
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, status_page);
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, tunnels_page);
    gtk_widget_class_bind_template_child (widget_class, BulkheadWindow, log_page);
    gtk_widget_class_bind_template_callback (widget_class, on_first_run_left_cb);
    gtk_widget_class_install_action (widget_class, "win.show-page", "s", on_show_page);
    gtk_widget_class_install_action (widget_class, "win.search", NULL, on_search);
    gtk_widget_class_install_action (widget_class, "win.first-run", NULL, on_first_run);
}

static void
bulkhead_window_init (BulkheadWindow *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    self->settings = g_settings_new ("org.bulkhead.bulkhead");
}

GtkWidget *
bulkhead_window_new (GtkApplication *application, BulkheadClient *client)
{
    BulkheadWindow *self = g_object_new (BULKHEAD_TYPE_WINDOW, "application", application, NULL);

    self->client = g_object_ref (client);
    self->tunnels = bulkhead_tunnel_list_new (client);
    bulkhead_status_page_set_helper (self->status_page, client, self->tunnels);
    bulkhead_tunnels_page_set_helper (self->tunnels_page, client, self->tunnels);
    bulkhead_first_run_set_helper (self->first_run, client, self->tunnels);
    bulkhead_log_page_set_client (self->log_page, client);
    if (g_settings_get_boolean (self->settings, "first-run"))
        g_signal_connect_swapped (self->tunnels, "read", G_CALLBACK (on_tunnels_read_cb), self);
    return GTK_WIDGET (self);
}
