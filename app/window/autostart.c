/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "autostart.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

#define FILE_NAME "org.bulkhead.bulkhead-tray.desktop"
#define GROUP G_KEY_FILE_DESKTOP_GROUP
/* What GNOME's programs write instead of Hidden. */
#define KEY_ENABLED "X-GNOME-Autostart-enabled"

static char *
user_file (void)
{
    return g_build_filename (g_get_user_config_dir (), "autostart", FILE_NAME, NULL);
}

gboolean
bulkhead_autostart_is_there (void)
{
    const char *const *directories = g_get_system_config_dirs ();

    for (gsize i = 0; directories[i] != NULL; i++) {
        g_autofree char *path = g_build_filename (directories[i], "autostart", FILE_NAME, NULL);

        if (g_file_test (path, G_FILE_TEST_EXISTS))
            return TRUE;
    }
    return FALSE;
}

/* The user's own file; empty when there is none that can be read. */
static GKeyFile *
load (const char *path)
{
    g_autoptr (GKeyFile) entry = g_key_file_new ();

    if (!g_key_file_load_from_file (entry, path,
                                    G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, NULL))
        return g_key_file_new ();
    return g_steal_pointer (&entry);
}

gboolean
bulkhead_autostart_is_on (void)
{
    g_autofree char *path = user_file ();
    g_autoptr (GKeyFile) entry = load (path);

    if (!g_key_file_has_group (entry, GROUP))
        return bulkhead_autostart_is_there ();
    return !g_key_file_get_boolean (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN, NULL)
           && (!g_key_file_has_key (entry, GROUP, KEY_ENABLED, NULL)
               || g_key_file_get_boolean (entry, GROUP, KEY_ENABLED, NULL));
}

static gboolean
save (GKeyFile *entry, const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname (path);
    gsize length;
    g_autofree char *text = g_key_file_to_data (entry, &length, NULL);

    if (g_mkdir_with_parents (directory, 0700) == 0)
        return g_file_set_contents_full (
            path, text, (gssize)length,
            G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644, error);
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s: %s", path,
                 g_strerror (errno));
    return FALSE;
}

static gboolean
turn_off (GKeyFile *entry, const char *path, GError **error)
{
    if (!g_key_file_has_group (entry, GROUP)) {
        g_key_file_set_string (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_TYPE, "Application");
        g_key_file_set_string (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_NAME, "Bulkhead");
    }
    g_key_file_set_boolean (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN, TRUE);
    return save (entry, path, error);
}

/* Without a file of the user's own, the one for everybody counts. One that starts nothing, as ours,
 * was there for no more than to be hidden. */
static gboolean
turn_on (GKeyFile *entry, const char *path, GError **error)
{
    if (g_key_file_has_key (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_EXEC, NULL)) {
        g_key_file_remove_key (entry, GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN, NULL);
        g_key_file_remove_key (entry, GROUP, KEY_ENABLED, NULL);
        return save (entry, path, error);
    }
    if (g_remove (path) == 0 || errno == ENOENT)
        return TRUE;
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s: %s", path,
                 g_strerror (errno));
    return FALSE;
}

gboolean
bulkhead_autostart_set (gboolean on, GError **error)
{
    g_autofree char *path = user_file ();
    g_autoptr (GKeyFile) entry = load (path);

    return on ? turn_on (entry, path, error) : turn_off (entry, path, error);
}
