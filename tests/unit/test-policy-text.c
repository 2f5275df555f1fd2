/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"
#include "policy.h"

#include <string.h>

#define MAIN                                                                                       \
    "[bulkhead]\nversion=1\nlocked=true\nlan=false\nlan-cgnat=false\nlan-port-mapping=false\n"
#define TUNNEL_BEHIND(name, interface, endpoints, networks)                                        \
    "\n[tunnel " name "]\ninterface=" interface "\nkind=other\nendpoints=" endpoints               \
    "\nnetworks=" networks "\nmark=0\nuser=0\n"
#define TUNNEL(name, interface, endpoints) TUNNEL_BEHIND (name, interface, endpoints, "")

static const char sample[] =
    MAIN TUNNEL_BEHIND ("Zürich 1", "wg0", "192.0.2.7:443/tcp;[2001:db8::5]:51820/udp;",
                        "10.8.0.0/24;192.168.7.1;fd00:8::/64;") "\n[exceptions]\nany=192.0.2.0/"
                                                                "24;\nicmp=192.0.2.1;\ntcp-443=198."
                                                                "51.100.0/24;2001:db8::/32;\n\n";

/* The text with the checksum of what it became behind it. */
static char *
sign (const char *body, gsize length, gsize *ret_length)
{
    g_autofree char *checksum =
        g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guint8 *)body, length);
    GString *text = g_string_new_len (body, length);

    g_string_append_printf (text, "[checksum]\nsha256=%s\n", checksum);
    *ret_length = text->len;
    return g_string_free (text, FALSE);
}

static BulkheadPolicy *
read_text (const char *text, gsize length, GError **error)
{
    /* A copy of the exact size lets the sanitizer see any read beyond the end. */
    g_autofree char *copy = g_malloc (MAX (length, 1));

    memcpy (copy, text, length);
    return bulkhead_policy_from_text (copy, length, error);
}

static void
assert_refused (const char *text, gsize length, const char *fragment)
{
    GError *error = NULL;
    BulkheadPolicy *policy = read_text (text, length, &error);

    if (policy != NULL)
        g_error ("taken for a policy: %.*s", (int)length, text);
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
    if (strstr (error->message, fragment) == NULL)
        g_error ("no “%s” in “%s”", fragment, error->message);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_cmpuint (strlen (error->message), <, 600);
    for (const char *p = error->message; *p != '\0'; p++)
        g_assert_false (g_ascii_iscntrl (*p));
    g_error_free (error);
}

static void
assert_body_refused (const char *body, gsize length, const char *fragment)
{
    gsize signed_length;
    g_autofree char *text = sign (body, length, &signed_length);

    assert_refused (text, signed_length, fragment);
}

static void
assert_round_trip (const BulkheadPolicy *policy)
{
    g_autofree char *text = bulkhead_policy_to_text (policy);
    g_autofree char *again = NULL;
    g_autoptr (BulkheadPolicy) back = NULL;
    GError *error = NULL;

    back = read_text (text, strlen (text), &error);
    g_assert_no_error (error);
    g_assert_true (bulkhead_policy_equal (policy, back));
    again = bulkhead_policy_to_text (back);
    g_assert_cmpstr (again, ==, text);
}

static void
test_sample (void)
{
    gsize length;
    g_autofree char *text = sign (sample, strlen (sample), &length);
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autofree char *again = NULL;
    const BulkheadTunnel *tunnel;
    GError *error = NULL;

    policy = read_text (text, length, &error);
    g_assert_no_error (error);
    g_assert_true (policy->locked);
    g_assert_false (policy->lan || policy->lan_cgnat || policy->lan_port_mapping);
    g_assert_cmpuint (policy->tunnels->len, ==, 1);
    g_assert_cmpuint (policy->exceptions->len, ==, 4);
    g_assert_cmpuint (g_array_index (policy->exceptions, BulkheadException, 3).port, ==, 443);
    tunnel = bulkhead_policy_find_interface (policy, "wg0");
    g_assert_cmpstr (tunnel->name, ==, "Zürich 1");
    g_assert_cmpint (tunnel->kind, ==, BULKHEAD_TUNNEL_OTHER);
    g_assert_cmpuint (tunnel->endpoints->len, ==, 2);
    g_assert_cmpuint (tunnel->networks->len, ==, 3);
    g_assert_cmpuint (g_array_index (tunnel->networks, BulkheadPrefix, 2).length, ==, 64);
    again = bulkhead_policy_to_text (policy);
    g_assert_cmpstr (again, ==, text);
}

