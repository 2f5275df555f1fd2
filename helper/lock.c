/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock.h"

#include "clock.h"
#include "error.h"
#include "lock-log.h"
#include "nft-watch.h"
#include "observe.h"
#include "quota.h"
#include "schedule.h"
#include "uptime.h"

#define REPAIRS_TOLD 100 /* at the most, in one span */
#define REPAIRS_SPAN (10 * G_USEC_PER_SEC)

struct _BulkheadLock {
    GObject parent_instance;

    BulkheadJournal *journal; /* borrowed */
    BulkheadSettings *settings;
    BulkheadLinks *links;
    BulkheadEngine *engine;
    BulkheadNftWatch *watch;
    BulkheadSchedule *schedule;
    BulkheadUptime *uptime;

    BulkheadState state;        /* as it was last told */
    gboolean closed;            /* the same */
    gint64 refreshed;           /* monotonic µs of the last look for an answer */
    gint64 verified;            /* and of the last reading back for one */
    BulkheadQuota told_repairs; /* a program may fight over the rules for long */
    guint read_source;          /* elements wait for being read back */
};

G_DEFINE_FINAL_TYPE (BulkheadLock, bulkhead_lock, G_TYPE_OBJECT)

static guint changed_signal;
static guint tampered_signal;

static BulkheadEnforcer *
enforcer_of (BulkheadLock *self)
{
    return bulkhead_engine_get_enforcer (self->engine);
}

static BulkheadSink *
sink_of (BulkheadLock *self)
{
    return bulkhead_enforcer_get_sink (enforcer_of (self));
}

/* ---- what is told ---- */

static gboolean on_time_to_read_cb (gpointer data);

/* After everything that may have changed something. */
static void
publish (BulkheadLock *self)
{
    const BulkheadPolicy *policy = bulkhead_lock_get_policy (self);
    const BulkheadNet *net = bulkhead_lock_get_net (self);
    BulkheadState state = bulkhead_engine_get_state (self->engine);
    gboolean closed = bulkhead_engine_is_closed (self->engine);

    bulkhead_uptime_update (self->uptime, net, policy, bulkhead_boottime ());
    if (state != self->state || closed != self->closed) {
        self->state = state;
        self->closed = closed;
        bulkhead_lock_log_state (self->journal, state, closed, bulkhead_lock_get_problem (self));
    }
    if (bulkhead_enforcer_take_unread (enforcer_of (self)) && self->read_source == 0)
        self->read_source = g_idle_add (on_time_to_read_cb, self);
    bulkhead_schedule_plan (self->schedule, policy, net,
                            state == BULKHEAD_STATE_BROKEN
                                || bulkhead_engine_get_blindness (self->engine) != NULL);
    g_signal_emit (self, changed_signal, 0);
}

/* ---- what makes it look ---- */

static void
tell_looked (BulkheadLock *self, gboolean pause_ended)
{
    if (pause_ended)
        bulkhead_lock_log (self->journal, BULKHEAD_EVENT_RESUMED, "by", "time");
    publish (self);
}

static void
look_again (gpointer data)
{
    BulkheadLock *self = data;

    tell_looked (self, bulkhead_engine_look (self->engine));
}

