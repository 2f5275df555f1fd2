/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spinner.h"

#include <glib/gi18n.h>

#define DELAY_MS 300

struct _BulkheadSpinner {
    AdwBin parent_instance;

    GtkSpinner *spinner;
    guint timeout; /* until it shows; 0: none */
};

G_DEFINE_FINAL_TYPE (BulkheadSpinner, bulkhead_spinner, ADW_TYPE_BIN)

static void
set_visible (BulkheadSpinner *self, gboolean visible)
{
    gtk_widget_set_visible (GTK_WIDGET (self), visible);
    gtk_spinner_set_spinning (self->spinner, visible);
}

static gboolean
on_delay_over_cb (gpointer data)
{
    BulkheadSpinner *self = data;

    self->timeout = 0;
    set_visible (self, TRUE);
    return G_SOURCE_REMOVE;
}

void
bulkhead_spinner_set_busy (BulkheadSpinner *self, gboolean busy)
{
    g_return_if_fail (BULKHEAD_IS_SPINNER (self));

    if (!busy) {
        g_clear_handle_id (&self->timeout, g_source_remove);
        set_visible (self, FALSE);
    } else if (self->timeout == 0 && !gtk_widget_get_visible (GTK_WIDGET (self))) {
        self->timeout = g_timeout_add (DELAY_MS, on_delay_over_cb, self);
    }
}

static void
bulkhead_spinner_dispose (GObject *object)
{
    BulkheadSpinner *self = BULKHEAD_SPINNER (object);

    g_clear_handle_id (&self->timeout, g_source_remove);
    G_OBJECT_CLASS (bulkhead_spinner_parent_class)->dispose (object);
}

static void
bulkhead_spinner_class_init (BulkheadSpinnerClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_spinner_dispose;
    gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (class), GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
bulkhead_spinner_init (BulkheadSpinner *self)
{
    self->spinner = GTK_SPINNER (gtk_spinner_new ());
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->spinner), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    _ ("Please wait"), -1);
    adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->spinner));
    set_visible (self, FALSE);
}
