/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "links-parse.h"
#include "links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_MS 60 /* 5 ms are promised; the rest is for a machine that is busy */

/* Runs "ip -batch" over @lines. */
static void
ip (const char *lines)
{
    g_autofree char *path = NULL;
    g_autofree char *errors = NULL;
    g_autoptr (GError) error = NULL;
    const char *argv[] = { "ip", "-batch", NULL, NULL };
    int status = 0;
    int fd = g_file_open_tmp ("bulkhead-links-XXXXXX", &path, &error);

    g_assert_no_error (error);
    close (fd);
    g_assert_true (g_file_set_contents (path, lines, -1, NULL));
    argv[2] = path;
    g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors,
                  &status, &error);
    unlink (path);
    g_assert_no_error (error);
    if (!g_spawn_check_wait_status (status, NULL))
        g_error ("ip: %s of: %s", errors, lines);
}

/* The same line @n times, with %u counting from 1. */
static char *
repeat (const char *format, guint n)
{
    g_autoptr (GString) text = g_string_new (NULL);
    g_auto (GStrv) parts = g_strsplit (format, "%u", -1);

    for (guint i = 1; i <= n; i++) {
        g_autofree char *number = g_strdup_printf ("%u.%u", i / 250, i % 250 + 1);
        g_autofree char *line = g_strjoinv (number, parts);

        g_string_append_printf (text, "%s\n", line);
    }
    return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Watches a new and empty network namespace; the one before goes with all that is in it. */
static BulkheadLinks *
watch (void)
{
    g_autoptr (GError) error = NULL;
    BulkheadLinks *links;

    g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
    links = bulkhead_links_new (&error);
    g_assert_no_error (error);
    return links;
}

static BulkheadNet *
read_net (BulkheadLinks *links)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *array = bulkhead_links_read (links, &error);

    g_assert_no_error (error);
    return bulkhead_net_new (0, array, NULL);
}

static void
on_changed_cb (BulkheadLinks *links, gpointer data)
{
    guint *count = data;

    (*count)++;
}

static gboolean
on_timeout_cb (gpointer data)
{
    gboolean *over = data;

    *over = TRUE;
    return G_SOURCE_REMOVE;
}

/* Runs the main loop so long. Returns: how often "changed" came. */
static guint
count_changes (BulkheadLinks *links, guint milliseconds)
{
    guint count = 0;
    gboolean over = FALSE;
    gulong handler = g_signal_connect (links, "changed", G_CALLBACK (on_changed_cb), &count);

    g_timeout_add (milliseconds, on_timeout_cb, &over);
    while (!over)
        g_main_context_iteration (NULL, TRUE);
    g_signal_handler_disconnect (links, handler);
    return count;
}

static void
append_prefixes (GString *text, const char *what, GArray *prefixes)
{
    g_string_append_printf (text, "\n%s", what);
    for (guint i = 0; i < prefixes->len; i++) {
        const BulkheadPrefix *prefix = &g_array_index (prefixes, BulkheadPrefix, i);
        g_autofree char *address = bulkhead_address_to_string (&prefix->address);

        g_string_append_printf (text, " %s/%u", address, prefix->length);
    }
}

/* Everything about the addresses and routes of a link, in one text. */
static void
assert_routes (const BulkheadNet *net, const char *name, const char *expected)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, name);
    g_autoptr (GString) text = g_string_new (NULL);

    g_assert_nonnull (link);
    g_string_append (text, link->default_route ? "default" : "no default");
    for (guint i = 0; i < link->gateways->len; i++) {
        g_autofree char *gateway =
            bulkhead_address_to_string (&g_array_index (link->gateways, BulkheadAddress, i));

        g_string_append_printf (text, " %s", gateway);
    }
    append_prefixes (text, "own", link->addresses);
    append_prefixes (text, "onlink", link->onlink);
    append_prefixes (text, "routed", link->routed);
    g_assert_cmpstr (text->str, ==, expected);
}

static void
assert_link (const BulkheadNet *net, const char *name, BulkheadLinkType type, gboolean up,
             const char *master)
{
    const BulkheadLink *link = bulkhead_net_find_link (net, name);

    g_test_message ("%s", name);
    g_assert_nonnull (link);
    g_assert_cmpint (link->type, ==, type);
    g_assert_cmpint (link->up, ==, up);
    g_assert_cmpint (link->master, ==,
                     master != NULL ? bulkhead_net_find_link (net, master)->index : 0);
}

