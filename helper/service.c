/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service.h"

#include "authority.h"
#include "clock.h"
#include "error.h"
#include "helper1.h"
#include "methods.h"
#include "quota.h"

#define PATH "/org/bulkhead/Helper1"
#define REFUSALS_TOLD 20 /* at the most, of one user in one span: anybody may be refused */
#define REFUSALS_SPAN (60 * G_USEC_PER_SEC)

struct _BulkheadService {
    GObject parent_instance;
    BulkheadLock *lock;
    BulkheadRecorder *recorder;
    BulkheadJournal *journal; /* borrowed */
    BulkheadGrants *grants;   /* borrowed */
    BulkheadAtBoot *at_boot;
    BulkheadAuthority *authority;
    BulkheadHelper1 *skeleton;
    gint64 pause_until; /* as told in PausedUntil */
    guint clock_watch;
    guint64 revision;   /* as told, of these: */
    BulkheadPolicy *policy;
    GPtrArray *granted;
    char *managed_problem;
    BulkheadQuotas *told_refusals;
};

G_DEFINE_FINAL_TYPE (BulkheadService, bulkhead_service, G_TYPE_OBJECT)

/* One handler has them all: what was called says the invocation. */
static const char *const signals[] = {
    "handle-lock",
    "handle-unlock",
    "handle-pause",
    "handle-resume",
    "handle-get-status",
    "handle-verify",
    "handle-get-rules",
    "handle-list-tunnels",
    "handle-list-blocked",
    "handle-add-tunnel",
    "handle-trust-tunnel",
    "handle-forget-tunnel",
    "handle-set-lan",
    "handle-set-at-boot",
    "handle-add-exceptions",
    "handle-remove-exceptions",
    "handle-list-exceptions",
    "handle-get-log",
    "handle-authorize",
    "handle-revoke",
    "handle-list-grants",
};

typedef struct {
    BulkheadService *service;
    GDBusMethodInvocation *invocation;
    BulkheadCaller caller;
    gboolean was_at_boot; /* when it was asked to change */
} Call;

static void
call_free (Call *call)
{
    g_object_unref (call->service);
    g_clear_object (&call->invocation);
    g_free (call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
note_refusal (BulkheadService *self, const char *method, const BulkheadCaller *caller)
{
    g_autofree char *uid = g_strdup_printf ("%u", caller->uid);
    const char *const detail[] = { "method", method, "uid", uid, NULL };

    if (bulkhead_quotas_take (self->told_refusals, caller->uid, g_get_monotonic_time ()))
        bulkhead_journal_write (self->journal, BULKHEAD_EVENT_REFUSED, detail);
}

/* @value: (nullable): a floating one is taken; without it, @error is the answer. */
static void
answer (Call *call, GVariant *value, const GError *error)
{
    GDBusMethodInvocation *invocation = g_steal_pointer (&call->invocation);

    /* Properties first: who reads them after the answer must find the new ones. */
    g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (call->service->skeleton));
    if (value != NULL)
        g_dbus_method_invocation_return_value (invocation, value);
    else
        g_dbus_method_invocation_return_gerror (invocation, error);
}

static void
on_at_boot_set_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (Call) call = user_data;
    g_autoptr (GError) error = NULL;
    BulkheadAtBoot *at_boot = BULKHEAD_AT_BOOT (source);
    g_autofree char *uid = g_strdup_printf ("%u", call->caller.uid);
    gboolean now;

    if (!bulkhead_at_boot_set_finish (at_boot, result, &error)) {
        answer (call, NULL, error);
        return;
    }
    now = bulkhead_at_boot_is_on (at_boot);
    if (!now != !call->was_at_boot)
        bulkhead_journal_write (
            call->service->journal, BULKHEAD_EVENT_CHANGED,
            (const char *const[]){ "uid", uid, "at_boot", now ? "on" : "off", NULL });
    answer (call, g_variant_new ("()"), NULL);
}

