/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"
#include "wireguard.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEX_KEY "5349434b4554535349434b4554535349434b4554535349434b45545353494359"
#define KEY "SICKETSSICKETSSICKETSSICKETSSICY" /* the same */
#define LINK "bhtest0"
#define LINK_SOCKET "/var/run/wireguard/" LINK ".sock"

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

/* The tests below use /var/run/wireguard: as seen in a network and mount namespace of their own. */
static gboolean
enter_namespace (void)
{
    static gboolean entered;

    entered = entered
              || (unshare (CLONE_NEWNET | CLONE_NEWNS) == 0
                  && mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
                  && mount ("bulkhead-test", "/run", "tmpfs", 0, "mode=755") == 0
                  && mkdir ("/run/wireguard", 0700) == 0);
    if (!entered) {
        g_test_message ("no namespace of its own: %s; this test needs root", g_strerror (errno));
        g_test_fail ();
    }
    return entered;
}

static gboolean
run (const char *const *argv)
{
    g_autoptr (GError) error = NULL;
    int status = 0;

    g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                                 NULL, &status, &error));
    return g_spawn_check_wait_status (status, NULL);
}

typedef struct {
    int fd;
    const char *reply; /* NULL: never a word */
    gboolean endless;  /* the reply again and again */
    gulong pause;      /* µs after each byte; 0: all at once */
} Server;

static gpointer
serve (gpointer data)
{
    Server *server = data;
    char request[64];
    gboolean heard = TRUE;
    int fd = accept (server->fd, NULL, NULL);

    if (fd < 0 || recv (fd, request, sizeof request, 0) != 7
        || memcmp (request, "get=1\n\n", 7) != 0)
        g_error ("no proper request");
    do {
        for (const char *at = server->reply; at != NULL && *at != '\0' && heard;) {
            gsize length = server->pause > 0 ? 1 : strlen (at);

            heard = send (fd, at, length, MSG_NOSIGNAL) == (ssize_t)length;
            at += length;
            g_usleep (server->pause);
        }
    } while (server->endless && heard);
    /* Until the other side hangs up, so that it is not the end that ends the waiting. */
    if (server->reply == NULL || server->pause > 0)
        (void)!recv (fd, request, sizeof request, 0);
    close (fd);
    return NULL;
}

static int
listen_at_socket (void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LINK_SOCKET };
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    unlink (LINK_SOCKET);
    g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint (listen (fd, 1), ==, 0);
    return fd;
}

static BulkheadWireguard *
read_from (Server server, GError **error)
{
    GThread *thread;
    BulkheadWireguard *wireguard;
    gint64 start;

    server.fd = listen_at_socket ();
    thread = g_thread_new ("server", serve, &server);
    start = g_get_monotonic_time ();
    wireguard = bulkhead_wireguard_read (LINK, BULKHEAD_LINK_TUN, error);
    /* 200 ms, and some for a machine that is busy. */
    g_assert_cmpint (g_get_monotonic_time () - start, <, 600000);
    g_thread_join (thread);
    close (server.fd);
    unlink (LINK_SOCKET);
    return wireguard;
}

static void
test_socket_exchange (void)
{
    g_autofree char *many = g_strnfill (100000, 'x');
    const struct {
        Server server;
        const char *reason;
    } bad[] = {
        { { .reply = NULL }, "timed out" },
        { { .reply = "", .pause = 0 }, "reply: ends" },
        { { .reply = "errno=0\n" }, "reply: ends" },
        { { .reply = reply, .pause = 20000 }, "timed out" },
        { { .reply = many, .endless = TRUE }, "Message too long" },
        { { .reply = "errno=5\n\n" }, "errno: " },
    };
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadWireguard) wireguard = NULL;

    if (!enter_namespace ())
        return;
    wireguard = read_from ((Server){ .reply = reply }, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (wireguard->interface, ==, LINK);
    g_assert_cmpuint (wireguard->port, ==, 51820);
    assert_endpoints (wireguard, "203.0.113.5:51820/udp [2001:db8::5]:443/udp");

    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        g_autoptr (GError) failure = NULL;

        g_assert_null (read_from (bad[i].server, &failure));
        g_assert_error (failure, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
        g_test_message ("%s", failure->message);
        g_assert_true (g_str_has_prefix (failure->message, "WireGuard link " LINK ": "));
        g_assert_nonnull (strstr (failure->message, bad[i].reason));
    }
}

static void
assert_not_wireguard (const char *what, BulkheadLinkType type)
{
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", what);
    g_assert_null (bulkhead_wireguard_read (LINK, type, &error));
    g_assert_no_error (error);
}

static void
test_socket_not_wireguard (void)
{
    int fd;

    if (!enter_namespace ())
        return;
    assert_not_wireguard ("no socket", BULKHEAD_LINK_TUN);

    fd = listen_at_socket ();
    assert_not_wireguard ("no link that has sockets", BULKHEAD_LINK_OTHER);
    g_assert_cmpint (chown (LINK_SOCKET, 65534, 65534), ==, 0);
    assert_not_wireguard ("not root's socket", BULKHEAD_LINK_TUN);
    g_assert_cmpint (chown (LINK_SOCKET, 0, 0), ==, 0);
    g_assert_cmpint (rename (LINK_SOCKET, LINK_SOCKET ".real"), ==, 0);
    g_assert_cmpint (symlink (LINK_SOCKET ".real", LINK_SOCKET), ==, 0);
    assert_not_wireguard ("a symbolic link to a socket", BULKHEAD_LINK_TUN);
    g_assert_cmpint (rename (LINK_SOCKET ".real", LINK_SOCKET), ==, 0);
    close (fd);
    assert_not_wireguard ("nobody listens any more", BULKHEAD_LINK_TUN);
    unlink (LINK_SOCKET);
    g_assert_true (g_file_set_contents (LINK_SOCKET, reply, -1, NULL));
    assert_not_wireguard ("a plain file", BULKHEAD_LINK_TUN);
    unlink (LINK_SOCKET);
}

