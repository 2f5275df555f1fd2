/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock.h"

#include "clock.h"
#include "conntrack.h"
#include "enforcer.h"
#include "error.h"
#include "fallback.h"
#include "found.h"
#include "nft-watch.h"
#include "observe.h"
#include "uptime.h"
#include "weaker.h"

#include <malloc.h>

#define POLL_MAX 60     /* seconds between looks at a WireGuard link that is silent */
#define RETRY_SECONDS 1 /* while broken, or while links cannot be read */
#define SLEEP_MIN (G_USEC_PER_SEC / 10) /* the two clocks are not read at the same time */
#define REPAIRS_TOLD 100                /* at the most, in one window */
#define REPAIRS_WINDOW (10 * G_USEC_PER_SEC)
#define MANY_EXCEPTIONS 1000

struct _BulkheadLock {
    GObject parent_instance;

    BulkheadSettings *settings;
    BulkheadJournal *journal; /* borrowed */
    BulkheadEnforcer *enforcer;
    BulkheadLinks *links;
    BulkheadNftWatch *watch;
    BulkheadUptime *uptime;

    BulkheadPolicy *policy;
    BulkheadNet *net;
    BulkheadState state;
    char *problem;
    gboolean net_is_old;  /* the last look at the links failed */
    gint64 refreshed;     /* monotonic µs of the last look for an answer */
    gint64 verified;      /* and of the last reading back for one */
    gint64 repairs_since; /* monotonic µs: where the window of told repairs began */
    guint repairs_told;
    gint64 slept; /* bulkhead_slept() when it was last looked at */

    guint pause_source;
    guint poll_source;
    guint poll_seconds;
    guint retry_source;
    guint read_source;
};

G_DEFINE_FINAL_TYPE (BulkheadLock, bulkhead_lock, G_TYPE_OBJECT)

static guint changed_signal;
static guint tampered_signal;

/* ---- state ---- */

static gboolean
is_paused (const BulkheadPolicy *policy)
{
    return policy->pause_seconds > 0 && policy->pause_until > bulkhead_boottime ();
}

static BulkheadState
work_out_state (BulkheadLock *self)
{
    if (self->problem != NULL)
        return BULKHEAD_STATE_BROKEN;
    if (!self->policy->locked)
        return BULKHEAD_STATE_OFF;
    if (self->policy->pause_seconds > 0)
        return BULKHEAD_STATE_PAUSED;
    return bulkhead_observe_any_tunnel_is_up (self->net, self->policy) ? BULKHEAD_STATE_PROTECTED
                                                                       : BULKHEAD_STATE_BLOCKING;
}

gboolean
bulkhead_lock_tunnel_is_up (BulkheadLock *self, const BulkheadTunnel *tunnel)
{
    return bulkhead_observe_tunnel_is_up (self->net, tunnel);
}

gint64
bulkhead_lock_tunnel_since (BulkheadLock *self, const BulkheadTunnel *tunnel)
{
    return bulkhead_uptime_get (self->uptime, tunnel->interface);
}

static void
log_detail (BulkheadLock *self, BulkheadEvent event, const char *name, const char *value)
{
    const char *const detail[] = { name, value, NULL };
    bulkhead_journal_write (self->journal, event, detail);
}

static void
log_state (BulkheadLock *self)
{
    switch (self->state) {
    case BULKHEAD_STATE_PROTECTED:
        bulkhead_journal_write (self->journal, BULKHEAD_EVENT_PROTECTED, NULL);
        break;
    case BULKHEAD_STATE_BLOCKING:
        bulkhead_journal_write (self->journal, BULKHEAD_EVENT_BLOCKING, NULL);
        break;
    case BULKHEAD_STATE_BROKEN:
        log_detail (self, BULKHEAD_EVENT_BROKEN, "problem", self->problem);
        break;
    case BULKHEAD_STATE_UNKNOWN:
    case BULKHEAD_STATE_OFF:
    case BULKHEAD_STATE_PAUSED:
        break; /* the user's own doing: logged where it was asked for */
    }
}

static void schedule (BulkheadLock *self);
static gboolean on_time_to_read_cb (gpointer data);

