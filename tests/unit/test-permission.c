/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of permissions against the two files it stands between: D-Bus XML, polkit actions. */
#include "permission.h"

#include <gio/gio.h>
#include <string.h>

static char *
read_data (const char *name)
{
    g_autofree char *path = g_build_filename (g_getenv ("BULKHEAD_DATA_DIR"), name, NULL);
    g_autoptr (GError) error = NULL;
    char *text = NULL;

    g_file_get_contents (path, &text, NULL, &error);
    g_assert_no_error (error);
    return text;
}

/* Written out a second time, so that no method changes its permission unnoticed. A method whose
 * arguments matter is there with them. */
static const char *const expected[] = {
    [BULKHEAD_PERMISSION_READ] = " GetStatus Verify ListTunnels ListGrants ",
    [BULKHEAD_PERMISSION_READ_ADDRESSES] = " GetRules ListExceptions GetLog ListBlocked ",
    [BULKHEAD_PERMISSION_STRENGTHEN] = " Lock Resume SetAtBoot(true,) ",
    [BULKHEAD_PERMISSION_WEAKEN] = (" Unlock Pause AddTunnel TrustTunnel ForgetTunnel SetLan"
                                    " AddExceptions RemoveExceptions SetAtBoot(false,) "),
    [BULKHEAD_PERMISSION_AUTHORIZE] = " Authorize ",
    [BULKHEAD_PERMISSION_REVOKE] = " Revoke ",
};

/* @arguments: "" for a method to which they do not matter. */
static void
check_call (const char *method, const char *arguments)
{
    const char *text = *arguments != '\0' ? arguments : "()";
    g_autoptr (GVariant) values = g_variant_parse (NULL, text, NULL, NULL, NULL);
    const BulkheadRule *rule = bulkhead_permission_find (method, values);
    g_autofree char *word = g_strdup_printf (" %s%s ", method, arguments);

    if (rule == NULL)
        g_error ("%s%s has no row", method, arguments);
    g_assert_cmpstr (rule->method, ==, method);
    g_assert_nonnull (strstr (expected[rule->permission], word));
}

static void
test_every_method (void)
{
    g_autofree char *xml = read_data ("org.bulkhead.Helper1.xml");
    g_autoptr (GError) error = NULL;
    g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, &error);
    guint words = 0, calls = 0;

    g_assert_no_error (error);
    for (GDBusMethodInfo **method = node->interfaces[0]->methods; *method != NULL; method++) {
        if (g_str_equal ((*method)->name, "SetAtBoot")) {
            check_call ((*method)->name, "(true,)");
            check_call ((*method)->name, "(false,)");
            calls += 2;
        } else {
            check_call ((*method)->name, "");
            calls++;
        }
    }
    g_assert_null (node->interfaces[1]);
    for (gsize i = 0; i < G_N_ELEMENTS (expected); i++) {
        g_auto (GStrv) list = g_strsplit (expected[i] + 1, " ", -1);

        words += g_strv_length (list) - 1;
    }
    g_assert_cmpuint (words, ==, calls);
}

static void
test_missing_row (void)
{
    const char *const names[] = { "", "lock", "Lock ", "UnlockEverything", "GetAll", "Set" };

    g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new ("()"));

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        g_assert_null (bulkhead_permission_find (names[i], nothing));
    /* Arguments without a row of their own. */
    g_assert_null (bulkhead_permission_find ("SetAtBoot", nothing));
}

static void
test_actions (void)
{
    g_autofree char *policy = read_data ("org.bulkhead.helper.policy");

    for (int permission = 0; permission <= BULKHEAD_PERMISSION_REVOKE; permission++) {
        for (int granted = 0; granted <= 1; granted++) {
            const char *action = bulkhead_permission_action (permission, granted);
            g_autofree char *element = g_strdup_printf ("<action id=\"%s\">", action);

            g_assert_nonnull (strstr (policy, element));
            /* A grant changes nothing but weakening. */
            if (permission != BULKHEAD_PERMISSION_WEAKEN)
                g_assert_true (action == bulkhead_permission_action (permission, !granted));
        }
    }
    g_assert_cmpstr (bulkhead_permission_action (BULKHEAD_PERMISSION_WEAKEN, FALSE), ==,
                     "org.bulkhead.helper.control");
    g_assert_cmpstr (bulkhead_permission_action (BULKHEAD_PERMISSION_WEAKEN, TRUE), ==,
                     "org.bulkhead.helper.control-granted");
    g_assert_null (strstr (policy, "_keep<"));
}

static void
test_reading_never_asks (void)
{
    g_assert_false (bulkhead_permission_may_ask (BULKHEAD_PERMISSION_READ));
    g_assert_false (bulkhead_permission_may_ask (BULKHEAD_PERMISSION_READ_ADDRESSES));
    for (int permission = BULKHEAD_PERMISSION_STRENGTHEN; permission <= BULKHEAD_PERMISSION_REVOKE;
         permission++)
        g_assert_true (bulkhead_permission_may_ask (permission));
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/permission/every-method", test_every_method);
    g_test_add_func ("/permission/missing-row", test_missing_row);
    g_test_add_func ("/permission/actions", test_actions);
    g_test_add_func ("/permission/reading-never-asks", test_reading_never_asks);
    return g_test_run ();
}
