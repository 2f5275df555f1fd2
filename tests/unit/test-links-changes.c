/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the kernel tells of changes, and what is read while they go on. */
#include "link-watch.h"

#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void
count_cb (BulkheadLinks *links, gpointer data)
{
    guint *count = data;

    (*count)++;
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

    g_signal_connect (links, "changed", G_CALLBACK (count_cb), &count);
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

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/links-changes/signals", test_signals);
    g_test_add_func ("/links-changes/rename", test_rename);
    g_test_add_func ("/links-changes/burst", test_burst);
    g_test_add_func ("/links-changes/first at once", test_first_at_once);
    g_test_add_func ("/links-changes/silence", test_silence);
    g_test_add_func ("/links-changes/other routes are silent", test_other_routes_are_silent);
    g_test_add_func ("/links-changes/overflow", test_overflow);
    g_test_add_func ("/links-changes/read in bursts", test_read_in_bursts);
    g_test_add_func ("/links-changes/read in a storm", test_read_in_a_storm);
    return g_test_run ();
}