static void
publish (BulkheadLock *self)
{
    BulkheadState state = work_out_state (self);

    bulkhead_uptime_update (self->uptime, self->net, self->policy,
                            g_get_real_time () / G_USEC_PER_SEC);
    if (state != self->state) {
        self->state = state;
        log_state (self);
    }
    schedule (self);
    g_signal_emit (self, changed_signal, 0);
}

/* ---- the one path ---- */

static void
set_problem (BulkheadLock *self, const GError *error)
{
    g_free (self->problem);
    self->problem = error != NULL ? g_strdup (error->message) : NULL;
}

static BulkheadSink *
sink_of (BulkheadLock *self)
{
    return bulkhead_enforcer_get_sink (self->enforcer);
}

static gboolean
enforce (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    gboolean ok = bulkhead_enforcer_enforce (self->enforcer, policy, self->net, error);

    if (bulkhead_enforcer_take_unread (self->enforcer) && self->read_source == 0)
        self->read_source = g_idle_add (on_time_to_read_cb, self);
    return ok;
}

/* Only unlocking takes a lock away: one that stands while ours is off is somebody else's, or a
 * sign that the state was tampered with. */
static void
check_nothing_stands (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;

    if (bulkhead_sink_has_tables (sink_of (self)))
        g_set_error (&error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED,
                     "the lock is off, but rules of a lock stand in the kernel");
    set_problem (self, error);
}

static gboolean
take_net (BulkheadLock *self)
{
    BulkheadNet *net = bulkhead_observe (self->links, bulkhead_sink_get_features (sink_of (self)));

    self->net_is_old = net == NULL;
    if (net == NULL)
        return FALSE;
    bulkhead_net_unref (self->net);
    self->net = net;
    return TRUE;
}

/*
 * Enforces the policy in the net as it is now. A link that vanished between the look and the
 * transaction makes the kernel refuse; a second look knows better.
 */
static void
enforce_now (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;

    if (!self->policy->locked) {
        check_nothing_stands (self);
        return;
    }
    for (guint attempt = 0; attempt < 3; attempt++) {
        g_clear_error (&error);
        if (enforce (self, self->policy, &error))
            break;
        take_net (self);
    }
    /* What is asked for and cannot be had is not left open. */
    if (error != NULL)
        bulkhead_fallback_close (sink_of (self), NULL);
    set_problem (self, error);
}

static void
take_policy (BulkheadLock *self, const BulkheadPolicy *policy)
{
    BulkheadPolicy *before = self->policy;

    self->policy = bulkhead_policy_ref (policy);
    bulkhead_policy_unref (before);
}

/* The last good endpoints, mark and networks of a tunnel are kept for the time it is gone: the
 * rules must stand before its next handshake. TRUE when there was something new. */
static gboolean
remember_tunnels (BulkheadLock *self)
{
    gboolean changed = FALSE;

    for (guint i = 0; i < self->policy->tunnels->len; i++) {
        const BulkheadTunnel *known = self->policy->tunnels->pdata[i];
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_found_update (known, self->net);
        g_autoptr (BulkheadPolicy) policy = NULL;
        g_autoptr (GError) error = NULL;

        if (bulkhead_tunnel_equal (known, tunnel))
            continue;
        policy = bulkhead_policy_with_tunnel_replaced (self->policy, tunnel, &error);
        if (policy == NULL || !bulkhead_settings_save (self->settings, policy, &error)) {
            g_warning ("tunnel %s: what it is now is not kept: %s", known->name, error->message);
            continue;
        }
        take_policy (self, policy);
        changed = TRUE;
    }
    return changed;
}

static void
end_pause (BulkheadLock *self)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_pause (self->policy, 0, 0, NULL);

    take_policy (self, policy);
    log_detail (self, BULKHEAD_EVENT_RESUMED, "by", "time");
}

/* The kernel's time for the elements of a pause stands still while the machine sleeps: after it,
 * what stands there is not what is wanted any more. */
static void
notice_sleep (BulkheadLock *self)
{
    gint64 slept = bulkhead_slept ();

    if (slept - self->slept > SLEEP_MIN && self->policy->pause_seconds > 0)
        bulkhead_enforcer_forget (self->enforcer);
    self->slept = slept;
}

