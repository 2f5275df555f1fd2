/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "first-run.h"

#include "button-label.h"
#include "request.h"
#include "spinner.h"
#include "tunnel-text.h"

#include <glib/gi18n.h>

#define KEY_TUNNEL "bulkhead-tunnel"

struct _BulkheadFirstRun {
    AdwBin parent_instance;

    GtkStack *steps; /* "tunnels", "authorize", "lock" */
    GtkListBox *tunnels;
    GtkWidget *back_button;
    BulkheadSpinner *spinner;
    GtkLabel *summary;
    GtkButton *authorize_button;
    GtkButton *finish_button;

    BulkheadClient *client;
    BulkheadTunnelList *list;
    GHashTable *ticked; /* ids of those to trust; they may be gone, or trusted by now */
    GList *to_trust;    /* ids that are still to be asked for; owned */
    gboolean then_lock;
    gboolean waiting;  /* for the answer to a request */
    gboolean given_up; /* meanwhile: nothing follows it */
};

enum { SIGNAL_LEFT, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadFirstRun, bulkhead_first_run, ADW_TYPE_BIN)

static void trust_next (BulkheadFirstRun *self);

/* Those that are trusted stay so: the Tunnels page is where they are forgotten. */
static gboolean
is_wanted (BulkheadFirstRun *self, BulkheadTunnel *tunnel)
{
    return bulkhead_tunnel_is_trusted (tunnel)
           || g_hash_table_contains (self->ticked, bulkhead_tunnel_get_id (tunnel));
}

static void
show_summary (BulkheadFirstRun *self)
{
    GListModel *model = bulkhead_tunnel_list_get_model (self->list);
    guint count = 0;
    g_autofree char *summary = NULL;

    for (guint i = 0; i < g_list_model_get_n_items (model); i++) {
        g_autoptr (BulkheadTunnel) tunnel = g_list_model_get_item (model, i);

        count += is_wanted (self, tunnel);
    }
    summary = g_strdup_printf (
        ngettext ("%u tunnel will be trusted.", "%u tunnels will be trusted.", count), count);
    gtk_label_set_label (self->summary,
                         count > 0 ? summary
                                   : _ ("No tunnel will be trusted: while locked, nothing leaves "
                                        "until you trust one."));
}

static void
go_to (BulkheadFirstRun *self, const char *step)
{
    GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

    show_summary (self);
    gtk_widget_set_visible (self->back_button, !g_str_equal (step, "tunnels"));
    gtk_stack_set_visible_child_name (self->steps, step);
    /* What had the focus lost it while it could not be used. */
    if (root != NULL && gtk_root_get_focus (root) == NULL)
        gtk_widget_child_focus (gtk_stack_get_visible_child (self->steps), GTK_DIR_TAB_FORWARD);
}

static void
leave (BulkheadFirstRun *self)
{
    g_signal_emit (self, signals[SIGNAL_LEFT], 0);
}

/* What waits for its answer, as for a password, is out of our hands; nothing follows it. */
static void
on_leave_cb (BulkheadFirstRun *self)
{
    self->given_up = self->waiting;
    leave (self);
}

static void
on_back_cb (BulkheadFirstRun *self)
{
    gboolean last = g_str_equal (gtk_stack_get_visible_child_name (self->steps), "lock");

    go_to (self, last ? "authorize" : "tunnels");
}

static void
on_tunnels_chosen_cb (BulkheadFirstRun *self)
{
    go_to (self, "authorize");
}

static void
on_begun_cb (GtkWidget *widget)
{
    BulkheadFirstRun *self = BULKHEAD_FIRST_RUN (widget);

    self->waiting = TRUE;
    gtk_widget_set_sensitive (GTK_WIDGET (self->steps), FALSE);
    bulkhead_spinner_set_busy (self->spinner, TRUE);
}

/* Whether the set-up goes on: what was asked for is done, and nobody gave up meanwhile. */
static gboolean
end_wait (BulkheadFirstRun *self, const GError *error)
{
    gboolean given_up = self->given_up;

    self->waiting = FALSE;
    self->given_up = FALSE;
    gtk_widget_set_sensitive (GTK_WIDGET (self->steps), TRUE);
    bulkhead_spinner_set_busy (self->spinner, FALSE);
    return error == NULL && !given_up;
}

