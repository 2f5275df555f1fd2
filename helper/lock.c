/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock.h"

#include "clock.h"
#include "compile.h"
#include "conntrack.h"
#include "error.h"
#include "found.h"
#include "links.h"
#include "nft-sink.h"
#include "nft-watch.h"
#include "wireguard.h"

#define HANDSHAKE_FRESH 180 /* seconds; WireGuard gives a session up then (REJECT_AFTER_TIME) */
#define POLL_MAX 60         /* seconds between looks at a WireGuard link that is silent */
#define RETRY_SECONDS 1     /* while broken */

struct _BulkheadLock {
    GObject parent_instance;

    BulkheadStore *store;
    BulkheadJournal *journal; /* borrowed */
    BulkheadSink *sink;
    BulkheadLinks *links;
    BulkheadNftWatch *watch;

    BulkheadPolicy *policy;
    BulkheadPolicy *stored; /* as the store has it */
    BulkheadNet *net;
    BulkheadRuleset *applied; /* read back to be in the kernel; NULL: nobody knows */
    BulkheadState state;
    char *problem;

    guint pause_source;
    guint poll_source;
    guint poll_seconds;
    guint retry_source;
};

G_DEFINE_FINAL_TYPE (BulkheadLock, bulkhead_lock, G_TYPE_OBJECT)

static guint changed_signal;

/* ---- what there is ---- */

static gboolean
may_be_wireguard (const BulkheadLink *link)
{
    return link->type == BULKHEAD_LINK_WIREGUARD
           || (link->type == BULKHEAD_LINK_TUN && link->master == 0);
}

static GPtrArray *
read_wireguards (const GPtrArray *links)
{
    GPtrArray *wireguards =
        g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_wireguard_free);

    for (guint i = 0; i < links->len; i++) {
        const BulkheadLink *link = links->pdata[i];
        g_autoptr (GError) error = NULL;
        BulkheadWireguard *wireguard;

        if (!may_be_wireguard (link))
            continue;
        wireguard = bulkhead_wireguard_read (link->name, link->type, &error);
        if (wireguard != NULL)
            g_ptr_array_add (wireguards, wireguard);
        else if (error != NULL)
            g_info ("link %s: %s", link->name, error->message);
    }
    return wireguards;
}

/* NULL when the kernel does not answer: then what was known stays. */
static BulkheadNet *
read_net (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *links = bulkhead_links_read (self->links, &error);

    if (links == NULL) {
        g_warning ("links cannot be read: %s", error->message);
        return NULL;
    }
    return bulkhead_net_new (bulkhead_sink_get_features (self->sink), links,
                             read_wireguards (links));
}

static gboolean
handshake_is_fresh (const BulkheadWireguard *wireguard)
{
    gint64 age = g_get_real_time () / G_USEC_PER_SEC - wireguard->handshake;

    return wireguard->handshake > 0 && age < HANDSHAKE_FRESH;
}

gboolean
bulkhead_lock_tunnel_is_up (BulkheadLock *self, const BulkheadTunnel *tunnel)
{
    const BulkheadLink *link = bulkhead_net_find_link (self->net, tunnel->interface);
    const BulkheadWireguard *wireguard;

    if (link == NULL || !link->up || link->addresses->len == 0
        || !bulkhead_link_may_be_trusted (link))
        return FALSE;
    wireguard = bulkhead_net_find_wireguard (self->net, tunnel->interface);
    return wireguard == NULL || handshake_is_fresh (wireguard);
}

static gboolean
any_tunnel_is_up (BulkheadLock *self)
{
    for (guint i = 0; i < self->policy->tunnels->len; i++)
        if (bulkhead_lock_tunnel_is_up (self, self->policy->tunnels->pdata[i]))
            return TRUE;
    return FALSE;
}

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
    if (is_paused (self->policy))
        return BULKHEAD_STATE_PAUSED;
    return any_tunnel_is_up (self) ? BULKHEAD_STATE_PROTECTED : BULKHEAD_STATE_BLOCKING;
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