static void
test_each_switch (void)
{
    for (guint bits = 0; bits < 16; bits++) {
        g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
        g_autoptr (BulkheadPolicy) a = bulkhead_policy_with_locked (empty, bits & 1);
        g_autoptr (BulkheadPolicy) b = bulkhead_policy_with_lan (a, (bits & 2) != 0);
        g_autoptr (BulkheadPolicy) c =
            bulkhead_policy_with_lan_options (b, (bits & 4) != 0, (bits & 8) != 0);

        assert_round_trip (c);
    }
}

static void
test_pause_is_not_stored (void)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (empty, TRUE);
    g_autoptr (BulkheadPolicy) paused = bulkhead_policy_with_pause (locked, 60, 1, NULL);
    g_autofree char *text = bulkhead_policy_to_text (paused);
    g_autoptr (BulkheadPolicy) back = bulkhead_policy_from_text (text, strlen (text), NULL);

    g_assert_true (bulkhead_policy_equal (back, locked));
}

static void
test_truncation (void)
{
    gsize length;
    g_autofree char *text = sign (sample, strlen (sample), &length);

    for (gsize i = 0; i < length; i++)
        assert_refused (text, i, "[checksum] sha256");
}

static void
test_bit_flips (void)
{
    gsize length;
    g_autofree char *text = sign (sample, strlen (sample), &length);

    for (gsize bit = 0; bit < 8 * length; bit++) {
        text[bit / 8] ^= 1 << (bit % 8);
        assert_refused (text, length, "[checksum] sha256");
        text[bit / 8] ^= 1 << (bit % 8);
    }
}

/* A text with a right checksum is taken only if it is what its policy is written as. */
static gboolean
taken_as_written (const char *body, gsize body_length)
{
    gsize length;
    g_autofree char *text = sign (body, body_length, &length);
    g_autofree char *again = NULL;
    g_autoptr (BulkheadPolicy) policy = NULL;
    GError *error = NULL;

    policy = read_text (text, length, &error);
    if (policy == NULL) {
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
        g_error_free (error);
        return FALSE;
    }
    again = bulkhead_policy_to_text (policy);
    g_assert_cmpmem (again, strlen (again), text, length);
    return TRUE;
}

static void
test_signed_changes (void)
{
    gsize length = strlen (sample);
    g_autofree char *body = g_strndup (sample, length);
    guint taken = 0;

    for (gsize bit = 0; bit < 8 * length; bit++) {
        body[bit / 8] ^= 1 << (bit % 8);
        taken += taken_as_written (body, length);
        body[bit / 8] ^= 1 << (bit % 8);
    }
    /* Another digit of a port or a letter of a name is another good policy; most are none. */
    g_test_message ("%u of %u taken", taken, (guint)(8 * length));
    g_assert_cmpuint (taken, >, 0);
    g_assert_cmpuint (taken, <, 2 * length);

    for (gsize i = 0; i < length; i++) {
        /* The end of a group is where a shorter policy ends, but for its empty line. */
        g_assert_false (taken_as_written (body, i) && i != strlen (MAIN) + 1
                        && !g_str_has_prefix (body + i, "[exceptions]"));
    }
}

