/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-detail.h"

#include "tunnel-text.h"
#include "user.h"

#include <glib/gi18n.h>

/* Those that one text is enough for. @value: NULL: any, which is put in the place of %s. */
static const struct {
    const char *key;
    const char *value;
    const char *text;
} texts[] = {
    /* Translators: %s is a number as 0.1.0. */
    { "version", NULL, N_ ("version %s") },
    { "tunnel_added", NULL, N_ ("tunnel %s added") },
    { "tunnel_trusted", NULL, N_ ("tunnel %s trusted") },
    { "tunnel_forgotten", NULL, N_ ("tunnel %s no longer trusted") },
    { "lan", "allowed", N_ ("local network allowed") },
    { "lan", "blocked", N_ ("local network no longer allowed") },
    { "at_boot", "on", N_ ("locks when the computer starts") },
    { "at_boot", "off", N_ ("no longer locks when the computer starts") },
    { "rules", "verified", N_ ("the rules were checked and are in force") },
    { "rules", NULL, N_ ("the rules are not in force: %s") },
    { "by", "time", N_ ("the time was over") },
    { "by", "administrator", N_ ("by the administrator’s settings") },
    { "by", "unknown", N_ ("by a program that is not known") },
    /* Translators: %s is a program's name and its number. */
    { "by", NULL, N_ ("by %s") },
    /* Translators: %s is what a program asked for, an English word as Unlock. */
    { "method", NULL, N_ ("asked for: %s") },
    /* Translators: %s is a message in English. */
    { "problem", NULL, N_ ("reason: %s") },
    { "promise", "bridged guests and packet sockets are not seen: no netdev egress hook",
      N_ ("what is weaker: virtual machines that share the network card directly, and programs "
          "that build their own packets, are not seen") },
    { "promise", "what is blocked cannot be told: no nflog",
      N_ ("what is weaker: it cannot be told what was refused") },
    { "promise",
      "another program can remove the rules; they are put back: no table owner with persist",
      N_ ("what is weaker: another program with full rights can remove the rules; they are put "
          "back") },
    /* Translators: %s is a message in English. */
    { "promise", NULL, N_ ("what is weaker: %s") },
};

/* The names of settings, as the property Fixed has them. */
static const struct {
    const char *name;
    const char *text;
} settings[] = {
    { "lock", N_ ("the lock") },
    { "at-boot", N_ ("locking at the start") },
    { "lan", N_ ("the local network") },
    { "lan-cgnat", N_ ("addresses that providers share") },
    { "lan-port-mapping", N_ ("opening ports at the router") },
    { "exceptions", N_ ("exceptions") },
    { "tunnels", N_ ("tunnels") },
};

static char *
put_in (const char *text, const char *value)
{
    GString *filled = g_string_new (text);

    g_string_replace (filled, "%s", value, 1);
    return g_string_free (filled, FALSE);
}

/* @id: a number; a user who is gone has no name any more. */
static char *
user_name (const char *id)
{
    guint64 uid = 0;
    char *name = NULL;

    if (g_ascii_string_to_unsigned (id, 10, 0, G_MAXUINT32, &uid, NULL))
        name = bulkhead_user_name (uid);
    return name != NULL ? name : g_strdup (id);
}

static char *
fixed_settings (const char *names)
{
    g_auto (GStrv) words = g_strsplit (names, " ", -1);
    g_autofree char *list = NULL;

    for (gsize i = 0; words[i] != NULL; i++)
        for (gsize j = 0; j < G_N_ELEMENTS (settings); j++)
            if (g_str_equal (words[i], settings[j].name)) {
                g_free (words[i]);
                words[i] = g_strdup (_ (settings[j].text));
                break;
            }
    /* Translators: between two settings of a list. */
    list = g_strjoinv (_ (", "), words);
    /* Translators: %s is a list of settings. */
    return g_strdup_printf (_ ("fixed: %s"), list);
}

/* NULL: @key is not that of a number. */
static char *
of_number (const char *key, guint64 value)
{
    guint n = (guint)MIN (value, G_MAXUINT);

    if (g_str_equal (key, "exceptions_added"))
        return g_strdup_printf (ngettext ("%u exception added", "%u exceptions added", n), n);
    if (g_str_equal (key, "exceptions_removed"))
        return g_strdup_printf (ngettext ("%u exception removed", "%u exceptions removed", n), n);
    if (g_str_equal (key, "seconds") && n > 0 && n % 60 == 0) {
        g_autofree char *minutes = bulkhead_text_minutes (n / 60);

        /* Translators: %s is "5 minutes" or "1 hour". */
        return g_strdup_printf (_ ("for %s"), minutes);
    }
    if (g_str_equal (key, "seconds"))
        return g_strdup_printf (ngettext ("for %u second", "for %u seconds", n), n);
    if (g_str_equal (key, "microseconds"))
        /* Translators: thousandths of a second. */
        return g_strdup_printf (_ ("after %.1f ms"), (double)value / 1000);
    return NULL;
}

char *
bulkhead_log_detail_text (const char *key, const char *value)
{
    guint64 number;
    char *text = NULL;

    if (g_str_equal (key, "uid") || g_str_equal (key, "user")) {
        g_autofree char *name = user_name (value);

        if (g_str_equal (key, "uid"))
            /* Translators: %s is the name of the user who did it. */
            return g_strdup_printf (_ ("by the user %s"), name);
        /* Translators: %s is the name of the user it is about. */
        return g_strdup_printf (_ ("of the user %s"), name);
    }
    if (g_str_equal (key, "fixed"))
        return fixed_settings (value);
    if (g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &number, NULL))
        text = of_number (key, number);
    if (text != NULL)
        return text;
    for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
        if (g_str_equal (key, texts[i].key)
            && (texts[i].value == NULL || g_str_equal (value, texts[i].value)))
            return put_in (_ (texts[i].text), value);
    return g_strdup_printf ("%s: %s", key, value);
}
