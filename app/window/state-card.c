/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "state-card.h"

#include "button-label.h"
#include "pause-menu.h"
#include "spinner.h"
#include "words.h"

#include <glib/gi18n.h>

struct _BulkheadStateCard {
    AdwBin parent_instance;

    GtkImage *icon;
    GtkLabel *headline;
    GtkLabel *reason;
    GtkLabel *countdown;
    GtkLabel *way_out;
    GtkButton *main_button;
    GtkButton *unlock_button;
    GtkMenuButton *pause_button;
    BulkheadSpinner *spinner;

    BulkheadClient *client;
    GSettings *settings;
    guint tick; /* each second of a pause that is shown; 0: none */
};

G_DEFINE_FINAL_TYPE (BulkheadStateCard, bulkhead_state_card, ADW_TYPE_BIN)

typedef struct {
    const char *label;
    const char *action;
} Offer;

/* What is offered in each state: first what closes, then the ways out. No button is for both: it
 * may be held down while the state changes. */
static const struct {
    Offer main;
    gboolean unlock;
    gboolean pause;
    const char *style; /* of the icon: it repeats what headline and shape say */
} offers[] = {
    [BULKHEAD_STATE_UNKNOWN] = { .main = { N_ ("_Try Again"), "app.wake-helper" },
                                 .style = "warning" },
    [BULKHEAD_STATE_OFF] = { .main = { N_ ("_Lock"), "app.lock" } },
    [BULKHEAD_STATE_PROTECTED] = { .unlock = TRUE, .pause = TRUE, .style = "success" },
    [BULKHEAD_STATE_BLOCKING] = { .unlock = TRUE, .pause = TRUE, .style = "warning" },
    [BULKHEAD_STATE_PAUSED] = { .main = { N_ ("_Resume"), "app.resume" },
                                .unlock = TRUE,
                                .style = "warning" },
    [BULKHEAD_STATE_BROKEN] = { .main = { N_ ("_Lock Again"), "app.lock" },
                                .unlock = TRUE,
                                .style = "error" },
};

static gboolean
focus_main_button (BulkheadStateCard *self)
{
    GtkWidget *button = GTK_WIDGET (self->main_button);

    return gtk_widget_get_visible (button) && gtk_widget_grab_focus (button);
}

/* Also where it lost the focus because it waits for the helper. */
static gboolean
has_focus (GtkWidget *button)
{
    GtkWidget *focus;

    if (!gtk_widget_get_mapped (button))
        return FALSE;
    focus = gtk_root_get_focus (gtk_widget_get_root (button));
    if (focus == NULL)
        return !gtk_widget_get_sensitive (button);
    return focus == button || gtk_widget_is_ancestor (focus, button);
}

/* Return may still be held down: what goes leaves the focus to what closes, else to the card, and
 * not to its neighbour, as GTK would. */
static void
set_shown (BulkheadStateCard *self, gpointer button, gboolean shown)
{
    if (!shown && has_focus (button) && (button == self->main_button || !focus_main_button (self)))
        gtk_widget_grab_focus (GTK_WIDGET (self));
    gtk_widget_set_visible (button, shown);
}

static void
show_main_button (BulkheadStateCard *self, const Offer *offer, gboolean asked)
{
    gboolean offered = offer->label != NULL && !asked;

    if (offered) {
        gtk_button_set_label (self->main_button, _ (offer->label));
        gtk_actionable_set_action_name (GTK_ACTIONABLE (self->main_button), offer->action);
    }
    set_shown (self, self->main_button, offered);
}

static const char *
way_out (BulkheadClient *client)
{
    if (bulkhead_client_get_state (client) == BULKHEAD_STATE_BLOCKING)
        return _ ("Connect your VPN to go on, or pause the lock.");
    if (bulkhead_client_get_state (client) == BULKHEAD_STATE_BROKEN)
        return bulkhead_client_is_locked (client) ? _ ("Lock again. The log tells what went wrong.")
                                                  : _ ("Unlock to remove them, or lock.");
    if (bulkhead_client_get_state (client) != BULKHEAD_STATE_UNKNOWN)
        return "";
    switch (bulkhead_client_get_presence (client)) {
    case BULKHEAD_HELPER_ABSENT:
        return _ ("If the lock was on, its rules are still in the kernel, unless another program "
                  "removed them. If trying again does not help, see “The Way Out” in the menu.");
    case BULKHEAD_HELPER_SILENT:
    case BULKHEAD_HELPER_NO_BUS:
        return _ ("If it stays so, see “The Way Out” in the menu.");
    case BULKHEAD_HELPER_ANSWERS:
    case BULKHEAD_HELPER_ASKED:
        break;
    }
    return "";
}

static void
show_countdown (BulkheadStateCard *self)
{
    gint64 left =
        bulkhead_client_get_paused_until (self->client) - g_get_real_time () / G_USEC_PER_SEC;
    g_autofree char *text = NULL;

    left = MAX (left, 0);
    /* Translators: the time left of a pause: hours, minutes, seconds. */
    text = g_strdup_printf (_ ("%d:%02d:%02d left"), (int)(left / 3600), (int)(left / 60 % 60),
                            (int)(left % 60));
    gtk_label_set_label (self->countdown, text);
}

static gboolean
on_tick_cb (gpointer data)
{
    show_countdown (data);
    return G_SOURCE_CONTINUE;
}

