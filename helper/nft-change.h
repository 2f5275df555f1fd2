/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is to be sent so that the kernel's tables become a ruleset. It sends and reads nothing: what
 * the kernel lists goes in, the messages come out. Chains and sets stay and are filled anew:
 * deleting and adding them instead drops packets that are allowed, and a chain's policy is set late
 * (LEAKS L103, L104). Only a large set that the kernel would take minutes to empty is put there
 * anew.
 */
#pragma once

#include "nft-batch.h"
#include "nft-listing.h"

typedef struct {
    const BulkheadRuleset *wanted;
    const BulkheadRuleset *before; /* (nullable): its sets were verified to be there */
    const BulkheadListing *actual; /* what the kernel lists */
    guint32 flags;                 /* of our tables, as the kernel names them */
    gboolean forget_flows;         /* empties the dynamic sets too */
} BulkheadChange;

/*
 * The next transaction; one without entries is not to be sent. @seq: of its first message;
 * @generation: of the ruleset that was listed. @ret_last: FALSE: it only takes orphans of a helper
 * that died into our hands, and what the kernel lists then is to be changed by another one.
 * (transfer full)
 */
BulkheadBatch *bulkhead_change_next (const BulkheadChange *change, guint32 seq, guint32 generation,
                                     gboolean *ret_last);
