/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program.h"

#include "netlink.h"
#include "program-name.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>

#define DEPTH_MAX 12    /* desktops nest six deep */
#define GROUPS_MAX 2000 /* looked at for one answer, which takes 25 ms; a desktop has 200 */

/* ---- the socket's control group ---- */

static int
take_group (const struct nlattr *attribute, void *data)
{
    guint64 *group = data;

    if (mnl_attr_get_type (attribute) == INET_DIAG_CGROUP_ID
        && mnl_attr_validate (attribute, MNL_TYPE_U64) == 0)
        *group = mnl_attr_get_u64 (attribute);
    return MNL_CB_OK;
}

static int
on_socket_cb (const struct nlmsghdr *message, void *data)
{
    if (message->nlmsg_type == SOCK_DIAG_BY_FAMILY
        && mnl_nlmsg_get_payload_len (message) >= sizeof (struct inet_diag_msg))
        mnl_attr_parse (message, sizeof (struct inet_diag_msg), take_group, data);
    return MNL_CB_OK;
}

/* 0: no such socket. The kernel calls source what the packet calls destination. */
static guint64
find_group (const BulkheadPacket *packet)
{
    char buffer[256] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct inet_diag_req_v2 *request = mnl_nlmsg_put_extra_header (message, sizeof *request);
    guint64 group = 0;

    message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request->sdiag_family = packet->source.family == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    request->sdiag_protocol = IPPROTO_UDP;
    request->idiag_states = G_MAXUINT32;
    request->id.idiag_sport = htons (packet->port);
    request->id.idiag_dport = htons (packet->source_port);
    memcpy (request->id.idiag_src, packet->destination.bytes,
            bulkhead_address_size (&packet->destination));
    memcpy (request->id.idiag_dst, packet->source.bytes, bulkhead_address_size (&packet->source));
    request->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    bulkhead_netlink_ask (NETLINK_SOCK_DIAG, message, on_socket_cb, &group);
    return group;
}

/* ---- the group's path ---- */

/* Where cgroup2 is mounted; not always /sys/fs/cgroup. NULL: nowhere. (transfer full) */
static char *
find_mount (void)
{
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (!g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL))
        return NULL;
    lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto (GStrv) words = g_strsplit (lines[i], " ", 6);

        /* 36 25 0:31 / /sys/fs/cgroup rw,… shared:9 - cgroup2 cgroup2 rw,… */
        if (g_strv_length (words) == 6 && strstr (words[5], " - cgroup2 ") != NULL)
            return g_strcompress (words[4]);
    }
    return NULL;
}

/* Appends to @path the way to the group, whose number is its directory's inode. */
static gboolean
find_below (GString *path, guint64 group, guint depth, guint *left)
{
    DIR *directory = opendir (path->str);
    const gsize length = path->len;
    gboolean found = FALSE;
    struct dirent *entry;

    if (directory == NULL)
        return FALSE;
    while (!found && *left > 0 && (entry = readdir (directory)) != NULL) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        (*left)--;
        g_string_append_printf (path, "/%s", entry->d_name);
        found = entry->d_ino == group
                || (depth < DEPTH_MAX && find_below (path, group, depth + 1, left));
        if (!found)
            g_string_truncate (path, length);
    }
    closedir (directory);
    return found;
}

gboolean
bulkhead_program_can_be_known (const BulkheadPacket *packet)
{
    return packet->protocol == IPPROTO_UDP;
}

char *
bulkhead_program_of (const BulkheadPacket *packet)
{
    guint64 group = find_group (packet);
    g_autofree char *mount = group != 0 ? find_mount () : NULL;
    g_autoptr (GString) path = g_string_new (mount);
    gsize length = path->len;
    guint left = GROUPS_MAX;

    if (mount == NULL || !find_below (path, group, 0, &left))
        return g_strdup ("");
    return bulkhead_program_name (path->str + length);
}