#define MAKE                                                                                       \
    "link add vea type veth peer name veb\n"                                                       \
    "link set vea addrgenmode none\n"                                                              \
    "link set veb addrgenmode none\n"                                                              \
    "link set vea up\n"                                                                            \
    "link set veb up\n"

static void
test_types (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;
    const BulkheadLink *link;

    ip (MAKE "link add br0 type bridge\n"
             "link set veb master br0\n"
             "link add mv0 link vea type macvlan\n"
             "link set mv0 up\n"
             "link add down0 type veth peer name down1\n"
             "link set down0 up\n"
             "tuntap add mode tun name tun0\n"
             "tuntap add mode tap name tap0\n"
             "link set tap0 master br0\n");
    net = read_net (links);
    assert_link (net, "lo", BULKHEAD_LINK_LOOPBACK, FALSE, NULL);
    assert_link (net, "vea", BULKHEAD_LINK_VETH, TRUE, NULL);
    assert_link (net, "veb", BULKHEAD_LINK_VETH, TRUE, "br0");
    assert_link (net, "br0", BULKHEAD_LINK_BRIDGE, FALSE, NULL);
    assert_link (net, "mv0", BULKHEAD_LINK_MACVLAN, TRUE, NULL);
    assert_link (net, "down0", BULKHEAD_LINK_VETH, FALSE, NULL); /* no carrier */
    assert_link (net, "tun0", BULKHEAD_LINK_TUN, FALSE, NULL);
    assert_link (net, "tap0", BULKHEAD_LINK_TUN, FALSE, "br0");
    link = bulkhead_net_find_link (net, "veb");
    g_assert_true (link->uplink);
    link = bulkhead_net_find_link (net, "tap0");
    g_assert_false (bulkhead_link_may_be_tunnel (link));
    g_clear_pointer (&net, bulkhead_net_unref);

    ip ("address add 172.17.0.1/16 dev br0\n");
    net = read_net (links);
    link = bulkhead_net_find_link (net, "veb");
    g_assert_false (link->uplink);
}

static void
test_addresses (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.0.2.1/24 dev vea\n"
             "address add 192.0.2.2/24 dev vea\n"
             "address add 10.1.1.1 peer 10.1.1.2/32 dev vea\n"
             "address add 10.2.2.1 peer 10.3.3.3/24 dev vea\n"
             "address add 10.4.4.4/24 dev vea noprefixroute\n"
             "address add 2001:db8::1/64 dev vea nodad\n"
             "address add 2001:db8:1::1/64 dev vea nodad noprefixroute\n"
             "address add fd00::1 peer fd00:1::/64 dev vea nodad\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default\n"
                   "own 10.1.1.1/32 10.2.2.1/32 10.4.4.4/24 192.0.2.1/24 192.0.2.2/24"
                   " 2001:db8::1/64 2001:db8:1::1/64 fd00::1/64\n"
                   "onlink 10.1.1.1/32 10.1.1.2/32 10.2.2.1/32 10.3.3.0/24 192.0.2.0/24"
                   " 2001:db8::/64 fd00::/64 fd00:1::/128\n"
                   "routed");
    assert_routes (net, "veb", "no default\nown\nonlink\nrouted");
}

