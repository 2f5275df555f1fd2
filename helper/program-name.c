/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program-name.h"

#include <string.h>

/* Groups of these names hold whatever somebody started in them. */
static const char *const nameless[] = {
    "session-", "vte-spawn-", "run-", "user@", "init",
};

static const char *const containers[] = { "docker-", "libpod-", "crio-" };

/* What systemd wrote as \x2d and the like; in UTF-8 whatever it was. */
static char *
unescape (const char *name)
{
    g_autoptr (GString) text = g_string_new (NULL);

    for (const char *p = name; *p != '\0'; p++) {
        if (p[0] == '\\' && p[1] == 'x' && g_ascii_isxdigit (p[2]) && g_ascii_isxdigit (p[3])) {
            g_string_append_c (text,
                               g_ascii_xdigit_value (p[2]) << 4 | g_ascii_xdigit_value (p[3]));
            p += 3;
        } else {
            g_string_append_c (text, *p);
        }
    }
    g_string_truncate (text, MIN (text->len, BULKHEAD_PROGRAM_NAME_MAX));
    return g_utf8_make_valid (text->str, text->len);
}

/* Nothing that a terminal or the bus minds, and nothing that turns round or hides the words beside
 * it: what is told of a program stays one piece of one line. */
static char *
make_name (const char *name)
{
    g_autofree char *text = unescape (name);
    GString *shown = g_string_new (NULL);
    char *valid;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
        gunichar c = g_utf8_get_char (p);

        g_string_append_unichar (shown, g_unichar_isspace (c) || !g_unichar_isprint (c) ? ' ' : c);
    }
    valid = g_string_free (shown, FALSE);

    /* What is put for a wrong byte is longer than it. */
    if (strlen (valid) > BULKHEAD_PROGRAM_NAME_MAX)
        *g_utf8_find_prev_char (valid, valid + BULKHEAD_PROGRAM_NAME_MAX + 1) = '\0';
    return valid;
}

static void
cut_at_last (char *text, char c)
{
    char *at = strrchr (text, c);

    if (at != NULL)
        *at = '\0';
}

static const char *
behind_last (const char *text, char c)
{
    const char *at = strrchr (text, c);

    return at != NULL ? at + 1 : text;
}

/* app[-LAUNCHER]-ID-RANDOM.scope, app[-LAUNCHER]-ID[@RANDOM].service: an ID has no plain "-". */
static char *
name_of_app (char *unit, gboolean scope)
{
    cut_at_last (unit, scope ? '-' : '@');
    return make_name (behind_last (unit, '-'));
}

static char *
name_of_unit (char *unit, gboolean scope)
{
    g_auto (GStrv) words = NULL;

    if (g_str_has_prefix (unit, "app-"))
        return name_of_app (unit + strlen ("app-"), scope);
    for (gsize i = 0; i < G_N_ELEMENTS (nameless); i++)
        if (g_str_has_prefix (unit, nameless[i]))
            return g_strdup ("");
    for (gsize i = 0; i < G_N_ELEMENTS (containers); i++)
        if (g_str_has_prefix (unit, containers[i]))
            return g_strndup (unit, strlen (containers[i]) - 1);
    if (g_str_has_prefix (unit, "snap.")) {
        words = g_strsplit (unit, ".", 3);
        return make_name (words[1]);
    }
    cut_at_last (unit, '@');
    return make_name (g_str_has_prefix (unit, "dbus-:") ? behind_last (unit, '-') : unit);
}

char *
bulkhead_program_name (const char *path)
{
    g_auto (GStrv) groups = g_strsplit (path, "/", -1);

    /* A unit may divide its group further; a unit in a unit is the one meant. */
    for (guint i = g_strv_length (groups); i > 0; i--) {
        char *group = groups[i - 1];
        gboolean scope = g_str_has_suffix (group, ".scope");

        if (!scope && !g_str_has_suffix (group, ".service"))
            continue;
        cut_at_last (group, '.');
        return name_of_unit (group, scope);
    }
    return g_strdup ("");
}
