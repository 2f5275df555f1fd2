/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-watch.h"

#include "error.h"
#include "nft-describe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define RECEIVE_BUFFER (8 * 1024 * 1024)
#define MESSAGE_BUFFER (64 * 1024)
#define READS_AT_ONCE 256

struct _BulkheadNftWatch {
    struct mnl_socket *mnl;
    guint source;
    guint32 own_port;
    gboolean touched; /* by somebody else, in the transaction being told */
    BulkheadNftTouched callback;
    gpointer data;
};

typedef struct {
    guint32 pid;
    char program[32];
} Author;

static int
take_author (const struct nlattr *attribute, void *data)
{
    Author *author = data;

    if (mnl_attr_get_type (attribute) == NFTA_GEN_PROC_PID
        && mnl_attr_validate (attribute, MNL_TYPE_U32) == 0)
        author->pid = ntohl (mnl_attr_get_u32 (attribute));
    if (mnl_attr_get_type (attribute) == NFTA_GEN_PROC_NAME
        && mnl_attr_validate (attribute, MNL_TYPE_NUL_STRING) == 0)
        g_strlcpy (author->program, mnl_attr_get_str (attribute), sizeof author->program);
    return MNL_CB_OK;
}

/* The generation's message ends a transaction and names its author. Of several that touched us the
 * first is named; who only changed other tables meanwhile is not. */
static void
take_message (BulkheadNftWatch *watch, const struct nlmsghdr *message, Author *author)
{
    BulkheadFamily family;
    char name[NFT_NAME_MAXLEN];
    guint32 flags;

    if (message->nlmsg_pid == watch->own_port)
        return;
    if (NFNL_MSG_TYPE (message->nlmsg_type) == NFT_MSG_NEWGEN) {
        if (watch->touched && author->pid == 0)
            mnl_attr_parse (message, sizeof (struct nfgenmsg), take_author, author);
        return;
    }
    watch->touched |= bulkhead_describe_identify (message, &family, name, sizeof name, &flags);
}

/* All that is there to read is one touch, so that a loop of changes cannot keep us from the rest;
 * what comes later is read later. */
static gboolean
on_readable_cb (int fd, GIOCondition condition, gpointer data)
{
    BulkheadNftWatch *watch = data;
    g_autofree guint8 *buffer = g_malloc (MESSAGE_BUFFER);
    Author author = { 0 };
    gboolean overflow = FALSE;

    for (guint reads = 0; reads < READS_AT_ONCE; reads++) {
        ssize_t n = recv (fd, buffer, MESSAGE_BUFFER, MSG_DONTWAIT);
        int left = n;

        if (n < 0 && errno == ENOBUFS)
            overflow = TRUE;
        else if (n <= 0)
            break;
        for (const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
             mnl_nlmsg_ok (message, left); message = mnl_nlmsg_next (message, &left))
            take_message (watch, message, &author);
    }
    if (watch->touched || overflow) {
        watch->touched = FALSE;
        watch->callback (author.pid, author.program, watch->data);
    }
    return G_SOURCE_CONTINUE;
}

BulkheadNftWatch *
bulkhead_nft_watch_new (guint32 own_port, BulkheadNftTouched touched, gpointer data, GError **error)
{
    g_autoptr (BulkheadNftWatch) watch = g_new0 (BulkheadNftWatch, 1);
    const int receive_buffer = RECEIVE_BUFFER, group = NFNLGRP_NFTABLES;

    watch->mnl = mnl_socket_open2 (NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (watch->mnl == NULL || mnl_socket_bind (watch->mnl, 0, MNL_SOCKET_AUTOPID) < 0
        || mnl_socket_setsockopt (watch->mnl, NETLINK_ADD_MEMBERSHIP, (void *)&group, sizeof group)
               < 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_KERNEL_REFUSED,
                     "changes of rules cannot be watched: %s", g_strerror (errno));
        return NULL;
    }
    setsockopt (mnl_socket_get_fd (watch->mnl), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer,
                sizeof receive_buffer);
    watch->own_port = own_port;
    watch->callback = touched;
    watch->data = data;
    watch->source = g_unix_fd_add_full (G_PRIORITY_DEFAULT, mnl_socket_get_fd (watch->mnl), G_IO_IN,
                                        on_readable_cb, watch, NULL);
    return g_steal_pointer (&watch);
}

void
bulkhead_nft_watch_free (BulkheadNftWatch *watch)
{
    if (watch->source != 0)
        g_source_remove (watch->source);
    if (watch->mnl != NULL)
        mnl_socket_close (watch->mnl);
    g_free (watch);
}
