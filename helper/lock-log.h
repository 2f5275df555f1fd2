/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lock's own lines in the audit log: what happened to it, in the journal's words. */
#pragma once

#include "engine.h"
#include "journal.h"

/* One event with one detail. */
void bulkhead_lock_log (BulkheadJournal *journal, BulkheadEvent event, const char *name,
                        const char *value);

/* @closed, @problem: whether everything is blocked instead when it is BROKEN, and why it is. States
 * that somebody asked for are not logged here. */
void bulkhead_lock_log_state (BulkheadJournal *journal, BulkheadState state, gboolean closed,
                              const char *problem);
void bulkhead_lock_log_managed (BulkheadJournal *journal, const BulkheadManaged *managed);
/* One line for each promise that is weaker because the kernel lacks a feature. @use_owner: FALSE:
 * nobody asked for that one. */
void bulkhead_lock_log_features (BulkheadJournal *journal, BulkheadFeatures there,
                                 gboolean use_owner);
/* Somebody removed or changed rules. @pid 0: not known who. @restored: they are back, @microseconds
 * after it was noticed. */
void bulkhead_lock_log_touched (BulkheadJournal *journal, const char *program, guint32 pid,
                                gboolean restored, gint64 microseconds);
