/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "methods.h"

#include "answers.h"
#include "arguments.h"
#include "clock.h"
#include "error.h"
#include "found.h"

/* Writes the event with the caller and the one pair of @name and @value. */
static void
note (const BulkheadRequest *request, BulkheadEvent event, const char *name, const char *value)
{
    g_autofree char *uid = g_strdup_printf ("%u", request->caller->uid);

    bulkhead_journal_write (request->journal, event,
                            (const char *const[]){ "uid", uid, name, value, NULL });
}

/*
 * Makes @policy, unless it is NULL with its error set, the one in force. The event is noted only
 * when something is different.
 */
static GVariant *
change (const BulkheadRequest *request, BulkheadPolicy *policy, BulkheadEvent event,
        const char *name, const char *value, GError **error)
{
    gboolean same;

    if (policy == NULL)
        return NULL;
    same = bulkhead_policy_equal (bulkhead_lock_get_policy (request->lock), policy);
    if (!bulkhead_lock_set_policy (request->lock, policy, error))
        return NULL;
    if (!same)
        note (request, event, name, value);
    return g_variant_new ("()");
}

static GVariant *
do_lock (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_locked (now, TRUE);

    return change (request, policy, BULKHEAD_EVENT_LOCKED, NULL, NULL, error);
}

/* The rules of a lock that stand though it is off. */
static GVariant *
clear (const BulkheadRequest *request, GError **error)
{
    gboolean stood = bulkhead_lock_get_state (request->lock) == BULKHEAD_STATE_BROKEN;

    if (!bulkhead_lock_clear (request->lock, error))
        return NULL;
    if (stood)
        note (request, BULKHEAD_EVENT_UNLOCKED, NULL, NULL);
    return g_variant_new ("()");
}

static GVariant *
do_unlock (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_locked (now, FALSE);

    if (!now->locked)
        return clear (request, error);
    return change (request, policy, BULKHEAD_EVENT_UNLOCKED, NULL, NULL, error);
}

static GVariant *
do_pause (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autofree char *text = NULL;
    guint32 seconds;

    g_variant_get (request->arguments, "(u)", &seconds);
    text = g_strdup_printf ("%u", seconds);
    if (seconds == 0) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "seconds", text,
                                  "must be at least 1");
        return NULL;
    }
    policy = bulkhead_policy_with_pause (
        now, seconds, bulkhead_boottime () + (gint64)seconds * G_USEC_PER_SEC, error);
    return change (request, policy, BULKHEAD_EVENT_PAUSED, "seconds", text, error);
}

static GVariant *
do_resume (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_pause (now, 0, 0, error);

    return change (request, policy, BULKHEAD_EVENT_RESUMED, NULL, NULL, error);
}

static GVariant *
do_get_status (const BulkheadRequest *request, GError **error)
{
    return g_variant_new ("(@a{sv})", bulkhead_answer_status (request->lock, request->at_boot,
                                                              request->caller->sees_addresses));
}

static GVariant *
do_verify (const BulkheadRequest *request, GError **error)
{
    g_autofree char *problem = NULL;
    gboolean enforced =
        bulkhead_answer_verify (request->lock, request->caller->sees_addresses, &problem);

    return g_variant_new ("(bs)", enforced, problem);
}

static GVariant *
do_get_rules (const BulkheadRequest *request, GError **error)
{
    g_autofree char *text = bulkhead_lock_get_rules (request->lock);

    /* A link's name may be any bytes; the bus takes only text. */
    return g_variant_new ("(@s)", g_variant_new_take_string (g_utf8_make_valid (text, -1)));
}

static GVariant *
do_list_tunnels (const BulkheadRequest *request, GError **error)
{
    return g_variant_new ("(@aa{sv})",
                          bulkhead_answer_tunnels (request->lock, request->caller->sees_addresses));
}

/* Where other users' programs go is none of a user's business. */
static GVariant *
do_list_blocked (const BulkheadRequest *request, GError **error)
{
    const BulkheadBlocked *blocked = bulkhead_recorder_get_blocked (request->recorder);

    return g_variant_new ("(@aa{sv})", bulkhead_answer_blocked (blocked, request->caller->uid));
}

/* The interface may be absent: a VPN client makes it when it connects. What is there is taken as
 * it is now, for it may be gone before anything else is told of it. */
