/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The audit log: one line of JSON per event, a file a day (UTC) in the log directory, thirty days
 * kept, and the same event in the system journal with a fixed MESSAGE_ID. Failing to log is
 * reported once on stderr and never stops the lock. Addresses are not written unless the caller
 * puts them in, which it does only for what the user configured.
 */
#pragma once

#include <glib.h>

typedef enum {
    BULKHEAD_EVENT_STARTED, /* helper started; detail: version */
    BULKHEAD_EVENT_STOPPED,
    BULKHEAD_EVENT_LOCKED,   /* a user locked, or the administrator */
    BULKHEAD_EVENT_UNLOCKED, /* the same; the word "allow" is in the text */
    BULKHEAD_EVENT_PAUSED,
    BULKHEAD_EVENT_RESUMED,    /* by the user or by time */
    BULKHEAD_EVENT_PROTECTED,  /* tunnel up behind the lock */
    BULKHEAD_EVENT_BLOCKING,   /* tunnel gone; everything is blocked */
    BULKHEAD_EVENT_REMOVED,    /* another program removed or changed rules: possible leak */
    BULKHEAD_EVENT_RESTORED,   /* they are back; detail: after how many µs */
    BULKHEAD_EVENT_BROKEN,     /* asked for but not enforced: possible leak */
    BULKHEAD_EVENT_CHANGED,    /* a setting changed: lan, exceptions, tunnels */
    BULKHEAD_EVENT_REFUSED,    /* a caller was not authorised */
    BULKHEAD_EVENT_UNREADABLE, /* the stored state could not be understood: locked */
    BULKHEAD_EVENT_WEAKENED,   /* the kernel lacks a feature; detail: which promise */
    BULKHEAD_EVENT_AUTHORIZED, /* a user needs no password any more; detail: uid */
    BULKHEAD_EVENT_REVOKED,    /* a user needs one again; detail: uid, user (whose) */
    BULKHEAD_EVENT_FORGOTTEN,  /* the list of those users could not be understood */
    BULKHEAD_EVENT_MANAGED,    /* the administrator's files say something else now; detail: fixed */
    BULKHEAD_EVENT_MISMANAGED, /* one of them cannot be used; detail: problem */
    BULKHEAD_EVENT_ASLEEP, /* the machine goes to sleep; detail: rules, as they were read back */
    BULKHEAD_EVENT_AWAKE,  /* it is awake; detail: the same */
    BULKHEAD_EVENT_CLOSED, /* the built-in rules stand in the place of the lock; problem */
    BULKHEAD_EVENT_LAST = BULKHEAD_EVENT_CLOSED,
} BulkheadEvent;

typedef struct _BulkheadJournal BulkheadJournal;

/* Makes the directory (0750) if it is missing. Never fails: see above. */
BulkheadJournal *bulkhead_journal_new (const char *directory);
void bulkhead_journal_free (BulkheadJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadJournal, bulkhead_journal_free)

/*
 * @detail: (nullable): pairs of name and value, both strings, ended by NULL, as
 * (const char *[]){ "tunnel", "home", NULL }. Each line holds "time" (RFC 3339, UTC, ms), "event"
 * (stable word, as "locked"), "text" (one English sentence with the words people search for:
 * leak, allow, blocked, restored) and the details.
 */
void bulkhead_journal_write (BulkheadJournal *journal, BulkheadEvent event,
                             const char *const *detail);

/* The newest @limit lines (0: no limit) of the newest 4 MiB of the log, oldest first. (transfer
 * full) */
GStrv bulkhead_journal_read (BulkheadJournal *journal, guint limit);
