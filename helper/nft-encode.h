/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rule as the kernel's expressions, and back to a line of text. The one file that knows
 * libnftnl. Guards that nft adds by itself (nfproto before an address, l4proto before a port) are
 * added here: without them `th dport` matches every protocol (LEAKS L75).
 */
#pragma once

#include "ruleset.h"

struct nlmsghdr;

/* Adds the attributes of a NEWRULE message. */
void bulkhead_encode_rule (struct nlmsghdr *message, BulkheadFamily family, const char *table,
                           const char *chain, const BulkheadRule *rule);

/* A NEWRULE message of ours or of the kernel's: its expressions, without counters' values, the
 * same text for the same meaning. (transfer full) NULL when it cannot be read. */
char *bulkhead_encode_describe_rule (const struct nlmsghdr *message);
