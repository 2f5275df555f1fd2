/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One nfnetlink socket: sends a transaction and hears what the kernel says of each message, takes
 * dumps. It does not know what the messages mean. The socket lives as long as the helper: it owns
 * the tables (flag owner), so that no other process can touch them.
 */
#pragma once

#include "nft-batch.h"

struct nlmsghdr;

typedef struct _BulkheadNftSocket BulkheadNftSocket;

BulkheadNftSocket *bulkhead_nft_socket_new (GError **error);
void bulkhead_nft_socket_free (BulkheadNftSocket *nft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadNftSocket, bulkhead_nft_socket_free)

/* Its netlink address: what the kernel names as the author of a change. */
guint32 bulkhead_nft_socket_port (BulkheadNftSocket *nft);
/* Sequence numbers never repeat on one socket; @count are taken. */
guint32 bulkhead_nft_socket_take_seq (BulkheadNftSocket *nft, guint count);

/* The ruleset's generation; 0 with @error when the kernel does not answer (it has no nf_tables). */
guint32 bulkhead_nft_socket_generation (BulkheadNftSocket *nft, GError **error);

/*
 * Sends a whole batch in one message to the kernel. Returns 0, or the errno of the first refusal;
 * then @ret_seq names the message. EPROTO: no answer at all came (ENOBUFS, LEAKS L110); read back
 * to know. ERESTART: somebody changed the ruleset since the generation was read; do it again.
 */
int bulkhead_nft_socket_transact (BulkheadNftSocket *nft, const BulkheadBatch *batch,
                                  guint32 *ret_seq);

typedef void (*BulkheadNftMessage) (const struct nlmsghdr *message, gpointer data);
/* @type: NFT_MSG_GET*. @table may be NULL, and @name: of a set for its elements, of a chain for its
 * rules. FALSE with errno set; EINTR: the kernel said that the list changed meanwhile
 * (NLM_F_DUMP_INTR), take it again. */
gboolean bulkhead_nft_socket_dump (BulkheadNftSocket *nft, guint16 type, guint8 family,
                                   const char *table, const char *name, BulkheadNftMessage each,
                                   gpointer data);
