/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy.h"

#include "error.h"

#include <string.h>

/*
 * The text is written by hand and read by GKeyFile. What no key was asked for and what GKeyFile
 * forgives (groups and keys given twice, comments, other spellings) is caught at the end: a text is
 * taken only if it is, byte for byte, what the policy read from it would be written as.
 */

#define TEXT_VERSION "1"
#define TEXT_MAX (16 * 1024 * 1024) /* the largest policy stays below 10 MiB */

#define GROUP_MAIN "bulkhead"
#define GROUP_EXCEPTIONS "exceptions"
#define GROUP_TUNNEL_PREFIX "tunnel "
#define CHECKSUM_START "[checksum]\nsha256="
#define CHECKSUM_SIZE (sizeof CHECKSUM_START - 1 + 64 + 1)

static const char *const kinds[] = {
    [BULKHEAD_TUNNEL_UNKNOWN] = "unknown",
    [BULKHEAD_TUNNEL_WIREGUARD] = "wireguard",
    [BULKHEAD_TUNNEL_OPENVPN] = "openvpn",
    [BULKHEAD_TUNNEL_OTHER] = "other",
};

static void
write_boolean (GString *text, const char *key, gboolean value)
{
    g_string_append_printf (text, "%s=%s\n", key, value ? "true" : "false");
}

/* Nothing in a checked tunnel needs an escape: no backslash, no control character, no bracket in
 * the name, no space at an end of the interface. */
static void
write_tunnel (GString *text, const BulkheadTunnel *tunnel)
{
    g_string_append_printf (
        text, "\n[" GROUP_TUNNEL_PREFIX "%s]\ninterface=%s\nkind=%s\nendpoints=", tunnel->name,
        tunnel->interface, kinds[tunnel->kind]);
    for (guint i = 0; i < tunnel->endpoints->len; i++) {
        g_autofree char *endpoint =
            bulkhead_endpoint_to_string (&g_array_index (tunnel->endpoints, BulkheadEndpoint, i));

        g_string_append (text, endpoint);
        g_string_append_c (text, ';');
    }
    g_string_append (text, "\nnetworks=");
    for (guint i = 0; i < tunnel->networks->len; i++) {
        g_autofree char *network =
            bulkhead_prefix_to_string (&g_array_index (tunnel->networks, BulkheadPrefix, i));

        g_string_append (text, network);
        g_string_append_c (text, ';');
    }
    g_string_append_printf (text, "\nmark=%" G_GUINT32_FORMAT "\nuser=%" G_GUINT32_FORMAT "\n",
                            tunnel->mark, tunnel->uid);
}

static void
write_exceptions (GString *text, const GArray *exceptions)
{
    const BulkheadException *previous = NULL;

    for (guint i = 0; i < exceptions->len; i++) {
        const BulkheadException *each = &g_array_index (exceptions, BulkheadException, i);
        g_autofree char *destination = bulkhead_prefix_to_string (&each->destination);

        if (previous == NULL)
            g_string_append (text, "\n[" GROUP_EXCEPTIONS "]\n");
        if (previous == NULL || previous->protocol != each->protocol
            || previous->port != each->port) {
            if (previous != NULL)
                g_string_append_c (text, '\n');
            g_string_append (text, bulkhead_protocol_to_string (each->protocol));
            if (each->port != 0)
                g_string_append_printf (text, "-%u", each->port);
            g_string_append_c (text, '=');
        }
        g_string_append (text, destination);
        g_string_append_c (text, ';');
        previous = each;
    }
    if (previous != NULL)
        g_string_append_c (text, '\n');
}

char *
bulkhead_policy_to_text (const BulkheadPolicy *policy)
{
    GString *text = g_string_new ("[" GROUP_MAIN "]\nversion=" TEXT_VERSION "\n");
    g_autofree char *checksum = NULL;

    write_boolean (text, "locked", policy->locked);
    write_boolean (text, "lan", policy->lan);
    write_boolean (text, "lan-cgnat", policy->lan_cgnat);
    write_boolean (text, "lan-port-mapping", policy->lan_port_mapping);
    for (guint i = 0; i < policy->tunnels->len; i++)
        write_tunnel (text, g_ptr_array_index (policy->tunnels, i));
    write_exceptions (text, policy->exceptions);
    g_string_append_c (text, '\n');

    checksum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, text->len);
    g_string_append_printf (text, CHECKSUM_START "%s\n", checksum);
    return g_string_free (text, FALSE);
}

