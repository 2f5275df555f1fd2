/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy.h"

#include "error.h"
#include "policy-keys.h"

#include <string.h>

/*
 * The text is written by hand and read by GKeyFile. What no key was asked for and what GKeyFile
 * forgives (groups and keys given twice, comments, other spellings) is caught at the end: a text is
 * taken only if it is, byte for byte, what the policy read from it would be written as.
 */

#define TEXT_VERSION "1"

#define CHECKSUM_START "[checksum]\nsha256="
#define CHECKSUM_SIZE (sizeof CHECKSUM_START - 1 + 64 + 1)

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
        text,
        "\n[" BULKHEAD_KEYS_TUNNEL_PREFIX "%s]\ninterface=%s\nkind=%s\nendpoints=", tunnel->name,
        tunnel->interface, bulkhead_keys_kind (tunnel->kind));
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
            g_string_append (text, "\n[" BULKHEAD_KEYS_EXCEPTIONS "]\n");
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
    GString *text = g_string_new ("[" BULKHEAD_KEYS_MAIN "]\nversion=" TEXT_VERSION "\n");
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

/* Checks the outside and sets @ret_size to that of everything before the checksum's line. */
static gboolean
check_frame (const char *text, gsize length, gsize *ret_size, GError **error)
{
    const char *tail;
    g_autofree char *checksum = NULL;

    if (length > BULKHEAD_KEYS_TEXT_MAX)
        return bulkhead_keys_refuse (error, "checksum", "sha256", NULL,
                                     "the text is longer than any policy");
    tail = text + length - MIN (length, CHECKSUM_SIZE);
    if (length < CHECKSUM_SIZE || memcmp (tail, CHECKSUM_START, sizeof CHECKSUM_START - 1) != 0)
        return bulkhead_keys_refuse (error, "checksum", "sha256", NULL,
                                     "is not at the end, the text was cut or added to");

    checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guint8 *)text, tail - text);
    if (memcmp (tail + sizeof CHECKSUM_START - 1, checksum, 64) != 0 || text[length - 1] != '\n')
        return bulkhead_keys_refuse (error, "checksum", "sha256", NULL,
                                     "does not match, the text was changed");
    if (!g_utf8_validate_len (text, tail - text, NULL))
        return bulkhead_keys_refuse (error, "checksum", "sha256", NULL,
                                     "the text is not UTF-8 or has a zero byte in it");

    *ret_size = tail - text;
    return TRUE;
}

static BulkheadPolicy *
read_main (GKeyFile *file, GError **error)
{
    static const char *const keys[] = { "locked", "lan", "lan-cgnat", "lan-port-mapping" };
    g_autofree char *version = bulkhead_keys_value (file, BULKHEAD_KEYS_MAIN, "version", error);
    g_autoptr (BulkheadPolicy) locked = NULL;
    g_autoptr (BulkheadPolicy) with_lan = NULL;
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    gboolean values[G_N_ELEMENTS (keys)];

    if (version == NULL)
        return NULL;
    if (!g_str_equal (version, TEXT_VERSION)) {
        bulkhead_keys_refuse (error, BULKHEAD_KEYS_MAIN, "version", version,
                              "is unknown, only version " TEXT_VERSION " can be read");
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
        if (!bulkhead_keys_boolean (file, keys[i], &values[i], error))
            return NULL;
    }

    locked = bulkhead_policy_with_locked (policy, values[0]);
    with_lan = bulkhead_policy_with_lan (locked, values[1]);
    return bulkhead_policy_with_lan_options (with_lan, values[2], values[3]);
}

/* Puts the tunnel of @group into *@policy. */
static gboolean
read_tunnel (GKeyFile *file, const char *group, BulkheadPolicy **policy, GError **error)
{
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_keys_tunnel (file, group, error);
    BulkheadPolicy *changed;
    GError *cause = NULL;

    if (tunnel == NULL)
        return FALSE;
    changed = bulkhead_policy_with_tunnel (*policy, tunnel, &cause);
    if (changed == NULL)
        return bulkhead_keys_refuse_cause (error, group, NULL, cause);

    bulkhead_policy_unref (*policy);
    *policy = changed;
    return TRUE;
}

static gboolean
read_exceptions (GKeyFile *file, BulkheadPolicy **policy, GError **error)
{
    g_auto (GStrv) keys = g_key_file_get_keys (file, BULKHEAD_KEYS_EXCEPTIONS, NULL, NULL);
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    BulkheadPolicy *changed;
    GError *cause = NULL;

    for (gsize i = 0; keys != NULL && keys[i] != NULL; i++) {
        if (!bulkhead_keys_exceptions (file, keys[i], exceptions, error))
            return FALSE;
    }
    changed = bulkhead_policy_with_exceptions (*policy, (const BulkheadException *)exceptions->data,
                                               exceptions->len, &cause);
    if (changed == NULL)
        return bulkhead_keys_refuse_cause (error, BULKHEAD_KEYS_EXCEPTIONS, NULL, cause);

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

        if (g_str_has_prefix (groups[i], BULKHEAD_KEYS_TUNNEL_PREFIX))
            ok = read_tunnel (file, groups[i], &policy, error);
        else if (g_str_equal (groups[i], BULKHEAD_KEYS_EXCEPTIONS))
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
    gsize size = 0;

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
