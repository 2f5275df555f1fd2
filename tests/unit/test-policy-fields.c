/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each field of a policy may hold, and what is said of what it may not. */
#include "error.h"
#include "values.h"

static void
test_interfaces (void)
{
    static const char *const good[] = { "wg0", "tun-0", "a",   "fifteen-chars.x", "wg0.5",
                                        "..a", "l",     "lo0", "a=b;c#[d]",       "wg+0" };
    static const char *const bad[] = {
        "",
        "sixteen-chars.xy",
        "a-name-that-is-far-too-long-for-any-link",
        ".",
        "..",
        "lo",
        "*",
        "wg*",
        "wg*0",
        "wg+",
        "wg/0",
        "wg:0",
        "wg 0",
        " wg0",
        "wg0 ",
        "wg0\n",
        "wg\t0",
        "wg\033[0m",
        "wg\"0",
        "wg\\0",
        "wgé",
        "\xff",
        "wg\x7f",
    };

    for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
        GError *error = NULL;

        g_assert_true (bulkhead_interface_check (good[i], &error));
        g_assert_no_error (error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("t", bad[i]);
        GError *error = NULL;

        g_assert_false (bulkhead_interface_check (bad[i], &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "interface “");
        error = NULL;
        g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "interface “");
    }
}

static void
test_tunnel_names (void)
{
    const char *longest = "sixty-four-bytes-sixty-four-bytes-sixty-four-bytes-sixty-four-by";
    const char *good[] = { "home", "Zürich 1", " ", "a=b;c#", "日本", longest };
    g_autofree char *too_long = g_strconcat (longest, "t", NULL);
    g_autofree char *far_too_long = g_strnfill (5000, 'x');
    const char *bad[] = { "",          too_long,   far_too_long, "a\nb",      "\n",
                          "a\rb",      "a[b",      "a]b",        "a\tb",      "a\x7f",
                          "a\xc2\x85", "\xff\xfe", "caf\xe9",    "a\xc0\x80", "\xed\xa0\x80" };

    g_assert_cmpuint (strlen (longest), ==, BULKHEAD_TUNNEL_NAME_MAX);
    for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
        g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
        g_autoptr (BulkheadPolicy) policy = with_tunnel (empty, good[i], "wg0");

        g_assert_nonnull (bulkhead_policy_find_tunnel (policy, good[i]));
        g_assert_null (bulkhead_policy_find_tunnel (empty, good[i]));
    }
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (bad[i], "wg0");
        GError *error = NULL;

        g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "tunnel name “");
    }
}

static const char *const bad_endpoints[][2] = {
    { "0.0.0.0:1/udp", "unspecified" },
    { "[::]:1/udp", "unspecified" },
    { "224.0.0.1:1194/udp", "multicast" },
    { "[ff02::1]:1194/udp", "multicast" },
    { "255.255.255.255:1/udp", "broadcast" },
    { "127.0.0.1:1194/udp", "loopback" },
    { "[::1]:1194/tcp", "loopback" },
    { "203.0.113.5:0/udp", "port must be" },
    { "203.0.113.5:65536/udp", "port must be" },
    { "203.0.113.5:99999999999999999999/udp", "port must be" },
    { "203.0.113.5:-1/udp", "port must be" },
    { "203.0.113.5:+1/udp", "port must be" },
    { "203.0.113.5:053/udp", "port must be" },
    { "203.0.113.5: 53/udp", "port must be" },
    { "203.0.113.5:53 /udp", "port must be" },
    { "203.0.113.5:x/udp", "port must be" },
    { "203.0.113.5:/udp", "port must be" },
    { "203.0.113.5/udp", "port is missing" },
    { "[2001:db8::5]/udp", "port is missing" },
    { "[2001:db8::5]443/udp", "port is missing" },
    { "[2001:db8::5:443/udp", "port is missing" },
    { "2001:db8::5:443/udp", "brackets" },
    { "[203.0.113.5]:443/udp", "brackets" },
    { "203.0.113.5:51820", "protocol is missing" },
    { "", "protocol is missing" },
    { "/", "protocol must be" },
    { "203.0.113.5:51820/", "protocol must be" },
    { "203.0.113.5:51820/UDP", "protocol must be" },
    { "203.0.113.5:51820/any", "protocol must be" },
    { "203.0.113.5:51820/icmp", "protocol must be" },
    { "203.0.113.5:51820/udp ", "protocol must be" },
    { "203.0.113.5:51820/udp\n", "protocol must be" },
    { "vpn.example.com:1194/udp", "must be a plain IPv4 or IPv6 address, not a name" },
    { "localhost:1194/udp", "not a name" },
    { ":1194/udp", "not a name" },
    { " 203.0.113.5:1194/udp", "not a name" },
    { "[::ffff:203.0.113.5]:1194/udp", "not a name" },
    { "[fe80::1%eth0]:1194/udp", "not a name" },
    { "203.0.113.5/32:1194/udp", "not a name" },
    { "\xff\xfe:1/udp", "not a name" },
};

static void
test_endpoints (void)
{
    static const char *const same[] = { "203.0.113.5:51820/udp", "192.0.2.1:1/tcp",
                                        "[2001:db8::5]:443/tcp", "[fe80::1]:65535/udp" };

    for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
        BulkheadEndpoint parsed = endpoint (same[i]);
        g_autofree char *text = bulkhead_endpoint_to_string (&parsed);

        g_assert_cmpstr (text, ==, same[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (bad_endpoints); i++) {
        BulkheadEndpoint parsed = { 0 };
        GError *error = NULL;

        if (bulkhead_endpoint_parse (bad_endpoints[i][0], &parsed, &error))
            g_error ("taken for an endpoint: “%s”", bad_endpoints[i][0]);
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, bad_endpoints[i][1]);
        g_assert_cmpuint (parsed.port, ==, 0);
    }
}