static void
test_random (void)
{
    char buffer[600];

    for (guint round = 0; round < 10000; round++) {
        gsize length = g_test_rand_int_range (0, sizeof buffer);
        static const char alphabet[] = "[]=;\n\r\t #\\/:.-_aetx019\xc3\xbc";

        for (gsize i = 0; i < length; i++) {
            guint32 random = g_test_rand_int ();

            buffer[i] = round % 2 != 0 ? alphabet[random % sizeof alphabet] : (char)random;
        }
        assert_refused (buffer, length, "[checksum] sha256");
        assert_body_refused (buffer, length, "");
    }
}

static void
test_bad_frame (void)
{
    gsize length;
    g_autofree char *text = sign (sample, strlen (sample), &length);
    g_autofree char *more = g_strconcat (text, "\n", NULL);
    g_autofree char *twice = g_strconcat (text, text, NULL);
    g_autofree char *huge = g_strnfill (16 * 1024 * 1024 + 1, '\n');
    char *hex = text + length - 65;
    static const char nul[] = MAIN "\0\n";

    assert_refused ("", 0, "[checksum] sha256");
    assert_refused (more, length + 1, "[checksum] sha256: is not at the end");
    assert_refused (twice, 2 * length, "[checksum] sha256: does not match");
    assert_refused (huge, strlen (huge), "longer than any policy");
    assert_body_refused ("", 0, "[bulkhead] version: is missing");
    assert_body_refused (nul, sizeof nul - 1, "zero byte");
    assert_body_refused (MAIN "\xff\n", strlen (MAIN) + 2, "not UTF-8");

    for (guint i = 0; i < 64; i++)
        hex[i] = g_ascii_toupper (hex[i]);
    assert_refused (text, length, "[checksum] sha256: does not match");
}

