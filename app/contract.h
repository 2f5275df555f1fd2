/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What data/org.bulkhead.Helper1.xml says, in C: the helper's names on the bus, and its numbers. */
#pragma once

#define BULKHEAD_NAME "org.bulkhead.Helper1"
#define BULKHEAD_PATH "/org/bulkhead/Helper1"

/* As the property State; a number that is not here is UNKNOWN. */
typedef enum {
    BULKHEAD_STATE_UNKNOWN = 0,
    BULKHEAD_STATE_OFF = 1,
    BULKHEAD_STATE_PROTECTED = 2,
    BULKHEAD_STATE_BLOCKING = 3,
    BULKHEAD_STATE_PAUSED = 4,
    BULKHEAD_STATE_BROKEN = 5,
} BulkheadState;
