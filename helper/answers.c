/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answers.h"

#include "clock.h"
#include "found.h"

static void
add (GVariantBuilder *builder, const char *key, GVariant *value)
{
    g_variant_builder_add (builder, "{sv}", key, value);
}

/* A link's name may be any bytes; the bus takes only text. */
static GVariant *
new_string (const char *text)
{
    return g_variant_new_take_string (g_utf8_make_valid (text, -1));
}

static gboolean
has_endpoint (const GArray *endpoints, const BulkheadEndpoint *endpoint)
{
    for (guint i = 0; i < endpoints->len; i++)
        if (bulkhead_endpoint_compare (&g_array_index (endpoints, BulkheadEndpoint, i), endpoint)
            == 0)
            return TRUE;
    return FALSE;
}

/* The ones the user gave and, behind them, those that WireGuard tells besides. */
static GVariant *
describe_endpoints (const BulkheadTunnel *tunnel, const BulkheadWireguard *wireguard,
                    gboolean addresses)
{
    const GArray *both[] = { tunnel->endpoints, wireguard != NULL ? wireguard->endpoints : NULL };
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

    for (gsize list = 0; addresses && list < G_N_ELEMENTS (both) && both[list] != NULL; list++) {
        for (guint i = 0; i < both[list]->len; i++) {
            const BulkheadEndpoint *endpoint = &g_array_index (both[list], BulkheadEndpoint, i);
            g_autofree char *text = bulkhead_endpoint_to_string (endpoint);

            if (list == 0 || !has_endpoint (tunnel->endpoints, endpoint))
                g_variant_builder_add (&builder, "s", text);
        }
    }
    return g_variant_builder_end (&builder);
}

static GVariant *
describe_tunnel (BulkheadLock *lock, const BulkheadTunnel *tunnel, gboolean trusted,
                 gboolean addresses)
{
    static const BulkheadWireguard nothing = { 0 };
    static const BulkheadLink no_link = { 0 };
    const BulkheadNet *net = bulkhead_lock_get_net (lock);
    const BulkheadWireguard *wireguard = bulkhead_net_find_wireguard (net, tunnel->interface);
    const BulkheadWireguard *seen = wireguard != NULL ? wireguard : &nothing;
    const BulkheadLink *present = bulkhead_net_find_link (net, tunnel->interface);
    const BulkheadLink *link = present != NULL ? present : &no_link;
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

    add (&builder, "id", new_string (tunnel->name));
    add (&builder, "interface", new_string (tunnel->interface));
    add (&builder, "kind", g_variant_new_uint32 (tunnel->kind));
    add (&builder, "trusted", g_variant_new_boolean (trusted));
    add (&builder, "present", g_variant_new_boolean (present != NULL));
    add (&builder, "up", g_variant_new_boolean (bulkhead_lock_tunnel_is_up (lock, tunnel)));
    add (&builder, "endpoints", describe_endpoints (tunnel, wireguard, addresses));
    add (&builder, "mark", g_variant_new_uint32 (tunnel->mark != 0 ? tunnel->mark : seen->mark));
    add (&builder, "user", g_variant_new_uint32 (tunnel->uid));
    add (&builder, "handshake", g_variant_new_int64 (seen->handshake));
    add (&builder, "since",
         g_variant_new_int64 (trusted ? bulkhead_lock_tunnel_since (lock, tunnel) : 0));
    /* WireGuard's own count is the one that wg shows. */
    add (&builder, "received",
         g_variant_new_uint64 (wireguard != NULL ? wireguard->received : link->received));
    add (&builder, "sent", g_variant_new_uint64 (wireguard != NULL ? wireguard->sent : link->sent));
    return g_variant_builder_end (&builder);
}

static void
add_trusted (GVariantBuilder *builder, BulkheadLock *lock, gboolean addresses)
{
    const GPtrArray *tunnels = bulkhead_lock_get_policy (lock)->tunnels;

    for (guint i = 0; i < tunnels->len; i++)
        g_variant_builder_add_value (builder,
                                     describe_tunnel (lock, tunnels->pdata[i], TRUE, addresses));
}

static void
add_found (GVariantBuilder *builder, BulkheadLock *lock, gboolean addresses)
{
    const BulkheadPolicy *policy = bulkhead_lock_get_policy (lock);
    const BulkheadNet *net = bulkhead_lock_get_net (lock);

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];
        g_autoptr (BulkheadTunnel) tunnel = NULL;

        if (!bulkhead_link_may_be_tunnel (link)
            || bulkhead_policy_find_interface (policy, link->name) != NULL)
            continue;
        tunnel = bulkhead_found_tunnel (net, link->name);
        g_variant_builder_add_value (builder, describe_tunnel (lock, tunnel, FALSE, addresses));
    }
}

static GVariant *
describe_blocked (const BulkheadBlockedEntry *entry)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

    add (&builder, "address",
         g_variant_new_take_string (bulkhead_address_to_string (&entry->address)));
    add (&builder, "protocol",
         g_variant_new_take_string (bulkhead_packet_protocol_to_string (entry->protocol)));
    add (&builder, "port", g_variant_new_uint16 (entry->port));
    add (&builder, "uid", g_variant_new_uint32 (entry->uid));
    add (&builder, "program", g_variant_new_string (entry->program));
    add (&builder, "count", g_variant_new_uint64 (entry->count));
    add (&builder, "first", g_variant_new_int64 (entry->first));
    add (&builder, "last", g_variant_new_int64 (entry->last));
    return g_variant_builder_end (&builder);
}

