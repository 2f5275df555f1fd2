/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One sender: where to, how, and what became of it. sender.c fills it in, ways.c sends. */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <sys/socket.h>

#define SENDER_SIZE 8192
#define SENDER_HEADROOM 128 /* for the headers of a whole frame */
#define SENDER_ERRORS 134

typedef struct Sender Sender;
struct Sender {
    const char *tag, *dev;
    struct sockaddr_storage to, from, via;
    guint8 mac[6];
    int family, fd, proto, uid, vlan, hops;
    guint port, sport, rate, fwmark, claim, ether, type;
    guint64 count;
    gsize size;
    gboolean bypass, fragment;
    gboolean (*open) (Sender *self);
    int (*send) (Sender *self); /* 0 or errno */
    guint8 data[SENDER_SIZE];
    guint64 attempts, sent, errors[SENDER_ERRORS];
    pthread_t thread;
};

/* FALSE: there is no way of that name. */
gboolean sender_set_way (Sender *self, const char *name);
