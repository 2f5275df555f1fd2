/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "preferences.h"

#include "autostart.h"
#include "button-label.h"
#include "exceptions-group.h"
#include "grants-group.h"
#include "pause-group.h"
#include "question.h"
#include "request.h"
#include "switch-row.h"

#include <glib/gi18n.h>

struct _BulkheadPreferences {
    AdwWindow parent_instance;

    BulkheadExceptionsGroup *exceptions;
    BulkheadGrantsGroup *grants;
    BulkheadSwitchRow *tray_row;
    AdwActionRow *questions_row;
    GtkWidget *ask_button;
};

G_DEFINE_FINAL_TYPE (BulkheadPreferences, bulkhead_preferences, ADW_TYPE_WINDOW)

static void
show_tray (BulkheadPreferences *self)
{
    bulkhead_switch_row_set_value (
        self->tray_row, bulkhead_autostart_is_on () ? BULKHEAD_SWITCH_ON : BULKHEAD_SWITCH_OFF,
        FALSE);
    gtk_widget_set_visible (GTK_WIDGET (self->tray_row), bulkhead_autostart_is_there ());
}

static void
on_tray_asked_cb (BulkheadPreferences *self, gboolean wanted)
{
    g_autoptr (GError) error = NULL;

    if (!bulkhead_autostart_set (wanted, &error))
        bulkhead_request_tell_failure (GTK_WIDGET (self), _ ("The Setting Was Not Changed"), error);
    show_tray (self);
}

static void
show_questions (BulkheadPreferences *self)
{
    guint quiet = bulkhead_question_count_quiet ();
    g_autofree char *text =
        g_strdup_printf (ngettext ("%u question is not asked any more.",
                                   "%u questions are not asked any more.", quiet),
                         quiet);

    adw_action_row_set_subtitle (self->questions_row,
                                 quiet > 0 ? text : _ ("All questions are asked."));
    gtk_widget_set_sensitive (self->ask_button, quiet > 0);
}

static void
on_ask_again_cb (BulkheadPreferences *self)
{
    bulkhead_question_reset ();
    show_questions (self);
}

static void
ensure_types (void)
{
    g_type_ensure (BULKHEAD_TYPE_EXCEPTIONS_GROUP);
    g_type_ensure (BULKHEAD_TYPE_GRANTS_GROUP);
    g_type_ensure (BULKHEAD_TYPE_PAUSE_GROUP);
    g_type_ensure (BULKHEAD_TYPE_SWITCH_ROW);
}

static void
bulkhead_preferences_class_init (BulkheadPreferencesClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    ensure_types ();
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/preferences.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadPreferences, exceptions);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPreferences, grants);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPreferences, tray_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPreferences, questions_row);
    gtk_widget_class_bind_template_child (widget_class, BulkheadPreferences, ask_button);
    gtk_widget_class_bind_template_callback (widget_class, on_tray_asked_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_ask_again_cb);
    gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
    gtk_widget_class_add_binding_action (widget_class, GDK_KEY_w, GDK_CONTROL_MASK, "window.close",
                                         NULL);
}

static void
bulkhead_preferences_init (BulkheadPreferences *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (GTK_BUTTON (self->ask_button));
    show_tray (self);
    show_questions (self);
}

GtkWidget *
bulkhead_preferences_new (GtkWindow *parent, BulkheadClient *client)
{
    BulkheadPreferences *self =
        g_object_new (BULKHEAD_TYPE_PREFERENCES, "transient-for", parent, "modal", TRUE, NULL);

    bulkhead_exceptions_group_set_client (self->exceptions, client);
    bulkhead_grants_group_set_client (self->grants, client);
    return GTK_WIDGET (self);
}
