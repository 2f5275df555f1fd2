/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The audit log: what a line holds, what survives torn, foreign and hostile files. */
#include "journal.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *directory;
    BulkheadJournal *journal;
} Fixture;

static GHashTable *told; /* fields of the last event told to the system journal */
static guint complaints; /* on stderr */

static GLogWriterOutput
writer (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    g_hash_table_remove_all (told);
    for (gsize i = 0; i < n; i++)
        g_hash_table_insert (told, g_strdup (fields[i].key), g_strdup (fields[i].value));
    return G_LOG_WRITER_HANDLED;
}

static void
count_complaint (const char *text)
{
    g_assert_nonnull (strstr (text, "cannot write the log"));
    complaints++;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
    g_autofree char *parent = g_dir_make_tmp ("bulkhead-journal-XXXXXX", NULL);

    fixture->directory = g_build_filename (parent, "log", NULL);
    fixture->journal = bulkhead_journal_new (fixture->directory);
    complaints = 0;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
    g_autoptr (GDir) directory = g_dir_open (fixture->directory, 0, NULL);
    g_autofree char *parent = g_path_get_dirname (fixture->directory);
    const char *name;

    while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
        g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

        g_remove (path);
    }
    g_remove (fixture->directory);
    g_remove (parent);
    bulkhead_journal_free (fixture->journal);
    g_free (fixture->directory);
}

/* Days before today; 0: today's. */
static char *
day_file (const Fixture *fixture, int days_ago)
{
    g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
    g_autoptr (GDateTime) day = g_date_time_add_days (now, -days_ago);
    g_autofree char *name = g_date_time_format (day, "%Y-%m-%d.jsonl");

    return g_build_filename (fixture->directory, name, NULL);
}

static void
put (const Fixture *fixture, int days_ago, const char *text)
{
    g_autofree char *path = day_file (fixture, days_ago);

    g_mkdir (fixture->directory, 0750);
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static char *
get (const Fixture *fixture, int days_ago)
{
    g_autofree char *path = day_file (fixture, days_ago);
    char *text = NULL;

    g_file_get_contents (path, &text, NULL, NULL);
    return text;
}

static void
assert_lines (const Fixture *fixture, guint limit, const char *const *expected)
{
    g_auto (GStrv) lines = bulkhead_journal_read (fixture->journal, limit);

    g_assert_cmpstrv (lines, expected);
}

static JsonObject *
parse (const char *line, JsonNode **ret_node)
{
    g_autoptr (GError) error = NULL;

    *ret_node = json_from_string (line, &error);
    g_assert_no_error (error);
    return json_node_get_object (*ret_node);
}

static void
test_line (Fixture *fixture, gconstpointer data)
{
    const char *const detail[] = { "tunnel", "home", "uid", "1000", NULL };
    g_autoptr (JsonNode) node = NULL;
    g_auto (GStrv) lines = NULL;
    g_autofree char *path = day_file (fixture, 0);
    g_autofree char *text = NULL;
    JsonObject *object;
    struct stat status;

    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_CHANGED, detail);
    lines = bulkhead_journal_read (fixture->journal, 0);
    g_assert_cmpuint (g_strv_length (lines), ==, 1);
    object = parse (lines[0], &node);
    g_assert_cmpuint (json_object_get_size (object), ==, 5);
    g_assert_true (g_regex_match_simple ("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
                                         json_object_get_string_member (object, "time"), 0, 0));
    g_assert_cmpstr (json_object_get_string_member (object, "event"), ==, "changed");
    g_assert_cmpstr (json_object_get_string_member (object, "text"), ==, "A setting was changed");
    g_assert_cmpstr (json_object_get_string_member (object, "tunnel"), ==, "home");
    g_assert_cmpstr (json_object_get_string_member (object, "uid"), ==, "1000");

    text = get (fixture, 0);
    g_assert_true (g_str_has_prefix (text, lines[0]));
    g_assert_cmpstr (text + strlen (lines[0]), ==, "\n");
    g_assert_cmpint (g_stat (path, &status), ==, 0);
    g_assert_cmphex (status.st_mode & 07777, ==, 0640);
    g_assert_cmpint (g_stat (fixture->directory, &status), ==, 0);
    g_assert_cmphex (status.st_mode & 07777, ==, 0750);
}

