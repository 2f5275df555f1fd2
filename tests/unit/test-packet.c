/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nflog.h"
#include "packet.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>

#define FROM4 "c0a80702" /* 192.168.7.2 */
#define TO4 "c6336409"   /* 198.51.100.9 */
#define FROM6 "20010db8000700000000000000000002"
#define TO6 "20010db8009900000000000000000009"
#define PORTS "303901bb" /* 12345 to 443 */

/* Whatever is behind the ports: nobody looks at it. */
#define REST "00000000"

static GByteArray *
bytes_of (const char *hex)
{
    GByteArray *bytes = g_byte_array_new ();

    for (const char *p = hex; *p != '\0'; p += 2) {
        guint8 byte = g_ascii_xdigit_value (p[0]) << 4 | g_ascii_xdigit_value (p[1]);

        g_byte_array_append (bytes, &byte, 1);
    }
    return bytes;
}

/* Of memory of exactly that size, so that valgrind and ASan see a read beyond it. */
static gboolean
parse (const guint8 *bytes, gsize size, BulkheadPacket *ret)
{
    g_autofree guint8 *copy = g_memdup2 (bytes, size);

    return bulkhead_packet_parse (copy, size, ret);
}

typedef struct {
    const char *name;
    const char *hex;
    const char *to; /* NULL: it is refused */
    guint8 protocol;
    guint16 source_port, port;
} Vector;

static const Vector vectors[] = {
    { "udp4", "450000240000400040110000" FROM4 TO4 PORTS REST, "198.51.100.9", 17, 12345, 443 },
    { "tcp4", "450000280000400040060000" FROM4 TO4 PORTS REST, "198.51.100.9", 6, 12345, 443 },
    { "tcp4-options", "4600002c0000400040060000" FROM4 TO4 "94040000" PORTS, "198.51.100.9", 6,
      12345, 443 },
    { "icmp4", "4500001c0000400040010000" FROM4 TO4 "0800f7ff", "198.51.100.9", 1, 0, 0 },
    { "sctp4", "450000200000400040840000" FROM4 TO4 PORTS REST, "198.51.100.9", 132, 0, 0 },
    { "first-piece4", "450000240001200040110000" FROM4 TO4 PORTS REST, "198.51.100.9", 17, 12345,
      443 },
    { "later-piece4", "450000240001000140110000" FROM4 TO4 PORTS REST, "198.51.100.9", 17, 0, 0 },
    { "udp4-no-ports", "450000140000400040110000" FROM4 TO4, "198.51.100.9", 17, 0, 0 },
    { "udp4-half-ports", "450000170000400040110000" FROM4 TO4 "303901", "198.51.100.9", 17, 0, 0 },
    { "options-cut-off", "4f0000240000400040110000" FROM4 TO4 PORTS REST, "198.51.100.9", 17, 0,
      0 },
    { "header-too-short", "440000240000400040110000" FROM4 TO4 PORTS REST, NULL },
    { "udp6", "60000000000c1140" FROM6 TO6 PORTS REST, "2001:db8:99::9", 17, 12345, 443 },
    { "tcp6", "6000000000140640" FROM6 TO6 PORTS REST, "2001:db8:99::9", 6, 12345, 443 },
    { "icmp6", "6000000000083a40" FROM6 TO6 "80000000", "2001:db8:99::9", 58, 0, 0 },
    { "hop-by-hop", "6000000000100040" FROM6 TO6 "1100050200000000" PORTS, "2001:db8:99::9", 17,
      12345, 443 },
    { "long-destination-options",
      "60000000001c3c40" FROM6 TO6 "060100000000000000000000000000"
      "00" PORTS,
      "2001:db8:99::9", 6, 12345, 443 },
    { "three-headers",
      "6000000000200040" FROM6 TO6 "2b00050200000000"
      "3c00000000000000"
      "1100000000000000" PORTS,
      "2001:db8:99::9", 17, 12345, 443 },
    { "authentication",
      "6000000000203340" FROM6 TO6 "1104000000000000000000000000000000000000"
      "00000000" PORTS,
      "2001:db8:99::9", 17, 12345, 443 },
    { "first-piece6", "6000000000182c40" FROM6 TO6 "1100000100000007" PORTS REST, "2001:db8:99::9",
      17, 12345, 443 },
    { "later-piece6", "6000000000182c40" FROM6 TO6 "1100000800000007" PORTS REST, "2001:db8:99::9",
      17, 0, 0 },
    /* What looks like a header there is the middle of something. */
    { "later-piece6-of-options",
      "6000000000182c40" FROM6 TO6 "3c00000800000007"
      "1100000000000000",
      "2001:db8:99::9", 60, 0, 0 },
    { "encrypted", "6000000000103240" FROM6 TO6 PORTS REST, "2001:db8:99::9", 50, 0, 0 },
    { "nothing-behind", "6000000000003b40" FROM6 TO6, "2001:db8:99::9", 59, 0, 0 },
    { "extension-cut-off", "6000000000100040" FROM6 TO6 "110005020000", NULL },
    { "extension-beyond", "6000000000100040" FROM6 TO6 "11ff050200000000" PORTS, "2001:db8:99::9",
      17, 0, 0 },
    { "second-extension-beyond", "6000000000100040" FROM6 TO6 "3cff050200000000" PORTS, NULL },
    { "no-version", "050000240000400040110000" FROM4 TO4 PORTS REST, NULL },
    { "arp", "0001080006040001", NULL },
    { "empty", "", NULL },
};