GVariant *
bulkhead_answer_blocked (const BulkheadBlocked *blocked, guint32 uid)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

    for (guint i = 0; i < bulkhead_blocked_get_length (blocked); i++) {
        const BulkheadBlockedEntry *entry = bulkhead_blocked_get (blocked, i);

        if (uid == 0 || (entry->uid == uid && uid != BULKHEAD_BLOCKED_NO_USER))
            g_variant_builder_add_value (&builder, describe_blocked (entry));
    }
    return g_variant_builder_end (&builder);
}

/* A caller who may see no addresses may not keep the helper busy either. */
static gint64
max_age (gboolean addresses)
{
    return addresses ? 0 : G_USEC_PER_SEC;
}

GVariant *
bulkhead_answer_tunnels (BulkheadLock *lock, gboolean addresses)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

    bulkhead_lock_refresh (lock, max_age (addresses));
    add_trusted (&builder, lock, addresses);
    add_found (&builder, lock, addresses);
    return g_variant_builder_end (&builder);
}

/* A trusted tunnel that holds the default route leads outside too, but as it should. */
static GVariant *
list_uplinks (const BulkheadPolicy *policy, const BulkheadNet *net)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

    for (guint i = 0; i < net->links->len; i++) {
        const BulkheadLink *link = net->links->pdata[i];

        if (link->uplink
            && !(bulkhead_link_may_be_trusted (link)
                 && bulkhead_policy_find_interface (policy, link->name) != NULL))
            g_variant_builder_add_value (&builder, new_string (link->name));
    }
    return g_variant_builder_end (&builder);
}

static GVariant *
list_weakened (const BulkheadNet *net)
{
    static const struct {
        BulkheadFeatures feature;
        const char *word;
    } features[] = {
        { BULKHEAD_FEATURE_EGRESS, "egress" },
        { BULKHEAD_FEATURE_LOG, "log" },
        { BULKHEAD_FEATURE_OWNER, "owner" },
    };
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

    for (gsize i = 0; i < G_N_ELEMENTS (features); i++)
        if (!(net->features & features[i].feature))
            g_variant_builder_add (&builder, "s", features[i].word);
    return g_variant_builder_end (&builder);
}

/* A problem quotes the rule it is about, and a rule may hold an address. */
static const char *
phrase_problem (BulkheadLock *lock, const char *problem, gboolean addresses)
{
    if (addresses || problem[0] == '\0')
        return problem;
    return bulkhead_lock_is_closed (lock)
               ? "everything is blocked, tunnels too: the kernel does not take the lock"
               : "the kernel does not enforce the lock";
}

/* A policy file that cannot be used is quoted, and what is in it may hold an address. */
static const char *
phrase_managed_problem (const char *problem, gboolean addresses)
{
    if (problem == NULL)
        return "";
    return addresses ? problem : "a policy file of the administrator's cannot be used";
}

gboolean
bulkhead_answer_verify (BulkheadLock *lock, gboolean addresses, char **ret_problem)
{
    g_autoptr (GError) error = NULL;
    gboolean enforced = bulkhead_lock_verify (lock, max_age (addresses), &error);

    *ret_problem = g_strdup (phrase_problem (lock, enforced ? "" : error->message, addresses));
    return enforced;
}

/* Seconds that the pause still has, rounded up; 0: there is none. */
static guint
paused_seconds (BulkheadLock *lock)
{
    const BulkheadPolicy *policy = bulkhead_lock_get_policy (lock);
    gint64 left = policy->pause_until - bulkhead_boottime ();

    if (policy->pause_seconds == 0 || left <= 0)
        return 0;
    return (left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
}

GVariant *
bulkhead_answer_status (BulkheadLock *lock, BulkheadAtBoot *at_boot, gboolean addresses)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
    GVariantBuilder tunnels = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
    const char *problem;
    const BulkheadManaged *managed = bulkhead_lock_get_managed (lock);
    const BulkheadPolicy *policy;
    const BulkheadNet *net;
    g_auto (GStrv) fixed = NULL;

    /* This may change the state, so it comes before it is told. */
    bulkhead_lock_refresh (lock, max_age (addresses));
    policy = bulkhead_lock_get_policy (lock);
    net = bulkhead_lock_get_net (lock);
    problem = bulkhead_lock_get_problem (lock);
    add_trusted (&tunnels, lock, addresses);
    add (&builder, "state", g_variant_new_uint32 (bulkhead_lock_get_state (lock)));
    add (&builder, "locked", g_variant_new_boolean (policy->locked));
    add (&builder, "enforced", g_variant_new_boolean (problem[0] == '\0'));
    add (&builder, "paused_seconds", g_variant_new_uint32 (paused_seconds (lock)));
    add (&builder, "at_boot", g_variant_new_boolean (bulkhead_at_boot_is_on (at_boot)));
    add (&builder, "lan", g_variant_new_boolean (policy->lan));
    add (&builder, "lan_cgnat", g_variant_new_boolean (policy->lan_cgnat));
    add (&builder, "lan_port_mapping", g_variant_new_boolean (policy->lan_port_mapping));
    add (&builder, "exceptions", g_variant_new_uint32 (policy->exceptions->len));
    add (&builder, "tunnels", g_variant_builder_end (&tunnels));
    add (&builder, "uplinks", list_uplinks (policy, net));
    add (&builder, "weakened", list_weakened (net));
    add (&builder, "closed", g_variant_new_boolean (bulkhead_lock_is_closed (lock)));
    add (&builder, "problem", g_variant_new_string (phrase_problem (lock, problem, addresses)));
    fixed = bulkhead_managed_list (managed);
    add (&builder, "fixed", g_variant_new_strv ((const char *const *)fixed, -1));
    add (&builder, "managed_problem",
         new_string (phrase_managed_problem (managed->problem, addresses)));
    add (&builder, "version", g_variant_new_string (BULKHEAD_VERSION));
    return g_variant_builder_end (&builder);
}
