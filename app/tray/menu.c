/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "menu.h"

#include "dbusmenu.h"
#include "pause-menu.h"
#include "tunnel-text.h"
#include "words.h"

#include <glib/gi18n.h>

/* For ever: a panel may remember an id. */
enum {
    STATE = 1,
    LOCK,
    UNLOCK,
    PAUSE,
    PAUSE_1, /* the first of the lengths */
    PAUSE_2,
    PAUSE_3,
    RESUME,
    LAN,
    LINE,
    OPEN,
    QUIT,
    PAUSE_4,
    PAUSE_5,
    PAUSE_6,
    PAUSE_7,
    PAUSE_8,
};

static const BulkheadMenuRow rows[] = {
    { STATE, 0, BULKHEAD_MENU_ITEM },       { LOCK, 0, BULKHEAD_MENU_ITEM },
    { UNLOCK, 0, BULKHEAD_MENU_ITEM },      { PAUSE, 0, BULKHEAD_MENU_SUBMENU },
    { PAUSE_1, PAUSE, BULKHEAD_MENU_ITEM }, { PAUSE_2, PAUSE, BULKHEAD_MENU_ITEM },
    { PAUSE_3, PAUSE, BULKHEAD_MENU_ITEM }, { PAUSE_4, PAUSE, BULKHEAD_MENU_ITEM },
    { PAUSE_5, PAUSE, BULKHEAD_MENU_ITEM }, { PAUSE_6, PAUSE, BULKHEAD_MENU_ITEM },
    { PAUSE_7, PAUSE, BULKHEAD_MENU_ITEM }, { PAUSE_8, PAUSE, BULKHEAD_MENU_ITEM },
    { RESUME, 0, BULKHEAD_MENU_ITEM },      { LAN, 0, BULKHEAD_MENU_CHECK },
    { LINE, 0, BULKHEAD_MENU_SEPARATOR },   { OPEN, 0, BULKHEAD_MENU_ITEM },
    { QUIT, 0, BULKHEAD_MENU_ITEM },
};

/* As many as the window lets a user choose. */
static const int pauses[] = {
    PAUSE_1, PAUSE_2, PAUSE_3, PAUSE_4, PAUSE_5, PAUSE_6, PAUSE_7, PAUSE_8
};

struct _BulkheadMenu {
    GObject parent_instance;
    BulkheadClient *client;
    GSettings *settings;                    /* NULL: they are not installed */
    guint32 minutes[G_N_ELEMENTS (pauses)]; /* of each of the pauses; 0: is not offered */
    BulkheadDbusmenu *dbusmenu;
};

G_DEFINE_FINAL_TYPE (BulkheadMenu, bulkhead_menu, G_TYPE_OBJECT)

static guint open_signal;
static guint quit_signal;
static guint failed_signal;
static guint done_signal;

/* ---- how it looks ---- */

static void
show_item (BulkheadMenu *self, int id, const char *label, gboolean hidden, gboolean disabled)
{
    const BulkheadMenuLook look = { .label = label, .hidden = hidden, .disabled = disabled };

    bulkhead_dbusmenu_set (self->dbusmenu, id, &look);
}

/* A headline with "_" would lose it: panels take it for the letter to press. */
static void
show_state (BulkheadMenu *self)
{
    g_autofree char *headline = bulkhead_words_headline (self->client);
    g_auto (GStrv) parts = g_strsplit (headline, "_", -1);
    g_autofree char *label = g_strjoinv ("__", parts);

    show_item (self, STATE, label, FALSE, TRUE);
}

static void
show_lan (BulkheadMenu *self)
{
    gboolean known = bulkhead_client_get_state (self->client) != BULKHEAD_STATE_UNKNOWN;
    const BulkheadMenuLook look = {
        .label = _ ("Allow local _network"),
        .checked = known ? bulkhead_client_allows_lan (self->client) : -1,
        .disabled = !known || bulkhead_client_is_fixed (self->client, "lan"),
    };

    bulkhead_dbusmenu_set (self->dbusmenu, LAN, &look);
}

static void
show_pauses (BulkheadMenu *self)
{
    for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++) {
        guint32 minutes = self->minutes[i];
        g_autofree char *label = minutes != 0 ? bulkhead_text_minutes (minutes) : NULL;

        show_item (self, pauses[i], label, minutes == 0, FALSE);
    }
}

/* Lock and Unlock are both there when it is not sure which is wanted: not known, or broken. */
static void
update (BulkheadMenu *self)
{
    BulkheadState state = bulkhead_client_get_state (self->client);
    gboolean fixed = bulkhead_client_is_fixed (self->client, "lock");
    gboolean unsure = state == BULKHEAD_STATE_UNKNOWN || state == BULKHEAD_STATE_BROKEN;
    gboolean closed = state == BULKHEAD_STATE_PROTECTED || state == BULKHEAD_STATE_BLOCKING;

    show_state (self);
    show_item (self, LOCK, _ ("_Lock"), state != BULKHEAD_STATE_OFF && !unsure, FALSE);
    show_item (self, UNLOCK, _ ("_Unlock…"), state == BULKHEAD_STATE_OFF, fixed);
    show_item (self, PAUSE, _ ("_Pause"), !closed, fixed);
    show_pauses (self);
    show_item (self, RESUME, _ ("_Resume now"), state != BULKHEAD_STATE_PAUSED, FALSE);
    show_lan (self);
    show_item (self, LINE, NULL, FALSE, FALSE);
    show_item (self, OPEN, _ ("_Open Bulkhead"), FALSE, FALSE);
    show_item (self, QUIT, _ ("_Quit (the lock stays)"), FALSE, FALSE);
    bulkhead_dbusmenu_flush (self->dbusmenu);
}

