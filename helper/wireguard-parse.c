/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"
#include "wireguard.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <string.h>

#define QUOTE_MAX 64

/* Endpoints no rule may be made of are left out: a loopback one belongs to a proxy on this
 * machine, whose packets are not WireGuard's. */
static void
add_endpoint (BulkheadWireguard *wireguard, const BulkheadAddress *address, guint16 port)
{
    BulkheadEndpoint endpoint = { *address, BULKHEAD_PROTOCOL_UDP, port };

    /* A device with more peers than a policy takes is no way out. */
    if (wireguard->endpoints->len < BULKHEAD_ENDPOINTS_MAX
        && bulkhead_endpoint_check (&endpoint, NULL))
        g_array_append_val (wireguard->endpoints, endpoint);
}

static guint64
get_number (const struct nlattr *attribute)
{
    const void *payload = mnl_attr_get_payload (attribute);
    guint64 u64 = 0;
    guint32 u32 = 0;
    guint16 u16 = 0;

    switch (mnl_attr_get_payload_len (attribute)) {
    case sizeof u64:
        memcpy (&u64, payload, sizeof u64);
        return u64;
    case sizeof u32:
        memcpy (&u32, payload, sizeof u32);
        return u32;
    case sizeof u16:
        memcpy (&u16, payload, sizeof u16);
        return u16;
    default:
        return 0;
    }
}

