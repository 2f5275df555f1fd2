/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl.h"

#include "user.h"

#include <string.h>

static void
print_help (BulkheadCtl *ctl, const GOptionEntry *entries)
{
    g_autoptr (GString) text = g_string_new (NULL);

    g_string_append_printf (text, "Usage: bulkheadctl %s\n\n%s.\n", ctl->verb->usage,
                            ctl->verb->summary);
    if (entries->long_name != NULL)
        g_string_append (text, "\nOptions:\n");
    for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++) {
        const char *value = entry->arg_description != NULL ? entry->arg_description : "";
        g_autofree char *name = g_strdup_printf ("--%s %s", entry->long_name, value);

        g_string_append_printf (text, "  %-25s %s\n", name, entry->description);
    }
    g_string_append (text, "\nThe options of every verb are in bulkheadctl --help.\n");
    bulkhead_print (text->str);
}

static gboolean
check_text (const char *text, GError **error)
{
    g_autofree char *valid = NULL;

    /* D-Bus carries nothing else, and GVariant aborts on it. */
    if (g_utf8_validate (text, -1, NULL))
        return TRUE;
    valid = g_utf8_make_valid (text, -1);
    g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE, "argument %s: not UTF-8", valid);
    return FALSE;
}

static gboolean
check_count (BulkheadCtl *ctl, GStrv args, guint min, guint max, GError **error)
{
    guint n = g_strv_length (args);

    if (n < min)
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "an argument is missing (usage: bulkheadctl %s)", ctl->verb->usage);
    else if (n > max)
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "unexpected argument %s (usage: bulkheadctl %s)", args[max], ctl->verb->usage);
    return n >= min && n <= max;
}

gboolean
bulkhead_parse (BulkheadCtl *ctl, const GOptionEntry *entries, guint min, guint max,
                GStrv *ret_args, GError **error)
{
    g_autoptr (GOptionContext) context = g_option_context_new (NULL);
    g_auto (GStrv) rest = NULL;
    g_autoptr (GError) local = NULL;
    const GOptionEntry rest_entries[] = {
        { .long_name = G_OPTION_REMAINING, .arg = G_OPTION_ARG_FILENAME_ARRAY, .arg_data = &rest },
        { NULL },
    };

    if (ctl->help) {
        print_help (ctl, entries);
        g_clear_pointer (&ctl->reply, json_object_unref);
        return FALSE;
    }
    for (guint i = 0; ctl->args[i] != NULL; i++)
        if (!check_text (ctl->args[i], error))
            return FALSE;
    g_option_context_set_help_enabled (context, FALSE);
    g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_add_main_entries (context, rest_entries, NULL);
    if (!g_option_context_parse_strv (context, &ctl->args, &local)) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE, local->message);
        return FALSE;
    }
    if (rest == NULL)
        rest = g_new0 (char *, 1);
    if (!check_count (ctl, rest, min, max, error))
        return FALSE;
    if (ret_args != NULL)
        *ret_args = g_steal_pointer (&rest);
    return TRUE;
}

gboolean
bulkhead_parse_number (const char *name, const char *text, guint32 min, guint32 max, guint32 *ret,
                       GError **error)
{
    gboolean hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
    guint64 value;

    if (!g_ascii_string_to_unsigned (hex ? text + 2 : text, hex ? 16 : 10, min, max, &value,
                                     NULL)) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "%s %s: not a number from %u to %u", name, text, min, max);
        return FALSE;
    }
    *ret = (guint32)value;
    return TRUE;
}

gboolean
bulkhead_parse_seconds (const char *name, const char *text, guint32 *ret, GError **error)
{
    static const struct {
        char unit;
        guint32 seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };
    g_autofree char *digits = g_strdup (text);
    gsize length = strlen (digits);
    guint32 factor = 1;
    guint64 value;

    for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
        if (length > 0 && digits[length - 1] == units[i].unit) {
            factor = units[i].seconds;
            digits[length - 1] = '\0';
            break;
        }
    if (!g_ascii_string_to_unsigned (digits, 10, 0, G_MAXUINT32 / factor, &value, NULL)) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "%s %s: not a time in seconds, or with s, m or h as in 5m", name, text);
        return FALSE;
    }
    *ret = (guint32)value * factor;
    return TRUE;
}

gboolean
bulkhead_parse_on_off (const char *name, const char *text, gboolean *ret, GError **error)
{
    gboolean on = g_str_equal (text, "on");

    if (!on && !g_str_equal (text, "off")) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE, "%s %s: neither on nor off",
                     name, text);
        return FALSE;
    }
    *ret = on;
    return TRUE;
}

gboolean
bulkhead_parse_user (const char *name, const char *text, guint32 *ret, GError **error)
{
    if (bulkhead_user_find (text, ret))
        return TRUE;
    if (!g_ascii_isdigit (text[0])) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE, "%s %s: no such user", name,
                     text);
        return FALSE;
    }
    /* The highest number is no user: it is (uid_t) -1. */
    return bulkhead_parse_number (name, text, 0, G_MAXUINT32 - 1, ret, error);
}
