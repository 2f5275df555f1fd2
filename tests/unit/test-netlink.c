/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question and its whole answer: what the kernel refuses and acknowledges is no silence. */
#include "netlink.h"

#include <errno.h>
#include <glib.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static int
on_message_cb (const struct nlmsghdr *message, void *data)
{
    guint *count = data;

    (*count)++;
    return MNL_CB_OK;
}

static int
ask_for_link (int index, guint16 flags, guint *count)
{
    char buffer[256] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header (buffer);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header (request, sizeof *link);

    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST | flags;
    link->ifi_index = index;
    *count = 0;
    return bulkhead_netlink_ask (NETLINK_ROUTE, request, on_message_cb, count);
}

static void
test_acknowledged (void)
{
    guint count;

    g_assert_cmpint (ask_for_link (if_nametoindex ("lo"), NLM_F_ACK, &count), ==, 0);
    g_assert_cmpuint (count, ==, 1);
}

static void
test_dump (void)
{
    guint count;

    g_assert_cmpint (ask_for_link (0, NLM_F_DUMP, &count), ==, 0);
    g_assert_cmpuint (count, >=, 1);
}

static void
test_refused (void)
{
    guint count;

    g_assert_cmpint (ask_for_link (G_MAXINT, NLM_F_ACK, &count), ==, ENODEV);
    g_assert_cmpuint (count, ==, 0);
}

/* As that of WireGuard is where its module is not there. */
static void
test_refused_family (void)
{
    char buffer[256] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header (buffer);
    struct genlmsghdr *head = mnl_nlmsg_put_extra_header (request, sizeof *head);
    guint count = 0;

    request->nlmsg_type = GENL_ID_CTRL;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    head->cmd = CTRL_CMD_GETFAMILY;
    head->version = 1;
    mnl_attr_put_strz (request, CTRL_ATTR_FAMILY_NAME, "no-such-family");
    g_assert_cmpint (bulkhead_netlink_ask (NETLINK_GENERIC, request, on_message_cb, &count), ==,
                     ENOENT);
    g_assert_cmpuint (count, ==, 0);
}

/* Without NLM_F_ACK or NLM_F_DUMP the answer has no end. */
static void
test_silence (void)
{
    guint count;

    g_assert_cmpint (ask_for_link (if_nametoindex ("lo"), 0, &count), ==, EAGAIN);
    g_assert_cmpuint (count, ==, 1);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/netlink/acknowledged", test_acknowledged);
    g_test_add_func ("/netlink/dump", test_dump);
    g_test_add_func ("/netlink/refused", test_refused);
    g_test_add_func ("/netlink/refused-family", test_refused_family);
    g_test_add_func ("/netlink/silence", test_silence);
    return g_test_run ();
}