static const char *const bad_bodies[][2] = {
    { "\n", "[bulkhead] version: is missing" },
    { "version=1\n", "is not a key file" },
    { "[bulkhead\nversion=1\n", "is not a key file" },
    { "[bulkhead]\nversion=2\nnew=1\n", "[bulkhead] version “2”: is unknown, only version 1" },
    { "[bulkhead]\nversion=\n", "[bulkhead] version “”" },
    { "[bulkhead]\nversion=01\n", "[bulkhead] version “01”" },
    { "[bulkhead]\nversion=1\nlan=true\n", "[bulkhead] locked: is missing" },
    { "[bulkhead]\nversion=1\nlocked=1\n", "[bulkhead] locked “1”: must be true or false" },
    { "[bulkhead]\nversion=1\nlocked=TRUE\n", "[bulkhead] locked “TRUE”" },
    { "[bulkhead]\nversion=1\nlocked=true\n", "[bulkhead] lan: is missing" },
    { "[bulkhead]\nversion=1\nlocked=true\nlan=true\n", "[bulkhead] lan-cgnat: is missing" },
    { "[bulkhead]\nversion=1\nlocked=true\nlan=true\nlan-cgnat=true\n",
      "[bulkhead] lan-port-mapping: is missing" },
    { MAIN "foo=1\n\n", "[bulkhead] line 7 “foo=1”: is unknown" },
    { MAIN "locked=false\n\n", "[bulkhead] line 3 “locked=true”: is unknown" },
    { MAIN "# comment\n\n", "[bulkhead] line 7 “# comment”" },
    { MAIN "locked[de]=false\n\n", "[bulkhead] line 7 “locked[de]=false”" },
    { MAIN, "[bulkhead] line 7" },
    { MAIN "\n\n", "[bulkhead] line 8" },
    { MAIN "\n[foo]\na=1\n\n", "line 8 “[foo]”" },
    { MAIN "\n[bulkhead]\nlocked=false\n\n", "line" },
    { MAIN "\n[checksum]\nsha256=0\n\n", "[checksum] line 9 “sha256=0”" },
    { MAIN "\n[Exceptions]\nany=192.0.2.1;\n\n", "line 8 “[Exceptions]”" },
    { MAIN "\n[exceptions]\n\n", "line 8 “[exceptions]”" },
    { MAIN "\n[exceptions]\nany=\n\n", "line 8" },
    { MAIN "\n[exceptions]\nsctp=192.0.2.1;\n\n", "[exceptions] key “sctp”" },
    { MAIN "\n[exceptions]\ntcp-=192.0.2.1;\n\n", "[exceptions] key “tcp-”" },
    { MAIN "\n[exceptions]\ntcp-0=192.0.2.1;\n\n", "[exceptions] key “tcp-0”" },
    { MAIN "\n[exceptions]\ntcp-0443=192.0.2.1;\n\n", "[exceptions] key “tcp-0443”" },
    { MAIN "\n[exceptions]\ntcp-65536=192.0.2.1;\n\n", "[exceptions] key “tcp-65536”" },
    { MAIN "\n[exceptions]\ntcp-4-4=192.0.2.1;\n\n", "[exceptions] key “tcp-4-4”" },
    { MAIN "\n[exceptions]\ntcp-53=192.0.2.1;\n\n", "[exceptions] tcp-53: exception" },
    { MAIN "\n[exceptions]\nudp-853=192.0.2.1;\n\n", "[exceptions] udp-853: exception" },
    { MAIN "\n[exceptions]\nany-80=192.0.2.1;\n\n", "[exceptions] any-80: exception" },
    { MAIN "\n[exceptions]\nany=0.0.0.0/0;\n\n", "[exceptions] any: exception" },
    { MAIN "\n[exceptions]\nany=127.0.0.1;\n\n", "[exceptions] any: exception" },
    { MAIN "\n[exceptions]\nany=192.0.2.1/24;\n\n", "[exceptions] any “192.0.2.1/24”" },
    { MAIN "\n[exceptions]\nany=192.0.2.1;;\n\n", "[exceptions] any “”" },
    { MAIN "\n[exceptions]\nany=192.0.2.1; 192.0.2.2;\n\n", "[exceptions] any “ 192.0.2.2”" },
    { MAIN "\n[exceptions]\nany=192.0.2.1\\z;\n\n", "[exceptions] any" },
    { MAIN "\n[exceptions]\nany=192.0.2.1\n\n", "[exceptions] line 9 “any=192.0.2.1”" },
    { MAIN "\n[exceptions]\nany=192.0.2.1/32;\n\n", "[exceptions] line 9" },
    { MAIN "\n[exceptions]\nany=192.0.2.2;192.0.2.1;\n\n", "[exceptions] line 9" },
    { MAIN "\n[exceptions]\nany=192.0.2.1;192.0.2.1;\n\n", "[exceptions] line 9" },
    { MAIN "\n[exceptions]\ntcp=192.0.2.1;\nicmp=192.0.2.1;\n\n", "[exceptions] line 9" },
    { MAIN "\n[tunnel]\n\n", "line 8 “[tunnel]”" },
    { MAIN TUNNEL ("", "wg0", "") "\n", "[tunnel] name: tunnel name “”: is empty" },
    { MAIN TUNNEL ("a\xc2\x85", "wg0", "") "\n", "[tunnel] name: tunnel name “" },
    { MAIN TUNNEL ("a", "", "") "\n", "[tunnel a]: interface “”: is empty" },
    { MAIN TUNNEL ("a", "sixteen-chars.xy", "") "\n", "[tunnel a]: interface “sixteen" },
    { MAIN TUNNEL ("a", "lo", "") "\n", "[tunnel a]: interface “lo”" },
    { MAIN TUNNEL ("a", "wg*", "") "\n", "[tunnel a]: interface “wg*”" },
    { MAIN TUNNEL ("a", "wg\\n", "") "\n", "[tunnel a]: interface" },
    { MAIN TUNNEL ("a", " wg0", "") "\n", "[tunnel a]" },
    { MAIN TUNNEL ("a", "wg0", "x") "\n", "[tunnel a] endpoints: endpoint “x”" },
    { MAIN TUNNEL ("a", "wg0", "192.0.2.1:0/udp;") "\n", "[tunnel a] endpoints: endpoint" },
    { MAIN TUNNEL ("a", "wg0", "127.0.0.1:1/udp;") "\n", "[tunnel a] endpoints: endpoint" },
    { MAIN TUNNEL ("a", "wg0", "vpn.example:1/udp;") "\n", "[tunnel a] endpoints: endpoint" },
    { MAIN TUNNEL ("a", "wg0", "192.0.2.1:1/udp") "\n", "[tunnel a] line 11" },
    { MAIN TUNNEL ("a", "wg0", "192.0.2.1:2/udp;192.0.2.1:1/udp;") "\n", "[tunnel a] line 11" },
    { MAIN TUNNEL ("a", "wg0", "") "extra=1\n\n", "[tunnel a] line 15 “extra=1”" },
    { MAIN TUNNEL ("a", "wg0", "") "mark=1\n\n", "[tunnel a] line 13 “mark=0”" },
    { MAIN TUNNEL ("a", "wg0", "") TUNNEL ("b", "wg0", "") "\n", "[tunnel b]: interface “wg0”" },
    { MAIN TUNNEL ("b", "wg0", "") TUNNEL ("a", "wg1", "") "\n", "line 8 “[tunnel b]”" },
    { MAIN TUNNEL ("a", "wg0", "") TUNNEL ("a", "wg1", "") "\n", "line" },
    { MAIN "\n[tunnel a]\nkind=other\n\n", "[tunnel a] interface: is missing" },
    { MAIN "\n[tunnel a]\ninterface=wg0\n\n", "[tunnel a] kind: is missing" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=2\n\n", "[tunnel a] kind “2”" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\n\n", "[tunnel a] endpoints: is missing" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nmark=0\nuser=0\n\n",
      "[tunnel a] networks: is missing" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\n\n",
      "[tunnel a] mark: is missing" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "x;") "\n", "[tunnel a] networks “x”: is no address" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "10.8.0.1/24;") "\n",
      "[tunnel a] networks “10.8.0.1/24”" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "0.0.0.0/0;") "\n", "[tunnel a]: tunnel “a”: networks" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "10.8.0.0/24") "\n", "[tunnel a] line 12" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "10.8.0.1/32;") "\n", "[tunnel a] line 12" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "10.9.0.0/24;10.8.0.0/24;") "\n", "[tunnel a] line 12" },
    { MAIN TUNNEL_BEHIND ("a", "wg0", "", "10.8.0.0/24;10.8.0.0/24;") "\n", "[tunnel a] line 12" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=0\n\n",
      "[tunnel a] user: is missing" },
    { MAIN
      "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=4294967296\nuser=0\n\n",
      "[tunnel a] mark “4294967296”" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=-1\nuser=0\n\n",
      "[tunnel a] mark “-1”" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=0x7\nuser=0\n\n",
      "[tunnel a] mark “0x7”" },
    { MAIN "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=07\nuser=0\n\n",
      "[tunnel a] line 13 “mark=07”" },
    { MAIN
      "\n[tunnel a]\ninterface=wg0\nkind=other\nendpoints=\nnetworks=\nmark=0\nuser=4294967295\n\n",
      "[tunnel a]: tunnel “a”: user" },
};

