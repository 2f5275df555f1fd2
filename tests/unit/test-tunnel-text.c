/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tunnel-text.h"

#include <locale.h>

#define NOW 1700000000

typedef char *(*TextFunc) (GVariant *facts);

static char *
life (GVariant *facts)
{
    return bulkhead_tunnel_text_life (facts, NOW);
}

static void
check (TextFunc text, const char *facts, const char *expected)
{
    g_autoptr (GVariant) value = g_variant_new_parsed (facts);
    g_autofree char *said = text (value);

    g_assert_cmpstr (said, ==, expected);
}

static void
test_server (void)
{
    check (bulkhead_tunnel_text_server, "@a{sv} {}", "");
    check (bulkhead_tunnel_text_server,
           "{'id': <'wg0'>, 'interface': <'wg0'>, 'kind': <uint32 1>, 'endpoints': <@as []>}",
           "WireGuard");
    check (bulkhead_tunnel_text_server,
           "{'id': <'home'>, 'interface': <'tun0'>, 'kind': <uint32 2>,"
           " 'endpoints': <['203.0.113.5:1194/udp', '[2001:db8::1]:1194/tcp']>}",
           "OpenVPN · tun0 · 203.0.113.5:1194/udp · [2001:db8::1]:1194/tcp");
    /* A kind of a later helper. */
    check (bulkhead_tunnel_text_server, "{'kind': <uint32 99>, 'interface': <'x'>}", "");
}

static void
test_life (void)
{
    check (life, "@a{sv} {}", "Not there");
    check (life, "{'present': <true>, 'up': <false>}", "Down");
    check (life, "{'present': <true>, 'up': <true>}", "Up");
    check (life, "{'up': <true>, 'received': <uint64 1200000>, 'sent': <uint64 300>}",
           "Up, received 1.2\u00a0MB, sent 300 bytes");
    check (life, "{'up': <true>, 'handshake': <int64 1699999988>}",
           "Up, last handshake 12 seconds ago");
    check (life, "{'up': <true>, 'handshake': <int64 1699999939>}",
           "Up, last handshake 1 minute ago");
    check (life, "{'up': <true>, 'handshake': <int64 1699990000>}",
           "Up, last handshake 2 hours ago");
    /* A clock that was put back. */
    check (life, "{'up': <true>, 'handshake': <int64 1700000100>}",
           "Up, last handshake 0 seconds ago");
    check (life, "{'up': <true>, 'since': <int64 1699999400>}", "Up since 22:03");
    check (life, "{'up': <true>, 'since': <int64 1699800000>}", "Up since 11/12/23 14:40");
    /* What is down is not up since anything. */
    check (life, "{'present': <true>, 'since': <int64 1699999400>}", "Down");
}

static void
test_binding (void)
{
    check (bulkhead_tunnel_text_binding, "@a{sv} {}",
           "It has no server address: it can be reached only through another tunnel or the local "
           "network.");
    check (bulkhead_tunnel_text_binding,
           "{'endpoints': <['203.0.113.5:1/udp']>, 'mark': <uint32 51820>}",
           "Only packets with the mark 0xca6c may reach its server.");
    check (bulkhead_tunnel_text_binding,
           "{'endpoints': <['203.0.113.5:1/udp']>, 'mark': <uint32 0>, 'user': <uint32 0>}",
           "Only programs of the user root may reach its server.");
    check (bulkhead_tunnel_text_binding,
           "{'endpoints': <['203.0.113.5:1/udp']>, 'user': <uint32 3999999999>}",
           "Only programs of the user 3999999999 may reach its server.");
}

static void
test_minutes (void)
{
    static const struct {
        guint minutes;
        const char *text;
    } lengths[] = { { 1, "1 minute" },
                    { 5, "5 minutes" },
                    { 60, "1 hour" },
                    { 90, "90 minutes" },
                    { 120, "2 hours" } };

    for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
        g_autofree char *text = bulkhead_text_minutes (lengths[i].minutes);

        g_assert_cmpstr (text, ==, lengths[i].text);
    }
}

int
main (int argc, char *argv[])
{
    g_setenv ("TZ", "UTC", TRUE);
    setlocale (LC_ALL, "C.UTF-8");
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/tunnel-text/server", test_server);
    g_test_add_func ("/tunnel-text/life", test_life);
    g_test_add_func ("/tunnel-text/binding", test_binding);
    g_test_add_func ("/tunnel-text/minutes", test_minutes);
    return g_test_run ();
}
