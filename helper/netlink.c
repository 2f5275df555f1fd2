/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "netlink.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BUFFER_SIZE 32768 /* the kernel never makes a longer dump message */
#define ANSWER_US 200000
#define SEQUENCE 1

/* libmnl takes every NLMSG_DONE for success; a dump that failed half way says so in there. */
static int
on_done_cb (const struct nlmsghdr *message, void *data)
{
    const int *result = mnl_nlmsg_get_payload (message);

    if (mnl_nlmsg_get_payload_len (message) < sizeof *result || *result >= 0)
        return MNL_CB_STOP;
    errno = -*result;
    return MNL_CB_ERROR;
}

/* Also the acknowledgement, whose error is 0. Parts of the kernel give it the other sign. */
static int
on_error_cb (const struct nlmsghdr *message, void *data)
{
    const struct nlmsgerr *answer = mnl_nlmsg_get_payload (message);

    errno = mnl_nlmsg_get_payload_len (message) < sizeof *answer ? EBADMSG : ABS (answer->error);
    return errno == 0 ? MNL_CB_STOP : MNL_CB_ERROR;
}

static int
receive (struct mnl_socket *socket, mnl_cb_t cb, void *data)
{
    /* libmnl has no handlers of its own for what is in the range of ours. */
    mnl_cb_t controls[] = { [NLMSG_ERROR] = on_error_cb, [NLMSG_DONE] = on_done_cb };
    char buffer[BUFFER_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    int result = MNL_CB_OK;
    int error = 0;

    while (result == MNL_CB_OK) {
        ssize_t length = mnl_socket_recvfrom (socket, buffer, sizeof buffer);

        result = MNL_CB_ERROR;
        if (length >= 0)
            result = mnl_cb_run2 (buffer, length, SEQUENCE, mnl_socket_get_portid (socket), cb,
                                  data, controls, G_N_ELEMENTS (controls));
        error = errno;
        explicit_bzero (buffer, sizeof buffer);
    }
    return result == MNL_CB_ERROR ? error : 0;
}

int
bulkhead_netlink_ask (int bus, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
    struct mnl_socket *socket = mnl_socket_open2 (bus, SOCK_CLOEXEC);
    struct timeval patience = { .tv_usec = ANSWER_US };
    int on = 1;
    int error;

    if (socket == NULL)
        return errno;
    /* Strict checking keeps cached routes out of dumps. Linux before 4.20 has none. */
    if (bus == NETLINK_ROUTE)
        mnl_socket_setsockopt (socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);

    request->nlmsg_seq = SEQUENCE;
    if (setsockopt (mnl_socket_get_fd (socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience)
            < 0
        || mnl_socket_bind (socket, 0, MNL_SOCKET_AUTOPID) < 0
        || mnl_socket_sendto (socket, request, request->nlmsg_len) < 0)
        error = errno;
    else
        error = receive (socket, cb, data);
    mnl_socket_close (socket);
    return error;
}
