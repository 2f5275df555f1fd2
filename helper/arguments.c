/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arguments.h"

#include "error.h"

typedef struct {
    const char *key;
    const char *type;
    gboolean required;
} Field;

static gboolean
refuse (GError **error, const char *field, const char *value, const char *reason)
{
    return bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, field, value, reason);
}

static const Field *
find_field (const Field *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_equal (fields[i].key, key))
            return &fields[i];
    return NULL;
}

static gboolean
check_field (const Field *field, GVariant *value, GError **error)
{
    g_autofree char *reason = g_strdup_printf ("must be of type %s", field->type);

    return g_variant_is_of_type (value, G_VARIANT_TYPE (field->type))
           || refuse (error, "key", field->key, reason);
}

/* Afterwards every look-up of a field's key finds its type, at most once. */
static gboolean
check_options (GVariant *options, const Field *fields, gsize n, GError **error)
{
    guint seen = 0;

    for (gsize i = 0; i < g_variant_n_children (options); i++) {
        g_autoptr (GVariant) value = NULL;
        const Field *field;
        const char *key;

        g_variant_get_child (options, i, "{&sv}", &key, &value);
        field = find_field (fields, n, key);
        if (field == NULL)
            return refuse (error, "key", key, "is not known");
        if (seen & (1u << (field - fields)))
            return refuse (error, "key", key, "is given twice");
        seen |= 1u << (field - fields);
        if (!check_field (field, value, error))
            return FALSE;
    }
    for (gsize i = 0; i < n; i++)
        if (fields[i].required && !(seen & (1u << i)))
            return refuse (error, "key", fields[i].key, "is missing");
    return TRUE;
}

static gboolean
read_endpoints (GVariant *options, BulkheadTunnel *tunnel, GError **error)
{
    g_autofree const char **texts = NULL;

    g_variant_lookup (options, "endpoints", "^a&s", &texts);
    for (gsize i = 0; texts[i] != NULL; i++) {
        BulkheadEndpoint endpoint;

        if (!bulkhead_endpoint_parse (texts[i], &endpoint, error))
            return FALSE;
        g_array_append_val (tunnel->endpoints, endpoint);
    }
    return TRUE;
}

BulkheadTunnel *
bulkhead_arguments_tunnel (GVariant *options, gboolean *ret_has_kind, GError **error)
{
    static const Field fields[] = {
        { "name", "s", TRUE },
        { "interface", "s", TRUE },
        { "endpoints", "as", TRUE },
        { "mark", "u" },
        { "user", "u" },
        { "kind", "u" },
    };
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    const char *name, *interface;
    guint32 kind = BULKHEAD_TUNNEL_UNKNOWN;

    if (!check_options (options, fields, G_N_ELEMENTS (fields), error))
        return NULL;
    g_variant_lookup (options, "name", "&s", &name);
    g_variant_lookup (options, "interface", "&s", &interface);
    if (!bulkhead_interface_check (interface, error))
        return NULL;
    tunnel = bulkhead_tunnel_new (name, interface);
    if (!read_endpoints (options, tunnel, error))
        return NULL;
    g_variant_lookup (options, "mark", "u", &tunnel->mark);
    g_variant_lookup (options, "user", "u", &tunnel->uid);
    *ret_has_kind = g_variant_lookup (options, "kind", "u", &kind);
    tunnel->kind = kind;
    /* Not only when a policy takes it: its link is compared with its kind before. */
    return bulkhead_tunnel_check (tunnel, error) ? g_steal_pointer (&tunnel) : NULL;
}

gboolean
bulkhead_arguments_lan (GVariant *options, gboolean *cgnat, gboolean *port_mapping, GError **error)
{
    static const Field fields[] = { { "cgnat", "b" }, { "port_mapping", "b" } };

    if (!check_options (options, fields, G_N_ELEMENTS (fields), error))
        return FALSE;
    g_variant_lookup (options, "cgnat", "b", cgnat);
    g_variant_lookup (options, "port_mapping", "b", port_mapping);
    return TRUE;
}

GArray *
bulkhead_arguments_exceptions (GVariant *texts, GError **error)
{
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    GVariantIter iter;
    const char *text;

    g_variant_iter_init (&iter, texts);
    if (g_variant_iter_n_children (&iter) > BULKHEAD_EXCEPTIONS_MAX) {
        refuse (error, "key", "exceptions",
                "has more than " G_STRINGIFY (BULKHEAD_EXCEPTIONS_MAX) " of them");
        return NULL;
    }
    while (g_variant_iter_next (&iter, "&s", &text)) {
        BulkheadException exception;

        if (!bulkhead_exception_parse (text, &exception, error))
            return NULL;
        g_array_append_val (exceptions, exception);
    }
    return g_steal_pointer (&exceptions);
}
