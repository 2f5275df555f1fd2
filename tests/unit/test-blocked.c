/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answers.h"
#include "blocked.h"

static BulkheadPacket
packet_to (const char *address, guint8 protocol, guint16 port)
{
    BulkheadPacket packet = { .protocol = protocol, .port = port, .source_port = 40000 };

    g_assert_true (bulkhead_address_parse (address, &packet.destination));
    g_assert_true (bulkhead_address_parse ("192.0.2.1", &packet.source));
    return packet;
}

static void
add (BulkheadBlocked *blocked, const char *address, guint8 protocol, guint16 port, guint32 uid,
     gint64 now)
{
    BulkheadPacket packet = packet_to (address, protocol, port);
    const BulkheadBlockedEntry *entry = bulkhead_blocked_add (blocked, &packet, uid, now);

    g_assert_true (entry == bulkhead_blocked_get (blocked, 0));
    g_assert_cmpint (entry->last, ==, now);
}

static void
test_same_is_one (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();
    BulkheadPacket again = packet_to ("198.51.100.9", 6, 443);
    const BulkheadBlockedEntry *entry;

    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, 0);
    add (blocked, "198.51.100.9", 6, 443, 1000, 10);
    /* Where it comes from is another with every connection. */
    again.source_port = 40001;
    entry = bulkhead_blocked_add (blocked, &again, 1000, 12);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, 1);
    g_assert_cmpuint (entry->count, ==, 2);
    g_assert_cmpint (entry->first, ==, 10);
    g_assert_cmpint (entry->last, ==, 12);
    g_assert_cmpuint (entry->uid, ==, 1000);
    g_assert_cmpstr (entry->program, ==, "");
}

static void
test_any_difference_is_another (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();

    add (blocked, "198.51.100.9", 6, 443, 1000, 1);
    add (blocked, "198.51.100.8", 6, 443, 1000, 2);
    add (blocked, "2001:db8::9", 6, 443, 1000, 3);
    add (blocked, "198.51.100.9", 17, 443, 1000, 4);
    add (blocked, "198.51.100.9", 6, 80, 1000, 5);
    add (blocked, "198.51.100.9", 6, 443, BULKHEAD_BLOCKED_NO_USER, 6);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, 6);
    for (guint i = 0; i < 6; i++)
        g_assert_cmpint (bulkhead_blocked_get (blocked, i)->last, ==, 6 - i);
}

static void
test_newest_first (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();

    add (blocked, "198.51.100.1", 6, 443, 0, 1);
    add (blocked, "198.51.100.2", 6, 443, 0, 2);
    bulkhead_blocked_name_newest (blocked, "two");
    add (blocked, "198.51.100.1", 6, 443, 0, 3);
    bulkhead_blocked_name_newest (blocked, "one");
    g_assert_cmpstr (bulkhead_blocked_get (blocked, 0)->program, ==, "one");
    g_assert_cmpuint (bulkhead_blocked_get (blocked, 0)->count, ==, 2);
    g_assert_cmpstr (bulkhead_blocked_get (blocked, 1)->program, ==, "two");
}

/* However many: the last 64 stay, and what keeps coming does. */
static void
test_bounded (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();

    for (guint i = 0; i < 100000; i++) {
        add (blocked, "203.0.113.1", 17, 53, 0, i);
        add (blocked, "198.51.100.9", 6, 1 + i % 65000, 0, i);
    }
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, BULKHEAD_BLOCKED_MAX);
    g_assert_cmpuint (bulkhead_blocked_get (blocked, 1)->count, ==, 100000);
    for (guint i = 2; i < BULKHEAD_BLOCKED_MAX; i++)
        g_assert_cmpint (bulkhead_blocked_get (blocked, i)->last, ==, 100000 - i);
    bulkhead_blocked_clear (blocked);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, 0);
    add (blocked, "203.0.113.1", 17, 53, 0, 7);
    g_assert_cmpuint (bulkhead_blocked_get (blocked, 0)->count, ==, 1);
}

static guint
count_of (const BulkheadBlocked *blocked, guint32 uid)
{
    guint n = 0;

    for (guint i = 0; i < bulkhead_blocked_get_length (blocked); i++)
        n += bulkhead_blocked_get (blocked, i)->uid == uid ? 1 : 0;
    return n;
}