static void
test_system_journal (Fixture *fixture, gconstpointer data)
{
    const char *const detail[] = { "after-us", "812", "by", "nft", NULL };

    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_RESTORED, detail);
    g_assert_cmpstr (g_hash_table_lookup (told, "MESSAGE"), ==,
                     "The rules were restored (after-us: 812, by: nft)");
    g_assert_cmpstr (g_hash_table_lookup (told, "PRIORITY"), ==, "4");
    g_assert_cmpstr (g_hash_table_lookup (told, "BULKHEAD_EVENT"), ==, "restored");
    g_assert_cmpstr (g_hash_table_lookup (told, "BULKHEAD_AFTER_US"), ==, "812");
    g_assert_cmpstr (g_hash_table_lookup (told, "BULKHEAD_BY"), ==, "nft");
}

/* Every event has a word, a sentence and a MESSAGE_ID of its own. */
static void
test_every_event (Fixture *fixture, gconstpointer data)
{
    static const char *const keys[] = { "MESSAGE", "MESSAGE_ID", "BULKHEAD_EVENT" };
    g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_auto (GStrv) lines = NULL;

    for (int event = 0; event <= BULKHEAD_EVENT_LAST; event++) {
        bulkhead_journal_write (fixture->journal, event, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
            g_assert_true (g_hash_table_add (seen, g_strdup (g_hash_table_lookup (told, keys[i]))));
        g_assert_true (g_regex_match_simple ("^[0-9a-f]{32}$",
                                             g_hash_table_lookup (told, "MESSAGE_ID"), 0, 0));
    }
    lines = bulkhead_journal_read (fixture->journal, 0);
    g_assert_cmpuint (g_strv_length (lines), ==, BULKHEAD_EVENT_LAST + 1);
    g_assert_nonnull (strstr (lines[BULKHEAD_EVENT_UNLOCKED], "allow"));
    g_assert_nonnull (strstr (lines[BULKHEAD_EVENT_BLOCKING], "blocked"));
    g_assert_nonnull (strstr (lines[BULKHEAD_EVENT_REMOVED], "leak"));
    g_assert_nonnull (strstr (lines[BULKHEAD_EVENT_BROKEN], "leak"));
    g_assert_nonnull (strstr (lines[BULKHEAD_EVENT_RESTORED], "restored"));
}

static void
test_hostile_detail (Fixture *fixture, gconstpointer data)
{
    const char *const detail[] = { "tunnel", "a\n{\"event\":\"unlocked\"}\n\"\\\x01\xff", NULL };
    g_autoptr (JsonNode) node = NULL;
    g_auto (GStrv) lines = NULL;

    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_CHANGED, detail);
    lines = bulkhead_journal_read (fixture->journal, 0);
    g_assert_cmpuint (g_strv_length (lines), ==, 1);
    g_assert_cmpstr (json_object_get_string_member (parse (lines[0], &node), "tunnel"), ==,
                     "a\n{\"event\":\"unlocked\"}\n\"\\\x01\xef\xbf\xbd");
}

static void
test_newest (Fixture *fixture, gconstpointer data)
{
    static const char *const all[] = { "{\"n\":1}", "{\"n\":2}", "{\"n\":3}",
                                       "{\"n\":4}", "{\"n\":5}", NULL };

    assert_lines (fixture, 0, &all[5]);
    put (fixture, 9, "{\"n\":1}\n{\"n\":2}\n");
    put (fixture, 1, "{\"n\":3}\n");
    put (fixture, 0, "{\"n\":4}\n{\"n\":5}\n");
    for (guint n = 1; n <= 5; n++)
        assert_lines (fixture, n, &all[5 - n]);
    assert_lines (fixture, 0, all);
    assert_lines (fixture, G_MAXUINT, all);
}

static void
test_torn (Fixture *fixture, gconstpointer data)
{
    static const char *const whole[] = { "{\"n\":1}", "{\"n\":3}", NULL };
    g_auto (GStrv) lines = NULL;

    put (fixture, 1, "{\"n\":1}\n{\"n\":2}");
    put (fixture, 0, "{\"n\":3}\n{\"n\":");
    assert_lines (fixture, 0, whole);

    /* What is written next does not become a part of the torn line. */
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    lines = bulkhead_journal_read (fixture->journal, 0);
    g_assert_cmpuint (g_strv_length (lines), ==, 3);
    g_assert_cmpstr (lines[1], ==, "{\"n\":3}");
    g_assert_nonnull (strstr (lines[2], "\"locked\""));
}

static void
test_foreign (Fixture *fixture, gconstpointer data)
{
    static const char *const good[] = { "{\"n\":1}", "{\"n\":2}", NULL };
    static const char *const names[] = { "notes.jsonl", "2026-01-01.jsonl.gz", "20260101.jsonl",
                                         "2026-1a-01.jsonl" };

    put (fixture, 0, "\n{\"n\":1}\nnoise\n{\"\xff\"}\n{\n}\n{\"n\":2}\n");
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *path = g_build_filename (fixture->directory, names[i], NULL);

        g_assert_true (g_file_set_contents (path, "{\"n\":9}\n", -1, NULL));
    }
    assert_lines (fixture, 0, good);
}