static void
publish (BulkheadLock *self)
{
    BulkheadState state = work_out_state (self);

    if (state != self->state) {
        self->state = state;
        log_state (self);
    }
    schedule (self);
    g_signal_emit (self, changed_signal, 0);
}

/* ---- the one path ---- */

static gboolean
apply_and_verify (BulkheadLock *self, const BulkheadRuleset *ruleset, GError **error)
{
    if (!bulkhead_sink_apply (self->sink, ruleset, self->applied, error))
        return FALSE;
    if (bulkhead_sink_verify (self->sink, ruleset, NULL))
        return TRUE;
    /* Once more, from scratch: what was thought to be there may not have been. */
    return bulkhead_sink_apply (self->sink, ruleset, NULL, error)
           && bulkhead_sink_verify (self->sink, ruleset, error);
}

/* Puts what @policy means in @net into the kernel, and knows it is there. */
static gboolean
enforce (BulkheadLock *self, const BulkheadPolicy *policy, const BulkheadNet *net, GError **error)
{
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (policy, net);

    if (self->applied != NULL && bulkhead_ruleset_equal (ruleset, self->applied))
        return TRUE;
    if (!apply_and_verify (self, ruleset, error)) {
        g_clear_pointer (&self->applied, bulkhead_ruleset_unref);
        return FALSE;
    }
    g_clear_pointer (&self->applied, bulkhead_ruleset_unref);
    self->applied = g_steal_pointer (&ruleset);
    return TRUE;
}

static void
take_net (BulkheadLock *self, BulkheadNet *net)
{
    bulkhead_net_unref (self->net);
    self->net = net;
}

/*
 * Enforces the policy in the net as it is now. A link that vanished between the look and the
 * transaction makes the kernel refuse; a second look knows better.
 */
static void
enforce_now (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;

    for (guint attempt = 0; attempt < 3; attempt++) {
        BulkheadNet *net;

        g_clear_error (&error);
        if (enforce (self, self->policy, self->net, &error))
            break;
        net = read_net (self);
        if (net != NULL)
            take_net (self, net);
    }
    g_clear_pointer (&self->problem, g_free);
    if (error != NULL)
        self->problem = g_strdup (error->message);
}

static gboolean store (BulkheadLock *self, const BulkheadPolicy *policy, GError **error);

/* The last good endpoints and mark of a WireGuard link are kept for the time it is gone: the
 * rules must stand before its next handshake. */
static void
remember_endpoints (BulkheadLock *self)
{
    for (guint i = 0; i < self->net->wireguards->len; i++) {
        const BulkheadWireguard *wireguard = self->net->wireguards->pdata[i];
        const BulkheadTunnel *known =
            bulkhead_policy_find_interface (self->policy, wireguard->interface);
        g_autoptr (BulkheadPolicy) policy = NULL;
        g_autoptr (BulkheadTunnel) tunnel = NULL;
        g_autoptr (GError) error = NULL;

        if (known == NULL || wireguard->endpoints->len == 0)
            continue;
        tunnel = bulkhead_found_update (known, wireguard);
        if (bulkhead_tunnel_equal (known, tunnel))
            continue;
        policy = bulkhead_policy_with_tunnel_replaced (self->policy, tunnel, &error);
        if (policy == NULL || !store (self, policy, &error)) {
            g_warning ("tunnel %s: its endpoints are not kept: %s", known->name, error->message);
            continue;
        }
        bulkhead_policy_unref (self->policy);
        self->policy = g_steal_pointer (&policy);
    }
}

/* What of a WireGuard link is worth a new ruleset, not its counters. */
static void
update_net (BulkheadLock *self)
{
    BulkheadNet *net = read_net (self);

    if (net == NULL)
        return;
    take_net (self, net);
    remember_endpoints (self);
    enforce_now (self);
}

static void
on_links_changed_cb (BulkheadLock *self)
{
    self->poll_seconds = 0;
    update_net (self);
    publish (self);
}

