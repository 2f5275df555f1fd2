/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conntrack.h"

#include "error.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define WORK_MAX (2 * G_USEC_PER_SEC)
#define TIME_MAX (15 * G_USEC_PER_SEC) /* half of what the watchdog waits for at least */
#define SILENCE_MAX 2                  /* seconds */
#define PASSES_MAX 3                   /* a dump of a table that changes may miss some */
#define DUMP_SIZE (32 * 1024)          /* the most that the kernel puts in one piece */
#define BATCH_SIZE (16 * 1024) /* so few that all answers fit in a socket's default buffer */
#define ANSWERS_SIZE (32 * 1024)
#define MESSAGE_MAX 512 /* of one deletion */

typedef struct nf_conntrack Conntrack;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Conntrack, nfct_destroy)

typedef struct {
    GArray *kept; /* of BulkheadAddress: the trusted tunnels' own */
    struct mnl_socket *table;
    struct mnl_socket *deletions;
    gint64 work_end; /* by work_time() */
    gint64 end;      /* by the clock */
    guint32 sequence;
    char *dump;
    char *answers;
    char *batch; /* deletions not yet sent */
    gsize batch_size;
    struct nlmsghdr *last; /* of the batch */
    guint deleted;         /* in this pass */
    gboolean lost;         /* in this pass: the kernel could not tell us all */
    int refused;           /* errno of a deletion in this pass, or 0 */
} Cut;

static void
cut_clear (Cut *cut)
{
    g_clear_pointer (&cut->kept, g_array_unref);
    g_free (cut->dump);
    g_free (cut->answers);
    g_free (cut->batch);
    if (cut->table != NULL)
        mnl_socket_close (cut->table);
    if (cut->deletions != NULL)
        mnl_socket_close (cut->deletions);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cut, cut_clear)

static gboolean
fail (GError **error, const char *what, int reason)
{
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED, "connection table: %s: %s",
                 what, g_strerror (reason));
    return FALSE;
}

/* The kernel without nfnetlink, or without its connection tracking part. */
static gboolean
means_absent (int reason)
{
    return reason == EPROTONOSUPPORT || reason == EOPNOTSUPP || reason == EINVAL;
}

/* µs this thread had a processor, the kernel's part for us within: on a busy machine we wait for
 * others most of the time, and that must not cut our work short. */
