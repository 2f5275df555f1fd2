/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine.h"

#include "clock.h"
#include "conntrack.h"
#include "error.h"
#include "fallback.h"
#include "found.h"
#include "observe.h"
#include "weaker.h"

#include <malloc.h>

#define ATTEMPTS 3 /* links that vanish while they are being locked */
#define BLIND 2    /* failed looks in a row: a busy net may spoil one */
#define MANY_EXCEPTIONS 1000

struct _BulkheadEngine {
    BulkheadSettings *settings; /* borrowed */
    BulkheadLinks *links;       /* borrowed */
    BulkheadEnforcer *enforcer;

    BulkheadPolicy *policy;
    BulkheadNet *net;
    guint failed_looks; /* at the links, in a row: the net is from before them */
    char *problem;
    char *blindness; /* why the last of them did, or NULL */
    gboolean closed; /* the fallback stands in for the policy */
};

static BulkheadSink *
sink_of (BulkheadEngine *engine)
{
    return bulkhead_enforcer_get_sink (engine->enforcer);
}

/*
 * A lock that stands in the kernel when the file says nothing of it or is gone stays: unlocking
 * takes the rules out first and stores then, so that somebody else must have changed the file, or
 * taken away the administrator's, and that is not how one unlocks. It is stored, for it is to stay
 * when the machine starts again, too.
 */
static BulkheadPolicy *
first_policy (BulkheadSettings *settings, BulkheadSink *sink)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_settings_get_policy (settings);
    g_autoptr (BulkheadPolicy) locked = NULL;
    g_autoptr (GError) error = NULL;

    if (policy->locked || !bulkhead_sink_has_tables (sink))
        return g_steal_pointer (&policy);
    bulkhead_settings_lock (settings);
    locked = bulkhead_settings_get_policy (settings);
    if (!bulkhead_settings_save (settings, locked, &error))
        g_warning ("the lock that stands in the kernel is not stored: %s", error->message);
    return g_steal_pointer (&locked);
}

BulkheadEngine *
bulkhead_engine_new (BulkheadSettings *settings, BulkheadLinks *links, gboolean use_owner,
                     GError **error)
{
    BulkheadEnforcer *enforcer = bulkhead_enforcer_new (use_owner, error);
    BulkheadEngine *engine;

    if (enforcer == NULL)
        return NULL;
    engine = g_new0 (BulkheadEngine, 1);
    engine->settings = settings;
    engine->links = links;
    engine->enforcer = enforcer;
    engine->policy = first_policy (settings, sink_of (engine));
    engine->net = bulkhead_net_new (bulkhead_sink_get_features (sink_of (engine)), NULL, NULL);
    engine->failed_looks = BLIND - 1; /* nothing was seen yet */
    return engine;
}

void
bulkhead_engine_free (BulkheadEngine *engine)
{
    bulkhead_enforcer_free (engine->enforcer);
    bulkhead_policy_unref (engine->policy);
    bulkhead_net_unref (engine->net);
    g_free (engine->problem);
    g_free (engine->blindness);
    g_free (engine);
}

/* ---- the one path ---- */

static void
set_problem (BulkheadEngine *engine, const GError *error)
{
    g_free (engine->problem);
    engine->problem = error != NULL ? g_strdup (error->message) : NULL;
    engine->closed = FALSE;
}

static void
take_policy (BulkheadEngine *engine, const BulkheadPolicy *policy)
{
    BulkheadPolicy *before = engine->policy;

    engine->policy = bulkhead_policy_ref (policy);
    bulkhead_policy_unref (before);
}

static void
take_net (BulkheadEngine *engine)
{
    g_autoptr (GError) error = NULL;
    BulkheadNet *net =
        bulkhead_observe (engine->links, bulkhead_sink_get_features (sink_of (engine)), &error);

    g_clear_pointer (&engine->blindness, g_free);
    if (net == NULL) {
        g_warning ("%s", error->message);
        engine->failed_looks++;
        engine->blindness = g_strdup (error->message);
        return;
    }
    engine->failed_looks = 0;
    bulkhead_net_unref (engine->net);
    engine->net = net;
}

static gboolean
enforce (BulkheadEngine *engine, const BulkheadPolicy *policy, GError **error)
{
    return bulkhead_enforcer_enforce (engine->enforcer, policy, engine->net, error);
}

/* Only unlocking takes a lock away: one that stands while ours is off is somebody else's, or a
 * sign that the state was tampered with. */
static void
check_nothing_stands (BulkheadEngine *engine)
{
    g_autoptr (GError) error = NULL;

    if (bulkhead_sink_has_tables (sink_of (engine)))
        g_set_error (&error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED,
                     "the lock is off, but rules of a lock stand in the kernel");
    set_problem (engine, error);
}

/* What is asked for and cannot be had is not left open, and says so: what stands there lets out
 * what was wanted once, and in another net. TRUE: everything is blocked. */
