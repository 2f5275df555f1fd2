/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "application.h"

#include "about.h"
#include "client.h"
#include "lock-actions.h"
#include "preferences.h"
#include "window.h"

#include <glib/gi18n.h>

struct _BulkheadApplication {
    AdwApplication parent_instance;

    BulkheadClient *client;
    GtkWindow *preferences, *way_out, *about; /* (weak) (nullable): while they are open */
};

G_DEFINE_FINAL_TYPE (BulkheadApplication, bulkhead_application, ADW_TYPE_APPLICATION)

/* What one of them is to be opened over; there is a window then. */
static GtkWindow *
present_parent (BulkheadApplication *self)
{
    g_application_activate (G_APPLICATION (self));
    return gtk_application_get_active_window (GTK_APPLICATION (self));
}

static void
on_preferences_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    BulkheadApplication *self = data;
    GtkWindow *parent = present_parent (self);

    if (self->preferences == NULL)
        g_set_weak_pointer (&self->preferences,
                            GTK_WINDOW (bulkhead_preferences_new (parent, self->client)));
    gtk_window_present (self->preferences);
}

static void
on_way_out_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    BulkheadApplication *self = data;
    GtkWindow *parent = present_parent (self);

    if (self->way_out == NULL)
        g_set_weak_pointer (&self->way_out, bulkhead_about_new_way_out (parent));
    gtk_window_present (self->way_out);
}

static void
on_about_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    BulkheadApplication *self = data;
    GtkWindow *parent = present_parent (self);

    if (self->about == NULL)
        g_set_weak_pointer (&self->about, bulkhead_about_new (parent, self->client));
    gtk_window_present (self->about);
}

static void
on_quit_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_application_quit (data);
}

static void
bulkhead_application_startup (GApplication *application)
{
    static const GActionEntry entries[] = {
        { .name = "preferences", .activate = on_preferences_cb },
        { .name = "way-out", .activate = on_way_out_cb },
        { .name = "about", .activate = on_about_cb },
        { .name = "quit", .activate = on_quit_cb },
    };
    static const struct {
        const char *action;
        const char *keys[3];
    } keys[] = {
        { "app.quit", { "<Control>q" } },
        { "app.preferences", { "<Control>comma" } },
        { "app.way-out", { "F1" } },
        { "app.lock", { "<Control>l" } },
        { "window.close", { "<Control>w" } },
        { "win.search", { "<Control>f" } },
        { "win.show-page::status", { "<Alt>1" } },
        { "win.show-page::tunnels", { "<Alt>2" } },
        { "win.show-page::log", { "<Alt>3" } },
    };
    BulkheadApplication *self = BULKHEAD_APPLICATION (application);

    G_APPLICATION_CLASS (bulkhead_application_parent_class)->startup (application);
    self->client = bulkhead_client_new ();
    g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
    bulkhead_lock_actions_add (GTK_APPLICATION (self), self->client);
    for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
        gtk_application_set_accels_for_action (GTK_APPLICATION (self), keys[i].action,
                                               keys[i].keys);
}

static void
bulkhead_application_activate (GApplication *application)
{
    BulkheadApplication *self = BULKHEAD_APPLICATION (application);
    GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

    if (window == NULL)
        window = GTK_WINDOW (bulkhead_window_new (GTK_APPLICATION (self), self->client));
    gtk_window_present (window);
}

static void
bulkhead_application_dispose (GObject *object)
{
    BulkheadApplication *self = BULKHEAD_APPLICATION (object);

    g_clear_weak_pointer (&self->preferences);
    g_clear_weak_pointer (&self->way_out);
    g_clear_weak_pointer (&self->about);
    g_clear_object (&self->client);
    G_OBJECT_CLASS (bulkhead_application_parent_class)->dispose (object);
}

static void
bulkhead_application_class_init (BulkheadApplicationClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_application_dispose;
    G_APPLICATION_CLASS (class)->startup = bulkhead_application_startup;
    G_APPLICATION_CLASS (class)->activate = bulkhead_application_activate;
}

static void
bulkhead_application_init (BulkheadApplication *self)
{
}

BulkheadApplication *
bulkhead_application_new (void)
{
    return g_object_new (BULKHEAD_TYPE_APPLICATION, "application-id", BULKHEAD_APPLICATION_ID,
                         "resource-base-path", "/org/bulkhead/bulkhead", NULL);
}