static gint64
work_time (void)
{
    struct timespec time;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
    return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* NULL and errno. */
static struct mnl_socket *
open_socket (void)
{
    struct mnl_socket *socket = mnl_socket_open2 (NETLINK_NETFILTER, SOCK_CLOEXEC);
    const struct timeval patience = { .tv_sec = SILENCE_MAX };
    int fd;

    if (socket == NULL)
        return NULL;
    fd = mnl_socket_get_fd (socket);
    if (mnl_socket_bind (socket, 0, MNL_SOCKET_AUTOPID) == 0
        && setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        return socket;
    mnl_socket_close (socket);
    return NULL;
}

/* Returns: the length, or -1 and errno: ETIMEDOUT when the kernel is silent or our time over. */
static gssize
receive (Cut *cut, struct mnl_socket *socket, char *buffer, gsize size)
{
    gssize length = -1;

    errno = EINTR;
    while (length < 0 && errno == EINTR && work_time () < cut->work_end
           && g_get_monotonic_time () < cut->end)
        length = mnl_socket_recvfrom (socket, buffer, size);
    if (length < 0 && errno == ENOBUFS)
        cut->lost = TRUE;
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        errno = ETIMEDOUT;
    return length;
}

static GArray *
collect_tunnel_addresses (const BulkheadNet *net, const BulkheadPolicy *policy)
{
    GArray *addresses = g_array_new (FALSE, FALSE, sizeof (BulkheadAddress));

    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = policy->tunnels->pdata[i];
        const BulkheadLink *link = bulkhead_net_find_link (net, tunnel->interface);

        for (guint j = 0; link != NULL && j < link->addresses->len; j++)
            g_array_append_val (addresses,
                                g_array_index (link->addresses, BulkheadPrefix, j).address);
    }
    return addresses;
}

static BulkheadAddress
get_address (const Conntrack *entry, enum nf_conntrack_attr ipv4, enum nf_conntrack_attr ipv6)
{
    BulkheadAddress address = { .family = G_SOCKET_FAMILY_IPV4 };
    const void *bytes = nfct_get_attr (entry, ipv4);

    if (bytes == NULL) {
        address.family = G_SOCKET_FAMILY_IPV6;
        bytes = nfct_get_attr (entry, ipv6);
    }
    if (bytes != NULL)
        memcpy (address.bytes, bytes, bulkhead_address_size (&address));
    return address;
}

static gboolean
is_kept_address (const Cut *cut, const BulkheadAddress *address)
{
    for (guint i = 0; i < cut->kept->len; i++)
        if (bulkhead_address_compare (&g_array_index (cut->kept, BulkheadAddress, i), address) == 0)
            return TRUE;
    return FALSE;
}

/*
 * A flow goes through a tunnel when its packets leave with the tunnel's address, or came to it.
 * The source a program bound to says nothing: it may be translated to the uplink's.
 */
static gboolean
is_kept (const Cut *cut, const Conntrack *entry)
{
    BulkheadAddress from = get_address (entry, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC);
    BulkheadAddress called = get_address (entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST);
    BulkheadAddress to = get_address (entry, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC);
    BulkheadAddress sent_as = get_address (entry, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST);

    return is_kept_address (cut, &sent_as) || is_kept_address (cut, &called)
           || (bulkhead_address_is_loopback (&from) && bulkhead_address_is_loopback (&to));
}

/* Reads one piece of answers. TRUE in @ret_done: the last deletion's is among them. */
static gboolean
read_answers (Cut *cut, gboolean *ret_done)
{
    gssize length = receive (cut, cut->deletions, cut->answers, ANSWERS_SIZE);
    int remaining = length;

    if (length < 0)
        return FALSE;
    for (const struct nlmsghdr *message = (const void *)cut->answers;
         mnl_nlmsg_ok (message, remaining); message = mnl_nlmsg_next (message, &remaining)) {
        const struct nlmsgerr *answer = mnl_nlmsg_get_payload (message);

        if (message->nlmsg_type != NLMSG_ERROR)
            continue;
        if (answer->error != 0 && answer->error != -ENOENT)
            cut->refused = -answer->error;
        if (message->nlmsg_seq == cut->sequence)
            *ret_done = TRUE;
    }
    return TRUE;
}

/* Answers come for what failed, and for the last deletion, which asks for one. */
static gboolean
flush_deletions (Cut *cut, GError **error)
{
    gboolean done = cut->batch_size == 0;

    if (done)
        return TRUE;
    cut->last->nlmsg_flags |= NLM_F_ACK;
    if (mnl_socket_sendto (cut->deletions, cut->batch, cut->batch_size) < 0)
        return fail (error, "cannot delete", errno);
    cut->batch_size = 0;
    while (!done) {
        if (read_answers (cut, &done))
            continue;
        /* Lost answers: the next pass sees what is left. */
        return errno == ENOBUFS || fail (error, "no answer to a deletion", errno);
    }
    return TRUE;
}

static gboolean
delete_entry (Cut *cut, const Conntrack *entry, GError **error)
{
    g_autoptr (Conntrack) key = nfct_new ();
    struct nlmsghdr *message = (void *)(cut->batch + cut->batch_size);
    struct nfgenmsg *header;

    nfct_copy (key, entry, NFCT_CP_ORIG);
    nfct_copy_attr (key, entry, ATTR_ID);
    nfct_copy_attr (key, entry, ATTR_ZONE);
    mnl_nlmsg_put_header (message);
    message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = ++cut->sequence;
    header = mnl_nlmsg_put_extra_header (message, sizeof *header);
    header->nfgen_family = nfct_get_attr_u8 (entry, ATTR_ORIG_L3PROTO);
    header->version = NFNETLINK_V0;
    nfct_nlmsg_build (message, key);
    cut->last = message;
    cut->batch_size += MNL_ALIGN (message->nlmsg_len);
    cut->deleted++;
    return cut->batch_size + MESSAGE_MAX <= BATCH_SIZE || flush_deletions (cut, error);
}

static gboolean
ask_for_table (Cut *cut, GError **error)
{
    char request[MNL_ALIGN (sizeof (struct nlmsghdr)) + MNL_ALIGN (sizeof (struct nfgenmsg))]
        __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header (request);
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header (message, sizeof *header);

    message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message->nlmsg_seq = ++cut->sequence;
    header->nfgen_family = AF_UNSPEC;
    header->version = NFNETLINK_V0;
    if (mnl_socket_sendto (cut->table, message, message->nlmsg_len) < 0)
        return fail (error, "cannot read", errno);
    return TRUE;
}

/* One message of the dump. @ret_done: it was the last. */
static gboolean
handle_entry (Cut *cut, const struct nlmsghdr *message, gboolean *ret_done, GError **error)
{
    g_autoptr (Conntrack) entry = NULL;

    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        cut->lost = TRUE;
    if (message->nlmsg_type == NLMSG_DONE) {
        *ret_done = TRUE;
        return TRUE;
    }
    if (message->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *answer = mnl_nlmsg_get_payload (message);

        *ret_done = means_absent (-answer->error);
        return *ret_done || fail (error, "cannot read", -answer->error);
    }
    entry = nfct_new ();
    if (nfct_nlmsg_parse (message, entry) < 0)
        return fail (error, "an entry that cannot be understood", EBADMSG);
    return is_kept (cut, entry) || delete_entry (cut, entry, error);
}

static gboolean
run_pass (Cut *cut, GError **error)
{
    gboolean done = FALSE;

    cut->deleted = 0;
    cut->refused = 0;
    cut->lost = FALSE;
    if (!ask_for_table (cut, error))
        return FALSE;
    while (!done) {
        gssize length = receive (cut, cut->table, cut->dump, DUMP_SIZE);
        int remaining = length;

        if (length < 0 && errno == ENOBUFS)
            continue;
        if (length < 0)
            return fail (error, "cannot read", errno);
        for (const struct nlmsghdr *message = (const void *)cut->dump;
             !done && mnl_nlmsg_ok (message, remaining);
             message = mnl_nlmsg_next (message, &remaining))
            if (!handle_entry (cut, message, &done, error))
                return FALSE;
    }
    return flush_deletions (cut, error);
}

gboolean
bulkhead_conntrack_cut (const BulkheadNet *net, const BulkheadPolicy *policy, GError **error)
{
    g_auto (Cut) cut = { 0 };

    cut.work_end = work_time () + WORK_MAX;
    cut.end = g_get_monotonic_time () + TIME_MAX;
    cut.table = open_socket ();
    cut.deletions = cut.table != NULL ? open_socket () : NULL;
    if (cut.deletions == NULL)
        return means_absent (errno) || fail (error, "cannot open", errno);
    cut.kept = collect_tunnel_addresses (net, policy);
    cut.dump = g_malloc (DUMP_SIZE);
    cut.answers = g_malloc (ANSWERS_SIZE);
    cut.batch = g_malloc0 (BATCH_SIZE);
    for (guint pass = 0; pass < PASSES_MAX; pass++) {
        if (!run_pass (&cut, error))
            return FALSE;
        if (cut.deleted == 0 && !cut.lost)
            return TRUE;
    }
    /* Allowed flows come back all the time; what the kernel would not give up is another thing. */
    if (cut.refused != 0)
        return fail (error, "an entry stays", cut.refused);
    return !cut.lost || fail (error, "cannot read", EINTR);
}