static void
on_authorized_cb (GtkWidget *widget, const GError *error)
{
    BulkheadFirstRun *self = BULKHEAD_FIRST_RUN (widget);

    if (end_wait (self, error))
        go_to (self, "lock");
}

static void
on_authorize_cb (BulkheadFirstRun *self)
{
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self),
        .method = "Authorize",
        .failure = _ ("You Were Not Authorised"),
        .begun = on_begun_cb,
        .done = on_authorized_cb,
    });
}

static void
on_not_now_cb (BulkheadFirstRun *self)
{
    go_to (self, "lock");
}

static void
on_locked_cb (GtkWidget *widget, const GError *error)
{
    BulkheadFirstRun *self = BULKHEAD_FIRST_RUN (widget);

    if (end_wait (self, error))
        leave (self);
}

static void
lock (BulkheadFirstRun *self)
{
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self),
        .method = "Lock",
        .failure = _ ("Could Not Lock"),
        .begun = on_begun_cb,
        .done = on_locked_cb,
    });
}

static void
on_trusted_cb (GtkWidget *widget, const GError *error)
{
    BulkheadFirstRun *self = BULKHEAD_FIRST_RUN (widget);

    if (end_wait (self, error))
        trust_next (self);
    else
        g_clear_list (&self->to_trust, g_free);
}

/* One after the other: the person may have to type a password for each. */
static void
trust_next (BulkheadFirstRun *self)
{
    g_autofree char *id = NULL;

    if (self->to_trust == NULL) {
        if (self->then_lock)
            lock (self);
        else
            leave (self);
        return;
    }
    id = self->to_trust->data;
    self->to_trust = g_list_delete_link (self->to_trust, self->to_trust);
    /* What it means was said beside the ticks. */
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self),
        .method = "TrustTunnel",
        .arguments = g_variant_new ("(s)", id),
        .failure = _ ("The Tunnel Was Not Trusted"),
        .begun = on_begun_cb,
        .done = on_trusted_cb,
    });
}

/* Those that are trusted, as by an earlier attempt, are not asked for again. */
static void
finish (BulkheadFirstRun *self, gboolean then_lock)
{
    GListModel *model = bulkhead_tunnel_list_get_model (self->list);

    g_clear_list (&self->to_trust, g_free);
    for (guint i = 0; i < g_list_model_get_n_items (model); i++) {
        g_autoptr (BulkheadTunnel) tunnel = g_list_model_get_item (model, i);
        const char *id = bulkhead_tunnel_get_id (tunnel);

        if (g_hash_table_contains (self->ticked, id) && !bulkhead_tunnel_is_trusted (tunnel))
            self->to_trust = g_list_append (self->to_trust, g_strdup (id));
    }
    self->then_lock = then_lock;
    trust_next (self);
}

static void
on_lock_cb (BulkheadFirstRun *self)
{
    finish (self, TRUE);
}

static void
on_finish_cb (BulkheadFirstRun *self)
{
    finish (self, FALSE);
}

static void
on_tick_cb (GtkCheckButton *tick, BulkheadFirstRun *self)
{
    BulkheadTunnel *tunnel = g_object_get_data (G_OBJECT (tick), KEY_TUNNEL);
    const char *id = bulkhead_tunnel_get_id (tunnel);

    if (bulkhead_tunnel_is_trusted (tunnel))
        return; /* that it is ticked is nobody's wish */
    if (gtk_check_button_get_active (tick))
        g_hash_table_add (self->ticked, g_strdup (id));
    else
        g_hash_table_remove (self->ticked, id);
}

static void
show_row (BulkheadFirstRun *self, AdwActionRow *row)
{
    GtkWidget *tick = adw_action_row_get_activatable_widget (row);
    BulkheadTunnel *tunnel = g_object_get_data (G_OBJECT (tick), KEY_TUNNEL);
    gboolean trusted = bulkhead_tunnel_is_trusted (tunnel);
    g_autofree char *server = bulkhead_tunnel_text_server (bulkhead_tunnel_get_facts (tunnel));
    g_autofree char *subtitle = g_strdup_printf ("%s\n%s", _ ("Trusted already"), server);

    gtk_check_button_set_active (GTK_CHECK_BUTTON (tick), is_wanted (self, tunnel));
    gtk_widget_set_sensitive (tick, !trusted);
    adw_action_row_set_subtitle (row, trusted ? g_strchomp (subtitle) : server);
}

