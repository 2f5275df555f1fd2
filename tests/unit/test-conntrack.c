/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's own connection table, in a network namespace of this process alone. */
#include "conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

/* The tunnel is 10.8.0.2 and fd00:8::2; the uplink 192.0.2.10. */
static BulkheadPolicy *policy;
static BulkheadNet *net;
static struct nfct_handle *table;

typedef struct {
    const char *name;
    const char *from;    /* who began */
    const char *called;  /* what it called */
    const char *to;      /* who answers: another after destination NAT */
    const char *sent_as; /* whom the answer goes to: another after source NAT */
    gboolean kept;
} Case;

static const Case cases[] = {
    { "direct", "192.0.2.10", "198.51.100.7", "198.51.100.7", "192.0.2.10", FALSE },
    { "direct IPv6", "2001:db8::10", "2001:db8:1::7", "2001:db8:1::7", "2001:db8::10", FALSE },
    { "from the LAN", "192.0.2.77", "192.0.2.10", "192.0.2.10", "192.0.2.77", FALSE },
    { "by the tunnel", "10.8.0.2", "198.51.100.7", "198.51.100.7", "10.8.0.2", TRUE },
    { "by the tunnel IPv6", "fd00:8::2", "2001:db8:1::7", "2001:db8:1::7", "fd00:8::2", TRUE },
    { "container by the tunnel", "172.17.0.2", "198.51.100.7", "198.51.100.7", "10.8.0.2", TRUE },
    { "container direct", "172.17.0.3", "198.51.100.7", "198.51.100.7", "192.0.2.10", FALSE },
    { "from the tunnel", "10.8.0.1", "10.8.0.2", "10.8.0.2", "10.8.0.1", TRUE },
    { "from the tunnel to a container", "10.8.0.9", "10.8.0.2", "172.17.0.2", "10.8.0.9", TRUE },
    { "bound to the tunnel, sent direct", "10.8.0.2", "198.51.100.8", "198.51.100.8", "192.0.2.10",
      FALSE },
    { "tunnel's neighbour address", "10.8.0.3", "198.51.100.7", "198.51.100.7", "10.8.0.3", FALSE },
    { "loopback", "127.0.0.1", "127.0.0.53", "127.0.0.53", "127.0.0.1", TRUE },
    { "loopback IPv6", "::1", "::1", "::1", "::1", TRUE },
    { "loopback sent direct", "127.0.0.1", "198.51.100.7", "198.51.100.7", "192.0.2.10", FALSE },
};

static void
set_address (struct nf_conntrack *entry, enum nf_conntrack_attr ipv4, enum nf_conntrack_attr ipv6,
             const char *text)
{
    BulkheadAddress address;

    g_assert_true (bulkhead_address_parse (text, &address));
    nfct_set_attr (entry, address.family == G_SOCKET_FAMILY_IPV4 ? ipv4 : ipv6, address.bytes);
}

