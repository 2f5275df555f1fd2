/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verb about what the lock refused. */
#include "ctl.h"

#include "user.h"

#define NO_USER G_MAXUINT32

static const GOptionEntry no_options[] = { { NULL } };

static const char *
get_text (GVariant *entry, const char *key)
{
    const char *text = "";

    g_variant_lookup (entry, key, "&s", &text);
    return text;
}

/* (transfer full) */
static char *
name_of_user (guint32 uid)
{
    char *name = uid != NO_USER ? bulkhead_user_name (uid) : g_strdup ("-");

    return name != NULL ? name : g_strdup_printf ("%u", uid);
}

/* What it was refused: "198.51.100.7 tcp 443", as an exception is written. (transfer full) */
static char *
destination_of (GVariant *entry)
{
    const char *address = get_text (entry, "address");
    const char *protocol = get_text (entry, "protocol");
    guint16 port = 0;

    g_variant_lookup (entry, "port", "q", &port);
    if (port == 0)
        return g_strdup_printf ("%s %s", address, protocol);
    return g_strdup_printf ("%s %s %u", address, protocol, port);
}

static void
print_entry (GVariant *entry)
{
    g_autofree char *destination = destination_of (entry);
    g_autofree char *user = NULL, *date = NULL, *line = NULL, *clean = NULL;
    g_autoptr (GDateTime) time = NULL;
    guint32 uid = NO_USER;
    guint64 count = 0;
    gint64 last = 0;

    g_variant_lookup (entry, "uid", "u", &uid);
    g_variant_lookup (entry, "count", "t", &count);
    g_variant_lookup (entry, "last", "x", &last);
    time = g_date_time_new_from_unix_local (last);
    date = time != NULL ? g_date_time_format (time, "%F %T") : g_strdup ("?");
    user = name_of_user (uid);
    line = g_strdup_printf ("%-19s  %8" G_GUINT64_FORMAT "  %-12s  %-30s  %s", date, count, user,
                            destination, get_text (entry, "program"));
    clean = bulkhead_one_line (line);
    bulkhead_print (g_strchomp (clean));
    bulkhead_print ("\n");
}

void
bulkhead_run_blocked (BulkheadCtl *ctl, GError **error)
{
    g_autoptr (GVariant) blocked = NULL;
    gsize n;

    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    blocked = bulkhead_call (ctl, "ListBlocked", NULL, "(aa{sv})", error);
    if (blocked == NULL)
        return;
    if (ctl->reply != NULL) {
        bulkhead_json_set (ctl->reply, "blocked", blocked);
        return;
    }
    n = g_variant_n_children (blocked);
    bulkhead_print (n == 0 ? "nothing was refused\n"
                           : "LAST                  PACKETS  USER          DESTINATION"
                             "                     PROGRAM\n");
    for (gsize i = 0; i < n; i++) {
        g_autoptr (GVariant) entry = g_variant_get_child_value (blocked, i);

        print_entry (entry);
    }
}
