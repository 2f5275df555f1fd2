/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which program sent a packet, as far as CAP_NET_ADMIN tells: the socket by its addresses and
 * ports, the socket's control group by its number, the program by the group's name.
 */
#pragma once

#include "packet.h"

/* Only of UDP: the rules answer a TCP connection with a reset, and the kernel forgets its socket
 * before anybody can ask whose it was. */
gboolean bulkhead_program_can_be_known (const BulkheadPacket *packet);

/* Of a packet whose program can be known. Returns: (transfer full): "" when it is not: the socket
 * is gone, or its group says nothing of the program (see program-name.h). */
char *bulkhead_program_of (const BulkheadPacket *packet);
