/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends whatever a program could try to get past the lock: one thread for each way, bounded in
 * time and number, each packet carrying the test's mark and the thread's tag.
 *
 *   sender MARK SECONDS WAY[,KEY=VALUE]... ...
 *
 * Ways: udp, tcp (a new connection each time), flow (one TCP connection made before "ready" is
 * printed), icmp (echo), raw (IP protocol proto=), packet (a whole frame by AF_PACKET).
 * Keys: to from port sport proto tag, rate (a second; 0: as fast as it goes), count, size, hops,
 *   type (of ICMP), ether (the ethertype in the frame), fragment=1 (not the first of its datagram),
 *   dev (SO_BINDTODEVICE; the link of packet), uid (before the socket is made), fwmark,
 *   via (source routing through that address), mac, bypass=1 (PACKET_QDISC_BYPASS),
 *   claim (the ethertype told to the kernel, which may be a lie), vlan.
 * Prints "ready", then at the end or on SIGTERM one JSON object: by tag, how many sends were
 * tried, how many the kernel took, and the errors by name. Started with SIGTERM ignored (trap ""
 * TERM), it goes on.
 */
#include "ways.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static gboolean stop;
static pthread_barrier_t start;

static void
parse_address (const char *text, struct sockaddr_storage *ret)
{
    g_auto (GStrv) parts = g_strsplit (text, "%", 2);
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    if (inet_pton (AF_INET, parts[0], &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        return;
    }
    if (inet_pton (AF_INET6, parts[0], &in6->sin6_addr) != 1)
        g_error ("not an address: %s", text);
    in6->sin6_family = AF_INET6;
    if (parts[1] != NULL)
        in6->sin6_scope_id = if_nametoindex (parts[1]);
}

static void
count_result (Sender *self, int error)
{
    self->attempts++;
    if (error == 0)
        self->sent++;
    else
        self->errors[MIN (error, SENDER_ERRORS - 1)]++;
}

static void
wait_until (struct timespec *next, guint rate)
{
    next->tv_nsec += 1000000000 / (long)rate;
    if (next->tv_nsec >= 1000000000) {
        next->tv_nsec -= 1000000000;
        next->tv_sec++;
    }
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

static void *
run (void *data)
{
    Sender *self = data;
    /* The raw call changes this thread only; libc's would change them all. */
    if (self->uid != 0
        && (syscall (SYS_setgroups, 0, NULL) != 0
            || syscall (SYS_setresgid, self->uid, self->uid, self->uid) != 0
            || syscall (SYS_setresuid, self->uid, self->uid, self->uid) != 0))
        g_error ("cannot become user %d: %s", self->uid, g_strerror (errno));
    gboolean opened = self->open (self);
    if (!opened)
        count_result (self, errno);
    pthread_barrier_wait (&start);
    struct timespec next;
    clock_gettime (CLOCK_MONOTONIC, &next);
    while (opened && !__atomic_load_n (&stop, __ATOMIC_RELAXED)
           && (self->count == 0 || self->attempts < self->count)) {
        count_result (self, self->send (self));
        if (self->rate != 0)
            wait_until (&next, self->rate);
    }
    return NULL;
}

static void
set_key (Sender *self, const char *key, const char *value)
{
    guint64 number = g_ascii_strtoull (value, NULL, 0);
    if (g_str_equal (key, "to"))
        parse_address (value, &self->to);
    else if (g_str_equal (key, "from"))
        parse_address (value, &self->from);
    else if (g_str_equal (key, "via"))
        parse_address (value, &self->via);
    else if (g_str_equal (key, "tag"))
        self->tag = g_strdup (value);
    else if (g_str_equal (key, "dev"))
        self->dev = g_strdup (value);
    else if (g_str_equal (key, "port"))
        self->port = (guint)number;
    else if (g_str_equal (key, "sport"))
        self->sport = (guint)number;
    else if (g_str_equal (key, "hops"))
        self->hops = (int)number;
    else if (g_str_equal (key, "type"))
        self->type = (guint)number;
    else if (g_str_equal (key, "ether"))
        self->ether = (guint)number;
    else if (g_str_equal (key, "fragment"))
        self->fragment = number != 0;
    else if (g_str_equal (key, "proto"))
        self->proto = (int)number;
    else if (g_str_equal (key, "rate"))
        self->rate = (guint)number;
    else if (g_str_equal (key, "count"))
        self->count = number;
    else if (g_str_equal (key, "size"))
        self->size = MIN (number, SENDER_SIZE - SENDER_HEADROOM);
    else if (g_str_equal (key, "uid"))
        self->uid = (int)number;
    else if (g_str_equal (key, "fwmark"))
        self->fwmark = (guint)number;
    else if (g_str_equal (key, "bypass"))
        self->bypass = number != 0;
    else if (g_str_equal (key, "claim"))
        self->claim = (guint)number;
    else if (g_str_equal (key, "vlan"))
        self->vlan = (int)number;
    else if (g_str_equal (key, "mac")) {
        if (sscanf (value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", self->mac, self->mac + 1,
                    self->mac + 2, self->mac + 3, self->mac + 4, self->mac + 5)
            != 6)
            g_error ("not a mac address: %s", value);
    } else
        g_error ("unknown key: %s", key);
}

static Sender *
parse (const char *text, const char *mark)
{
    g_auto (GStrv) parts = g_strsplit (text, ",", -1);
    Sender *self = g_new0 (Sender, 1);
    self->fd = -1;
    self->rate = 100;
    self->port = 7001;
    self->tag = g_strdup (parts[0]);
    if (!sender_set_way (self, parts[0]))
        g_error ("unknown way: %s", parts[0]);
    for (gsize i = 1; parts[i] != NULL; i++) {
        g_auto (GStrv) pair = g_strsplit (parts[i], "=", 2);
        set_key (self, pair[0], pair[1] != NULL ? pair[1] : "1");
    }
    if (self->to.ss_family == 0)
        g_error ("%s: to= is missing", text);
    self->family = self->to.ss_family;
    memset (self->data, '.', sizeof self->data);
    gsize length = (gsize)g_snprintf ((char *)self->data, SENDER_SIZE, "%s%s;", mark, self->tag);
    self->size = MAX (self->size, length);
    return self;
}

static void
print_result (const Sender *self, const char *comma)
{
    printf ("%s\"%s\":{\"attempts\":%" G_GUINT64_FORMAT ",\"sent\":%" G_GUINT64_FORMAT
            ",\"errors\":{",
            comma, self->tag, self->attempts, self->sent);
    comma = "";
    for (int error = 0; error < SENDER_ERRORS; error++) {
        if (self->errors[error] == 0)
            continue;
        printf ("%s\"%s\":%" G_GUINT64_FORMAT, comma, strerrorname_np (error), self->errors[error]);
        comma = ",";
    }
    printf ("}}");
}

int
main (int argc, char **argv)
{
    if (argc < 4) {
        fprintf (stderr, "usage: sender MARK SECONDS WAY[,KEY=VALUE]... ...\n");
        return 2;
    }
    double seconds = g_ascii_strtod (argv[2], NULL);
    guint n = (guint)argc - 3;
    g_autofree Sender **senders = g_new (Sender *, n);
    sigset_t signals;
    struct sigaction term;
    sigemptyset (&signals);
    sigaction (SIGTERM, NULL, &term);
    if (term.sa_handler != SIG_IGN)
        sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    pthread_sigmask (SIG_BLOCK, &signals, NULL);
    pthread_barrier_init (&start, NULL, n + 1);
    for (guint i = 0; i < n; i++) {
        senders[i] = parse (argv[3 + i], argv[1]);
        if (pthread_create (&senders[i]->thread, NULL, run, senders[i]) != 0)
            g_error ("cannot start a thread");
    }
    pthread_barrier_wait (&start);
    printf ("ready\n");
    fflush (stdout);
    struct timespec wait = { .tv_sec = (time_t)seconds,
                             .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
    sigtimedwait (&signals, NULL, &wait);
    __atomic_store_n (&stop, TRUE, __ATOMIC_RELAXED);
    for (guint i = 0; i < n; i++)
        pthread_join (senders[i]->thread, NULL);
    printf ("{");
    for (guint i = 0; i < n; i++)
        print_result (senders[i], i == 0 ? "" : ",");
    printf ("}\n");
    return 0;
}