static void
on_links_changed_cb (BulkheadLock *self)
{
    bulkhead_schedule_hurry (self->schedule);
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

/* ---- somebody else's hands ---- */

/* Puts back what is not as it should be, and says who did it and how long it took. */
static void
repair (BulkheadLock *self, const char *program, guint32 pid)
{
    gint64 noticed = g_get_monotonic_time ();
    gboolean was_there =
        bulkhead_enforcer_knows (enforcer_of (self)) && bulkhead_lock_get_policy (self)->locked;
    gboolean restored;

    bulkhead_engine_repair (self->engine);
    restored = bulkhead_engine_get_problem (self->engine) == NULL;
    if (was_there && bulkhead_quota_take (&self->told_repairs, noticed)) {
        bulkhead_lock_log_touched (self->journal, program, pid, restored,
                                   g_get_monotonic_time () - noticed);
        g_signal_emit (self, tampered_signal, 0, program, restored);
    }
    publish (self);
}

static void
on_touched_cb (guint32 pid, const char *program, gpointer data)
{
    BulkheadLock *self = data;

    if (!bulkhead_engine_is_as_wanted (self->engine))
        repair (self, program, pid);
}

static gboolean
says_it_blocks (BulkheadLock *self)
{
    return self->state == BULKHEAD_STATE_PROTECTED || self->state == BULKHEAD_STATE_BLOCKING;
}

gboolean
bulkhead_lock_verify (BulkheadLock *self, gint64 max_age, GError **error)
{
    const char *problem;

    if (!is_younger (self->verified, max_age)) {
        if (!bulkhead_engine_is_as_wanted (self->engine))
            repair (self, "", 0);
        self->verified = g_get_monotonic_time ();
    }
    problem = bulkhead_engine_get_problem (self->engine);
    if (problem == NULL && says_it_blocks (self))
        problem = bulkhead_engine_get_blindness (self->engine);
    if (problem == NULL)
        return TRUE;
    g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED, problem);
    return FALSE;
}

static void
log_verified (BulkheadLock *self, BulkheadEvent event)
{
    g_autoptr (GError) error = NULL;

    bulkhead_lock_verify (self, 0, &error);
    bulkhead_lock_log (self->journal, event, "rules", error == NULL ? "verified" : error->message);
}

void
bulkhead_lock_fall_asleep (BulkheadLock *self)
{
    log_verified (self, BULKHEAD_EVENT_ASLEEP);
}

void
bulkhead_lock_wake_up (BulkheadLock *self)
{
    bulkhead_schedule_hurry (self->schedule);
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

/* ---- the user's changes ---- */

gboolean
bulkhead_lock_set_policy (BulkheadLock *self, BulkheadPolicy *policy, GError **error)
{
    gboolean ok;

    if (!bulkhead_managed_check (bulkhead_lock_get_managed (self), bulkhead_lock_get_policy (self),
                                 policy, error))
        return FALSE;
    ok = bulkhead_engine_change (self->engine, policy, error);
    publish (self);
    return ok;
}

gboolean
bulkhead_lock_clear (BulkheadLock *self, GError **error)
{
    gboolean ok = bulkhead_engine_clear (self->engine, error);

    publish (self);
    return ok;
}

/* ---- the administrator's ---- */

const BulkheadManaged *
bulkhead_lock_get_managed (BulkheadLock *self)
{
    return bulkhead_settings_get_managed (self->settings);
}

void
bulkhead_lock_set_managed (BulkheadLock *self, BulkheadManaged *managed)
{
    gboolean was_locked = bulkhead_lock_get_policy (self)->locked;
    gboolean is_locked;

    if (!bulkhead_settings_set_managed (self->settings, managed))
        return;
    bulkhead_lock_log_managed (self->journal, bulkhead_lock_get_managed (self));
    tell_looked (self, bulkhead_engine_take_settings (self->engine));
    is_locked = bulkhead_lock_get_policy (self)->locked;
    if (!was_locked != !is_locked)
        bulkhead_lock_log (self->journal,
                           is_locked ? BULKHEAD_EVENT_LOCKED : BULKHEAD_EVENT_UNLOCKED, "by",
                           "administrator");
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
    return says_it_blocks (self) && bulkhead_enforcer_knows (enforcer_of (self)) && self->read_source == 0
           && bulkhead_engine_get_blindness (self->engine) == NULL;
}

const BulkheadPolicy *
bulkhead_lock_get_policy (BulkheadLock *self)
{
    return bulkhead_engine_get_policy (self->engine);
}

const BulkheadNet *
bulkhead_lock_get_net (BulkheadLock *self)
{
    return bulkhead_engine_get_net (self->engine);
}

const char *
bulkhead_lock_get_problem (BulkheadLock *self)
{
    const char *problem = bulkhead_engine_get_problem (self->engine);

    return problem != NULL ? problem : "";
}

gboolean
bulkhead_lock_is_closed (BulkheadLock *self)
{
    return self->closed;
}

char *
bulkhead_lock_get_rules (BulkheadLock *self)
{
    return bulkhead_enforcer_text (enforcer_of (self), bulkhead_lock_get_policy (self),
                                   bulkhead_lock_get_net (self));
}

gboolean
bulkhead_lock_tunnel_is_up (BulkheadLock *self, const BulkheadTunnel *tunnel)
{
    return bulkhead_observe_tunnel_is_up (bulkhead_lock_get_net (self), tunnel);
}

gint64
bulkhead_lock_tunnel_since (BulkheadLock *self, const BulkheadTunnel *tunnel)
{
    gint64 since = bulkhead_uptime_get (self->uptime, tunnel->interface);

    return since > 0 ? bulkhead_clock_of (since) : 0;
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
        bulkhead_lock_log (self->journal, BULKHEAD_EVENT_UNREADABLE, "problem", error->message);
    if (!bulkhead_managed_equal (managed, nothing))
        bulkhead_lock_log_managed (self->journal, managed);
}

static gboolean
load_engine (BulkheadLock *self, gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadPolicy) stored = bulkhead_settings_get_policy (self->settings);

    self->engine = bulkhead_engine_new (self->settings, self->links, use_owner, error);
    if (self->engine == NULL)
        return FALSE;
    if (!stored->locked && bulkhead_lock_get_policy (self)->locked)
        bulkhead_lock_log (self->journal, BULKHEAD_EVENT_UNREADABLE, "problem",
                           "the stored state says unlocked, but the lock stands in the kernel");
    return TRUE;
}