static void
test_routes (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.0.2.1/24 dev vea\n"
             "address add 198.51.100.1/24 dev veb\n"
             "address add 2001:db8::1/64 dev vea nodad\n"
             "route add 10.5.0.0/16 dev vea\n"
             "route add 10.6.0.0/16 via 192.0.2.254\n"
             "route add 10.7.0.0/16 dev vea table 100\n"
             "route add 10.8.0.0/16 dev vea table 1000\n"
             "route add 11.8.0.0/16 via 192.0.2.66 table 1000\n"
             "route add blackhole 10.9.0.0/16\n"
             "route add 10.10.0.0/16 dev vea scope global\n"
             "route add 10.11.0.0/16 via inet6 2001:db8::33 dev vea\n"
             "route add multicast 239.0.0.0/8 dev vea\n"
             "route add 0.0.0.0/1 dev vea\n"
             "route add 128.0.0.0/1 via 192.0.2.99\n"
             "route add default via 192.0.2.77 table 100\n"
             "route add 2001:db8:5::/48 dev vea\n"
             "route add 2001:db8:6::/48 via 2001:db8::fe\n"
             "route add ::/1 dev vea\n"
             "route add 8000::/1 via 2001:db8::99\n"
             "route add unreachable ::/0 metric 9000\n");
    net = read_net (links);
    assert_routes (
        net, "vea",
        "no default 192.0.2.77 192.0.2.99 192.0.2.254 2001:db8::33 2001:db8::99 2001:db8::fe\n"
        "own 192.0.2.1/24 2001:db8::1/64\n"
        "onlink 10.5.0.0/16 192.0.2.0/24 2001:db8::/64 2001:db8:5::/48\n"
        "routed 10.6.0.0/16 10.7.0.0/16 10.8.0.0/16 10.11.0.0/16 2001:db8:6::/48");
    assert_routes (net, "veb", "no default\nown 198.51.100.1/24\nonlink 198.51.100.0/24\nrouted");
    g_clear_pointer (&net, bulkhead_net_unref);

    ip ("route add default via 192.0.2.254\n"
        "route add default metric 10 nexthop via 192.0.2.253 dev vea"
        " nexthop via 198.51.100.9 dev veb\n"
        "route add default via inet6 2001:db8::33 dev vea metric 20\n"
        "route add ::/0 metric 30 nexthop via 2001:db8::fe dev vea"
        " nexthop via 2001:db8::ff dev vea\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "default 192.0.2.77 192.0.2.99 192.0.2.253 192.0.2.254"
                   " 2001:db8::33 2001:db8::99 2001:db8::fe 2001:db8::ff\n"
                   "own 192.0.2.1/24 2001:db8::1/64\n"
                   "onlink 10.5.0.0/16 192.0.2.0/24 2001:db8::/64 2001:db8:5::/48\n"
                   "routed 10.6.0.0/16 10.7.0.0/16 10.8.0.0/16 10.11.0.0/16 2001:db8:6::/48");
    assert_routes (net, "veb",
                   "default 198.51.100.9\nown 198.51.100.1/24\nonlink 198.51.100.0/24\nrouted");
}

static void
test_routed_over_two_links (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE
        "address add 192.0.2.1/24 dev vea\n"
        "address add 198.51.100.1/24 dev veb\n"
        "address add 2001:db8::1/64 dev vea nodad\n"
        "address add 2001:db8:1::1/64 dev veb nodad\n"
        "route add 10.6.0.0/16 nexthop via 192.0.2.2 dev vea nexthop via 198.51.100.2 dev veb\n"
        "route add 10.6.0.0/16 metric 9 via 192.0.2.3\n"
        "route add 10.7.0.0/16 nexthop via 192.0.2.2 dev vea nexthop dev veb\n"
        "route add fd06::/48 nexthop via 2001:db8::2 dev vea"
        " nexthop via 2001:db8:1::2 dev veb\n"
        "route add fd07::1 via 2001:db8::2\n"
        "route add 2001:db8:7::/48 via 2001:db8:1::2 table 100\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default 192.0.2.2 192.0.2.3 2001:db8::2\n"
                   "own 192.0.2.1/24 2001:db8::1/64\n"
                   "onlink 192.0.2.0/24 2001:db8::/64\n"
                   "routed 10.6.0.0/16 10.7.0.0/16 fd06::/48 fd07::1/128");
    assert_routes (net, "veb",
                   "no default 198.51.100.2 2001:db8:1::2\n"
                   "own 198.51.100.1/24 2001:db8:1::1/64\n"
                   "onlink 198.51.100.0/24 2001:db8:1::/64\n"
                   "routed 10.6.0.0/16 fd06::/48");
}

/* A VPN takes the default route away and leaves the one to its server. */
static void
test_router_without_default (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "address add 192.168.1.2/24 dev vea\n"
             "route add default via 192.168.1.1\n"
             "route add 203.0.113.5 via 192.168.1.1\n"
             "route delete default\n");
    net = read_net (links);
    assert_routes (net, "vea",
                   "no default 192.168.1.1\nown 192.168.1.2/24\nonlink 192.168.1.0/24\n"
                   "routed 203.0.113.5/32");
}