/* Values that no parser made. */
static void
test_values_from_bytes (void)
{
    BulkheadEndpoint endpoints[4];
    BulkheadException exceptions[5];
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();

    for (gsize i = 0; i < G_N_ELEMENTS (endpoints); i++)
        endpoints[i] = endpoint ("192.0.2.1:443/tcp");
    endpoints[0].address.family = G_SOCKET_FAMILY_UNIX;
    endpoints[1].address.bytes[4] = 1;
    endpoints[2].protocol = BULKHEAD_PROTOCOL_ANY;
    endpoints[3].port = 0;
    for (gsize i = 0; i < G_N_ELEMENTS (endpoints); i++) {
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("t", "wg0");
        GError *error = NULL;

        g_array_append_val (tunnel->endpoints, endpoints[i]);
        g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "endpoint");
    }

    for (gsize i = 0; i < G_N_ELEMENTS (exceptions); i++)
        exceptions[i] = exception ("192.0.2.0/24 tcp 443");
    exceptions[0].destination.address.family = 0;
    exceptions[1].destination.length = 33;
    exceptions[2].destination.length = 16;
    exceptions[2].destination.address.bytes[3] = 1;
    exceptions[3].protocol = 41;
    exceptions[4].protocol = BULKHEAD_PROTOCOL_ANY;
    for (gsize i = 0; i < G_N_ELEMENTS (exceptions); i++) {
        GError *error = NULL;

        g_assert_null (bulkhead_policy_with_exceptions (policy, &exceptions[i], 1, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "exception");
        error = NULL;
        g_assert_null (bulkhead_policy_without_exceptions (policy, &exceptions[i], 1, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "exception");
    }
}

static const char *const bad_exceptions[][2] = {
    { "0.0.0.0/0", "unlocking" },
    { "::/0 tcp 443", "unlocking" },
    { "0.0.0.0/1", "loopback" },
    { "127.0.0.1", "loopback" },
    { "127.1.0.0/16", "loopback" },
    { "::1", "loopback" },
    { "::/1", "loopback" },
    { "128.0.0.0/1", "multicast" },
    { "224.0.0.0/4", "multicast" },
    { "239.1.2.3 udp 5353", "multicast" },
    { "ff00::/8", "multicast" },
    { "ff02::fb", "multicast" },
    { "0.0.0.0", "unspecified" },
    { "192.0.2.1 tcp 53", "DNS" },
    { "192.0.2.1 udp 53", "DNS" },
    { "192.0.2.1 tcp 853", "DNS" },
    { "2001:db8::1 udp 853", "DNS" },
    { "192.0.2.1 any 80", "port needs" },
    { "192.0.2.1 icmp 8", "port needs" },
    { "192.0.2.1 any 53", "port needs" },
    { "192.0.2.1 tcp 0", "port must be" },
    { "192.0.2.1 tcp 65536", "port must be" },
    { "192.0.2.1 tcp 0443", "port must be" },
    { "192.0.2.1 tcp 443x", "port must be" },
    { "192.0.2.1 tcp ", "port must be" },
    { "192.0.2.1 443", "protocol must be" },
    { "192.0.2.1 TCP", "protocol must be" },
    { "192.0.2.1  tcp", "protocol must be" },
    { "192.0.2.1 ", "protocol must be" },
    { "192.0.2.1 tcp 443 x", "must be ADDRESS" },
    { "192.0.2.1 tcp 443 ", "must be ADDRESS" },
    { "", "must be ADDRESS" },
    { " 192.0.2.1", "destination must be" },
    { "192.0.2.1/24", "destination must be" },
    { "10.0.0.0/33", "destination must be" },
    { "10.0.0.0/08", "destination must be" },
    { "010.0.0.0/8", "destination must be" },
    { "10.0.0.0/8,10.1.0.0/16", "destination must be" },
    { "::ffff:10.0.0.0/104", "destination must be" },
    { "example.com tcp 443", "destination must be" },
    { "192.0.2.1\n", "destination must be" },
};

static void
test_exceptions (void)
{
    static const char *const same[] = {
        "192.0.2.0/24",         "192.0.2.0/24 tcp",
        "192.0.2.0/24 tcp 443", "192.0.2.1 udp 52",
        "192.0.2.1 icmp",       "192.0.2.1 udp 65535",
        "2001:db8::/32 tcp 1",  "2001:db8::1",
        "192.0.0.0/3 tcp 854",  "4000::/2",
    };

    for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
        BulkheadException parsed = exception (same[i]);
        g_autofree char *text = bulkhead_exception_to_string (&parsed);

        g_assert_cmpstr (text, ==, same[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (bad_exceptions); i++) {
        BulkheadException parsed = { 0 };
        GError *error = NULL;

        if (bulkhead_exception_parse (bad_exceptions[i][0], &parsed, &error))
            g_error ("taken for an exception: “%s”", bad_exceptions[i][0]);
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, bad_exceptions[i][1]);
        g_assert_cmpuint (parsed.destination.length, ==, 0);
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/policy-fields/interfaces", test_interfaces);
    g_test_add_func ("/policy-fields/tunnel-names", test_tunnel_names);
    g_test_add_func ("/policy-fields/endpoints", test_endpoints);
    g_test_add_func ("/policy-fields/values-from-bytes", test_values_from_bytes);
    g_test_add_func ("/policy-fields/exceptions", test_exceptions);
    return g_test_run ();
}
