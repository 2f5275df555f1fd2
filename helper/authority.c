/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "authority.h"

#include "error.h"
#include "permission.h"
#include "places.h"
#include "polkit.h"

#define SMALL 4096                  /* bytes of arguments that any ordinary call has room in */
#define LARGE_PLACE (1024u * 1024u) /* bytes; all that are not small share rows of such places: */
#define LARGE "large"               /* while it is asked who is calling */
#define LARGE_KNOWN "large, known"  /* from then on */
#define ASKED "asked"               /* the prompts that are open, whoever's */
#define WIDTH_OF_CALL 2             /* so that a user has 16 in a row */
#define WIDTH_OF_PROMPT 8           /* 4 */
#define PLACES_OF_CHECK 6
#define TOO_LARGE "is too large, or other large calls are waiting"

struct _BulkheadAuthority {
    GObject parent_instance;
    const BulkheadGrants *grants;
    BulkheadPlaces *places; /* by unique name, by uid and row, and those above */
    GHashTable *prompts;    /* unique name -> the question that a person is asked about */
    guint last_prompt;
};

G_DEFINE_FINAL_TYPE (BulkheadAuthority, bulkhead_authority, G_TYPE_OBJECT)

typedef struct {
    BulkheadAuthority *authority;
    GDBusMethodInvocation *invocation;
    const BulkheadRule *rule;
    BulkheadCaller caller;
    BulkheadPlace *places[PLACES_OF_CHECK]; /* those that were taken */
    gsize n_places;
    gsize large; /* how many places its arguments take up; 0: small */
    BulkheadPlace *large_place;
    guint watch;      /* of the caller's name on the bus */
    char *prompt;     /* polkit's name for the prompt that is open */
    gboolean granted; /* polkit was asked about a user who was authorised once */
    GError *stopped;  /* why the question was taken back */
} Check;

static const char *
get_sender (const Check *check)
{
    return g_dbus_method_invocation_get_sender (check->invocation);
}

static GDBusConnection *
get_bus (const Check *check)
{
    return g_dbus_method_invocation_get_connection (check->invocation);
}

/* FALSE: @row has not as many. */
static gboolean
take_places (Check *check, const char *row, gsize width)
{
    BulkheadPlace *place = bulkhead_places_take (check->authority->places, row, width);

    if (place == NULL)
        return FALSE;
    g_assert (check->n_places < PLACES_OF_CHECK);
    check->places[check->n_places++] = place;
    return TRUE;
}

/* The same in a row of the caller's user. */
static gboolean
take_user_places (Check *check, const char *row, gsize width)
{
    g_autofree char *name = g_strdup_printf ("%u %s", check->caller.uid, row);

    return take_places (check, name, width);
}

static void
forget_prompt (Check *check)
{
    if (check->prompt != NULL)
        g_hash_table_remove (check->authority->prompts, get_sender (check));
    g_clear_pointer (&check->prompt, g_free);
}

static void
check_free (gpointer data)
{
    Check *check = data;

    if (check->watch != 0)
        g_dbus_connection_signal_unsubscribe (get_bus (check), check->watch);
    forget_prompt (check);
    for (gsize i = 0; i < check->n_places; i++)
        bulkhead_place_leave (check->places[i]);
    bulkhead_place_leave (check->large_place);
    g_object_unref (check->invocation);
    g_clear_error (&check->stopped);
    g_object_unref (check->authority); /* last: the places are its */
    g_free (check);
}