static gboolean
had_router (BulkheadLinks *links, const char *name)
{
    g_autoptr (BulkheadNet) net = read_net (links);

    return bulkhead_net_find_link (net, name)->had_router;
}

static gboolean
forwards (BulkheadLinks *links, const char *name)
{
    g_autoptr (BulkheadNet) net = read_net (links);

    return bulkhead_net_find_link (net, name)->forwards;
}

static void
set_forwarding (const char *family, const char *name, const char *value)
{
    g_autofree char *path = g_strdup_printf ("/proc/sys/net/%s/conf/%s/forwarding", family, name);
    FILE *file = fopen (path, "w");

    g_assert_nonnull (file);
    g_assert_cmpint (fputs (value, file), >=, 0);
    g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_forwarding (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    set_forwarding ("ipv4", "all", "0"); /* a new namespace has what the machine has */
    ip (MAKE);
    count_changes (links, SETTLE_MS);
    g_assert_false (forwards (links, "vea") || forwards (links, "veb"));
    set_forwarding ("ipv4", "vea", "1");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    g_assert_true (forwards (links, "vea") && !forwards (links, "veb"));
    set_forwarding ("ipv6", "veb", "1");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    g_assert_true (forwards (links, "vea") && forwards (links, "veb"));
    set_forwarding ("ipv4", "vea", "0");
    g_assert_false (forwards (links, "vea"));
}

/* With every route gone, the router is still there; with the address gone, nobody knows. */
static void
test_router_is_remembered (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    ip (MAKE "address add 192.168.1.2/24 dev vea\n"
             "address add 172.17.0.1/16 dev veb\n"
             "address add fe80::7/64 dev vea nodad\n"
             "route add default via 192.168.1.1\n");
    g_assert_false (had_router (links, "vea"));
    ip ("route delete default\n");
    g_assert_true (had_router (links, "vea"));
    g_assert_true (had_router (links, "vea"));
    g_assert_false (had_router (links, "veb"));
    ip ("address delete 192.168.1.2/24 dev vea\n");
    g_assert_false (had_router (links, "vea"));
    ip ("address add 192.168.1.2/24 dev vea\n");
    g_assert_false (had_router (links, "vea"));
}

static void
test_default_without_gateway (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    ip (MAKE "route add default dev veb\n");
    net = read_net (links);
    assert_routes (net, "veb", "default\nown\nonlink\nrouted");
    assert_routes (net, "vea", "no default\nown\nonlink\nrouted");
}

static void
test_signals (void)
{
    static const char *const changes[] = {
        MAKE,
        "address add 192.0.2.1/24 dev vea\n",
        "address add 2001:db8::1/64 dev vea nodad\n",
        "route add default via 192.0.2.254\n",
        "route change default via 192.0.2.253\n",
        "route add ::/0 via 2001:db8::fe\n",
        "route add 10.5.0.0/16 dev vea\n",
        "route add 2001:db8:5::/48 dev vea\n",
        "route add 10.6.0.0/16 via 192.0.2.254\n",
        "route add 2001:db8:6::/48 via 2001:db8::fe\n",
        "route delete 10.6.0.0/16\n",
        "route add default via 192.0.2.254 table 100\n",
        "route add fd07::/48 dev vea table 51820\n",
        "route delete default\n",
        "link set veb down\n",
        "link delete vea\n",
    };
    g_autoptr (BulkheadLinks) links = watch ();

    for (gsize i = 0; i < G_N_ELEMENTS (changes); i++) {
        guint count;

        g_test_message ("%s", changes[i]);
        ip (changes[i]);
        count = count_changes (links, SETTLE_MS);
        g_assert_cmpuint (count, >=, 1);
        g_assert_cmpuint (count, <=, 3);
        count_changes (links, SETTLE_MS); /* the end of what IPv6 has to say */
    }
}

static void
test_rename (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) before = NULL;
    g_autoptr (BulkheadNet) after = NULL;

    ip (MAKE "link set vea down\n");
    count_changes (links, SETTLE_MS);
    before = read_net (links);
    ip ("link set vea name wan0\n");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    after = read_net (links);
    g_assert_null (bulkhead_net_find_link (after, "vea"));
    g_assert_cmpint (bulkhead_net_find_link (after, "wan0")->index, ==,
                     bulkhead_net_find_link (before, "vea")->index);
    g_assert_false (bulkhead_net_equal (before, after));
}