static void
test_bad_bodies (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (bad_bodies); i++)
        assert_body_refused (bad_bodies[i][0], strlen (bad_bodies[i][0]), bad_bodies[i][1]);
}

static BulkheadAddress
random_address (void)
{
    BulkheadAddress address = { G_SOCKET_FAMILY_IPV4, { 10 } };

    if (g_test_rand_bit ())
        address = (BulkheadAddress){ G_SOCKET_FAMILY_IPV6, { 0x20, 0x01, 0x0d, 0xb8 } };
    for (gsize i = 1; i < bulkhead_address_size (&address); i++)
        address.bytes[i] = g_test_rand_int_range (0, 4) * 85;
    return address;
}

static BulkheadPrefix
random_network (void)
{
    BulkheadPrefix prefix = { random_address (), 0 };

    prefix.length = g_test_rand_int_range (8, 8 * bulkhead_address_size (&prefix.address) + 1);
    return bulkhead_prefix_network (&prefix);
}

static BulkheadTunnel *
random_tunnel (guint number)
{
    g_autofree char *name = g_strdup_printf ("%c %u ü", g_test_rand_int_range ('!', 'Z'), number);
    g_autofree char *interface =
        g_strdup_printf ("%c-%u;=#", g_test_rand_int_range ('a', 'z'), number);
    BulkheadTunnel *tunnel = bulkhead_tunnel_new (name, interface);
    guint n = g_test_rand_int_range (0, 20);

    tunnel->kind = g_test_rand_int_range (0, BULKHEAD_TUNNEL_OTHER + 1);
    tunnel->mark = g_test_rand_bit () ? g_test_rand_int () : 0;
    tunnel->uid = g_test_rand_bit () ? 1000 : G_MAXUINT32 - 1;
    for (guint i = 0; i < n; i++) {
        BulkheadEndpoint endpoint = { random_address (), BULKHEAD_PROTOCOL_UDP,
                                      g_test_rand_int_range (1, 65536) };

        if (g_test_rand_bit ())
            endpoint.protocol = BULKHEAD_PROTOCOL_TCP;
        g_array_append_val (tunnel->endpoints, endpoint);
    }
    for (guint i = g_test_rand_int_range (0, 20); i > 0; i--) {
        BulkheadPrefix network = random_network ();

        g_array_append_val (tunnel->networks, network);
    }
    return tunnel;
}

