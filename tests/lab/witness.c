/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witness at the ISP's end of the wire: counts every frame that arrives on one interface, by
 * ethertype, VLAN, IP version, protocol, source, destination and port, and those that carry the
 * test's mark, by the tag behind the mark. It knows nothing of what is allowed.
 *
 *   witness INTERFACE OUTPUT MARK
 *
 * Prints "ready" when it counts. SIGUSR1 writes OUTPUT (JSON) and goes on, SIGTERM writes it and
 * ends. Frames the kernel could not hand over are told as "drops": then the count proves nothing.
 * "port" is the destination port of TCP, UDP and SCTP and the type of ICMP; of ARP the operation
 * is the "protocol" and the addresses are the protocol addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE (1u << 20)
#define BLOCKS 64
#define FRAME_SIZE 2048
#define RETIRE_MS 10
#define SETTLE_MS 80 /* frames on their way when the signal came are still counted */
#define TAG_MAX 32

typedef struct {
    guint16 ethertype;
    guint16 vlan;
    guint8 version;
    guint8 protocol;
    guint8 fragment;
    guint8 port_known;
    guint16 port;
    guint8 source[16];
    guint8 destination[16];
} Key;

typedef struct {
    Key key;
    guint64 frames;
    guint64 marked;
    guint64 bytes;
} Class;

typedef struct {
    int fd;
    guint8 *ring;
    guint block;
    const char *output;
    const char *mark;
    GHashTable *classes; /* Class as its own key */
    GHashTable *tags;    /* tag -> number of frames, in the pointer */
    guint64 frames;
    guint64 marked;
    guint64 drops;
} Witness;

static guint
class_hash (gconstpointer data)
{
    const guint8 *bytes = data;
    guint hash = 2166136261u;
    for (gsize i = 0; i < sizeof (Key); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static gboolean
class_equal (gconstpointer a, gconstpointer b)
{
    return memcmp (a, b, sizeof (Key)) == 0;
}

static guint16
get16 (const guint8 *data)
{
    return (guint16)(data[0] << 8 | data[1]);
}

static void
read_transport (Key *key, guint8 protocol, const guint8 *data, const guint8 *end)
{
    key->protocol = protocol;
    if (key->fragment & 2) /* not the first fragment: there is no header here */
        return;
    if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP)
        && data + 4 <= end) {
        key->port = get16 (data + 2);
        key->port_known = 1;
    } else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && data + 1 <= end) {
        key->port = data[0];
        key->port_known = 1;
    }
}

static void
read_ipv4 (Key *key, const guint8 *data, const guint8 *end)
{
    if (data + 20 > end)
        return;
    key->version = data[0] >> 4;
    memcpy (key->source, data + 12, 4);
    memcpy (key->destination, data + 16, 4);
    guint16 offset = get16 (data + 6);
    key->fragment = (offset & 0x2000 ? 1 : 0) | (offset & 0x1fff ? 2 : 0);
    read_transport (key, data[9], data + (data[0] & 15) * 4, end);
}

static void
read_ipv6 (Key *key, const guint8 *data, const guint8 *end)
{
    if (data + 40 > end)
        return;
    key->version = data[0] >> 4;
    memcpy (key->source, data + 8, 16);
    memcpy (key->destination, data + 24, 16);
    guint8 next = data[6];
    data += 40;
    while (data + 8 <= end
           && (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS
               || next == IPPROTO_FRAGMENT)) {
        if (next == IPPROTO_FRAGMENT) {
            guint16 offset = get16 (data + 2);
            key->fragment = (offset & 1 ? 1 : 0) | (offset & 0xfff8 ? 2 : 0);
        }
        gsize length = next == IPPROTO_FRAGMENT ? 8 : (data[1] + 1u) * 8;
        next = data[0];
        data += length;
    }
    read_transport (key, next, data, end);
}

static void
read_arp (Key *key, const guint8 *data, const guint8 *end)
{
    if (data + 28 > end)
        return;
    key->version = 4;
    key->protocol = (guint8)get16 (data + 6);
    memcpy (key->source, data + 14, 4);
    memcpy (key->destination, data + 24, 4);
}