static gpointer
ip_cb (gpointer lines)
{
    ip (lines);
    return NULL;
}

/* The main loop runs meanwhile, so that events come one by one. */
static void
test_burst (void)
{
    g_autofree char *adds = repeat ("address add 10.9.%u/32 dev vea", 100);
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;
    GThread *thread;
    guint count;

    ip (MAKE);
    count_changes (links, SETTLE_MS);
    thread = g_thread_new ("ip", ip_cb, adds);
    count = count_changes (links, 500);
    g_thread_join (thread);
    g_test_message ("%u signals", count);
    g_assert_cmpuint (count, >=, 1);
    g_assert_cmpuint (count, <=, 20);
    net = read_net (links);
    g_assert_cmpuint (bulkhead_net_find_link (net, "vea")->addresses->len, ==, 100);
}

/* An event of the loopback, without a process that takes longer than a burst lasts. */
static void
set_loopback (gboolean up)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0 };
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint (ioctl (fd, SIOCSIFFLAGS, &request), ==, 0);
    close (fd);
}

/* Two iterations, the first of which reads the event; neither waits for anything. */
static void
iterate_at_once (void)
{
    g_main_context_iteration (NULL, FALSE);
    g_main_context_iteration (NULL, FALSE);
}

/* FALSE when the machine was too slow for the second event to be of the first one's burst. */
static gboolean
first_at_once_then_merged (BulkheadLinks *links, guint *count)
{
    gint64 start;

    count_changes (links, SETTLE_MS);
    *count = 0;
    set_loopback (TRUE);
    start = g_get_monotonic_time ();
    iterate_at_once ();
    g_assert_cmpuint (*count, ==, 1);
    set_loopback (FALSE);
    iterate_at_once ();
    set_loopback (TRUE);
    iterate_at_once ();
    set_loopback (FALSE);
    iterate_at_once ();
    if (g_get_monotonic_time () - start > 4000)
        return FALSE;
    g_assert_cmpuint (*count, ==, 1);
    g_assert_cmpuint (count_changes (links, SETTLE_MS), ==, 1);
    return TRUE;
}

static void
test_first_at_once (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    guint count = 0;
    guint attempts = 1;

    g_signal_connect (links, "changed", G_CALLBACK (on_changed_cb), &count);
    while (!first_at_once_then_merged (links, &count)) {
        g_assert_cmpuint (attempts++, <, 50);
        set_loopback (FALSE);
    }
}

static guint polls;

static int
count_poll (GPollFD *fds, guint n, int timeout)
{
    polls++;
    return g_poll (fds, n, timeout);
}

static void
test_silence (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    ip (MAKE);
    count_changes (links, 200);
    polls = 0;
    g_main_context_set_poll_func (NULL, count_poll);
    g_assert_cmpuint (count_changes (links, 500), ==, 0);
    g_main_context_set_poll_func (NULL, NULL);
    g_assert_cmpuint (polls, <=, 2); /* the end of the 500 ms, not quite to the point */
}

static void
test_other_routes_are_silent (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    ip (MAKE "address add 192.0.2.1/24 dev vea\n"
             "address add 2001:db8::1/64 dev vea nodad\n");
    count_changes (links, 200);
    ip ("route add 11.7.0.0/16 dev vea table 100\n"
        "route add 8.0.0.0/5 via 192.0.2.77 table 1000\n"
        "route add blackhole 10.9.0.0/16\n"
        "route add 2001:db8:7::/48 dev vea table 1000\n"
        "route delete 11.7.0.0/16 dev vea table 100\n");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), ==, 0);
}

/* Events that count for nothing, but more than the socket can hold: something may be lost. */
static void
test_overflow (void)
{
    g_autofree char *routes = repeat ("route add 11.9.%u/32 via 192.0.2.254 table 100", 3000);
    g_autoptr (BulkheadLinks) links = watch ();

    ip (MAKE "address add 192.0.2.1/24 dev vea\n");
    count_changes (links, 200);
    ip (routes);
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    count_changes (links, 200);
    ip ("address add 192.0.2.2/24 dev vea\n");
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
}