static void
read_sockaddr (const struct nlattr *attribute, BulkheadWireguard *wireguard)
{
    const void *payload = mnl_attr_get_payload (attribute);
    BulkheadAddress address = { 0 };
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (mnl_attr_get_payload_len (attribute) == sizeof v4) {
        memcpy (&v4, payload, sizeof v4);
        if (v4.sin_family != AF_INET)
            return;
        address.family = G_SOCKET_FAMILY_IPV4;
        memcpy (address.bytes, &v4.sin_addr, sizeof v4.sin_addr);
        add_endpoint (wireguard, &address, g_ntohs (v4.sin_port));
    } else if (mnl_attr_get_payload_len (attribute) == sizeof v6) {
        memcpy (&v6, payload, sizeof v6);
        if (v6.sin6_family != AF_INET6)
            return;
        address.family = G_SOCKET_FAMILY_IPV6;
        memcpy (address.bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
        add_endpoint (wireguard, &address, g_ntohs (v6.sin6_port));
    }
}

static int
on_peer_attribute_cb (const struct nlattr *attribute, void *data)
{
    BulkheadWireguard *wireguard = data;
    gint64 seconds;

    switch (mnl_attr_get_type (attribute)) {
    case WGPEER_A_PRESHARED_KEY:
        explicit_bzero (mnl_attr_get_payload (attribute), mnl_attr_get_payload_len (attribute));
        break;
    case WGPEER_A_ENDPOINT:
        read_sockaddr (attribute, wireguard);
        break;
    case WGPEER_A_LAST_HANDSHAKE_TIME: /* a struct __kernel_timespec: the seconds come first */
        if (mnl_attr_get_payload_len (attribute) < sizeof seconds)
            break;
        memcpy (&seconds, mnl_attr_get_payload (attribute), sizeof seconds);
        wireguard->handshake = MAX (wireguard->handshake, seconds);
        break;
    case WGPEER_A_RX_BYTES:
        wireguard->received += get_number (attribute);
        break;
    case WGPEER_A_TX_BYTES:
        wireguard->sent += get_number (attribute);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static int
on_peer_cb (const struct nlattr *attribute, void *data)
{
    return mnl_attr_parse_nested (attribute, on_peer_attribute_cb, data);
}

static int
on_device_attribute_cb (const struct nlattr *attribute, void *data)
{
    BulkheadWireguard *wireguard = data;

    switch (mnl_attr_get_type (attribute)) {
    case WGDEVICE_A_PRIVATE_KEY:
        explicit_bzero (mnl_attr_get_payload (attribute), mnl_attr_get_payload_len (attribute));
        break;
    case WGDEVICE_A_LISTEN_PORT:
        wireguard->port = get_number (attribute);
        break;
    case WGDEVICE_A_FWMARK:
        wireguard->mark = get_number (attribute);
        break;
    case WGDEVICE_A_PEERS:
        return mnl_attr_parse_nested (attribute, on_peer_cb, wireguard);
    default:
        break;
    }
    return MNL_CB_OK;
}

/* The netlink header is left, because libmnl finds the next message by it. */
gboolean
bulkhead_wireguard_parse_message (guint8 *message, gsize length, BulkheadWireguard *wireguard,
                                  GError **error)
{
    const gsize overhead = NLMSG_HDRLEN + GENL_HDRLEN;
    const struct nlmsghdr *header = (const void *)message;
    gboolean whole =
        length >= overhead && header->nlmsg_len >= overhead && header->nlmsg_len <= length;

    if (whole)
        mnl_attr_parse_payload (message + overhead, header->nlmsg_len - overhead,
                                on_device_attribute_cb, wireguard);
    else
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                     "netlink message: %" G_GSIZE_FORMAT " bytes are not all of it", length);
    if (length > NLMSG_HDRLEN)
        explicit_bzero (message + NLMSG_HDRLEN, length - NLMSG_HDRLEN);
    return whole;
}

static gboolean
refuse (const char *key, const char *value, const char *reason, GError **error)
{
    g_autofree char *escaped = g_strescape (value, NULL);

    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED, "%s: \"%.*s\" %s", key, QUOTE_MAX,
                 escaped, reason);
    return FALSE;
}

static gboolean
read_number (const char *key, const char *value, guint64 max, guint64 *ret, GError **error)
{
    return g_ascii_string_to_unsigned (value, 10, 0, max, ret, NULL)
           || refuse (key, value, "is no number, or too large a one", error);
}

/* "192.0.2.1:51820" or "[2001:db8::1]:51820". The scope id of a link-local address is dropped:
 * rules know addresses only. */
static gboolean
read_endpoint (char *value, BulkheadWireguard *wireguard, GError **error)
{
    char *colon = strrchr (value, ':');
    char *host = value;
    gsize length = colon != NULL ? colon - value : 0;
    g_autofree char *text = NULL;
    BulkheadAddress address;
    guint64 port;

    if (length >= 2 && value[0] == '[' && colon[-1] == ']') {
        host++;
        length -= 2;
    }
    text = g_strndup (host, length);
    text[strcspn (text, "%")] = '\0';
    if (colon == NULL || !bulkhead_address_parse (text, &address)
        || (address.family == G_SOCKET_FAMILY_IPV6) != (host != value)
        || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
        return refuse ("endpoint", value, "is no address and port", error);
    add_endpoint (wireguard, &address, port);
    return TRUE;
}

/* One "key=value" line; keys of no interest here are passed over. */
static gboolean
read_pair (const char *key, char *value, BulkheadWireguard *wireguard, GError **error)
{
    guint64 number = 0;

    if (strcmp (key, "private_key") == 0 || strcmp (key, "preshared_key") == 0) {
        explicit_bzero (value, strlen (value));
    } else if (strcmp (key, "errno") == 0) {
        return strcmp (value, "0") == 0 || refuse (key, value, "is not success", error);
    } else if (strcmp (key, "endpoint") == 0) {
        return read_endpoint (value, wireguard, error);
    } else if (strcmp (key, "listen_port") == 0) {
        if (!read_number (key, value, G_MAXUINT16, &number, error))
            return FALSE;
        wireguard->port = number;
    } else if (strcmp (key, "fwmark") == 0) {
        if (!read_number (key, value, G_MAXUINT32, &number, error))
            return FALSE;
        wireguard->mark = number;
    } else if (strcmp (key, "last_handshake_time_sec") == 0) {
        if (!read_number (key, value, G_MAXINT64, &number, error))
            return FALSE;
        wireguard->handshake = MAX (wireguard->handshake, (gint64)number);
    } else if (strcmp (key, "rx_bytes") == 0) {
        if (!read_number (key, value, G_MAXUINT64, &number, error))
            return FALSE;
        wireguard->received += number;
    } else if (strcmp (key, "tx_bytes") == 0) {
        if (!read_number (key, value, G_MAXUINT64, &number, error))
            return FALSE;
        wireguard->sent += number;
    }
    return TRUE;
}

/* Cuts a line off @rest. Returns: (nullable): it, or NULL when there is no whole line left. */
static char *
cut_line (char **rest, gsize *left)
{
    char *line = *rest;
    char *newline = *left > 0 ? memchr (line, '\n', *left) : NULL;

    if (newline == NULL)
        return NULL;
    *newline = '\0';
    *rest = newline + 1;
    *left -= *rest - line;
    return line;
}

/* Lines up to a blank one, "errno=0" among them. */
static gboolean
read_reply (char *data, gsize length, BulkheadWireguard *wireguard, GError **error)
{
    gboolean success = FALSE;
    char *line;

    while ((line = cut_line (&data, &length)) != NULL && *line != '\0') {
        char *value = strchr (line, '=');

        /* The line is not quoted: it may be a piece of a key. */
        if (value == NULL)
            return refuse ("reply", "", "is a line without a value", error);
        *value++ = '\0';
        if (!read_pair (line, value, wireguard, error))
            return FALSE;
        success = success || strcmp (line, "errno") == 0;
    }
    if (line != NULL && success)
        return TRUE;
    g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                         line == NULL ? "reply: ends without a blank line" : "errno: missing");
    return FALSE;
}

gboolean
bulkhead_wireguard_parse_uapi (char *data, gsize length, BulkheadWireguard *wireguard,
                               GError **error)
{
    gboolean success = read_reply (data, length, wireguard, error);

    if (length > 0)
        explicit_bzero (data, length);
    return success;
}
