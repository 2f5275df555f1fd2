/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-socket.h"

#include "error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/* A batch is one message to the kernel and must fit: 100,000 IPv6 ranges are about 12 MiB. Only
 * what is used is taken. */
#define SEND_BUFFER (128 * 1024 * 1024)
#define RECEIVE_BUFFER (8 * 1024 * 1024)
#define DUMP_BUFFER (64 * 1024)

struct _BulkheadNftSocket {
    struct mnl_socket *mnl;
    guint32 seq;
    guint8 *buffer; /* DUMP_BUFFER */
};

BulkheadNftSocket *
bulkhead_nft_socket_new (GError **error)
{
    g_autoptr (BulkheadNftSocket) nft = g_new0 (BulkheadNftSocket, 1);
    const int send_buffer = SEND_BUFFER, receive_buffer = RECEIVE_BUFFER, on = 1;
    int fd;

    nft->buffer = g_malloc (DUMP_BUFFER);
    nft->seq = 1;
    nft->mnl = mnl_socket_open2 (NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (nft->mnl == NULL || mnl_socket_bind (nft->mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED,
                     "no netfilter netlink socket: %s", g_strerror (errno));
        return NULL;
    }
    fd = mnl_socket_get_fd (nft->mnl);
    /* Without CAP_NET_ADMIN over the host (a user namespace) the ordinary limits stay. */
    setsockopt (fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer);
    setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer);
    mnl_socket_setsockopt (nft->mnl, NETLINK_CAP_ACK, (void *)&on, sizeof on);
    return g_steal_pointer (&nft);
}

void
bulkhead_nft_socket_free (BulkheadNftSocket *nft)
{
    if (nft->mnl != NULL)
        mnl_socket_close (nft->mnl);
    g_free (nft->buffer);
    g_free (nft);
}

guint32
bulkhead_nft_socket_port (BulkheadNftSocket *nft)
{
    return mnl_socket_get_portid (nft->mnl);
}

guint32
bulkhead_nft_socket_take_seq (BulkheadNftSocket *nft, guint count)
{
    guint32 seq = nft->seq;

    nft->seq += count;
    return seq;
}

/* ---- transactions ---- */

typedef struct {
    guint32 first, last; /* sequence numbers of the batch */
    gboolean heard;      /* the last message was acknowledged or something was refused */
    int error;           /* the first refusal */
    guint32 error_seq;
} Answers;

static void
take_answer (const struct nlmsghdr *message, Answers *answers)
{
    const struct nlmsgerr *answer = mnl_nlmsg_get_payload (message);

    if (message->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len (message) < sizeof *answer
        || message->nlmsg_seq - answers->first > answers->last - answers->first)
        return;
    answers->heard = TRUE;
    if (answer->error == 0 || answers->error != 0)
        return;
    answers->error = -answer->error;
    answers->error_seq = message->nlmsg_seq;
}

/* The kernel has answered everything by the time the message is sent: nothing to wait for. */
static void
take_answers (BulkheadNftSocket *nft, Answers *answers)
{
    int fd = mnl_socket_get_fd (nft->mnl);

    for (guint errors = 0; errors < 16;) {
        ssize_t n = recv (fd, nft->buffer, DUMP_BUFFER, MSG_DONTWAIT);
        int left = n;

        if (n < 0 && (errno == EINTR || errno == ENOBUFS)) {
            errors++;
            continue;
        }
        if (n <= 0)
            return;
        for (const struct nlmsghdr *message = (const struct nlmsghdr *)nft->buffer;
             mnl_nlmsg_ok (message, left); message = mnl_nlmsg_next (message, &left))
            take_answer (message, answers);
    }
}

int
bulkhead_nft_socket_transact (BulkheadNftSocket *nft, const BulkheadBatch *batch, guint32 *ret_seq)
{
    const struct nlmsghdr *begin = (const struct nlmsghdr *)batch->bytes->data;
    Answers answers = { .first = begin->nlmsg_seq, .last = batch->seq };

    *ret_seq = answers.first;
    if (mnl_socket_sendto (nft->mnl, batch->bytes->data, batch->bytes->len) < 0)
        return errno;
    take_answers (nft, &answers);
    *ret_seq = answers.error_seq;
    if (answers.error != 0)
        return answers.error;
    return answers.heard ? 0 : EPROTO;
}