typedef struct {
    guint batches;
    guint size;
    int over;
} Churn;

static gpointer
churn_cb (gpointer data)
{
    Churn *churn = data;
    g_autofree char *lines =
        repeat ("address add 10.9.%u/32 dev vea\naddress delete 10.9.%u/32 dev vea", churn->size);

    for (guint i = 0; i < churn->batches; i++)
        ip (lines);
    g_atomic_int_set (&churn->over, 1);
    return NULL;
}

/* Reads while @churn runs: every answer is whole. Returns: how many reads had none. */
static guint
read_during (BulkheadLinks *links, Churn *churn)
{
    g_autofree char *addresses = repeat ("address add 10.8.%u/32 dev veb", 1000);
    GThread *thread;
    guint failed = 0;

    ip (MAKE);
    ip (addresses);
    thread = g_thread_new ("churn", churn_cb, churn);
    while (!g_atomic_int_get (&churn->over)) {
        g_autoptr (GPtrArray) array = bulkhead_links_read (links, NULL);
        g_autoptr (BulkheadNet) net = NULL;

        if (array == NULL) {
            failed++;
            continue;
        }
        net = bulkhead_net_new (0, g_steal_pointer (&array), NULL);
        g_assert_cmpuint (bulkhead_net_find_link (net, "veb")->addresses->len, ==, 1000);
        g_assert_cmpuint (bulkhead_net_find_link (net, "vea")->addresses->len, <=, 1);
    }
    g_thread_join (thread);
    return failed;
}

/* A dump that the kernel marks as interrupted is taken again. */
static void
test_read_in_bursts (void)
{
    g_autoptr (BulkheadLinks) links = watch ();

    g_assert_cmpuint (read_during (links, &(Churn){ 40, 20 }), ==, 0);
}

/* Without end it is not: then there is an error, and a signal when it is over. */
static void
test_read_in_a_storm (void)
{
    g_autoptr (BulkheadLinks) links = watch ();
    g_autoptr (BulkheadNet) net = NULL;

    g_test_message ("%u failed", read_during (links, &(Churn){ 1, 2000 }));
    g_assert_cmpuint (count_changes (links, SETTLE_MS), >=, 1);
    net = read_net (links);
    g_assert_cmpuint (bulkhead_net_find_link (net, "veb")->addresses->len, ==, 1000);
}

static void
put_kind (struct nlmsghdr *message, const char *kind)
{
    struct nlattr *info = mnl_attr_nest_start (message, IFLA_LINKINFO);

    mnl_attr_put_strz (message, IFLA_INFO_KIND, kind);
    mnl_attr_nest_end (message, info);
}

static struct nlmsghdr *
make_link (guint8 *buffer, guint16 hardware, const char *kind, const char *parent)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);

    message->nlmsg_type = RTM_NEWLINK;
    info->ifi_index = 4;
    info->ifi_type = hardware;
    mnl_attr_put_strz (message, IFLA_IFNAME, "x");
    if (kind != NULL)
        put_kind (message, kind);
    if (parent != NULL)
        mnl_attr_put_strz (message, IFLA_PARENT_DEV_NAME, parent);
    return message;
}

static GPtrArray *
new_links (void)
{
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
}

