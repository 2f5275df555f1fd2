/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tray.h"

#include "client.h"
#include "icon.h"
#include "menu.h"
#include "news.h"
#include "notices.h"
#include "watcher.h"
#include "words.h"

#include <glib/gi18n.h>

#define ID "org.bulkhead.bulkhead.Tray"
#define ICON_PATH "/org/bulkhead/bulkhead/Tray/Icon"
#define MENU_PATH "/org/bulkhead/bulkhead/Tray/Menu"
#define WINDOW_NAME "org.bulkhead.bulkhead"
#define WINDOW_PATH "/org/bulkhead/bulkhead"
#define HOST_PATIENCE 10 /* seconds that a panel may take to come after the login */
#define EXIT_USAGE 2     /* as bulkheadctl's */
#define GO_ON (-1)

struct _BulkheadTray {
    GApplication parent_instance;
    BulkheadClient *client;
    BulkheadIcon *icon;
    BulkheadMenu *menu;
    BulkheadNotices *notices;
    BulkheadNews *news;
    BulkheadWatcher *watcher;
    gboolean understood; /* the options were */
    gboolean began;      /* the first activation was our own start */
    gboolean woken;      /* the helper was asked for once */
    gboolean failed;
    gboolean hidden; /* nobody shows the icon; that is told, or will be by host_id */
    guint host_id;
};

G_DEFINE_FINAL_TYPE (BulkheadTray, bulkhead_tray, G_TYPE_APPLICATION)

static void
follow (BulkheadTray *self, gpointer object, const char *signal, GCallback callback)
{
    g_signal_connect_object (object, signal, callback, self, G_CONNECT_SWAPPED);
}

static void
tell_failed (BulkheadTray *self, const char *sentence)
{
    bulkhead_notices_show (self->notices, BULKHEAD_TOPIC_FAILED, BULKHEAD_NOTICE_NORMAL,
                           bulkhead_words_icon (BULKHEAD_STATE_UNKNOWN), _ ("That was not done"),
                           sentence);
}

/* ---- the window ---- */

static void
on_opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (BulkheadTray) self = user_data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    g_autofree char *sentence = NULL;

    if (answer != NULL)
        return;
    g_dbus_error_strip_remote_error (error);
    /* Translators: %s is a message in English. */
    sentence = g_strdup_printf (_ ("The window could not be opened: %s"), error->message);
    tell_failed (self, sentence);
}

/* The window is a program of its own, which the bus starts. @token: (transfer full) (nullable):
 * with it the window may come to the front. */
static void
open_window (BulkheadTray *self, char *token)
{
    g_autofree char *given = token;
    GVariantBuilder platform;

    g_variant_builder_init (&platform, G_VARIANT_TYPE_VARDICT);
    if (given != NULL) {
        g_variant_builder_add (&platform, "{sv}", "activation-token", g_variant_new_string (given));
        g_variant_builder_add (&platform, "{sv}", "desktop-startup-id",
                               g_variant_new_string (given));
    }
    g_dbus_connection_call (g_application_get_dbus_connection (G_APPLICATION (self)), WINDOW_NAME,
                            WINDOW_PATH, "org.freedesktop.Application", "Activate",
                            g_variant_new ("(a{sv})", &platform), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                            NULL, on_opened_cb, g_object_ref (self));
}

static void
on_icon_activated_cb (BulkheadTray *self)
{
    open_window (self, bulkhead_icon_take_token (self->icon));
}

static void
on_notice_activated_cb (BulkheadTray *self)
{
    open_window (self, bulkhead_notices_take_token (self->notices));
}

/* ---- the panel ---- */

/* Never invisible without saying so. */
static gboolean
on_no_host_cb (gpointer data)
{
    BulkheadTray *self = data;

    self->host_id = 0;
    /* It stays, so it says nothing of the state, which does not. */
    bulkhead_notices_show (self->notices, BULKHEAD_TOPIC_HIDDEN, BULKHEAD_NOTICE_STAYS,
                           "org.bulkhead.bulkhead", _ ("Bulkhead has no tray icon"),
                           _ ("This desktop shows none. Open Bulkhead here or from the list of "
                              "applications."));
    return G_SOURCE_REMOVE;
}

/* A panel that restarts is back before it is told. */
static void
on_host_changed_cb (BulkheadTray *self)
{
    if (bulkhead_watcher_has_host (self->watcher)) {
        g_clear_handle_id (&self->host_id, g_source_remove);
        bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_HIDDEN);
        self->hidden = FALSE;
    } else if (!self->hidden) {
        self->hidden = TRUE;
        self->host_id = g_timeout_add_seconds (HOST_PATIENCE, on_no_host_cb, self);
    }
}

/* Icon and menu are complete before a panel hears of them. */
static void
come_to_panel (BulkheadTray *self)
{
    self->watcher =
        bulkhead_watcher_new (g_application_get_dbus_connection (G_APPLICATION (self)), ICON_PATH);
    follow (self, self->watcher, "changed", G_CALLBACK (on_host_changed_cb));
    g_signal_connect_object (self->watcher, "registered", G_CALLBACK (bulkhead_icon_announce),
                             self->icon, G_CONNECT_SWAPPED);
}

/* ---- the helper ---- */

