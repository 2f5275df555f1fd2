/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy.h"

#include "error.h"

#include <string.h>

static int
compare_endpoints (gconstpointer a, gconstpointer b)
{
    return bulkhead_endpoint_compare (a, b);
}

static int
compare_networks (gconstpointer a, gconstpointer b)
{
    return bulkhead_prefix_compare (a, b);
}

static int
compare_exceptions (gconstpointer a, gconstpointer b)
{
    return bulkhead_exception_compare (a, b);
}

static int
compare_tunnels (gconstpointer a, gconstpointer b)
{
    const BulkheadTunnel *const *left = a;
    const BulkheadTunnel *const *right = b;

    return strcmp ((*left)->name, (*right)->name);
}

static GPtrArray *
tunnels_new (void)
{
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bulkhead_tunnel_free);
}

BulkheadPolicy *
bulkhead_policy_new (void)
{
    BulkheadPolicy *policy = g_atomic_rc_box_new0 (BulkheadPolicy);

    policy->tunnels = tunnels_new ();
    policy->exceptions = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    return policy;
}

BulkheadPolicy *
bulkhead_policy_ref (const BulkheadPolicy *policy)
{
    return g_atomic_rc_box_acquire ((BulkheadPolicy *)policy);
}

static void
clear_policy (BulkheadPolicy *policy)
{
    g_ptr_array_unref (policy->tunnels);
    g_array_unref (policy->exceptions);
}

void
bulkhead_policy_unref (BulkheadPolicy *policy)
{
    g_atomic_rc_box_release_full (policy, (GDestroyNotify)clear_policy);
}

/* Lists are shared, never written to: who changes one puts a new list in its place. */
static BulkheadPolicy *
copy_policy (const BulkheadPolicy *policy)
{
    BulkheadPolicy *copy = g_atomic_rc_box_dup (sizeof *policy, (BulkheadPolicy *)policy);

    g_ptr_array_ref (copy->tunnels);
    g_array_ref (copy->exceptions);
    return copy;
}

static BulkheadPolicy *
copy_with_tunnels (const BulkheadPolicy *policy, GPtrArray *tunnels)
{
    BulkheadPolicy *copy = copy_policy (policy);

    g_ptr_array_unref (copy->tunnels);
    copy->tunnels = g_ptr_array_ref (tunnels);
    return copy;
}

static BulkheadPolicy *
copy_with_exceptions (const BulkheadPolicy *policy, GArray *exceptions)
{
    BulkheadPolicy *copy = copy_policy (policy);

    g_array_unref (copy->exceptions);
    copy->exceptions = g_array_ref (exceptions);
    return copy;
}

BulkheadPolicy *
bulkhead_policy_with_tunnels_of (const BulkheadPolicy *policy, const BulkheadPolicy *other)
{
    return copy_with_tunnels (policy, other->tunnels);
}

BulkheadPolicy *
bulkhead_policy_with_exceptions_of (const BulkheadPolicy *policy, const BulkheadPolicy *other)
{
    return copy_with_exceptions (policy, other->exceptions);
}

static gboolean
exceptions_equal (const GArray *a, const GArray *b)
{
    if (a == b)
        return TRUE;
    if (a->len != b->len)
        return FALSE;

    for (guint i = 0; i < a->len; i++) {
        if (bulkhead_exception_compare (&g_array_index (a, BulkheadException, i),
                                        &g_array_index (b, BulkheadException, i))
            != 0)
            return FALSE;
    }
    return TRUE;
}

gboolean
bulkhead_policy_equal (const BulkheadPolicy *a, const BulkheadPolicy *b)
{
    if (!a->locked != !b->locked || !a->lan != !b->lan || !a->lan_cgnat != !b->lan_cgnat
        || !a->lan_port_mapping != !b->lan_port_mapping || a->pause_seconds != b->pause_seconds
        || a->pause_until != b->pause_until || a->tunnels->len != b->tunnels->len)
        return FALSE;

    for (guint i = 0; i < a->tunnels->len; i++) {
        if (!bulkhead_tunnel_equal (g_ptr_array_index (a->tunnels, i),
                                    g_ptr_array_index (b->tunnels, i)))
            return FALSE;
    }
    return exceptions_equal (a->exceptions, b->exceptions);
}

