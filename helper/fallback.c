/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fallback.h"

#include "statement.h"

#define PRIORITY 0 /* nft's "filter" */

static BulkheadChain *
add_chain (BulkheadTable *table, const char *name, BulkheadHook hook)
{
    return bulkhead_table_add_chain (table, name, hook, PRIORITY, TRUE, NULL);
}

static BulkheadRuleset *
fallback_ruleset (void)
{
    BulkheadRuleset *ruleset = bulkhead_ruleset_new ();
    BulkheadTable *table = bulkhead_ruleset_add_table (ruleset, BULKHEAD_FAMILY_INET);
    BulkheadChain *input = add_chain (table, "input", HOOK_INPUT);
    BulkheadChain *forward = add_chain (table, "forward", HOOK_FORWARD);
    BulkheadChain *output = add_chain (table, "output", HOOK_OUTPUT);

    ruleset->partial = TRUE;
    rule (input, iifname ("lo"), ACCEPT);
    rule (input, COUNTER, DROP);
    rule (forward, COUNTER, DROP);
    rule (output, oifname ("lo"), ACCEPT);
    rule (output, COUNTER, DROP);
    return ruleset;
}

gboolean
bulkhead_fallback_has_wall (BulkheadSink *sink)
{
    g_autoptr (BulkheadRuleset) ruleset = fallback_ruleset ();

    return bulkhead_sink_has_chains (sink, ruleset);
}

gboolean
bulkhead_fallback_close (BulkheadSink *sink, GError **error)
{
    g_autoptr (BulkheadRuleset) ruleset = fallback_ruleset ();

    return bulkhead_sink_apply (sink, ruleset, NULL, error)
           && bulkhead_sink_verify (sink, ruleset, NULL, BULKHEAD_READ_ALL, error);
}
