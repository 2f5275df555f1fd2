/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches rtnetlink and yields snapshots of all links, their addresses and routes: those of the
 * main table, and of the others default routes and private networks, of which there are few. It
 * keeps no state between snapshots that could go stale, but which links had a router while they
 * have an address (had_router): every burst of events ends in one full dump. It never changes
 * anything in the kernel and never looks at what it means.
 */
#pragma once

#include "net.h"

#define BULKHEAD_TYPE_LINKS (bulkhead_links_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadLinks, bulkhead_links, BULKHEAD, LINKS, GObject)

/*
 * Signal "changed" (no arguments): something about links, addresses or routes may have changed;
 * read anew. The first event after a quiet time is told in the next iteration of the main loop,
 * so that a link that was renamed or plugged in is not left alone; what comes after it is merged
 * and told once, at most 5 ms later. A socket overflow (ENOBUFS) is a change too.
 */
BulkheadLinks *bulkhead_links_new (GError **error);

/* Returns: (element-type BulkheadLink) (transfer full): a fresh dump; NULL and errno's text when
 * the kernel does not answer. An interrupted dump (NLM_F_DUMP_INTR) is taken again; ten in a row
 * are an error too, and "changed" comes soon after it: keep what was read before. */
GPtrArray *bulkhead_links_read (BulkheadLinks *links, GError **error);