static gboolean
count_mark (Witness *self, const guint8 *data, gsize length)
{
    gsize mark_length = strlen (self->mark);
    const guint8 *found = memmem (data, length, self->mark, mark_length);
    if (found == NULL)
        return FALSE;
    char tag[TAG_MAX + 1] = { 0 };
    const guint8 *from = found + mark_length;
    for (gsize i = 0; i < TAG_MAX && from + i < data + length; i++) {
        if (!g_ascii_isalnum (from[i]) && from[i] != '-')
            break;
        tag[i] = (char)from[i];
    }
    gpointer count = g_hash_table_lookup (self->tags, tag);
    g_hash_table_insert (self->tags, g_strdup (tag),
                         GSIZE_TO_POINTER (GPOINTER_TO_SIZE (count) + 1));
    return TRUE;
}

static void
count_frame (Witness *self, const struct tpacket3_hdr *header)
{
    const guint8 *frame = (const guint8 *)header + header->tp_mac;
    const guint8 *end = frame + header->tp_snaplen;
    const struct sockaddr_ll *link =
        (gconstpointer)((const guint8 *)header + TPACKET_ALIGN (sizeof *header));
    Class found = { 0 };
    const guint8 *data = frame;
    if (link->sll_hatype != ARPHRD_ETHER) { /* a tunnel's end: packets without a frame */
        found.key.ethertype = ntohs (link->sll_protocol);
    } else if (header->tp_snaplen >= ETH_HLEN) {
        data = frame + ETH_HLEN;
        found.key.ethertype = get16 (frame + 12);
        /* The kernel takes the tag out of the frame; it was on the wire all the same. */
        if (header->tp_status & TP_STATUS_VLAN_VALID)
            found.key.vlan = (guint16)(header->hv1.tp_vlan_tci | 0x8000);
    }
    if (found.key.ethertype == ETHERTYPE_IP)
        read_ipv4 (&found.key, data, end);
    else if (found.key.ethertype == ETHERTYPE_IPV6)
        read_ipv6 (&found.key, data, end);
    else if (found.key.ethertype == ETHERTYPE_ARP)
        read_arp (&found.key, data, end);
    Class *class = g_hash_table_lookup (self->classes, &found);
    if (class == NULL) {
        class = g_new (Class, 1);
        *class = found;
        g_hash_table_add (self->classes, class);
    }
    gboolean marked = count_mark (self, frame, header->tp_snaplen);
    class->frames++;
    class->bytes += header->tp_len;
    class->marked += marked;
    self->frames++;
    self->marked += marked;
}