/* Whoever sends to more addresses than there is room for drives out their own. */
static void
test_shared (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();
    guint oldest = BULKHEAD_BLOCKED_MAX - 1;

    add (blocked, "198.51.100.1", 6, 443, 1000, 1);
    add (blocked, "198.51.100.2", 6, 443, 1000, 2);
    for (guint i = 0; i < 1000; i++)
        add (blocked, "203.0.113.1", 17, 1 + i, 1001, 10 + i);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, BULKHEAD_BLOCKED_MAX);
    g_assert_cmpuint (count_of (blocked, 1000), ==, 2);
    g_assert_cmpint (bulkhead_blocked_get (blocked, oldest)->last, ==, 1);
    g_assert_cmpint (bulkhead_blocked_get (blocked, oldest - 2)->last, ==, 948);
    for (guint i = 0; i < 1000; i++)
        add (blocked, "203.0.113.1", 17, 1 + i, 1000, 2000 + i);
    g_assert_cmpuint (count_of (blocked, 1000), ==, BULKHEAD_BLOCKED_MAX / 2);
    g_assert_cmpuint (count_of (blocked, 1001), ==, BULKHEAD_BLOCKED_MAX / 2);
    /* The third has room at once. */
    add (blocked, "203.0.113.1", 17, 53, BULKHEAD_BLOCKED_NO_USER, 3000);
    g_assert_cmpuint (bulkhead_blocked_get_length (blocked), ==, BULKHEAD_BLOCKED_MAX);
    g_assert_cmpuint (count_of (blocked, 1001), ==, BULKHEAD_BLOCKED_MAX / 2 - 1);
}

/* How many entries @uid is told, each of which must be theirs. */
static gsize
count_told (const BulkheadBlocked *blocked, guint32 uid)
{
    g_autoptr (GVariant) told = g_variant_ref_sink (bulkhead_answer_blocked (blocked, uid));
    gsize n = g_variant_n_children (told);

    for (gsize i = 0; i < n; i++) {
        g_autoptr (GVariant) entry = g_variant_get_child_value (told, i);
        guint32 whose = 0;

        g_assert_true (g_variant_lookup (entry, "uid", "u", &whose));
        g_assert_true (uid == 0 || whose == uid);
    }
    return n;
}

static void
test_told_to_whom (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();

    g_assert_cmpuint (count_told (blocked, 0), ==, 0);
    add (blocked, "198.51.100.9", 6, 443, 0, 1);
    add (blocked, "198.51.100.9", 6, 443, 1000, 2);
    add (blocked, "198.51.100.9", 6, 80, 1000, 3);
    add (blocked, "198.51.100.9", 6, 443, 1001, 4);
    add (blocked, "ff02::16", 58, 0, BULKHEAD_BLOCKED_NO_USER, 5);
    g_assert_cmpuint (count_told (blocked, 0), ==, 5);
    g_assert_cmpuint (count_told (blocked, 1000), ==, 2);
    g_assert_cmpuint (count_told (blocked, 1001), ==, 1);
    g_assert_cmpuint (count_told (blocked, 1002), ==, 0);
    /* Nobody, either, is who has no number. */
    g_assert_cmpuint (count_told (blocked, BULKHEAD_BLOCKED_NO_USER), ==, 0);
}

static void
test_told_how (void)
{
    g_autoptr (BulkheadBlocked) blocked = bulkhead_blocked_new ();
    g_autoptr (GVariant) told = NULL;
    g_autofree char *text = NULL;

    add (blocked, "2001:db8::9", 17, 443, 1000, 5);
    add (blocked, "2001:db8::9", 17, 443, 1000, 6);
    bulkhead_blocked_name_newest (blocked, "firefox");
    told = g_variant_ref_sink (bulkhead_answer_blocked (blocked, 0));
    text = g_variant_print (told, TRUE);
    g_assert_cmpstr (text, ==,
                     "[{'address': <'2001:db8::9'>, 'protocol': <'udp'>, 'port': <uint16 443>, "
                     "'uid': <uint32 1000>, 'program': <'firefox'>, 'count': <uint64 2>, "
                     "'first': <int64 5>, 'last': <int64 6>}]");
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/blocked/same-is-one", test_same_is_one);
    g_test_add_func ("/blocked/any-difference-is-another", test_any_difference_is_another);
    g_test_add_func ("/blocked/newest-first", test_newest_first);
    g_test_add_func ("/blocked/bounded", test_bounded);
    g_test_add_func ("/blocked/shared", test_shared);
    g_test_add_func ("/blocked/told-to-whom", test_told_to_whom);
    g_test_add_func ("/blocked/told-how", test_told_how);
    return g_test_run ();
}
