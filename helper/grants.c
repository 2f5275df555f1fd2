/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "grants.h"

#include "error.h"
#include "state-file.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

/*
 * The text: a headline, a line of uid, time and name for each grant, sorted by uid, and a line with
 * the checksum of what is before it. It is taken only if it is, byte for byte, what the grants read
 * from it would be written as.
 */
#define HEADLINE "bulkhead grants 1"
#define CHECKSUM "sha256 "
#define NAME_MAX_BYTES 256

struct _BulkheadGrants {
    BulkheadStateFile *file; /* NULL: the directory cannot be used */
    char *passwd;
    GPtrArray *list; /* of BulkheadGrant, by uid */
};

static BulkheadGrant *
grant_new (guint32 uid, const char *name, gint64 since)
{
    BulkheadGrant *grant = g_new0 (BulkheadGrant, 1);

    grant->uid = uid;
    grant->name = g_strdup (name);
    grant->since = since;
    return grant;
}

static void
grant_free (gpointer data)
{
    BulkheadGrant *grant = data;

    g_free (grant->name);
    g_free (grant);
}

static GPtrArray *
list_new (void)
{
    return g_ptr_array_new_with_free_func (grant_free);
}

/* What fits into a line, and onto the bus. */
static gboolean
name_is_usable (const char *name)
{
    if (*name == '\0' || strlen (name) > NAME_MAX_BYTES || !g_utf8_validate (name, -1, NULL))
        return FALSE;
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
        if (!g_unichar_isgraph (g_utf8_get_char (p)))
            return FALSE;
    return TRUE;
}

/* Returns: (transfer full): the name of the first line with @uid, or NULL. */
static char *
find_name (const char *passwd, guint32 uid)
{
    FILE *file = fopen (passwd, "re");
    char *name = NULL;

    while (file != NULL && name == NULL) {
        const struct passwd *line = fgetpwent (file);

        if (line == NULL)
            break;
        if (line->pw_uid == uid)
            name = g_strdup (line->pw_name);
    }
    if (file != NULL)
        fclose (file);
    return name;
}

static char *
to_text (const GPtrArray *list)
{
    GString *text = g_string_new (HEADLINE "\n");
    g_autofree char *checksum = NULL;

    for (guint i = 0; i < list->len; i++) {
        const BulkheadGrant *grant = g_ptr_array_index (list, i);

        g_string_append_printf (text, "%u %" G_GINT64_FORMAT " %s\n", grant->uid, grant->since,
                                grant->name);
    }
    checksum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, text->len);
    g_string_append_printf (text, CHECKSUM "%s\n", checksum);
    return g_string_free (text, FALSE);
}

static gboolean
read_line (const char *line, GPtrArray *list)
{
    g_auto (GStrv) words = g_strsplit (line, " ", 3);
    const BulkheadGrant *last = list->len > 0 ? g_ptr_array_index (list, list->len - 1) : NULL;
    guint64 uid;
    gint64 since;

    if (g_strv_length (words) != 3 || !name_is_usable (words[2])
        || !g_ascii_string_to_unsigned (words[0], 10, 1, G_MAXUINT32 - 1, &uid, NULL)
        || !g_ascii_string_to_signed (words[1], 10, 0, G_MAXINT64, &since, NULL)
        || (last != NULL && last->uid >= uid))
        return FALSE;
    g_ptr_array_add (list, grant_new ((guint32)uid, words[2], since));
    return TRUE;
}

/* Returns: (transfer full): the grants, or NULL when @text is not what to_text() writes. */
static GPtrArray *
from_text (const char *text, gsize length)
{
    g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
    g_autoptr (GPtrArray) list = list_new ();
    g_autofree char *canonical = NULL;

    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        if (g_str_has_prefix (lines[i], CHECKSUM))
            break;
        else if (!read_line (lines[i], list))
            return NULL;
    canonical = to_text (list);
    if (strlen (canonical) != length || memcmp (canonical, text, length) != 0)
        return NULL;
    return g_steal_pointer (&list);
}