static BulkheadException
random_exception (void)
{
    static const BulkheadProtocol protocols[] = { BULKHEAD_PROTOCOL_ANY, BULKHEAD_PROTOCOL_ICMP,
                                                  BULKHEAD_PROTOCOL_TCP, BULKHEAD_PROTOCOL_UDP };
    guint which = g_test_rand_int_range (0, 4);
    BulkheadException exception = { random_network (), protocols[which], 0 };

    if (which >= 2 && g_test_rand_bit ())
        exception.port = g_test_rand_int_range (1000, 1010);
    return exception;
}

static void
test_generated (void)
{
    for (guint round = 0; round < 300; round++) {
        g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
        g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
        guint n_tunnels = g_test_rand_int_range (0, 6);
        guint n_exceptions = g_test_rand_int_range (0, 50);
        BulkheadPolicy *changed;
        GError *error = NULL;

        for (guint i = 0; i < n_tunnels; i++) {
            g_autoptr (BulkheadTunnel) tunnel = random_tunnel (i);

            changed = bulkhead_policy_with_tunnel (policy, tunnel, &error);
            g_assert_no_error (error);
            bulkhead_policy_unref (policy);
            policy = changed;
        }
        for (guint i = 0; i < n_exceptions; i++) {
            BulkheadException exception = random_exception ();

            g_array_append_val (exceptions, exception);
        }
        changed = bulkhead_policy_with_exceptions (policy, (gpointer)exceptions->data,
                                                   exceptions->len, &error);
        g_assert_no_error (error);
        bulkhead_policy_unref (policy);
        policy = changed;
        assert_round_trip (policy);
    }
}

