/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <glib/gi18n.h>

#define HELPER_ERROR BULKHEAD_NAME ".Error."
#define BUS_ERROR "org.freedesktop.DBus.Error."
#define HALF_A_DAY (12 * 60 * 60) /* seconds */

/* Another day's time of day would mislead, so it comes with its date. */
char *
bulkhead_words_moment (gint64 seconds, gint64 now)
{
    g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (seconds);

    if (time == NULL)
        return g_strdup ("?");
    if (seconds > now - HALF_A_DAY && seconds < now + HALF_A_DAY)
        /* Translators: the time of day, as strftime() has it: 14:30. */
        return g_date_time_format (time, _ ("%H:%M"));
    return g_date_time_format (time, "%x %H:%M");
}

char *
bulkhead_words_time (gint64 seconds)
{
    return bulkhead_words_moment (seconds, g_get_real_time () / G_USEC_PER_SEC);
}

char *
bulkhead_words_headline (BulkheadClient *client)
{
    g_autofree char *end = bulkhead_words_time (bulkhead_client_get_paused_until (client));

    switch (bulkhead_client_get_state (client)) {
    case BULKHEAD_STATE_OFF:
        return g_strdup (_ ("Lock is off"));
    case BULKHEAD_STATE_PROTECTED:
        return g_strdup (_ ("Protected"));
    case BULKHEAD_STATE_BLOCKING:
        return g_strdup (_ ("Blocking: no tunnel is up"));
    case BULKHEAD_STATE_PAUSED:
        /* Translators: %s is a time of day. */
        return g_strdup_printf (_ ("Paused until %s"), end);
    case BULKHEAD_STATE_BROKEN:
        return g_strdup (bulkhead_client_is_closed (client) ? _ ("Everything is blocked")
                                                            : _ ("Not protected"));
    case BULKHEAD_STATE_UNKNOWN:
        break;
    }
    return g_strdup (_ ("Not known"));
}

static const char *
unknown_reason (BulkheadClient *client)
{
    switch (bulkhead_client_get_presence (client)) {
    case BULKHEAD_HELPER_ANSWERS:
        return _ ("The helper tells a state that this version of Bulkhead does not know.");
    case BULKHEAD_HELPER_ASKED:
        return _ ("Waiting for the helper to tell how the lock is.");
    case BULKHEAD_HELPER_SILENT:
        return _ ("The helper does not answer, so it cannot be told whether the lock is on.");
    case BULKHEAD_HELPER_ABSENT:
        return _ ("The helper is not running, so it cannot be told whether the lock is on.");
    case BULKHEAD_HELPER_NO_BUS:
        break;
    }
    return _ ("There is no system bus, so it cannot be told whether the lock is on.");
}

static const char *
broken_reason (BulkheadClient *client)
{
    if (bulkhead_client_is_closed (client))
        return _ ("The lock could not be put in force, so everything is blocked, tunnels too.");
    if (bulkhead_client_is_locked (client))
        return _ ("The lock is on but its rules are not in force, so traffic may leak.");
    return _ ("The lock is off, but rules of a lock still stand.");
}

char *
bulkhead_words_reason (BulkheadClient *client)
{
    g_autofree char *end = bulkhead_words_time (bulkhead_client_get_paused_until (client));

    switch (bulkhead_client_get_state (client)) {
    case BULKHEAD_STATE_OFF:
        return g_strdup (_ ("Everything may leave, with or without a VPN."));
    case BULKHEAD_STATE_PROTECTED:
        return g_strdup (_ ("Nothing leaves except through a trusted tunnel and what you "
                            "allowed."));
    case BULKHEAD_STATE_BLOCKING:
        return g_strdup (_ ("No trusted tunnel is up, so nothing leaves except what you "
                            "allowed."));
    case BULKHEAD_STATE_PAUSED:
        /* Translators: %s is a time of day. */
        return g_strdup_printf (
            _ ("Everything may leave until %s; then the lock closes by itself."), end);
    case BULKHEAD_STATE_BROKEN:
        return g_strdup (broken_reason (client));
    case BULKHEAD_STATE_UNKNOWN:
        break;
    }
    return g_strdup (unknown_reason (client));
}

const char *
bulkhead_words_icon (BulkheadState state)
{
    switch (state) {
    case BULKHEAD_STATE_OFF:
        return "org.bulkhead.bulkhead-off-symbolic";
    case BULKHEAD_STATE_PROTECTED:
        return "org.bulkhead.bulkhead-protected-symbolic";
    case BULKHEAD_STATE_BLOCKING:
        return "org.bulkhead.bulkhead-blocking-symbolic";
    case BULKHEAD_STATE_PAUSED:
        return "org.bulkhead.bulkhead-paused-symbolic";
    case BULKHEAD_STATE_BROKEN:
    case BULKHEAD_STATE_UNKNOWN:
        break;
    }
    return "org.bulkhead.bulkhead-problem-symbolic";
}

/* What is said of an error by its name on the bus; NULL: nothing. Others speak for themselves. */
static const struct {
    const char *name;
    const char *text;
} errors[] = {
    { HELPER_ERROR "Cancelled", NULL },
    { HELPER_ERROR "NotAuthorized", N_ ("You are not allowed to do this.") },
    { HELPER_ERROR "Fixed", N_ ("The administrator of this computer fixed this setting.") },
    { BUS_ERROR "AccessDenied", N_ ("You are not allowed to do this.") },
    { BUS_ERROR "AuthFailed", N_ ("You are not allowed to do this.") },
    { BUS_ERROR "InteractiveAuthorizationRequired",
      N_ ("No password prompt program is running. Use “sudo bulkheadctl” in a terminal.") },
    { BUS_ERROR "ServiceUnknown", N_ ("The helper is not running.") },
    { BUS_ERROR "NameHasNoOwner", N_ ("The helper is not running.") },
    { BUS_ERROR "Disconnected", N_ ("There is no system bus.") },
    { BUS_ERROR "NoReply", N_ ("The helper ended before it answered.") },
    { BUS_ERROR "TimedOut", N_ ("The helper does not answer.") },
    { BUS_ERROR "Timeout", N_ ("The helper does not answer.") },
};

char *
bulkhead_words_error (const GError *error)
{
    g_autofree char *name = g_dbus_error_get_remote_error (error);
    g_autoptr (GError) plain = g_error_copy (error);

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return NULL;
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return g_strdup (_ ("The helper does not answer."));
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED)
        || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED))
        return g_strdup (_ ("There is no system bus."));
    for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (errors); i++)
        if (g_str_equal (errors[i].name, name))
            return errors[i].text != NULL ? g_strdup (_ (errors[i].text)) : NULL;
    if (name == NULL)
        /* Translators: %s is a message of the system. */
        return g_strdup_printf (_ ("That failed: %s"), error->message);
    if (g_str_has_prefix (name, BUS_ERROR "Spawn."))
        return g_strdup (_ ("The helper could not be started."));
    g_dbus_error_strip_remote_error (plain);
    /* Translators: %s is a message in English. */
    return g_strdup_printf (_ ("The helper refused: %s"), plain->message);
}
