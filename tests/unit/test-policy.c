/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One policy made of another. */
#include "error.h"
#include "values.h"

static void
test_switches (void)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) same = bulkhead_policy_ref (empty);
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (empty, TRUE);
    g_autoptr (BulkheadPolicy) lan = bulkhead_policy_with_lan (locked, TRUE);
    g_autoptr (BulkheadPolicy) cgnat = bulkhead_policy_with_lan_options (lan, TRUE, FALSE);
    g_autoptr (BulkheadPolicy) mapping = bulkhead_policy_with_lan_options (lan, FALSE, TRUE);
    const BulkheadPolicy *all[] = { empty, locked, lan, cgnat, mapping };

    g_assert_true (same == empty);
    g_assert_false (empty->locked || empty->lan || empty->lan_cgnat || empty->lan_port_mapping);
    g_assert_cmpuint (empty->tunnels->len + empty->exceptions->len + empty->pause_seconds, ==, 0);
    g_assert_true (locked->locked && !locked->lan);
    g_assert_true (lan->locked && lan->lan && !lan->lan_cgnat && !lan->lan_port_mapping);
    g_assert_true (cgnat->lan && cgnat->lan_cgnat && !cgnat->lan_port_mapping);
    g_assert_true (mapping->lan && !mapping->lan_cgnat && mapping->lan_port_mapping);
    for (gsize i = 0; i < G_N_ELEMENTS (all); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS (all); j++)
            g_assert_cmpint (bulkhead_policy_equal (all[i], all[j]), ==, i == j);
    }
}

