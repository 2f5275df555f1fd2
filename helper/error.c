/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"

#include <gio/gio.h>
#include <string.h>

#define SHOWN_MAX 100 /* bytes of a value that a message shows */

#define NAME(suffix) "org.bulkhead.Helper1.Error." suffix

static const GDBusErrorEntry entries[] = {
    { BULKHEAD_ERROR_FAILED, NAME ("Failed") },
    { BULKHEAD_ERROR_NOT_AUTHORIZED, NAME ("NotAuthorized") },
    { BULKHEAD_ERROR_INVALID_ARGUMENT, NAME ("InvalidArgument") },
    { BULKHEAD_ERROR_NOT_FOUND, NAME ("NotFound") },
    { BULKHEAD_ERROR_EXISTS, NAME ("Exists") },
    { BULKHEAD_ERROR_WRONG_STATE, NAME ("WrongState") },
    { BULKHEAD_ERROR_KERNEL_REFUSED, NAME ("KernelRefused") },
    { BULKHEAD_ERROR_NOT_ENFORCED, NAME ("NotEnforced") },
    { BULKHEAD_ERROR_STORE_FAILED, NAME ("StoreFailed") },
    { BULKHEAD_ERROR_STATE_UNREADABLE, NAME ("StateUnreadable") },
    { BULKHEAD_ERROR_ALREADY_RUNNING, NAME ("AlreadyRunning") },
    { BULKHEAD_ERROR_CANCELLED, NAME ("Cancelled") },
    { BULKHEAD_ERROR_FIXED, NAME ("Fixed") },
    /* D-Bus has a name of its own for it, which client libraries know. */
    { BULKHEAD_ERROR_INTERACTION_REQUIRED,
      "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (entries) == BULKHEAD_ERROR_LAST + 1);

GQuark
bulkhead_error_quark (void)
{
    static gsize quark = 0;

    g_dbus_error_register_error_domain ("bulkhead-error-quark", &quark, entries,
                                        G_N_ELEMENTS (entries));
    return (GQuark)quark;
}

static char *
shown (const char *value)
{
    g_autofree char *start = g_strndup (value, SHOWN_MAX);
    g_autofree char *valid = g_utf8_make_valid (start, -1);
    const char *more = strlen (start) == SHOWN_MAX ? "…" : "";

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
        if (!g_unichar_isprint (g_utf8_get_char (p))) {
            g_autofree char *escaped = g_strescape (valid, NULL);

            return g_strconcat (escaped, more, NULL);
        }
    }
    return g_strconcat (valid, more, NULL);
}

gboolean
bulkhead_error_set_value (GError **error, BulkheadError code, const char *field, const char *value,
                          const char *reason)
{
    g_autofree char *text = shown (value);

    g_set_error (error, BULKHEAD_ERROR, code, "%s “%s”: %s", field, text, reason);
    return FALSE;
}