BulkheadPolicy *
bulkhead_policy_with_locked (const BulkheadPolicy *policy, gboolean locked)
{
    BulkheadPolicy *copy = copy_policy (policy);

    copy->locked = locked;
    copy->pause_seconds = 0;
    copy->pause_until = 0;
    return copy;
}

BulkheadPolicy *
bulkhead_policy_with_lan (const BulkheadPolicy *policy, gboolean lan)
{
    BulkheadPolicy *copy = copy_policy (policy);

    copy->lan = lan;
    return copy;
}

BulkheadPolicy *
bulkhead_policy_with_lan_options (const BulkheadPolicy *policy, gboolean cgnat,
                                  gboolean port_mapping)
{
    BulkheadPolicy *copy = copy_policy (policy);

    copy->lan_cgnat = cgnat;
    copy->lan_port_mapping = port_mapping;
    return copy;
}

BulkheadPolicy *
bulkhead_policy_with_pause (const BulkheadPolicy *policy, guint seconds, gint64 until,
                            GError **error)
{
    BulkheadPolicy *copy;

    if (seconds > BULKHEAD_PAUSE_MAX) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                     "pause “%u”: must be %d seconds at the most", seconds, BULKHEAD_PAUSE_MAX);
        return NULL;
    }
    if (seconds > 0 && until <= 0) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                     "end of the pause “%" G_GINT64_FORMAT "”: must be a time after boot", until);
        return NULL;
    }
    if (seconds > 0 && !policy->locked) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_WRONG_STATE,
                             "pause: there is nothing to pause while unlocked");
        return NULL;
    }

    copy = copy_policy (policy);
    copy->pause_seconds = seconds;
    copy->pause_until = seconds > 0 ? until : 0;
    return copy;
}

const BulkheadTunnel *
bulkhead_policy_find_tunnel (const BulkheadPolicy *policy, const char *name)
{
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = g_ptr_array_index (policy->tunnels, i);

        if (g_str_equal (tunnel->name, name))
            return tunnel;
    }
    return NULL;
}

const BulkheadTunnel *
bulkhead_policy_find_interface (const BulkheadPolicy *policy, const char *interface)
{
    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = g_ptr_array_index (policy->tunnels, i);

        if (g_str_equal (tunnel->interface, interface))
            return tunnel;
    }
    return NULL;
}

static GPtrArray *
copy_tunnels_but (const BulkheadPolicy *policy, const BulkheadTunnel *left_out)
{
    GPtrArray *tunnels = tunnels_new ();

    for (guint i = 0; i < policy->tunnels->len; i++) {
        const BulkheadTunnel *tunnel = g_ptr_array_index (policy->tunnels, i);

        if (tunnel != left_out)
            g_ptr_array_add (tunnels, bulkhead_tunnel_copy (tunnel));
    }
    return tunnels;
}

/* @replaced may be NULL: then @tunnel is one more. */
static BulkheadPolicy *
put_tunnel (const BulkheadPolicy *policy, const BulkheadTunnel *tunnel,
            const BulkheadTunnel *replaced, GError **error)
{
    g_autoptr (BulkheadTunnel) copy = bulkhead_tunnel_copy (tunnel);
    g_autoptr (GPtrArray) tunnels = NULL;
    const BulkheadTunnel *holder;

    bulkhead_sort_unique (copy->endpoints, compare_endpoints);
    bulkhead_sort_unique (copy->networks, compare_networks);
    if (!bulkhead_tunnel_check (copy, error))
        return NULL;

    holder = bulkhead_policy_find_interface (policy, copy->interface);
    if (holder != NULL && holder != replaced) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_EXISTS,
                     "interface “%s”: belongs to the tunnel “%s” already", copy->interface,
                     holder->name);
        return NULL;
    }

    tunnels = copy_tunnels_but (policy, replaced);
    if (tunnels->len >= BULKHEAD_TUNNELS_MAX) {
        bulkhead_error_set_value (
            error, BULKHEAD_ERROR_INVALID_ARGUMENT, "tunnel", copy->name,
            "there are " G_STRINGIFY (BULKHEAD_TUNNELS_MAX) " already, the most there may be");
        return NULL;
    }
    g_ptr_array_add (tunnels, g_steal_pointer (&copy));
    g_ptr_array_sort (tunnels, compare_tunnels);
    return copy_with_tunnels (policy, tunnels);
}