static void fail (GTask *task, BulkheadError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
fail (GTask *task, BulkheadError code, const char *format, ...)
{
    const Check *check = g_task_get_task_data (task);
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_task_return_new_error (task, BULKHEAD_ERROR, code, "%s: %s",
                             g_dbus_method_invocation_get_method_name (check->invocation), reason);
}

/*
 * Takes the question back; it fails with @code when polkit answers, and keeps its places until
 * then: the bus counts the answer that is awaited, whether anybody still wants it or not.
 */
static void
stop (Check *check, BulkheadError code, const char *reason)
{
    if (check->stopped != NULL)
        return;
    check->stopped = g_error_new (BULKHEAD_ERROR, code, "%s: %s", check->rule->method, reason);
    if (check->prompt != NULL)
        bulkhead_polkit_cancel (get_bus (check), check->prompt);
}

static void
on_caller_vanished_cb (GDBusConnection *bus, const char *sender, const char *path,
                       const char *interface, const char *signal, GVariant *arguments,
                       gpointer user_data)
{
    stop (user_data, BULKHEAD_ERROR_CANCELLED, "the caller left the bus");
}

/* Who locks has changed their mind about the opening that they are still asked about. */
static void
stop_openings (BulkheadAuthority *self, guint32 uid)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init (&iter, self->prompts);
    while (g_hash_table_iter_next (&iter, NULL, &value)) {
        Check *check = value;

        if (check->caller.uid == uid && check->rule->permission == BULKHEAD_PERMISSION_WEAKEN)
            stop (check, BULKHEAD_ERROR_CANCELLED, "the lock was asked for meanwhile");
    }
}

static void
allow (GTask *task)
{
    const Check *check = g_task_get_task_data (task);

    if (check->rule->permission == BULKHEAD_PERMISSION_STRENGTHEN)
        stop_openings (check->authority, check->caller.uid);
    g_task_return_boolean (task, TRUE);
}

static void
watch_caller (Check *check)
{
    check->watch = g_dbus_connection_signal_subscribe (
        get_bus (check), "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
        "/org/freedesktop/DBus", get_sender (check), G_DBUS_SIGNAL_FLAGS_NONE,
        on_caller_vanished_cb, check, NULL);
}

static void
ask_user (Check *check, GAsyncReadyCallback callback, gpointer user_data)
{
    g_dbus_connection_call (get_bus (check), "org.freedesktop.DBus", "/org/freedesktop/DBus",
                            "org.freedesktop.DBus", "GetConnectionUnixUser",
                            g_variant_new ("(s)", get_sender (check)), G_VARIANT_TYPE ("(u)"),
                            G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, callback, user_data);
}

/* Returns: the uid the bus told, or BULKHEAD_UID_UNKNOWN with @error set. */
static guint32
finish_user (GObject *source, GAsyncResult *result, GError **error)
{
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, error);
    guint32 uid = BULKHEAD_UID_UNKNOWN;

    if (answer != NULL)
        g_variant_get (answer, "(u)", &uid);
    return uid;
}

static void ask_polkit (GTask *task);

/* polkit said yes to somebody. Whoever is gone by now may have wanted just that: CVE-2021-3560. And
 * what it said of an authorised user counts no more when that was revoked meanwhile. */
static void
on_still_there_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    const Check *check = g_task_get_task_data (task);

    if (check->stopped != NULL)
        g_task_return_error (task, g_error_copy (check->stopped));
    else if (finish_user (source, result, NULL) != check->caller.uid)
        fail (task, BULKHEAD_ERROR_CANCELLED, "the caller left the bus");
    else if (check->granted && !bulkhead_grants_has (check->authority->grants, check->caller.uid))
        ask_polkit (task);
    else
        allow (task);
}

/* Nobody need ever answer a prompt. So there are few: of the 128 answers that the bus lets the
 * helper wait for, most are left for those that polkit gives at once, whatever users leave open. */
static gboolean
take_prompt_places (Check *check)
{
    return take_user_places (check, "asked", WIDTH_OF_PROMPT) && take_places (check, ASKED, 1);
}

/* polkit would say yes after a password. The person is asked once, and nobody waits for them but
 * the caller. */
static void
on_password_needed (GTask *task)
{
    Check *check = g_task_get_task_data (task);
    GDBusMessage *message = g_dbus_method_invocation_get_message (check->invocation);
    gboolean may_ask =
        g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;

    if (check->prompt != NULL) {
        fail (task, BULKHEAD_ERROR_INTERACTION_REQUIRED,
              "a password is needed, and no password prompt program is running");
    } else if (!may_ask) {
        fail (task, BULKHEAD_ERROR_INTERACTION_REQUIRED,
              "a password is needed, and the caller does not want it asked for");
    } else if (g_hash_table_contains (check->authority->prompts, get_sender (check))) {
        fail (task, BULKHEAD_ERROR_FAILED,
              "the password for another call of this caller is being asked for");
    } else if (!take_prompt_places (check)) {
        fail (task, BULKHEAD_ERROR_FAILED,
              "a password is needed, and too many password prompts are open already");
    } else {
        check->prompt = g_strdup_printf ("bulkhead-%u", ++check->authority->last_prompt);
        g_hash_table_insert (check->authority->prompts, g_strdup (get_sender (check)), check);
        ask_polkit (task);
    }
}