/* Says "[GROUP] KEY “VALUE”: REASON"; key and value may be NULL. @group goes into the message as it
 * is, so it must be known or checked. */
static gboolean
unreadable (GError **error, const char *group, const char *key, const char *value,
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

/* What a check refused is STATE_UNREADABLE here, with the place before it. Takes @cause. */
static gboolean
unreadable_cause (GError **error, const char *group, const char *key, GError *cause)
{
    unreadable (error, group, key, NULL, cause->message);
    g_error_free (cause);
    return FALSE;
}

/* Checks the outside and sets @ret_size to that of everything before the checksum's line. */
static gboolean
check_frame (const char *text, gsize length, gsize *ret_size, GError **error)
{
    const char *tail;
    g_autofree char *checksum = NULL;

    if (length > TEXT_MAX)
        return unreadable (error, "checksum", "sha256", NULL, "the text is longer than any policy");
    tail = text + length - MIN (length, CHECKSUM_SIZE);
    if (length < CHECKSUM_SIZE || memcmp (tail, CHECKSUM_START, sizeof CHECKSUM_START - 1) != 0)
        return unreadable (error, "checksum", "sha256", NULL,
                           "is not at the end, the text was cut or added to");

    checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guint8 *)text, tail - text);
    if (memcmp (tail + sizeof CHECKSUM_START - 1, checksum, 64) != 0 || text[length - 1] != '\n')
        return unreadable (error, "checksum", "sha256", NULL,
                           "does not match, the text was changed");
    if (!g_utf8_validate_len (text, tail - text, NULL))
        return unreadable (error, "checksum", "sha256", NULL,
                           "the text is not UTF-8 or has a zero byte in it");

    *ret_size = tail - text;
    return TRUE;
}

/* The value as it stands there: a text that needs an escape is none of ours. */
static char *
read_value (GKeyFile *file, const char *group, const char *key, GError **error)
{
    char *value = g_key_file_get_value (file, group, key, NULL);

    if (value == NULL)
        unreadable (error, group, key, NULL, "is missing");
    return value;
}

static gboolean
read_boolean (GKeyFile *file, const char *key, gboolean *ret, GError **error)
{
    g_autofree char *value = read_value (file, GROUP_MAIN, key, error);

    if (value == NULL)
        return FALSE;
    if (!g_str_equal (value, "true") && !g_str_equal (value, "false"))
        return unreadable (error, GROUP_MAIN, key, value, "must be true or false");

    *ret = g_str_equal (value, "true");
    return TRUE;
}

static gboolean
read_number (GKeyFile *file, const char *group, const char *key, guint32 *ret, GError **error)
{
    g_autofree char *value = read_value (file, group, key, error);
    guint64 number;

    if (value == NULL)
        return FALSE;
    if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32, &number, NULL))
        return unreadable (error, group, key, value, "must be a number from 0 to 4294967295");

    *ret = number;
    return TRUE;
}

static BulkheadPolicy *
read_main (GKeyFile *file, GError **error)
{
    static const char *const keys[] = { "locked", "lan", "lan-cgnat", "lan-port-mapping" };
    g_autofree char *version = read_value (file, GROUP_MAIN, "version", error);
    g_autoptr (BulkheadPolicy) locked = NULL;
    g_autoptr (BulkheadPolicy) with_lan = NULL;
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    gboolean values[G_N_ELEMENTS (keys)];

    if (version == NULL)
        return NULL;
    if (!g_str_equal (version, TEXT_VERSION)) {
        unreadable (error, GROUP_MAIN, "version", version,
                    "is unknown, only version " TEXT_VERSION " can be read");
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
        if (!read_boolean (file, keys[i], &values[i], error))
            return NULL;
    }

    locked = bulkhead_policy_with_locked (policy, values[0]);
    with_lan = bulkhead_policy_with_lan (locked, values[1]);
    return bulkhead_policy_with_lan_options (with_lan, values[2], values[3]);
}

