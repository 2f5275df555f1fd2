/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "values.h"

#include "error.h"

#include <string.h>

void
assert_error (GError *error, int code, const char *fragment)
{
    g_assert_error (error, BULKHEAD_ERROR, code);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, fragment));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_false (g_str_has_suffix (error->message, "."));
    g_assert_false (g_ascii_isupper (error->message[0]));
    for (const char *p = error->message; *p != '\0'; p++)
        g_assert_false (g_ascii_iscntrl (*p));
    g_assert_cmpuint (strlen (error->message), <, 300);
    g_error_free (error);
}

BulkheadEndpoint
endpoint (const char *text)
{
    BulkheadEndpoint result;
    GError *error = NULL;

    bulkhead_endpoint_parse (text, &result, &error);
    g_assert_no_error (error);
    return result;
}

BulkheadPrefix
network (const char *text)
{
    BulkheadPrefix result;

    g_assert_true (bulkhead_prefix_parse (text, &result));
    return result;
}

BulkheadException
exception (const char *text)
{
    BulkheadException result;
    GError *error = NULL;

    bulkhead_exception_parse (text, &result, &error);
    g_assert_no_error (error);
    return result;
}

BulkheadPolicy *
with_tunnel (const BulkheadPolicy *policy, const char *name, const char *interface)
{
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new (name, interface);
    GError *error = NULL;
    BulkheadPolicy *result = bulkhead_policy_with_tunnel (policy, tunnel, &error);

    g_assert_no_error (error);
    return result;
}