/* Everything anew: the pause, the links, the tunnels, the rules. */
static void
look_again (BulkheadLock *self)
{
    gboolean pause_over = self->policy->pause_seconds > 0 && !is_paused (self->policy);

    notice_sleep (self);
    if (pause_over)
        end_pause (self);
    take_net (self);
    enforce_now (self);
    /* A new link is guarded before anything is written. */
    if (remember_tunnels (self))
        enforce_now (self);
    if (pause_over)
        bulkhead_conntrack_cut (self->net, self->policy, NULL);
    publish (self);
}

static void
on_links_changed_cb (BulkheadLock *self)
{
    self->poll_seconds = 0;
    look_again (self);
}

static gboolean
is_younger (gint64 then, gint64 max_age)
{
    return then != 0 && g_get_monotonic_time () - then < max_age;
}

void
bulkhead_lock_refresh (BulkheadLock *self, gint64 max_age)
{
    if (is_younger (self->refreshed, max_age))
        return;
    look_again (self);
    self->refreshed = g_get_monotonic_time ();
}

/* ---- timers: none runs when nothing can change by itself ---- */

static gboolean
on_pause_over_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->pause_source = 0;
    look_again (self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_retry_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->retry_source = 0;
    look_again (self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_poll_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->poll_source = 0;
    self->poll_seconds = CLAMP (2 * self->poll_seconds, 1, POLL_MAX);
    look_again (self);
    return G_SOURCE_REMOVE;
}

static void
schedule (BulkheadLock *self)
{
    guint interval =
        bulkhead_observe_poll_interval (self->net, self->policy, MAX (self->poll_seconds, 1));

    g_clear_handle_id (&self->pause_source, g_source_remove);
    g_clear_handle_id (&self->poll_source, g_source_remove);
    if (self->policy->pause_seconds > 0)
        self->pause_source =
            bulkhead_boottime_add (self->policy->pause_until, on_pause_over_cb, self);
    if (interval > 0)
        self->poll_source = g_timeout_add_seconds (interval, on_poll_cb, self);
    if ((self->problem != NULL || self->net_is_old) && self->retry_source == 0)
        self->retry_source = g_timeout_add_seconds (RETRY_SECONDS, on_retry_cb, self);
}

/* ---- somebody else's hands ---- */

/* A program that fights over the rules must not fill the log. */
static gboolean
may_tell_repair (BulkheadLock *self, gint64 now)
{
    if (self->repairs_since == 0 || now - self->repairs_since > REPAIRS_WINDOW) {
        self->repairs_since = now;
        self->repairs_told = 0;
    }
    return self->repairs_told++ < REPAIRS_TOLD;
}

/* Puts back what is not as it should be, and says who did it and how long it took. */
static void
repair (BulkheadLock *self, const char *program, guint32 pid)
{
    gint64 noticed = g_get_monotonic_time ();
    gboolean was_there = bulkhead_enforcer_knows (self->enforcer);
    g_autofree char *who = g_strdup_printf ("%s (%u)", program, pid);
    g_autofree char *time = NULL;

    bulkhead_enforcer_forget (self->enforcer);
    enforce_now (self);
    time = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_monotonic_time () - noticed);
    if (was_there && self->policy->locked && may_tell_repair (self, noticed)) {
        log_detail (self, BULKHEAD_EVENT_REMOVED, "by", pid != 0 ? who : "unknown");
        if (self->problem == NULL)
            log_detail (self, BULKHEAD_EVENT_RESTORED, "microseconds", time);
        g_signal_emit (self, tampered_signal, 0, program, self->problem == NULL);
    }
    publish (self);
}

static gboolean
is_as_wanted (BulkheadLock *self)
{
    notice_sleep (self);
    return self->policy->locked ? bulkhead_enforcer_verify (self->enforcer)
                                : !bulkhead_sink_has_tables (sink_of (self));
}

static void
on_touched_cb (guint32 pid, const char *program, gboolean overflow, gpointer data)
{
    BulkheadLock *self = data;

    if (!is_as_wanted (self))
        repair (self, program, pid);
}

gboolean
bulkhead_lock_verify (BulkheadLock *self, gint64 max_age, GError **error)
{
    if (!is_younger (self->verified, max_age) && !is_as_wanted (self))
        repair (self, "", 0);
    self->verified = g_get_monotonic_time ();
    if (self->problem == NULL)
        return TRUE;
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED, "%s", self->problem);
    return FALSE;
}

