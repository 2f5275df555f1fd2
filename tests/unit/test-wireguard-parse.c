/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What userspace tunnels and the kernel say of a WireGuard link, well-formed and not. */
#include "wireguard.h"

#include "error.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define HEX_KEY "5349434b4554535349434b4554535349434b4554535349434b45545353494359"
#define KEY "SICKETSSICKETSSICKETSSICKETSSICY" /* the same */

static void
assert_endpoints (const BulkheadWireguard *wireguard, const char *expected)
{
    g_autoptr (GString) text = g_string_new (NULL);

    for (guint i = 0; i < wireguard->endpoints->len; i++) {
        g_autofree char *endpoint = bulkhead_endpoint_to_string (
            &g_array_index (wireguard->endpoints, BulkheadEndpoint, i));

        g_string_append_printf (text, "%s%s", i > 0 ? " " : "", endpoint);
    }
    g_assert_cmpstr (text->str, ==, expected);
}

static void
assert_wiped (const void *data, gsize length)
{
    const guint8 *bytes = data;

    for (gsize i = 0; i < length; i++)
        g_assert_cmpint (bytes[i], ==, 0);
}

/* Parses a copy of exactly that size, so that a sanitizer sees every byte read beyond it. */
static gboolean
parse_uapi (const char *text, gsize length, BulkheadWireguard *wireguard, GError **error)
{
    g_autofree char *copy = g_memdup2 (text, length);
    gboolean success = bulkhead_wireguard_parse_uapi (copy, length, wireguard, error);

    assert_wiped (copy, length);
    return success;
}

static gboolean
parse_message (const guint8 *message, gsize length, BulkheadWireguard *wireguard, GError **error)
{
    g_autofree guint8 *copy = g_memdup2 (message, length);
    gboolean success = bulkhead_wireguard_parse_message (copy, length, wireguard, error);

    if (length > NLMSG_HDRLEN)
        assert_wiped (copy + NLMSG_HDRLEN, length - NLMSG_HDRLEN);
    return success;
}

static const char reply[] = "private_key=" HEX_KEY "\n"
                            "listen_port=51820\n"
                            "fwmark=51966\n"
                            "public_key=" HEX_KEY "\n"
                            "preshared_key=" HEX_KEY "\n"
                            "protocol_version=1\n"
                            "endpoint=203.0.113.5:51820\n"
                            "last_handshake_time_sec=1700000000\n"
                            "last_handshake_time_nsec=7\n"
                            "tx_bytes=100\n"
                            "rx_bytes=2000\n"
                            "persistent_keepalive_interval=25\n"
                            "allowed_ip=0.0.0.0/0\n"
                            "public_key=" HEX_KEY "\n"
                            "preshared_key=" HEX_KEY "\n"
                            "endpoint=[2001:db8::5]:443\n"
                            "last_handshake_time_sec=1700000009\n"
                            "tx_bytes=1\n"
                            "rx_bytes=2\n"
                            "public_key=" HEX_KEY "\n"
                            "last_handshake_time_sec=0\n"
                            "allowed_ip=10.0.0.0/8\n"
                            "errno=0\n"
                            "\n";