/* ---- dumps ---- */

/* The end of a dump may carry an error. */
static int
done_status (const struct nlmsghdr *message)
{
    const int *status = mnl_nlmsg_get_payload (message);

    if (mnl_nlmsg_get_payload_len (message) < sizeof *status || *status >= 0)
        return 0;
    errno = -*status;
    return -1;
}

/* 1: more to come, 0: done, -1: errno. */
static int
take_dump (const guint8 *buffer, int left, guint32 seq, BulkheadNftMessage each, gpointer data,
           gboolean *interrupted)
{
    for (const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
         mnl_nlmsg_ok (message, left); message = mnl_nlmsg_next (message, &left)) {
        if (message->nlmsg_seq != seq)
            continue;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            *interrupted = TRUE;
        if (message->nlmsg_type == NLMSG_DONE)
            return done_status (message);
        if (message->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *answer = mnl_nlmsg_get_payload (message);
            errno = -answer->error;
            return errno == 0 ? 0 : -1;
        }
        each (message, data);
        if (!(message->nlmsg_flags & NLM_F_MULTI))
            return 0;
    }
    return 1;
}

static gboolean
request (BulkheadNftSocket *nft, struct nlmsghdr *message, BulkheadNftMessage each, gpointer data)
{
    gboolean interrupted = FALSE;
    int more = 1;

    message->nlmsg_seq = bulkhead_nft_socket_take_seq (nft, 1);
    if (mnl_socket_sendto (nft->mnl, message, message->nlmsg_len) < 0)
        return FALSE;
    while (more == 1) {
        ssize_t n = mnl_socket_recvfrom (nft->mnl, nft->buffer, DUMP_BUFFER);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        more = take_dump (nft->buffer, n, message->nlmsg_seq, each, data, &interrupted);
    }
    if (more == 0 && interrupted)
        errno = EINTR;
    return more == 0 && !interrupted;
}

static struct nlmsghdr *
request_new (char *buffer, guint16 type, guint8 family, guint16 flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct nfgenmsg *head;

    message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    head = mnl_nlmsg_put_extra_header (message, sizeof *head);
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    return message;
}

gboolean
bulkhead_nft_socket_dump (BulkheadNftSocket *nft, guint16 type, guint8 family, const char *table,
                          const char *name, BulkheadNftMessage each, gpointer data)
{
    char buffer[1024];
    struct nlmsghdr *message = request_new (buffer, type, family, NLM_F_DUMP);

    G_STATIC_ASSERT (NFTA_RULE_TABLE == 1 && NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1
                     && NFTA_RULE_CHAIN == 2 && NFTA_SET_ELEM_LIST_SET == 2);
    if (table != NULL)
        mnl_attr_put_strz (message, NFTA_SET_ELEM_LIST_TABLE, table);
    if (name != NULL)
        mnl_attr_put_strz (message, NFTA_SET_ELEM_LIST_SET, name);
    return request (nft, message, each, data);
}

static int
take_generation (const struct nlattr *attribute, void *data)
{
    guint32 *generation = data;

    if (mnl_attr_get_type (attribute) == NFTA_GEN_ID
        && mnl_attr_validate (attribute, MNL_TYPE_U32) == 0)
        *generation = ntohl (mnl_attr_get_u32 (attribute));
    return MNL_CB_OK;
}

static void
on_generation (const struct nlmsghdr *message, gpointer data)
{
    mnl_attr_parse (message, sizeof (struct nfgenmsg), take_generation, data);
}

guint32
bulkhead_nft_socket_generation (BulkheadNftSocket *nft, GError **error)
{
    char buffer[256];
    guint32 generation = 0;

    if (!request (nft, request_new (buffer, NFT_MSG_GETGEN, AF_UNSPEC, 0), on_generation,
                  &generation)
        || generation == 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED,
                     "the kernel has no nf_tables: %s", g_strerror (errno));
        return 0;
    }
    return generation;
}
