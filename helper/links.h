/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches rtnetlink and yields snapshots of all links, addresses, on-link prefixes and default
 * routes. It keeps no state between snapshots that could go stale: every burst of events ends in
 * one full dump. It never changes anything in the kernel and never looks at what it means.
 */
#pragma once

#include "net.h"

#define BULKHEAD_TYPE_LINKS (bulkhead_links_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadLinks, bulkhead_links, BULKHEAD, LINKS, GObject)

/*
 * Signal "changed" (no arguments): something about links, addresses or routes may have changed;
 * read anew. A burst is one signal, at most 10 ms after its first event; a socket overflow
 * (ENOBUFS) is a change too.
 */
BulkheadLinks *bulkhead_links_new (GError **error);

/* Returns: (element-type BulkheadLink) (transfer full): a fresh dump; NULL and errno's text when
 * the kernel does not answer. An interrupted dump (NLM_F_DUMP_INTR) is taken again; ten in a row
 * are an error too, and "changed" comes soon after it: keep what was read before. */
GPtrArray *bulkhead_links_read (BulkheadLinks *links, GError **error);
