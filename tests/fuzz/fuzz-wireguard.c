/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel lists of a WireGuard link, message by message, as wireguard.c is given them. */
#include "fuzz.h"
#include "wireguard.h"

static void
check_message (const guint8 *data, gsize length, BulkheadWireguard *wireguard)
{
    g_autofree guint8 *message = fuzz_copy (data, length);
    g_autoptr (GError) error = NULL;
    gboolean taken = bulkhead_wireguard_parse_message (message, length, wireguard, &error);

    g_assert_true (taken == (error == NULL));
    if (!taken)
        fuzz_check_error (error);
    for (gsize i = NLMSG_HDRLEN; i < length; i++)
        g_assert_cmpuint (message[i], ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    gsize at = 0;

    while (size - at >= NLMSG_HDRLEN) {
        const struct nlmsghdr *message = (const void *)(copy + at);
        gsize length = NLMSG_ALIGN ((gsize)message->nlmsg_len);

        /* The last one may say more than there is, or less than its own header. */
        if (length < NLMSG_HDRLEN || length > size - at)
            length = size - at;
        check_message (copy + at, length, wireguard);
        at += length;
    }
    g_assert_cmpint (wireguard->handshake, >=, 0);
    g_assert_cmpuint (wireguard->endpoints->len, <=, BULKHEAD_ENDPOINTS_MAX);
    for (guint i = 0; i < wireguard->endpoints->len; i++)
        g_assert_true (bulkhead_endpoint_check (
            &g_array_index (wireguard->endpoints, BulkheadEndpoint, i), NULL));
    return 0;
}
