/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nflog.h"

#include "error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#define COPY 128 /* bytes of a packet: the longest IPv4 header or a few of IPv6, and the ports */
#define READS_AT_ONCE 64 /* four times what the rules log in a second */
#define BUFFER_SIZE 4096 /* far longer than a message with so little of a packet */
#define REST_MS 1000
#define SEQUENCE 1

struct _BulkheadNflog {
    struct mnl_socket *mnl;
    guint source; /* the socket, or the timer while it is left alone */
    BulkheadNflogLook look;
    gpointer data;
};

static int
collect_cb (const struct nlattr *attribute, void *data)
{
    const struct nlattr **of = data;
    guint16 type = mnl_attr_get_type (attribute);

    if (type <= NFULA_MAX)
        of[type] = attribute;
    return MNL_CB_OK;
}

gboolean
bulkhead_nflog_parse (const struct nlmsghdr *message, BulkheadNflogPacket *ret)
{
    const struct nlattr *of[NFULA_MAX + 1] = { 0 };
    const struct nlattr *uid;

    if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)
        || mnl_nlmsg_get_payload_len (message) < sizeof (struct nfgenmsg))
        return FALSE;
    mnl_attr_parse (message, sizeof (struct nfgenmsg), collect_cb, of);
    uid = of[NFULA_UID];
    if (of[NFULA_PAYLOAD] == NULL
        || !bulkhead_packet_parse (mnl_attr_get_payload (of[NFULA_PAYLOAD]),
                                   mnl_attr_get_payload_len (of[NFULA_PAYLOAD]), &ret->packet))
        return FALSE;
    ret->uid = uid != NULL && mnl_attr_validate (uid, MNL_TYPE_U32) == 0
                   ? ntohl (mnl_attr_get_u32 (uid))
                   : G_MAXUINT32;
    return TRUE;
}

/* A full buffer lost packets that nobody can get back: there is nothing to do about it. */
static GArray *
read_packets (BulkheadNflog *nflog)
{
    GArray *packets = g_array_new (FALSE, FALSE, sizeof (BulkheadNflogPacket));
    char buffer[BUFFER_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));

    for (guint i = 0; i < READS_AT_ONCE; i++) {
        ssize_t n = recv (mnl_socket_get_fd (nflog->mnl), buffer, sizeof buffer, MSG_DONTWAIT);
        int left = n;

        if (n < 0 && errno == EAGAIN)
            break;
        for (const struct nlmsghdr *message = (const void *)buffer; mnl_nlmsg_ok (message, left);
             message = mnl_nlmsg_next (message, &left)) {
            BulkheadNflogPacket packet;

            if (bulkhead_nflog_parse (message, &packet))
                g_array_append_val (packets, packet);
        }
    }
    return packets;
}

static gboolean
look (BulkheadNflog *nflog)
{
    g_autoptr (GArray) packets = read_packets (nflog);

    return nflog->look (packets, nflog->data) || packets->len > 0;
}

static void listen_for_first (BulkheadNflog *nflog);

static gboolean
on_rest_over_cb (gpointer data)
{
    BulkheadNflog *nflog = data;

    if (look (nflog))
        return G_SOURCE_CONTINUE;
    listen_for_first (nflog);
    return G_SOURCE_REMOVE;
}

static gboolean
on_first_cb (int fd, GIOCondition condition, gpointer data)
{
    BulkheadNflog *nflog = data;

    look (nflog);
    nflog->source = g_timeout_add (REST_MS, on_rest_over_cb, nflog);
    return G_SOURCE_REMOVE;
}

static void
listen_for_first (BulkheadNflog *nflog)
{
    nflog->source = g_unix_fd_add (mnl_socket_get_fd (nflog->mnl), G_IO_IN, on_first_cb, nflog);
}

/* Every packet is sent as it comes: what waits, waits in the socket. Returns: 0 or an errno
 * value. */
static int
bind_group (BulkheadNflog *nflog, guint16 group)
{
    char buffer[BUFFER_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header (message, sizeof *head);
    struct nfulnl_msg_config_cmd command = { .command = NFULNL_CFG_CMD_BIND };
    struct nfulnl_msg_config_mode mode = { .copy_range = htonl (COPY),
                                           .copy_mode = NFULNL_COPY_PACKET };
    int result = MNL_CB_OK;

    message->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    message->nlmsg_seq = SEQUENCE;
    head->nfgen_family = AF_UNSPEC;
    head->res_id = htons (group);
    mnl_attr_put (message, NFULA_CFG_CMD, sizeof command, &command);
    mnl_attr_put (message, NFULA_CFG_MODE, sizeof mode, &mode);
    mnl_attr_put_u32 (message, NFULA_CFG_QTHRESH, htonl (1));
    if (mnl_socket_sendto (nflog->mnl, message, message->nlmsg_len) < 0)
        return errno;
    /* The kernel has answered by now; the first packets may be there before the answer. */
    while (result == MNL_CB_OK) {
        ssize_t n = recv (mnl_socket_get_fd (nflog->mnl), buffer, sizeof buffer, MSG_DONTWAIT);

        if (n < 0)
            return errno;
        result = mnl_cb_run (buffer, n, SEQUENCE, mnl_socket_get_portid (nflog->mnl), NULL, NULL);
    }
    return result == MNL_CB_ERROR ? errno : 0;
}

BulkheadNflog *
bulkhead_nflog_new (guint16 group, BulkheadNflogLook look_func, gpointer data, GError **error)
{
    g_autoptr (BulkheadNflog) nflog = g_new0 (BulkheadNflog, 1);
    int failure;

    nflog->look = look_func;
    nflog->data = data;
    nflog->mnl = mnl_socket_open2 (NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (nflog->mnl == NULL || mnl_socket_bind (nflog->mnl, 0, MNL_SOCKET_AUTOPID) < 0)
        failure = errno;
    else
        failure = bind_group (nflog, group);
    if (failure != 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED,
                     "what is blocked cannot be told: nflog group %u: %s", group,
                     failure == EPERM ? "not permitted, or another program hears it"
                                      : g_strerror (failure));
        return NULL;
    }
    listen_for_first (nflog);
    return g_steal_pointer (&nflog);
}

void
bulkhead_nflog_free (BulkheadNflog *nflog)
{
    if (nflog->source != 0)
        g_source_remove (nflog->source);
    if (nflog->mnl != NULL)
        mnl_socket_close (nflog->mnl);
    g_free (nflog);
}
