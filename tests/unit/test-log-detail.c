/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-detail.h"

#include "lock-log.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <locale.h>

static const struct {
    const char *key;
    const char *value;
    const char *text;
} details[] = {
    { "version", "0.1.0", "version 0.1.0" },
    { "uid", "0", "by the user root" },
    { "user", "0", "of the user root" },
    { "uid", "4294967294", "by the user 4294967294" }, /* nobody has it */
    { "uid", "nobody", "by the user nobody" },
    { "exceptions_added", "1", "1 exception added" },
    { "exceptions_added", "2", "2 exceptions added" },
    { "exceptions_removed", "2", "2 exceptions removed" },
    { "exceptions_added", "many", "exceptions_added: many" },
    { "tunnel_added", "Home", "tunnel Home added" },
    { "tunnel_trusted", "%s", "tunnel %s trusted" },
    { "lan", "allowed", "local network allowed" },
    { "lan", "else", "lan: else" },
    { "at_boot", "off", "no longer locks when the computer starts" },
    { "seconds", "300", "for 5 minutes" },
    { "seconds", "3600", "for 1 hour" },
    { "seconds", "90", "for 90 seconds" },
    { "seconds", "0", "for 0 seconds" },
    { "microseconds", "1540", "after 1.5 ms" },
    { "by", "time", "the time was over" },
    { "by", "nft (4711)", "by nft (4711)" },
    { "rules", "verified", "the rules were checked and are in force" },
    { "rules", "a chain is missing", "the rules are not in force: a chain is missing" },
    { "fixed", "lock lan else", "fixed: the lock, the local network, else" },
    { "problem", "x.conf: no", "reason: x.conf: no" },
    { "promise", "something else", "what is weaker: something else" },
    { "of_tomorrow", "7", "of_tomorrow: 7" }, /* a later helper's */
};

static void
test_text (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (details); i++) {
        g_autofree char *text = bulkhead_log_detail_text (details[i].key, details[i].value);

        g_assert_cmpstr (text, ==, details[i].text);
    }
}

static void
remove_all (const char *path)
{
    g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (directory)) != NULL) {
        g_autofree char *file = g_build_filename (path, name, NULL);

        g_remove (file);
    }
    g_assert_cmpint (g_rmdir (path), ==, 0);
}

/* What the helper writes is known here, by its very words. */
static void
test_promises (void)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp ("bulkhead-XXXXXX", &error);
    g_autoptr (BulkheadJournal) journal = NULL;
    g_auto (GStrv) lines = NULL;

    g_assert_no_error (error);
    journal = bulkhead_journal_new (directory);
    bulkhead_lock_log_features (journal, 0, TRUE);
    lines = bulkhead_journal_read (journal, 0);
    g_assert_cmpuint (g_strv_length (lines), ==, 3);
    for (gsize i = 0; lines[i] != NULL; i++) {
        g_autoptr (JsonNode) node = json_from_string (lines[i], NULL);
        const char *promise =
            json_object_get_string_member (json_node_get_object (node), "promise");
        g_autofree char *unknown = g_strconcat ("what is weaker: ", promise, NULL);
        g_autofree char *text = bulkhead_log_detail_text ("promise", promise);

        g_assert_true (g_str_has_prefix (text, "what is weaker: "));
        g_assert_cmpstr (text, !=, unknown);
    }
    remove_all (directory);
}

int
main (int argc, char *argv[])
{
    setlocale (LC_ALL, "C.UTF-8");
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/log-detail/text", test_text);
    g_test_add_func ("/log-detail/promises", test_promises);
    return g_test_run ();
}