BulkheadGrants *
bulkhead_grants_new (const char *directory, const char *passwd, GError **error)
{
    BulkheadGrants *grants = g_new0 (BulkheadGrants, 1);
    g_autofree char *text = NULL;
    gsize length;

    grants->passwd = g_strdup (passwd);
    grants->file = bulkhead_state_file_new (directory, "grants.conf", error);
    if (grants->file != NULL && bulkhead_state_file_read (grants->file, &text, &length, error)
        && text != NULL) {
        grants->list = from_text (text, length);
        if (grants->list == NULL) {
            g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STATE_UNREADABLE,
                                 "is no list of grants, or was changed");
            bulkhead_state_file_reject (grants->file, error);
        }
    }
    if (grants->list == NULL)
        grants->list = list_new ();
    return grants;
}

void
bulkhead_grants_free (BulkheadGrants *grants)
{
    g_clear_pointer (&grants->file, bulkhead_state_file_free);
    g_ptr_array_unref (grants->list);
    g_free (grants->passwd);
    g_free (grants);
}

static const BulkheadGrant *
find (const BulkheadGrants *grants, guint32 uid)
{
    for (guint i = 0; i < grants->list->len; i++) {
        const BulkheadGrant *grant = g_ptr_array_index (grants->list, i);

        if (grant->uid == uid)
            return grant;
    }
    return NULL;
}

gboolean
bulkhead_grants_has (const BulkheadGrants *grants, guint32 uid)
{
    const BulkheadGrant *grant = find (grants, uid);
    g_autofree char *name = grant != NULL ? find_name (grants->passwd, uid) : NULL;

    return name != NULL && g_str_equal (name, grant->name);
}

/* Returns: (transfer full): the name that a grant of @uid is kept with. */
static char *
name_to_keep (const BulkheadGrants *grants, guint32 uid, GError **error)
{
    g_autofree char *name = find_name (grants->passwd, uid);

    if (name != NULL && name_is_usable (name))
        return g_steal_pointer (&name);
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_FOUND,
                 "user %u: has no usable name in %s", uid, grants->passwd);
    return NULL;
}

gboolean
bulkhead_grants_check (const BulkheadGrants *grants, guint32 uid, GError **error)
{
    g_autofree char *name = name_to_keep (grants, uid, error);

    return name != NULL;
}

/* Stores what @changed says, if it can, and takes it over. Takes @changed. */
static gboolean
set_list (BulkheadGrants *grants, GPtrArray *changed, GError **error)
{
    g_autoptr (GPtrArray) list = changed;
    g_autofree char *text = to_text (list);

    if (grants->file == NULL) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_STORE_FAILED,
                             "the state directory cannot be used");
        return FALSE;
    }
    if (!bulkhead_state_file_prepare (grants->file, text, error)
        || !bulkhead_state_file_commit (grants->file, error))
        return FALSE;
    g_ptr_array_unref (grants->list);
    grants->list = g_steal_pointer (&list);
    return TRUE;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
    const BulkheadGrant *first = *(BulkheadGrant *const *)a;
    const BulkheadGrant *second = *(BulkheadGrant *const *)b;

    return first->uid < second->uid ? -1 : first->uid > second->uid;
}

static GPtrArray *
copy_without (const BulkheadGrants *grants, guint32 uid)
{
    GPtrArray *copy = list_new ();

    for (guint i = 0; i < grants->list->len; i++) {
        const BulkheadGrant *grant = g_ptr_array_index (grants->list, i);

        if (grant->uid != uid)
            g_ptr_array_add (copy, grant_new (grant->uid, grant->name, grant->since));
    }
    return copy;
}

gboolean
bulkhead_grants_add (BulkheadGrants *grants, guint32 uid, gint64 now, GError **error)
{
    g_autofree char *name = name_to_keep (grants, uid, error);
    GPtrArray *changed;

    if (name == NULL)
        return FALSE;
    changed = copy_without (grants, uid);
    g_ptr_array_add (changed, grant_new (uid, name, now));
    g_ptr_array_sort (changed, compare);
    return set_list (grants, changed, error);
}

gboolean
bulkhead_grants_remove (BulkheadGrants *grants, guint32 uid, GError **error)
{
    if (find (grants, uid) == NULL) {
        g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_FOUND, "user %u: is not authorised",
                     uid);
        return FALSE;
    }
    return set_list (grants, copy_without (grants, uid), error);
}

const GPtrArray *
bulkhead_grants_list (const BulkheadGrants *grants)
{
    return grants->list;
}
