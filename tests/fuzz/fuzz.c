/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 1500 /* bytes: 80 quoted ones are up to 960 when all are escaped */

static char *directory;

static void
remove_directory (void)
{
    g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
    const char *name;

    while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
        g_autofree char *path = g_build_filename (directory, name, NULL);

        g_unlink (path);
    }
    g_rmdir (directory);
    g_free (directory);
}

char *
fuzz_directory (void)
{
    g_assert_null (directory);
    directory = g_dir_make_tmp ("bulkhead-fuzz-XXXXXX", NULL);
    g_assert_nonnull (directory);
    atexit (remove_directory);
    return g_strdup (directory);
}

void
fuzz_write (const char *path, gconstpointer data, gsize size)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (write (fd, data, size), ==, size);
    close (fd);
}

guint8 *
fuzz_copy (const guint8 *data, gsize size)
{
    guint8 *copy = g_malloc (MAX (size, 1));

    memcpy (copy, data, size);
    return copy;
}

GString *
fuzz_sign (const guint8 *data, gsize size, const char *line)
{
    g_autofree char *checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
    GString *text = g_string_new_len ((const char *)data, size);

    g_string_append_printf (text, "%s%s\n", line, checksum);
    return text;
}

const struct nlmsghdr *
fuzz_next_message (const guint8 *data, gsize size, gsize *at)
{
    const struct nlmsghdr *message = (const void *)(data + *at);

    if (*at > size || size - *at < NLMSG_HDRLEN || message->nlmsg_len < NLMSG_HDRLEN
        || message->nlmsg_len > size - *at)
        return NULL;
    *at += NLMSG_ALIGN (message->nlmsg_len);
    return message;
}

void
fuzz_check_error (const GError *error)
{
    g_assert_nonnull (error);
    g_assert_cmpuint (strlen (error->message), >, 0);
    g_assert_cmpuint (strlen (error->message), <, MESSAGE_MAX);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    for (const char *p = error->message; *p != '\0'; p = g_utf8_next_char (p))
        g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));
}
