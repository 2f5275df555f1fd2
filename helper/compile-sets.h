/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lists behind the rules: every address, port, mark and link of a policy in a net, as sets.
 * A set is there only when it has something in it; the rules ask with bulkhead_table_find_set().
 * For the compile files only.
 */
#pragma once

#include "net.h"
#include "ruleset.h"

/* A link the user trusts, and that may be trusted. */
gboolean bulkhead_compile_is_tunnel (const BulkheadLink *link, const BulkheadPolicy *policy);

/* FALSE when a link of that name is there and can never be a tunnel. */
gboolean bulkhead_compile_may_trust (const BulkheadTunnel *tunnel, const BulkheadNet *net);

/* What both tables look things up in. */
void bulkhead_compile_add_sets (BulkheadTable *table, const BulkheadPolicy *policy,
                                const BulkheadNet *net);

/* compile-egress.c: the second guard, one chain on every uplink. */
void bulkhead_compile_add_egress (BulkheadRuleset *ruleset, const BulkheadPolicy *policy,
                                  const BulkheadNet *net);

/* compile-local.c: what the links around us are: routers, neighbours, the LAN. */
void bulkhead_compile_add_local_sets (BulkheadTable *table, const BulkheadPolicy *policy,
                                      const BulkheadNet *net);

/*
 * What output, postrouting and egress share (compile.c): the pause; the refusal of a tunnel's
 * address as source and of source routing; then the allow list, from address assignment to the
 * user's exceptions, with @refuse in its place; the LAN alone.
 */
void bulkhead_compile_add_pause (BulkheadTable *table, BulkheadChain *chain);
void bulkhead_compile_add_refusals (BulkheadTable *table, BulkheadChain *chain);
void bulkhead_compile_add_holes (BulkheadTable *table, BulkheadChain *chain,
                                 BulkheadStatement refuse);
void bulkhead_compile_add_lan (BulkheadTable *table, BulkheadChain *chain);