void
bulkhead_lock_refresh (BulkheadLock *self)
{
    update_net (self);
    if (work_out_state (self) != self->state)
        publish (self);
}

/* ---- timers: none runs when nothing can change by itself ---- */

static void
end_pause (BulkheadLock *self)
{
    BulkheadPolicy *policy = bulkhead_policy_with_pause (self->policy, 0, 0, NULL);

    bulkhead_policy_unref (self->policy);
    self->policy = policy;
    enforce_now (self);
    bulkhead_conntrack_cut (self->net, self->policy, NULL);
    log_detail (self, BULKHEAD_EVENT_RESUMED, "by", "time");
}

static gboolean
on_pause_over_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->pause_source = 0;
    if (self->policy->pause_seconds > 0 && !is_paused (self->policy))
        end_pause (self);
    publish (self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_retry_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->retry_source = 0;
    update_net (self);
    publish (self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_poll_cb (gpointer data)
{
    BulkheadLock *self = data;

    self->poll_source = 0;
    self->poll_seconds = CLAMP (2 * self->poll_seconds, 1, POLL_MAX);
    update_net (self);
    publish (self);
    return G_SOURCE_REMOVE;
}

/*
 * Seconds until a trusted WireGuard link is worth another look, 0: never. The kernel does not
 * tell of handshakes; a live one is looked at when it would be stale, a silent one ever more
 * rarely.
 */
static guint
poll_interval (BulkheadLock *self)
{
    guint interval = 0;

    for (guint i = 0; self->policy->locked && i < self->policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = self->policy->tunnels->pdata[i];
        const BulkheadWireguard *wireguard =
            bulkhead_net_find_wireguard (self->net, tunnel->interface);
        guint wanted = MAX (self->poll_seconds, 1);

        if (wireguard == NULL)
            continue;
        if (handshake_is_fresh (wireguard))
            wanted =
                HANDSHAKE_FRESH + 1 - (g_get_real_time () / G_USEC_PER_SEC - wireguard->handshake);
        interval = interval == 0 ? wanted : MIN (interval, wanted);
    }
    return interval;
}

static void
schedule (BulkheadLock *self)
{
    guint interval = poll_interval (self);

    g_clear_handle_id (&self->pause_source, g_source_remove);
    g_clear_handle_id (&self->poll_source, g_source_remove);
    if (is_paused (self->policy))
        self->pause_source = g_timeout_add (
            (self->policy->pause_until - bulkhead_boottime ()) / 1000 + 1, on_pause_over_cb, self);
    if (interval > 0)
        self->poll_source = g_timeout_add_seconds (interval, on_poll_cb, self);
    if (self->problem != NULL && self->retry_source == 0)
        self->retry_source = g_timeout_add_seconds (RETRY_SECONDS, on_retry_cb, self);
}

/* ---- somebody else's hands ---- */

/* Puts back what is not as it should be, and says who did it and how long it took. */
static void
repair (BulkheadLock *self, const char *program, guint32 pid)
{
    gint64 noticed = g_get_monotonic_time ();
    g_autofree char *who = g_strdup_printf ("%s (%u)", program, pid);
    g_autofree char *time = NULL;

    g_clear_pointer (&self->applied, bulkhead_ruleset_unref);
    enforce_now (self);
    time = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_monotonic_time () - noticed);
    log_detail (self, BULKHEAD_EVENT_REMOVED, "by", pid != 0 ? who : "unknown");
    if (self->problem == NULL)
        log_detail (self, BULKHEAD_EVENT_RESTORED, "microseconds", time);
    publish (self);
}

static void
on_touched_cb (guint32 pid, const char *program, gboolean overflow, gpointer data)
{
    BulkheadLock *self = data;

    if (self->applied != NULL && bulkhead_sink_verify (self->sink, self->applied, NULL))
        return;
    repair (self, program, pid);
}

gboolean
bulkhead_lock_verify (BulkheadLock *self, GError **error)
{
    if (self->applied == NULL || !bulkhead_sink_verify (self->sink, self->applied, NULL))
        repair (self, "", 0);
    if (self->problem == NULL)
        return TRUE;
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED, "%s", self->problem);
    return FALSE;
}