static void
on_polkit_answered (GTask *task, const BulkheadPolkitAnswer *answer)
{
    Check *check = g_task_get_task_data (task);
    BulkheadPermission permission = check->rule->permission;
    gboolean may_ask = bulkhead_permission_may_ask (permission);

    if (!may_ask)
        check->caller.sees_addresses = answer->authorized;
    if (answer->authorized && may_ask)
        ask_user (check, on_still_there_cb, g_object_ref (task));
    else if (answer->authorized || permission == BULKHEAD_PERMISSION_READ)
        allow (task);
    else if (answer->challenge && may_ask)
        on_password_needed (task);
    else if (answer->dismissed)
        fail (task, BULKHEAD_ERROR_CANCELLED, "the password prompt was closed");
    else
        fail (task, BULKHEAD_ERROR_NOT_AUTHORIZED, "user %u may not do this", check->caller.uid);
}

static void
on_polkit_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    g_autoptr (GError) error = NULL;
    const Check *check = g_task_get_task_data (task);
    BulkheadPolkitAnswer answer;
    gboolean answered = bulkhead_polkit_check_finish (source, result, &answer, &error);

    if (check->stopped != NULL)
        g_task_return_error (task, g_error_copy (check->stopped));
    else if (answered)
        on_polkit_answered (task, &answer);
    else if (check->rule->permission == BULKHEAD_PERMISSION_READ)
        allow (task);
    else
        fail (task, BULKHEAD_ERROR_NOT_AUTHORIZED,
              "user %u may not do this while polkit does not answer: %s", check->caller.uid,
              error->message);
}

static void
ask_polkit (GTask *task)
{
    Check *check = g_task_get_task_data (task);
    BulkheadPermission permission = check->rule->permission;
    BulkheadPolkitQuestion question = {
        .sender = get_sender (check),
        .message = check->rule->message,
        .prompt = check->prompt,
    };

    check->granted = permission == BULKHEAD_PERMISSION_WEAKEN
                     && bulkhead_grants_has (check->authority->grants, check->caller.uid);
    question.action = bulkhead_permission_action (permission, check->granted);
    bulkhead_polkit_check_async (get_bus (check), &question, on_polkit_answered_cb,
                                 g_object_ref (task));
}

static gboolean
revokes_own (const Check *check)
{
    guint32 uid;

    if (check->rule->permission != BULKHEAD_PERMISSION_REVOKE)
        return FALSE;
    g_variant_get (g_dbus_method_invocation_get_parameters (check->invocation), "(u)", &uid);
    return uid == check->caller.uid;
}

/* What needs no polkit, and what no password could help with. FALSE: polkit is to be asked. */
static gboolean
decide_alone (GTask *task)
{
    Check *check = g_task_get_task_data (task);
    gboolean authorizes = check->rule->permission == BULKHEAD_PERMISSION_AUTHORIZE;
    const BulkheadGrants *grants = check->authority->grants;
    guint32 uid = check->caller.uid;
    GError *error = NULL;

    check->caller.sees_addresses = uid == 0;
    if (uid == 0 || revokes_own (check) || (authorizes && bulkhead_grants_has (grants, uid)))
        allow (task);
    else if (authorizes && !bulkhead_grants_check (grants, uid, &error))
        g_task_return_error (task, error);
    else
        return FALSE;
    return TRUE;
}

/*
 * Locks wait in a row of their own, where nothing else that runs as the user keeps them out. What
 * is large makes room for the next caller, who may be root; of the room for those that wait on, no
 * user has more than half.
 */