static gboolean
close_all (BulkheadEngine *engine, GError **error)
{
    BulkheadSink *sink = sink_of (engine);
    gboolean closed = bulkhead_fallback_close (sink, NULL);

    if (closed)
        g_prefix_error_literal (error, "everything is blocked, tunnels too: ");
    else if (!bulkhead_fallback_has_wall (sink))
        g_prefix_error_literal (error, "NOTHING IS BLOCKED: ");
    return closed;
}

/*
 * Enforces the policy in the net as it is now. A link that vanished between the look and the
 * transaction makes the kernel refuse; a second look knows better, if it sees something new.
 */
static void
enforce_now (BulkheadEngine *engine)
{
    g_autoptr (GError) error = NULL;
    gboolean closed;

    if (!engine->policy->locked) {
        check_nothing_stands (engine);
        return;
    }
    for (guint attempt = 0; attempt < ATTEMPTS; attempt++) {
        g_autoptr (BulkheadNet) before = bulkhead_net_ref (engine->net);

        g_clear_error (&error);
        if (enforce (engine, engine->policy, &error))
            break;
        take_net (engine);
        if (bulkhead_net_equal (engine->net, before))
            break;
    }
    closed = error != NULL && close_all (engine, &error);
    set_problem (engine, error);
    engine->closed = closed;
}

BulkheadState
bulkhead_engine_get_state (BulkheadEngine *engine)
{
    if (bulkhead_engine_get_problem (engine) != NULL)
        return BULKHEAD_STATE_BROKEN;
    if (!engine->policy->locked)
        return BULKHEAD_STATE_OFF;
    if (engine->policy->pause_seconds > 0)
        return BULKHEAD_STATE_PAUSED;
    return bulkhead_observe_any_tunnel_is_up (engine->net, engine->policy)
               ? BULKHEAD_STATE_PROTECTED
               : BULKHEAD_STATE_BLOCKING;
}

/* ---- what changes by itself ---- */

static gboolean
end_pause (BulkheadEngine *engine)
{
    g_autoptr (BulkheadPolicy) policy = NULL;

    if (engine->policy->pause_seconds == 0 || engine->policy->pause_until > bulkhead_boottime ())
        return FALSE;
    policy = bulkhead_policy_with_pause (engine->policy, 0, 0, NULL);
    take_policy (engine, policy);
    return TRUE;
}

/* The last good endpoints, mark and networks of a tunnel are kept for the time it is gone: the
 * rules must stand before its next handshake. TRUE when there was something new. */
static gboolean
remember_tunnels (BulkheadEngine *engine)
{
    gboolean changed = FALSE;

    for (guint i = 0; i < engine->policy->tunnels->len; i++) {
        const BulkheadTunnel *known = engine->policy->tunnels->pdata[i];
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_found_update (known, engine->net);
        g_autoptr (BulkheadPolicy) policy = NULL;
        g_autoptr (GError) error = NULL;

        if (bulkhead_tunnel_equal (known, tunnel))
            continue;
        policy = bulkhead_policy_with_tunnel_replaced (engine->policy, tunnel, &error);
        if (policy == NULL || !bulkhead_settings_save (engine->settings, policy, &error)) {
            g_warning ("tunnel %s: what it is now is not kept: %s", known->name, error->message);
            continue;
        }
        take_policy (engine, policy);
        changed = TRUE;
    }
    return changed;
}

gboolean
bulkhead_engine_look (BulkheadEngine *engine)
{
    gboolean pause_ended = end_pause (engine);

    take_net (engine);
    enforce_now (engine);
    /* A new link is guarded before anything is written. */
    if (remember_tunnels (engine))
        enforce_now (engine);
    if (pause_ended)
        bulkhead_engine_cut_flows (engine);
    return pause_ended;
}

gboolean
bulkhead_engine_is_as_wanted (BulkheadEngine *engine)
{
    return engine->policy->locked ? bulkhead_enforcer_verify (engine->enforcer)
                                  : !bulkhead_sink_has_tables (sink_of (engine));
}

void
bulkhead_engine_repair (BulkheadEngine *engine)
{
    bulkhead_enforcer_forget (engine->enforcer);
    enforce_now (engine);
}

/* ---- what somebody changes ---- */

/* Opens between writing and naming the file: what cannot be stored is never opened. */
static gboolean
weaken (BulkheadEngine *engine, const BulkheadPolicy *policy, GError **error)
{
    if (!bulkhead_settings_prepare (engine->settings, policy, error))
        return FALSE;
    if (enforce (engine, policy, error) && bulkhead_settings_commit (engine->settings, error))
        return TRUE;
    bulkhead_settings_discard (engine->settings);
    enforce_now (engine);
    return FALSE;
}

/* Stores first and closes then; what the kernel refuses is not kept. */
static gboolean
strengthen (BulkheadEngine *engine, const BulkheadPolicy *policy, GError **error)
{
    gboolean others = !engine->policy->locked && bulkhead_sink_has_tables (sink_of (engine));
    g_autoptr (GError) restore_error = NULL;

    if (!bulkhead_settings_save (engine->settings, policy, error))
        return FALSE;
    bulkhead_sink_forget_flows (sink_of (engine));
    if (enforce (engine, policy, error))
        return TRUE;
    if (!bulkhead_settings_save (engine->settings, engine->policy, &restore_error)) {
        /* The stricter one stays stored: then it is what is wanted, and nothing else is open. */
        g_warning ("%s", restore_error->message);
        take_policy (engine, policy);
    } else if (!engine->policy->locked && !others) {
        /* Half a lock is none of ours to leave behind. */
        enforce (engine, engine->policy, NULL);
    }
    enforce_now (engine);
    return FALSE;
}