/* ---- the user's changes ---- */

static gboolean
adds_exception (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    g_autoptr (BulkheadPolicy) without = NULL;

    if (after->exceptions->len == 0)
        return FALSE;
    if (after->exceptions->len > before->exceptions->len)
        return TRUE;
    /* All of them were there before when they can be taken out of it. */
    without = bulkhead_policy_without_exceptions (
        before, (const BulkheadException *)after->exceptions->data, after->exceptions->len, NULL);
    return without == NULL;
}

static gboolean
adds_tunnel (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    for (guint i = 0; i < after->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = after->tunnels->pdata[i];
        const BulkheadTunnel *known = bulkhead_policy_find_tunnel (before, tunnel->name);

        if (known == NULL || !bulkhead_tunnel_equal (known, tunnel))
            return TRUE;
    }
    return FALSE;
}

/* Whether @after lets anything out that @before does not. */
static gboolean
is_weaker (const BulkheadPolicy *before, const BulkheadPolicy *after)
{
    return (before->locked && !after->locked) || (!before->lan && after->lan)
           || (!before->lan_cgnat && after->lan_cgnat)
           || (!before->lan_port_mapping && after->lan_port_mapping)
           || (after->pause_seconds > 0 && after->pause_until > before->pause_until)
           || adds_tunnel (before, after) || adds_exception (before, after);
}

/* Saves what of @policy is stored, unless the store has it. */
static gboolean
store (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    g_autoptr (BulkheadPolicy) lasting = bulkhead_policy_with_pause (policy, 0, 0, NULL);

    if (self->stored != NULL && bulkhead_policy_equal (lasting, self->stored))
        return TRUE;
    if (!bulkhead_store_save (self->store, lasting, error))
        return FALSE;
    g_clear_pointer (&self->stored, bulkhead_policy_unref);
    self->stored = g_steal_pointer (&lasting);
    return TRUE;
}

/* Opens first and stores then; what cannot be stored is closed again. */
static gboolean
weaken (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    if (!enforce (self, policy, self->net, error)) {
        enforce_now (self);
        return FALSE;
    }
    if (store (self, policy, error))
        return TRUE;
    enforce_now (self);
    return FALSE;
}

/* Stores first and closes then; what the kernel refuses is not kept. */
static gboolean
strengthen (BulkheadLock *self, const BulkheadPolicy *policy, GError **error)
{
    g_autoptr (GError) restore_error = NULL;

    if (!store (self, policy, error))
        return FALSE;
    if (enforce (self, policy, self->net, error))
        return TRUE;
    /* If this fails the stricter one stays stored: it comes into force at the next start. */
    if (!store (self, self->policy, &restore_error))
        g_warning ("%s", restore_error->message);
    enforce_now (self);
    return FALSE;
}

gboolean
bulkhead_lock_set_policy (BulkheadLock *self, BulkheadPolicy *policy, GError **error)
{
    BulkheadNet *net = read_net (self);
    gboolean weaker = is_weaker (self->policy, policy);
    gboolean ok;

    if (net != NULL)
        take_net (self, net);
    ok = weaker ? weaken (self, policy, error) : strengthen (self, policy, error);
    if (ok) {
        bulkhead_policy_unref (self->policy);
        self->policy = bulkhead_policy_ref (policy);
        g_clear_pointer (&self->problem, g_free);
        if (!weaker && policy->locked)
            bulkhead_conntrack_cut (self->net, policy, NULL);
    }
    publish (self);
    return ok;
}

/* ---- accessors ---- */

BulkheadState
bulkhead_lock_get_state (BulkheadLock *self)
{
    return self->state;
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
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (self->policy, self->net);

    return bulkhead_ruleset_to_text (ruleset);
}

/* ---- start ---- */

