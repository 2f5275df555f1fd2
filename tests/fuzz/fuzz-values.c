/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, endpoints, exceptions and names as people and clients write them. */
#include "error.h"
#include "fuzz.h"
#include "policy.h"

#include <string.h>

static void
check_outcome (gboolean taken, const GError *error)
{
    g_assert_true (taken == (error == NULL));
    if (error != NULL) {
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT);
        fuzz_check_error (error);
    }
}

static void
check_prefix (const char *text)
{
    BulkheadPrefix prefix, back;
    g_autofree char *printed = NULL;

    if (!bulkhead_prefix_parse (text, &prefix))
        return;
    g_assert_true (bulkhead_prefix_is_network (&prefix));
    printed = bulkhead_prefix_to_string (&prefix);
    g_assert_true (bulkhead_prefix_parse (printed, &back));
    g_assert_cmpint (bulkhead_prefix_compare (&prefix, &back), ==, 0);
}

static void
check_endpoint (const char *text)
{
    g_autoptr (GError) error = NULL;
    BulkheadEndpoint endpoint, back;
    g_autofree char *printed = NULL;
    gboolean taken = bulkhead_endpoint_parse (text, &endpoint, &error);

    check_outcome (taken, error);
    if (!taken)
        return;
    printed = bulkhead_endpoint_to_string (&endpoint);
    g_assert_true (bulkhead_endpoint_parse (printed, &back, NULL));
    g_assert_cmpint (bulkhead_endpoint_compare (&endpoint, &back), ==, 0);
}

static void
check_exception (const char *text)
{
    g_autoptr (GError) error = NULL;
    BulkheadException exception, back;
    g_autofree char *printed = NULL;
    gboolean taken = bulkhead_exception_parse (text, &exception, &error);

    check_outcome (taken, error);
    if (!taken)
        return;
    g_assert_cmpuint (exception.destination.length, >, 0);
    g_assert_cmpuint (exception.port, !=, 53);
    g_assert_cmpuint (exception.port, !=, 853);
    printed = bulkhead_exception_to_string (&exception);
    g_assert_true (bulkhead_exception_parse (printed, &back, NULL));
    g_assert_cmpint (bulkhead_exception_compare (&exception, &back), ==, 0);
}

/* A name that is taken comes back from the stored form, whatever is in it. */
static void
check_names (const char *text)
{
    g_autoptr (GError) name_error = NULL;
    g_autoptr (GError) interface_error = NULL;
    gboolean name = bulkhead_tunnel_name_check (text, &name_error);
    gboolean interface = bulkhead_interface_check (text, &interface_error);
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) tunnel =
        bulkhead_tunnel_new (name ? text : "a", interface ? text : "wg0");
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_with_tunnel (empty, tunnel, NULL);
    g_autoptr (BulkheadPolicy) back = NULL;
    g_autofree char *stored = NULL;

    check_outcome (name, name_error);
    check_outcome (interface, interface_error);
    if (!name && !interface)
        return;
    stored = bulkhead_policy_to_text (policy);
    back = bulkhead_policy_from_text (stored, strlen (stored), NULL);
    g_assert_nonnull (back);
    g_assert_true (bulkhead_policy_equal (policy, back));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree char *text = g_strndup ((const char *)data, size);

    check_prefix (text);
    check_endpoint (text);
    check_exception (text);
    check_names (text);
    return 0;
}
