/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program-name.h"

#include <string.h>

#define USER "/user.slice/user-1000.slice/user@1000.service/app.slice/"

static void
test_names (void)
{
    static const struct {
        const char *path;
        const char *name;
    } names[] = {
        { USER "app-firefox-1234.scope", "firefox" },
        { USER "app-gnome-firefox-1234.scope", "firefox" },
        { USER "app-gnome-org.gnome.Evince-1234.scope", "org.gnome.Evince" },
        { USER "app-gnome-firefox\\x2desr-1234.scope", "firefox-esr" },
        { USER "app-KDE-org.kde.okular@12345.service", "org.kde.okular" },
        { USER "app-flatpak-org.telegram.desktop-77.scope", "org.telegram.desktop" },
        { USER "app-org.kde.amarok.service", "org.kde.amarok" },
        { USER "app-gnome-org.gnome.Terminal-9.scope/tab", "org.gnome.Terminal" },
        { USER "snap.firefox.firefox.1234-5678.scope", "firefox" },
        { USER "dbus-:1.2-org.gnome.Nautilus@0.service", "org.gnome.Nautilus" },
        { "/user.slice/user-1000.slice/user@1000.service/background.slice/"
          "tracker-miner-fs-3.service",
          "tracker-miner-fs-3" },
        { "/system.slice/systemd-timesyncd.service", "systemd-timesyncd" },
        { "/system.slice/system-openvpn.slice/openvpn-client@home.service", "openvpn-client" },
        { "/system.slice/docker-0123456789abcdef.scope", "docker" },
        { "/machine.slice/libpod-0123.scope/container", "libpod" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *name = bulkhead_program_name (names[i].path);

        g_assert_cmpstr (name, ==, names[i].name);
    }
}

static void
test_nameless (void)
{
    static const char *const paths[] = {
        "",
        "/",
        "/user.slice/user-1000.slice/session-3.scope",
        "/user.slice/user-1000.slice/user@1000.service/init.scope",
        "/user.slice/user-1000.slice/user@1000.service",
        USER "app-org.gnome.Terminal.slice/vte-spawn-1d2c.scope",
        "/system.slice/run-u12.service",
        "/system.slice",
        "/lxc/box",
        "/.scope",
        "/app-.scope",
        "/app--.scope",
        "/snap..scope",
        "/@.service",
    };

    for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
        g_autofree char *name = bulkhead_program_name (paths[i]);

        g_assert_cmpstr (name, ==, "");
    }
}

/* Users name their groups as they like: what is told stays short, of one line, and UTF-8, and turns
 * nothing round. */
static void
test_hostile (void)
{
    g_autofree char *many = g_strnfill (250, 'x');
    g_autofree char *wrong = g_strnfill (60, '\xff');
    const char *const names[] = { many,
                                  wrong,
                                  "a\\x0ab\\x1b[1m",
                                  "a\x01"
                                  "b",
                                  "\\x00",
                                  "\\xff\\x",
                                  "\\x",
                                  "é\\xc3\\xa9",
                                  "a\xe2\x80\xae"
                                  "b\xe2\x80\xa8"
                                  "c" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *path = g_strdup_printf ("/system.slice/%s.service", names[i]);
        g_autofree char *name = bulkhead_program_name (path);

        g_assert_true (g_utf8_validate (name, -1, NULL));
        g_assert_cmpuint (strlen (name), <=, BULKHEAD_PROGRAM_NAME_MAX);
        for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
            g_assert_true (g_unichar_isprint (g_utf8_get_char (p)));
        if (i == 2)
            g_assert_cmpstr (name, ==, "a b [1m");
        if (i == 7)
            g_assert_cmpstr (name, ==, "éé");
        if (i == 8)
            g_assert_cmpstr (name, ==, "a b c");
    }
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/program-name/names", test_names);
    g_test_add_func ("/program-name/nameless", test_nameless);
    g_test_add_func ("/program-name/hostile", test_hostile);
    return g_test_run ();
}