/* The largest policy there may be: it must fit, and not take a time that grows with its square. */
static void
test_largest (void)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    g_autoptr (BulkheadPolicy) back = NULL;
    g_autofree char *text = NULL;
    BulkheadPolicy *changed;
    GError *error = NULL;

    for (guint i = 0; i < BULKHEAD_EXCEPTIONS_MAX; i++) {
        BulkheadException exception = { { { G_SOCKET_FAMILY_IPV4, { 0 } }, 128 }, 0, 0 };

        memset (exception.destination.address.bytes, 0x2a, 16);
        exception.destination.address.family = G_SOCKET_FAMILY_IPV6;
        exception.destination.address.bytes[13] = i >> 16;
        exception.destination.address.bytes[14] = i >> 8;
        exception.destination.address.bytes[15] = i;
        g_array_append_val (exceptions, exception);
    }
    for (guint t = 0; t < BULKHEAD_TUNNELS_MAX; t++) {
        g_autofree char *interface = g_strdup_printf ("fifteen-char-%02u", t);
        g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (interface, interface);

        for (guint e = 0; e < BULKHEAD_ENDPOINTS_MAX; e++) {
            BulkheadEndpoint endpoint = { random_address (), BULKHEAD_PROTOCOL_UDP, e + 1 };

            g_array_append_val (tunnel->endpoints, endpoint);
        }
        for (guint n = 0; n < BULKHEAD_NETWORKS_MAX; n++) {
            BulkheadPrefix network = random_network ();

            g_array_append_val (tunnel->networks, network);
        }
        changed = bulkhead_policy_with_tunnel (policy, tunnel, &error);
        g_assert_no_error (error);
        bulkhead_policy_unref (policy);
        policy = changed;
    }
    changed = bulkhead_policy_with_exceptions (policy, (gpointer)exceptions->data, exceptions->len,
                                               &error);
    g_assert_no_error (error);
    bulkhead_policy_unref (policy);
    policy = changed;

    text = bulkhead_policy_to_text (policy);
    g_test_message ("the largest policy has %u bytes", (guint)strlen (text));
    back = bulkhead_policy_from_text (text, strlen (text), &error);
    g_assert_no_error (error);
    g_assert_true (bulkhead_policy_equal (policy, back));
}

static void
test_speed (void)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (GArray) exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autoptr (BulkheadPolicy) back = NULL;
    g_autofree char *text = NULL;
    GError *error = NULL;

    for (guint i = 0; i < 100000; i++) {
        BulkheadException exception = { { { G_SOCKET_FAMILY_IPV4, { 10, i >> 16, i >> 8, i } },
                                          32 },
                                        i % 2 != 0 ? BULKHEAD_PROTOCOL_TCP : 0,
                                        0 };

        g_array_append_val (exceptions, exception);
    }
    policy = bulkhead_policy_with_exceptions (empty, (gpointer)exceptions->data, exceptions->len,
                                              &error);
    g_assert_no_error (error);

    g_test_timer_start ();
    text = bulkhead_policy_to_text (policy);
    g_test_message ("100,000 exceptions to text in %.1f ms", g_test_timer_elapsed () * 1000);
    g_assert_cmpfloat (g_test_timer_last (), <, 3);
    g_test_timer_start ();
    back = bulkhead_policy_from_text (text, strlen (text), &error);
    g_test_message ("and back in %.1f ms", g_test_timer_elapsed () * 1000);
    g_assert_no_error (error);
    g_assert_cmpfloat (g_test_timer_last (), <, 3);
    g_assert_true (bulkhead_policy_equal (policy, back));
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/policy-text/sample", test_sample);
    g_test_add_func ("/policy-text/each-switch", test_each_switch);
    g_test_add_func ("/policy-text/pause-is-not-stored", test_pause_is_not_stored);
    g_test_add_func ("/policy-text/truncation", test_truncation);
    g_test_add_func ("/policy-text/bit-flips", test_bit_flips);
    g_test_add_func ("/policy-text/signed-changes", test_signed_changes);
    g_test_add_func ("/policy-text/random", test_random);
    g_test_add_func ("/policy-text/bad-frame", test_bad_frame);
    g_test_add_func ("/policy-text/bad-bodies", test_bad_bodies);
    g_test_add_func ("/policy-text/generated", test_generated);
    g_test_add_func ("/policy-text/largest", test_largest);
    g_test_add_func ("/policy-text/speed", test_speed);
    return g_test_run ();
}