/* What this kernel cannot make, as messages. */
static void
test_kinds (void)
{
    static const struct {
        guint16 hardware;
        const char *kind;
        const char *parent;
        BulkheadLinkType type;
    } kinds[] = {
        { ARPHRD_ETHER, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, NULL, "0000:00:1f.6", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_IEEE80211, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_INFINIBAND, "ipoib", "0000:01:00.0", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_IEEE1394, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_RAWIP, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_NONE, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { 12345, NULL, NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, "never heard of", NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_ETHER, "", NULL, BULKHEAD_LINK_HARDWARE },
        { ARPHRD_PPP, NULL, NULL, BULKHEAD_LINK_PPP },
        { ARPHRD_PPP, NULL, "0000:02:00.0", BULKHEAD_LINK_HARDWARE },
        { ARPHRD_PPP, "ppp", NULL, BULKHEAD_LINK_PPP },
        { ARPHRD_LOOPBACK, NULL, NULL, BULKHEAD_LINK_LOOPBACK },
        { ARPHRD_NONE, "wireguard", NULL, BULKHEAD_LINK_WIREGUARD },
        { ARPHRD_NONE, "tun", NULL, BULKHEAD_LINK_TUN },
        { ARPHRD_NONE, "xfrm", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_TUNNEL, "vti", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_TUNNEL6, "vti6", NULL, BULKHEAD_LINK_XFRM },
        { ARPHRD_NONE, "ovpn", NULL, BULKHEAD_LINK_OVPN },
        { ARPHRD_NONE, "ovpn-dco-v2", NULL, BULKHEAD_LINK_OVPN },
        { ARPHRD_ETHER, "vlan", NULL, BULKHEAD_LINK_VLAN },
        { ARPHRD_ETHER, "bond", NULL, BULKHEAD_LINK_BOND },
        { ARPHRD_ETHER, "team", NULL, BULKHEAD_LINK_TEAM },
        { ARPHRD_NONE, "wwan", "wwan0", BULKHEAD_LINK_WWAN },
        { ARPHRD_ETHER, "macvlan", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "macvtap", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "ipvlan", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "ipvtap", NULL, BULKHEAD_LINK_MACVLAN },
        { ARPHRD_ETHER, "veth", NULL, BULKHEAD_LINK_VETH },
        { ARPHRD_ETHER, "bridge", NULL, BULKHEAD_LINK_BRIDGE },
        { ARPHRD_ETHER, "dummy", NULL, BULKHEAD_LINK_DUMMY },
        { ARPHRD_SIT, "sit", NULL, BULKHEAD_LINK_OTHER },
        { ARPHRD_ETHER, "vrf", NULL, BULKHEAD_LINK_OTHER },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
        guint8 buffer[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        struct nlmsghdr *message =
            make_link (buffer, kinds[i].hardware, kinds[i].kind, kinds[i].parent);
        const BulkheadLink *link;

        g_test_message ("%u %s", kinds[i].hardware, kinds[i].kind);
        g_assert_cmpint (bulkhead_links_parse_cb (message, array), ==, MNL_CB_OK);
        g_assert_cmpuint (array->len, ==, 1);
        link = g_ptr_array_index (array, 0);
        g_assert_cmpint (link->type, ==, kinds[i].type);
    }
}

/* Of kernels that know more counters than we do, and fewer. */
static void
test_counters (void)
{
    const gsize sizes[] = { sizeof (struct rtnl_link_stats64), 24, 4, 0, 400 };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        guint8 buffer[1024] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        g_autofree guint8 *counters = g_malloc0 (MAX (sizes[i], sizeof (struct rtnl_link_stats64)));
        g_autofree struct nlmsghdr *copy = NULL;
        struct nlmsghdr *message = make_link (buffer, 1, "tun", "y");
        struct rtnl_link_stats64 *known = (gpointer)counters;
        const BulkheadLink *link;

        known->rx_bytes = G_GUINT64_CONSTANT (5000000000);
        known->tx_bytes = 7;
        mnl_attr_put (message, IFLA_STATS64, sizes[i], counters);
        copy = g_memdup2 (buffer, message->nlmsg_len);
        bulkhead_links_parse_cb (copy, array);
        g_assert_cmpuint (array->len, ==, 1);
        link = g_ptr_array_index (array, 0);
        /* rx_bytes is the third counter, tx_bytes the fourth. */
        g_assert_cmpuint (link->received, ==, sizes[i] >= 24 ? known->rx_bytes : 0);
        g_assert_cmpuint (link->sent, ==, sizes[i] >= 32 ? 7 : 0);
    }
}

/* Found by the fuzzer: libmnl takes the padding after the last attribute for there. */
static void
test_unpadded (void)
{
    guint8 buffer[1024] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    g_autoptr (GPtrArray) array = new_links ();
    struct nlmsghdr *message = make_link (buffer, 1, "tun", "y");
    g_autofree struct nlmsghdr *copy = NULL;

    message->nlmsg_len -= 2;
    copy = g_memdup2 (buffer, message->nlmsg_len);
    bulkhead_links_parse_cb (copy, array);
    g_assert_cmpuint (array->len, ==, 0);
}

static struct nlmsghdr *
make_route (guint8 *buffer)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct rtmsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);
    struct {
        struct rtnexthop hop;
        struct nlattr gateway;
        guint8 address[4];
    } hops[2] = {
        { { sizeof hops[0], 0, 0, 4 }, { 8, RTA_GATEWAY }, { 192, 0, 2, 1 } },
        { { sizeof hops[0], 0, 0, 4 }, { 8, RTA_GATEWAY }, { 192, 0, 2, 2 } },
    };

    message->nlmsg_type = RTM_NEWROUTE;
    info->rtm_family = AF_INET;
    info->rtm_table = RT_TABLE_MAIN;
    info->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32 (message, RTA_OIF, 4);
    mnl_attr_put_u32 (message, RTA_DST, 0x0a000000);
    mnl_attr_put (message, RTA_VIA, 18, "\12\0abcdefghijklmnop");
    mnl_attr_put (message, RTA_MULTIPATH, sizeof hops, hops);
    return message;
}

