/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock-actions.h"

#include "pause-menu.h"
#include "request.h"
#include "tunnel-text.h"

#include <glib/gi18n.h>

typedef struct {
    GtkApplication *application;
    BulkheadClient *client;
    gboolean met; /* the bus was there once */
} LockActions;

/* What was asked of a process that was started for it and is not on the bus yet. */
typedef struct {
    GAction *action;
    GVariant *parameter;
    gulong changed_id;
} Early;

/* The main window: there for whoever activates an action from outside, too. A dialog may be closed
 * before the helper answers, and then nobody would hear that it is done. */
static GtkWidget *
present_window (LockActions *self)
{
    GtkWindow *window;

    g_application_activate (G_APPLICATION (self->application));
    window = gtk_application_get_active_window (self->application);
    while (gtk_window_get_transient_for (window) != NULL)
        window = gtk_window_get_transient_for (window);
    return GTK_WIDGET (window);
}

static void
on_bus_there_cb (BulkheadClient *client, Early *early)
{
    g_signal_handler_disconnect (client, early->changed_id);
    g_action_activate (early->action, early->parameter);
    g_clear_pointer (&early->parameter, g_variant_unref);
    g_object_unref (early->action);
    g_free (early);
}

/* TRUE: it will be activated again when there is a bus. Only at the start: what is asked for when
 * the bus was lost fails at once, and does not happen much later. */
static gboolean
is_too_early (LockActions *self, GSimpleAction *action, GVariant *parameter)
{
    Early *early;

    self->met |= bulkhead_client_get_connection (self->client) != NULL;
    if (self->met || bulkhead_client_get_presence (self->client) != BULKHEAD_HELPER_ASKED)
        return FALSE;
    present_window (self);
    early = g_new0 (Early, 1);
    early->action = g_object_ref (G_ACTION (action));
    early->parameter = parameter != NULL ? g_variant_ref (parameter) : NULL;
    early->changed_id =
        g_signal_connect (self->client, "changed", G_CALLBACK (on_bus_there_cb), early);
    return TRUE;
}

static void
on_begun_cb (GtkWidget *widget)
{
    g_application_mark_busy (g_application_get_default ());
}

static void
on_done_cb (GtkWidget *widget, const GError *error)
{
    g_application_unmark_busy (g_application_get_default ());
}

static void
send_request (LockActions *self, BulkheadRequest request)
{
    request.client = self->client;
    request.widget = present_window (self);
    request.begun = on_begun_cb;
    request.done = on_done_cb;
    bulkhead_request_send (&request);
}

static void
on_lock_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    if (!is_too_early (data, action, parameter))
        send_request (data, (BulkheadRequest){ .method = "Lock", .failure = _ ("Could Not Lock") });
}

static void
on_unlock_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    if (!is_too_early (data, action, parameter))
        send_request (data, (BulkheadRequest){
                                .method = "Unlock",
                                .question = BULKHEAD_QUESTION_UNLOCK,
                                .failure = _ ("Could Not Unlock"),
                            });
}

static void
pause_for (LockActions *self, guint32 minutes)
{
    g_autofree char *length = bulkhead_text_minutes (minutes);

    send_request (self, (BulkheadRequest){
                            .method = "Pause",
                            .arguments = g_variant_new ("(u)", minutes * 60),
                            .question = BULKHEAD_QUESTION_PAUSE,
                            .detail = length,
                            .failure = _ ("Could Not Pause"),
                        });
}

static void
on_pause_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();

    if (!is_too_early (data, action, parameter))
        pause_for (data, g_array_index (lengths, guint32, 0));
}

/* The bus lets anybody of the session send any number; the helper knows the limit. */
static void
on_pause_for_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    guint32 minutes = g_variant_get_uint32 (parameter);

    if (minutes >= 1 && minutes <= BULKHEAD_PAUSE_MAX && !is_too_early (data, action, parameter))
        pause_for (data, minutes);
}

static void
on_resume_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    if (!is_too_early (data, action, parameter))
        send_request (data,
                      (BulkheadRequest){ .method = "Resume", .failure = _ ("Could Not Resume") });
}

static void
on_wake_helper_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    LockActions *self = data;

    bulkhead_client_wake_helper (self->client);
    bulkhead_client_refresh (self->client);
}

void
bulkhead_lock_actions_add (GtkApplication *application, BulkheadClient *client)
{
    static const GActionEntry entries[] = {
        { .name = "lock", .activate = on_lock_cb },
        { .name = "unlock", .activate = on_unlock_cb },
        { .name = "pause", .activate = on_pause_cb },
        { .name = "pause-for", .activate = on_pause_for_cb, .parameter_type = "u" },
        { .name = "resume", .activate = on_resume_cb },
        { .name = "wake-helper", .activate = on_wake_helper_cb },
    };
    static const char *const names[] = { "lock", "unlock", "pause", "pause-for", "resume" };
    LockActions *self = g_new0 (LockActions, 1);

    self->application = application;
    self->client = client;
    g_object_set_data_full (G_OBJECT (application), "lock-actions", self, g_free);
    g_action_map_add_action_entries (G_ACTION_MAP (application), entries, G_N_ELEMENTS (entries),
                                     self);
    /* Which counts: the answer to a question may come while something else is under way. */
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        g_object_bind_property (application, "is-busy",
                                g_action_map_lookup_action (G_ACTION_MAP (application), names[i]),
                                "enabled", G_BINDING_SYNC_CREATE | G_BINDING_INVERT_BOOLEAN);
}
