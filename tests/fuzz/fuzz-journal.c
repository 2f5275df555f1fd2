/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A day of the log, as a full disk or another program left it: only whole lines are told. */
#include "fuzz.h"
#include "journal.h"

#include <string.h>

#define LIMIT 3

static BulkheadJournal *journal;
static char *path;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    g_autofree char *directory = fuzz_directory ();

    journal = bulkhead_journal_new (directory);
    path = g_build_filename (directory, "2026-01-02.jsonl", NULL);
    return 0;
}

static void
check_line (const char *line)
{
    g_assert_true (g_str_has_prefix (line, "{") && g_str_has_suffix (line, "}"));
    g_assert_null (strchr (line, '\n'));
    /* The bus carries nothing else. */
    g_assert_true (g_utf8_validate (line, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_auto (GStrv) all = NULL;
    g_auto (GStrv) newest = NULL;
    guint count, kept;

    fuzz_write (path, data, size);
    all = bulkhead_journal_read (journal, 0);
    newest = bulkhead_journal_read (journal, LIMIT);
    count = g_strv_length (all);
    kept = g_strv_length (newest);
    for (guint i = 0; i < count; i++)
        check_line (all[i]);
    g_assert_cmpuint (kept, ==, MIN (count, LIMIT));
    for (guint i = 0; i < kept; i++)
        g_assert_cmpstr (newest[i], ==, all[count - kept + i]);
    return 0;
}