static gboolean
read_kind (GKeyFile *file, const char *group, BulkheadTunnelKind *ret, GError **error)
{
    g_autofree char *value = read_value (file, group, "kind", error);

    if (value == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
        if (g_str_equal (value, kinds[i])) {
            *ret = i;
            return TRUE;
        }
    }
    return unreadable (error, group, "kind", value, "is no kind of tunnel");
}

static gboolean
read_endpoints (GKeyFile *file, const char *group, GArray *endpoints, GError **error)
{
    g_auto (GStrv) items = g_key_file_get_string_list (file, group, "endpoints", NULL, NULL);

    if (items == NULL)
        return unreadable (error, group, "endpoints", NULL, "is missing or no list");
    for (gsize i = 0; items[i] != NULL; i++) {
        BulkheadEndpoint endpoint;
        GError *cause = NULL;

        if (!bulkhead_endpoint_parse (items[i], &endpoint, &cause))
            return unreadable_cause (error, group, "endpoints", cause);
        g_array_append_val (endpoints, endpoint);
    }
    return TRUE;
}

static gboolean
read_networks (GKeyFile *file, const char *group, GArray *networks, GError **error)
{
    g_auto (GStrv) items = g_key_file_get_string_list (file, group, "networks", NULL, NULL);

    if (items == NULL)
        return unreadable (error, group, "networks", NULL, "is missing or no list");
    for (gsize i = 0; items[i] != NULL; i++) {
        BulkheadPrefix network;

        if (!bulkhead_prefix_parse (items[i], &network))
            return unreadable (error, group, "networks", items[i], "is no address and no network");
        g_array_append_val (networks, network);
    }
    return TRUE;
}

/* Puts the tunnel of @group into *@policy. */
static gboolean
read_tunnel (GKeyFile *file, const char *group, BulkheadPolicy **policy, GError **error)
{
    const char *name = group + strlen (GROUP_TUNNEL_PREFIX);
    g_autofree char *interface = NULL;
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    BulkheadPolicy *changed;
    GError *cause = NULL;

    if (!bulkhead_tunnel_name_check (name, &cause))
        return unreadable_cause (error, "tunnel", "name", cause);

    interface = read_value (file, group, "interface", error);
    if (interface == NULL)
        return FALSE;
    tunnel = bulkhead_tunnel_new (name, interface);
    if (!read_kind (file, group, &tunnel->kind, error)
        || !read_endpoints (file, group, tunnel->endpoints, error)
        || !read_networks (file, group, tunnel->networks, error)
        || !read_number (file, group, "mark", &tunnel->mark, error)
        || !read_number (file, group, "user", &tunnel->uid, error))
        return FALSE;

    changed = bulkhead_policy_with_tunnel (*policy, tunnel, &cause);
    if (changed == NULL)
        return unreadable_cause (error, group, NULL, cause);

    bulkhead_policy_unref (*policy);
    *policy = changed;
    return TRUE;
}

/* "tcp" or "tcp-443". */
static gboolean
parse_service (const char *key, BulkheadException *ret)
{
    g_auto (GStrv) parts = g_strsplit (key, "-", 2);

    return bulkhead_protocol_parse (parts[0], &ret->protocol)
           && (parts[1] == NULL || bulkhead_port_parse (parts[1], &ret->port));
}