/* Owned tables are nobody else's to touch; others are watched, from before they are made: unseen,
 * they would be told to stand when they are gone. */
static gboolean
watch_rules (BulkheadLock *self, GError **error)
{
    if (bulkhead_sink_get_features (sink_of (self)) & BULKHEAD_FEATURE_OWNER)
        return TRUE;
    self->watch = bulkhead_nft_watch_new (bulkhead_sink_get_port (sink_of (self)), on_touched_cb,
                                          self, error);
    return self->watch != NULL;
}

BulkheadLock *
bulkhead_lock_new (BulkheadStore *store, BulkheadManaged *managed, BulkheadJournal *journal,
                   gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadLock) self = g_object_new (BULKHEAD_TYPE_LOCK, NULL);

    self->journal = journal;
    load_settings (self, store, managed);
    self->links = bulkhead_links_new (error);
    if (self->links == NULL)
        return NULL;
    if (!load_engine (self, use_owner, error))
        return NULL;
    bulkhead_lock_log_features (self->journal, bulkhead_sink_get_features (sink_of (self)),
                                use_owner);
    if (!watch_rules (self, error))
        return NULL;
    g_signal_connect_swapped (self->links, "changed", G_CALLBACK (on_links_changed_cb), self);
    look_again (self);
    if (bulkhead_lock_get_policy (self)->locked)
        bulkhead_engine_cut_flows (self->engine);
    return g_steal_pointer (&self);
}

static void
bulkhead_lock_finalize (GObject *object)
{
    BulkheadLock *self = BULKHEAD_LOCK (object);

    g_clear_handle_id (&self->read_source, g_source_remove);
    if (self->links != NULL)
        g_signal_handlers_disconnect_by_data (self->links, self);
    g_clear_pointer (&self->watch, bulkhead_nft_watch_free);
    g_clear_pointer (&self->uptime, bulkhead_uptime_free);
    g_clear_pointer (&self->schedule, bulkhead_schedule_free);
    g_clear_pointer (&self->engine, bulkhead_engine_free);
    g_clear_object (&self->links);
    g_clear_pointer (&self->settings, bulkhead_settings_free);
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
    self->schedule = bulkhead_schedule_new (look_again, self);
    self->told_repairs = (BulkheadQuota){ .max = REPAIRS_TOLD, .span = REPAIRS_SPAN };
}
