/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "request.h"

#include "words.h"

#include <glib/gi18n.h>

typedef struct {
    BulkheadRequest request; /* every pointer in it owned, or static */
    char *method;
    char *detail;
    char *failure;
    GtkWidget *window; /* (weak): a row may be gone when the answer comes, and its window not */
    GtkWidget *focus;  /* (weak) (nullable): had it, and may not keep it while it waits */
} Sent;

static Sent *
sent_new (const BulkheadRequest *request)
{
    Sent *sent = g_new0 (Sent, 1);

    sent->request = *request;
    g_object_ref (request->client);
    g_object_ref (request->widget);
    if (request->arguments != NULL)
        g_variant_ref_sink (request->arguments);
    sent->request.method = sent->method = g_strdup (request->method);
    sent->request.detail = sent->detail = g_strdup (request->detail);
    sent->request.failure = sent->failure = g_strdup (request->failure);
    g_set_weak_pointer (&sent->window, GTK_WIDGET (gtk_widget_get_root (request->widget)));
    return sent;
}

static void
sent_free (Sent *sent)
{
    g_clear_weak_pointer (&sent->window);
    g_clear_weak_pointer (&sent->focus);
    g_object_unref (sent->request.client);
    g_object_unref (sent->request.widget);
    g_clear_pointer (&sent->request.arguments, g_variant_unref);
    g_free (sent->method);
    g_free (sent->detail);
    g_free (sent->failure);
    g_free (sent);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sent, sent_free)

/* The dialog that told the same failure over that window and was not closed yet, or NULL. */
static GtkWindow *
find_told (GtkWindow *parent, const char *failure)
{
    GListModel *windows = gtk_window_get_toplevels ();

    for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
        g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

        if (gtk_window_get_transient_for (window) == parent && ADW_IS_MESSAGE_DIALOG (window)
            && g_strcmp0 (adw_message_dialog_get_heading (ADW_MESSAGE_DIALOG (window)), failure)
                   == 0)
            return window;
    }
    return NULL;
}

void
bulkhead_request_tell_failure (GtkWidget *widget, const char *failure, const GError *error)
{
    GtkWindow *parent = GTK_WINDOW (gtk_widget_get_root (widget));
    g_autofree char *reason = bulkhead_words_error (error);
    GtkWindow *dialog;

    /* There is nothing to tell: the person closed the prompt. */
    if (reason == NULL)
        return;
    dialog = find_told (parent, failure);
    if (dialog != NULL) {
        adw_message_dialog_set_body (ADW_MESSAGE_DIALOG (dialog), reason);
    } else {
        dialog = GTK_WINDOW (adw_message_dialog_new (parent, failure, reason));
        adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
    }
    gtk_window_present (dialog);
}

/* What cannot be used loses the focus for good: who works by keyboard would begin anew. */
static void
give_focus_back (Sent *sent)
{
    if (sent->focus != NULL && gtk_window_get_focus (GTK_WINDOW (sent->window)) == NULL)
        gtk_widget_grab_focus (sent->focus);
}

static void
on_answered_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (Sent) sent = data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply =
        bulkhead_client_call_finish (BULKHEAD_CLIENT (source), result, &error);

    /* Its window may be closed by now; then nobody waits for the answer. */
    if (sent->window == NULL)
        return;
    if (sent->request.done != NULL)
        sent->request.done (sent->request.widget, reply != NULL ? NULL : error);
    give_focus_back (sent);
    if (reply == NULL)
        bulkhead_request_tell_failure (sent->window, sent->request.failure, error);
}

static void
on_permitted_cb (gboolean yes, gpointer data)
{
    g_autoptr (Sent) sent = data;
    BulkheadRequest *request = &sent->request;

    if (!yes)
        return;
    if (sent->window != NULL)
        g_set_weak_pointer (&sent->focus, gtk_window_get_focus (GTK_WINDOW (sent->window)));
    if (request->begun != NULL)
        request->begun (request->widget);
    bulkhead_client_change_async (request->client, request->method, request->arguments, NULL,
                                  on_answered_cb, g_steal_pointer (&sent));
}

void
bulkhead_request_send (const BulkheadRequest *request)
{
    Sent *sent = sent_new (request);

    bulkhead_question_ask (request->question, request->widget, request->detail, on_permitted_cb,
                           sent);
}
