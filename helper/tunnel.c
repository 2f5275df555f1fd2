/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy.h"

#include "error.h"

#include <string.h>

static gboolean
refuse (GError **error, const char *field, const char *value, const char *reason)
{
    return bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, field, value, reason);
}

gboolean
bulkhead_tunnel_name_check (const char *name, GError **error)
{
    const char *field = "tunnel name";

    if (name[0] == '\0')
        return refuse (error, field, name, "is empty");
    if (strlen (name) > BULKHEAD_TUNNEL_NAME_MAX)
        return refuse (error, field, name,
                       "is longer than " G_STRINGIFY (BULKHEAD_TUNNEL_NAME_MAX) " bytes");
    if (!g_utf8_validate (name, -1, NULL))
        return refuse (error, field, name, "is not UTF-8");
    if (strpbrk (name, "[]") != NULL)
        return refuse (error, field, name, "may not contain [ or ]");
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p)) {
        if (g_unichar_iscntrl (g_utf8_get_char (p)))
            return refuse (error, field, name, "may not contain a control character or newline");
    }
    return TRUE;
}

gboolean
bulkhead_interface_check (const char *interface, GError **error)
{
    const char *field = "interface";
    gsize length = strlen (interface);

    if (length == 0)
        return refuse (error, field, interface, "is empty");
    if (length >= BULKHEAD_IFNAME_SIZE)
        return refuse (error, field, interface, "is longer than 15 bytes");
    if (g_str_equal (interface, ".") || g_str_equal (interface, ".."))
        return refuse (error, field, interface, "is a name the kernel refuses");
    if (g_str_equal (interface, "lo"))
        return refuse (error, field, interface, "is the loopback, not a tunnel");
    /* The trailing '+' is how iptables writes a wildcard. */
    if (strchr (interface, '*') != NULL || interface[length - 1] == '+')
        return refuse (error, field, interface, "must be one name, wildcards are not taken");
    for (const char *p = interface; *p != '\0'; p++) {
        if (!g_ascii_isgraph (*p))
            return refuse (error, field, interface, "may have printable ASCII only, no space");
        if (*p == '/' || *p == ':')
            return refuse (error, field, interface, "may not contain / or :");
        /* nft text has no way to write these two inside a name. */
        if (*p == '"' || *p == '\\')
            return refuse (error, field, interface, "may not contain \" or \\");
    }
    return TRUE;
}

/* HOST:PORT or [HOST]:PORT. Returns the host, and the port behind it in @ret_port; NULL and what
 * is wrong in @ret_reason. */
static char *
split_host (const char *text, const char **ret_port, const char **ret_reason)
{
    gboolean bracketed = text[0] == '[';
    const char *end = bracketed ? strchr (text, ']') : strrchr (text, ':');

    if (bracketed && (end == NULL || end[1] != ':')) {
        *ret_reason = "port is missing, write [ADDRESS]:PORT/PROTOCOL";
        return NULL;
    }
    if (end == NULL) {
        *ret_reason = "port is missing, write ADDRESS:PORT/PROTOCOL";
        return NULL;
    }
    if (!bracketed && memchr (text, ':', end - text) != NULL) {
        *ret_reason = "an IPv6 address must stand in brackets";
        return NULL;
    }
    *ret_port = end + (bracketed ? 2 : 1);
    return g_strndup (text + bracketed, end - text - bracketed);
}

gboolean
bulkhead_endpoint_parse (const char *text, BulkheadEndpoint *ret, GError **error)
{
    const char *field = "endpoint";
    const char *slash = strrchr (text, '/');
    const char *port = NULL;
    const char *reason = NULL;
    g_autofree char *before = NULL;
    g_autofree char *host = NULL;
    BulkheadEndpoint endpoint = { 0 };

    if (slash == NULL)
        return refuse (error, field, text,
                       "protocol is missing, write /udp or /tcp behind the port");
    if (!bulkhead_protocol_parse (slash + 1, &endpoint.protocol)
        || !bulkhead_protocol_has_ports (endpoint.protocol))
        return refuse (error, field, text, "protocol must be udp or tcp");

    before = g_strndup (text, slash - text);
    host = split_host (before, &port, &reason);
    if (host == NULL)
        return refuse (error, field, text, reason);
    if (!bulkhead_address_parse (host, &endpoint.address))
        return refuse (error, field, text, "host must be a plain IPv4 or IPv6 address, not a name");
    if (before[0] == '[' && endpoint.address.family != G_SOCKET_FAMILY_IPV6)
        return refuse (error, field, text, "only an IPv6 address stands in brackets");
    if (!bulkhead_port_parse (port, &endpoint.port))
        return refuse (error, field, text, "port must be a number from 1 to 65535");
    if (!bulkhead_endpoint_check (&endpoint, error))
        return FALSE;

    *ret = endpoint;
    return TRUE;
}

char *
bulkhead_endpoint_to_string (const BulkheadEndpoint *endpoint)
{
    g_autofree char *host = bulkhead_address_to_string (&endpoint->address);
    const char *protocol = bulkhead_protocol_to_string (endpoint->protocol);

    if (endpoint->address.family == G_SOCKET_FAMILY_IPV6)
        return g_strdup_printf ("[%s]:%u/%s", host, endpoint->port, protocol);

    return g_strdup_printf ("%s:%u/%s", host, endpoint->port, protocol);
}

static gboolean
is_broadcast (const BulkheadAddress *address)
{
    static const guint8 ones[4] = { 0xff, 0xff, 0xff, 0xff };

    return address->family == G_SOCKET_FAMILY_IPV4
           && memcmp (address->bytes, ones, sizeof ones) == 0;
}

