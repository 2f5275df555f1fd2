/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"
#include "watch.h"

static void
fill_json (BulkheadCtl *ctl, gboolean enforced, const char *problem, BulkheadState state)
{
    if (ctl->reply == NULL)
        return;
    json_object_set_boolean_member (ctl->reply, "enforced", enforced);
    json_object_set_string_member (ctl->reply, "problem", problem);
    json_object_set_string_member (ctl->reply, "state", bulkhead_state_to_string (state));
}

/*
 * Verify alone does not do, since it is content with an unlocked machine that has no rules. The
 * status comes second: it carries state and read-back of one moment, so an unlock in between is
 * seen.
 */
static gboolean
verify (BulkheadCtl *ctl, BulkheadState *ret_state, GError **error)
{
    g_autoptr (GVariant) answer = NULL;
    g_autoptr (GVariant) status = NULL;
    BulkheadState state;
    gboolean enforced;
    const char *problem;

    fill_json (ctl, FALSE, "", BULKHEAD_STATE_UNKNOWN);
    answer = bulkhead_call (ctl, "Verify", NULL, "(bs)", error);
    if (answer == NULL)
        return FALSE;
    status = bulkhead_call (ctl, "GetStatus", NULL, "(a{sv})", error);
    if (status == NULL)
        return FALSE;
    state = bulkhead_status_state (status);
    g_variant_get (answer, "(b&s)", &enforced, &problem);
    if (enforced && state == BULKHEAD_STATE_BROKEN) {
        enforced = FALSE;
        problem = "the helper says that the lock is broken";
    }
    fill_json (ctl, enforced, problem, state);
    if (!enforced)
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED,
                     "the kernel does not hold the wanted rules: %s", problem);
    else
        *ret_state = state;
    return enforced;
}

void
bulkhead_run_verify (BulkheadCtl *ctl, GError **error)
{
    const GOptionEntry entries[] = { { NULL } };
    g_autofree char *line = NULL;
    BulkheadState state;

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error) || !verify (ctl, &state, error)
        || ctl->reply != NULL)
        return;
    /* The state goes first, so that nobody takes the success of an unlocked machine for safety. */
    line = g_strdup_printf ("%s: the kernel holds %s\n", bulkhead_state_to_string (state),
                            state == BULKHEAD_STATE_OFF ? "no rules" : "the wanted rules");
    bulkhead_print (line);
}

static gboolean
check (BulkheadCtl *ctl, GError **error)
{
    BulkheadState state;
    gboolean ready;

    if (!verify (ctl, &state, error))
        return FALSE;
    ready = state == BULKHEAD_STATE_PROTECTED || state == BULKHEAD_STATE_BLOCKING;
    if (!ready)
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED, "not ready: the state is %s",
                     bulkhead_state_to_string (state));
    return ready;
}

/* A state may change and a helper may come; a refusal stays one. */
static gboolean
may_pass (BulkheadWatch *watch, const GError *error)
{
    return !bulkhead_watch_is_bus_lost (watch)
           && (error->code == BULKHEAD_EXIT_FAILED || error->code == BULKHEAD_EXIT_NO_HELPER
               || error->code == BULKHEAD_EXIT_TIMED_OUT);
}

static gboolean
wait_for (BulkheadCtl *ctl, guint32 seconds, GError **error)
{
    g_autoptr (BulkheadWatch) watch = bulkhead_watch_new (ctl, error);

    if (watch == NULL)
        return FALSE;
    /* A helper that hangs must not hold the caller beyond its time; nothing asks here. */
    ctl->deadline = g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC;
    while (TRUE) {
        g_autoptr (GError) local = NULL;
        gint64 left;

        if (check (ctl, &local))
            return TRUE;
        if (!may_pass (watch, local)) {
            g_propagate_error (error, g_steal_pointer (&local));
            return FALSE;
        }
        left = ctl->deadline - g_get_monotonic_time ();
        if (left <= 0) {
            g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_TIMED_OUT,
                         "timed out after %u s: %s", seconds, local->message);
            return FALSE;
        }
        /* The kernel's rules can change without a signal of the helper's. */
        bulkhead_watch_wait (watch, (guint)(MIN (left, G_USEC_PER_SEC) / 1000) + 1);
    }
}

void
bulkhead_run_ready (BulkheadCtl *ctl, GError **error)
{
    g_autofree char *wait = NULL;
    guint32 seconds = 0;
    gboolean ready;
    const GOptionEntry entries[] = {
        { .long_name = "wait",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &wait,
          .arg_description = "SECONDS",
          .description = "Wait that long at most until it is so" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error)
        || (wait != NULL && !bulkhead_parse_seconds ("--wait", wait, &seconds, error)))
        return;
    ready = wait != NULL ? wait_for (ctl, seconds, error) : check (ctl, error);
    if (ctl->reply != NULL)
        json_object_set_boolean_member (ctl->reply, "ready", ready);
}
