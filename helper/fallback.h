/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The built-in rules for when the wanted ones cannot be had: loopback, and nothing else. They stand
 * in the lock's own tables, so that the lock takes their place by one transaction as soon as it
 * can, and everything that takes a lock out takes them out too. They are as few as can be: whatever
 * keeps the kernel from taking the lock should not keep it from taking these. Raw frames, as
 * DHCP's, are not held back.
 */
#pragma once

#include "nft-sink.h"

BulkheadRuleset *bulkhead_fallback_ruleset (void);

/*
 * Puts them into the kernel, and reads them back, unless a lock stands there already: that one was
 * wanted once and lets nothing out that was not. FALSE: KERNEL_REFUSED or NOT_ENFORCED.
 */
gboolean bulkhead_fallback_close (BulkheadSink *sink, GError **error);