static void
add_entry (const Case *flow, guint8 protocol, guint16 port, guint16 zone)
{
    struct nf_conntrack *entry = nfct_new ();
    guint8 family = strchr (flow->from, ':') != NULL ? AF_INET6 : AF_INET;

    nfct_set_attr_u8 (entry, ATTR_ORIG_L3PROTO, family);
    nfct_set_attr_u8 (entry, ATTR_REPL_L3PROTO, family);
    set_address (entry, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, flow->from);
    set_address (entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, flow->called);
    set_address (entry, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, flow->to);
    set_address (entry, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST, flow->sent_as);
    nfct_set_attr_u8 (entry, ATTR_ORIG_L4PROTO, protocol);
    nfct_set_attr_u8 (entry, ATTR_REPL_L4PROTO, protocol);
    if (protocol == IPPROTO_ICMP) {
        nfct_set_attr_u8 (entry, ATTR_ICMP_TYPE, 8);
        nfct_set_attr_u8 (entry, ATTR_ICMP_CODE, 0);
        nfct_set_attr_u16 (entry, ATTR_ICMP_ID, htons (port));
    } else {
        nfct_set_attr_u16 (entry, ATTR_ORIG_PORT_SRC, htons (port));
        nfct_set_attr_u16 (entry, ATTR_ORIG_PORT_DST, htons (443));
        nfct_set_attr_u16 (entry, ATTR_REPL_PORT_SRC, htons (443));
        nfct_set_attr_u16 (entry, ATTR_REPL_PORT_DST, htons (port));
    }
    if (protocol == IPPROTO_TCP)
        nfct_set_attr_u8 (entry, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    if (zone != 0)
        nfct_set_attr_u16 (entry, ATTR_ZONE, zone);
    nfct_set_attr_u32 (entry, ATTR_STATUS, IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED);
    nfct_set_attr_u32 (entry, ATTR_TIMEOUT, 600);
    nfct_set_attr_u32 (entry, ATTR_MARK, 0x5717);
    if (nfct_query (table, NFCT_Q_CREATE, entry) < 0)
        g_error ("%s: %s", flow->name, g_strerror (errno));
    nfct_destroy (entry);
}

static int
note_entry (enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data)
{
    char from[INET6_ADDRSTRLEN], sent_as[INET6_ADDRSTRLEN];
    gboolean ipv4 = nfct_get_attr_u8 (entry, ATTR_ORIG_L3PROTO) == AF_INET;

    inet_ntop (ipv4 ? AF_INET : AF_INET6,
               nfct_get_attr (entry, ipv4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC), from,
               sizeof from);
    inet_ntop (ipv4 ? AF_INET : AF_INET6,
               nfct_get_attr (entry, ipv4 ? ATTR_REPL_IPV4_DST : ATTR_REPL_IPV6_DST), sent_as,
               sizeof sent_as);
    g_hash_table_add (data, g_strdup_printf ("%s %s", from, sent_as));
    return NFCT_CB_CONTINUE;
}

/* "FROM SENT_AS" of each entry there is. */
static GHashTable *
read_table (void)
{
    GHashTable *entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    guint32 family = AF_UNSPEC;

    nfct_callback_register (table, NFCT_T_ALL, note_entry, entries);
    g_assert_cmpint (nfct_query (table, NFCT_Q_DUMP, &family), ==, 0);
    nfct_callback_unregister (table);
    return entries;
}

static void
cut (void)
{
    g_autoptr (GError) error = NULL;

    bulkhead_conntrack_cut (net, policy, &error);
    g_assert_no_error (error);
}

static gboolean
is_there (GHashTable *entries, const Case *flow)
{
    g_autofree char *key = g_strdup_printf ("%s %s", flow->from, flow->sent_as);

    return g_hash_table_contains (entries, key);
}

static void
test_empty (void)
{
    g_autoptr (GHashTable) entries = NULL;

    cut ();
    entries = read_table ();
    g_assert_cmpuint (g_hash_table_size (entries), ==, 0);
}

/* @data: protocol. */
static void
test_cases (gconstpointer data)
{
    g_autoptr (GHashTable) before = NULL;
    g_autoptr (GHashTable) after = NULL;
    guint8 protocol = GPOINTER_TO_INT (data);

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
        if (protocol != IPPROTO_ICMP || strchr (cases[i].from, ':') == NULL)
            add_entry (&cases[i], protocol, 2000 + i, 0);
    before = read_table ();
    cut ();
    after = read_table ();
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_test_message ("%s", cases[i].name);
        if (is_there (before, &cases[i]))
            g_assert_true (is_there (after, &cases[i]) == cases[i].kept);
        else
            g_assert_cmpint (protocol, ==, IPPROTO_ICMP);
    }
    g_assert_cmpint (nfct_query (table, NFCT_Q_FLUSH, &(guint32){ AF_UNSPEC }), ==, 0);
}

/* Containers' networks live in zones; a tuple alone does not find them. */
static void
test_zone (void)
{
    g_autoptr (GHashTable) entries = NULL;

    add_entry (&cases[0], IPPROTO_TCP, 2000, 7);
    add_entry (&cases[0], IPPROTO_TCP, 2000, 0);
    cut ();
    entries = read_table ();
    g_assert_cmpuint (g_hash_table_size (entries), ==, 0);
}

#define MANY_SOURCES 4

/* Direct flows, @ports from each of the sources, and one by the tunnel. */
static void
add_many (guint ports)
{
    g_autoptr (GHashTable) entries = NULL;

    for (guint i = 0; i < MANY_SOURCES; i++) {
        g_autofree char *from = g_strdup_printf ("192.0.2.%u", 20 + i);
        Case flow = { "many", from, "198.51.100.7", "198.51.100.7", from, FALSE };

        for (guint port = 1; port <= ports; port++)
            add_entry (&flow, IPPROTO_UDP, port, 0);
    }
    add_entry (&cases[3], IPPROTO_UDP, 2000, 0);
    entries = read_table ();
    g_assert_cmpuint (g_hash_table_size (entries), ==, MANY_SOURCES + 1);
}

