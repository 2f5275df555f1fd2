/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hears of the packets that a rule logs to an nflog group. The first after a quiet time is told at
 * once, while its socket may still be there; what comes in the second after it is told together
 * when that is over. So a flood wakes us once a second, and silence never.
 */
#pragma once

#include "packet.h"

#include <linux/netlink.h>

typedef struct {
    BulkheadPacket packet;
    guint32 uid; /* of the socket's owner; G_MAXUINT32: not known */
} BulkheadNflogPacket;

typedef struct _BulkheadNflog BulkheadNflog;

/* @packets: of BulkheadNflogPacket, what came since the last look; may be empty. Returns: whether
 * to look once more in a second even if it is. */
typedef gboolean (*BulkheadNflogLook) (const GArray *packets, gpointer data);

/* KERNEL_REFUSED: no nflog here, or another program hears this group, which only one may. */
BulkheadNflog *bulkhead_nflog_new (guint16 group, BulkheadNflogLook look, gpointer data,
                                   GError **error);
void bulkhead_nflog_free (BulkheadNflog *nflog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadNflog, bulkhead_nflog_free)

/* For tests and fuzzing: what one message of the kernel says. FALSE: no packet that is one. */
gboolean bulkhead_nflog_parse (const struct nlmsghdr *message, BulkheadNflogPacket *ret);
