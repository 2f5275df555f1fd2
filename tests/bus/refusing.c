/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a helper: a kernel that refuses what $BULKHEAD_TEST_REFUSED names. "routes": every
 * socket of rtnetlink but the first, by which links are heard of. "watch": to tell of changes of
 * rules.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int
refuses (const char *what)
{
    return strcmp (getenv ("BULKHEAD_TEST_REFUSED"), what) == 0;
}

int
socket (int domain, int type, int protocol)
{
    static int (*next) (int, int, int);
    static int asked;

    if (next == NULL)
        next = (int (*) (int, int, int))dlsym (RTLD_NEXT, "socket");
    if (domain == AF_NETLINK && protocol == NETLINK_ROUTE && asked++ > 0 && refuses ("routes")) {
        errno = EMFILE;
        return -1;
    }
    return next (domain, type, protocol);
}

int
setsockopt (int fd, int level, int name, const void *value, socklen_t length)
{
    static int (*next) (int, int, int, const void *, socklen_t);

    if (next == NULL)
        next = (int (*) (int, int, int, const void *, socklen_t))dlsym (RTLD_NEXT, "setsockopt");
    if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP
        && *(const int *)value == NFNLGRP_NFTABLES && refuses ("watch")) {
        errno = ENOBUFS;
        return -1;
    }
    return next (fd, level, name, value, length);
}