static void
log_verified (BulkheadLock *self, BulkheadEvent event)
{
    g_autoptr (GError) error = NULL;

    bulkhead_lock_verify (self, 0, &error);
    log_detail (self, event, "rules", error == NULL ? "verified" : error->message);
}

void
bulkhead_lock_fall_asleep (BulkheadLock *self)
{
    log_verified (self, BULKHEAD_EVENT_ASLEEP);
}

void
bulkhead_lock_wake_up (BulkheadLock *self)
{
    self->poll_seconds = 0;
    look_again (self);
    log_verified (self, BULKHEAD_EVENT_AWAKE);
}

static gboolean
on_time_to_read_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->read_source = 0;
    if (bulkhead_lock_verify (self, 0, NULL))
        publish (self); /* ready now */
    return G_SOURCE_REMOVE;
}

/* A change of long lists leaves memory worth giving back. */
static void
give_memory_back (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    if (MAX (before->exceptions->len, after->exceptions->len) > MANY_EXCEPTIONS)
        malloc_trim (0);
}

/* ---- the user's changes ---- */

/* Opens between writing and naming the file: what cannot be stored is never opened. */
static gboolean
weaken (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    if (!bulkhead_settings_prepare (self->settings, policy, error))
        return FALSE;
    if (enforce (self, policy, error) && bulkhead_settings_commit (self->settings, error))
        return TRUE;
    bulkhead_settings_discard (self->settings);
    enforce_now (self);
    return FALSE;
}

/* Stores first and closes then; what the kernel refuses is not kept. */
static gboolean
strengthen (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    g_autoptr (GError) restore_error = NULL;

    if (!bulkhead_settings_save (self->settings, policy, error))
        return FALSE;
    bulkhead_sink_forget_flows (sink_of (self));
    if (enforce (self, policy, error))
        return TRUE;
    /* If this fails the stricter one stays stored: it comes into force at the next start. */
    if (!bulkhead_settings_save (self->settings, self->policy, &restore_error))
        g_warning ("%s", restore_error->message);
    /* Half a lock is none of ours to leave behind. */
    if (!self->policy->locked)
        enforce (self, self->policy, NULL);
    enforce_now (self);
    return FALSE;
}

/* A pause is not stored: only the rules change. */
static gboolean
pause_or_resume (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    if (enforce (self, policy, error))
        return TRUE;
    enforce_now (self);
    return FALSE;
}

static gboolean
differs_in_pause_only (const BulkheadPolicy *a, const BulkheadPolicy *b)
{
    g_autoptr (BulkheadPolicy) without_a = bulkhead_policy_with_pause (a, 0, 0, NULL);
    g_autoptr (BulkheadPolicy) without_b = bulkhead_policy_with_pause (b, 0, 0, NULL);

    return !bulkhead_policy_equal (a, b) && bulkhead_policy_equal (without_a, without_b);
}

gboolean
bulkhead_lock_set_policy (BulkheadLock *self, BulkheadPolicy *policy, GError **error)
{
    g_autoptr (BulkheadPolicy) was = bulkhead_policy_ref (self->policy);
    gboolean weaker = bulkhead_policy_is_weaker (was, policy);
    gboolean ok;

    if (!bulkhead_managed_check (bulkhead_lock_get_managed (self), self->policy, policy, error))
        return FALSE;
    take_net (self);
    if (differs_in_pause_only (self->policy, policy))
        ok = pause_or_resume (self, policy, error);
    else
        ok = weaker ? weaken (self, policy, error) : strengthen (self, policy, error);
    if (ok) {
        take_policy (self, policy);
        set_problem (self, NULL);
        if (!weaker && policy->locked)
            bulkhead_conntrack_cut (self->net, policy, NULL);
    }
    give_memory_back (was, policy);
    publish (self);
    return ok;
}

/* ---- the administrator's ---- */

static void
log_managed (BulkheadLock *self)
{
    const BulkheadManaged *managed = bulkhead_lock_get_managed (self);
    g_auto (GStrv) fixed = bulkhead_managed_list (managed);
    g_autofree char *list = g_strjoinv (" ", fixed);

    if (managed->problem != NULL)
        log_detail (self, BULKHEAD_EVENT_MISMANAGED, "problem", managed->problem);
    else
        log_detail (self, BULKHEAD_EVENT_MANAGED, "fixed", list);
}

