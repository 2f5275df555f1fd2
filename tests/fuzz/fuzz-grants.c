/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of authorised users: any doubt grants nobody. */
#include "fuzz.h"
#include "grants.h"

#include <string.h>

static char *directory;
static char *passwd;
static char *path;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    directory = fuzz_directory ();
    passwd = g_build_filename (directory, "passwd", NULL);
    path = g_build_filename (directory, "grants.conf", NULL);
    return 0;
}

/* Returns: the text that says @list, without its checksum; asserts what any list must be. */
static GString *
describe (const GPtrArray *list)
{
    GString *text = g_string_new ("bulkhead grants 1\n");
    guint32 last = 0;

    for (guint i = 0; i < list->len; i++) {
        const BulkheadGrant *grant = g_ptr_array_index (list, i);

        g_assert_cmpuint (grant->uid, >, last);
        g_assert_cmpint (grant->since, >=, 0);
        g_assert_true (g_utf8_validate (grant->name, -1, NULL));
        g_assert_null (strpbrk (grant->name, " \n"));
        last = grant->uid;
        g_string_append_printf (text, "%u %" G_GINT64_FORMAT " %s\n", grant->uid, grant->since,
                                grant->name);
    }
    return text;
}

static void
check (const char *text, gsize length)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadGrants) grants = NULL;

    fuzz_write (path, text, length);
    grants = bulkhead_grants_new (directory, passwd, &error);
    if (error != NULL) {
        fuzz_check_error (error);
        g_assert_cmpuint (bulkhead_grants_list (grants)->len, ==, 0);
    } else {
        GString *list = describe (bulkhead_grants_list (grants));
        GString *again = fuzz_sign ((const guint8 *)list->str, list->len, "sha256 ");

        g_assert_cmpmem (again->str, again->len, text, length);
        g_string_free (again, TRUE);
        g_string_free (list, TRUE);
    }
    /* Nobody is without a line in the passwd file, which is missing here. */
    g_assert_false (bulkhead_grants_has (grants, 1000));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    GString *text = fuzz_sign (data, size, "sha256 ");

    check ((const char *)data, size);
    check (text->str, text->len);
    g_string_free (text, TRUE);
    return 0;
}
