/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "authority.h"

#include "error.h"

#define PENDING_MAX 64

typedef enum {
    READ,           /* tells no addresses, or leaves them out for those who may not see them */
    READ_ADDRESSES, /* has nothing but addresses to tell */
    STRENGTHEN,
    WEAKEN, /* opens something, or changes what a person has set */
} Class;

static const struct {
    const char *method;
    Class class;
} rows[] = {
    { "GetStatus", READ },
    { "Verify", READ },
    { "ListTunnels", READ },
    { "GetRules", READ_ADDRESSES },
    { "ListExceptions", READ_ADDRESSES },
    { "GetLog", READ_ADDRESSES },
    { "Lock", STRENGTHEN },
    { "Resume", STRENGTHEN },
    { "Unlock", WEAKEN },
    { "Pause", WEAKEN },
    { "AddTunnel", WEAKEN },
    { "TrustTunnel", WEAKEN },
    { "ForgetTunnel", WEAKEN },
    { "SetLan", WEAKEN },
    { "AddExceptions", WEAKEN },
    { "RemoveExceptions", WEAKEN },
};

struct _BulkheadAuthority {
    GObject parent_instance;
    GHashTable *pending; /* unique name -> how many questions wait */
};

G_DEFINE_FINAL_TYPE (BulkheadAuthority, bulkhead_authority, G_TYPE_OBJECT)

static gboolean
find_class (const char *method, Class *ret_class)
{
    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
        if (g_str_equal (rows[i].method, method)) {
            *ret_class = rows[i].class;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
may_do (const BulkheadCaller *caller, Class class)
{
    switch (class) {
    case READ:
        return TRUE;
    case READ_ADDRESSES:
        return caller->sees_addresses;
    case STRENGTHEN:
    case WEAKEN:
        return caller->uid == 0;
    }
    return FALSE;
}

static guint
get_pending (BulkheadAuthority *self, const char *sender)
{
    return GPOINTER_TO_UINT (g_hash_table_lookup (self->pending, sender));
}

static void
set_pending (BulkheadAuthority *self, const char *sender, guint n)
{
    if (n == 0)
        g_hash_table_remove (self->pending, sender);
    else
        g_hash_table_insert (self->pending, g_strdup (sender), GUINT_TO_POINTER (n));
}

static void
deny (GTask *task, const char *method, const char *reason)
{
    g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_AUTHORIZED, "%s: %s", method,
                             reason);
}

static void
on_user_told_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer = NULL;
    BulkheadAuthority *self = g_task_get_source_object (task);
    GDBusMethodInvocation *invocation = g_task_get_task_data (task);
    const char *method = g_dbus_method_invocation_get_method_name (invocation);
    const char *sender = g_dbus_method_invocation_get_sender (invocation);
    BulkheadCaller caller = { 0 };
    Class class;

    set_pending (self, sender, get_pending (self, sender) - 1);
    answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    if (answer == NULL) {
        deny (task, method, "the bus does not say who is calling");
        return;
    }
    g_variant_get (answer, "(u)", &caller.uid);
    caller.sees_addresses = caller.uid == 0;
    g_object_set_data_full (G_OBJECT (task), "caller", g_memdup2 (&caller, sizeof caller), g_free);
    if (find_class (method, &class) && may_do (&caller, class)) {
        g_task_return_boolean (task, TRUE);
    } else {
        g_autofree char *reason = g_strdup_printf ("user %u may not do this", caller.uid);

        deny (task, method, reason);
    }
}

void
bulkhead_authority_check_async (BulkheadAuthority *self, GDBusMethodInvocation *invocation,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
    g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
    const char *sender = g_dbus_method_invocation_get_sender (invocation);
    const char *method = g_dbus_method_invocation_get_method_name (invocation);

    g_task_set_source_tag (task, bulkhead_authority_check_async);
    g_task_set_task_data (task, g_object_ref (invocation), g_object_unref);
    if (sender == NULL) {
        deny (task, method, "the caller has no name on the bus");
        return;
    }
    if (get_pending (self, sender) >= PENDING_MAX) {
        g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                                 "%s: %d calls of this caller are waiting already", method,
                                 PENDING_MAX);
        return;
    }
    set_pending (self, sender, get_pending (self, sender) + 1);
    g_dbus_connection_call (g_dbus_method_invocation_get_connection (invocation),
                            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                            "GetConnectionUnixUser", g_variant_new ("(s)", sender),
                            G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                            cancellable, on_user_told_cb, g_steal_pointer (&task));
}

gboolean
bulkhead_authority_check_finish (BulkheadAuthority *self, GAsyncResult *result,
                                 BulkheadCaller *ret_caller, GError **error)
{
    const BulkheadCaller *caller = g_object_get_data (G_OBJECT (result), "caller");

    g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
    *ret_caller = caller != NULL ? *caller : (BulkheadCaller){ .uid = BULKHEAD_UID_UNKNOWN };
    return g_task_propagate_boolean (G_TASK (result), error);
}

static void
bulkhead_authority_finalize (GObject *object)
{
    g_hash_table_unref (BULKHEAD_AUTHORITY (object)->pending);
    G_OBJECT_CLASS (bulkhead_authority_parent_class)->finalize (object);
}

static void
bulkhead_authority_class_init (BulkheadAuthorityClass *class)
{
    G_OBJECT_CLASS (class)->finalize = bulkhead_authority_finalize;
}

static void
bulkhead_authority_init (BulkheadAuthority *self)
{
    self->pending = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

BulkheadAuthority *
bulkhead_authority_new (void)
{
    return g_object_new (BULKHEAD_TYPE_AUTHORITY, NULL);
}
