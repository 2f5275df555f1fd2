/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one list of what can go wrong in the helper. Messages are English, lower case, without a
 * full stop, and name the field and the reason; callers branch on the code, people read the text.
 */
#pragma once

#include <glib.h>

#define BULKHEAD_ERROR (bulkhead_error_quark ())

typedef enum {
    BULKHEAD_ERROR_FAILED,           /* nothing below fits */
    BULKHEAD_ERROR_NOT_AUTHORIZED,   /* the caller may not do this */
    BULKHEAD_ERROR_INVALID_ARGUMENT, /* a value is malformed or not allowed */
    BULKHEAD_ERROR_NOT_FOUND,        /* no such tunnel, exception or grant */
    BULKHEAD_ERROR_EXISTS,           /* it is there already */
    BULKHEAD_ERROR_WRONG_STATE,      /* the lock's state does not allow it, as pause while off */
    BULKHEAD_ERROR_KERNEL_REFUSED,   /* the kernel refused the transaction; nothing changed */
    BULKHEAD_ERROR_NOT_ENFORCED,     /* what was read back is not what was asked for */
    BULKHEAD_ERROR_STORE_FAILED,     /* the state could not be stored; nothing changed */
    BULKHEAD_ERROR_STATE_UNREADABLE, /* a state file is there and cannot be understood */
    BULKHEAD_ERROR_ALREADY_RUNNING,  /* another helper holds the state directory */
    BULKHEAD_ERROR_CANCELLED,        /* the person closed the password prompt, or the caller left */
    BULKHEAD_ERROR_FIXED,            /* the administrator fixed the setting (managed.h) */
    BULKHEAD_ERROR_INTERACTION_REQUIRED, /* only after a password, which could not be asked for */
    BULKHEAD_ERROR_LAST = BULKHEAD_ERROR_INTERACTION_REQUIRED,
} BulkheadError;

GQuark bulkhead_error_quark (void);

/*
 * Sets "FIELD “VALUE”: REASON" and returns FALSE. The value may come from anywhere: it is cut
 * short, and escaped when it is not printable, since messages go to terminals, logs and the bus.
 */
gboolean bulkhead_error_set_value (GError **error, BulkheadError code, const char *field,
                                   const char *value, const char *reason);