/* ---- the lengths of a pause ---- */

static void
read_pauses (BulkheadMenu *self)
{
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();

    for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++)
        self->minutes[i] = i < lengths->len ? g_array_index (lengths, guint32, i) : 0;
}

static void
on_pauses_chosen_cb (BulkheadMenu *self)
{
    read_pauses (self);
    update (self);
}

static void
follow_settings (BulkheadMenu *self)
{
    self->settings = bulkhead_pause_settings_new ();
    if (self->settings != NULL)
        g_signal_connect_object (self->settings, "changed::" BULKHEAD_PAUSE_KEY,
                                 G_CALLBACK (on_pauses_chosen_cb), self, G_CONNECT_SWAPPED);
    read_pauses (self);
}

/* ---- what a click means ---- */

static void
on_changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (BulkheadMenu) self = user_data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        bulkhead_client_call_finish (BULKHEAD_CLIENT (source), result, &error);
    g_autofree char *sentence = answer == NULL ? bulkhead_words_error (error) : NULL;

    if (answer != NULL)
        g_signal_emit (self, done_signal, 0);
    else if (sentence != NULL)
        g_signal_emit (self, failed_signal, 0, sentence);
}

static void
change (BulkheadMenu *self, const char *method, GVariant *arguments)
{
    bulkhead_client_change_async (self->client, method, arguments, NULL, on_changed_cb,
                                  g_object_ref (self));
}

static void
pause_as_chosen (BulkheadMenu *self, int id)
{
    for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++)
        if (pauses[i] == id)
            change (self, "Pause", g_variant_new ("(u)", 60 * self->minutes[i]));
}

/* The other way of what is shown; the check follows when the helper has done it. */
static void
toggle_lan (BulkheadMenu *self)
{
    change (self, "SetLan",
            g_variant_new ("(b@a{sv})", !bulkhead_client_allows_lan (self->client),
                           g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
}

static void
on_clicked_cb (BulkheadMenu *self, int id)
{
    switch (id) {
    case LOCK:
        change (self, "Lock", NULL);
        break;
    case UNLOCK:
        change (self, "Unlock", NULL);
        break;
    case RESUME:
        change (self, "Resume", NULL);
        break;
    case LAN:
        toggle_lan (self);
        break;
    case OPEN:
        g_signal_emit (self, open_signal, 0);
        break;
    case QUIT:
        g_signal_emit (self, quit_signal, 0);
        break;
    default:
        pause_as_chosen (self, id);
        break;
    }
}

/* A good moment to find out that the helper hangs: the user is about to believe the menu. */
static void
on_opening_cb (BulkheadMenu *self)
{
    bulkhead_client_refresh (self->client);
}

/* ---- object ---- */

BulkheadMenu *
bulkhead_menu_new (GDBusConnection *bus, const char *path, BulkheadClient *client, GError **error)
{
    g_autoptr (BulkheadMenu) self = g_object_new (BULKHEAD_TYPE_MENU, NULL);

    self->client = g_object_ref (client);
    self->dbusmenu = bulkhead_dbusmenu_new (bus, path, rows, G_N_ELEMENTS (rows), error);
    if (self->dbusmenu == NULL)
        return NULL;
    g_signal_connect_object (self->dbusmenu, "clicked", G_CALLBACK (on_clicked_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (self->dbusmenu, "opening", G_CALLBACK (on_opening_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
    follow_settings (self);
    update (self);
    return g_steal_pointer (&self);
}

static void
bulkhead_menu_dispose (GObject *object)
{
    BulkheadMenu *self = BULKHEAD_MENU (object);

    g_clear_object (&self->settings);
    g_clear_object (&self->dbusmenu);
    g_clear_object (&self->client);
    G_OBJECT_CLASS (bulkhead_menu_parent_class)->dispose (object);
}

static void
bulkhead_menu_class_init (BulkheadMenuClass *klass)
{
    G_OBJECT_CLASS (klass)->dispose = bulkhead_menu_dispose;
    open_signal = g_signal_new ("open", BULKHEAD_TYPE_MENU, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
    quit_signal = g_signal_new ("quit", BULKHEAD_TYPE_MENU, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
    failed_signal = g_signal_new ("failed", BULKHEAD_TYPE_MENU, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    done_signal = g_signal_new ("done", BULKHEAD_TYPE_MENU, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
}

static void
bulkhead_menu_init (BulkheadMenu *self)
{
}
