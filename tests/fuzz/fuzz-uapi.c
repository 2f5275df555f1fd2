/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a userspace WireGuard answers. Nothing of it stays in memory: it has keys in it. */
#include "error.h"
#include "fuzz.h"
#include "wireguard.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    g_autoptr (BulkheadWireguard) wireguard = bulkhead_wireguard_new ("wg0");
    g_autoptr (GError) error = NULL;
    gboolean taken = bulkhead_wireguard_parse_uapi ((char *)copy, size, wireguard, &error);

    g_assert_true (taken == (error == NULL));
    if (!taken) {
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
        fuzz_check_error (error);
    }
    for (gsize i = 0; i < size; i++)
        g_assert_cmpuint (copy[i], ==, 0);
    g_assert_cmpuint (wireguard->endpoints->len, <=, BULKHEAD_ENDPOINTS_MAX);
    for (guint i = 0; i < wireguard->endpoints->len; i++)
        g_assert_true (bulkhead_endpoint_check (
            &g_array_index (wireguard->endpoints, BulkheadEndpoint, i), NULL));
    return 0;
}
