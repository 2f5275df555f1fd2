/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "links.h"

#include "error.h"
#include "links-parse.h"
#include "netlink.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/rtnetlink.h>

#define BUFFER_SIZE 32768 /* longer than any event */
#define SETTLE_MS 5       /* from one "changed" to the next */
#define EVENTS_AT_ONCE 64 /* then the main loop has its turn: a flood must not starve the timer */
#define ATTEMPTS_MAX 10
#define PAUSE_US 500 /* longer with every attempt: 22 ms in all */

struct _BulkheadLinks {
    GObject parent_instance;

    struct mnl_socket *events;
    GSource *source;
    GSource *timer;   /* runs from the first event of a burst until SETTLE_MS of silence */
    gboolean changed; /* and was not told yet */

    GHashTable *with_router; /* set of indexes of links: see remember_routers() */
};

G_DEFINE_FINAL_TYPE (BulkheadLinks, bulkhead_links, G_TYPE_OBJECT)

static const struct {
    guint16 type;
    guchar family;
    gsize header;
} dumps[] = {
    /* Links come first: addresses and routes look theirs up. */
    { RTM_GETLINK, AF_UNSPEC, sizeof (struct ifinfomsg) },
    { RTM_GETADDR, AF_UNSPEC, sizeof (struct ifaddrmsg) },
    { RTM_GETROUTE, AF_INET, sizeof (struct rtmsg) },
    { RTM_GETROUTE, AF_INET6, sizeof (struct rtmsg) },
};

/* Returns: 0 or an errno value. */
static int
dump (GPtrArray *links)
{
    int error = 0;

    for (gsize i = 0; error == 0 && i < G_N_ELEMENTS (dumps); i++) {
        char buffer[64] __attribute__ ((aligned (NLMSG_ALIGNTO)));
        struct nlmsghdr *request = mnl_nlmsg_put_header (buffer);
        guchar *header = mnl_nlmsg_put_extra_header (request, dumps[i].header);

        request->nlmsg_type = dumps[i].type;
        request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        /* Each of these headers begins with the family; strict checking wants the rest zero. */
        header[0] = dumps[i].family;
        error = bulkhead_netlink_ask (NETLINK_ROUTE, request, bulkhead_links_parse_cb, links);
    }
    return error;
}

static gboolean
any_event_counts (const char *buffer, int length)
{
    const struct nlmsghdr *message = (const void *)buffer;

    while (mnl_nlmsg_ok (message, length)) {
        if (bulkhead_links_event_counts (message))
            return TRUE;
        message = mnl_nlmsg_next (message, &length);
    }
    return FALSE;
}

static void
clear_source (GSource **source)
{
    if (*source != NULL)
        g_source_destroy (*source);
    g_clear_pointer (source, g_source_unref);
}

static gboolean
on_timer_cb (gpointer data)
{
    BulkheadLinks *self = data;

    if (!self->changed) {
        clear_source (&self->timer);
        return G_SOURCE_REMOVE;
    }
    self->changed = FALSE;
    g_signal_emit_by_name (self, "changed");
    return G_SOURCE_CONTINUE;
}

/* "changed" comes at once when there was none of late, else when it is time for the next. */
static void
settle (BulkheadLinks *self)
{
    self->changed = TRUE;
    if (self->timer != NULL)
        return;
    self->timer = g_timeout_source_new (SETTLE_MS);
    g_source_set_ready_time (self->timer, 0); /* the first time without the wait */
    g_source_set_callback (self->timer, on_timer_cb, self, NULL);
    g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static gboolean
on_events_cb (int fd, GIOCondition condition, gpointer data)
{
    BulkheadLinks *self = data;
    char buffer[BUFFER_SIZE] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    gboolean changed = FALSE;

    for (int i = 0; i < EVENTS_AT_ONCE; i++) {
        ssize_t length = mnl_socket_recvfrom (self->events, buffer, sizeof buffer);

        if (length < 0 && errno == EAGAIN)
            break;
        /* ENOBUFS: events were lost; ENOSPC: one was cut. Nobody knows what they said. */
        changed = changed || length < 0 || any_event_counts (buffer, length);
    }
    if (changed)
        settle (self);
    return G_SOURCE_CONTINUE;
}

/* A VPN takes routes away, not routers: a link leads where it led for as long as it has an address.
 * Without one it may become something else, as wlan0 does that is made a hotspot. */
static void
remember_routers (BulkheadLinks *self, GPtrArray *links)
{
    GHashTable *with_router = g_hash_table_new (NULL, NULL);

    for (guint i = 0; i < links->len; i++) {
        BulkheadLink *link = links->pdata[i];
        gpointer index = GINT_TO_POINTER (link->index);

        link->had_router =
            bulkhead_link_has_address (link) && g_hash_table_contains (self->with_router, index);
        if (bulkhead_link_leads_to_router (link))
            g_hash_table_add (with_router, index);
    }
    g_hash_table_unref (self->with_router);
    self->with_router = with_router;
}

GPtrArray *
bulkhead_links_read (BulkheadLinks *links, GError **error)
{
    int failure = EINTR;

    for (int i = 0; failure == EINTR && i < ATTEMPTS_MAX; i++) {
        g_autoptr (GPtrArray) array =
            g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_link_free);

        g_usleep (i * PAUSE_US);
        failure = dump (array);
        if (failure == 0) {
            remember_routers (links, array);
            return g_steal_pointer (&array);
        }
    }
    /* What interrupted may be a change of something that sends no event we count. */
    if (failure == EINTR)
        settle (links);
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                 "cannot read links, addresses and routes: %s", g_strerror (failure));
    return NULL;
}

static void
bulkhead_links_finalize (GObject *object)
{
    BulkheadLinks *self = BULKHEAD_LINKS (object);

    clear_source (&self->timer);
    clear_source (&self->source);
    if (self->events != NULL)
        mnl_socket_close (self->events);
    g_hash_table_unref (self->with_router);
    G_OBJECT_CLASS (bulkhead_links_parent_class)->finalize (object);
}

static void
bulkhead_links_class_init (BulkheadLinksClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_links_finalize;
    g_signal_new ("changed", BULKHEAD_TYPE_LINKS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 0);
}

static void
bulkhead_links_init (BulkheadLinks *self)
{
    self->with_router = g_hash_table_new (NULL, NULL);
}

/* What tells of forwarding has no bits of its own to bind to. */
static gboolean
join_settings (struct mnl_socket *events)
{
    const int groups[] = { RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF };
    gboolean joined = TRUE;

    for (gsize i = 0; joined && i < G_N_ELEMENTS (groups); i++)
        joined = mnl_socket_setsockopt (events, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
                                        sizeof groups[i])
                 == 0;
    return joined;
}

BulkheadLinks *
bulkhead_links_new (GError **error)
{
    const guint groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE
                         | RTMGRP_IPV6_ROUTE;
    g_autoptr (BulkheadLinks) self = g_object_new (BULKHEAD_TYPE_LINKS, NULL);

    self->events = mnl_socket_open2 (NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (self->events == NULL || mnl_socket_bind (self->events, groups, MNL_SOCKET_AUTOPID) < 0
        || !join_settings (self->events)) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED, "cannot watch links: %s",
                     g_strerror (errno));
        return NULL;
    }
    self->source = g_unix_fd_source_new (mnl_socket_get_fd (self->events), G_IO_IN);
    g_source_set_callback (self->source, G_SOURCE_FUNC (on_events_cb), self, NULL);
    g_source_attach (self->source, g_main_context_get_thread_default ());
    return g_steal_pointer (&self);
}