/* What the files say in the place of what they said. A pause goes on unless they lock. */
static BulkheadPolicy *
managed_policy (BulkheadLock *self)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_settings_get_policy (self->settings);
    const BulkheadPolicy *now = self->policy;

    if (!policy->locked
        || bulkhead_managed_fixes (bulkhead_lock_get_managed (self), BULKHEAD_SETTING_LOCK))
        return g_steal_pointer (&policy);
    return bulkhead_policy_with_pause (policy, now->pause_seconds, now->pause_until, NULL);
}

const BulkheadManaged *
bulkhead_lock_get_managed (BulkheadLock *self)
{
    return bulkhead_settings_get_managed (self->settings);
}

void
bulkhead_lock_set_managed (BulkheadLock *self, BulkheadManaged *managed)
{
    const BulkheadManaged *before = bulkhead_lock_get_managed (self);
    g_autoptr (BulkheadPolicy) was = bulkhead_policy_ref (self->policy);
    g_autoptr (BulkheadPolicy) policy = NULL;
    gboolean closes;

    if (managed->problem != NULL) {
        BulkheadManaged *kept = bulkhead_managed_copy (before);

        bulkhead_managed_set_problem (kept, managed->problem);
        bulkhead_managed_free (managed);
        managed = kept;
    }
    if (bulkhead_managed_equal (managed, before)) {
        bulkhead_managed_free (managed);
        return;
    }
    bulkhead_settings_set_managed (self->settings, managed);
    log_managed (self);
    policy = managed_policy (self);
    /* Files may open one thing and close another at once. */
    closes = policy->locked && bulkhead_policy_is_weaker (policy, was);
    take_policy (self, policy);
    if (closes)
        bulkhead_sink_forget_flows (sink_of (self));
    if (was->locked && !policy->locked)
        enforce (self, policy, NULL); /* what stays there is told as a problem */
    look_again (self);
    if (!was->locked != !policy->locked)
        log_detail (self, policy->locked ? BULKHEAD_EVENT_LOCKED : BULKHEAD_EVENT_UNLOCKED, "by",
                    "administrator");
    if (closes)
        bulkhead_conntrack_cut (self->net, self->policy, NULL);
    give_memory_back (was, policy);
}

/* ---- accessors ---- */

BulkheadState
bulkhead_lock_get_state (BulkheadLock *self)
{
    return self->state;
}

gboolean
bulkhead_lock_is_ready (BulkheadLock *self)
{
    return (self->state == BULKHEAD_STATE_PROTECTED || self->state == BULKHEAD_STATE_BLOCKING)
           && bulkhead_enforcer_knows (self->enforcer) && self->read_source == 0;
}

const BulkheadPolicy *
bulkhead_lock_get_policy (BulkheadLock *self)
{
    return self->policy;
}

const BulkheadNet *
bulkhead_lock_get_net (BulkheadLock *self)
{
    return self->net;
}

const char *
bulkhead_lock_get_problem (BulkheadLock *self)
{
    return self->problem != NULL ? self->problem : "";
}

char *
bulkhead_lock_get_rules (BulkheadLock *self)
{
    return bulkhead_enforcer_text (self->enforcer, self->policy, self->net);
}

/* ---- start ---- */

/* Unreadable is locked. */
static void
load_settings (BulkheadLock *self, BulkheadStore *store, BulkheadManaged *managed)
{
    g_autoptr (BulkheadManaged) nothing = bulkhead_managed_new ();
    g_autoptr (GError) error = NULL;

    self->settings = bulkhead_settings_new (store, managed, &error);
    if (error != NULL)
        log_detail (self, BULKHEAD_EVENT_UNREADABLE, "problem", error->message);
    if (!bulkhead_managed_equal (managed, nothing))
        log_managed (self);
}

/*
 * A lock that stands in the kernel when the file says nothing of it or is gone stays: unlocking
 * takes the rules out first and stores then, so that somebody else must have changed the file, and
 * that is not how one unlocks.
 */
