/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Old connections die when the lock engages. The rules alone refuse their packets; what they
 * leave in the connection table (marks, address translations, "established") would outlive the
 * change (LEAKS L64, L67).
 */
#pragma once

#include "net.h"

/*
 * Deletes the entries of every flow that does not go through a trusted tunnel and does not stay
 * on this machine. An allowed flow that loses its entry gets a new one with its next packet. A
 * kernel without connection tracking has no such flows: TRUE. Bounded: two seconds of work, 15 on a
 * machine too busy to give us those, and two in which the kernel is silent; FALSE and
 * KERNEL_REFUSED when entries may be left.
 */
gboolean bulkhead_conntrack_cut (const BulkheadNet *net, const BulkheadPolicy *policy,
                                 GError **error);
