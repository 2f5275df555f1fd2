/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hears of every change that somebody else makes to our tables, as it happens, with the name of
 * the process where the kernel tells. It mends nothing.
 */
#pragma once

#include <glib.h>

typedef struct _BulkheadNftWatch BulkheadNftWatch;

/* @pid 0 and @program "": unknown. Also when events were lost: anything may have happened. */
typedef void (*BulkheadNftTouched) (guint32 pid, const char *program, gpointer data);

/* @own_port: changes from that netlink address are ours and not told. */
BulkheadNftWatch *bulkhead_nft_watch_new (guint32 own_port, BulkheadNftTouched touched,
                                          gpointer data, GError **error);
void bulkhead_nft_watch_free (BulkheadNftWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadNftWatch, bulkhead_nft_watch_free)
