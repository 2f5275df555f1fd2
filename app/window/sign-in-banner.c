/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sign-in-banner.h"

#include "button-label.h"
#include "network.h"
#include "request.h"
#include "tunnel-text.h"

#include <glib/gi18n.h>

#define PATIENCE_SECONDS 30
#define PAUSE_MINUTES 5

typedef enum {
    OFFER_NONE,
    OFFER_PORTAL,    /* NetworkManager says that there is a page */
    OFFER_NO_TUNNEL, /* a network, and no tunnel since it is known */
} Offer;

struct _BulkheadSignInBanner {
    AdwBin parent_instance;

    GtkRevealer *revealer;
    GtkLabel *text;
    GtkButton *pause_button;

    BulkheadClient *client;
    BulkheadNetwork *network;
    guint waiting;    /* for a tunnel on the network; 0: not */
    gboolean waited;  /* in vain */
    gboolean closed;  /* by the user, until another network */
    gboolean pausing; /* the pause was asked for here, and permitted */
    guint tick;       /* each second of that pause */
};

G_DEFINE_FINAL_TYPE (BulkheadSignInBanner, bulkhead_sign_in_banner, ADW_TYPE_BIN)

static Offer
offer_of (BulkheadSignInBanner *self)
{
    if (bulkhead_client_get_state (self->client) != BULKHEAD_STATE_BLOCKING || self->closed
        || bulkhead_client_is_fixed (self->client, "lock"))
        return OFFER_NONE;
    if (bulkhead_network_has_portal (self->network))
        return OFFER_PORTAL;
    return self->waited ? OFFER_NO_TUNNEL : OFFER_NONE;
}

static void
show_countdown (BulkheadSignInBanner *self)
{
    gint64 left =
        bulkhead_client_get_paused_until (self->client) - g_get_real_time () / G_USEC_PER_SEC;
    g_autofree char *text = NULL;

    left = MAX (left, 0);
    /* Translators: minutes and seconds. */
    text = g_strdup_printf (_ ("Sign in now: the lock closes by itself in %d:%02d."),
                            (int)(left / 60), (int)(left % 60));
    gtk_label_set_label (self->text, text);
}

static gboolean
on_tick_cb (gpointer data)
{
    show_countdown (data);
    return G_SOURCE_CONTINUE;
}

static void
show (BulkheadSignInBanner *self)
{
    gboolean paused = bulkhead_client_get_state (self->client) == BULKHEAD_STATE_PAUSED;
    Offer offer = offer_of (self);

    if (paused && self->pausing) {
        show_countdown (self);
        if (self->tick == 0)
            self->tick = g_timeout_add_seconds (1, on_tick_cb, self);
    } else {
        /* That pause is over, or there is nothing to sign in to any more. */
        if (self->tick != 0 || offer == OFFER_NONE)
            self->pausing = FALSE;
        g_clear_handle_id (&self->tick, g_source_remove);
    }
    if (offer == OFFER_PORTAL)
        gtk_label_set_label (self->text, _ ("This network wants you to sign in first."));
    else if (offer == OFFER_NO_TUNNEL)
        gtk_label_set_label (self->text, _ ("No tunnel came up on this network. It may want you "
                                            "to sign in first."));
    gtk_widget_set_visible (GTK_WIDGET (self->pause_button), offer != OFFER_NONE);
    gtk_revealer_set_reveal_child (self->revealer, offer != OFFER_NONE || self->tick != 0);
}

static gboolean
on_waited_cb (gpointer data)
{
    BulkheadSignInBanner *self = data;

    self->waiting = 0;
    self->waited = bulkhead_client_get_state (self->client) == BULKHEAD_STATE_BLOCKING;
    show (self);
    return G_SOURCE_REMOVE;
}

static void
on_joined_cb (BulkheadSignInBanner *self)
{
    g_clear_handle_id (&self->waiting, g_source_remove);
    self->waiting = g_timeout_add_seconds (PATIENCE_SECONDS, on_waited_cb, self);
    self->waited = FALSE;
    self->closed = FALSE;
    show (self);
}

static void
on_client_changed_cb (BulkheadSignInBanner *self)
{
    if (bulkhead_client_get_state (self->client) == BULKHEAD_STATE_PROTECTED) {
        g_clear_handle_id (&self->waiting, g_source_remove);
        self->waited = FALSE;
    }
    show (self);
}

static void
on_begun_cb (GtkWidget *widget)
{
    BULKHEAD_SIGN_IN_BANNER (widget)->pausing = TRUE;
    g_application_mark_busy (g_application_get_default ());
}

static void
on_done_cb (GtkWidget *widget, const GError *error)
{
    BULKHEAD_SIGN_IN_BANNER (widget)->pausing &= error == NULL;
    g_application_unmark_busy (g_application_get_default ());
}

/* Not by the action: only a pause that was asked for here has something to tell here. */
static void
on_pause_cb (BulkheadSignInBanner *self)
{
    g_autofree char *length = bulkhead_text_minutes (PAUSE_MINUTES);

    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = GTK_WIDGET (self),
        .method = "Pause",
        .arguments = g_variant_new ("(u)", PAUSE_MINUTES * 60),
        .question = BULKHEAD_QUESTION_PAUSE,
        .detail = length,
        .failure = _ ("Could Not Pause"),
        .begun = on_begun_cb,
        .done = on_done_cb,
    });
}

static void
on_close_cb (BulkheadSignInBanner *self)
{
    self->closed = TRUE;
    self->pausing = FALSE;
    show (self);
}

void
bulkhead_sign_in_banner_set_client (BulkheadSignInBanner *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_SIGN_IN_BANNER (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->network = bulkhead_network_new (client);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_client_changed_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (self->network, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (self->network, "joined", G_CALLBACK (on_joined_cb), self,
                             G_CONNECT_SWAPPED);
}

static void
bulkhead_sign_in_banner_dispose (GObject *object)
{
    BulkheadSignInBanner *self = BULKHEAD_SIGN_IN_BANNER (object);

    g_clear_handle_id (&self->waiting, g_source_remove);
    g_clear_handle_id (&self->tick, g_source_remove);
    g_clear_object (&self->client);
    g_clear_object (&self->network);
    G_OBJECT_CLASS (bulkhead_sign_in_banner_parent_class)->dispose (object);
}

static void
bulkhead_sign_in_banner_class_init (BulkheadSignInBannerClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_sign_in_banner_dispose;
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/sign-in-banner.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadSignInBanner, revealer);
    gtk_widget_class_bind_template_child (widget_class, BulkheadSignInBanner, text);
    gtk_widget_class_bind_template_child (widget_class, BulkheadSignInBanner, pause_button);
    gtk_widget_class_bind_template_callback (widget_class, on_pause_cb);
    gtk_widget_class_bind_template_callback (widget_class, on_close_cb);
}

static void
bulkhead_sign_in_banner_init (BulkheadSignInBanner *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    bulkhead_button_label_wrap (self->pause_button);
    g_object_bind_property (g_application_get_default (), "is-busy", self->pause_button,
                            "sensitive", G_BINDING_SYNC_CREATE | G_BINDING_INVERT_BOOLEAN);
}