/* systemd takes its time over it, in which others are served. Takes @call. */
static void
set_at_boot (Call *call)
{
    GVariant *arguments = g_dbus_method_invocation_get_parameters (call->invocation);
    const BulkheadManaged *managed = bulkhead_lock_get_managed (call->service->lock);
    g_autoptr (GError) error = NULL;
    gboolean on;

    g_variant_get (arguments, "(b)", &on);
    call->was_at_boot = bulkhead_at_boot_is_on (call->service->at_boot);
    if (!bulkhead_managed_check_free (managed, BULKHEAD_SETTING_AT_BOOT, &error)) {
        answer (call, !on == !call->was_at_boot ? g_variant_new ("()") : NULL, error);
        call_free (call);
        return;
    }
    bulkhead_at_boot_set_async (call->service->at_boot, on, on_at_boot_set_cb, call);
}

static void
forget_revision (BulkheadService *self)
{
    g_clear_pointer (&self->policy, bulkhead_policy_unref);
    g_clear_pointer (&self->granted, g_ptr_array_unref);
    g_clear_pointer (&self->managed_problem, g_free);
}

/* What the lists are made of is never changed in place, and kept here, so that what has the same
 * address is the same. */
static void
update_revision (BulkheadService *self)
{
    const BulkheadPolicy *policy = bulkhead_lock_get_policy (self->lock);
    const GPtrArray *granted = bulkhead_grants_list (self->grants);
    const char *problem = bulkhead_lock_get_managed (self->lock)->problem;

    if (self->policy != NULL && policy->exceptions == self->policy->exceptions
        && policy->tunnels == self->policy->tunnels && granted == self->granted
        && g_strcmp0 (problem, self->managed_problem) == 0)
        return;
    forget_revision (self);
    self->policy = bulkhead_policy_ref (policy);
    self->granted = g_ptr_array_ref ((GPtrArray *)granted);
    self->managed_problem = g_strdup (problem);
    bulkhead_helper1_set_revision (self->skeleton, ++self->revision);
}

static void
perform (Call *call, const char *method)
{
    BulkheadService *self = call->service;
    const BulkheadRequest request = {
        .lock = self->lock,
        .recorder = self->recorder,
        .journal = self->journal,
        .grants = self->grants,
        .at_boot = self->at_boot,
        .caller = &call->caller,
        .arguments = g_dbus_method_invocation_get_parameters (call->invocation),
    };
    g_autoptr (GError) error = NULL;
    GVariant *value = bulkhead_methods_perform (method, &request, &error);

    update_revision (self);
    answer (call, value, error);
}

static void
on_checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (Call) call = user_data;
    g_autoptr (GError) error = NULL;
    BulkheadService *self = call->service;
    const char *method = g_dbus_method_invocation_get_method_name (call->invocation);

    if (bulkhead_authority_check_finish (self->authority, result, &call->caller, &error)) {
        if (g_str_equal (method, "SetAtBoot"))
            set_at_boot (g_steal_pointer (&call));
        else
            perform (call, method);
        return;
    }
    if (g_error_matches (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_AUTHORIZED))
        note_refusal (self, method, &call->caller);
    answer (call, NULL, error);
}

static gboolean
on_called_cb (BulkheadService *self, GDBusMethodInvocation *invocation)
{
    Call *call;
    g_autoptr (GError) error = NULL;

    if (!bulkhead_methods_check_fixed (g_dbus_method_invocation_get_method_name (invocation),
                                       self->lock, &error)) {
        g_dbus_method_invocation_return_gerror (invocation, error);
        return TRUE;
    }
    call = g_new0 (Call, 1);
    call->service = g_object_ref (self);
    call->invocation = invocation;
    bulkhead_authority_check_async (self->authority, invocation, on_checked_cb, call);
    return TRUE;
}

/* The end as seconds since the epoch, worked out once for each pause, so that it does not jump, and
 * anew when the clock was set: the pause ends no later for it. */
static void
update_paused_until (BulkheadService *self)
{
    gint64 until = bulkhead_lock_get_policy (self->lock)->pause_until;

    if (bulkhead_lock_get_state (self->lock) != BULKHEAD_STATE_PAUSED)
        until = 0;
    if (until == self->pause_until)
        return;
    self->pause_until = until;
    bulkhead_helper1_set_paused_until (self->skeleton, until == 0 ? 0 : bulkhead_clock_of (until));
}

static gboolean
on_clock_set_cb (gpointer user_data)
{
    BulkheadService *self = user_data;

    self->pause_until = 0;
    update_paused_until (self);
    return G_SOURCE_CONTINUE;
}