/*
 * Unreadable is locked. So is a lock that stands in the kernel when the file says nothing of it or
 * is gone: unlocking takes the rules out first and stores then, so that somebody else must have
 * changed the file, and that is not how one unlocks.
 */
static void
load_policy (BulkheadLock *self)
{
    g_autoptr (GError) error = NULL;
    BulkheadPolicy *policy = bulkhead_store_load (self->store, &error);

    if (error != NULL)
        log_detail (self, BULKHEAD_EVENT_UNREADABLE, "problem", error->message);
    else
        self->stored = bulkhead_policy_ref (policy);
    self->policy = policy;
    if (policy->locked || !bulkhead_sink_has_tables (self->sink))
        return;
    self->policy = bulkhead_policy_with_locked (policy, TRUE);
    bulkhead_policy_unref (policy);
    log_detail (self, BULKHEAD_EVENT_UNREADABLE, "problem",
                "the stored state says unlocked, but the lock stands in the kernel");
}

static void
log_weakened (BulkheadLock *self, gboolean use_owner)
{
    BulkheadFeatures missing = BULKHEAD_FEATURES_ALL & ~bulkhead_sink_get_features (self->sink);

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

BulkheadLock *
bulkhead_lock_new (BulkheadStore *store_taken, BulkheadJournal *journal, gboolean use_owner,
                   GError **error)
{
    g_autoptr (BulkheadLock) self = g_object_new (BULKHEAD_TYPE_LOCK, NULL);
    g_autoptr (GError) watch_error = NULL;

    self->store = store_taken;
    self->journal = journal;
    self->sink = bulkhead_sink_new (use_owner, error);
    if (self->sink == NULL)
        return NULL;
    self->links = bulkhead_links_new (error);
    if (self->links == NULL)
        return NULL;
    load_policy (self);
    log_weakened (self, use_owner);

    self->net = read_net (self);
    if (self->net == NULL)
        self->net = bulkhead_net_new (bulkhead_sink_get_features (self->sink), NULL, NULL);
    enforce_now (self);
    if (self->policy->locked)
        bulkhead_conntrack_cut (self->net, self->policy, NULL);

    g_signal_connect_swapped (self->links, "changed", G_CALLBACK (on_links_changed_cb), self);
    /* Owned tables are nobody else's to touch. */
    if (!(bulkhead_sink_get_features (self->sink) & BULKHEAD_FEATURE_OWNER)) {
        self->watch = bulkhead_nft_watch_new (bulkhead_sink_get_port (self->sink), on_touched_cb,
                                              self, &watch_error);
        if (self->watch == NULL)
            log_detail (self, BULKHEAD_EVENT_WEAKENED, "promise", watch_error->message);
    }
    publish (self);
    return g_steal_pointer (&self);
}

static void
bulkhead_lock_finalize (GObject *object)
{
    BulkheadLock *self = BULKHEAD_LOCK (object);

    g_clear_handle_id (&self->pause_source, g_source_remove);
    g_clear_handle_id (&self->poll_source, g_source_remove);
    g_clear_handle_id (&self->retry_source, g_source_remove);
    if (self->links != NULL)
        g_signal_handlers_disconnect_by_data (self->links, self);
    g_clear_object (&self->links);
    g_clear_pointer (&self->watch, bulkhead_nft_watch_free);
    g_clear_pointer (&self->sink, bulkhead_sink_free);
    g_clear_pointer (&self->store, bulkhead_store_free);
    g_clear_pointer (&self->policy, bulkhead_policy_unref);
    g_clear_pointer (&self->stored, bulkhead_policy_unref);
    g_clear_pointer (&self->net, bulkhead_net_unref);
    g_clear_pointer (&self->applied, bulkhead_ruleset_unref);
    g_free (self->problem);
    G_OBJECT_CLASS (bulkhead_lock_parent_class)->finalize (object);
}

static void
bulkhead_lock_class_init (BulkheadLockClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_lock_finalize;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_LOCK, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_lock_init (BulkheadLock *self)
{
}