static void
on_client_changed_cb (BulkheadTray *self)
{
    g_autofree char *headline = bulkhead_words_headline (self->client);
    g_autofree char *reason = bulkhead_words_reason (self->client);

    /* No alarm for the moment that a start takes. */
    if (self->watcher == NULL
        && bulkhead_client_get_presence (self->client) == BULKHEAD_HELPER_ASKED)
        return;
    bulkhead_icon_show (self->icon, bulkhead_words_icon (bulkhead_client_get_state (self->client)),
                        headline, reason);
    /* Reading never starts the helper. But a session begins with the truth, and not with "not
     * known" until somebody happens to need the helper. */
    if (!self->woken && bulkhead_client_get_presence (self->client) == BULKHEAD_HELPER_ABSENT) {
        self->woken = TRUE;
        bulkhead_client_wake_helper (self->client);
    }
    if (self->watcher == NULL)
        come_to_panel (self);
}

static void
on_done_cb (BulkheadTray *self)
{
    bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_FAILED);
}

/* ---- the command line ---- */

/* Comes when the options are understood. There are no arguments; GApplication would complain of
 * them as a fault in the program. */
static int
on_options_cb (GApplication *application, GVariantDict *options, gpointer user_data)
{
    g_autoptr (GVariant) rest =
        g_variant_dict_lookup_value (options, G_OPTION_REMAINING, G_VARIANT_TYPE_BYTESTRING_ARRAY);
    const char *first;

    BULKHEAD_TRAY (application)->understood = TRUE;
    if (rest == NULL)
        return GO_ON;
    g_variant_get_child (rest, 0, "^&ay", &first);
    g_printerr ("bulkhead-tray: unexpected argument %s (see bulkhead-tray --help)\n", first);
    return EXIT_USAGE;
}

/* For GApplication, a wrong option is a failure as any other. */
static gboolean
bulkhead_tray_local_command_line (GApplication *application, char ***arguments, int *status)
{
    gboolean ends = G_APPLICATION_CLASS (bulkhead_tray_parent_class)
                        ->local_command_line (application, arguments, status);

    if (!BULKHEAD_TRAY (application)->understood)
        *status = EXIT_USAGE;
    return ends;
}

/* ---- start ---- */

static gboolean
build (BulkheadTray *self, GDBusConnection *bus, GError **error)
{
    self->client = bulkhead_client_new ();
    self->notices = bulkhead_notices_new (bus);
    self->news = bulkhead_news_new (self->client, self->notices);
    self->menu = bulkhead_menu_new (bus, MENU_PATH, self->client, error);
    if (self->menu == NULL)
        return FALSE;
    self->icon = bulkhead_icon_new (bus, ICON_PATH, MENU_PATH, error);
    if (self->icon == NULL)
        return FALSE;
    follow (self, self->client, "changed", G_CALLBACK (on_client_changed_cb));
    return TRUE;
}

static void
bulkhead_tray_startup (GApplication *application)
{
    BulkheadTray *self = BULKHEAD_TRAY (application);
    GDBusConnection *bus = g_application_get_dbus_connection (application);
    g_autoptr (GError) error = NULL;

    self->failed = TRUE;
    G_APPLICATION_CLASS (bulkhead_tray_parent_class)->startup (application);
    if (bus == NULL) {
        g_printerr ("bulkhead-tray: there is no session bus\n");
        return;
    }
    if (!build (self, bus, &error)) {
        g_printerr ("bulkhead-tray: %s\n", error->message);
        return;
    }
    self->failed = FALSE;
    follow (self, self->icon, "activated", G_CALLBACK (on_icon_activated_cb));
    follow (self, self->menu, "open", G_CALLBACK (on_icon_activated_cb));
    follow (self, self->menu, "quit", G_CALLBACK (g_application_quit));
    follow (self, self->menu, "failed", G_CALLBACK (tell_failed));
    follow (self, self->menu, "done", G_CALLBACK (on_done_cb));
    follow (self, self->notices, "open", G_CALLBACK (on_notice_activated_cb));
    self->hidden = TRUE;
    self->host_id = g_timeout_add_seconds (HOST_PATIENCE, on_no_host_cb, self);
    g_application_hold (application);
}

static void
bulkhead_tray_activate (GApplication *application)
{
    BulkheadTray *self = BULKHEAD_TRAY (application);

    if (self->began)
        open_window (self, NULL);
    self->began = TRUE;
}

static void
bulkhead_tray_shutdown (GApplication *application)
{
    BulkheadTray *self = BULKHEAD_TRAY (application);

    g_clear_handle_id (&self->host_id, g_source_remove);
    g_clear_object (&self->watcher);
    g_clear_object (&self->icon);
    g_clear_object (&self->menu);
    g_clear_object (&self->news);
    /* Nobody would withdraw them later. They are sent before the program ends. */
    if (self->notices != NULL)
        bulkhead_notices_withdraw_all (self->notices);
    g_clear_object (&self->notices);
    g_clear_object (&self->client);
    G_APPLICATION_CLASS (bulkhead_tray_parent_class)->shutdown (application);
}

static void
bulkhead_tray_class_init (BulkheadTrayClass *klass)
{
    GApplicationClass *application = G_APPLICATION_CLASS (klass);

    application->local_command_line = bulkhead_tray_local_command_line;
    application->startup = bulkhead_tray_startup;
    application->activate = bulkhead_tray_activate;
    application->shutdown = bulkhead_tray_shutdown;
}

static void
bulkhead_tray_init (BulkheadTray *self)
{
    GApplication *application = G_APPLICATION (self);

    g_application_add_main_option (application, G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE,
                                   G_OPTION_ARG_FILENAME_ARRAY, "", NULL);
    g_signal_connect (application, "handle-local-options", G_CALLBACK (on_options_cb), NULL);
}

gboolean
bulkhead_tray_has_failed (BulkheadTray *self)
{
    return self->failed;
}

BulkheadTray *
bulkhead_tray_new (void)
{
    return g_object_new (BULKHEAD_TYPE_TRAY, "application-id", ID, NULL);
}