static void
on_lock_changed_cb (BulkheadService *self)
{
    const BulkheadPolicy *policy = bulkhead_lock_get_policy (self->lock);
    g_auto (GStrv) fixed = bulkhead_managed_list (bulkhead_lock_get_managed (self->lock));

    bulkhead_helper1_set_state (self->skeleton, bulkhead_lock_get_state (self->lock));
    bulkhead_helper1_set_locked (self->skeleton, policy->locked);
    bulkhead_helper1_set_closed (self->skeleton, bulkhead_lock_is_closed (self->lock));
    bulkhead_helper1_set_lan (self->skeleton, policy->lan);
    bulkhead_helper1_set_ready (self->skeleton, bulkhead_lock_is_ready (self->lock));
    bulkhead_helper1_set_fixed (self->skeleton, (const char *const *)fixed);
    update_paused_until (self);
    update_revision (self);
}

static void
on_blocked_cb (BulkheadService *self)
{
    bulkhead_helper1_set_blocked_count (self->skeleton,
                                        bulkhead_recorder_get_count (self->recorder));
}

static void
on_lock_tampered_cb (BulkheadService *self, const char *program, gboolean restored)
{
    /* A program may have any bytes for its name; the bus takes only text. */
    g_autofree char *text = g_utf8_make_valid (program, -1);

    bulkhead_helper1_emit_tampered (self->skeleton, text, restored);
}

static void
on_at_boot_changed_cb (BulkheadService *self)
{
    bulkhead_helper1_set_at_boot (self->skeleton, bulkhead_at_boot_is_on (self->at_boot));
}

gboolean
bulkhead_service_export (BulkheadService *self, GDBusConnection *connection, GError **error)
{
    return g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), connection,
                                             PATH, error);
}

void
bulkhead_service_unexport (BulkheadService *self)
{
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
}

static void
bulkhead_service_dispose (GObject *object)
{
    BulkheadService *self = BULKHEAD_SERVICE (object);

    g_clear_handle_id (&self->clock_watch, g_source_remove);
    forget_revision (self);
    g_clear_pointer (&self->told_refusals, bulkhead_quotas_free);
    g_clear_object (&self->skeleton);
    g_clear_object (&self->authority);
    g_clear_object (&self->recorder);
    g_clear_object (&self->at_boot);
    g_clear_object (&self->lock);
    G_OBJECT_CLASS (bulkhead_service_parent_class)->dispose (object);
}

static void
bulkhead_service_class_init (BulkheadServiceClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_service_dispose;
}

static void
bulkhead_service_init (BulkheadService *self)
{
    self->skeleton = bulkhead_helper1_skeleton_new ();
    bulkhead_helper1_set_version (self->skeleton, BULKHEAD_VERSION);
    self->told_refusals = bulkhead_quotas_new (REFUSALS_TOLD, REFUSALS_SPAN);
    for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
        g_signal_connect_object (self->skeleton, signals[i], G_CALLBACK (on_called_cb), self,
                                 G_CONNECT_SWAPPED);
}

BulkheadService *
bulkhead_service_new (BulkheadLock *lock, BulkheadJournal *journal, BulkheadGrants *grants,
                      BulkheadAtBoot *at_boot)
{
    BulkheadService *self = g_object_new (BULKHEAD_TYPE_SERVICE, NULL);

    self->lock = g_object_ref (lock);
    self->journal = journal;
    self->grants = grants;
    self->at_boot = g_object_ref (at_boot);
    self->authority = bulkhead_authority_new (grants);
    g_signal_connect_object (lock, "changed", G_CALLBACK (on_lock_changed_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (lock, "tampered", G_CALLBACK (on_lock_tampered_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (at_boot, "changed", G_CALLBACK (on_at_boot_changed_cb), self,
                             G_CONNECT_SWAPPED);
    on_lock_changed_cb (self);
    self->recorder = bulkhead_recorder_new (lock);
    g_signal_connect_object (self->recorder, "changed", G_CALLBACK (on_blocked_cb), self,
                             G_CONNECT_SWAPPED);
    on_at_boot_changed_cb (self);
    self->clock_watch = bulkhead_clock_watch (on_clock_set_cb, self);
    return self;
}
