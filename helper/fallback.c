/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fallback.h"

#include "statement.h"

/* Those of the lock's chains: a lock's are a wall too. */
#define PRIORITY_FILTER 0
#define PRIORITY_LATE 300

static BulkheadChain *
add_chain (BulkheadTable *table, const char *name, BulkheadHook hook, int priority)
{
    return bulkhead_table_add_chain (table, name, hook, priority, TRUE, NULL);
}

static BulkheadRuleset *
fallback_ruleset (gboolean second_verdict)
{
    BulkheadRuleset *ruleset = bulkhead_ruleset_new ();
    BulkheadTable *table = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_INET);
    BulkheadChain *input = add_chain (table, "input", HOOK_INPUT, PRIORITY_FILTER);
    BulkheadChain *forward = add_chain (table, "forward", HOOK_FORWARD, PRIORITY_FILTER);
    BulkheadChain *output = add_chain (table, "output", HOOK_OUTPUT, PRIORITY_FILTER);

    ruleset->partial = TRUE;
    rule (input, iifname ("lo"), ACCEPT);
    rule (input, COUNTER, DROP);
    rule (forward, COUNTER, DROP);
    rule (output, oifname ("lo"), ACCEPT);
    rule (output, COUNTER, DROP);
    if (second_verdict) {
        BulkheadChain *late = add_chain (table, "postrouting", HOOK_POSTROUTING, PRIORITY_LATE);

        rule (late, oifname ("lo"), ACCEPT);
        rule (late, COUNTER, DROP);
    }
    return ruleset;
}

gboolean
bulkhead_fallback_has_wall (BulkheadSink *sink)
{
    g_autoptr (BulkheadRuleset) ruleset = fallback_ruleset (FALSE);

    return bulkhead_sink_has_chains (sink, ruleset);
}

static gboolean
put (BulkheadSink *sink, gboolean second_verdict, GError **error)
{
    g_autoptr (BulkheadRuleset) ruleset = fallback_ruleset (second_verdict);

    return bulkhead_sink_apply (sink, ruleset, NULL, error)
           && bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, error);
}

/* What is on its way to loopback may be sent elsewhere by another program's NAT, and is met again
 * behind it; if the kernel refuses just that, the rest stands all the same. */
gboolean
bulkhead_fallback_close (BulkheadSink *sink, GError **error)
{
    return put (sink, TRUE, NULL) || put (sink, FALSE, error);
}
