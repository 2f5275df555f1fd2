/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wireguard.h"

#include "error.h"
#include "netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ATTEMPTS_MAX 5
#define ANSWER_US 200000
#define REQUEST_SIZE 128
#define REPLY_SIZE (4 * 1024 * 1024)

static gboolean
fail (GError **error, const char *what, int number)
{
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED, "%s: %s", what, g_strerror (number));
    return FALSE;
}

static int
on_family_attribute_cb (const struct nlattr *attribute, void *data)
{
    guint16 *family = data;

    if (mnl_attr_get_type (attribute) == CTRL_ATTR_FAMILY_ID
        && mnl_attr_validate (attribute, MNL_TYPE_U16) == 0)
        *family = mnl_attr_get_u16 (attribute);
    return MNL_CB_OK;
}

static int
on_family_cb (const struct nlmsghdr *message, void *data)
{
    return mnl_attr_parse (message, GENL_HDRLEN, on_family_attribute_cb, data);
}

static struct nlmsghdr *
make_request (char *buffer, guint16 type, guint16 flags, guint8 command)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header (buffer);
    struct genlmsghdr *generic = mnl_nlmsg_put_extra_header (request, sizeof *generic);

    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_REQUEST | flags;
    generic->cmd = command;
    generic->version = 1;
    return request;
}

/* The number of a family is given when its module is loaded. Returns: 0 or an errno value. */
static int
find_family (guint16 *ret)
{
    char buffer[REQUEST_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *request = make_request (buffer, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);

    mnl_attr_put_strz (request, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
    return bulkhead_netlink_ask (NETLINK_GENERIC, request, on_family_cb, ret);
}

static int
on_message_cb (const struct nlmsghdr *message, void *data)
{
    if (bulkhead_wireguard_parse_message ((guint8 *)message, message->nlmsg_len, data, NULL))
        return MNL_CB_OK;
    errno = EPROTO;
    return MNL_CB_ERROR;
}

static BulkheadWireguard *
read_kernel (const char *interface, GError **error)
{
    char buffer[REQUEST_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    guint16 family = 0;
    int failure = find_family (&family);

    if (failure != 0) {
        fail (error, "no netlink family", failure);
        return NULL;
    }
    failure = EINTR;
    for (int i = 0; failure == EINTR && i < ATTEMPTS_MAX; i++) {
        g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new (interface);
        struct nlmsghdr *request = make_request (buffer, family, NLM_F_DUMP, WG_CMD_GET_DEVICE);

        mnl_attr_put_strz (request, WGDEVICE_A_IFNAME, interface);
        failure = bulkhead_netlink_ask (NETLINK_GENERIC, request, on_message_cb, wireguard);
        if (failure == 0)
            return g_steal_pointer (&wireguard);
    }
    /* Gone meanwhile, or another link of that name by now. */
    if (failure != ENODEV && failure != EOPNOTSUPP)
        fail (error, "cannot read device", failure);
    return NULL;
}

/*
 * Returns: a connected socket; -1 without an error when no WireGuard listens. Only root's sockets
 * count, and no symbolic links: what is read here becomes a hole in the lock.
 */
static int
connect_userspace (const char *interface, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;
    int failure;
    int fd;

    g_snprintf (address.sun_path, sizeof address.sun_path, "/var/run/wireguard/%s.sock", interface);
    if (lstat (address.sun_path, &status) < 0 || !S_ISSOCK (status.st_mode) || status.st_uid != 0)
        return -1;
    fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect (fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    failure = errno;
    if (fd >= 0)
        close (fd);
    /* The file outlives its program. */
    if (failure != ENOENT && failure != ECONNREFUSED)
        fail (error, "cannot connect", failure);
    return -1;
}

/* A reply ends in a blank line. What came before a failure is in @buffer, @ret_length bytes. */
static gboolean
receive_reply (int fd, char *buffer, gsize *ret_length, GError **error)
{
    const gint64 deadline = g_get_monotonic_time () + ANSWER_US;
    gsize length = 0;

    *ret_length = 0;
    while (length < 2 || memcmp (buffer + length - 2, "\n\n", 2) != 0) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        gint64 left = deadline - g_get_monotonic_time ();
        ssize_t received;

        if (left <= 0)
            return fail (error, "reply", ETIMEDOUT);
        if (length == REPLY_SIZE)
            return fail (error, "reply", EMSGSIZE);
        poll (&wait, 1, (left + 999) / 1000);
        received = recv (fd, buffer + length, REPLY_SIZE - length, 0);
        if (received == 0)
            return TRUE;
        if (received < 0 && errno != EAGAIN && errno != EINTR)
            return fail (error, "reply", errno);
        length += MAX (received, 0);
        *ret_length = length;
    }
    return TRUE;
}

static BulkheadWireguard *
read_userspace (const char *interface, GError **error)
{
    static const char request[] = "get=1\n\n";
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new (interface);
    int fd = connect_userspace (interface, error);
    gsize length = 0;
    gboolean success;
    char *buffer;

    if (fd < 0)
        return NULL;
    /* All at once, for it never moves: moving would leave keys behind. What is not written to
     * takes no memory. */
    buffer = g_malloc (REPLY_SIZE);
    if (send (fd, request, strlen (request), MSG_NOSIGNAL) < 0)
        success = fail (error, "request", errno);
    else
        success = receive_reply (fd, buffer, &length, error)
                  && bulkhead_wireguard_parse_uapi (buffer, length, wireguard, error);
    close (fd);
    explicit_bzero (buffer, length);
    g_free (buffer);
    return success ? g_steal_pointer (&wireguard) : NULL;
}

BulkheadWireguard *
bulkhead_wireguard_read (const char *interface, BulkheadLinkType type, GError **error)
{
    BulkheadWireguard *wireguard = NULL;
    GError *failure = NULL;

    /* The name becomes part of a path. */
    if (!bulkhead_interface_check (interface, error))
        return NULL;
    if (type == BULKHEAD_LINK_WIREGUARD)
        wireguard = read_kernel (interface, &failure);
    else if (type == BULKHEAD_LINK_TUN)
        wireguard = read_userspace (interface, &failure);
    if (failure != NULL)
        g_propagate_prefixed_error (error, failure, "WireGuard link %s: ", interface);
    return wireguard;
}
