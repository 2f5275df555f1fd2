/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnel-text.h"

#include "user.h"
#include "words.h"

#include <gio/gio.h>
#include <glib/gi18n.h>

static const char *
kind_word (GVariant *facts)
{
    static const char *const kinds[] = { NULL, "WireGuard", "OpenVPN" };
    guint32 kind = 0;

    g_variant_lookup (facts, "kind", "u", &kind);
    return kind < G_N_ELEMENTS (kinds) ? kinds[kind] : NULL;
}

static char *
join (GPtrArray *parts, const char *separator)
{
    g_ptr_array_add (parts, NULL);
    return g_strjoinv (separator, (char **)parts->pdata);
}

char *
bulkhead_tunnel_text_server (GVariant *facts)
{
    g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
    g_autofree const char **endpoints = NULL;
    const char *kind = kind_word (facts);
    const char *interface = NULL, *id = NULL;

    if (kind != NULL)
        g_ptr_array_add (parts, g_strdup (kind));
    if (g_variant_lookup (facts, "interface", "&s", &interface)
        && g_variant_lookup (facts, "id", "&s", &id) && !g_str_equal (interface, id))
        g_ptr_array_add (parts, g_strdup (interface));
    if (g_variant_lookup (facts, "endpoints", "^a&s", &endpoints))
        for (gsize i = 0; endpoints[i] != NULL; i++)
            g_ptr_array_add (parts, g_strdup (endpoints[i]));
    return join (parts, " · ");
}

static char *
ago (gint64 seconds)
{
    if (seconds < 60)
        return g_strdup_printf (ngettext ("%d second ago", "%d seconds ago", MAX (seconds, 0)),
                                (int)MAX (seconds, 0));
    if (seconds < 3600)
        return g_strdup_printf (ngettext ("%d minute ago", "%d minutes ago", seconds / 60),
                                (int)(seconds / 60));
    return g_strdup_printf (ngettext ("%d hour ago", "%d hours ago", seconds / 3600),
                            (int)MIN (seconds / 3600, G_MAXINT));
}

char *
bulkhead_tunnel_text_presence (GVariant *facts)
{
    gboolean up = FALSE, present = FALSE;

    g_variant_lookup (facts, "up", "b", &up);
    g_variant_lookup (facts, "present", "b", &present);
    if (up)
        return g_strdup (C_ ("tunnel", "Up"));
    return g_strdup (present ? C_ ("tunnel", "Down") : C_ ("tunnel", "Not there"));
}

static char *
presence_since (GVariant *facts, gint64 now)
{
    gboolean up = FALSE;
    gint64 since = 0;
    g_autofree char *time = NULL;

    g_variant_lookup (facts, "up", "b", &up);
    g_variant_lookup (facts, "since", "x", &since);
    if (!up || since <= 0)
        return bulkhead_tunnel_text_presence (facts);
    time = bulkhead_words_moment (since, now);
    /* Translators: %s is a time. */
    return g_strdup_printf (_ ("Up since %s"), time);
}

char *
bulkhead_tunnel_text_life (GVariant *facts, gint64 now)
{
    g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
    guint64 received = 0, sent = 0;
    gint64 handshake = 0;

    g_ptr_array_add (parts, presence_since (facts, now));
    g_variant_lookup (facts, "received", "t", &received);
    g_variant_lookup (facts, "sent", "t", &sent);
    if (received > 0 || sent > 0) {
        g_autofree char *in = g_format_size (received);
        g_autofree char *out = g_format_size (sent);

        /* Translators: both are sizes, such as "1.2 MB". */
        g_ptr_array_add (parts, g_strdup_printf (_ ("received %s, sent %s"), in, out));
    }
    if (g_variant_lookup (facts, "handshake", "x", &handshake) && handshake > 0) {
        g_autofree char *when = ago (now - handshake);

        /* Translators: %s is like "12 seconds ago". */
        g_ptr_array_add (parts, g_strdup_printf (_ ("last handshake %s"), when));
    }
    return join (parts, _ (", "));
}

char *
bulkhead_tunnel_text_binding (GVariant *facts)
{
    g_autofree const char **endpoints = NULL;
    guint32 mark = 0, user = 0;
    g_autofree char *name = NULL;

    g_variant_lookup (facts, "endpoints", "^a&s", &endpoints);
    if (endpoints == NULL || endpoints[0] == NULL)
        return g_strdup (_ ("It has no server address: it can be reached only through another "
                            "tunnel or the local network."));
    g_variant_lookup (facts, "mark", "u", &mark);
    if (mark != 0)
        /* Translators: the number is a firewall mark. */
        return g_strdup_printf (_ ("Only packets with the mark 0x%x may reach its server."), mark);
    g_variant_lookup (facts, "user", "u", &user);
    name = bulkhead_user_name (user);
    if (name == NULL)
        name = g_strdup_printf ("%u", user);
    /* Translators: %s is the name of a user of this computer. */
    return g_strdup_printf (_ ("Only programs of the user %s may reach its server."), name);
}

char *
bulkhead_text_minutes (guint minutes)
{
    if (minutes % 60 != 0)
        return g_strdup_printf (ngettext ("%u minute", "%u minutes", minutes), minutes);
    return g_strdup_printf (ngettext ("%u hour", "%u hours", minutes / 60), minutes / 60);
}
