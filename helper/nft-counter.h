/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads how many packets the rules of one chain have counted. */
#pragma once

#include <glib.h>

/* The sum over the rules of @chain in our inet table; 0 when there is no such chain. It begins
 * anew whenever the rules are written. FALSE: the kernel does not answer. */
gboolean bulkhead_nft_counter_read (const char *chain, guint64 *ret_packets);
