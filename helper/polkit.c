/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "polkit.h"

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define TIMEOUT 5000 /* ms, for what no person has to answer */
#define ALLOW_USER_INTERACTION 1

void
bulkhead_polkit_check_async (GDBusConnection *bus, const BulkheadPolkitQuestion *question,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    gboolean prompts = question->prompt != NULL;
    GVariantBuilder subject = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
    GVariantBuilder details = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

    g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (question->sender));
    if (question->message != NULL) {
        g_variant_builder_add (&details, "{ss}", "polkit.message", question->message);
        g_variant_builder_add (&details, "{ss}", "polkit.gettext_domain", "bulkhead");
    }
    g_dbus_connection_call (bus, NAME, PATH, INTERFACE, "CheckAuthorization",
                            g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject,
                                           question->action, &details,
                                           prompts ? ALLOW_USER_INTERACTION : 0,
                                           prompts ? question->prompt : ""),
                            G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
                            prompts ? G_MAXINT : TIMEOUT, NULL, callback, user_data);
}

gboolean
bulkhead_polkit_check_finish (GObject *source, GAsyncResult *result,
                              BulkheadPolkitAnswer *ret_answer, GError **error)
{
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, error);
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
