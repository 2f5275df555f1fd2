/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What callers send over the bus. The first byte chooses the method; the rest is the argument as
 * GVariant serialises it, brought into the form in which the bus library hands it over.
 */
#include "arguments.h"
#include "error.h"
#include "fuzz.h"

#include <string.h>

static void
check_refusal (const GError *error)
{
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT);
    fuzz_check_error (error);
}

/* What gets into a policy comes back from its stored form. */
static void
check_policy (BulkheadPolicy *policy, GError *failure)
{
    g_autoptr (GError) error = failure;
    g_autofree char *text = NULL;
    g_autoptr (BulkheadPolicy) back = NULL;

    if (policy == NULL) {
        check_refusal (error);
        return;
    }
    text = bulkhead_policy_to_text (policy);
    back = bulkhead_policy_from_text (text, strlen (text), NULL);
    g_assert_nonnull (back);
    g_assert_true (bulkhead_policy_equal (policy, back));
    bulkhead_policy_unref (policy);
}

static void
check_tunnel (GVariant *options)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) tunnel = NULL;
    GError *error = NULL;
    gboolean has_kind;

    tunnel = bulkhead_arguments_tunnel (options, &has_kind, &error);
    if (tunnel != NULL)
        g_assert_true (bulkhead_tunnel_check (tunnel, NULL));
    check_policy (tunnel != NULL ? bulkhead_policy_with_tunnel (empty, tunnel, &error) : NULL,
                  error);
}

static void
check_lan (GVariant *options)
{
    g_autoptr (GError) error = NULL;
    gboolean cgnat = FALSE, port_mapping = FALSE;

    if (!bulkhead_arguments_lan (options, &cgnat, &port_mapping, &error))
        check_refusal (error);
}

static void
check_exceptions (GVariant *texts)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (GArray) exceptions = NULL;
    GError *error = NULL;

    exceptions = bulkhead_arguments_exceptions (texts, &error);
    check_policy (exceptions != NULL ? bulkhead_policy_with_exceptions (
                      empty, (const BulkheadException *)exceptions->data, exceptions->len, &error)
                                     : NULL,
                  error);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    static const struct {
        const char *type;
        void (*check) (GVariant *value);
    } methods[] = {
        { "a{sv}", check_tunnel },
        { "a{sv}", check_lan },
        { "as", check_exceptions },
    };
    guint method = size > 0 ? data[0] % G_N_ELEMENTS (methods) : 0;
    g_autoptr (GBytes) bytes = g_bytes_new (data + (size > 0), size - (size > 0));
    g_autoptr (GVariant) sent = NULL;
    g_autoptr (GVariant) value = NULL;

    sent = g_variant_new_from_bytes (G_VARIANT_TYPE (methods[method].type), bytes, FALSE);
    value = g_variant_get_normal_form (g_variant_ref_sink (sent));
    methods[method].check (value);
    return 0;
}
