/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl.h"

#include "agent.h"

#include <signal.h>

#define HELPER_ERROR BULKHEAD_NAME ".Error."
#define BUS_ERROR "org.freedesktop.DBus.Error."
#define PASSWORD_NEEDED BUS_ERROR "InteractiveAuthorizationRequired"

/* What a D-Bus error means to a script; one that is not here is FAILED. */
static const struct {
    const char *name;
    BulkheadExit code;
} exits[] = {
    { HELPER_ERROR "NotAuthorized", BULKHEAD_EXIT_NOT_AUTHORIZED },
    { HELPER_ERROR "NotFound", BULKHEAD_EXIT_NOT_FOUND },
    { HELPER_ERROR "InvalidArgument", BULKHEAD_EXIT_USAGE },
    { BUS_ERROR "AccessDenied", BULKHEAD_EXIT_NOT_AUTHORIZED },
    { BUS_ERROR "AuthFailed", BULKHEAD_EXIT_NOT_AUTHORIZED },
    { HELPER_ERROR "Fixed", BULKHEAD_EXIT_NOT_AUTHORIZED },
    { HELPER_ERROR "Cancelled", BULKHEAD_EXIT_NOT_AUTHORIZED },
    { PASSWORD_NEEDED, BULKHEAD_EXIT_NOT_AUTHORIZED },
    { BUS_ERROR "ServiceUnknown", BULKHEAD_EXIT_NO_HELPER },
    { BUS_ERROR "NameHasNoOwner", BULKHEAD_EXIT_NO_HELPER },
    /* The helper died while it worked on the call: nothing here gives up waiting first. */
    { BUS_ERROR "NoReply", BULKHEAD_EXIT_NO_HELPER },
    { BUS_ERROR "Disconnected", BULKHEAD_EXIT_NO_HELPER },
    { BUS_ERROR "TimedOut", BULKHEAD_EXIT_NO_HELPER },
};

G_DEFINE_QUARK (bulkhead - ctl - error - quark, bulkhead_ctl_error)

gboolean
bulkhead_connect (BulkheadCtl *ctl, GError **error)
{
    g_autoptr (GError) local = NULL;

    if (ctl->bus != NULL)
        return TRUE;
    ctl->bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &local);
    if (ctl->bus == NULL) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_NO_HELPER,
                     "no connection to the system bus: %s", local->message);
        return FALSE;
    }
    /* The default raises SIGTERM; a lost bus has an exit code here. */
    g_dbus_connection_set_exit_on_close (ctl->bus, FALSE);
    /* GIO ignores SIGPIPE for the sake of other systems. Here "| head" ends this program as it
     * ends any other; GIO's sockets do not raise it. */
    signal (SIGPIPE, SIG_DFL);
    return TRUE;
}

static int
timeout_of (BulkheadCtl *ctl)
{
    if (ctl->deadline == 0)
        return G_MAXINT;
    /* The last look before the deadline is given time to answer. */
    return (int)CLAMP ((ctl->deadline - g_get_monotonic_time ()) / 1000, 1000, G_MAXINT - 1);
}

static BulkheadExit
exit_of (BulkheadCtl *ctl, const GError *error)
{
    g_autofree char *name = g_dbus_error_get_remote_error (error);

    if (g_dbus_connection_is_closed (ctl->bus))
        return BULKHEAD_EXIT_NO_HELPER;
    if (name == NULL)
        return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? BULKHEAD_EXIT_TIMED_OUT
                                                                         : BULKHEAD_EXIT_FAILED;
    for (gsize i = 0; i < G_N_ELEMENTS (exits); i++)
        if (g_str_equal (exits[i].name, name))
            return exits[i].code;
    /* Activation has a dozen ways to fail, all of this family. */
    if (g_str_has_prefix (name, BUS_ERROR "Spawn."))
        return BULKHEAD_EXIT_NO_HELPER;
    return BULKHEAD_EXIT_FAILED;
}

static gboolean
is_password_needed (const GError *error)
{
    g_autofree char *name = g_dbus_error_get_remote_error (error);

    return g_strcmp0 (name, PASSWORD_NEEDED) == 0;
}

static void
set_error (BulkheadCtl *ctl, GError *from, GError **error)
{
    BulkheadExit code = exit_of (ctl, from);

    if (ctl->ask && is_password_needed (from)) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, code,
                             "no password prompt program is running; use sudo");
        return;
    }
    g_dbus_error_strip_remote_error (from);
    g_set_error (error, BULKHEAD_CTL_ERROR, code, "%s%s",
                 code == BULKHEAD_EXIT_NO_HELPER ? "the helper is not running: " : "",
                 from->message);
}

static GVariant *
call (BulkheadCtl *ctl, const char *method, GVariant *arguments, const char *reply, gboolean ask,
      GError **error)
{
    return g_dbus_connection_call_sync (ctl->bus, BULKHEAD_NAME, BULKHEAD_PATH, BULKHEAD_NAME,
                                        method, arguments, G_VARIANT_TYPE (reply),
                                        ask ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
                                            : G_DBUS_CALL_FLAGS_NONE,
                                        timeout_of (ctl), NULL, error);
}

GVariant *
bulkhead_call (BulkheadCtl *ctl, const char *method, GVariant *parameters, const char *reply,
               GError **error)
{
    g_autoptr (GVariant) arguments = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
    g_autoptr (GVariant) answer = NULL;
    g_autoptr (GError) local = NULL;

    if (!bulkhead_connect (ctl, error))
        return NULL;
    answer = call (ctl, method, arguments, reply, ctl->ask, &local);
    if (answer == NULL) {
        set_error (ctl, local, error);
        return NULL;
    }
    if (g_variant_n_children (answer) != 1)
        return g_steal_pointer (&answer);
    return g_variant_get_child_value (answer, 0);
}

/* On a terminal the first call asks nobody: only when a password is needed is it worth to have
 * polkit know of a prompt here, which takes time, and more when polkit hangs. */
void
bulkhead_command (BulkheadCtl *ctl, const char *method, GVariant *parameters, GError **error)
{
    g_autoptr (GVariant) arguments = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
    gboolean has_terminal = ctl->ask && bulkhead_agent_is_possible ();
    g_autoptr (BulkheadAgent) agent = NULL;
    g_autoptr (GVariant) answer = NULL;
    g_autoptr (GError) local = NULL;

    if (!bulkhead_connect (ctl, error))
        return;
    answer = call (ctl, method, arguments, "()", ctl->ask && !has_terminal, &local);
    if (answer == NULL && has_terminal && is_password_needed (local)) {
        g_clear_error (&local);
        agent = bulkhead_agent_new ();
        answer = call (ctl, method, arguments, "()", TRUE, &local);
    }
    if (answer == NULL)
        set_error (ctl, local, error);
}