static void
test_uapi_reply (void)
{
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    g_autoptr (GError) error = NULL;

    g_assert_true (parse_uapi (reply, strlen (reply), wireguard, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (wireguard->mark, ==, 51966);
    g_assert_cmpuint (wireguard->port, ==, 51820);
    g_assert_cmpint (wireguard->handshake, ==, 1700000009);
    g_assert_cmpuint (wireguard->sent, ==, 101);
    g_assert_cmpuint (wireguard->received, ==, 2002);
    assert_endpoints (wireguard, "203.0.113.5:51820/udp [2001:db8::5]:443/udp");
}

static void
test_uapi_good (void)
{
    static const struct {
        const char *what;
        const char *text;
        const char *endpoints;
    } good[] = {
        { "nothing set", "errno=0\n\n", "" },
        { "scope id", "endpoint=[fe80::1%eth0]:51820\nerrno=0\n\n", "[fe80::1]:51820/udp" },
        { "unknown key", "moon=full=yes\n=\nerrno=0\n\n", "" },
        { "loopback", "endpoint=127.0.0.1:51820\nendpoint=[::1]:1\nerrno=0\n\n", "" },
        { "port 0", "endpoint=203.0.113.5:0\nerrno=0\n\n", "" },
        { "multicast", "endpoint=224.0.0.1:51820\nendpoint=0.0.0.0:9\nerrno=0\n\n", "" },
        { "bytes behind the end", "errno=0\n\nendpoint=203.0.113.5:51820\n", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autoptr (GError) error = NULL;

        g_test_message ("%s", good[i].what);
        g_assert_true (parse_uapi (good[i].text, strlen (good[i].text), wireguard, &error));
        g_assert_no_error (error);
        g_assert_cmpuint (wireguard->mark, ==, 0);
        assert_endpoints (wireguard, good[i].endpoints);
    }
}

static void
test_uapi_bad (void)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        { "", "reply: " },
        { "\n", "errno: missing" },
        { "listen_port=1\n\n", "errno: missing" },
        { "errno=0\n", "reply: ends" },
        { "errno=22\n\n", "errno: \"22\"" },
        { "errno=\n\n", "errno: \"\"" },
        { "errno=00\n\n", "errno: \"00\"" },
        { "listen_port=65536\nerrno=0\n\n", "listen_port: \"65536\"" },
        { "listen_port=-1\nerrno=0\n\n", "listen_port: \"-1\"" },
        { "listen_port= 1\nerrno=0\n\n", "listen_port: \" 1\"" },
        { "fwmark=0xca6c\nerrno=0\n\n", "fwmark: \"0xca6c\"" },
        { "fwmark=4294967296\nerrno=0\n\n", "fwmark: \"4294967296\"" },
        { "last_handshake_time_sec=9223372036854775808\nerrno=0\n\n", "last_handshake_time_sec" },
        { "rx_bytes=18446744073709551616\nerrno=0\n\n", "rx_bytes" },
        { "tx_bytes=\xff\nerrno=0\n\n", "tx_bytes: \"\\377\"" },
        { "endpoint=\nerrno=0\n\n", "endpoint: \"\"" },
        { "endpoint=:\nerrno=0\n\n", "endpoint: \":\"" },
        { "endpoint=203.0.113.5\nerrno=0\n\n", "endpoint: \"203.0.113.5\"" },
        { "endpoint=203.0.113.5:\nerrno=0\n\n", "endpoint: " },
        { "endpoint=203.0.113.5:65536\nerrno=0\n\n", "endpoint: " },
        { "endpoint=[203.0.113.5]:1\nerrno=0\n\n", "endpoint: " },
        { "endpoint=2001:db8::5:443\nerrno=0\n\n", "endpoint: " },
        { "endpoint=[]:443\nerrno=0\n\n", "endpoint: " },
        { "endpoint=[:443\nerrno=0\n\n", "endpoint: " },
        { "endpoint=]:443\nerrno=0\n\n", "endpoint: " },
        { "endpoint=vpn.example.org:443\nerrno=0\n\n", "endpoint: \"vpn.example.org:443\"" },
        { "private_key\nerrno=0\n\n", "reply: " },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autofree char *shown = g_strescape (bad[i].text, NULL);
        g_autoptr (GError) error = NULL;

        g_test_message ("%s", shown);
        g_assert_false (parse_uapi (bad[i].text, strlen (bad[i].text), wireguard, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
        g_assert_nonnull (strstr (error->message, bad[i].reason));
        g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_uapi_long_value (void)
{
    g_autofree char *value = g_strnfill (100000, 'x');
    g_autofree char *text = g_strdup_printf ("fwmark=%s\nerrno=0\n\n", value);
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    g_autoptr (GError) error = NULL;

    g_assert_false (parse_uapi (text, strlen (text), wireguard, &error));
    g_assert_cmpuint (strlen (error->message), <, 200);
}

static void
test_uapi_truncated (void)
{
    for (gsize length = 0; length < strlen (reply); length++) {
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autoptr (GError) error = NULL;

        g_assert_false (parse_uapi (reply, length, wireguard, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
        g_assert_null (strstr (error->message, "5349434b"));
    }
}

/* Some bytes of @data become others; @plausible ones are likelier to get past the first check. */
static void
mutate (guint8 *data, gsize length, const char *plausible)
{
    for (int i = g_test_rand_int_range (1, 8); i > 0; i--) {
        gsize at = g_test_rand_int_range (0, length);

        data[at] = g_test_rand_bit () ? plausible[g_test_rand_int_range (0, strlen (plausible) + 1)]
                                      : g_test_rand_int ();
    }
}

static void
test_uapi_random (void)
{
    for (int i = 0; i < 20000; i++) {
        g_autofree char *text = g_memdup2 (reply, sizeof reply - 1);
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autoptr (GError) error = NULL;
        gboolean success;

        mutate ((guint8 *)text, sizeof reply - 1, "\n=[]:%0");
        success = parse_uapi (text, g_test_rand_int_range (0, sizeof reply), wireguard, &error);
        g_assert_cmpint (success, ==, error == NULL);
    }
}

static void
put_sockaddr (struct nlmsghdr *message, const char *text, guint16 port)
{
    BulkheadAddress address;

    g_assert_true (bulkhead_address_parse (text, &address));
    if (address.family == G_SOCKET_FAMILY_IPV4) {
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = g_htons (port) };

        memcpy (&v4.sin_addr, address.bytes, sizeof v4.sin_addr);
        mnl_attr_put (message, WGPEER_A_ENDPOINT, sizeof v4, &v4);
    } else {
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                                   .sin6_port = g_htons (port),
                                   .sin6_scope_id = 3 };

        memcpy (&v6.sin6_addr, address.bytes, sizeof v6.sin6_addr);
        mnl_attr_put (message, WGPEER_A_ENDPOINT, sizeof v6, &v6);
    }
}

static void
put_peer (struct nlmsghdr *message, const char *address, guint16 port, gint64 handshake)
{
    const gint64 time[2] = { handshake, 7 };
    struct nlattr *peer = mnl_attr_nest_start (message, 0);
    struct nlattr *allowed;

    mnl_attr_put (message, WGPEER_A_PUBLIC_KEY, 32, KEY);
    mnl_attr_put (message, WGPEER_A_PRESHARED_KEY, 32, KEY);
    mnl_attr_put (message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof time, time);
    mnl_attr_put_u16 (message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
    mnl_attr_put_u64 (message, WGPEER_A_TX_BYTES, 10);
    mnl_attr_put_u64 (message, WGPEER_A_RX_BYTES, 1000);
    mnl_attr_put_u32 (message, WGPEER_A_PROTOCOL_VERSION, 1);
    if (address != NULL)
        put_sockaddr (message, address, port);
    allowed = mnl_attr_nest_start (message, WGPEER_A_ALLOWEDIPS);
    mnl_attr_put_u16 (message, WGALLOWEDIP_A_FAMILY, AF_INET);
    mnl_attr_nest_end (message, allowed);
    mnl_attr_nest_end (message, peer);
}

static struct nlmsghdr *
start_message (guint8 *buffer)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct genlmsghdr *generic = mnl_nlmsg_put_extra_header (message, sizeof *generic);

    message->nlmsg_type = 0x1d;
    message->nlmsg_flags = NLM_F_MULTI;
    generic->cmd = WG_CMD_GET_DEVICE;
    generic->version = WG_GENL_VERSION;
    return message;
}

/* The first message of a dump, as the kernel makes it. Returns: its length. */
static gsize
make_first_message (guint8 *buffer, guint32 mark)
{
    struct nlmsghdr *message = start_message (buffer);
    struct nlattr *peers;

    mnl_attr_put_u16 (message, WGDEVICE_A_LISTEN_PORT, 51820);
    mnl_attr_put_u32 (message, WGDEVICE_A_FWMARK, mark);
    mnl_attr_put_u32 (message, WGDEVICE_A_IFINDEX, 5);
    mnl_attr_put_strz (message, WGDEVICE_A_IFNAME, "wg0");
    mnl_attr_put (message, WGDEVICE_A_PRIVATE_KEY, 32, KEY);
    mnl_attr_put (message, WGDEVICE_A_PUBLIC_KEY, 32, KEY);
    peers = mnl_attr_nest_start (message, WGDEVICE_A_PEERS);
    put_peer (message, "203.0.113.5", 51820, 1700000009);
    put_peer (message, "2001:db8::5", 443, 1700000000);
    put_peer (message, NULL, 0, 0);
    mnl_attr_nest_end (message, peers);
    return message->nlmsg_len;
}

static void
test_message (void)
{
    guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    g_autoptr (GError) error = NULL;
    gsize length = make_first_message (buffer, 0xca6c);

    g_assert_nonnull (memmem (buffer, length, KEY, 32));
    g_assert_true (parse_message (buffer, length, wireguard, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (wireguard->mark, ==, 0xca6c);
    g_assert_cmpuint (wireguard->port, ==, 51820);
    g_assert_cmpint (wireguard->handshake, ==, 1700000009);
    g_assert_cmpuint (wireguard->sent, ==, 30);
    g_assert_cmpuint (wireguard->received, ==, 3000);
    assert_endpoints (wireguard, "203.0.113.5:51820/udp [2001:db8::5]:443/udp");
}

static void
test_message_without_mark (void)
{
    guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");

    g_assert_true (parse_message (buffer, make_first_message (buffer, 0), wireguard, NULL));
    g_assert_cmpuint (wireguard->mark, ==, 0);
}

/* A dump of many peers goes on in messages with peers only. */
static void
test_message_continued (void)
{
    guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    struct nlmsghdr *message;
    struct nlattr *peers;

    g_assert_true (parse_message (buffer, make_first_message (buffer, 9), wireguard, NULL));
    message = start_message (buffer);
    mnl_attr_put_strz (message, WGDEVICE_A_IFNAME, "wg0");
    peers = mnl_attr_nest_start (message, WGDEVICE_A_PEERS);
    put_peer (message, "198.51.100.1", 1, 1800000000);
    mnl_attr_nest_end (message, peers);
    g_assert_true (parse_message (buffer, message->nlmsg_len, wireguard, NULL));

    g_assert_cmpuint (wireguard->mark, ==, 9);
    g_assert_cmpuint (wireguard->port, ==, 51820);
    g_assert_cmpint (wireguard->handshake, ==, 1800000000);
    g_assert_cmpuint (wireguard->sent, ==, 40);
    assert_endpoints (wireguard, "203.0.113.5:51820/udp [2001:db8::5]:443/udp 198.51.100.1:1/udp");
}

static void
test_message_odd_attributes (void)
{
    guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    struct nlmsghdr *message = start_message (buffer);
    struct nlattr *peers;
    struct nlattr *peer;

    mnl_attr_put (message, WGDEVICE_A_LISTEN_PORT, 0, NULL);
    mnl_attr_put (message, WGDEVICE_A_FWMARK, 3, "abc");
    peers = mnl_attr_nest_start (message, WGDEVICE_A_PEERS);
    peer = mnl_attr_nest_start (message, 0);
    mnl_attr_put (message, WGPEER_A_ENDPOINT, 5, "abcde");
    mnl_attr_put (message, WGPEER_A_ENDPOINT, sizeof (struct sockaddr_in), KEY);
    mnl_attr_put (message, WGPEER_A_ENDPOINT, sizeof (struct sockaddr_in6), KEY);
    mnl_attr_put (message, WGPEER_A_LAST_HANDSHAKE_TIME, 4, "abcd");
    put_sockaddr (message, "127.0.0.1", 1);
    put_sockaddr (message, "203.0.113.5", 0);
    mnl_attr_nest_end (message, peer);
    mnl_attr_nest_end (message, peers);

    g_assert_true (parse_message (buffer, message->nlmsg_len, wireguard, NULL));
    g_assert_cmpuint (wireguard->port, ==, 0);
    g_assert_cmpuint (wireguard->mark, ==, 0);
    g_assert_cmpint (wireguard->handshake, ==, 0);
    assert_endpoints (wireguard, "");
}

static void
test_message_truncated (void)
{
    guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *message = (void *)buffer;
    gsize whole = make_first_message (buffer, 1);

    for (gsize length = 0; length < whole; length++) {
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autoptr (GError) error = NULL;

        message->nlmsg_len = whole;
        g_assert_false (parse_message (buffer, length, wireguard, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
        /* Once more with a header that claims that this is all. */
        message->nlmsg_len = length;
        g_assert_cmpint (parse_message (buffer, length, wireguard, NULL), ==,
                         length >= NLMSG_HDRLEN + GENL_HDRLEN);
    }
}

static void
test_message_random (void)
{
    for (int i = 0; i < 20000; i++) {
        guint8 buffer[2048] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
        g_autoptr (GError) error = NULL;
        gsize length = make_first_message (buffer, 1);
        gboolean success;

        if (i % 4 == 0)
            for (gsize j = NLMSG_HDRLEN; j < length; j++)
                buffer[j] = g_test_rand_int ();
        /* Lengths and types of attributes are small numbers. */
        mutate (buffer + (i % 2 == 0 ? NLMSG_HDRLEN : 0), length - NLMSG_HDRLEN,
                "\1\2\3\4\5\6\7\10\11\12\14\20\30\44");
        success = parse_message (buffer, length, wireguard, &error);
        g_assert_cmpint (success, ==, error == NULL);
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/wireguard-parse/uapi/reply", test_uapi_reply);
    g_test_add_func ("/wireguard-parse/uapi/good", test_uapi_good);
    g_test_add_func ("/wireguard-parse/uapi/bad", test_uapi_bad);
    g_test_add_func ("/wireguard-parse/uapi/long value", test_uapi_long_value);
    g_test_add_func ("/wireguard-parse/uapi/truncated", test_uapi_truncated);
    g_test_add_func ("/wireguard-parse/uapi/random", test_uapi_random);
    g_test_add_func ("/wireguard-parse/message/first", test_message);
    g_test_add_func ("/wireguard-parse/message/without mark", test_message_without_mark);
    g_test_add_func ("/wireguard-parse/message/continued", test_message_continued);
    g_test_add_func ("/wireguard-parse/message/odd attributes", test_message_odd_attributes);
    g_test_add_func ("/wireguard-parse/message/truncated", test_message_truncated);
    g_test_add_func ("/wireguard-parse/message/random", test_message_random);
    return g_test_run ();
}
