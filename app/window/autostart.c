/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "autostart.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

#define FILE_NAME "org.bulkhead.bulkhead-tray.desktop"

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

gboolean
bulkhead_autostart_is_on (void)
{
    g_autoptr (GKeyFile) entry = g_key_file_new ();
    g_autofree char *path = user_file ();

    if (!g_key_file_load_from_file (entry, path, G_KEY_FILE_NONE, NULL))
        return bulkhead_autostart_is_there ();
    return !g_key_file_get_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN,
                                    NULL);
}

/* On: without a file of the user's own, the one for everybody counts. */
gboolean
bulkhead_autostart_set (gboolean on, GError **error)
{
    static const char off[] = "[Desktop Entry]\nType=Application\nName=Bulkhead\nHidden=true\n";
    g_autofree char *path = user_file ();
    g_autofree char *directory = g_path_get_dirname (path);

    if (!on && g_mkdir_with_parents (directory, 0700) == 0)
        return g_file_set_contents (path, off, -1, error);
    if (on && (g_remove (path) == 0 || errno == ENOENT))
        return TRUE;
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s: %s", path,
                 g_strerror (errno));
    return FALSE;
}
