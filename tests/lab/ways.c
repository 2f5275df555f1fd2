/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ways.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 200

static socklen_t
address_length (const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof (struct sockaddr_in)
                                         : sizeof (struct sockaddr_in6);
}

static const void *
address_bytes (const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET
               ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
               : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
}

static void
set_port (struct sockaddr_storage *address, guint port)
{
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons ((guint16)port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons ((guint16)port);
}

static gboolean
set_source_route (Sender *self)
{
    if (self->family == AF_INET) {
        guint8 option[8] = { 0x83, 7, 4 }; /* loose source route, RFC 791 */
        memcpy (option + 3, address_bytes (&self->via), 4);
        return setsockopt (self->fd, IPPROTO_IP, IP_OPTIONS, option, sizeof option) == 0;
    }
    guint8 header[40] = { 0, 4, 4, 1, 1 }; /* segment routing header, RFC 8754 */
    memcpy (header + 8, address_bytes (&self->to), 16);
    memcpy (header + 24, address_bytes (&self->via), 16);
    return setsockopt (self->fd, IPPROTO_IPV6, IPV6_RTHDR, header, sizeof header) == 0;
}

static gboolean
open_socket (Sender *self, int type, int proto)
{
    int one = 1;
    self->fd = socket (self->family, type | SOCK_CLOEXEC, proto);
    if (self->fd < 0)
        return FALSE;
    if (self->dev != NULL && self->family != AF_PACKET
        && setsockopt (self->fd, SOL_SOCKET, SO_BINDTODEVICE, self->dev, strlen (self->dev)) != 0)
        return FALSE;
    if (self->fwmark != 0
        && setsockopt (self->fd, SOL_SOCKET, SO_MARK, &self->fwmark, sizeof self->fwmark) != 0)
        return FALSE;
    if (self->via.ss_family != 0 && !set_source_route (self))
        return FALSE;
    if (self->family == AF_PACKET)
        return TRUE;
    if (self->hops != 0
        && setsockopt (self->fd, self->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                       self->family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS, &self->hops,
                       sizeof self->hops)
               != 0)
        return FALSE;
    if (self->sport != 0) {
        self->from.ss_family = (sa_family_t)self->family;
        set_port (&self->from, self->sport);
        if (setsockopt (self->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
            return FALSE;
    }
    if (self->from.ss_family != 0
        && bind (self->fd, (struct sockaddr *)&self->from, address_length (&self->from)) != 0)
        return FALSE;
    return setsockopt (self->fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) == 0;
}

static int
send_datagram (Sender *self)
{
    ssize_t n = sendto (self->fd, self->data, self->size, MSG_DONTWAIT | MSG_NOSIGNAL,
                        (struct sockaddr *)&self->to, address_length (&self->to));
    return n < 0 ? errno : 0;
}

static gboolean
open_udp (Sender *self)
{
    set_port (&self->to, self->port);
    return open_socket (self, SOCK_DGRAM, 0);
}

static gboolean
open_raw (Sender *self)
{
    return open_socket (self, SOCK_RAW, self->proto);
}

static guint16
checksum (const guint8 *data, gsize length)
{
    guint32 sum = 0;
    for (gsize i = 0; i < length; i++)
        sum += i % 2 ? data[i] : (guint32)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (guint16)~sum;
}

static void
put16 (guint8 *at, guint value)
{
    at[0] = (guint8)(value >> 8);
    at[1] = (guint8)value;
}

static void
prepend (Sender *self, const guint8 *header, gsize length)
{
    memmove (self->data + length, self->data, self->size);
    memcpy (self->data, header, length);
    self->size += length;
}

static gboolean
open_icmp (Sender *self)
{
    guint8 type = self->type != 0 ? (guint8)self->type : self->family == AF_INET ? 8 : 128;
    const guint8 header[8] = { type, 0, 0, 0, 0x42, 0x48, 0, 1 };
    prepend (self, header, sizeof header);
    if (self->family == AF_INET) /* the kernel fills in ICMPv6's own */
        put16 (self->data + 2, checksum (self->data, self->size));
    return open_socket (self, SOCK_RAW, self->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static int
connect_flow (Sender *self)
{
    if (!open_socket (self, SOCK_STREAM | SOCK_NONBLOCK, self->proto))
        return errno;
    if (connect (self->fd, (struct sockaddr *)&self->to, address_length (&self->to)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd fd = { .fd = self->fd, .events = POLLOUT };
    if (poll (&fd, 1, CONNECT_MS) <= 0)
        return ETIMEDOUT;
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static int
send_stream (Sender *self)
{
    ssize_t n = send (self->fd, self->data, self->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? errno : 0;
}

static gboolean
open_tcp (Sender *self)
{
    set_port (&self->to, self->port);
    return TRUE;
}

static int
send_tcp (Sender *self)
{
    int error = connect_flow (self);
    if (error == 0)
        error = send_stream (self);
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    return error;
}

static gboolean
open_flow (Sender *self)
{
    int one = 1;
    set_port (&self->to, self->port);
    int error = connect_flow (self);
    if (error != 0) {
        errno = error;
        return FALSE;
    }
    return setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
}

static gsize
put_ip_header (Sender *self, guint8 *ip, gsize payload)
{
    if (self->to.ss_family == AF_INET) {
        ip[0] = 0x45;
        put16 (ip + 2, (guint)(20 + payload));
        if (self->fragment)
            put16 (ip + 6, 185);
        ip[8] = 64;
        ip[9] = IPPROTO_UDP;
        memcpy (ip + 12, address_bytes (&self->from), 4);
        memcpy (ip + 16, address_bytes (&self->to), 4);
        put16 (ip + 10, checksum (ip, 20));
        return 20;
    }
    ip[0] = 0x60;
    put16 (ip + 4, (guint)payload);
    ip[6] = IPPROTO_UDP;
    ip[7] = 64;
    memcpy (ip + 8, address_bytes (&self->from), 16);
    memcpy (ip + 24, address_bytes (&self->to), 16);
    if (!self->fragment)
        return 40;
    put16 (ip + 4, (guint)payload + 8);
    ip[6] = IPPROTO_FRAGMENT;
    ip[40] = IPPROTO_UDP;
    put16 (ip + 42, 185 << 3);
    return 48;
}

static gboolean
open_packet (Sender *self)
{
    guint8 header[SENDER_HEADROOM] = { 0 };
    guint ethertype = self->to.ss_family == AF_INET ? ETH_P_IP : ETH_P_IPV6;
    int one = 1;
    memcpy (header, self->mac, 6);
    header[6] = 2; /* a made up sender */
    gsize at = 12;
    if (self->vlan != 0) {
        put16 (header + 12, ETH_P_8021Q);
        put16 (header + 14, (guint)self->vlan);
        at = 16;
    }
    put16 (header + at, self->ether != 0 ? self->ether : ethertype);
    at += 2;
    gsize udp = 8 + self->size;
    at += put_ip_header (self, header + at, udp);
    put16 (header + at, self->sport != 0 ? self->sport : 40000);
    put16 (header + at + 2, self->port);
    put16 (header + at + 4, (guint)udp);
    prepend (self, header, at + 8);

    self->family = AF_PACKET;
    if (self->claim == 0)
        self->claim = self->vlan != 0 ? ETH_P_8021Q : self->ether != 0 ? self->ether : ethertype;
    if (!open_socket (self, SOCK_RAW, 0))
        return FALSE;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons ((guint16)self->claim),
        .sll_ifindex = (int)if_nametoindex (self->dev),
    };
    if (self->bypass
        && setsockopt (self->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) != 0)
        return FALSE;
    return bind (self->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static int
send_packet (Sender *self)
{
    ssize_t n = send (self->fd, self->data, self->size, MSG_DONTWAIT);
    return n < 0 ? errno : 0;
}

static const struct {
    const char *name;
    gboolean (*open) (Sender *self);
    int (*send) (Sender *self);
} WAYS[] = {
    { "udp", open_udp, send_datagram }, { "tcp", open_tcp, send_tcp },
    { "flow", open_flow, send_stream }, { "icmp", open_icmp, send_datagram },
    { "raw", open_raw, send_datagram }, { "packet", open_packet, send_packet },
};

gboolean
sender_set_way (Sender *self, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (WAYS); i++) {
        if (g_str_equal (name, WAYS[i].name)) {
            self->open = WAYS[i].open;
            self->send = WAYS[i].send;
            return TRUE;
        }
    }
    return FALSE;
}