static void
assert_only_the_tunnel_is_left (void)
{
    g_autoptr (GHashTable) entries = read_table ();

    g_assert_cmpuint (g_hash_table_size (entries), ==, 1);
    g_assert_true (is_there (entries, &cases[3]));
    g_assert_cmpint (nfct_query (table, NFCT_Q_FLUSH, &(guint32){ AF_UNSPEC }), ==, 0);
}

static void
test_many (void)
{
    const guint ports = 25000;
    gint64 start;

    add_many (ports);
    start = g_get_monotonic_time ();
    cut ();
    g_test_message ("%u entries in %" G_GINT64_FORMAT " ms", MANY_SOURCES * ports,
                    (g_get_monotonic_time () - start) / 1000);
    assert_only_the_tunnel_is_left ();
}

#define BUSY (3 * G_USEC_PER_SEC) /* longer than the work itself may take */

static gpointer
spin (gpointer data)
{
    const gint64 *end = data;

    while (g_get_monotonic_time () < *end)
        ;
    return NULL;
}

static gpointer
cut_last_of_all (gpointer data)
{
    g_assert_cmpint (setpriority (PRIO_PROCESS, 0, 15), ==, 0); /* of this thread */
    cut ();
    return NULL;
}

/* A machine that has something else to do leaves us a fiftieth of its time, for a while. */
static void
test_busy (void)
{
    guint count = 2 * g_get_num_processors ();
    g_autofree GThread **spinners = g_new (GThread *, count);
    gint64 end;

    add_many (10000);
    end = g_get_monotonic_time () + BUSY;
    for (guint i = 0; i < count; i++)
        spinners[i] = g_thread_new ("spin", spin, &end);
    g_thread_join (g_thread_new ("cut", cut_last_of_all, NULL));
    g_assert_cmpint (g_get_monotonic_time (), >, end - G_USEC_PER_SEC);
    for (guint i = 0; i < count; i++)
        g_thread_join (spinners[i]);
    assert_only_the_tunnel_is_left ();
}

/* Two links, the tunnel trusted. */
static void
make_values (void)
{
    static const char *const addresses[] = { "10.8.0.2", "fd00:8::2" };
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) trusted = bulkhead_tunnel_new ("home", "wg0");
    GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);
    BulkheadLink *tunnel = bulkhead_link_new (2, "wg0", BULKHEAD_LINK_WIREGUARD);
    BulkheadLink *uplink = bulkhead_link_new (3, "eth0", BULKHEAD_LINK_HARDWARE);
    BulkheadPrefix own = { .length = 24 };

    for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++) {
        g_assert_true (bulkhead_address_parse (addresses[i], &own.address));
        g_array_append_val (tunnel->addresses, own);
    }
    g_assert_true (bulkhead_address_parse ("192.0.2.10", &own.address));
    g_array_append_val (uplink->addresses, own);
    g_ptr_array_add (links, tunnel);
    g_ptr_array_add (links, uplink);
    net = bulkhead_net_new (BULKHEAD_FEATURES_ALL, links, NULL);
    policy = bulkhead_policy_with_tunnel (empty, trusted, NULL);
}

int
main (int argc, char *argv[])
{
    int result;

    g_test_init (&argc, &argv, NULL);
    /* Without a namespace of our own the machine's own connections would be cut. */
    if (unshare (CLONE_NEWNET) < 0) {
        g_print ("1..0 # SKIP only root has a connection table to try this on\n");
        return 0;
    }
    table = nfct_open (CONNTRACK, 0);
    g_assert_nonnull (table);
    make_values ();
    g_test_add_func ("/conntrack/empty", test_empty);
    g_test_add_data_func ("/conntrack/tcp", GINT_TO_POINTER (IPPROTO_TCP), test_cases);
    g_test_add_data_func ("/conntrack/udp", GINT_TO_POINTER (IPPROTO_UDP), test_cases);
    g_test_add_data_func ("/conntrack/icmp", GINT_TO_POINTER (IPPROTO_ICMP), test_cases);
    g_test_add_func ("/conntrack/zone", test_zone);
    g_test_add_func ("/conntrack/many", test_many);
    g_test_add_func ("/conntrack/busy", test_busy);
    result = g_test_run ();
    nfct_close (table);
    bulkhead_net_unref (net);
    bulkhead_policy_unref (policy);
    return result;
}
