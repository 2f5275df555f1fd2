/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"
#include "watch.h"

#include <stdio.h>

/* By the number of the state: the word, and what status --check exits with. */
static const struct {
    const char *word;
    int check;
} states[] = {
    [BULKHEAD_STATE_UNKNOWN] = { "unknown", BULKHEAD_EXIT_FAILED },
    [BULKHEAD_STATE_OFF] = { "off", 21 },
    [BULKHEAD_STATE_PROTECTED] = { "protected", 0 },
    [BULKHEAD_STATE_BLOCKING] = { "blocking", 20 },
    [BULKHEAD_STATE_PAUSED] = { "paused", 22 },
    [BULKHEAD_STATE_BROKEN] = { "broken", 23 },
};

gboolean
bulkhead_get_flag (GVariant *dictionary, const char *key)
{
    gboolean flag = FALSE;

    g_variant_lookup (dictionary, key, "b", &flag);
    return flag;
}

guint32
bulkhead_get_number (GVariant *dictionary, const char *key)
{
    guint32 number = 0;

    g_variant_lookup (dictionary, key, "u", &number);
    return number;
}

char *
bulkhead_get_text (GVariant *dictionary, const char *key)
{
    char *text = NULL;

    g_variant_lookup (dictionary, key, "s", &text);
    return text != NULL ? text : g_strdup ("");
}

GVariant *
bulkhead_get_array (GVariant *dictionary, const char *key, const char *type)
{
    GVariant *array = g_variant_lookup_value (dictionary, key, G_VARIANT_TYPE (type));

    if (array == NULL)
        array = g_variant_ref_sink (
            g_variant_new_array (g_variant_type_element (G_VARIANT_TYPE (type)), NULL, 0));
    return array;
}

BulkheadState
bulkhead_status_state (GVariant *status)
{
    guint32 state = bulkhead_get_number (status, "state");

    if (state >= G_N_ELEMENTS (states))
        return BULKHEAD_STATE_UNKNOWN;
    if ((state == BULKHEAD_STATE_PROTECTED || state == BULKHEAD_STATE_BLOCKING)
        && !bulkhead_get_flag (status, "enforced"))
        return BULKHEAD_STATE_BROKEN;
    return state;
}

const char *
bulkhead_state_to_string (BulkheadState state)
{
    return states[state].word;
}

static void
fill_json (JsonObject *object, GVariant *status)
{
    g_autoptr (GVariant) tunnels = bulkhead_get_array (status, "tunnels", "aa{sv}");
    BulkheadState state = bulkhead_status_state (status);
    GVariantIter iter;
    const char *key;
    GVariant *value;

    json_object_set_string_member (object, "state", bulkhead_state_to_string (state));
    g_variant_iter_init (&iter, status);
    while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
        if (g_str_equal (key, "tunnels"))
            bulkhead_tunnels_json_set (object, tunnels);
        else if (g_str_equal (key, "version"))
            bulkhead_json_set (object, "helper_version", value);
        else if (!g_str_equal (key, "state"))
            bulkhead_json_set (object, key, value);
}

/* What one line tells; NULL: there is no helper to ask. */
static void
print_line (GVariant *status, gboolean json)
{
    if (json) {
        g_autoptr (JsonObject) object = json_object_new ();

        json_object_set_int_member (object, "version", 1);
        if (status != NULL)
            fill_json (object, status);
        else
            json_object_set_string_member (object, "state",
                                           bulkhead_state_to_string (BULKHEAD_STATE_UNKNOWN));
        bulkhead_print_json (object);
    } else if (status != NULL) {
        g_autofree char *reason = bulkhead_status_reason (status);
        g_autofree char *line = g_strdup_printf (
            "%s: %s", bulkhead_state_to_string (bulkhead_status_state (status)), reason);
        g_autofree char *clean = bulkhead_one_line (line);

        puts (clean);
    } else {
        puts ("unknown: The helper is not running.");
    }
}

/* @last: what was told before, for people, whatever is printed: counters that move are no change.
 */
static gboolean
tell (GVariant *status, gboolean json, char **last, GError **error)
{
    g_autofree char *now = status != NULL ? bulkhead_status_to_text (status) : g_strdup ("");

    if (g_strcmp0 (now, *last) == 0)
        return TRUE;
    g_free (*last);
    *last = g_steal_pointer (&now);
    print_line (status, json);
    /* A reader that went away ends the watch. */
    if (fflush (stdout) == 0)
        return TRUE;
    g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED,
                         "cannot write to standard output");
    return FALSE;
}

/* Ends only with an error. */
static void
watch_status (BulkheadCtl *ctl, gboolean json, GError **error)
{
    g_autoptr (BulkheadWatch) watch = bulkhead_watch_new (ctl, error);
    g_autofree char *last = NULL;

    if (watch == NULL)
        return;
    while (TRUE) {
        g_autoptr (GError) local = NULL;
        g_autoptr (GVariant) status = bulkhead_call (ctl, "GetStatus", NULL, "(a{sv})", &local);

        if (status == NULL && local->code != BULKHEAD_EXIT_NO_HELPER) {
            g_propagate_error (error, g_steal_pointer (&local));
            return;
        }
        if (!tell (status, json, &last, error))
            return;
        if (status == NULL && bulkhead_watch_is_bus_lost (watch)) {
            g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_NO_HELPER,
                                 "the system bus is gone");
            return;
        }
        bulkhead_watch_wait (watch, 0);
        /* A helper that is back already has been away nevertheless. */
        if (bulkhead_watch_take_vanished (watch) && !tell (NULL, json, &last, error))
            return;
    }
}

static void
tell_once (BulkheadCtl *ctl, gboolean check, GError **error)
{
    g_autoptr (GVariant) status = bulkhead_call (ctl, "GetStatus", NULL, "(a{sv})", error);
    g_autofree char *text = NULL;

    if (status == NULL) {
        const char *word = bulkhead_state_to_string (BULKHEAD_STATE_UNKNOWN);

        if (ctl->reply != NULL)
            json_object_set_string_member (ctl->reply, "state", word);
        else
            puts (word);
        return;
    }
    if (check)
        ctl->code = states[bulkhead_status_state (status)].check;
    if (ctl->reply != NULL) {
        fill_json (ctl->reply, status);
        return;
    }
    text = bulkhead_status_to_text (status);
    bulkhead_print (text);
}

void
bulkhead_run_status (BulkheadCtl *ctl, GError **error)
{
    gboolean watch = FALSE;
    gboolean check = FALSE;
    const GOptionEntry entries[] = {
        { .long_name = "watch",
          .arg_data = &watch,
          .description = "Print a line at each change, until stopped" },
        { .long_name = "check",
          .arg_data = &check,
          .description = "Exit 0 protected, 20 blocking, 21 off, 22 paused, 23 broken" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error))
        return;
    if (watch && check) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                             "--watch and --check exclude each other");
    } else if (watch) {
        gboolean json = ctl->reply != NULL;

        /* Each line is an object of its own; none is left for the end. */
        g_clear_pointer (&ctl->reply, json_object_unref);
        watch_status (ctl, json, error);
    } else {
        tell_once (ctl, check, error);
    }
}
