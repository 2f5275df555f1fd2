/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "add-tunnel.h"

#include "request.h"
#include "spinner.h"
#include "user.h"
#include "words.h"

#include <glib/gi18n.h>

/* The rows of the choice "Who May Reach the Server". */
enum { BY_MARK, BY_USER };

struct _BulkheadAddTunnel {
    AdwWindow parent_instance;

    GtkEditable *name_row;
    GtkEditable *interface_row;
    GtkEditable *servers_row;
    AdwComboRow *binding_row;
    GtkEditable *mark_row;
    GtkEditable *user_row;
    GtkLabel *problem;
    GtkButton *add_button;
    BulkheadSpinner *spinner;

    BulkheadClient *client;
    BulkheadTunnelList *list;
};

G_DEFINE_FINAL_TYPE (BulkheadAddTunnel, bulkhead_add_tunnel, ADW_TYPE_WINDOW)

static void
clear_problem (BulkheadAddTunnel *self)
{
    GtkEditable *rows[] = { self->name_row, self->interface_row, self->servers_row, self->mark_row,
                            self->user_row };

    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
        gtk_widget_remove_css_class (GTK_WIDGET (rows[i]), "error");
    gtk_widget_set_visible (GTK_WIDGET (self->problem), FALSE);
}

static void
show_problem (BulkheadAddTunnel *self, GtkEditable *row, const char *text)
{
    gtk_label_set_label (self->problem, text);
    gtk_widget_set_visible (GTK_WIDGET (self->problem), TRUE);
    if (row == NULL)
        return;
    gtk_widget_add_css_class (GTK_WIDGET (row), "error");
    gtk_widget_grab_focus (GTK_WIDGET (row));
}

/* The helper's message begins with the field it is about. */
static GtkEditable *
row_of (BulkheadAddTunnel *self, const GError *error)
{
    const struct {
        const char *field;
        GtkEditable *row;
    } rows[] = {
        { "tunnel name ", self->name_row },
        { "tunnel ", self->name_row },
        { "interface ", self->interface_row },
        { "endpoint", self->servers_row },
    };
    g_autoptr (GError) plain = g_error_copy (error);

    g_dbus_error_strip_remote_error (plain);
    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
        if (g_str_has_prefix (plain->message, rows[i].field))
            return rows[i].row;
    return NULL;
}

static void
set_busy (BulkheadAddTunnel *self, gboolean busy)
{
    gtk_widget_set_sensitive (GTK_WIDGET (self->add_button), !busy);
    bulkhead_spinner_set_busy (self->spinner, busy);
}

static void
on_added_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (BulkheadAddTunnel) self = data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        bulkhead_client_call_finish (BULKHEAD_CLIENT (source), result, &error);
    g_autofree char *reason = answer == NULL ? bulkhead_words_error (error) : NULL;

    /* The dialog may be closed by now. */
    if (self->client == NULL)
        return;
    set_busy (self, FALSE);
    if (reason != NULL)
        show_problem (self, row_of (self, error), reason);
    if (answer == NULL)
        return;
    bulkhead_tunnel_list_refresh (self->list);
    gtk_window_close (GTK_WINDOW (self));
}

static gboolean
add_mark (BulkheadAddTunnel *self, GVariantDict *tunnel)
{
    const char *text = gtk_editable_get_text (self->mark_row);
    gboolean hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
    guint64 mark;

    if (!g_ascii_string_to_unsigned (hex ? text + 2 : text, hex ? 16 : 10, 1, G_MAXUINT32, &mark,
                                     NULL)) {
        show_problem (self, self->mark_row,
                      _ ("The mark must be a number from 1 to 4294967295, such as 51820 or "
                         "0xca6c."));
        return FALSE;
    }
    g_variant_dict_insert (tunnel, "mark", "u", (guint32)mark);
    return TRUE;
}

static gboolean
add_user (BulkheadAddTunnel *self, GVariantDict *tunnel)
{
    guint32 uid;

    if (!bulkhead_user_find (gtk_editable_get_text (self->user_row), &uid)) {
        show_problem (self, self->user_row, _ ("There is no user of this name on this computer."));
        return FALSE;
    }
    g_variant_dict_insert (tunnel, "user", "u", uid);
    return TRUE;
}

static GStrv
split_servers (const char *text)
{
    g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
    g_auto (GStrv) words = g_strsplit_set (text, " ,\t", -1);

    for (gsize i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            g_strv_builder_add (builder, words[i]);
    return g_strv_builder_end (builder);
}

static void
on_add_cb (BulkheadAddTunnel *self)
{
    g_autoptr (GVariantDict) tunnel = g_variant_dict_new (NULL);
    g_auto (GStrv) servers = split_servers (gtk_editable_get_text (self->servers_row));
    gboolean by_mark = adw_combo_row_get_selected (self->binding_row) == BY_MARK;

    clear_problem (self);
    g_variant_dict_insert (tunnel, "name", "s", gtk_editable_get_text (self->name_row));
    g_variant_dict_insert (tunnel, "interface", "s", gtk_editable_get_text (self->interface_row));
    g_variant_dict_insert (tunnel, "endpoints", "^as", servers);
    if (by_mark ? !add_mark (self, tunnel) : !add_user (self, tunnel))
        return;
    set_busy (self, TRUE);
    bulkhead_client_change_async (self->client, "AddTunnel",
                                  g_variant_new ("(@a{sv})", g_variant_dict_end (tunnel)), NULL,
                                  on_added_cb, g_object_ref (self));
}

static void
on_binding_changed_cb (BulkheadAddTunnel *self)
{
    gboolean by_mark = adw_combo_row_get_selected (self->binding_row) == BY_MARK;

    gtk_widget_set_visible (GTK_WIDGET (self->mark_row), by_mark);
    gtk_widget_set_visible (GTK_WIDGET (self->user_row), !by_mark);
    clear_problem (self);
}

static void
bulkhead_add_tunnel_dispose (GObject *object)
{
    BulkheadAddTunnel *self = BULKHEAD_ADD_TUNNEL (object);

    g_clear_object (&self->client);
    g_clear_object (&self->list);
    G_OBJECT_CLASS (bulkhead_add_tunnel_parent_class)->dispose (object);
}

static void
bulkhead_add_tunnel_class_init (BulkheadAddTunnelClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_add_tunnel_dispose;
    g_type_ensure (BULKHEAD_TYPE_SPINNER);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/add-tunnel.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, name_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, interface_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, servers_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, binding_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, mark_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, user_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, problem);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, add_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadAddTunnel, spinner);
    gtk_widget_class_bind_template_callback (widget_class, on_add_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_binding_changed_cb);
    gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
bulkhead_add_tunnel_init (BulkheadAddTunnel *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    on_binding_changed_cb (self);
}

GtkWidget *
bulkhead_add_tunnel_new (GtkWindow *parent, BulkheadClient *client, BulkheadTunnelList *list)
{
    BulkheadAddTunnel *self =
        g_object_new (BULKHEAD_TYPE_ADD_TUNNEL, "transient-for", parent, "modal", TRUE, NULL);

    self->client = g_object_ref (client);
    self->list = g_object_ref (list);
    return GTK_WIDGET (self);
}
