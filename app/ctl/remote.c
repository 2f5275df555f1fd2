/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "remote.h"

#include "status.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECTION "SSH_CONNECTION"

/* A number in the /proc/PID/status @status; -1: it is not there. */
static gint64
number_in (const char *status, const char *name)
{
    const char *found = strstr (status, name);

    return found != NULL ? g_ascii_strtoll (found + strlen (name), NULL, 10) : -1;
}

/* What a process was started with; NULL: nothing, or it may not be read. (transfer full) */
static char *
connection_of (gint64 pid)
{
    g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/environ", pid);
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents (path, &text, &length, NULL))
        return NULL;
    for (const char *entry = text; entry < text + length; entry += strlen (entry) + 1)
        if (g_str_has_prefix (entry, CONNECTION "="))
            return g_strdup (entry + strlen (CONNECTION "="));
    return NULL;
}

/* sudo(8) and su(1) take the variable away: then it is that of whom they were called by, the
 * nearest above that is another user. (transfer full) (nullable) */
static char *
callers_connection (void)
{
    for (gint64 pid = getppid (); pid > 1;) {
        g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/status", pid);
        g_autofree char *status = NULL;

        if (!g_file_get_contents (path, &status, NULL, NULL))
            return NULL;
        if (number_in (status, "\nUid:") != getuid ())
            return connection_of (pid);
        pid = number_in (status, "\nPPid:");
    }
    return NULL;
}

/* "CLIENT PORT SERVER PORT", as sshd(8) sets it; NULL: no shell of its own. Without the "%LINK" of
 * a link-local address, which exceptions have not. (transfer full) */
static GStrv
read_connection (void)
{
    const char *own = g_getenv (CONNECTION);
    g_autofree char *text = own != NULL ? g_strdup (own) : callers_connection ();
    g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", -1);

    if (g_strv_length (words) != 4)
        return NULL;
    for (int i = 0; i < 4; i += 2) {
        words[i][strcspn (words[i], "%")] = '\0';
        if (!g_hostname_is_ip_address (words[i]))
            return NULL;
    }
    return g_steal_pointer (&words);
}

static gboolean
has_address (const struct ifaddrs *entry, GInetAddress *address)
{
    g_autoptr (GSocketAddress) its = NULL;

    if (entry->ifa_addr == NULL
        || (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6))
        return FALSE;
    its = g_socket_address_new_from_native (entry->ifa_addr, entry->ifa_addr->sa_family == AF_INET
                                                                 ? sizeof (struct sockaddr_in)
                                                                 : sizeof (struct sockaddr_in6));
    return g_inet_address_equal (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (its)),
                                 address);
}

/* The link that has the address; "" when none has. (transfer full) */
static char *
link_of (const char *text)
{
    g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
    struct ifaddrs *list = NULL;
    char *name = NULL;

    if (getifaddrs (&list) != 0)
        return g_strdup ("");
    for (const struct ifaddrs *entry = list; entry != NULL && name == NULL; entry = entry->ifa_next)
        if (has_address (entry, address))
            name = g_strdup (entry->ifa_name);
    freeifaddrs (list);
    return name != NULL ? name : g_strdup ("");
}

static gboolean
is_trusted_tunnel (GVariant *status, const char *link)
{
    g_autoptr (GVariant) tunnels = bulkhead_get_array (status, "tunnels", "aa{sv}");

    for (gsize i = 0; i < g_variant_n_children (tunnels); i++) {
        g_autoptr (GVariant) tunnel = g_variant_get_child_value (tunnels, i);
        g_autofree char *interface = bulkhead_get_text (tunnel, "interface");

        if (bulkhead_get_flag (tunnel, "trusted") && g_str_equal (interface, link))
            return TRUE;
    }
    return FALSE;
}

/* "ADDRESS[/PREFIX] [PROTOCOL [PORT]]": whether all of TCP to @client is in it. */
static gboolean
covers (const char *exception, GInetAddress *client)
{
    g_auto (GStrv) words = g_strsplit (exception, " ", -1);
    g_autoptr (GInetAddressMask) mask = g_inet_address_mask_new_from_string (words[0], NULL);

    return mask != NULL && g_inet_address_mask_matches (mask, client)
           && (words[1] == NULL || (g_str_equal (words[1], "tcp") && words[2] == NULL));
}

static gboolean
is_exception (BulkheadCtl *ctl, const char *text)
{
    g_autoptr (GInetAddress) client = g_inet_address_new_from_string (text);
    g_autoptr (GVariant) list = bulkhead_call (ctl, "ListExceptions", NULL, "(as)", NULL);
    g_autofree const char **exceptions = list != NULL ? g_variant_get_strv (list, NULL) : NULL;

    for (gsize i = 0; exceptions != NULL && exceptions[i] != NULL; i++)
        if (covers (exceptions[i], client))
            return TRUE;
    return FALSE;
}

static gboolean
is_yes (void)
{
    char line[16] = "";

    return fgets (line, sizeof line, stdin) != NULL
           && (g_ascii_strcasecmp (g_strstrip (line), "y") == 0
               || g_ascii_strcasecmp (line, "yes") == 0);
}

gboolean
bulkhead_remote_agrees (BulkheadCtl *ctl)
{
    g_auto (GStrv) connection = read_connection ();
    g_autoptr (GVariant) status = NULL;
    g_autofree char *link = NULL;

    if (connection == NULL)
        return TRUE;
    link = link_of (connection[2]);
    status = bulkhead_call (ctl, "GetStatus", NULL, "(a{sv})", NULL);
    if (g_str_equal (link, "lo") || status == NULL || bulkhead_get_flag (status, "locked")
        || is_trusted_tunnel (status, link) || is_exception (ctl, connection[0]))
        return TRUE;
    fprintf (stderr,
             "bulkheadctl: the lock ends this SSH session from %s, which comes by no trusted "
             "tunnel, and lets no new one in%s.\nTo keep it, first: bulkheadctl except add %s "
             "--protocol tcp\n",
             connection[0],
             bulkhead_get_flag (status, "lan") ? ", unless it comes from the local network" : "",
             connection[0]);
    if (!isatty (STDIN_FILENO))
        return TRUE;
    fprintf (stderr, "Lock now? [y/N] ");
    return is_yes ();
}
