/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnel.h"

struct _BulkheadTunnel {
    GObject parent_instance;
    GVariant *facts;
    char *id;
};

enum { PROP_FACTS = 1, N_PROPS };

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (BulkheadTunnel, bulkhead_tunnel, G_TYPE_OBJECT)

static gboolean
get_flag (BulkheadTunnel *self, const char *key)
{
    gboolean flag = FALSE;

    g_variant_lookup (self->facts, key, "b", &flag);
    return flag;
}

GVariant *
bulkhead_tunnel_get_facts (BulkheadTunnel *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL (self), NULL);

    return self->facts;
}

const char *
bulkhead_tunnel_get_id (BulkheadTunnel *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL (self), NULL);

    return self->id;
}

gboolean
bulkhead_tunnel_is_trusted (BulkheadTunnel *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL (self), FALSE);

    return get_flag (self, "trusted");
}

gboolean
bulkhead_tunnel_is_up (BulkheadTunnel *self)
{
    g_return_val_if_fail (BULKHEAD_IS_TUNNEL (self), FALSE);

    return get_flag (self, "up");
}

void
bulkhead_tunnel_set_facts (BulkheadTunnel *self, GVariant *facts)
{
    g_return_if_fail (BULKHEAD_IS_TUNNEL (self));

    g_variant_unref (self->facts);
    self->facts = g_variant_ref (facts);
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FACTS]);
}

BulkheadTunnel *
bulkhead_tunnel_new (GVariant *facts)
{
    BulkheadTunnel *self = g_object_new (BULKHEAD_TYPE_TUNNEL, NULL);

    self->facts = g_variant_ref (facts);
    self->id = bulkhead_tunnel_dup_id (facts);
    return self;
}

char *
bulkhead_tunnel_dup_id (GVariant *facts)
{
    char *id = NULL;

    g_variant_lookup (facts, "id", "s", &id);
    return id != NULL ? id : g_strdup ("");
}

static void
bulkhead_tunnel_finalize (GObject *object)
{
    BulkheadTunnel *self = BULKHEAD_TUNNEL (object);

    g_variant_unref (self->facts);
    g_free (self->id);
    G_OBJECT_CLASS (bulkhead_tunnel_parent_class)->finalize (object);
}

static void
bulkhead_tunnel_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_variant (value, BULKHEAD_TUNNEL (object)->facts);
}

static void
bulkhead_tunnel_class_init (BulkheadTunnelClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS (class);

    object_class->finalize = bulkhead_tunnel_finalize;
    object_class->get_property = bulkhead_tunnel_get_property;
    properties[PROP_FACTS] = g_param_spec_variant ("facts", NULL, NULL, G_VARIANT_TYPE_VARDICT,
                                                   NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bulkhead_tunnel_init (BulkheadTunnel *self)
{
}
