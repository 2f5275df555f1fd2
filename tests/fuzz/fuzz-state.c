/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stored policy, as the helper finds it at boot. The input is tried as it is, and with the
 * right checksum behind it, so that the parser sees more than its door.
 */
#include "error.h"
#include "fuzz.h"
#include "store.h"

#include <string.h>

static BulkheadStore *store;
static char *path;
static BulkheadPolicy *strictest; /* locked, nothing open */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    g_autofree char *directory = fuzz_directory ();
    g_autoptr (BulkheadPolicy) off = bulkhead_policy_new ();

    store = bulkhead_store_new (directory, NULL);
    g_assert_nonnull (store);
    path = g_build_filename (directory, "state.conf", NULL);
    strictest = bulkhead_policy_with_locked (off, TRUE);
    return 0;
}

static BulkheadPolicy *
read_text (const char *text, gsize length)
{
    g_autofree guint8 *copy = fuzz_copy ((const guint8 *)text, length);
    g_autoptr (GError) error = NULL;
    BulkheadPolicy *policy = bulkhead_policy_from_text ((const char *)copy, length, &error);

    g_assert_true ((policy == NULL) == (error != NULL));
    if (policy == NULL) {
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
        fuzz_check_error (error);
    }
    return policy;
}

/* What is taken is what would be written, byte for byte; what is not taken is locked. */
static void
check (const char *text, gsize length)
{
    g_autoptr (BulkheadPolicy) policy = read_text (text, length);
    g_autoptr (BulkheadPolicy) loaded = NULL;
    g_autoptr (GError) error = NULL;

    fuzz_write (path, text, length);
    loaded = bulkhead_store_load (store, &error);
    if (policy != NULL) {
        g_autofree char *again = bulkhead_policy_to_text (policy);

        g_assert_no_error (error);
        g_assert_true (bulkhead_policy_equal (loaded, policy));
        g_assert_cmpmem (again, strlen (again), text, length);
    } else {
        g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE);
        fuzz_check_error (error);
        g_assert_true (bulkhead_policy_equal (loaded, strictest));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    GString *text = fuzz_sign (data, size, "[checksum]\nsha256=");
    char *last = text->str + text->len - 2;

    check ((const char *)data, size);
    check (text->str, text->len);
    *last = *last == '0' ? '1' : '0';
    g_assert_null (read_text (text->str, text->len));
    g_string_free (text, TRUE);
    return 0;
}