static gboolean
take_known_places (GTask *task)
{
    Check *check = g_task_get_task_data (task);
    gboolean locks = check->rule->permission == BULKHEAD_PERMISSION_STRENGTHEN;

    if (!take_user_places (check, locks ? "locks" : "calls", WIDTH_OF_CALL)) {
        fail (task, BULKHEAD_ERROR_FAILED, "%d calls of user %u are waiting already",
              BULKHEAD_PLACES_MAX / WIDTH_OF_CALL, check->caller.uid);
        return FALSE;
    }
    if (check->large > 0
        && !(take_user_places (check, "large", 2 * check->large)
             && take_places (check, LARGE_KNOWN, check->large))) {
        fail (task, BULKHEAD_ERROR_FAILED, TOO_LARGE);
        return FALSE;
    }
    g_clear_pointer (&check->large_place, bulkhead_place_leave);
    return TRUE;
}

static void
on_user_told_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    Check *check = g_task_get_task_data (task);
    g_autoptr (GError) error = NULL;

    check->caller.uid = finish_user (source, result, &error);
    if (check->stopped != NULL) {
        g_task_return_error (task, g_error_copy (check->stopped));
        return;
    }
    if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) {
        fail (task, BULKHEAD_ERROR_CANCELLED, "the caller left the bus");
        return;
    }
    if (check->caller.uid == BULKHEAD_UID_UNKNOWN) {
        fail (task, BULKHEAD_ERROR_NOT_AUTHORIZED, "the bus does not say who is calling");
        return;
    }
    if (!decide_alone (task) && take_known_places (task))
        ask_polkit (task);
}

/* Those that are taken before it is known who is calling. What is small goes by what is large. */
static gboolean
take_first_places (GTask *task)
{
    Check *check = g_task_get_task_data (task);
    gsize size = g_variant_get_size (g_dbus_method_invocation_get_parameters (check->invocation));

    if (!take_places (check, get_sender (check), 1)) {
        fail (task, BULKHEAD_ERROR_FAILED, "%d calls of this caller are waiting already",
              BULKHEAD_PLACES_MAX);
        return FALSE;
    }
    if (size <= SMALL)
        return TRUE;
    check->large = 1 + size / LARGE_PLACE;
    check->large_place = bulkhead_places_take (check->authority->places, LARGE, check->large);
    if (check->large_place == NULL)
        fail (task, BULKHEAD_ERROR_FAILED, TOO_LARGE);
    return check->large_place != NULL;
}

void
bulkhead_authority_check_async (BulkheadAuthority *self, GDBusMethodInvocation *invocation,
                                GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
    const char *sender = g_dbus_method_invocation_get_sender (invocation);
    Check *check = g_new0 (Check, 1);

    check->authority = g_object_ref (self);
    check->invocation = g_object_ref (invocation);
    check->caller.uid = BULKHEAD_UID_UNKNOWN;
    check->rule = bulkhead_permission_find (g_dbus_method_invocation_get_method_name (invocation),
                                            g_dbus_method_invocation_get_parameters (invocation));
    g_task_set_source_tag (task, bulkhead_authority_check_async);
    g_task_set_task_data (task, check, check_free);
    if (sender == NULL || check->rule == NULL) {
        fail (task, BULKHEAD_ERROR_NOT_AUTHORIZED, "nobody may do this");
        return;
    }
    if (!take_first_places (task))
        return;
    /* In this order: who is there to be told the user of is also seen to leave. One who left unseen
     * would keep a place until a prompt is answered that nobody waits for. */
    watch_caller (check);
    ask_user (check, on_user_told_cb, g_object_ref (task));
}

gboolean
bulkhead_authority_check_finish (BulkheadAuthority *self, GAsyncResult *result,
                                 BulkheadCaller *ret_caller, GError **error)
{
    const Check *check;

    g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
    check = g_task_get_task_data (G_TASK (result));
    *ret_caller = check->caller;
    return g_task_propagate_boolean (G_TASK (result), error);
}

static void
bulkhead_authority_finalize (GObject *object)
{
    BulkheadAuthority *self = BULKHEAD_AUTHORITY (object);

    bulkhead_places_free (self->places);
    g_hash_table_unref (self->prompts);
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
    self->places = bulkhead_places_new ();
    self->prompts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

BulkheadAuthority *
bulkhead_authority_new (const BulkheadGrants *grants)
{
    BulkheadAuthority *self = g_object_new (BULKHEAD_TYPE_AUTHORITY, NULL);

    self->grants = grants;
    return self;
}