static void
test_bounded (Fixture *fixture, gconstpointer data)
{
    g_autoptr (GString) text = g_string_new (NULL);
    g_auto (GStrv) lines = NULL;
    guint n;

    for (guint i = 0; i < 500000; i++)
        g_string_append_printf (text, "{\"n\":%08u}\n", i);
    put (fixture, 1, text->str);
    put (fixture, 0, "{\"n\":last}\n");
    lines = bulkhead_journal_read (fixture->journal, 0);
    n = g_strv_length (lines);
    g_assert_cmpuint (n * strlen ("{\"n\":00000000}\n"), <=, 4 * 1024 * 1024);
    g_assert_cmpuint (n, >, 200000);
    g_assert_cmpstr (lines[n - 1], ==, "{\"n\":last}");
    g_assert_cmpstr (lines[n - 2], ==, "{\"n\":00499999}");
    g_assert_cmpuint (strlen (lines[0]), ==, strlen ("{\"n\":00000000}"));
}

static void
test_prune (Fixture *fixture, gconstpointer data)
{
    guint left = 0;

    for (int day = 1; day <= 40; day++)
        put (fixture, day, "{}\n");
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    for (int day = 0; day <= 40; day++) {
        g_autofree char *text = get (fixture, day);

        g_assert_true ((text != NULL) == (day < 30));
        left += text != NULL;
    }
    g_assert_cmpuint (left, ==, 30);
}

/* As by a clock that lost its battery: what is written now is the oldest. */
static void
test_prune_behind_the_times (Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;

    for (int day = -40; day <= -1; day++)
        put (fixture, day, "{}\n");
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    text = get (fixture, 0);
    g_assert_nonnull (text);
    g_assert_nonnull (strstr (text, "locked"));
}

static void
test_in_the_way (Fixture *fixture, gconstpointer data)
{
    static const char *const none[] = { NULL };
    g_autofree char *path = day_file (fixture, 0);
    g_autofree char *target = g_build_filename (fixture->directory, "target", NULL);
    g_autofree char *text = NULL;

    put (fixture, 0, "");
    g_assert_cmpint (g_rename (path, target), ==, 0);
    g_assert_cmpint (symlink (target, path), ==, 0);
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    g_assert_cmpuint (complaints, ==, 1);
    g_assert_true (g_file_get_contents (target, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "");
    assert_lines (fixture, 0, none);

    g_assert_cmpint (g_unlink (path), ==, 0);
    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    assert_lines (fixture, 0, none);
    g_assert_cmpuint (complaints, ==, 1);

    g_assert_cmpint (g_unlink (path), ==, 0);
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_LOCKED, NULL);
    g_clear_pointer (&text, g_free);
    text = get (fixture, 0);
    g_assert_nonnull (strstr (text, "\"locked\""));
}

static void
test_no_directory (Fixture *fixture, gconstpointer data)
{
    static const char *const none[] = { NULL };

    g_assert_true (g_file_set_contents (fixture->directory, "a file", -1, NULL));
    bulkhead_journal_write (fixture->journal, BULKHEAD_EVENT_BROKEN, NULL);
    g_assert_cmpuint (complaints, ==, 1);
    g_assert_cmpstr (g_hash_table_lookup (told, "BULKHEAD_EVENT"), ==, "broken");
    assert_lines (fixture, 0, none);
}

#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char *argv[])
{
    umask (0077); /* as the helper's */
    g_test_init (&argc, &argv, NULL);
    told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    g_log_set_writer_func (writer, NULL, NULL);
    g_set_printerr_handler (count_complaint);
    ADD ("/journal/line", test_line);
    ADD ("/journal/system-journal", test_system_journal);
    ADD ("/journal/every-event", test_every_event);
    ADD ("/journal/hostile-detail", test_hostile_detail);
    ADD ("/journal/newest", test_newest);
    ADD ("/journal/torn", test_torn);
    ADD ("/journal/foreign", test_foreign);
    ADD ("/journal/bounded", test_bounded);
    ADD ("/journal/prune", test_prune);
    ADD ("/journal/prune-behind-the-times", test_prune_behind_the_times);
    ADD ("/journal/in-the-way", test_in_the_way);
    ADD ("/journal/no-directory", test_no_directory);
    return g_test_run ();
}
