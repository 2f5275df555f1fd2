/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "question.h"

#include <glib/gi18n.h>

#define SETTINGS "org.bulkhead.bulkhead"
#define KEY_QUIET "quiet-questions"
#define KEY_OPEN "bulkhead-question"

/* The identifiers are kept in the user's settings: they stay. In a body, %s is the detail. */
static const struct {
    const char *id;
    const char *heading;
    const char *body;
    const char *yes;
} questions[] = {
    [BULKHEAD_QUESTION_UNLOCK] = { "unlock", N_ ("Unlock the Network?"),
                                   N_ ("Everything may then leave this computer without a VPN "
                                       "tunnel, until you lock it "
                                       "again."),
                                   N_ ("_Unlock") },
    [BULKHEAD_QUESTION_PAUSE] = { "pause", N_ ("Pause the Lock?"),
                                  /* Translators: %s is a length of time, such as "5 minutes". */
                                  N_ ("Everything may leave this computer without a VPN tunnel for "
                                      "%s. Then the lock closes "
                                      "by itself."),
                                  N_ ("_Pause") },
    [BULKHEAD_QUESTION_LAN] = { "lan", N_ ("Allow the Local Network?"),
                                N_ ("Devices near you can then be reached and can reach this "
                                    "computer outside the tunnel. "
                                    "The internet cannot."),
                                N_ ("_Allow") },
    [BULKHEAD_QUESTION_AT_BOOT] = { "at-boot", N_ ("Do Not Lock When the Computer Starts?"),
                                    N_ ("Traffic may then leave after a restart until the lock is "
                                        "on again."),
                                    N_ ("_Do Not Lock") },
    [BULKHEAD_QUESTION_TRUST] = { "trust", N_ ("Trust This Tunnel?"),
                                  /* Translators: %s is the name of a VPN tunnel. */
                                  N_ ("Everything may leave through “%s”, and its server may be "
                                      "reached, also while locked."),
                                  N_ ("_Trust") },
    [BULKHEAD_QUESTION_EXCEPTION] = { "exception", N_ ("Add This Exception?"),
                                      /* Translators: %s is a network address, perhaps with a
                                         protocol and port. */
                                      N_ ("“%s” can then be reached outside the tunnel, also while "
                                          "locked, and sees your real "
                                          "address."),
                                      N_ ("_Add Exception") },
};

typedef struct {
    const char *id;
    GtkCheckButton *quiet;
    BulkheadAnswerFunc answer;
    gpointer data;
} Asked;

static GStrv
get_quiet (void)
{
    g_autoptr (GSettings) settings = g_settings_new (SETTINGS);

    return g_settings_get_strv (settings, KEY_QUIET);
}

static gboolean
is_quiet (const char *id)
{
    g_auto (GStrv) quiet = get_quiet ();

    return g_strv_contains ((const char *const *)quiet, id);
}

static void
make_quiet (const char *id)
{
    g_autoptr (GSettings) settings = g_settings_new (SETTINGS);
    g_auto (GStrv) quiet = get_quiet ();
    g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
    g_auto (GStrv) all = NULL;

    g_strv_builder_addv (builder, (const char **)quiet);
    g_strv_builder_add (builder, id);
    all = g_strv_builder_end (builder);
    g_settings_set_strv (settings, KEY_QUIET, (const char *const *)all);
}

guint
bulkhead_question_count_quiet (void)
{
    g_auto (GStrv) quiet = get_quiet ();

    return g_strv_length (quiet);
}

void
bulkhead_question_reset (void)
{
    g_autoptr (GSettings) settings = g_settings_new (SETTINGS);

    g_settings_reset (settings, KEY_QUIET);
}

static char *
new_body (BulkheadQuestion question, const char *detail)
{
    g_autoptr (GString) body = g_string_new (_ (questions[question].body));

    if (detail != NULL)
        g_string_replace (body, "%s", detail, 1);
    return g_string_free (g_steal_pointer (&body), FALSE);
}

static void
on_response_cb (AdwMessageDialog *dialog, const char *response, Asked *asked)
{
    gboolean yes = g_str_equal (response, "yes");

    if (yes && gtk_check_button_get_active (asked->quiet))
        make_quiet (asked->id);
    asked->answer (yes, asked->data);
}

static void
asked_free (gpointer data, GClosure *closure)
{
    g_free (data);
}

/* The dialog that asks something over that window already, or NULL: actions may be activated from
 * outside while it is open. */
static GtkWindow *
find_open (GtkWindow *parent)
{
    GListModel *windows = gtk_window_get_toplevels ();

    for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
        g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

        if (gtk_window_get_transient_for (window) == parent
            && g_object_get_data (G_OBJECT (window), KEY_OPEN) != NULL)
            return window;
    }
    return NULL;
}

void
bulkhead_question_ask (BulkheadQuestion question, GtkWidget *widget, const char *detail,
                       BulkheadAnswerFunc answer, gpointer data)
{
    GtkWindow *parent = GTK_WINDOW (gtk_widget_get_root (widget));
    g_autofree char *body = NULL;
    GtkWindow *open;
    AdwMessageDialog *dialog;
    Asked *asked;

    if (question == BULKHEAD_QUESTION_NONE || is_quiet (questions[question].id)) {
        answer (TRUE, data);
        return;
    }
    open = find_open (parent);
    if (open != NULL) {
        gtk_window_present (open);
        answer (FALSE, data);
        return;
    }
    body = new_body (question, detail);
    dialog =
        ADW_MESSAGE_DIALOG (adw_message_dialog_new (parent, _ (questions[question].heading), body));
    g_object_set_data (G_OBJECT (dialog), KEY_OPEN, dialog);
    adw_message_dialog_add_responses (dialog, "no", _ ("_Cancel"), "yes",
                                      _ (questions[question].yes), NULL);
    adw_message_dialog_set_response_appearance (dialog, "yes", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response (dialog, "no");
    adw_message_dialog_set_close_response (dialog, "no");

    asked = g_new (Asked, 1);
    *asked = (Asked){
        .id = questions[question].id,
        .quiet = GTK_CHECK_BUTTON (gtk_check_button_new_with_mnemonic (_ ("Do _not ask again"))),
        .answer = answer,
        .data = data,
    };
    gtk_widget_set_halign (GTK_WIDGET (asked->quiet), GTK_ALIGN_CENTER);
    adw_message_dialog_set_extra_child (dialog, GTK_WIDGET (asked->quiet));
    g_signal_connect_data (dialog, "response", G_CALLBACK (on_response_cb), asked, asked_free, 0);
    gtk_window_present (GTK_WINDOW (dialog));
}