BulkheadPolicy *
bulkhead_policy_with_tunnel (const BulkheadPolicy *policy, const BulkheadTunnel *tunnel,
                             GError **error)
{
    if (bulkhead_policy_find_tunnel (policy, tunnel->name) != NULL) {
        bulkhead_error_set_value (error, BULKHEAD_ERROR_EXISTS, "tunnel name", tunnel->name,
                                  "is taken already");
        return NULL;
    }
    return put_tunnel (policy, tunnel, NULL, error);
}

/* The tunnel of that name, or NULL and NOT_FOUND. */
static const BulkheadTunnel *
require_tunnel (const BulkheadPolicy *policy, const char *name, GError **error)
{
    const BulkheadTunnel *tunnel = bulkhead_policy_find_tunnel (policy, name);

    if (tunnel == NULL)
        bulkhead_error_set_value (error, BULKHEAD_ERROR_NOT_FOUND, "tunnel name", name,
                                  "there is no tunnel of that name");
    return tunnel;
}

BulkheadPolicy *
bulkhead_policy_with_tunnel_replaced (const BulkheadPolicy *policy, const BulkheadTunnel *tunnel,
                                      GError **error)
{
    const BulkheadTunnel *replaced = require_tunnel (policy, tunnel->name, error);

    return replaced != NULL ? put_tunnel (policy, tunnel, replaced, error) : NULL;
}

BulkheadPolicy *
bulkhead_policy_without_tunnel (const BulkheadPolicy *policy, const char *name, GError **error)
{
    const BulkheadTunnel *tunnel = require_tunnel (policy, name, error);
    g_autoptr (GPtrArray) tunnels = NULL;

    if (tunnel == NULL)
        return NULL;

    tunnels = copy_tunnels_but (policy, tunnel);
    return copy_with_tunnels (policy, tunnels);
}

BulkheadPolicy *
bulkhead_policy_with_exceptions (const BulkheadPolicy *policy, const BulkheadException *exceptions,
                                 gsize n, GError **error)
{
    g_autoptr (GArray) all = NULL;

    if (n > BULKHEAD_EXCEPTIONS_MAX) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                     "exceptions: %" G_GSIZE_FORMAT " are more than the %d there may be", n,
                     BULKHEAD_EXCEPTIONS_MAX);
        return NULL;
    }
    for (gsize i = 0; i < n; i++) {
        if (!bulkhead_exception_check (&exceptions[i], error))
            return NULL;
    }

    all = g_array_copy (policy->exceptions);
    if (n > 0)
        g_array_append_vals (all, exceptions, n);
    bulkhead_sort_unique (all, compare_exceptions);
    if (all->len > BULKHEAD_EXCEPTIONS_MAX) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                     "exceptions: with these there would be %u, more than the %d there may be",
                     all->len, BULKHEAD_EXCEPTIONS_MAX);
        return NULL;
    }
    return copy_with_exceptions (policy, all);
}

BulkheadPolicy *
bulkhead_policy_without_exceptions (const BulkheadPolicy *policy,
                                    const BulkheadException *exceptions, gsize n, GError **error)
{
    g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (BulkheadException));
    guint j = 0;

    if (n > 0)
        g_array_append_vals (gone, exceptions, n);
    bulkhead_sort_unique (gone, compare_exceptions);
    for (guint i = 0; i < policy->exceptions->len; i++) {
        const BulkheadException *each = &g_array_index (policy->exceptions, BulkheadException, i);

        if (j < gone->len
            && bulkhead_exception_compare (each, &g_array_index (gone, BulkheadException, j)) == 0)
            j++;
        else
            g_array_append_vals (kept, each, 1);
    }
    if (j < gone->len) {
        const BulkheadException *missing = &g_array_index (gone, BulkheadException, j);
        g_autofree char *text = NULL;

        if (!bulkhead_exception_check (missing, error))
            return NULL;
        text = bulkhead_exception_to_string (missing);
        bulkhead_error_set_value (error, BULKHEAD_ERROR_NOT_FOUND, "exception", text,
                                  "there is none like it");
        return NULL;
    }
    return copy_with_exceptions (policy, kept);
}
