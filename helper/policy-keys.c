/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy-keys.h"

#include "error.h"

#include <string.h>

static const char *const kinds[] = {
    [BULKHEAD_TUNNEL_UNKNOWN] = "unknown",
    [BULKHEAD_TUNNEL_WIREGUARD] = "wireguard",
    [BULKHEAD_TUNNEL_OPENVPN] = "openvpn",
    [BULKHEAD_TUNNEL_OTHER] = "other",
};

const char *
bulkhead_keys_kind (BulkheadTunnelKind kind)
{
    return kinds[kind];
}

gboolean
bulkhead_keys_refuse (GError **error, const char *group, const char *key, const char *value,
                      const char *reason)
{
    g_autofree char *where =
        g_strdup_printf ("[%s]%s%s", group, key != NULL ? " " : "", key != NULL ? key : "");

    if (value != NULL)
        return bulkhead_error_set_value (error, BULKHEAD_ERROR_STATE_UNREADABLE, where, value,
                                         reason);

    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE, "%s: %s", where, reason);
    return FALSE;
}

gboolean
bulkhead_keys_refuse_cause (GError **error, const char *group, const char *key, GError *cause)
{
    bulkhead_keys_refuse (error, group, key, NULL, cause->message);
    g_error_free (cause);
    return FALSE;
}

char *
bulkhead_keys_value (GKeyFile *file, const char *group, const char *key, GError **error)
{
    char *value = g_key_file_get_value (file, group, key, NULL);

    if (value == NULL)
        bulkhead_keys_refuse (error, group, key, NULL, "is missing");
    return value;
}

gboolean
bulkhead_keys_boolean (GKeyFile *file, const char *key, gboolean *ret, GError **error)
{
    g_autofree char *value = bulkhead_keys_value (file, BULKHEAD_KEYS_MAIN, key, error);

    if (value == NULL)
        return FALSE;
    if (!g_str_equal (value, "true") && !g_str_equal (value, "false"))
        return bulkhead_keys_refuse (error, BULKHEAD_KEYS_MAIN, key, value,
                                     "must be true or false");

    *ret = g_str_equal (value, "true");
    return TRUE;
}

static gboolean
read_number (GKeyFile *file, const char *group, const char *key, guint32 *ret, GError **error)
{
    g_autofree char *value = bulkhead_keys_value (file, group, key, error);
    guint64 number;

    if (value == NULL)
        return FALSE;
    if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32, &number, NULL))
        return bulkhead_keys_refuse (error, group, key, value,
                                     "must be a number from 0 to 4294967295");

    *ret = number;
    return TRUE;
}

static gboolean
read_kind (GKeyFile *file, const char *group, BulkheadTunnelKind *ret, GError **error)
{
    g_autofree char *value = bulkhead_keys_value (file, group, "kind", error);

    if (value == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
        if (g_str_equal (value, kinds[i])) {
            *ret = i;
            return TRUE;
        }
    }
    return bulkhead_keys_refuse (error, group, "kind", value, "is no kind of tunnel");
}

static gboolean
read_endpoints (GKeyFile *file, const char *group, GArray *endpoints, GError **error)
{
    g_auto (GStrv) items = g_key_file_get_string_list (file, group, "endpoints", NULL, NULL);

    if (items == NULL)
        return bulkhead_keys_refuse (error, group, "endpoints", NULL, "is missing or no list");
    for (gsize i = 0; items[i] != NULL; i++) {
        BulkheadEndpoint endpoint;
        GError *cause = NULL;

        if (!bulkhead_endpoint_parse (items[i], &endpoint, &cause))
            return bulkhead_keys_refuse_cause (error, group, "endpoints", cause);
        g_array_append_val (endpoints, endpoint);
    }
    return TRUE;
}

static gboolean
read_networks (GKeyFile *file, const char *group, GArray *networks, GError **error)
{
    g_auto (GStrv) items = g_key_file_get_string_list (file, group, "networks", NULL, NULL);

    if (items == NULL)
        return bulkhead_keys_refuse (error, group, "networks", NULL, "is missing or no list");
    for (gsize i = 0; items[i] != NULL; i++) {
        BulkheadPrefix network;

        if (!bulkhead_prefix_parse (items[i], &network))
            return bulkhead_keys_refuse (error, group, "networks", items[i],
                                         "is no address and no network");
        g_array_append_val (networks, network);
    }
    return TRUE;
}

BulkheadTunnel *
bulkhead_keys_tunnel (GKeyFile *file, const char *group, GError **error)
{
    const char *name = group + strlen (BULKHEAD_KEYS_TUNNEL_PREFIX);
    g_autofree char *interface = NULL;
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    GError *cause = NULL;

    if (!bulkhead_tunnel_name_check (name, &cause)) {
        bulkhead_keys_refuse_cause (error, "tunnel", "name", cause);
        return NULL;
    }
    interface = bulkhead_keys_value (file, group, "interface", error);
    if (interface == NULL)
        return NULL;
    tunnel = bulkhead_tunnel_new (name, interface);
    if (!read_kind (file, group, &tunnel->kind, error)
        || !read_endpoints (file, group, tunnel->endpoints, error)
        || !read_networks (file, group, tunnel->networks, error)
        || !read_number (file, group, "mark", &tunnel->mark, error)
        || !read_number (file, group, "user", &tunnel->uid, error))
        return NULL;
    return g_steal_pointer (&tunnel);
}

/* "tcp" or "tcp-443". */
static gboolean
parse_service (const char *key, BulkheadException *ret)
{
    g_auto (GStrv) parts = g_strsplit (key, "-", 2);

    return bulkhead_protocol_parse (parts[0], &ret->protocol)
           && (parts[1] == NULL || bulkhead_port_parse (parts[1], &ret->port));
}

gboolean
bulkhead_keys_exceptions (GKeyFile *file, const char *key, GArray *exceptions, GError **error)
{
    g_auto (GStrv) items =
        g_key_file_get_string_list (file, BULKHEAD_KEYS_EXCEPTIONS, key, NULL, NULL);
    BulkheadException exception = { 0 };

    if (!parse_service (key, &exception))
        return bulkhead_keys_refuse (error, BULKHEAD_KEYS_EXCEPTIONS, "key", key, "is not known");
    if (items == NULL)
        return bulkhead_keys_refuse (error, BULKHEAD_KEYS_EXCEPTIONS, key, NULL, "is no list");

    for (gsize i = 0; items[i] != NULL; i++) {
        GError *cause = NULL;

        if (!bulkhead_prefix_parse (items[i], &exception.destination))
            return bulkhead_keys_refuse (error, BULKHEAD_KEYS_EXCEPTIONS, key, items[i],
                                         "is no address and no network");
        if (!bulkhead_exception_check (&exception, &cause))
            return bulkhead_keys_refuse_cause (error, BULKHEAD_KEYS_EXCEPTIONS, key, cause);
        g_array_append_val (exceptions, exception);
    }
    return TRUE;
}
