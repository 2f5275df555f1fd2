/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The built-in rules for when the wanted ones cannot be had: loopback, and nothing else. They stand
 * in the lock's own table, so that the lock takes their place by one transaction as soon as it can,
 * and everything that takes a lock out takes them out too. They are as few as can be: whatever
 * keeps the kernel from taking the lock should not keep it from taking these, and if it does that
 * to their second verdict, behind NAT, the others stand without it. Raw and bridged frames are held
 * back only at links that a lock has guarded: its chains stay and drop all of them there, ARP's and
 * Wi-Fi's keys too, for what they let out was another policy's, or a pause's.
 */
#pragma once

#include "nft-sink.h"

/* Whether a wall stands: chains that drop what no rule of theirs accepts, these ones or a lock's.
 * What their rules accept is not judged: only who made them knows what was wanted. */
gboolean bulkhead_fallback_has_wall (BulkheadSink *sink);

/* Puts them in the place of whatever lock stands there, and reads them back. FALSE: KERNEL_REFUSED
 * or NOT_ENFORCED. */
gboolean bulkhead_fallback_close (BulkheadSink *sink, GError **error);
