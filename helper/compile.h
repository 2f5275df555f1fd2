/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The product's meaning: which packets may leave under this policy in this net. Pure and total:
 * the same inputs give the same ruleset, there is no error, and nothing outside is looked at.
 * What leaves is decided by the first that matches, in this order: the tunnels, loopback, a pause;
 * then nothing with a tunnel's address; DHCP and neighbour discovery, the endpoints; then no
 * look-up of a name and nothing with an address of a tunnel that is gone; the LAN, the exceptions;
 * and nothing else.
 */
#pragma once

#include "net.h"
#include "ruleset.h"

/* Returns: (transfer full): no table at all when the policy is not locked. */
BulkheadRuleset *bulkhead_compile (const BulkheadPolicy *policy, const BulkheadNet *net);