static void
test_pause (void)
{
    g_autoptr (BulkheadPolicy) open = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) locked = bulkhead_policy_with_locked (open, TRUE);
    g_autoptr (BulkheadPolicy) paused = bulkhead_policy_with_pause (locked, 86400, 5, NULL);
    g_autoptr (BulkheadPolicy) longer = bulkhead_policy_with_pause (paused, 86400, 6, NULL);
    g_autoptr (BulkheadPolicy) resumed = bulkhead_policy_with_pause (paused, 0, 7, NULL);
    g_autoptr (BulkheadPolicy) again = bulkhead_policy_with_locked (paused, TRUE);
    g_autoptr (BulkheadPolicy) unlocked = bulkhead_policy_with_locked (paused, FALSE);
    g_autoptr (BulkheadPolicy) nothing = bulkhead_policy_with_pause (open, 0, 0, NULL);
    GError *error = NULL;

    g_assert_cmpuint (paused->pause_seconds, ==, 86400);
    g_assert_cmpint (paused->pause_until, ==, 5);
    g_assert_true (paused->locked);
    g_assert_false (bulkhead_policy_equal (paused, locked));
    g_assert_false (bulkhead_policy_equal (paused, longer));
    g_assert_true (bulkhead_policy_equal (resumed, locked));
    g_assert_true (bulkhead_policy_equal (again, locked));
    g_assert_true (bulkhead_policy_equal (unlocked, open));
    g_assert_true (bulkhead_policy_equal (nothing, open));

    g_assert_null (bulkhead_policy_with_pause (locked, 86401, 5, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "pause “86401”");
    error = NULL;
    g_assert_null (bulkhead_policy_with_pause (locked, 1, 0, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "pause “0”");
    error = NULL;
    g_assert_null (bulkhead_policy_with_pause (open, 1, 5, &error));
    assert_error (error, BULKHEAD_ERROR_WRONG_STATE, "pause");
}

static void
test_tunnels (void)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) one = with_tunnel (empty, "b", "wg1");
    g_autoptr (BulkheadPolicy) two = with_tunnel (one, "a", "wg0");
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("a", "wg2");
    g_autoptr (BulkheadPolicy) less = NULL;
    GError *error = NULL;

    g_assert_cmpuint (empty->tunnels->len, ==, 0);
    g_assert_cmpuint (one->tunnels->len, ==, 1);
    g_assert_true (g_ptr_array_index (two->tunnels, 0) == bulkhead_policy_find_tunnel (two, "a"));
    g_assert_cmpstr (bulkhead_policy_find_interface (two, "wg1")->name, ==, "b");
    g_assert_null (bulkhead_policy_find_interface (two, "wg2"));

    g_assert_null (bulkhead_policy_with_tunnel (two, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_EXISTS, "tunnel name “a”");
    error = NULL;
    g_free (tunnel->name);
    tunnel->name = g_strdup ("c");
    g_assert_null (bulkhead_policy_with_tunnel_replaced (two, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_NOT_FOUND, "tunnel name “c”");
    error = NULL;
    g_strlcpy (tunnel->interface, "wg1", sizeof tunnel->interface);
    g_assert_null (bulkhead_policy_with_tunnel (two, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_EXISTS, "interface “wg1”");
    error = NULL;
    g_free (tunnel->name);
    tunnel->name = g_strdup ("a");
    g_assert_null (bulkhead_policy_with_tunnel_replaced (two, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_EXISTS, "interface “wg1”");
    error = NULL;

    less = bulkhead_policy_without_tunnel (two, "a", &error);
    g_assert_no_error (error);
    g_assert_true (bulkhead_policy_equal (less, one));
    g_assert_null (bulkhead_policy_without_tunnel (less, "a", &error));
    assert_error (error, BULKHEAD_ERROR_NOT_FOUND, "tunnel name “a”");
}

static void
test_tunnel_replaced (void)
{
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) one = with_tunnel (empty, "b", "wg1");
    g_autoptr (BulkheadPolicy) two = with_tunnel (one, "a", "wg0");
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("a", "wg2");
    g_autoptr (BulkheadPolicy) replaced = NULL;
    const BulkheadTunnel *found;
    GError *error = NULL;

    /* Rubbish behind the zero must not make another name of it. */
    memcpy (tunnel->interface, "wg0\0rubbish", 12);
    tunnel->kind = BULKHEAD_TUNNEL_OPENVPN;
    tunnel->mark = 7;
    tunnel->uid = 1000;
    for (guint i = 0; i < 6; i++) {
        BulkheadEndpoint each = endpoint (i % 2 != 0 ? "192.0.2.1:443/tcp" : "[2001:db8::1]:1/udp");
        BulkheadPrefix behind = network (i % 2 != 0 ? "10.8.0.0/24" : "fd00::/8");

        g_array_append_val (tunnel->endpoints, each);
        g_array_append_val (tunnel->networks, behind);
    }
    replaced = bulkhead_policy_with_tunnel_replaced (two, tunnel, &error);
    g_assert_no_error (error);
    found = bulkhead_policy_find_tunnel (replaced, "a");
    g_assert_cmpmem (found->interface, BULKHEAD_IFNAME_SIZE, "wg0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    g_assert_cmpuint (found->endpoints->len, ==, 2);
    g_assert_cmpuint (g_array_index (found->endpoints, BulkheadEndpoint, 0).port, ==, 443);
    g_assert_cmpuint (found->networks->len, ==, 2);
    g_assert_cmpuint (g_array_index (found->networks, BulkheadPrefix, 0).length, ==, 24);
    g_assert_cmpuint (found->mark, ==, 7);
    g_assert_cmpuint (found->uid, ==, 1000);
    g_assert_cmpint (found->kind, ==, BULKHEAD_TUNNEL_OPENVPN);
    g_assert_cmpuint (tunnel->endpoints->len, ==, 6);
    g_assert_cmpuint (bulkhead_policy_find_tunnel (two, "a")->mark, ==, 0);
    g_assert_false (bulkhead_policy_equal (two, replaced));
}

static void
test_tunnel_networks (void)
{
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("a", "wg0");
    g_autoptr (BulkheadTunnel) copy = NULL;
    BulkheadPrefix each = network ("10.0.0.0/32");
    BulkheadPrefix bad[] = { network ("10.8.0.0/24"), network ("10.8.0.0/24"),
                             network ("0.0.0.0/0"), network ("::/0"), network ("10.0.0.0/32") };

    for (guint i = 0; i < BULKHEAD_NETWORKS_MAX; i++) {
        each.address.bytes[3] = i;
        g_array_append_val (tunnel->networks, each);
    }
    g_assert_true (bulkhead_tunnel_check (tunnel, NULL));
    copy = bulkhead_tunnel_copy (tunnel);
    g_assert_true (bulkhead_tunnel_equal (tunnel, copy));
    g_array_index (copy->networks, BulkheadPrefix, 255).address.bytes[2]++;
    g_assert_false (bulkhead_tunnel_equal (tunnel, copy));
    g_array_set_size (copy->networks, 255);
    g_assert_false (bulkhead_tunnel_equal (tunnel, copy));

    bad[0].address.bytes[3] = 1;
    bad[1].length = 33;
    bad[4].address.family = G_SOCKET_FAMILY_UNIX;
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        GError *error = NULL;

        g_array_index (copy->networks, BulkheadPrefix, 7) = bad[i];
        g_assert_false (bulkhead_tunnel_check (copy, &error));
        assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "networks");
    }
}

static void
test_tunnel_limits (void)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    g_autoptr (BulkheadTunnel) tunnel = bulkhead_tunnel_new ("one more", "more");
    BulkheadEndpoint each = endpoint ("192.0.2.1:1/udp");
    BulkheadPrefix behind = network ("10.0.0.0/32");
    GError *error = NULL;

    for (guint i = 0; i < BULKHEAD_ENDPOINTS_MAX; i++) {
        each.port = i + 1;
        g_array_append_val (tunnel->endpoints, each);
    }
    g_assert_true (bulkhead_tunnel_check (tunnel, NULL));
    each.port++;
    g_array_append_val (tunnel->endpoints, each);
    g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "256");
    g_array_set_size (tunnel->endpoints, 0);

    error = NULL;
    for (guint i = 0; i <= BULKHEAD_NETWORKS_MAX; i++) {
        behind.address.bytes[2] = i >> 8;
        behind.address.bytes[3] = i;
        g_array_append_val (tunnel->networks, behind);
    }
    g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "256 networks");
    g_array_set_size (tunnel->networks, 0);

    error = NULL;
    tunnel->uid = G_MAXUINT32;
    g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "user");
    tunnel->uid = 0;

    error = NULL;
    tunnel->kind = 4;
    g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "kind");
    tunnel->kind = BULKHEAD_TUNNEL_OTHER;

    for (guint i = 0; i < BULKHEAD_TUNNELS_MAX; i++) {
        g_autofree char *name = g_strdup_printf ("tun%u", i);
        BulkheadPolicy *more = with_tunnel (policy, name, name);

        bulkhead_policy_unref (policy);
        policy = more;
    }
    error = NULL;
    g_assert_null (bulkhead_policy_with_tunnel (policy, tunnel, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "64");
}

