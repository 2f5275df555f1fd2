/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first bytes of an IP packet, read for who it was for. Pure: any bytes in, a value out; what
 * is not there is never read.
 */
#pragma once

#include "address.h"

typedef struct {
    BulkheadAddress source, destination;
    guint8 protocol;     /* IP protocol number of what the packet carries, as 6 for TCP */
    guint16 source_port; /* of TCP and UDP; 0: not one of them, or not in these bytes */
    guint16 port;        /* the destination's */
} BulkheadPacket;

/*
 * @bytes: from the IP header on, IPv4 (RFC 791) or IPv6 (RFC 8200), behind whose extension headers
 * it looks; maybe cut short. A fragment but the first has no ports. FALSE leaves @ret alone: not
 * IP, or cut before it says what it carries.
 */
gboolean bulkhead_packet_parse (const guint8 *bytes, gsize size, BulkheadPacket *ret);

/* "tcp", "udp", "icmp" for both ICMPs, else the number. (transfer full) */
char *bulkhead_packet_protocol_to_string (guint8 protocol);
