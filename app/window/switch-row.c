/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "switch-row.h"

#include "spinner.h"

#include <glib/gi18n.h>

struct _BulkheadSwitchRow {
    AdwActionRow parent_instance;

    GtkSwitch *toggle;
    BulkheadSpinner *spinner;
    GtkWidget *padlock;
    char *about; /* its subtitle while it can be changed; NULL: that of its template */

    BulkheadSwitchValue value;
    gboolean fixed;
    gboolean busy;
    guint idle; /* which puts the switch back; 0: none */
};

enum { SIGNAL_ASKED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadSwitchRow, bulkhead_switch_row, ADW_TYPE_ACTION_ROW)

static gboolean on_state_set_cb (GtkSwitch *toggle, gboolean wanted, BulkheadSwitchRow *self);

/* Why it cannot be changed stands below what it is about: beside it there is too little room. */
static void
show_note (BulkheadSwitchRow *self, const char *note)
{
    g_autofree char *both = NULL;

    if (self->about == NULL)
        self->about = g_strdup (adw_action_row_get_subtitle (ADW_ACTION_ROW (self)));
    both = note != NULL ? g_strdup_printf ("%s\n%s", self->about, note) : g_strdup (self->about);
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self), both);
}

/* To set it as it is would end the way that a press has begun, and the press would be lost. */
static void
move (BulkheadSwitchRow *self, gboolean on)
{
    if (gtk_switch_get_active (self->toggle) == on && gtk_switch_get_state (self->toggle) == on)
        return;
    g_signal_handlers_block_by_func (self->toggle, on_state_set_cb, self);
    gtk_switch_set_active (self->toggle, on);
    gtk_switch_set_state (self->toggle, on);
    g_signal_handlers_unblock_by_func (self->toggle, on_state_set_cb, self);
}

static void
show (BulkheadSwitchRow *self)
{
    gboolean on = self->value == BULKHEAD_SWITCH_ON;
    gboolean known = self->value != BULKHEAD_SWITCH_UNKNOWN;

    move (self, on);
    /* GTK tells a screen reader of a press last of all, also when it was put back meanwhile. */
    gtk_accessible_update_state (GTK_ACCESSIBLE (self->toggle), GTK_ACCESSIBLE_STATE_CHECKED,
                                 on ? GTK_ACCESSIBLE_TRISTATE_TRUE : GTK_ACCESSIBLE_TRISTATE_FALSE,
                                 -1);

    gtk_widget_set_sensitive (GTK_WIDGET (self->toggle), known && !self->fixed && !self->busy);
    gtk_widget_set_visible (self->padlock, self->fixed);
    show_note (self, self->fixed ? _ ("Fixed by the administrator")
                     : !known    ? _ ("Not known")
                                 : NULL);
    bulkhead_spinner_set_busy (self->spinner, self->busy);
}

void
bulkhead_switch_row_set_about (BulkheadSwitchRow *self, const char *about)
{
    g_return_if_fail (BULKHEAD_IS_SWITCH_ROW (self));

    g_free (self->about);
    self->about = g_strdup (about);
    show (self);
}

void
bulkhead_switch_row_set_value (BulkheadSwitchRow *self, BulkheadSwitchValue value, gboolean fixed)
{
    g_return_if_fail (BULKHEAD_IS_SWITCH_ROW (self));

    self->value = value;
    self->fixed = fixed;
    show (self);
}

void
bulkhead_switch_row_set_busy (BulkheadSwitchRow *self, gboolean busy)
{
    g_return_if_fail (BULKHEAD_IS_SWITCH_ROW (self));

    self->busy = busy;
    show (self);
}

static gboolean
on_put_back_cb (gpointer data)
{
    BulkheadSwitchRow *self = data;

    self->idle = 0;
    show (self);
    return G_SOURCE_REMOVE;
}

/* The switch has moved already when it tells; it is put back before the next frame is drawn. */
static gboolean
on_state_set_cb (GtkSwitch *toggle, gboolean wanted, BulkheadSwitchRow *self)
{
    if (self->idle == 0)
        self->idle = g_idle_add_full (G_PRIORITY_HIGH, on_put_back_cb, self, NULL);
    if (wanted != (self->value == BULKHEAD_SWITCH_ON))
        g_signal_emit (self, signals[SIGNAL_ASKED], 0, wanted);
    return TRUE;
}

static void
bulkhead_switch_row_dispose (GObject *object)
{
    BulkheadSwitchRow *self = BULKHEAD_SWITCH_ROW (object);

    g_clear_handle_id (&self->idle, g_source_remove);
    G_OBJECT_CLASS (bulkhead_switch_row_parent_class)->dispose (object);
}

static void
bulkhead_switch_row_finalize (GObject *object)
{
    g_free (BULKHEAD_SWITCH_ROW (object)->about);
    G_OBJECT_CLASS (bulkhead_switch_row_parent_class)->finalize (object);
}

static void
bulkhead_switch_row_class_init (BulkheadSwitchRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_switch_row_dispose;
    G_OBJECT_CLASS (class)->finalize = bulkhead_switch_row_finalize;
    signals[SIGNAL_ASKED] = g_signal_new ("asked", BULKHEAD_TYPE_SWITCH_ROW, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
    g_type_ensure (BULKHEAD_TYPE_SPINNER);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/switch-row.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadSwitchRow, toggle);
    gtk_widget_class_bind_template_child (widget_class, BulkheadSwitchRow, spinner);
    gtk_widget_class_bind_template_child (widget_class, BulkheadSwitchRow, padlock);
    gtk_widget_class_bind_template_callback (widget_class, on_state_set_cb);
}

static void
bulkhead_switch_row_init (BulkheadSwitchRow *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
}