static GVariant *
trust (const BulkheadRequest *request, const BulkheadTunnel *tunnel, const char *how,
       GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    const BulkheadNet *net = bulkhead_lock_get_net (request->lock);
    g_autoptr (BulkheadTunnel) updated = bulkhead_found_update (tunnel, net);
    g_autoptr (BulkheadPolicy) policy = NULL;

    if (!bulkhead_found_check (net, tunnel->interface, error))
        return NULL;
    policy = bulkhead_policy_with_tunnel (now, updated, error);
    return change (request, policy, BULKHEAD_EVENT_CHANGED, how, tunnel->name, error);
}

static GVariant *
do_add_tunnel (const BulkheadRequest *request, GError **error)
{
    g_autoptr (GVariant) options = g_variant_get_child_value (request->arguments, 0);
    gboolean has_kind;
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_arguments_tunnel (options, &has_kind, error);

    if (tunnel == NULL)
        return NULL;
    bulkhead_lock_refresh (request->lock, 0);
    if (!has_kind)
        tunnel->kind =
            bulkhead_found_kind (bulkhead_lock_get_net (request->lock), tunnel->interface);
    return trust (request, tunnel, "tunnel_added", error);
}

static GVariant *
do_trust_tunnel (const BulkheadRequest *request, GError **error)
{
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    const BulkheadLink *link;
    const BulkheadNet *net;
    const char *id;

    g_variant_get (request->arguments, "(&s)", &id);
    bulkhead_lock_refresh (request->lock, 0);
    net = bulkhead_lock_get_net (request->lock);
    link = bulkhead_net_find_link (net, id);
    if (link == NULL) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_NOT_FOUND, "tunnel", id,
                                  "there is no such interface");
        return NULL;
    }
    if (!bulkhead_found_check (net, id, error))
        return NULL;
    if (!bulkhead_link_may_be_tunnel (link)) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "interface", id,
                                  "is not of a tunnel's kind");
        return NULL;
    }
    tunnel = bulkhead_found_tunnel (net, id);
    return trust (request, tunnel, "tunnel_trusted", error);
}

static GVariant *
do_forget_tunnel (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (BulkheadPolicy) policy = NULL;
    const char *id;

    g_variant_get (request->arguments, "(&s)", &id);
    policy = bulkhead_policy_without_tunnel (now, id, error);
    return change (request, policy, BULKHEAD_EVENT_CHANGED, "tunnel_forgotten", id, error);
}

static GVariant *
do_set_lan (const BulkheadRequest *request, GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    gboolean cgnat = now->lan_cgnat, port_mapping = now->lan_port_mapping;
    g_autoptr (BulkheadPolicy) with_lan = NULL;
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autoptr (GVariant) options = NULL;
    gboolean enabled;

    g_variant_get (request->arguments, "(b@a{sv})", &enabled, &options);
    if (!bulkhead_arguments_lan (options, &cgnat, &port_mapping, error))
        return NULL;
    with_lan = bulkhead_policy_with_lan (now, enabled);
    policy = bulkhead_policy_with_lan_options (with_lan, cgnat, port_mapping);
    return change (request, policy, BULKHEAD_EVENT_CHANGED, "lan", enabled ? "allowed" : "blocked",
                   error);
}

typedef BulkheadPolicy *(*ExceptionsChange) (const BulkheadPolicy *, const BulkheadException *,
                                             gsize, GError **);

static GVariant *
change_exceptions (const BulkheadRequest *request, ExceptionsChange apply, const char *how,
                   GError **error)
{
    const BulkheadPolicy *now = bulkhead_lock_get_policy (request->lock);
    g_autoptr (GVariant) texts = g_variant_get_child_value (request->arguments, 0);
    g_autoptr (GArray) exceptions = bulkhead_arguments_exceptions (texts, error);
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autofree char *count = NULL;

    if (exceptions == NULL)
        return NULL;
    count = g_strdup_printf ("%u", exceptions->len);
    policy = apply (now, (const BulkheadException *)exceptions->data, exceptions->len, error);
    return change (request, policy, BULKHEAD_EVENT_CHANGED, how, count, error);
}

static GVariant *
do_add_exceptions (const BulkheadRequest *request, GError **error)
{
    return change_exceptions (request, bulkhead_policy_with_exceptions, "exceptions_added", error);
}

static GVariant *
do_remove_exceptions (const BulkheadRequest *request, GError **error)
{
    return change_exceptions (request, bulkhead_policy_without_exceptions, "exceptions_removed",
                              error);
}