static void
load_policy (BulkheadLock *self)
{
    self->policy = bulkhead_settings_get_policy (self->settings);
    if (self->policy->locked || !bulkhead_sink_has_tables (sink_of (self)))
        return;
    bulkhead_settings_lock (self->settings);
    bulkhead_policy_unref (self->policy);
    self->policy = bulkhead_settings_get_policy (self->settings);
    log_detail (self, BULKHEAD_EVENT_UNREADABLE, "problem",
                "the stored state says unlocked, but the lock stands in the kernel");
}

static void
log_weakened (BulkheadLock *self, gboolean use_owner)
{
    BulkheadFeatures missing = BULKHEAD_FEATURES_ALL & ~bulkhead_sink_get_features (sink_of (self));

    if (missing & BULKHEAD_FEATURE_EGRESS)
        log_detail (self, BULKHEAD_EVENT_WEAKENED, "promise",
                    "bridged guests and packet sockets are not seen: no netdev egress hook");
    if (missing & BULKHEAD_FEATURE_LOG)
        log_detail (self, BULKHEAD_EVENT_WEAKENED, "promise",
                    "what is blocked cannot be told: no nflog");
    if (use_owner && missing & BULKHEAD_FEATURE_OWNER)
        log_detail (self, BULKHEAD_EVENT_WEAKENED, "promise",
                    "another program can remove the rules; they are put back: "
                    "no table owner with persist");
}

/* Owned tables are nobody else's to touch; others are watched, from before they are made. */
static void
watch_rules (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;

    if (bulkhead_sink_get_features (sink_of (self)) & BULKHEAD_FEATURE_OWNER)
        return;
    self->watch = bulkhead_nft_watch_new (bulkhead_sink_get_port (sink_of (self)), on_touched_cb,
                                          self, &error);
    if (self->watch == NULL)
        log_detail (self, BULKHEAD_EVENT_WEAKENED, "promise", error->message);
}

BulkheadLock *
bulkhead_lock_new (BulkheadStore *store, BulkheadManaged *managed, BulkheadJournal *journal,
                   gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadLock) self = g_object_new (BULKHEAD_TYPE_LOCK, NULL);

    self->journal = journal;
    load_settings (self, store, managed);
    self->enforcer = bulkhead_enforcer_new (use_owner, error);
    if (self->enforcer == NULL)
        return NULL;
    self->links = bulkhead_links_new (error);
    if (self->links == NULL)
        return NULL;
    load_policy (self);
    log_weakened (self, use_owner);
    watch_rules (self);

    self->net = bulkhead_net_new (bulkhead_sink_get_features (sink_of (self)), NULL, NULL);
    g_signal_connect_swapped (self->links, "changed", G_CALLBACK (on_links_changed_cb), self);
    look_again (self);
    if (self->policy->locked)
        bulkhead_conntrack_cut (self->net, self->policy, NULL);
    return g_steal_pointer (&self);
}

static void
bulkhead_lock_finalize (GObject *object)
{
    BulkheadLock *self = BULKHEAD_LOCK (object);

    g_clear_handle_id (&self->pause_source, g_source_remove);
    g_clear_handle_id (&self->poll_source, g_source_remove);
    g_clear_handle_id (&self->retry_source, g_source_remove);
    g_clear_handle_id (&self->read_source, g_source_remove);
    if (self->links != NULL)
        g_signal_handlers_disconnect_by_data (self->links, self);
    g_clear_object (&self->links);
    g_clear_pointer (&self->watch, bulkhead_nft_watch_free);
    g_clear_pointer (&self->uptime, bulkhead_uptime_free);
    g_clear_pointer (&self->enforcer, bulkhead_enforcer_free);
    g_clear_pointer (&self->settings, bulkhead_settings_free);
    g_clear_pointer (&self->policy, bulkhead_policy_unref);
    g_clear_pointer (&self->net, bulkhead_net_unref);
    g_free (self->problem);
    G_OBJECT_CLASS (bulkhead_lock_parent_class)->finalize (object);
}

static void
bulkhead_lock_class_init (BulkheadLockClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_lock_finalize;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_LOCK, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
    tampered_signal = g_signal_new ("tampered", BULKHEAD_TYPE_LOCK, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
}

static void
bulkhead_lock_init (BulkheadLock *self)
{
    self->uptime = bulkhead_uptime_new ();
}
