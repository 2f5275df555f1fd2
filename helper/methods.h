/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each method of the interface does once its caller may have it done. Every change of a
 * setting is one new policy given to the lock, and one line in the log.
 */
#pragma once

#include "at-boot.h"
#include "authority.h"
#include "lock.h"
#include "recorder.h"

typedef struct {
    BulkheadLock *lock;
    BulkheadRecorder *recorder;
    BulkheadJournal *journal;
    BulkheadGrants *grants;
    BulkheadAtBoot *at_boot;
    const BulkheadCaller *caller;
    GVariant *arguments; /* a tuple of the types in the interface */
} BulkheadRequest;

/* FALSE and FIXED for what @method can only mean to do and the administrator does not let anybody
 * do: to be asked first, so that nobody types a password for nothing. */
gboolean bulkhead_methods_check_fixed (const char *method, BulkheadLock *lock, GError **error);

/* Every method but SetAtBoot, which is not done at once. Returns: (transfer floating): the answer's
 * tuple; NULL and an error, then nothing changed. */
GVariant *bulkhead_methods_perform (const char *method, const BulkheadRequest *request,
                                    GError **error);