static GtkWidget *
new_row_cb (gpointer item, gpointer data)
{
    BulkheadFirstRun *self = data;
    const char *id = bulkhead_tunnel_get_id (item);
    GtkWidget *tick = gtk_check_button_new ();
    GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "subtitle-lines", 0,
                                   "activatable-widget", tick, NULL);

    /* The row learns that it is no markup only when it is there. */
    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), id);
    gtk_widget_set_valign (tick, GTK_ALIGN_CENTER);
    gtk_accessible_update_property (GTK_ACCESSIBLE (tick), GTK_ACCESSIBLE_PROPERTY_LABEL, id, -1);
    g_object_set_data_full (G_OBJECT (tick), KEY_TUNNEL, g_object_ref (item), g_object_unref);
    g_signal_connect_object (tick, "toggled", G_CALLBACK (on_tick_cb), self, 0);
    adw_action_row_add_prefix (ADW_ACTION_ROW (row), tick);
    show_row (self, ADW_ACTION_ROW (row));
    return row;
}

static void
show_rows (BulkheadFirstRun *self)
{
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index (self->tunnels, i)) != NULL; i++)
        show_row (self, ADW_ACTION_ROW (row));
    show_summary (self);
}

void
bulkhead_first_run_restart (BulkheadFirstRun *self)
{
    g_return_if_fail (BULKHEAD_IS_FIRST_RUN (self));

    g_hash_table_remove_all (self->ticked);
    show_rows (self);
    go_to (self, "tunnels");
}

void
bulkhead_first_run_set_helper (BulkheadFirstRun *self, BulkheadClient *client,
                               BulkheadTunnelList *tunnels)
{
    g_return_if_fail (BULKHEAD_IS_FIRST_RUN (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->list = g_object_ref (tunnels);
    gtk_list_box_bind_model (self->tunnels, bulkhead_tunnel_list_get_model (tunnels), new_row_cb,
                             self, NULL);
    g_signal_connect_object (tunnels, "read", G_CALLBACK (show_rows), self, G_CONNECT_SWAPPED);
}

static void
bulkhead_first_run_map (GtkWidget *widget)
{
    GTK_WIDGET_CLASS (bulkhead_first_run_parent_class)->map (widget);
    bulkhead_tunnel_list_watch (BULKHEAD_FIRST_RUN (widget)->list);
}

static void
bulkhead_first_run_unmap (GtkWidget *widget)
{
    bulkhead_tunnel_list_unwatch (BULKHEAD_FIRST_RUN (widget)->list);
    GTK_WIDGET_CLASS (bulkhead_first_run_parent_class)->unmap (widget);
}

static void
bulkhead_first_run_dispose (GObject *object)
{
    BulkheadFirstRun *self = BULKHEAD_FIRST_RUN (object);

    g_clear_object (&self->client);
    g_clear_object (&self->list);
    g_clear_pointer (&self->ticked, g_hash_table_unref);
    g_clear_list (&self->to_trust, g_free);
    G_OBJECT_CLASS (bulkhead_first_run_parent_class)->dispose (object);
}

static void
bulkhead_first_run_class_init (BulkheadFirstRunClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_first_run_dispose;
    widget_class->map = bulkhead_first_run_map;
    widget_class->unmap = bulkhead_first_run_unmap;
    signals[SIGNAL_LEFT] = g_signal_new ("left", BULKHEAD_TYPE_FIRST_RUN, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 0);
    g_type_ensure (BULKHEAD_TYPE_SPINNER);
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/first-run.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, steps);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, tunnels);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, back_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, spinner);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, summary);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, authorize_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadFirstRun, finish_button);
    gtk_widget_class_bind_template_callback (widget_class, on_leave_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_back_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_tunnels_chosen_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_authorize_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_not_now_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_lock_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_finish_cb);
}

static void
bulkhead_first_run_init (BulkheadFirstRun *self)
{
    self->ticked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (self->authorize_button);
    bulkhead_button_label_wrap (self->finish_button);
}
