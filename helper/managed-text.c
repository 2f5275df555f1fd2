/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "managed.h"

#include "error.h"
#include "policy-keys.h"

#include <string.h>

/* What one file says, until all of it is understood. */
typedef struct {
    GKeyFile *file;
    BulkheadPolicy *policy;
    gboolean at_boot;
    gboolean fixes[BULKHEAD_SETTINGS];
} Reading;

static void
reading_clear (Reading *reading)
{
    g_key_file_unref (reading->file);
    bulkhead_policy_unref (reading->policy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

/* Takes @policy, which may be NULL when @cause says why. */
static gboolean
put (Reading *reading, BulkheadPolicy *policy, const char *group, GError *cause, GError **error)
{
    if (policy == NULL)
        return bulkhead_keys_refuse_cause (error, group, NULL, cause);
    bulkhead_policy_unref (reading->policy);
    reading->policy = policy;
    return TRUE;
}

/* ---- [bulkhead] ---- */

static gboolean
take_flag (Reading *reading, BulkheadSetting setting, gboolean value)
{
    const BulkheadPolicy *now = reading->policy;
    BulkheadPolicy *policy;

    reading->fixes[setting] = TRUE;
    if (setting == BULKHEAD_SETTING_AT_BOOT) {
        reading->at_boot = value;
        return TRUE;
    }
    if (setting == BULKHEAD_SETTING_LOCK)
        policy = bulkhead_policy_with_locked (now, value);
    else if (setting == BULKHEAD_SETTING_LAN)
        policy = bulkhead_policy_with_lan (now, value);
    else if (setting == BULKHEAD_SETTING_LAN_CGNAT)
        policy = bulkhead_policy_with_lan_options (now, value, now->lan_port_mapping);
    else
        policy = bulkhead_policy_with_lan_options (now, now->lan_cgnat, value);
    return put (reading, policy, BULKHEAD_KEYS_MAIN, NULL, NULL);
}

static gboolean
read_flag (Reading *reading, const char *key, GError **error)
{
    static const struct {
        const char *key;
        BulkheadSetting setting;
    } flags[] = {
        { "locked", BULKHEAD_SETTING_LOCK },
        { "at-boot", BULKHEAD_SETTING_AT_BOOT },
        { "lan", BULKHEAD_SETTING_LAN },
        { "lan-cgnat", BULKHEAD_SETTING_LAN_CGNAT },
        { "lan-port-mapping", BULKHEAD_SETTING_LAN_PORT_MAPPING },
    };
    gboolean value;

    for (gsize i = 0; i < G_N_ELEMENTS (flags); i++) {
        if (!g_str_equal (key, flags[i].key))
            continue;
        if (!bulkhead_keys_boolean (reading->file, key, &value, error))
            return FALSE;
        if (flags[i].setting == BULKHEAD_SETTING_LOCK && !value)
            return bulkhead_keys_refuse (error, BULKHEAD_KEYS_MAIN, key, "false",
                                         "may only be true: nobody is kept from locking");
        return take_flag (reading, flags[i].setting, value);
    }
    return bulkhead_keys_refuse (error, BULKHEAD_KEYS_MAIN, "key", key, "is not known");
}

/* ---- [tunnel NAME] ---- */

/* What a file may leave out, as it then is. What is learnt of a fixed tunnel is not stored, so that
 * its kind, if nothing else, must keep a pair of Ethernet ends from taking its name (LEAKS L38). */
static const struct {
    const char *key, *otherwise;
} tunnel_keys[] = {
    { "interface", NULL }, { "kind", "other" }, { "endpoints", "" },
    { "networks", "" },    { "mark", "0" },     { "user", "0" },
};

static gboolean
check_tunnel_keys (GKeyFile *file, const char *group, GError **error)
{
    g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);

    for (gsize i = 0; keys != NULL && keys[i] != NULL; i++) {
        gboolean known = FALSE;

        for (gsize j = 0; !known && j < G_N_ELEMENTS (tunnel_keys); j++)
            known = g_str_equal (keys[i], tunnel_keys[j].key);
        if (!known)
            return bulkhead_error_set_value (error, BULKHEAD_ERROR_STATE_UNREADABLE, "[tunnel] key",
                                             keys[i], "is not known");
    }
    return TRUE;
}

/* One of the same name in an earlier file is replaced whole. */
static gboolean
read_tunnel (Reading *reading, const char *group, GError **error)
{
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    BulkheadPolicy *policy;
    GError *cause = NULL;

    if (!check_tunnel_keys (reading->file, group, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS (tunnel_keys); i++)
        if (tunnel_keys[i].otherwise != NULL
            && !g_key_file_has_key (reading->file, group, tunnel_keys[i].key, NULL))
            g_key_file_set_value (reading->file, group, tunnel_keys[i].key,
                                  tunnel_keys[i].otherwise);
    tunnel = bulkhead_keys_tunnel (reading->file, group, error);
    if (tunnel == NULL)
        return FALSE;
    if (bulkhead_policy_find_tunnel (reading->policy, tunnel->name) != NULL)
        policy = bulkhead_policy_with_tunnel_replaced (reading->policy, tunnel, &cause);
    else
        policy = bulkhead_policy_with_tunnel (reading->policy, tunnel, &cause);
    reading->fixes[BULKHEAD_SETTING_TUNNELS] = TRUE;
    return put (reading, policy, group, cause, error);
}

/* ---- [exceptions] ---- */

/* Whether the file has the key that @exception stands under. */
static gboolean
has_service (GKeyFile *file, const BulkheadException *exception)
{
    const char *protocol = bulkhead_protocol_to_string (exception->protocol);
    g_autofree char *key = exception->port == 0
                               ? g_strdup (protocol)
                               : g_strdup_printf ("%s-%u", protocol, exception->port);

    return g_key_file_has_key (file, BULKHEAD_KEYS_EXCEPTIONS, key, NULL);
}

/* Those of earlier files stay but for the services that this one gives; none given is a list too.
 */
static gboolean
read_exceptions (Reading *reading, GError **error)
{
    g_auto (GStrv) keys = g_key_file_get_keys (reading->file, BULKHEAD_KEYS_EXCEPTIONS, NULL, NULL);
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    const GArray *earlier = reading->policy->exceptions;
    g_autoptr (BulkheadPolicy) none = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) listed = NULL;
    GError *cause = NULL;

    for (guint i = 0; i < earlier->len; i++) {
        const BulkheadException *each = &g_array_index (earlier, BulkheadException, i);

        if (!has_service (reading->file, each))
            g_array_append_vals (exceptions, each, 1);
    }
    for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
        if (!bulkhead_keys_exceptions (reading->file, keys[i], exceptions, error))
            return FALSE;
    listed = bulkhead_policy_with_exceptions (none, (const BulkheadException *)exceptions->data,
                                              exceptions->len, &cause);
    if (listed == NULL)
        return bulkhead_keys_refuse_cause (error, BULKHEAD_KEYS_EXCEPTIONS, NULL, cause);
    reading->fixes[BULKHEAD_SETTING_EXCEPTIONS] = TRUE;
    return put (reading, bulkhead_policy_with_exceptions_of (reading->policy, listed),
                BULKHEAD_KEYS_EXCEPTIONS, NULL, NULL);
}

/* ---- the file ---- */

static gboolean
read_flags (Reading *reading, GError **error)
{
    g_auto (GStrv) keys = g_key_file_get_keys (reading->file, BULKHEAD_KEYS_MAIN, NULL, NULL);

    for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
        if (!read_flag (reading, keys[i], error))
            return FALSE;
    return TRUE;
}

static gboolean
read_group (Reading *reading, const char *group, GError **error)
{
    if (g_str_equal (group, BULKHEAD_KEYS_MAIN))
        return read_flags (reading, error);
    if (g_str_equal (group, BULKHEAD_KEYS_EXCEPTIONS))
        return read_exceptions (reading, error);
    if (g_str_has_prefix (group, BULKHEAD_KEYS_TUNNEL_PREFIX))
        return read_tunnel (reading, group, error);
    return bulkhead_error_set_value (error, BULKHEAD_ERROR_STATE_UNREADABLE, "group", group,
                                     "is not known");
}

static gboolean
read_text (Reading *reading, const char *text, gsize length, GError **error)
{
    g_auto (GStrv) groups = NULL;
    g_autoptr (GError) cause = NULL;

    if (length > BULKHEAD_KEYS_TEXT_MAX || !g_utf8_validate_len (text, length, NULL)) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE,
                             "is too long, is not UTF-8 or has a zero byte in it");
        return FALSE;
    }
    if (!g_key_file_load_from_data (reading->file, text, length, G_KEY_FILE_KEEP_TRANSLATIONS,
                                    &cause))
        return bulkhead_error_set_value (error, BULKHEAD_ERROR_STATE_UNREADABLE, "text",
                                         cause->message, "is not a key file");
    groups = g_key_file_get_groups (reading->file, NULL);
    for (gsize i = 0; groups[i] != NULL; i++)
        if (!read_group (reading, groups[i], error))
            return FALSE;
    return TRUE;
}

gboolean
bulkhead_managed_add (BulkheadManaged *managed, const char *file, const char *text, gsize length,
                      GError **error)
{
    g_auto (Reading)
        reading = { g_key_file_new (), bulkhead_policy_ref (managed->policy), managed->at_boot };

    if (!read_text (&reading, text, length, error))
        return FALSE;
    bulkhead_policy_unref (managed->policy);
    managed->policy = g_steal_pointer (&reading.policy);
    reading.policy = bulkhead_policy_new ();
    managed->at_boot = reading.at_boot;
    for (guint i = 0; i < BULKHEAD_SETTINGS; i++) {
        if (!reading.fixes[i])
            continue;
        g_free (managed->fixed_by[i]);
        managed->fixed_by[i] = g_strdup (file);
    }
    return TRUE;
}
