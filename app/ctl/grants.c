/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs about who may open the lock without a password. */
#include "ctl.h"

#include <unistd.h>

static const GOptionEntry no_options[] = { { NULL } };

void
bulkhead_run_authorize (BulkheadCtl *ctl, GError **error)
{
    if (bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        bulkhead_command (ctl, "Authorize", NULL, error);
}

void
bulkhead_run_revoke (BulkheadCtl *ctl, GError **error)
{
    g_auto (GStrv) args = NULL;
    guint32 uid = getuid ();

    if (!bulkhead_parse (ctl, no_options, 0, 1, &args, error)
        || (args[0] != NULL && !bulkhead_parse_user ("revoke", args[0], &uid, error)))
        return;
    bulkhead_command (ctl, "Revoke", g_variant_new ("(u)", uid), error);
}

static void
print_grant (guint32 uid, const char *name, gint64 since)
{
    g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (since);
    g_autofree char *date = time != NULL ? g_date_time_format (time, "%F %T") : g_strdup ("?");
    g_autofree char *line = g_strdup_printf ("%-20s %-10u since %s", name, uid, date);
    g_autofree char *clean = bulkhead_one_line (line);

    bulkhead_print (clean);
    bulkhead_print ("\n");
}

void
bulkhead_run_grants (BulkheadCtl *ctl, GError **error)
{
    g_autoptr (GVariant) grants = NULL;
    g_autoptr (JsonArray) array = json_array_new ();
    GVariantIter iter;
    const char *name;
    gint64 since;
    guint32 uid;

    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    grants = bulkhead_call (ctl, "ListGrants", NULL, "(a(usx))", error);
    if (grants == NULL)
        return;
    g_variant_iter_init (&iter, grants);
    while (g_variant_iter_next (&iter, "(u&sx)", &uid, &name, &since)) {
        JsonObject *object = json_object_new ();

        json_object_set_string_member (object, "name", name);
        json_object_set_int_member (object, "user", uid);
        json_object_set_int_member (object, "since", since);
        json_array_add_object_element (array, object);
        if (ctl->reply == NULL)
            print_grant (uid, name, since);
    }
    if (ctl->reply != NULL)
        json_object_set_array_member (ctl->reply, "grants", g_steal_pointer (&array));
}