static gboolean
read_service (GKeyFile *file, const char *key, GArray *exceptions, GError **error)
{
    g_auto (GStrv) items = g_key_file_get_string_list (file, GROUP_EXCEPTIONS, key, NULL, NULL);
    BulkheadException exception = { 0 };

    if (!parse_service (key, &exception))
        return unreadable (error, GROUP_EXCEPTIONS, "key", key, "is not known");
    if (items == NULL)
        return unreadable (error, GROUP_EXCEPTIONS, key, NULL, "is no list");

    for (gsize i = 0; items[i] != NULL; i++) {
        GError *cause = NULL;

        if (!bulkhead_prefix_parse (items[i], &exception.destination))
            return unreadable (error, GROUP_EXCEPTIONS, key, items[i],
                               "is no address and no network");
        if (!bulkhead_exception_check (&exception, &cause))
            return unreadable_cause (error, GROUP_EXCEPTIONS, key, cause);
        g_array_append_val (exceptions, exception);
    }
    return TRUE;
}

static gboolean
read_exceptions (GKeyFile *file, BulkheadPolicy **policy, GError **error)
{
    g_auto (GStrv) keys = g_key_file_get_keys (file, GROUP_EXCEPTIONS, NULL, NULL);
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    BulkheadPolicy *changed;
    GError *cause = NULL;

    for (gsize i = 0; keys != NULL && keys[i] != NULL; i++) {
        if (!read_service (file, keys[i], exceptions, error))
            return FALSE;
    }
    changed = bulkhead_policy_with_exceptions (*policy, (const BulkheadException *)exceptions->data,
                                               exceptions->len, &cause);
    if (changed == NULL)
        return unreadable_cause (error, GROUP_EXCEPTIONS, NULL, cause);

    bulkhead_policy_unref (*policy);
    *policy = changed;
    return TRUE;
}

static BulkheadPolicy *
read_groups (GKeyFile *file, GError **error)
{
    g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
    g_autoptr (BulkheadPolicy) policy = read_main (file, error);

    if (policy == NULL)
        return NULL;
    for (gsize i = 0; groups[i] != NULL; i++) {
        gboolean ok = TRUE;

        if (g_str_has_prefix (groups[i], GROUP_TUNNEL_PREFIX))
            ok = read_tunnel (file, groups[i], &policy, error);
        else if (g_str_equal (groups[i], GROUP_EXCEPTIONS))
            ok = read_exceptions (file, &policy, error);
        if (!ok)
            return NULL;
    }
    return g_steal_pointer (&policy);
}

/* FALSE and the place of the first line that @policy would be written without. */
static gboolean
check_canonical (const BulkheadPolicy *policy, const char *text, gsize length, GError **error)
{
    g_autofree char *canonical = bulkhead_policy_to_text (policy);
    g_autofree char *copy = NULL;
    g_auto (GStrv) lines = NULL;
    g_auto (GStrv) wanted = NULL;
    g_autofree char *where = NULL;
    const char *group = "";
    gsize i = 0;

    if (strlen (canonical) == length && memcmp (canonical, text, length) == 0)
        return TRUE;

    copy = g_strndup (text, length);
    lines = g_strsplit (copy, "\n", -1);
    wanted = g_strsplit (canonical, "\n", -1);
    for (; lines[i] != NULL && g_strcmp0 (lines[i], wanted[i]) == 0; i++) {
        if (lines[i][0] == '[')
            group = lines[i];
    }
    where = g_strdup_printf ("%s line %" G_GSIZE_FORMAT, group, i + 1);
    return bulkhead_error_set_value (
        error, BULKHEAD_ERROR_STATE_UNREADABLE, where, lines[i] != NULL ? lines[i] : "",
        "is unknown, out of order, given twice or spelt in another way");
}

BulkheadPolicy *
bulkhead_policy_from_text (const char *text, gsize length, GError **error)
{
    g_autoptr (GKeyFile) file = g_key_file_new ();
    g_autoptr (BulkheadPolicy) policy = NULL;
    GError *cause = NULL;
    gsize size;

    if (!check_frame (text, length, &size, error))
        return NULL;
    if (!g_key_file_load_from_data (file, text, size, G_KEY_FILE_NONE, &cause)) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_STATE_UNREADABLE, "text", cause->message,
                                  "is not a key file");
        g_error_free (cause);
        return NULL;
    }
    policy = read_groups (file, error);
    if (policy == NULL || !check_canonical (policy, text, length, error))
        return NULL;

    return g_steal_pointer (&policy);
}
