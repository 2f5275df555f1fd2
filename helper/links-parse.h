/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes BulkheadLink values of rtnetlink messages. No socket and no state: links.c asks the
 * kernel, this file understands the answer. What it does not understand it leaves out.
 */
#pragma once

#include <glib.h>
#include <linux/netlink.h>

/*
 * For mnl_cb_run(): adds what one message of a dump says to @links, an array of BulkheadLink.
 * Links come first; addresses and routes are added to links that are there, in any order.
 */
int bulkhead_links_parse_cb (const struct nlmsghdr *message, void *links);

/* FALSE for a change of a route that no snapshot reads: of other tables, or without a link. */
gboolean bulkhead_links_event_counts (const struct nlmsghdr *message);