static void
test_bad_name (void)
{
    static const char *const names[] = { "", "../x", "a/b", "aaaaaaaaaaaaaaaa", "." };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autoptr (GError) error = NULL;

        g_assert_null (bulkhead_wireguard_read (names[i], BULKHEAD_LINK_TUN, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT);
    }
}

/* Sets LINK up with wg(8) and reads that back. */
static void
check_real (BulkheadLinkType type)
{
    static const char *const argv[] = {
        "wg",
        "set",
        LINK,
        "listen-port",
        "51999",
        "fwmark",
        "0xca6c",
        "private-key",
        "/run/key",
        "peer",
        "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
        "preshared-key",
        "/run/key",
        "endpoint",
        "203.0.113.5:51820",
        "allowed-ips",
        "0.0.0.0/0",
        "peer",
        "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=",
        "endpoint",
        "[2001:db8::5]:443",
        "allowed-ips",
        "10.0.0.0/8",
        "peer",
        "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=",
        NULL,
    };
    g_autoptr (BulkheadWireguard) fresh = NULL;
    g_autoptr (BulkheadWireguard) wireguard = NULL;
    g_autoptr (GError) error = NULL;

    fresh = bulkhead_wireguard_read (LINK, type, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (fresh->mark, ==, 0);
    g_assert_cmpuint (fresh->endpoints->len, ==, 0);

    g_assert_true (g_file_set_contents_full ("/run/key",
                                             "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n", -1,
                                             G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    g_assert_true (run (argv));
    wireguard = bulkhead_wireguard_read (LINK, type, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (wireguard->mark, ==, 0xca6c);
    g_assert_cmpuint (wireguard->port, ==, 51999);
    g_assert_cmpint (wireguard->handshake, ==, 0);
    /* A map of peers has no order. */
    g_array_sort (wireguard->endpoints, (GCompareFunc)bulkhead_endpoint_compare);
    assert_endpoints (wireguard, "203.0.113.5:51820/udp [2001:db8::5]:443/udp");
}

static void
test_real_userspace (void)
{
    const char *const argv[] = { "wireguard-go", "-f", LINK, NULL };
    g_autoptr (GError) error = NULL;
    GPid pid;

    if (!enter_namespace ())
        return;
    g_assert_true (g_spawn_async (NULL, (char **)argv, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                                      | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                  NULL, NULL, &pid, &error));
    g_assert_no_error (error);
    for (int i = 0; i < 500 && !g_file_test (LINK_SOCKET, G_FILE_TEST_EXISTS); i++)
        g_usleep (10000);
    check_real (BULKHEAD_LINK_TUN);

    kill (pid, SIGKILL);
    g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
    g_assert_true (g_file_test (LINK_SOCKET, G_FILE_TEST_EXISTS));
    assert_not_wireguard ("killed, its socket left", BULKHEAD_LINK_TUN);
    unlink (LINK_SOCKET);
}

/* Where the kernel has no WireGuard there is no link to read, and nothing may be made up. */
static void
test_real_kernel (void)
{
    static const char *const add[] = { "ip", "link", "add", LINK, "type", "wireguard", NULL };
    static const char *const delete[] = { "ip", "link", "delete", LINK, NULL };
    g_autoptr (GError) error = NULL;

    if (!enter_namespace ())
        return;
    if (run (add)) {
        check_real (BULKHEAD_LINK_WIREGUARD);
        g_assert_true (run (delete));
        assert_not_wireguard ("deleted", BULKHEAD_LINK_WIREGUARD);
    } else {
        g_assert_null (bulkhead_wireguard_read (LINK, BULKHEAD_LINK_WIREGUARD, &error));
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/wireguard/uapi/reply", test_uapi_reply);
    g_test_add_func ("/wireguard/uapi/good", test_uapi_good);
    g_test_add_func ("/wireguard/uapi/bad", test_uapi_bad);
    g_test_add_func ("/wireguard/uapi/long value", test_uapi_long_value);
    g_test_add_func ("/wireguard/uapi/truncated", test_uapi_truncated);
    g_test_add_func ("/wireguard/uapi/random", test_uapi_random);
    g_test_add_func ("/wireguard/message/first", test_message);
    g_test_add_func ("/wireguard/message/without mark", test_message_without_mark);
    g_test_add_func ("/wireguard/message/continued", test_message_continued);
    g_test_add_func ("/wireguard/message/odd attributes", test_message_odd_attributes);
    g_test_add_func ("/wireguard/message/truncated", test_message_truncated);
    g_test_add_func ("/wireguard/message/random", test_message_random);
    g_test_add_func ("/wireguard/bad name", test_bad_name);
    g_test_add_func ("/wireguard/socket/exchange", test_socket_exchange);
    g_test_add_func ("/wireguard/socket/not wireguard", test_socket_not_wireguard);
    g_test_add_func ("/wireguard/real/userspace", test_real_userspace);
    g_test_add_func ("/wireguard/real/kernel", test_real_kernel);
    return g_test_run ();
}
