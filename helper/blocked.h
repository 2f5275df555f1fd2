/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was refused of late: packets to the same address, protocol and port of the same user are
 * one entry. It lives in memory only, and is bounded: of the user who has the most, what is not
 * seen for the longest goes first. Pure.
 */
#pragma once

#include "packet.h"

#define BULKHEAD_BLOCKED_MAX 64
#define BULKHEAD_BLOCKED_NO_USER G_MAXUINT32 /* nobody knows whose the packet was */

typedef struct {
    BulkheadAddress address;
    guint8 protocol;
    guint16 port;  /* 0: it has none, or none was seen */
    guint32 uid;   /* or BULKHEAD_BLOCKED_NO_USER */
    char *program; /* UTF-8; "" unknown */
    guint64 count;
    gint64 first, last; /* seconds since the epoch */
} BulkheadBlockedEntry;

typedef struct _BulkheadBlocked BulkheadBlocked;

BulkheadBlocked *bulkhead_blocked_new (void);
void bulkhead_blocked_free (BulkheadBlocked *blocked);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadBlocked, bulkhead_blocked_free)

/* Returns: (transfer none): the entry that now counts @packet, for as long as nothing is added. */
const BulkheadBlockedEntry *bulkhead_blocked_add (BulkheadBlocked *blocked,
                                                  const BulkheadPacket *packet, guint32 uid,
                                                  gint64 now);
/* Names who sent what the newest entry counts. */
void bulkhead_blocked_name_newest (BulkheadBlocked *blocked, const char *program);
void bulkhead_blocked_clear (BulkheadBlocked *blocked);

guint bulkhead_blocked_get_length (const BulkheadBlocked *blocked);
/* @index 0 is what was seen last. */
const BulkheadBlockedEntry *bulkhead_blocked_get (const BulkheadBlocked *blocked, guint index);
