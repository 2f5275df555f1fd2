/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enforcer.h"

#include "clock.h"
#include "compile.h"

#define SLEEP_MIN (G_USEC_PER_SEC / 10) /* the two clocks are not read at the same time */

struct _BulkheadEnforcer {
    BulkheadSink *sink;
    BulkheadRuleset *applied; /* read back to be in the kernel; NULL: nobody knows */
    BulkheadPolicy *policy;   /* what it was made from */
    BulkheadNet *net;
    gint64 slept; /* bulkhead_slept() at that time */
    gboolean unread;
};

BulkheadEnforcer *
bulkhead_enforcer_new (gboolean use_owner, GError **error)
{
    BulkheadSink *sink = bulkhead_sink_new (use_owner, error);
    BulkheadEnforcer *enforcer;

    if (sink == NULL)
        return NULL;
    enforcer = g_new0 (BulkheadEnforcer, 1);
    enforcer->sink = sink;
    return enforcer;
}

void
bulkhead_enforcer_free (BulkheadEnforcer *enforcer)
{
    bulkhead_enforcer_forget (enforcer);
    bulkhead_sink_free (enforcer->sink);
    g_free (enforcer);
}

BulkheadSink *
bulkhead_enforcer_get_sink (BulkheadEnforcer *enforcer)
{
    return enforcer->sink;
}

gboolean
bulkhead_enforcer_knows (BulkheadEnforcer *enforcer)
{
    return enforcer->applied != NULL;
}

void
bulkhead_enforcer_forget (BulkheadEnforcer *enforcer)
{
    g_clear_pointer (&enforcer->applied, bulkhead_ruleset_unref);
    g_clear_pointer (&enforcer->policy, bulkhead_policy_unref);
    g_clear_pointer (&enforcer->net, bulkhead_net_unref);
}

/* The kernel's time for the elements of a pause stands still while the machine sleeps: after it,
 * what stands there is not what is wanted any more. */
static void
notice_sleep (BulkheadEnforcer *enforcer)
{
    if (enforcer->applied != NULL && enforcer->policy->pause_seconds > 0
        && bulkhead_slept () - enforcer->slept > SLEEP_MIN)
        bulkhead_enforcer_forget (enforcer);
}

/* The same inputs give the same ruleset: nothing to do for most events, however long the lists. */
static BulkheadRuleset *
compile (BulkheadEnforcer *enforcer, const BulkheadPolicy *policy, const BulkheadNet *net)
{
    if (enforcer->applied != NULL && policy == enforcer->policy
        && bulkhead_net_equal (net, enforcer->net))
        return bulkhead_ruleset_ref (enforcer->applied);
    return bulkhead_compile (policy, net);
}

/* One transaction, read back; once more from scratch when that is not what is there. */
static gboolean
apply_and_verify (BulkheadEnforcer *enforcer, const BulkheadRuleset *ruleset, GError **error)
{
    if (!bulkhead_sink_apply (enforcer->sink, ruleset, enforcer->applied, error))
        return FALSE;
    if (bulkhead_sink_verify (enforcer->sink, ruleset, enforcer->applied, BULKHEAD_READ_RULES,
                              NULL))
        return TRUE;
    return bulkhead_sink_apply (enforcer->sink, ruleset, NULL, error)
           && bulkhead_sink_verify (enforcer->sink, ruleset, NULL, BULKHEAD_READ_ALL, error);
}

/* A large set that was not there as it is now. */
static gboolean
has_new_large_set (const BulkheadRuleset *ruleset, const BulkheadRuleset *before)
{
    for (guint i = 0; i < ruleset->tables->len; i++) {
        const BulkheadTable *table = ruleset->tables->pdata[i];

        for (guint j = 0; j < table->sets->len; j++) {
            const BulkheadSet *set = table->sets->pdata[j];

            if (bulkhead_set_count (set) > BULKHEAD_LARGE_SET
                && !bulkhead_ruleset_has_set (before, table->family, set))
                return TRUE;
        }
    }
    return FALSE;
}

gboolean
bulkhead_enforcer_enforce (BulkheadEnforcer *enforcer, const BulkheadPolicy *policy,
                           const BulkheadNet *net, GError **error)
{
    g_autoptr (BulkheadRuleset) ruleset = NULL;

    notice_sleep (enforcer);
    ruleset = compile (enforcer, policy, net);
    if (enforcer->applied != NULL && bulkhead_ruleset_equal (ruleset, enforcer->applied)
        && bulkhead_sink_verify (enforcer->sink, ruleset, ruleset, BULKHEAD_READ_RULES, NULL))
        return TRUE;
    if (!apply_and_verify (enforcer, ruleset, error)) {
        bulkhead_enforcer_forget (enforcer);
        return FALSE;
    }
    enforcer->unread |= has_new_large_set (ruleset, enforcer->applied);
    bulkhead_enforcer_forget (enforcer);
    enforcer->applied = g_steal_pointer (&ruleset);
    enforcer->policy = bulkhead_policy_ref (policy);
    enforcer->net = bulkhead_net_ref (net);
    enforcer->slept = bulkhead_slept ();
    return TRUE;
}

gboolean
bulkhead_enforcer_verify (BulkheadEnforcer *enforcer)
{
    notice_sleep (enforcer);
    return enforcer->applied != NULL
           && bulkhead_sink_verify (enforcer->sink, enforcer->applied, NULL, BULKHEAD_READ_ALL,
                                    NULL);
}

gboolean
bulkhead_enforcer_take_unread (BulkheadEnforcer *enforcer)
{
    gboolean unread = enforcer->unread;

    enforcer->unread = FALSE;
    return unread;
}

char *
bulkhead_enforcer_text (BulkheadEnforcer *enforcer, const BulkheadPolicy *policy,
                        const BulkheadNet *net)
{
    g_autoptr (BulkheadRuleset) ruleset = bulkhead_compile (policy, net);

    bulkhead_sink_read_dynamic (enforcer->sink, ruleset);
    return bulkhead_ruleset_to_text (ruleset);
}