static struct nlmsghdr *
make_address (guint8 *buffer)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header (message, sizeof *info);

    message->nlmsg_type = RTM_NEWADDR;
    info->ifa_family = AF_INET;
    info->ifa_prefixlen = 24;
    info->ifa_index = 4;
    mnl_attr_put_u32 (message, IFA_ADDRESS, 0x0a000001);
    mnl_attr_put_u32 (message, IFA_LOCAL, 0x0a000001);
    mnl_attr_put_u32 (message, IFA_FLAGS, 0);
    return message;
}

/* Lengths and types inside of a message may be anything. */
static void
test_random (void)
{
    for (int i = 0; i < 20000; i++) {
        guint8 buffer[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        g_autoptr (GPtrArray) array = new_links ();
        g_autofree struct nlmsghdr *copy = NULL;
        struct nlmsghdr *message = i % 3 == 0   ? make_link (buffer, 1, "veth", "y")
                                   : i % 3 == 1 ? make_address (buffer)
                                                : make_route (buffer);
        gsize length = message->nlmsg_len;

        for (int j = g_test_rand_int_range (1, 6); j > 0; j--)
            buffer[g_test_rand_int_range (NLMSG_HDRLEN, length)] =
                g_test_rand_int_range (0, g_test_rand_bit () ? 40 : 256);
        g_ptr_array_add (array, bulkhead_link_new (4, "x", BULKHEAD_LINK_HARDWARE));
        copy = g_memdup2 (buffer, length);
        bulkhead_links_parse_cb (copy, array);
        bulkhead_links_event_counts (copy);
        bulkhead_net_unref (bulkhead_net_new (0, g_steal_pointer (&array), NULL));
    }
}

static void
test_no_namespace (void)
{
    g_test_message ("no network namespace of its own; this test needs root");
    g_test_fail ();
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    /* Before anything else: what follows makes and deletes links. */
    if (unshare (CLONE_NEWNET) < 0) {
        g_test_add_func ("/links", test_no_namespace);
        return g_test_run ();
    }
    g_test_add_func ("/links/kinds", test_kinds);
    g_test_add_func ("/links/counters", test_counters);
    g_test_add_func ("/links/unpadded", test_unpadded);
    g_test_add_func ("/links/random", test_random);
    g_test_add_func ("/links/types", test_types);
    g_test_add_func ("/links/addresses", test_addresses);
    g_test_add_func ("/links/routes", test_routes);
    g_test_add_func ("/links/routed over two links", test_routed_over_two_links);
    g_test_add_func ("/links/router without default", test_router_without_default);
    g_test_add_func ("/links/forwarding", test_forwarding);
    g_test_add_func ("/links/router is remembered", test_router_is_remembered);
    g_test_add_func ("/links/default without gateway", test_default_without_gateway);
    g_test_add_func ("/links/signals", test_signals);
    g_test_add_func ("/links/rename", test_rename);
    g_test_add_func ("/links/burst", test_burst);
    g_test_add_func ("/links/first at once", test_first_at_once);
    g_test_add_func ("/links/silence", test_silence);
    g_test_add_func ("/links/other routes are silent", test_other_routes_are_silent);
    g_test_add_func ("/links/overflow", test_overflow);
    g_test_add_func ("/links/read in bursts", test_read_in_bursts);
    g_test_add_func ("/links/read in a storm", test_read_in_a_storm);
    return g_test_run ();
}