gboolean
bulkhead_endpoint_check (const BulkheadEndpoint *endpoint, GError **error)
{
    const BulkheadAddress *address = &endpoint->address;
    const char *reason = NULL;
    g_autofree char *text = NULL;

    if (!bulkhead_address_is_plain (address) || !bulkhead_protocol_has_ports (endpoint->protocol)) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                             "endpoint: must be a plain IPv4 or IPv6 address with udp or tcp");
        return FALSE;
    }

    if (bulkhead_address_is_unspecified (address))
        reason = "address is the unspecified one";
    else if (bulkhead_address_is_loopback (address))
        reason = "address is a loopback address";
    else if (bulkhead_address_is_multicast (address))
        reason = "address is a multicast address";
    else if (is_broadcast (address))
        reason = "address is the broadcast address";
    else if (endpoint->port == 0)
        reason = "port must be a number from 1 to 65535";
    if (reason == NULL)
        return TRUE;

    text = bulkhead_endpoint_to_string (endpoint);
    return refuse (error, "endpoint", text, reason);
}

int
bulkhead_endpoint_compare (const BulkheadEndpoint *a, const BulkheadEndpoint *b)
{
    int order = bulkhead_address_compare (&a->address, &b->address);

    if (order != 0)
        return order;
    if (a->protocol != b->protocol)
        return (int)a->protocol - (int)b->protocol;

    return (int)a->port - (int)b->port;
}

BulkheadTunnel *
bulkhead_tunnel_new (const char *name, const char *interface)
{
    BulkheadTunnel *tunnel = g_new0 (BulkheadTunnel, 1);

    tunnel->name = g_strdup (name);
    /* One that is too long fills the field and is refused by the check: cut short, it would be
     * another link's name. */
    memcpy (tunnel->interface, interface, MIN (strlen (interface), sizeof tunnel->interface));
    tunnel->endpoints = g_array_new (FALSE, FALSE, sizeof (BulkheadEndpoint));
    tunnel->networks = g_array_new (FALSE, FALSE, sizeof (BulkheadPrefix));
    return tunnel;
}

BulkheadTunnel *
bulkhead_tunnel_copy (const BulkheadTunnel *tunnel)
{
    g_autofree char *interface = g_strndup (tunnel->interface, sizeof tunnel->interface);
    BulkheadTunnel *copy = bulkhead_tunnel_new (tunnel->name, interface);

    copy->kind = tunnel->kind;
    copy->mark = tunnel->mark;
    copy->uid = tunnel->uid;
    g_array_append_vals (copy->endpoints, tunnel->endpoints->data, tunnel->endpoints->len);
    g_array_append_vals (copy->networks, tunnel->networks->data, tunnel->networks->len);
    return copy;
}

void
bulkhead_tunnel_free (BulkheadTunnel *tunnel)
{
    g_free (tunnel->name);
    g_array_unref (tunnel->endpoints);
    g_array_unref (tunnel->networks);
    g_free (tunnel);
}

gboolean
bulkhead_tunnel_equal (const BulkheadTunnel *a, const BulkheadTunnel *b)
{
    if (!g_str_equal (a->name, b->name)
        || memcmp (a->interface, b->interface, sizeof a->interface) != 0 || a->kind != b->kind
        || a->mark != b->mark || a->uid != b->uid || a->endpoints->len != b->endpoints->len
        || a->networks->len != b->networks->len)
        return FALSE;

    for (guint i = 0; i < a->endpoints->len; i++) {
        if (bulkhead_endpoint_compare (&g_array_index (a->endpoints, BulkheadEndpoint, i),
                                       &g_array_index (b->endpoints, BulkheadEndpoint, i))
            != 0)
            return FALSE;
    }
    for (guint i = 0; i < a->networks->len; i++) {
        if (bulkhead_prefix_compare (&g_array_index (a->networks, BulkheadPrefix, i),
                                     &g_array_index (b->networks, BulkheadPrefix, i))
            != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
networks_are_good (const GArray *networks)
{
    for (guint i = 0; i < networks->len; i++) {
        const BulkheadPrefix *network = &g_array_index (networks, BulkheadPrefix, i);

        if (!bulkhead_prefix_is_network (network) || network->length == 0)
            return FALSE;
    }
    return TRUE;
}

gboolean
bulkhead_tunnel_check (const BulkheadTunnel *tunnel, GError **error)
{
    g_autofree char *interface = g_strndup (tunnel->interface, sizeof tunnel->interface);
    const char *problem = NULL;

    if (!bulkhead_tunnel_name_check (tunnel->name, error)
        || !bulkhead_interface_check (interface, error))
        return FALSE;

    for (guint i = 0; i < tunnel->endpoints->len; i++) {
        if (!bulkhead_endpoint_check (&g_array_index (tunnel->endpoints, BulkheadEndpoint, i),
                                      error))
            return FALSE;
    }

    if (tunnel->endpoints->len > BULKHEAD_ENDPOINTS_MAX)
        problem = "has more than " G_STRINGIFY (BULKHEAD_ENDPOINTS_MAX) " endpoints";
    else if (tunnel->networks->len > BULKHEAD_NETWORKS_MAX)
        problem = "has more than " G_STRINGIFY (BULKHEAD_NETWORKS_MAX) " networks";
    else if (!networks_are_good (tunnel->networks))
        problem = "networks must have host bits of zero, and a length that is not";
    else if ((guint)tunnel->kind > BULKHEAD_TUNNEL_OTHER)
        problem = "kind is none of the known ones";
    else if (tunnel->uid == G_MAXUINT32)
        problem = "user is the number that stands for no user";
    if (problem == NULL)
        return TRUE;

    return bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "tunnel", tunnel->name,
                                     problem);
}
