/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real WireGuard links and made-up sockets, in network and mount namespaces of their own. */
#include "wireguard.h"

#include "error.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINK "bhtest0"
#define LINK_SOCKET "/var/run/wireguard/" LINK ".sock"

static const char reply[] = "listen_port=51999\n"
                            "fwmark=51820\n"
                            "public_key=5349434b4554535349434b4554535349434b45545353"
                            "34b4554535349434b45545353494359\n"
                            "endpoint=203.0.113.5:51820\n"
                            "public_key=4349434b4554535349434b45545353494"
                            "34b4554535349434b45545353494359\n"
                            "endpoint=[2001:db8::5]:443\n"
                            "errno=0\n"
                            "\n";

/* What `reply` says, and what the real links are set to. */
static void
assert_endpoints (const BulkheadWireguard *wireguard)
{
    static const char *const expected[] = { "203.0.113.5:51820/udp", "[2001:db8::5]:443/udp" };

    g_assert_cmpuint (wireguard->port, ==, 51999);
    g_assert_cmpuint (wireguard->endpoints->len, ==, G_N_ELEMENTS (expected));
    for (gsize i = 0; i < G_N_ELEMENTS (expected); i++) {
        g_autofree char *text = bulkhead_endpoint_to_string (
            &g_array_index (wireguard->endpoints, BulkheadEndpoint, i));

        g_assert_cmpstr (text, ==, expected[i]);
    }
}

/* For links and /var/run/wireguard. FALSE, and the test failed, when there can be none. */
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
    assert_endpoints (wireguard);

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
    g_assert_cmpint (wireguard->handshake, ==, 0);
    /* A map of peers has no order. */
    g_array_sort (wireguard->endpoints, (GCompareFunc)bulkhead_endpoint_compare);
    assert_endpoints (wireguard);
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
    g_test_add_func ("/wireguard/bad name", test_bad_name);
    g_test_add_func ("/wireguard/socket/exchange", test_socket_exchange);
    g_test_add_func ("/wireguard/socket/not wireguard", test_socket_not_wireguard);
    g_test_add_func ("/wireguard/real/userspace", test_real_userspace);
    g_test_add_func ("/wireguard/real/kernel", test_real_kernel);
    return g_test_run ();
}
