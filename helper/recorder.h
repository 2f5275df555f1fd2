/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps what the lock refuses, for as long as it is asked for, in memory only: forgotten with the
 * unlocking, written nowhere. It changes nothing.
 */
#pragma once

#include "blocked.h"
#include "lock.h"

#define BULKHEAD_TYPE_RECORDER (bulkhead_recorder_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadRecorder, bulkhead_recorder, BULKHEAD, RECORDER, GObject)

/* Follows @lock. Signal "changed" (no arguments): the count is another; at most once a second but
 * for locking and unlocking. */
BulkheadRecorder *bulkhead_recorder_new (BulkheadLock *lock);

/* (transfer none), valid until the main loop runs again. The rules tell of ten packets a second
 * at the most, so that it is a sample of a flood. */
const BulkheadBlocked *bulkhead_recorder_get_blocked (BulkheadRecorder *recorder);

/* The packets of this machine that were refused on their way out since the lock, or the helper if
 * that is later, by the rules' own counters. They are read once a second while something is
 * refused, and begin anew with the rules: when these change, up to a second of it is missed. */
guint64 bulkhead_recorder_get_count (BulkheadRecorder *recorder);