static GVariant *
do_list_exceptions (const BulkheadRequest *request, GError **error)
{
    const GArray *exceptions = bulkhead_lock_get_policy (request->lock)->exceptions;
    GVariantBuilder texts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

    for (guint i = 0; i < exceptions->len; i++)
        g_variant_builder_add_value (&texts,
                                     g_variant_new_take_string (bulkhead_exception_to_string (
                                         &g_array_index (exceptions, BulkheadException, i))));
    return g_variant_new ("(as)", &texts);
}

static GVariant *
do_get_log (const BulkheadRequest *request, GError **error)
{
    g_auto (GStrv) lines = NULL;
    guint32 limit;

    g_variant_get (request->arguments, "(u)", &limit);
    lines = bulkhead_journal_read (request->journal, limit);
    return g_variant_new ("(^as)", lines);
}

/* A user who is authorised already stays so since the time it was first said. */
static GVariant *
do_authorize (const BulkheadRequest *request, GError **error)
{
    guint32 uid = request->caller->uid;
    g_autofree char *text = g_strdup_printf ("%u", uid);
    const char *const detail[] = { "uid", text, NULL };

    if (uid == 0 || bulkhead_grants_has (request->grants, uid))
        return g_variant_new ("()");
    if (!bulkhead_grants_add (request->grants, uid, g_get_real_time () / G_USEC_PER_SEC, error))
        return NULL;
    bulkhead_journal_write (request->journal, BULKHEAD_EVENT_AUTHORIZED, detail);
    return g_variant_new ("()");
}

static GVariant *
do_revoke (const BulkheadRequest *request, GError **error)
{
    g_autofree char *caller = g_strdup_printf ("%u", request->caller->uid);
    g_autofree char *user = NULL;
    guint32 uid;

    g_variant_get (request->arguments, "(u)", &uid);
    user = g_strdup_printf ("%u", uid);
    if (!bulkhead_grants_remove (request->grants, uid, error))
        return NULL;
    bulkhead_journal_write (request->journal, BULKHEAD_EVENT_REVOKED,
                            (const char *const[]){ "uid", caller, "user", user, NULL });
    return g_variant_new ("()");
}

static GVariant *
do_list_grants (const BulkheadRequest *request, GError **error)
{
    const GPtrArray *list = bulkhead_grants_list (request->grants);
    GVariantBuilder grants = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usx)"));

    for (guint i = 0; i < list->len; i++) {
        const BulkheadGrant *grant = g_ptr_array_index (list, i);

        g_variant_builder_add (&grants, "(usx)", grant->uid, grant->name, grant->since);
    }
    return g_variant_new ("(a(usx))", &grants);
}

static const struct {
    const char *method;
    GVariant *(*perform) (const BulkheadRequest *, GError **);
} methods[] = {
    { "Lock", do_lock },
    { "Unlock", do_unlock },
    { "Pause", do_pause },
    { "Resume", do_resume },
    { "GetStatus", do_get_status },
    { "Verify", do_verify },
    { "GetRules", do_get_rules },
    { "ListTunnels", do_list_tunnels },
    { "ListBlocked", do_list_blocked },
    { "AddTunnel", do_add_tunnel },
    { "TrustTunnel", do_trust_tunnel },
    { "ForgetTunnel", do_forget_tunnel },
    { "SetLan", do_set_lan },
    { "AddExceptions", do_add_exceptions },
    { "RemoveExceptions", do_remove_exceptions },
    { "ListExceptions", do_list_exceptions },
    { "GetLog", do_get_log },
    { "Authorize", do_authorize },
    { "Revoke", do_revoke },
    { "ListGrants", do_list_grants },
};

gboolean
bulkhead_methods_check_fixed (const char *method, BulkheadLock *lock, GError **error)
{
    static const char *const openings[] = { "Unlock", "Pause", NULL };

    return !g_strv_contains (openings, method)
           || bulkhead_managed_check_free (bulkhead_lock_get_managed (lock), BULKHEAD_SETTING_LOCK,
                                           error);
}

GVariant *
bulkhead_methods_perform (const char *method, const BulkheadRequest *request, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
        if (g_str_equal (methods[i].method, method))
            return methods[i].perform (request, error);
    bulkhead_error_set_value (error, BULKHEAD_ERROR_FAILED, "method", method, "is not known");
    return NULL;
}
