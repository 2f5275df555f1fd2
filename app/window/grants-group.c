/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "grants-group.h"

#include "button-label.h"
#include "list-reader.h"
#include "request.h"
#include "user.h"

#include <glib/gi18n.h>
#include <unistd.h>

#define KEY_UID "bulkhead-uid"

struct _BulkheadGrantsGroup {
    AdwPreferencesGroup parent_instance;

    GtkListBox *list;
    AdwActionRow *own_row;
    GtkWidget *own_button;

    BulkheadClient *client;
    BulkheadListReader *reader;
};

G_DEFINE_FINAL_TYPE (BulkheadGrantsGroup, bulkhead_grants_group, ADW_TYPE_PREFERENCES_GROUP)

static BulkheadGrantsGroup *
group_of (GtkWidget *widget)
{
    return BULKHEAD_GRANTS_GROUP (gtk_widget_get_ancestor (widget, BULKHEAD_TYPE_GRANTS_GROUP));
}

static void
on_begun_cb (GtkWidget *row)
{
    gtk_widget_set_sensitive (row, FALSE);
}

static void
on_done_cb (GtkWidget *row, const GError *error)
{
    BulkheadGrantsGroup *self = group_of (row);

    gtk_widget_set_sensitive (row, TRUE);
    if (self != NULL)
        bulkhead_list_reader_read (self->reader);
}

/* The password prompt is the question. */
static void
on_authorize_cb (BulkheadGrantsGroup *self)
{
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self->own_row),
        .method = "Authorize",
        .failure = _ ("You Were Not Authorised"),
        .begun = on_begun_cb,
        .done = on_done_cb,
    });
}

static void
on_revoke_cb (GtkWidget *button)
{
    GtkWidget *row = gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW);
    guint32 uid = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (row), KEY_UID));

    bulkhead_request_send (&(BulkheadRequest){
        .client = group_of (row)->client,
        .widget = row,
        .method = "Revoke",
        .arguments = g_variant_new ("(u)", uid),
        .failure = _ ("The Authorisation Was Not Revoked"),
        .begun = on_begun_cb,
        .done = on_done_cb,
    });
}

static GtkWidget *
row_new (guint32 uid, const char *name, gint64 when)
{
    g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (when);
    g_autofree char *date = time != NULL ? g_date_time_format (time, "%F %H:%M") : g_strdup ("");
    /* Translators: %s is a date and time. */
    g_autofree char *subtitle = g_strdup_printf (_ ("Since %s"), date);
    /* Translators: %s is the name of a user. */
    g_autofree char *label = g_strdup_printf (_ ("Revoke the authorisation of %s"), name);
    GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "subtitle", subtitle,
                                   "title-lines", 0, NULL);
    GtkWidget *button = gtk_button_new_with_mnemonic (_ ("_Revoke"));

    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), name);
    g_object_set_data (G_OBJECT (row), KEY_UID, GUINT_TO_POINTER (uid));
    gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
    gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
    /* GTK 4.18 would read the text of the button instead. */
    gtk_accessible_reset_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
    g_signal_connect (button, "clicked", G_CALLBACK (on_revoke_cb), NULL);
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
    return row;
}

static void
show_own (BulkheadGrantsGroup *self, gboolean known, gboolean granted)
{
    adw_action_row_set_subtitle (
        self->own_row, !known    ? _ ("Not known")
                       : granted ? _ ("You need no password to control the lock.")
                       : geteuid () == 0
                           ? _ ("The administrator needs no password.")
                           : _ ("An administrator’s password is asked for once. After that you "
                                "need none to control the lock."));
    gtk_widget_set_visible (self->own_button, known && !granted && geteuid () != 0);
}

/* @answer: (a(usx)), or NULL with the reason. */
static void
on_read_cb (BulkheadGrantsGroup *self, GVariant *answer, const char *problem)
{
    g_autoptr (GVariantIter) iter = NULL;
    /* It is markup. */
    g_autofree char *description = problem != NULL ? g_markup_escape_text (problem, -1) : NULL;
    g_autofree char *own_name = bulkhead_user_name (getuid ());
    gboolean granted = FALSE;
    GtkListBoxRow *row;
    const char *name;
    guint32 uid;
    gint64 when;

    while ((row = gtk_list_box_get_row_at_index (self->list, 1)) != NULL)
        gtk_list_box_remove (self->list, GTK_WIDGET (row));
    if (answer != NULL)
        g_variant_get (answer, "(a(usx))", &iter);
    while (iter != NULL && g_variant_iter_next (iter, "(u&sx)", &uid, &name, &when)) {
        /* A number may be another user's by now, to whom the helper gives nothing for it. */
        granted |= uid == getuid () && g_strcmp0 (name, own_name) == 0;
        gtk_list_box_append (self->list, row_new (uid, name, when));
    }
    show_own (self, answer != NULL, granted);
    adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self), description);
}

static void
on_client_changed_cb (BulkheadGrantsGroup *self)
{
    bulkhead_list_reader_follow (self->reader, (const char *const[]){ "Revision", NULL });
}

void
bulkhead_grants_group_set_client (BulkheadGrantsGroup *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_GRANTS_GROUP (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->reader = bulkhead_list_reader_new (client, "ListGrants", NULL, "(a(usx))");
    g_signal_connect_object (self->reader, "read", G_CALLBACK (on_read_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_client_changed_cb), self,
                             G_CONNECT_SWAPPED);
    on_client_changed_cb (self);
}

static void
bulkhead_grants_group_dispose (GObject *object)
{
    BulkheadGrantsGroup *self = BULKHEAD_GRANTS_GROUP (object);

    g_clear_object (&self->client);
    g_clear_object (&self->reader);
    G_OBJECT_CLASS (bulkhead_grants_group_parent_class)->dispose (object);
}

static void
bulkhead_grants_group_class_init (BulkheadGrantsGroupClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_grants_group_dispose;
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/grants-group.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadGrantsGroup, list);
    gtk_widget_class_bind_template_child (widget_class, BulkheadGrantsGroup, own_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadGrantsGroup, own_button);
    gtk_widget_class_bind_template_callback (widget_class, on_authorize_cb);
}

static void
bulkhead_grants_group_init (BulkheadGrantsGroup *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (GTK_BUTTON (self->own_button));
    show_own (self, FALSE, FALSE);
}
