/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scenario.h"

#include <string.h>

static const char *const link_types[] = {
    [BULKHEAD_LINK_OTHER] = "other",
    [BULKHEAD_LINK_LOOPBACK] = "loopback",
    [BULKHEAD_LINK_HARDWARE] = "hardware",
    [BULKHEAD_LINK_VLAN] = "vlan",
    [BULKHEAD_LINK_VETH] = "veth",
    [BULKHEAD_LINK_BRIDGE] = "bridge",
    [BULKHEAD_LINK_WIREGUARD] = "wireguard",
    [BULKHEAD_LINK_TUN] = "tun",
    [BULKHEAD_LINK_PPP] = "ppp",
};

static GStrv
strings (GKeyFile *file, const char *group, const char *key)
{
    GStrv list = g_key_file_get_string_list (file, group, key, NULL, NULL);

    return list != NULL ? list : g_new0 (char *, 1);
}

static BulkheadLinkType
link_type (GKeyFile *file, const char *group)
{
    g_autofree char *word = g_key_file_get_string (file, group, "type", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (link_types); i++)
        if (link_types[i] != NULL && g_strcmp0 (word, link_types[i]) == 0)
            return i;
    g_error ("%s: no link type “%s”", group, word);
}

/* An interface's own address keeps its host bits, which a prefix in a policy may not have. */
static BulkheadPrefix
own_address (const char *text)
{
    g_auto (GStrv) parts = g_strsplit (text, "/", 2);
    BulkheadPrefix prefix = { 0 };

    g_assert_true (bulkhead_address_parse (parts[0], &prefix.address));
    prefix.length = atoi (parts[1]);
    return prefix;
}

static BulkheadLink *
load_link (GKeyFile *file, const char *group)
{
    BulkheadLink *link = bulkhead_link_new (g_key_file_get_integer (file, group, "index", NULL),
                                            group + strlen ("link "), link_type (file, group));
    g_auto (GStrv) addresses = strings (file, group, "addresses");
    g_auto (GStrv) gateways = strings (file, group, "gateways");

    link->up = TRUE;
    link->forwards = g_key_file_get_boolean (file, group, "forwards", NULL);
    link->ethernet = link->type == BULKHEAD_LINK_HARDWARE || link->type == BULKHEAD_LINK_VLAN
                     || link->type == BULKHEAD_LINK_VETH || link->type == BULKHEAD_LINK_BRIDGE;
    link->master = g_key_file_get_integer (file, group, "master", NULL);
    for (guint i = 0; addresses[i] != NULL; i++) {
        BulkheadPrefix own = own_address (addresses[i]);
        BulkheadPrefix network = bulkhead_prefix_network (&own);

        g_array_append_val (link->addresses, own);
        g_array_append_val (link->onlink, network);
    }
    for (guint i = 0; gateways[i] != NULL; i++) {
        BulkheadAddress gateway;

        g_assert_true (bulkhead_address_parse (gateways[i], &gateway));
        g_array_append_val (link->gateways, gateway);
        link->default_route = TRUE;
    }
    return link;
}

static void
load_endpoints (GKeyFile *file, const char *group, GArray *endpoints)
{
    g_auto (GStrv) texts = strings (file, group, "endpoints");

    for (guint i = 0; texts[i] != NULL; i++) {
        g_autoptr (GError) error = NULL;
        BulkheadEndpoint endpoint;

        bulkhead_endpoint_parse (texts[i], &endpoint, &error);
        g_assert_no_error (error);
        g_array_append_val (endpoints, endpoint);
    }
}

static BulkheadWireguard *
load_wireguard (GKeyFile *file, const char *group)
{
    BulkheadWireguard *wireguard = bulkhead_wireguard_new (group + strlen ("wireguard "));

    wireguard->mark = g_key_file_get_uint64 (file, group, "mark", NULL);
    load_endpoints (file, group, wireguard->endpoints);
    return wireguard;
}

static void
take_policy (BulkheadPolicy **policy, BulkheadPolicy *next, GError *error)
{
    g_assert_no_error (error);
    g_assert_nonnull (next);
    bulkhead_policy_unref (*policy);
    *policy = next;
}

static void
load_tunnel (GKeyFile *file, const char *group, BulkheadPolicy **policy)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *interface = g_key_file_get_string (file, group, "interface", NULL);
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (group + strlen ("tunnel "), interface);
    g_auto (GStrv) networks = strings (file, group, "networks");

    for (guint i = 0; networks[i] != NULL; i++) {
        BulkheadPrefix network;

        g_assert_true (bulkhead_prefix_parse (networks[i], &network));
        g_array_append_val (tunnel->networks, network);
    }
    tunnel->mark = g_key_file_get_uint64 (file, group, "mark", NULL);
    tunnel->uid = g_key_file_get_uint64 (file, group, "user", NULL);
    load_endpoints (file, group, tunnel->endpoints);
    take_policy (policy, bulkhead_policy_with_tunnel (*policy, tunnel, &error), error);
}