static void
test_exception_lists (void)
{
    BulkheadException list[] = {
        exception ("198.51.100.0/24 udp 500"), exception ("192.0.2.1"),
        exception ("198.51.100.0/24 udp 500"), exception ("2001:db8::/32 tcp"),
        exception ("192.0.2.0 tcp 443"),
    };
    BulkheadException absent[] = { list[1], exception ("192.0.2.9") };
    BulkheadException bad[] = { list[1], list[3] };
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) all = bulkhead_policy_with_exceptions (empty, list, 5, NULL);
    g_autoptr (BulkheadPolicy) again = bulkhead_policy_with_exceptions (all, list + 1, 2, NULL);
    g_autoptr (BulkheadPolicy) less = bulkhead_policy_without_exceptions (all, list, 3, NULL);
    g_autoptr (BulkheadPolicy) none = bulkhead_policy_without_exceptions (less, list + 3, 2, NULL);
    g_autoptr (BulkheadPolicy) nothing = bulkhead_policy_with_exceptions (all, NULL, 0, NULL);
    GError *error = NULL;

    g_assert_cmpuint (all->exceptions->len, ==, 4);
    for (guint i = 1; i < all->exceptions->len; i++)
        g_assert_cmpint (
            bulkhead_exception_compare (&g_array_index (all->exceptions, BulkheadException, i - 1),
                                        &g_array_index (all->exceptions, BulkheadException, i)),
            <, 0);
    g_assert_true (bulkhead_policy_equal (all, again));
    g_assert_true (bulkhead_policy_equal (all, nothing));
    g_assert_cmpuint (less->exceptions->len, ==, 2);
    g_assert_true (bulkhead_policy_equal (none, empty));

    g_assert_null (bulkhead_policy_without_exceptions (all, absent, 2, &error));
    assert_error (error, BULKHEAD_ERROR_NOT_FOUND, "“192.0.2.9”");
    error = NULL;
    bad[1].port = 53;
    g_assert_null (bulkhead_policy_with_exceptions (empty, bad, 2, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "“2001:db8::/32 tcp 53”");
    g_assert_cmpuint (empty->exceptions->len, ==, 0);
}