static void
test_vector (gconstpointer data)
{
    const Vector *vector = data;
    g_autoptr (GByteArray) bytes = bytes_of (vector->hex);
    g_autofree char *to = NULL;
    BulkheadPacket packet = { .protocol = 77 };
    gboolean taken = parse (bytes->data, bytes->len, &packet);

    g_assert_true (taken == (vector->to != NULL));
    if (!taken) {
        g_assert_cmpuint (packet.protocol, ==, 77);
        return;
    }
    to = bulkhead_address_to_string (&packet.destination);
    g_assert_cmpstr (to, ==, vector->to);
    g_assert_cmpuint (packet.protocol, ==, vector->protocol);
    g_assert_cmpuint (packet.source_port, ==, vector->source_port);
    g_assert_cmpuint (packet.port, ==, vector->port);
}

/* Cut anywhere it is refused, or says the same with the ports missing. */
static void
test_cut_short (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++) {
        g_autoptr (GByteArray) bytes = bytes_of (vectors[i].hex);
        BulkheadPacket whole;

        if (vectors[i].to == NULL)
            continue;
        g_assert_true (parse (bytes->data, bytes->len, &whole));
        for (gsize size = 0; size < bytes->len; size++) {
            BulkheadPacket cut;

            if (!parse (bytes->data, size, &cut))
                continue;
            g_assert_cmpuint (cut.protocol, ==, whole.protocol);
            g_assert_cmpint (bulkhead_address_compare (&cut.destination, &whole.destination), ==,
                             0);
            g_assert_true (cut.port == 0 || cut.port == whole.port);
        }
        g_assert_false (parse (bytes->data, 19, &whole));
    }
}

static void
test_names (void)
{
    static const struct {
        guint8 protocol;
        const char *name;
    } names[] = { { 6, "tcp" }, { 17, "udp" }, { 1, "icmp" }, { 58, "icmp" }, { 47, "47" } };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *name = bulkhead_packet_protocol_to_string (names[i].protocol);

        g_assert_cmpstr (name, ==, names[i].name);
    }
}

/* ---- the kernel's message around it ---- */

typedef struct {
    char bytes[512] __attribute__ ((aligned (NLMSG_ALIGNTO)));
} Buffer;

static struct nlmsghdr *
begin (Buffer *buffer, guint16 type)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);

    message->nlmsg_type = type;
    mnl_nlmsg_put_extra_header (message, sizeof (struct nfgenmsg));
    return message;
}

static void
put_payload (struct nlmsghdr *message)
{
    g_autoptr (GByteArray) bytes = bytes_of (vectors[0].hex);

    mnl_attr_put (message, NFULA_PAYLOAD, bytes->len, bytes->data);
}

static void
test_message (void)
{
    Buffer buffer;
    struct nlmsghdr *message = begin (&buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
    BulkheadNflogPacket seen;

    g_assert_false (bulkhead_nflog_parse (message, &seen));
    put_payload (message);
    g_assert_true (bulkhead_nflog_parse (message, &seen));
    g_assert_cmpuint (seen.uid, ==, G_MAXUINT32);
    mnl_attr_put_u32 (message, NFULA_UID, htonl (1000));
    g_assert_true (bulkhead_nflog_parse (message, &seen));
    g_assert_cmpuint (seen.uid, ==, 1000);
    g_assert_cmpuint (seen.packet.port, ==, 443);
}

static void
test_odd_messages (void)
{
    Buffer buffer;
    struct nlmsghdr *message = begin (&buffer, NFNL_SUBSYS_NFTABLES << 8 | NFULNL_MSG_PACKET);
    BulkheadNflogPacket seen;

    put_payload (message);
    g_assert_false (bulkhead_nflog_parse (message, &seen));
    message = begin (&buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
    mnl_attr_put_u16 (message, NFULA_UID, 7);
    put_payload (message);
    g_assert_true (bulkhead_nflog_parse (message, &seen));
    g_assert_cmpuint (seen.uid, ==, G_MAXUINT32);
    message = mnl_nlmsg_put_header (&buffer);
    message->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
    g_assert_false (bulkhead_nflog_parse (message, &seen));
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++) {
        g_autofree char *path = g_strconcat ("/packet/", vectors[i].name, NULL);

        g_test_add_data_func (path, &vectors[i], test_vector);
    }
    g_test_add_func ("/packet/cut-short", test_cut_short);
    g_test_add_func ("/packet/names", test_names);
    g_test_add_func ("/packet/message", test_message);
    g_test_add_func ("/packet/odd-messages", test_odd_messages);
    return g_test_run ();
}
