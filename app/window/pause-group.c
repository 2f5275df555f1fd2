/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pause-group.h"

#include "button-label.h"
#include "pause-menu.h"
#include "tunnel-text.h"

#include <glib/gi18n.h>

#define KEY_MINUTES "bulkhead-minutes"
#define LENGTHS_MAX 8

struct _BulkheadPauseGroup {
    AdwPreferencesGroup parent_instance;

    GtkListBox *list;
    GtkSpinButton *minutes;
    GtkWidget *add_row;
    GtkButton *add_button;
};

G_DEFINE_FINAL_TYPE (BulkheadPauseGroup, bulkhead_pause_group, ADW_TYPE_PREFERENCES_GROUP)

static void show (BulkheadPauseGroup *self);

static void
on_remove_cb (GtkWidget *button, BulkheadPauseGroup *self)
{
    guint32 minutes = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), KEY_MINUTES));
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();

    for (guint i = 0; i < lengths->len; i++)
        if (g_array_index (lengths, guint32, i) == minutes) {
            g_array_remove_index (lengths, i);
            break;
        }
    bulkhead_pause_set_lengths (lengths);
    show (self);
}

static void
on_add_cb (BulkheadPauseGroup *self)
{
    guint32 minutes = gtk_spin_button_get_value_as_int (self->minutes);
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();

    g_array_append_val (lengths, minutes);
    bulkhead_pause_set_lengths (lengths);
    show (self);
}

static GtkWidget *
row_new (BulkheadPauseGroup *self, guint32 minutes, gboolean last)
{
    g_autofree char *length = bulkhead_text_minutes (minutes);
    /* Translators: %s is a length of time, such as "5 minutes". */
    g_autofree char *label = g_strdup_printf (_ ("Do not offer %s"), length);
    GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", length, NULL);
    GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");

    g_object_set_data (G_OBJECT (button), KEY_MINUTES, GUINT_TO_POINTER (minutes));
    gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class (button, "flat");
    gtk_widget_set_tooltip_text (button, label);
    gtk_widget_set_sensitive (button, !last);
    gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
    g_signal_connect_object (button, "clicked", G_CALLBACK (on_remove_cb), self, 0);
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
    return row;
}

/* The row to add one is the last of the list. */
static void
show (BulkheadPauseGroup *self)
{
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();
    GtkListBoxRow *row;

    while ((row = gtk_list_box_get_row_at_index (self->list, 0)) != NULL
           && GTK_WIDGET (row) != self->add_row)
        gtk_list_box_remove (self->list, GTK_WIDGET (row));
    for (guint i = 0; i < lengths->len; i++)
        gtk_list_box_insert (
            self->list, row_new (self, g_array_index (lengths, guint32, i), lengths->len == 1), i);
    gtk_widget_set_sensitive (self->add_row, lengths->len < LENGTHS_MAX);
}

static void
bulkhead_pause_group_class_init (BulkheadPauseGroupClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/pause-group.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadPauseGroup, list);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPauseGroup, minutes);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPauseGroup, add_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPauseGroup, add_button);
    gtk_widget_class_bind_template_callback (widget_class, on_add_cb);
}

static void
bulkhead_pause_group_init (BulkheadPauseGroup *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (self->add_button);
    show (self);
}