/* Sets at random against a table of what is in. */
static void
test_exception_oracle (void)
{
    g_autoptr (BulkheadPolicy) policy = bulkhead_policy_new ();
    gboolean in[64] = { FALSE };

    for (guint round = 0; round < 3000; round++) {
        guint which = g_test_rand_int_range (0, 64);
        BulkheadException each = exception ("192.0.2.0 tcp 443");
        BulkheadPolicy *changed;
        guint count = 0;

        each.destination.address.bytes[3] = which / 2;
        each.port += which % 2;
        if (g_test_rand_bit ()) {
            changed = bulkhead_policy_with_exceptions (policy, &each, 1, NULL);
            in[which] = TRUE;
        } else {
            changed = bulkhead_policy_without_exceptions (policy, &each, 1, NULL);
            g_assert_cmpint (changed != NULL, ==, in[which]);
            in[which] = FALSE;
        }
        if (changed != NULL) {
            bulkhead_policy_unref (policy);
            policy = changed;
        }
        for (guint i = 0; i < G_N_ELEMENTS (in); i++)
            count += in[i];
        g_assert_cmpuint (policy->exceptions->len, ==, count);
    }
}

/* A list kept by inserting one by one would take minutes; the bounds leave room for sanitizers. */
static void
test_many_exceptions (void)
{
    g_autoptr (GArray) many = g_array_new (FALSE, TRUE, sizeof (BulkheadException));
    g_autoptr (BulkheadPolicy) empty = bulkhead_policy_new ();
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autoptr (BulkheadPolicy) less = NULL;
    BulkheadException extra[] = { exception ("203.0.113.1"), exception ("203.0.113.2") };
    GError *error = NULL;

    for (guint i = 0; i < BULKHEAD_EXCEPTIONS_MAX; i++) {
        BulkheadException each = exception ("10.0.0.0");
        guint shuffled = i * 7919 % BULKHEAD_EXCEPTIONS_MAX;

        each.destination.address.bytes[1] = shuffled >> 16;
        each.destination.address.bytes[2] = shuffled >> 8;
        each.destination.address.bytes[3] = shuffled;
        g_array_append_val (many, each);
    }
    g_test_timer_start ();
    policy = bulkhead_policy_with_exceptions (empty, (gpointer)many->data, 100000, &error);
    g_assert_no_error (error);
    g_test_message ("100,000 exceptions added in %.1f ms", g_test_timer_elapsed () * 1000);
    g_assert_cmpfloat (g_test_timer_last (), <, 2);
    g_assert_cmpuint (policy->exceptions->len, ==, 100000);

    g_test_timer_start ();
    less = bulkhead_policy_without_exceptions (policy, (gpointer)many->data, 50000, &error);
    g_assert_no_error (error);
    g_test_message ("50,000 taken away in %.1f ms", g_test_timer_elapsed () * 1000);
    g_assert_cmpfloat (g_test_timer_last (), <, 2);
    g_assert_cmpuint (less->exceptions->len, ==, 50000);

    bulkhead_policy_unref (policy);
    policy = bulkhead_policy_with_exceptions (empty, (gpointer)many->data, many->len, &error);
    g_assert_no_error (error);
    g_assert_null (bulkhead_policy_with_exceptions (policy, extra, 2, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "200002");
    error = NULL;
    g_array_append_vals (many, extra, 2);
    g_assert_null (
        bulkhead_policy_with_exceptions (empty, (gpointer)many->data, many->len, &error));
    assert_error (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "200002");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/policy/switches", test_switches);
    g_test_add_func ("/policy/pause", test_pause);
    g_test_add_func ("/policy/tunnels", test_tunnels);
    g_test_add_func ("/policy/tunnel-replaced", test_tunnel_replaced);
    g_test_add_func ("/policy/tunnel-networks", test_tunnel_networks);
    g_test_add_func ("/policy/tunnel-limits", test_tunnel_limits);
    g_test_add_func ("/policy/exception-lists", test_exception_lists);
    g_test_add_func ("/policy/exception-oracle", test_exception_oracle);
    g_test_add_func ("/policy/many-exceptions", test_many_exceptions);
    return g_test_run ();
}