/* A pause is not stored: only the rules change. One that was to end does, whatever it takes. */
static gboolean
pause_or_resume (BulkheadEngine *engine, const BulkheadPolicy *policy, GError **error)
{
    if (enforce (engine, policy, error))
        return TRUE;
    if (policy->pause_seconds == 0)
        take_policy (engine, policy);
    enforce_now (engine);
    return FALSE;
}

/* A change of long lists leaves memory worth giving back. */
static void
give_memory_back (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    if (MAX (before->exceptions->len, after->exceptions->len) > MANY_EXCEPTIONS)
        malloc_trim (0);
}

gboolean
bulkhead_engine_change (BulkheadEngine *engine, const BulkheadPolicy *policy, GError **error)
{
    g_autoptr (BulkheadPolicy) was = bulkhead_policy_ref (engine->policy);
    gboolean weaker = bulkhead_policy_is_weaker (was, policy);
    /* One change may open one thing and close another. */
    gboolean closes = policy->locked && (!weaker || bulkhead_policy_is_weaker (policy, was));
    gboolean ok;

    take_net (engine);
    if (weaker && closes)
        bulkhead_sink_forget_flows (sink_of (engine));
    if (!was->locked && !policy->locked)
        ok = bulkhead_settings_save (engine->settings, policy, error);
    else if (bulkhead_policy_differs_in_pause_only (was, policy))
        ok = pause_or_resume (engine, policy, error);
    else
        ok = weaker ? weaken (engine, policy, error) : strengthen (engine, policy, error);
    if (ok) {
        take_policy (engine, policy);
        set_problem (engine, NULL);
        if (!policy->locked)
            check_nothing_stands (engine);
        if (closes)
            bulkhead_engine_cut_flows (engine);
    }
    give_memory_back (was, policy);
    return ok;
}

gboolean
bulkhead_engine_clear (BulkheadEngine *engine, GError **error)
{
    gboolean ok = enforce (engine, engine->policy, error);

    check_nothing_stands (engine);
    return ok;
}

/* What the settings say now, with the pause as it is, unless the administrator locks. */
static BulkheadPolicy *
policy_of_settings (BulkheadEngine *engine)
{
    const BulkheadManaged *managed = bulkhead_settings_get_managed (engine->settings);
    g_autoptr (BulkheadPolicy) policy = bulkhead_settings_get_policy (engine->settings);
    const BulkheadPolicy *now = engine->policy;

    if (!policy->locked || bulkhead_managed_fixes (managed, BULKHEAD_SETTING_LOCK))
        return g_steal_pointer (&policy);
    return bulkhead_policy_with_pause (policy, now->pause_seconds, now->pause_until, NULL);
}

gboolean
bulkhead_engine_take_settings (BulkheadEngine *engine)
{
    g_autoptr (BulkheadPolicy) was = bulkhead_policy_ref (engine->policy);
    g_autoptr (BulkheadPolicy) policy = policy_of_settings (engine);
    /* Files may open one thing and close another at once. */
    gboolean closes = policy->locked && bulkhead_policy_is_weaker (policy, was);
    gboolean pause_ended;

    take_policy (engine, policy);
    if (closes)
        bulkhead_sink_forget_flows (sink_of (engine));
    if (was->locked && !policy->locked)
        enforce (engine, policy, NULL); /* what stays there is told as a problem */
    pause_ended = bulkhead_engine_look (engine);
    if (closes)
        bulkhead_engine_cut_flows (engine);
    give_memory_back (was, policy);
    return pause_ended;
}

void
bulkhead_engine_cut_flows (BulkheadEngine *engine)
{
    bulkhead_conntrack_cut (engine->net, engine->policy, NULL);
}

/* ---- accessors ---- */

const BulkheadPolicy *
bulkhead_engine_get_policy (BulkheadEngine *engine)
{
    return engine->policy;
}

const BulkheadNet *
bulkhead_engine_get_net (BulkheadEngine *engine)
{
    return engine->net;
}

const char *
bulkhead_engine_get_problem (BulkheadEngine *engine)
{
    gboolean blocks = engine->policy->locked && engine->policy->pause_seconds == 0;

    if (engine->problem == NULL && blocks && engine->failed_looks >= BLIND)
        return engine->blindness;
    return engine->problem;
}

gboolean
bulkhead_engine_is_closed (BulkheadEngine *engine)
{
    return engine->closed;
}

const char *
bulkhead_engine_get_blindness (BulkheadEngine *engine)
{
    return engine->blindness;
}

BulkheadEnforcer *
bulkhead_engine_get_enforcer (BulkheadEngine *engine)
{
    return engine->enforcer;
}