/* "10000 single addresses": every second one, so that none of them merge. */
static void
many_exceptions (GArray *exceptions, guint n)
{
    for (guint i = 0; i < n; i++) {
        BulkheadException exception = { .destination = { .length = 32 } };
        guint32 be = GUINT32_TO_BE (0x64000000 + 2 * i); /* 100.0.0.0 and on */

        exception.destination.address.family = G_SOCKET_FAMILY_IPV4;
        memcpy (exception.destination.address.bytes, &be, sizeof be);
        g_array_append_val (exceptions, exception);
    }
}

static void
load_exceptions (GKeyFile *file, BulkheadPolicy **policy)
{
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    g_auto (GStrv) texts = strings (file, "policy", "exceptions");
    g_autoptr (GError) error = NULL;

    many_exceptions (exceptions, g_key_file_get_integer (file, "policy", "many", NULL));
    for (guint i = 0; texts[i] != NULL; i++) {
        BulkheadException exception;

        bulkhead_exception_parse (texts[i], &exception, &error);
        g_assert_no_error (error);
        g_array_append_val (exceptions, exception);
    }
    if (exceptions->len > 0)
        take_policy (policy,
                     bulkhead_policy_with_exceptions (
                         *policy, (BulkheadException *)exceptions->data, exceptions->len, &error),
                     error);
}

static BulkheadPolicy *
load_policy (GKeyFile *file)
{
    BulkheadPolicy *policy = bulkhead_policy_new ();
    g_autoptr (GError) error = NULL;
    guint pause = g_key_file_get_integer (file, "policy", "pause", NULL);

    take_policy (&policy,
                 bulkhead_policy_with_locked (
                     policy, g_key_file_get_boolean (file, "policy", "locked", NULL)),
                 NULL);
    take_policy (
        &policy,
        bulkhead_policy_with_lan (policy, g_key_file_get_boolean (file, "policy", "lan", NULL)),
        NULL);
    take_policy (&policy,
                 bulkhead_policy_with_lan_options (
                     policy, g_key_file_get_boolean (file, "policy", "lan-cgnat", NULL),
                     g_key_file_get_boolean (file, "policy", "lan-port-mapping", NULL)),
                 NULL);
    if (pause > 0)
        take_policy (&policy, bulkhead_policy_with_pause (policy, pause, G_MAXINT64, &error),
                     error);
    return policy;
}

Scenario *
scenario_load (const char *path)
{
    g_autoptr (GKeyFile) file = g_key_file_new ();
    g_autoptr (GError) error = NULL;
    g_autofree char *name = g_strconcat (path, ".ini", NULL);
    g_auto (GStrv) groups = NULL;
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    GPtrArray *wireguards =
        g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_wireguard_free);
    Scenario *scenario = g_new0 (Scenario, 1);
    BulkheadFeatures features = BULKHEAD_FEATURES_ALL;

    g_key_file_load_from_file (file, name, G_KEY_FILE_NONE, &error);
    g_assert_no_error (error);
    scenario->policy = load_policy (file);
    groups = g_key_file_get_groups (file, NULL);
    for (guint i = 0; groups[i] != NULL; i++) {
        if (g_str_has_prefix (groups[i], "tunnel "))
            load_tunnel (file, groups[i], &scenario->policy);
        else if (g_str_has_prefix (groups[i], "link "))
            g_ptr_array_add (links, load_link (file, groups[i]));
        else if (g_str_has_prefix (groups[i], "wireguard "))
            g_ptr_array_add (wireguards, load_wireguard (file, groups[i]));
    }
    load_exceptions (file, &scenario->policy);
    if (g_key_file_get_boolean (file, "policy", "no-egress", NULL))
        features &= ~BULKHEAD_FEATURE_EGRESS;
    scenario->net = bulkhead_net_new (features, links, wireguards);
    return scenario;
}

void
scenario_free (Scenario *scenario)
{
    bulkhead_policy_unref (scenario->policy);
    bulkhead_net_unref (scenario->net);
    g_free (scenario);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
    return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GStrv
scenario_list (void)
{
    const char *folder = g_getenv ("BULKHEAD_GOLDEN_DIR");
    g_autoptr (GError) error = NULL;
    g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
    GPtrArray *paths = g_ptr_array_new ();
    const char *name;

    g_assert_no_error (error);
    while ((name = g_dir_read_name (dir)) != NULL)
        if (g_str_has_suffix (name, ".ini"))
            g_ptr_array_add (paths,
                             g_strdup_printf ("%s/%.*s", folder, (int)(strlen (name) - 4), name));
    g_ptr_array_sort (paths, compare_strings);
    g_ptr_array_add (paths, NULL);
    return (GStrv)g_ptr_array_free (paths, FALSE);
}
