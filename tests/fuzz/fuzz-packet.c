/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first bytes of a packet that was refused, which anybody may send. */
#include "blocked.h"
#include "fuzz.h"
#include "packet.h"

static BulkheadBlocked *blocked;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    blocked = bulkhead_blocked_new ();
    return 0;
}

static void
check_packet (const BulkheadPacket *packet)
{
    gboolean has_ports = packet->protocol == 6 || packet->protocol == 17;
    g_autofree char *to = bulkhead_address_to_string (&packet->destination);
    g_autofree char *protocol = bulkhead_packet_protocol_to_string (packet->protocol);

    g_assert_true (packet->destination.family == packet->source.family);
    g_assert_true (has_ports || (packet->port == 0 && packet->source_port == 0));
    g_assert_true (to != NULL && protocol[0] != '\0');
}

/* Of fewer bytes of the same packet nothing else is read. */
static void
check_cut (const guint8 *data, gsize size, const BulkheadPacket *whole)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    BulkheadPacket cut;

    if (!bulkhead_packet_parse (copy, size, &cut))
        return;
    g_assert_cmpint (bulkhead_address_compare (&cut.destination, &whole->destination), ==, 0);
    g_assert_cmpuint (cut.protocol, ==, whole->protocol);
    g_assert_true (cut.port == 0 || cut.port == whole->port);
    g_assert_true (cut.source_port == 0 || cut.source_port == whole->source_port);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    const BulkheadBlockedEntry *entry;
    BulkheadPacket packet;

    if (!bulkhead_packet_parse (copy, size, &packet))
        return 0;
    check_packet (&packet);
    for (gsize cut = 0; cut < MIN (size, 128); cut += 3)
        check_cut (data, cut, &packet);
    entry = bulkhead_blocked_add (blocked, &packet, packet.source_port, size);
    g_assert_cmpuint (entry->port, ==, packet.port);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), <=, BULKHEAD_BLOCKED_MAX);
    return 0;
}