static void
count_down (BulkheadStateCard *self, gboolean paused)
{
    gboolean wanted = paused && gtk_widget_get_mapped (GTK_WIDGET (self));

    gtk_widget_set_visible (GTK_WIDGET (self->countdown), paused);
    if (paused)
        show_countdown (self);
    if (wanted && self->tick == 0)
        self->tick = g_timeout_add_seconds (1, on_tick_cb, self);
    else if (!wanted)
        g_clear_handle_id (&self->tick, g_source_remove);
}

static void
show_icon (BulkheadStateCard *self, BulkheadState state)
{
    for (gsize i = 0; i < G_N_ELEMENTS (offers); i++)
        if (offers[i].style != NULL)
            gtk_widget_remove_css_class (GTK_WIDGET (self->icon), offers[i].style);
    if (offers[state].style != NULL)
        gtk_widget_add_css_class (GTK_WIDGET (self->icon), offers[state].style);
    gtk_image_set_from_icon_name (self->icon, bulkhead_words_icon (state));
}

static void
show (BulkheadStateCard *self)
{
    BulkheadState state = bulkhead_client_get_state (self->client);
    g_autofree char *headline = bulkhead_words_headline (self->client);
    g_autofree char *reason = bulkhead_words_reason (self->client);
    gboolean fixed = bulkhead_client_is_fixed (self->client, "lock");
    gboolean asked = bulkhead_client_get_presence (self->client) == BULKHEAD_HELPER_ASKED;
    const char *note =
        fixed ? _ ("The lock is fixed by the administrator.") : way_out (self->client);

    show_icon (self, state);
    gtk_label_set_label (self->headline, headline);
    gtk_label_set_label (self->reason, reason);
    gtk_label_set_label (self->way_out, note);
    gtk_widget_set_visible (GTK_WIDGET (self->way_out), *note != '\0');
    show_main_button (self, &offers[state].main, asked);
    /* What nobody is allowed is not offered. */
    set_shown (self, self->unlock_button, offers[state].unlock && !fixed);
    set_shown (self, self->pause_button, offers[state].pause && !fixed);
    if (state == BULKHEAD_STATE_UNKNOWN)
        gtk_widget_remove_css_class (GTK_WIDGET (self->main_button), "suggested-action");
    else
        gtk_widget_add_css_class (GTK_WIDGET (self->main_button), "suggested-action");
    count_down (self, state == BULKHEAD_STATE_PAUSED);
    bulkhead_spinner_set_busy (self->spinner, asked);
}

static void
show_lengths (BulkheadStateCard *self)
{
    g_autoptr (GMenuModel) menu = bulkhead_pause_menu_new ();

    gtk_menu_button_set_menu_model (self->pause_button, menu);
}

void
bulkhead_state_card_set_client (BulkheadStateCard *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_STATE_CARD (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    g_signal_connect_object (client, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
    show (self);
}

/* It could not have the focus while it waited for the helper. */
static void
on_main_sensitive_cb (BulkheadStateCard *self)
{
    if (gtk_widget_is_focus (GTK_WIDGET (self)))
        focus_main_button (self);
}

/* Tab does not come here. */
static void
on_focus_moved_cb (BulkheadStateCard *self)
{
    if (!gtk_widget_is_focus (GTK_WIDGET (self)))
        gtk_widget_set_focusable (GTK_WIDGET (self), FALSE);
}

static gboolean
bulkhead_state_card_grab_focus (GtkWidget *widget)
{
    gtk_widget_set_focusable (widget, TRUE);
    gtk_root_set_focus (gtk_widget_get_root (widget), widget);
    return TRUE;
}

static void
bulkhead_state_card_map (GtkWidget *widget)
{
    GTK_WIDGET_CLASS (bulkhead_state_card_parent_class)->map (widget);
    show (BULKHEAD_STATE_CARD (widget));
}

static void
bulkhead_state_card_unmap (GtkWidget *widget)
{
    g_clear_handle_id (&BULKHEAD_STATE_CARD (widget)->tick, g_source_remove);
    GTK_WIDGET_CLASS (bulkhead_state_card_parent_class)->unmap (widget);
}

static void
bulkhead_state_card_dispose (GObject *object)
{
    BulkheadStateCard *self = BULKHEAD_STATE_CARD (object);

    g_clear_handle_id (&self->tick, g_source_remove);
    g_clear_object (&self->client);
    g_clear_object (&self->settings);
    G_OBJECT_CLASS (bulkhead_state_card_parent_class)->dispose (object);
}

static void
bulkhead_state_card_class_init (BulkheadStateCardClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_state_card_dispose;
    widget_class->map = bulkhead_state_card_map;
    widget_class->unmap = bulkhead_state_card_unmap;
    widget_class->grab_focus = bulkhead_state_card_grab_focus;
    g_type_ensure (BULKHEAD_TYPE_SPINNER);
    gtk_widget_class_set_css_name (widget_class, "statecard");
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/state-card.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, icon);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, headline);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, reason);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, countdown);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, way_out);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, main_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, unlock_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, pause_button);
    gtk_widget_class_bind_template_child (widget_class, BulkheadStateCard, spinner);
    gtk_widget_class_bind_template_callback (widget_class, on_main_sensitive_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_focus_moved_cb);
}

static void
bulkhead_state_card_init (BulkheadStateCard *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (self->main_button);
    bulkhead_button_label_wrap (self->unlock_button);
    self->settings = g_settings_new ("org.bulkhead.bulkhead");
    g_signal_connect_swapped (self->settings, "changed::pause-minutes", G_CALLBACK (show_lengths),
                              self);
    show_lengths (self);
}
