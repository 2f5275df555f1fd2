/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lists behind the rules: every address, port, mark and link of a policy in a net, as sets.
 * A set is there only when it has something in it; the rules ask with bulkhead_table_find_set().
 * For compile.c and compile-egress.c only.
 */
#pragma once

#include "net.h"
#include "ruleset.h"

/* A link the user trusts, and that may be trusted. */
gboolean bulkhead_compile_is_tunnel (const BulkheadLink *link, const BulkheadPolicy *policy);

/* What both tables look things up in. */
void
bulkhead_compile_add_sets (BulkheadTable *table, const BulkheadPolicy *policy,
                           const BulkheadNet *net);

/* compile-egress.c: the second guard, one chain on every uplink. */
void
bulkhead_compile_add_egress (BulkheadRuleset *ruleset, const BulkheadPolicy *policy,
                             const BulkheadNet *net);

/* The allow list that output, postrouting and egress share, from address assignment to the
 * user's exceptions; DNS is refused in its place by @refuse. (compile.c) */
void
bulkhead_compile_add_holes (BulkheadTable *table, BulkheadChain *chain, BulkheadStatement refuse);