static gboolean
read_block (Witness *self)
{
    struct tpacket_block_desc *block = (gpointer)(self->ring + (gsize)self->block * BLOCK_SIZE);
    if (!(__atomic_load_n (&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return FALSE;
    guint8 *at = (guint8 *)block + block->hdr.bh1.offset_to_first_pkt;
    for (guint i = 0; i < block->hdr.bh1.num_pkts; i++) {
        const struct tpacket3_hdr *header = (gpointer)at;
        count_frame (self, header);
        at += header->tp_next_offset;
    }
    __atomic_store_n (&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    self->block = (self->block + 1) % BLOCKS;
    return TRUE;
}

static void
print_class (const Class *class, FILE *file)
{
    char source[INET6_ADDRSTRLEN] = "", destination[INET6_ADDRSTRLEN] = "";
    if (class->key.version == 4 || class->key.version == 6) {
        int family = class->key.version == 4 ? AF_INET : AF_INET6;
        inet_ntop (family, class->key.source, source, sizeof source);
        inet_ntop (family, class->key.destination, destination, sizeof destination);
    }
    fprintf (file,
             "{\"ethertype\":%u,\"vlan\":%u,\"version\":%u,\"protocol\":%u,\"fragment\":%u,"
             "\"port\":%d,\"source\":\"%s\",\"destination\":\"%s\","
             "\"frames\":%" G_GUINT64_FORMAT ",\"marked\":%" G_GUINT64_FORMAT
             ",\"bytes\":%" G_GUINT64_FORMAT "}",
             class->key.ethertype, class->key.vlan, class->key.version, class->key.protocol,
             class->key.fragment, class->key.port_known ? class->key.port : -1, source, destination,
             class->frames, class->marked, class->bytes);
}

static void
report (Witness *self)
{
    struct tpacket_stats_v3 stats = { 0 };
    socklen_t length = sizeof stats;
    if (getsockopt (self->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
        self->drops += stats.tp_drops; /* the kernel's counter starts anew at each reading */
    g_autofree char *temporary = g_strconcat (self->output, ".new", NULL);
    FILE *file = fopen (temporary, "w");
    if (file == NULL)
        g_error ("cannot write %s: %s", temporary, g_strerror (errno));
    fprintf (file,
             "{\"frames\":%" G_GUINT64_FORMAT ",\"marked\":%" G_GUINT64_FORMAT
             ",\"drops\":%" G_GUINT64_FORMAT ",\"classes\":[",
             self->frames, self->marked, self->drops);
    GHashTableIter iter;
    gpointer key, value;
    const char *comma = "";
    g_hash_table_iter_init (&iter, self->classes);
    while (g_hash_table_iter_next (&iter, &key, &value)) {
        fputs (comma, file);
        print_class (key, file);
        comma = ",\n";
    }
    fputs ("],\"tags\":{", file);
    comma = "";
    g_hash_table_iter_init (&iter, self->tags);
    while (g_hash_table_iter_next (&iter, &key, &value)) {
        fprintf (file, "%s\"%s\":%zu", comma, (char *)key, GPOINTER_TO_SIZE (value));
        comma = ",";
    }
    fputs ("}}\n", file);
    if (fclose (file) != 0 || rename (temporary, self->output) != 0)
        g_error ("cannot write %s: %s", self->output, g_strerror (errno));
}

static void
open_ring (Witness *self, const char *interface)
{
    int version = TPACKET_V3, one = 1;
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_SIZE,
        .tp_block_nr = BLOCKS,
        .tp_frame_size = FRAME_SIZE,
        .tp_frame_nr = BLOCK_SIZE / FRAME_SIZE * BLOCKS,
        .tp_retire_blk_tov = RETIRE_MS,
    };
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons (ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex (interface),
    };
    /* Protocol 0 until bound: no frame of another interface comes in between. */
    self->fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (self->fd < 0 || address.sll_ifindex == 0
        || setsockopt (self->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0
        || setsockopt (self->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0
        || setsockopt (self->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
        g_error ("cannot open a packet ring on %s: %s", interface, g_strerror (errno));
    self->ring =
        mmap (NULL, (gsize)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
    if (self->ring == MAP_FAILED
        || bind (self->fd, (struct sockaddr *)&address, sizeof address) != 0)
        g_error ("cannot listen on %s: %s", interface, g_strerror (errno));
}

static void
settle (Witness *self)
{
    gint64 until = g_get_monotonic_time () + SETTLE_MS * 1000;
    while (g_get_monotonic_time () < until) {
        struct pollfd fd = { .fd = self->fd, .events = POLLIN };
        if (!read_block (self))
            poll (&fd, 1, RETIRE_MS);
    }
    while (read_block (self))
        ;
}

int
main (int argc, char **argv)
{
    if (argc != 4) {
        fprintf (stderr, "usage: witness INTERFACE OUTPUT MARK\n");
        return 2;
    }
    Witness self = {
        .output = argv[2],
        .mark = argv[3],
        .classes = g_hash_table_new_full (class_hash, class_equal, g_free, NULL),
        .tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    };
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGUSR1);
    sigaddset (&signals, SIGTERM);
    sigprocmask (SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd (-1, &signals, SFD_CLOEXEC);
    open_ring (&self, argv[1]);
    printf ("ready\n");
    fflush (stdout);
    for (;;) {
        struct pollfd fds[] = { { .fd = self.fd, .events = POLLIN },
                                { .fd = signal_fd, .events = POLLIN } };
        if (poll (fds, G_N_ELEMENTS (fds), -1) < 0 && errno != EINTR)
            g_error ("poll: %s", g_strerror (errno));
        /* One block a turn: under a flood the signal must still be heard. */
        read_block (&self);
        if (fds[1].revents & POLLIN) {
            struct signalfd_siginfo info;
            if (read (signal_fd, &info, sizeof info) != sizeof info)
                continue;
            settle (&self);
            report (&self);
            if (info.ssi_signo == SIGTERM)
                break;
        }
    }
    g_hash_table_unref (self.classes);
    g_hash_table_unref (self.tags);
    return 0;
}
