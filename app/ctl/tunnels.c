/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"

static const GOptionEntry no_options[] = { { NULL } };

/* By the number of the kind. */
static const char *const kinds[] = { "unknown", "wireguard", "openvpn", "other" };

static const char *
kind_to_string (guint32 kind)
{
    return kinds[kind < G_N_ELEMENTS (kinds) ? kind : 0];
}

void
bulkhead_tunnels_json_set (JsonObject *object, GVariant *tunnels)
{
    JsonArray *array = json_array_new ();

    for (gsize i = 0; i < g_variant_n_children (tunnels); i++) {
        g_autoptr (GVariant) tunnel = g_variant_get_child_value (tunnels, i);
        JsonNode *node = json_gvariant_serialize (tunnel);

        json_object_set_string_member (json_node_get_object (node), "kind",
                                       kind_to_string (bulkhead_get_number (tunnel, "kind")));
        json_array_add_element (array, node);
    }
    json_object_set_array_member (object, "tunnels", array);
}

static void
print_tunnel (GVariant *tunnel)
{
    g_autofree char *id = bulkhead_get_text (tunnel, "id");
    g_autofree char *interface = bulkhead_get_text (tunnel, "interface");
    g_autoptr (GVariant) endpoints = bulkhead_get_array (tunnel, "endpoints", "as");
    g_autofree const char **list = g_variant_get_strv (endpoints, NULL);
    g_autofree char *joined = g_strjoinv (" ", (char **)list);
    g_autofree char *line =
        g_strdup_printf ("%-20s %-15s %-10s %-8s %-7s %s", id, interface,
                         kind_to_string (bulkhead_get_number (tunnel, "kind")),
                         bulkhead_get_flag (tunnel, "trusted") ? "trusted" : "found",
                         bulkhead_tunnel_state (tunnel), joined);
    g_autofree char *clean = bulkhead_one_line (line);

    bulkhead_print (g_strchomp (clean));
    bulkhead_print ("\n");
}

void
bulkhead_run_tunnels_list (BulkheadCtl *ctl, GError **error)
{
    g_autoptr (GVariant) tunnels = NULL;

    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    tunnels = bulkhead_call (ctl, "ListTunnels", NULL, "(aa{sv})", error);
    if (tunnels == NULL)
        return;
    if (ctl->reply != NULL) {
        bulkhead_tunnels_json_set (ctl->reply, tunnels);
        return;
    }
    for (gsize i = 0; i < g_variant_n_children (tunnels); i++) {
        g_autoptr (GVariant) tunnel = g_variant_get_child_value (tunnels, i);

        print_tunnel (tunnel);
    }
}

static gboolean
parse_kind (const char *text, guint32 *ret, GError **error)
{
    for (guint32 i = 1; i < G_N_ELEMENTS (kinds); i++)
        if (g_str_equal (text, kinds[i])) {
            *ret = i;
            return TRUE;
        }
    g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                 "--kind %s: not wireguard, openvpn or other", text);
    return FALSE;
}

typedef struct {
    char *interface;
    GStrv endpoints;
    char *mark;
    char *user;
    char *kind;
} AddOptions;

static void
add_options_clear (AddOptions *options)
{
    g_free (options->interface);
    g_strfreev (options->endpoints);
    g_free (options->mark);
    g_free (options->user);
    g_free (options->kind);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AddOptions, add_options_clear)

/* The text of names and endpoints is the helper's to judge; only numbers are made here. */
static GVariant *
make_tunnel (const char *name, const AddOptions *options, GError **error)
{
    g_autoptr (GVariantDict) tunnel = g_variant_dict_new (NULL);
    const char *const none[] = { NULL };
    guint32 number;

    g_variant_dict_insert (tunnel, "name", "s", name);
    g_variant_dict_insert (tunnel, "interface", "s", options->interface);
    g_variant_dict_insert (tunnel, "endpoints", "^as",
                           options->endpoints != NULL ? options->endpoints : (GStrv)none);
    if (options->mark != NULL) {
        if (!bulkhead_parse_number ("--mark", options->mark, 1, G_MAXUINT32, &number, error))
            return NULL;
        g_variant_dict_insert (tunnel, "mark", "u", number);
    }
    if (options->user != NULL) {
        if (!bulkhead_parse_user ("--user", options->user, &number, error))
            return NULL;
        g_variant_dict_insert (tunnel, "user", "u", number);
    }
    if (options->kind != NULL) {
        if (!parse_kind (options->kind, &number, error))
            return NULL;
        g_variant_dict_insert (tunnel, "kind", "u", number);
    }
    return g_variant_ref_sink (g_variant_dict_end (tunnel));
}

void
bulkhead_run_tunnels_add (BulkheadCtl *ctl, GError **error)
{
    g_auto (AddOptions) options = { NULL };
    g_auto (GStrv) args = NULL;
    g_autoptr (GVariant) tunnel = NULL;
    const GOptionEntry entries[] = {
        { .long_name = "interface",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.interface,
          .arg_description = "IFNAME",
          .description = "The tunnel's network interface (required)" },
        { .long_name = "endpoint",
          .arg = G_OPTION_ARG_FILENAME_ARRAY,
          .arg_data = &options.endpoints,
          .arg_description = "ENDPOINT",
          .description = "A server, as 203.0.113.5:51820/udp (repeatable)" },
        { .long_name = "mark",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.mark,
          .arg_description = "MARK",
          .description = "The firewall mark of the tunnel's own packets, as 0xca6c" },
        { .long_name = "user",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.user,
          .arg_description = "USER",
          .description = "Without a mark: who may send to the servers (default root)" },
        { .long_name = "kind",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.kind,
          .arg_description = "KIND",
          .description = "wireguard, openvpn or other" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 1, 1, &args, error))
        return;
    if (options.interface == NULL) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                             "--interface is missing");
        return;
    }
    tunnel = make_tunnel (args[0], &options, error);
    if (tunnel != NULL)
        bulkhead_command (ctl, "AddTunnel", g_variant_new ("(@a{sv})", tunnel), error);
}

static void
command_on_id (BulkheadCtl *ctl, const char *method, GError **error)
{
    g_auto (GStrv) args = NULL;

    if (bulkhead_parse (ctl, no_options, 1, 1, &args, error))
        bulkhead_command (ctl, method, g_variant_new ("(s)", args[0]), error);
}

void
bulkhead_run_tunnels_trust (BulkheadCtl *ctl, GError **error)
{
    command_on_id (ctl, "TrustTunnel", error);
}

void
bulkhead_run_tunnels_forget (BulkheadCtl *ctl, GError **error)
{
    command_on_id (ctl, "ForgetTunnel", error);
}
