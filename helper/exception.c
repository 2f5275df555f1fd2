/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy.h"

#include "error.h"

static const struct {
    BulkheadProtocol protocol;
    const char *word;
} protocols[] = {
    { BULKHEAD_PROTOCOL_ANY, "any" },
    { BULKHEAD_PROTOCOL_ICMP, "icmp" },
    { BULKHEAD_PROTOCOL_TCP, "tcp" },
    { BULKHEAD_PROTOCOL_UDP, "udp" },
};

const char *
bulkhead_protocol_to_string (BulkheadProtocol protocol)
{
    for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++) {
        if (protocols[i].protocol == protocol)
            return protocols[i].word;
    }
    g_return_val_if_reached ("any");
}

gboolean
bulkhead_protocol_parse (const char *text, BulkheadProtocol *ret)
{
    for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++) {
        if (g_str_equal (protocols[i].word, text)) {
            *ret = protocols[i].protocol;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
bulkhead_protocol_has_ports (BulkheadProtocol protocol)
{
    return protocol == BULKHEAD_PROTOCOL_TCP || protocol == BULKHEAD_PROTOCOL_UDP;
}

gboolean
bulkhead_port_parse (const char *text, guint16 *ret)
{
    guint64 port;

    if (text[0] == '0' || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &port, NULL))
        return FALSE;

    *ret = port;
    return TRUE;
}

static gboolean
refuse (GError **error, const char *field, const char *value, const char *reason)
{
    return bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, field, value, reason);
}

gboolean
bulkhead_exception_parse (const char *text, BulkheadException *ret, GError **error)
{
    const char *field = "exception";
    g_auto (GStrv) words = g_strsplit (text, " ", 4);
    guint n = g_strv_length (words);
    BulkheadException exception = { 0 };

    if (n < 1 || n > 3)
        return refuse (error, field, text, "must be ADDRESS[/LENGTH] [PROTOCOL [PORT]]");
    if (!bulkhead_prefix_parse (words[0], &exception.destination))
        return refuse (error, field, text,
                       "destination must be ADDRESS or ADDRESS/LENGTH, no bit set beyond LENGTH");
    if (n > 1 && !bulkhead_protocol_parse (words[1], &exception.protocol))
        return refuse (error, field, text, "protocol must be any, tcp, udp or icmp");
    if (n > 2 && !bulkhead_port_parse (words[2], &exception.port))
        return refuse (error, field, text, "port must be a number from 1 to 65535");
    if (!bulkhead_exception_check (&exception, error))
        return FALSE;

    *ret = exception;
    return TRUE;
}

char *
bulkhead_exception_to_string (const BulkheadException *exception)
{
    g_autofree char *destination = bulkhead_prefix_to_string (&exception->destination);
    const char *protocol = bulkhead_protocol_to_string (exception->protocol);

    if (exception->port != 0)
        return g_strdup_printf ("%s %s %u", destination, protocol, exception->port);
    if (exception->protocol != BULKHEAD_PROTOCOL_ANY)
        return g_strdup_printf ("%s %s", destination, protocol);

    return g_steal_pointer (&destination);
}

static gboolean
overlaps (const BulkheadPrefix *a, const BulkheadPrefix *b)
{
    return bulkhead_prefix_contains (a, &b->address) || bulkhead_prefix_contains (b, &a->address);
}

static const char *
destination_problem (const BulkheadPrefix *destination)
{
    static const BulkheadPrefix loopback[] = {
        { { G_SOCKET_FAMILY_IPV4, { 127 } }, 8 },
        { { G_SOCKET_FAMILY_IPV6, { [15] = 1 } }, 128 },
    };
    static const BulkheadPrefix multicast[] = {
        { { G_SOCKET_FAMILY_IPV4, { 224 } }, 4 },
        { { G_SOCKET_FAMILY_IPV6, { 0xff } }, 8 },
    };

    if (destination->length == 0)
        return "destination is every address, which would be unlocking";
    for (gsize i = 0; i < G_N_ELEMENTS (loopback); i++) {
        if (overlaps (destination, &loopback[i]))
            return "destination has loopback addresses in it";
        if (overlaps (destination, &multicast[i]))
            return "destination has multicast addresses in it";
    }
    if (bulkhead_address_is_unspecified (&destination->address))
        return "destination begins with the unspecified address";

    return NULL;
}

static gboolean
is_protocol (BulkheadProtocol protocol)
{
    for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++) {
        if (protocols[i].protocol == protocol)
            return TRUE;
    }
    return FALSE;
}

gboolean
bulkhead_exception_check (const BulkheadException *exception, GError **error)
{
    const char *reason;
    g_autofree char *text = NULL;

    if (!bulkhead_prefix_is_network (&exception->destination)
        || !is_protocol (exception->protocol)) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                             "exception: must be a plain IPv4 or IPv6 network with any, tcp, udp "
                             "or icmp");
        return FALSE;
    }

    reason = destination_problem (&exception->destination);
    if (reason == NULL && exception->port != 0
        && !bulkhead_protocol_has_ports (exception->protocol))
        reason = "port needs tcp or udp";
    if (reason == NULL && (exception->port == 53 || exception->port == 853))
        reason = "port is that of DNS, which never leaves outside the tunnel";
    if (reason == NULL)
        return TRUE;

    text = bulkhead_exception_to_string (exception);
    return refuse (error, "exception", text, reason);
}

int
bulkhead_exception_compare (const BulkheadException *a, const BulkheadException *b)
{
    if (a->protocol != b->protocol)
        return (int)a->protocol - (int)b->protocol;
    if (a->port != b->port)
        return (int)a->port - (int)b->port;

    return bulkhead_prefix_compare (&a->destination, &b->destination);
}
