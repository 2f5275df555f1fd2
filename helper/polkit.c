/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "polkit.h"

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define TIMEOUT 5000        /* ms, for what no person has to answer */
#define START_TIMEOUT 30000 /* ms; the bus gives up before that */
#define ALLOW_USER_INTERACTION 1

static void
ask (GTask *task, GDBusCallFlags flags, int timeout, GAsyncReadyCallback callback)
{
    g_dbus_connection_call (g_task_get_source_object (task), NAME, PATH, INTERFACE,
                            "CheckAuthorization", g_task_get_task_data (task),
                            G_VARIANT_TYPE ("((bba{ss}))"), flags, timeout, NULL, callback,
                            g_object_ref (task));
}

/* @answer: (transfer full) (nullable); @error: (transfer full), without one. */
static void
return_answer (GTask *task, GVariant *answer, GError *error)
{
    if (answer != NULL)
        g_task_return_pointer (task, answer, (GDestroyNotify)g_variant_unref);
    else
        g_task_return_error (task, error);
}

static void
on_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

    return_answer (task, answer, error);
}

static gboolean
is_not_there (const GError *error)
{
    return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)
           || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
}

static void
on_started_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    g_autoptr (GVariant) started = NULL;
    GError *error = NULL;

    started = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    if (started != NULL)
        ask (task, G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT, on_answered_cb);
    else
        g_task_return_error (task, error);
}

/* A machine that just started may take long to start polkit as well, which is no sign that polkit
 * hangs. */
static void
on_answered_if_there_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

    if (!is_not_there (error)) {
        return_answer (task, answer, error);
        return;
    }
    g_error_free (error);
    g_dbus_connection_call (G_DBUS_CONNECTION (source), "org.freedesktop.DBus",
                            "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName",
                            g_variant_new ("(su)", NAME, 0), G_VARIANT_TYPE ("(u)"),
                            G_DBUS_CALL_FLAGS_NONE, START_TIMEOUT, NULL, on_started_cb,
                            g_object_ref (task));
}

void
bulkhead_polkit_check_async (GDBusConnection *bus, const BulkheadPolkitQuestion *question,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr (GTask) task = g_task_new (bus, NULL, callback, user_data);
    gboolean prompts = question->prompt != NULL;
    GVariantBuilder subject = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
    GVariantBuilder details = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
    GVariant *parameters;

    g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (question->sender));
    if (question->message != NULL) {
        g_variant_builder_add (&details, "{ss}", "polkit.message", question->message);
        g_variant_builder_add (&details, "{ss}", "polkit.gettext_domain", "bulkhead");
    }
    parameters = g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject, question->action,
                                &details, prompts ? ALLOW_USER_INTERACTION : 0,
                                prompts ? question->prompt : "");
    g_task_set_task_data (task, g_variant_ref_sink (parameters), (GDestroyNotify)g_variant_unref);
    /* A prompt is asked for in one go: between two it could not be cancelled. */
    if (prompts)
        ask (task, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, on_answered_cb);
    else
        ask (task, G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT, on_answered_if_there_cb);
}

gboolean
bulkhead_polkit_check_finish (GObject *source, GAsyncResult *result,
                              BulkheadPolkitAnswer *ret_answer, GError **error)
{
    g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), error);
    g_autoptr (GVariant) details = NULL;

    if (answer == NULL) {
        if (error != NULL)
            g_dbus_error_strip_remote_error (*error);
        return FALSE;
    }
    g_variant_get (answer, "((bb@a{ss}))", &ret_answer->authorized, &ret_answer->challenge,
                   &details);
    ret_answer->dismissed = g_variant_lookup (details, "polkit.dismissed", "&s", NULL);
    return TRUE;
}

void
bulkhead_polkit_cancel (GDBusConnection *bus, const char *prompt)
{
    g_dbus_connection_call (bus, NAME, PATH, INTERFACE, "CancelCheckAuthorization",
                            g_variant_new ("(s)", prompt), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START,
                            TIMEOUT, NULL, NULL, NULL);
}
