/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question to the kernel by netlink and its whole answer. Every question has a socket of its
 * own, so that nothing of an earlier answer, cut short, is ever taken for part of this one. The
 * answer passes through one buffer, which is wiped: it may have held keys.
 */
#pragma once

#include <libmnl/libmnl.h>

/*
 * Sends @request (type, flags and payload set; with NLM_F_DUMP or NLM_F_ACK, so that the answer
 * has an end) on @bus, NETLINK_ROUTE or the like, and gives each message to @cb. Returns: 0 or an
 * errno value; EINTR when the answer was taken while the tables changed, so that it is to be
 * asked again; EAGAIN when there was none for 200 ms.
 */
int bulkhead_netlink_ask (int bus, struct nlmsghdr *request, mnl_cb_t cb, void *data);
