/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "exceptions-group.h"

#include "list-reader.h"
#include "request.h"

#include <glib/gi18n.h>

#define ROWS_MAX 100 /* the helper takes 200,000, of which each row would cost 50 kB */

struct _BulkheadExceptionsGroup {
    AdwPreferencesGroup parent_instance;

    GtkListBox *list;
    AdwEntryRow *entry;

    BulkheadClient *client;
    BulkheadListReader *reader;
    gboolean fixed;   /* by the administrator, as it is shown */
    gboolean known;   /* the list is shown */
    gboolean waiting; /* for the answer to what was added */
};

G_DEFINE_FINAL_TYPE (BulkheadExceptionsGroup, bulkhead_exceptions_group, ADW_TYPE_PREFERENCES_GROUP)

static void
show_entry (BulkheadExceptionsGroup *self)
{
    gtk_widget_set_sensitive (GTK_WIDGET (self->entry),
                              self->known && !self->fixed && !self->waiting);
}

static void
on_adding_cb (GtkWidget *widget)
{
    BulkheadExceptionsGroup *self = BULKHEAD_EXCEPTIONS_GROUP (widget);

    self->waiting = TRUE;
    show_entry (self);
}

static void
on_added_cb (GtkWidget *widget, const GError *error)
{
    BulkheadExceptionsGroup *self = BULKHEAD_EXCEPTIONS_GROUP (widget);

    if (error == NULL)
        gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
    self->waiting = FALSE;
    show_entry (self);
    bulkhead_list_reader_read (self->reader);
}

/* One space between words and none around them, as the helper writes them. */
static char *
clean (const char *text)
{
    g_auto (GStrv) words = g_strsplit_set (text, " \t\n", -1);
    g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
    g_auto (GStrv) kept = NULL;

    for (gsize i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            g_strv_builder_add (builder, words[i]);
    kept = g_strv_builder_end (builder);
    return g_strjoinv (" ", kept);
}

static void
on_add_cb (BulkheadExceptionsGroup *self)
{
    g_autofree char *text = clean (gtk_editable_get_text (GTK_EDITABLE (self->entry)));
    const char *const exceptions[] = { text, NULL };

    if (*text == '\0')
        return;
    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self),
        .method = "AddExceptions",
        .arguments = g_variant_new ("(^as)", exceptions),
        .question = BULKHEAD_QUESTION_EXCEPTION,
        .detail = text,
        .failure = _ ("The Exception Was Not Added"),
        .begun = on_adding_cb,
        .done = on_added_cb,
    });
}

static BulkheadExceptionsGroup *
group_of (GtkWidget *widget)
{
    return BULKHEAD_EXCEPTIONS_GROUP (
        gtk_widget_get_ancestor (widget, BULKHEAD_TYPE_EXCEPTIONS_GROUP));
}

static void
on_removing_cb (GtkWidget *row)
{
    gtk_widget_set_sensitive (row, FALSE);
}

/* The row may be gone by now. */
static void
on_removed_cb (GtkWidget *row, const GError *error)
{
    BulkheadExceptionsGroup *self = group_of (row);

    gtk_widget_set_sensitive (row, TRUE);
    if (self != NULL)
        bulkhead_list_reader_read (self->reader);
}

static void
on_remove_cb (GtkWidget *button)
{
    GtkWidget *row = gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW);
    const char *const exceptions[] = { adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)),
                                       NULL };

    bulkhead_request_send (&(BulkheadRequest){
        .client = group_of (row)->client,
        .widget = row,
        .method = "RemoveExceptions",
        .arguments = g_variant_new ("(^as)", exceptions),
        .failure = _ ("The Exception Was Not Removed"),
        .begun = on_removing_cb,
        .done = on_removed_cb,
    });
}

static GtkWidget *
row_new (const char *exception, gboolean fixed)
{
    GtkWidget *row =
        g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title-lines", 0, NULL);
    GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");
    /* Translators: %s is an address. */
    g_autofree char *label = g_strdup_printf (_ ("Remove the exception %s"), exception);

    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), exception);
    gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class (button, "flat");
    gtk_widget_set_tooltip_text (button, label);
    gtk_widget_set_sensitive (button, !fixed);
    gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
    g_signal_connect (button, "clicked", G_CALLBACK (on_remove_cb), NULL);
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
    return row;
}

/* Markup. */
static char *
describe (const char *problem, gboolean fixed, gsize count)
{
    const char *text =
        problem != NULL ? problem
        : fixed         ? _ ("Fixed by the administrator")
                : _ ("Addresses that may be reached outside the tunnel, also while locked.");
    g_autofree char *more =
        count > ROWS_MAX
            /* Translators: the number is of exceptions. */
            ? g_strdup_printf (_ ("The first %d of %u are shown; “bulkheadctl except list” tells "
                                  "all."),
                               ROWS_MAX, (guint)count)
            : NULL;
    g_autofree char *all = g_strjoin (" ", text, more, NULL);

    return g_markup_escape_text (all, -1);
}

/* @answer: (as), or NULL with the reason. */
static void
on_read_cb (BulkheadExceptionsGroup *self, GVariant *answer, const char *problem)
{
    g_autoptr (GVariant) list = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
    gsize count = list != NULL ? g_variant_n_children (list) : 0;
    g_autofree char *description = describe (problem, self->fixed, count);
    GtkListBoxRow *row;

    while ((row = gtk_list_box_get_row_at_index (self->list, 0)) != NULL)
        gtk_list_box_remove (self->list, GTK_WIDGET (row));
    self->known = answer != NULL;
    show_entry (self);
    adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self), description);
    gtk_widget_set_visible (GTK_WIDGET (self->list), count > 0);
    for (gsize i = 0; i < MIN (count, ROWS_MAX); i++) {
        const char *text;

        g_variant_get_child (list, i, "&s", &text);
        gtk_list_box_append (self->list, row_new (text, self->fixed));
    }
}

static void
on_client_changed_cb (BulkheadExceptionsGroup *self)
{
    gboolean fixed = bulkhead_client_is_fixed (self->client, "exceptions");

    if (!fixed != !self->fixed) {
        self->fixed = fixed;
        show_entry (self);
        bulkhead_list_reader_repeat (self->reader);
    }
    bulkhead_list_reader_follow (self->reader, (const char *const[]){ "Revision", NULL });
}

void
bulkhead_exceptions_group_set_client (BulkheadExceptionsGroup *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_EXCEPTIONS_GROUP (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->reader = bulkhead_list_reader_new (client, "ListExceptions", NULL, "(as)");
    g_signal_connect_object (self->reader, "read", G_CALLBACK (on_read_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_client_changed_cb), self,
                             G_CONNECT_SWAPPED);
    on_client_changed_cb (self);
}

static void
bulkhead_exceptions_group_dispose (GObject *object)
{
    BulkheadExceptionsGroup *self = BULKHEAD_EXCEPTIONS_GROUP (object);

    g_clear_object (&self->client);
    g_clear_object (&self->reader);
    G_OBJECT_CLASS (bulkhead_exceptions_group_parent_class)->dispose (object);
}

static void
bulkhead_exceptions_group_class_init (BulkheadExceptionsGroupClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_exceptions_group_dispose;
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/exceptions-group.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadExceptionsGroup, list);
    gtk_widget_class_bind_template_child (widget_class, BulkheadExceptionsGroup, entry);
    gtk_widget_class_bind_template_callback (widget_class, on_add_cb);
}

static void
bulkhead_exceptions_group_init (BulkheadExceptionsGroup *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
}
