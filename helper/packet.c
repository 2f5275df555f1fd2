/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packet.h"

#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40

enum {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_AUTHENTICATION = 51,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_DESTINATION_OPTIONS = 60,
};

static guint16
read_u16 (const guint8 *bytes)
{
    return bytes[0] << 8 | bytes[1];
}

static BulkheadAddress
read_address (GSocketFamily family, const guint8 *bytes)
{
    BulkheadAddress address = { .family = family };

    memcpy (address.bytes, bytes, bulkhead_address_size (&address));
    return address;
}

/* Both protocols begin with the two ports. */
static void
read_ports (const guint8 *bytes, gsize size, BulkheadPacket *packet)
{
    if ((packet->protocol != PROTOCOL_TCP && packet->protocol != PROTOCOL_UDP) || size < 4)
        return;
    packet->source_port = read_u16 (bytes);
    packet->port = read_u16 (bytes + 2);
}

static gboolean
parse_ipv4 (const guint8 *bytes, gsize size, BulkheadPacket *packet)
{
    gsize header;

    if (size < IPV4_HEADER)
        return FALSE;
    header = 4 * (bytes[0] & 0x0f);
    if (header < IPV4_HEADER)
        return FALSE;
    packet->source = read_address (G_SOCKET_FAMILY_IPV4, bytes + 12);
    packet->destination = read_address (G_SOCKET_FAMILY_IPV4, bytes + 16);
    packet->protocol = bytes[9];
    if ((read_u16 (bytes + 6) & 0x1fff) == 0 && size > header)
        read_ports (bytes + header, size - header, packet);
    return TRUE;
}

/* The length of an extension header whose second byte is @length; 0: it is none. */
static gsize
extension_length (guint8 type, guint8 length)
{
    switch (type) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION_OPTIONS:
        return 8 * (length + 1);
    case PROTOCOL_AUTHENTICATION:
        return 4 * (length + 2);
    case PROTOCOL_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

static gboolean
parse_ipv6 (const guint8 *bytes, gsize size, BulkheadPacket *packet)
{
    gsize at = IPV6_HEADER;
    gboolean first = TRUE; /* of its fragments, or whole */

    if (size < IPV6_HEADER)
        return FALSE;
    packet->source = read_address (G_SOCKET_FAMILY_IPV6, bytes + 8);
    packet->destination = read_address (G_SOCKET_FAMILY_IPV6, bytes + 24);
    packet->protocol = bytes[6];
    /* What follows in a later fragment is the middle of something. */
    while (first && extension_length (packet->protocol, 0) > 0) {
        guint8 type = packet->protocol;

        if (at > size || size - at < 8)
            return FALSE;
        packet->protocol = bytes[at];
        if (type == PROTOCOL_FRAGMENT)
            first = (read_u16 (bytes + at + 2) & 0xfff8) == 0;
        at += extension_length (type, bytes[at + 1]);
    }
    if (first && at < size)
        read_ports (bytes + at, size - at, packet);
    return TRUE;
}

gboolean
bulkhead_packet_parse (const guint8 *bytes, gsize size, BulkheadPacket *ret)
{
    BulkheadPacket packet = { 0 };
    guint version = size > 0 ? bytes[0] >> 4 : 0;

    if (!(version == 4 && parse_ipv4 (bytes, size, &packet))
        && !(version == 6 && parse_ipv6 (bytes, size, &packet)))
        return FALSE;
    *ret = packet;
    return TRUE;
}

char *
bulkhead_packet_protocol_to_string (guint8 protocol)
{
    switch (protocol) {
    case PROTOCOL_TCP:
        return g_strdup ("tcp");
    case PROTOCOL_UDP:
        return g_strdup ("udp");
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        return g_strdup ("icmp");
    default:
        return g_strdup_printf ("%u", protocol);
    }
}
