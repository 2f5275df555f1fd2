/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs about the lock as a whole, the LAN bypass, and the start of the machine. */
#include "remote.h"

static const GOptionEntry no_options[] = { { NULL } };

static void
plain_command (BulkheadCtl *ctl, const char *method, GError **error)
{
    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    bulkhead_command (ctl, method, NULL, error);
}

void
bulkhead_run_lock (BulkheadCtl *ctl, GError **error)
{
    gboolean yes = FALSE;
    const GOptionEntry entries[] = {
        { .long_name = "yes",
          .arg = G_OPTION_ARG_NONE,
          .arg_data = &yes,
          .description = "Lock also when that ends the SSH session this runs in" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error))
        return;
    if (!yes && !bulkhead_remote_agrees (ctl))
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED, "not locked");
    else
        bulkhead_command (ctl, "Lock", NULL, error);
}

void
bulkhead_run_unlock (BulkheadCtl *ctl, GError **error)
{
    plain_command (ctl, "Unlock", error);
}

void
bulkhead_run_resume (BulkheadCtl *ctl, GError **error)
{
    plain_command (ctl, "Resume", error);
}

void
bulkhead_run_pause (BulkheadCtl *ctl, GError **error)
{
    g_auto (GStrv) args = NULL;
    guint32 seconds;

    if (!bulkhead_parse (ctl, no_options, 1, 1, &args, error)
        || !bulkhead_parse_seconds ("pause", args[0], &seconds, error))
        return;
    bulkhead_command (ctl, "Pause", g_variant_new ("(u)", seconds), error);
}

void
bulkhead_run_rules (BulkheadCtl *ctl, GError **error)
{
    g_autoptr (GVariant) rules = NULL;

    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    rules = bulkhead_call (ctl, "GetRules", NULL, "(s)", error);
    if (rules == NULL)
        return;
    if (ctl->reply != NULL)
        bulkhead_json_set (ctl->reply, "rules", rules);
    else
        bulkhead_print (g_variant_get_string (rules, NULL));
}

/* Left out means as before, so an option that was not given is not sent. */
static gboolean
add_flag (GVariantDict *options, const char *key, const char *name, const char *text,
          GError **error)
{
    gboolean on;

    if (text == NULL)
        return TRUE;
    if (!bulkhead_parse_on_off (name, text, &on, error))
        return FALSE;
    g_variant_dict_insert (options, key, "b", on);
    return TRUE;
}

void
bulkhead_run_lan (BulkheadCtl *ctl, GError **error)
{
    g_autofree char *cgnat = NULL;
    g_autofree char *port_mapping = NULL;
    g_auto (GStrv) args = NULL;
    g_autoptr (GVariantDict) options = g_variant_dict_new (NULL);
    gboolean on;
    const GOptionEntry entries[] = {
        { .long_name = "cgnat",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &cgnat,
          .arg_description = "on|off",
          .description = "Count 100.64.0.0/10 as LAN" },
        { .long_name = "port-mapping",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &port_mapping,
          .arg_description = "on|off",
          .description = "Let NAT-PMP, PCP and UPnP reach the router" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 1, 1, &args, error)
        || !bulkhead_parse_on_off ("lan", args[0], &on, error)
        || !add_flag (options, "cgnat", "--cgnat", cgnat, error)
        || !add_flag (options, "port_mapping", "--port-mapping", port_mapping, error))
        return;
    bulkhead_command (ctl, "SetLan", g_variant_new ("(b@a{sv})", on, g_variant_dict_end (options)),
                      error);
}

void
bulkhead_run_boot (BulkheadCtl *ctl, GError **error)
{
    g_auto (GStrv) args = NULL;
    gboolean on;

    if (!bulkhead_parse (ctl, no_options, 1, 1, &args, error)
        || !bulkhead_parse_on_off ("boot", args[0], &on, error))
        return;
    bulkhead_command (ctl, "SetAtBoot", g_variant_new ("(b)", on), error);
}
