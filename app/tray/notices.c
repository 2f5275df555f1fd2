/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notices.h"

#include <glib/gi18n.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define FOR_EVER 0
#define AS_USUAL (-1)

typedef struct {
    BulkheadNoticeKind kind;
    char *icon, *summary, *body; /* of what is wanted; NULL: nothing is */
    guint32 id;                  /* of what is shown; 0: nothing is */
    gboolean under_way;          /* the server has not told the id yet */
    gboolean changed;            /* meanwhile, or not sent yet */
} Topic;

struct _BulkheadNotices {
    GObject parent_instance;
    GDBusConnection *bus;
    Topic topics[BULKHEAD_N_TOPICS];
    char *token;
    guint signal_id, name_id;
};

G_DEFINE_FINAL_TYPE (BulkheadNotices, bulkhead_notices, G_TYPE_OBJECT)

static guint open_signal;

typedef struct {
    BulkheadNotices *notices;
    BulkheadTopic topic;
} Sent;

static void bring_about (BulkheadNotices *self, BulkheadTopic topic);

static void
topic_clear (Topic *topic)
{
    g_clear_pointer (&topic->icon, g_free);
    g_clear_pointer (&topic->summary, g_free);
    g_clear_pointer (&topic->body, g_free);
}

static void
on_sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autofree Sent *sent = user_data;
    g_autoptr (BulkheadNotices) self = sent->notices;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
    Topic *topic = &self->topics[sent->topic];

    topic->under_way = FALSE;
    topic->id = 0;
    if (answer != NULL)
        g_variant_get (answer, "(u)", &topic->id);
    else
        g_debug ("no message was shown: %s", error->message);
    bring_about (self, sent->topic);
}

/* Servers read the body as markup. Not all know more of it than these three. (transfer full) */
static char *
escape (const char *text)
{
    GString *escaped = g_string_new (text);

    g_string_replace (escaped, "&", "&amp;", 0);
    g_string_replace (escaped, "<", "&lt;", 0);
    g_string_replace (escaped, ">", "&gt;", 0);
    return g_string_free (escaped, FALSE);
}

static GVariant *
message_of (const Topic *topic)
{
    gboolean urgent = topic->kind == BULKHEAD_NOTICE_URGENT;
    g_autofree char *body = escape (topic->body);
    GVariantBuilder actions, hints;

    g_variant_builder_init (&actions, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_builder_add (&actions, "s", "default");
    g_variant_builder_add (&actions, "s", _ ("Open"));
    g_variant_builder_init (&hints, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add (&hints, "{sv}", "urgency", g_variant_new_byte (urgent ? 2 : 1));
    g_variant_builder_add (&hints, "{sv}", "desktop-entry",
                           g_variant_new_string ("org.bulkhead.bulkhead"));
    return g_variant_new ("(susssasa{sv}i)", _ ("Bulkhead"), topic->id, topic->icon, topic->summary,
                          body, &actions, &hints,
                          topic->kind == BULKHEAD_NOTICE_NORMAL ? AS_USUAL : FOR_EVER);
}

/* Makes what is shown what is wanted. One call of a topic at a time: the next needs the id. */
static void
bring_about (BulkheadNotices *self, BulkheadTopic number)
{
    Topic *topic = &self->topics[number];
    Sent *sent;

    if (topic->under_way || !topic->changed)
        return;
    topic->changed = FALSE;
    if (topic->summary == NULL) {
        if (topic->id != 0)
            g_dbus_connection_call (self->bus, NAME, PATH, NAME, "CloseNotification",
                                    g_variant_new ("(u)", topic->id), NULL,
                                    G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
        topic->id = 0;
        return;
    }
    topic->under_way = TRUE;
    sent = g_new (Sent, 1);
    sent->notices = g_object_ref (self);
    sent->topic = number;
    g_dbus_connection_call (self->bus, NAME, PATH, NAME, "Notify", message_of (topic),
                            G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_sent_cb,
                            sent);
}

/* What repeats itself while it is still there is no news. */
static gboolean
is_shown (const Topic *topic, const char *summary, const char *body)
{
    return (topic->id != 0 || topic->under_way) && g_strcmp0 (topic->summary, summary) == 0
           && g_strcmp0 (topic->body, body) == 0;
}

void
bulkhead_notices_show (BulkheadNotices *self, BulkheadTopic number, BulkheadNoticeKind kind,
                       const char *icon, const char *summary, const char *body)
{
    Topic *topic = &self->topics[number];

    g_return_if_fail (BULKHEAD_IS_NOTICES (self));

    if (is_shown (topic, summary, body))
        return;
    topic_clear (topic);
    topic->kind = kind;
    topic->icon = g_strdup (icon);
    topic->summary = g_strdup (summary);
    topic->body = g_strdup (body);
    topic->changed = TRUE;
    bring_about (self, number);
}

void
bulkhead_notices_withdraw (BulkheadNotices *self, BulkheadTopic number)
{
    Topic *topic = &self->topics[number];

    g_return_if_fail (BULKHEAD_IS_NOTICES (self));

    if (topic->summary == NULL)
        return;
    topic_clear (topic);
    topic->changed = TRUE;
    bring_about (self, number);
}

void
bulkhead_notices_withdraw_all (BulkheadNotices *self)
{
    for (guint i = 0; i < BULKHEAD_N_TOPICS; i++)
        bulkhead_notices_withdraw (self, i);
}

gboolean
bulkhead_notices_has (BulkheadNotices *self, BulkheadTopic topic)
{
    g_return_val_if_fail (BULKHEAD_IS_NOTICES (self), FALSE);

    return self->topics[topic].summary != NULL;
}

char *
bulkhead_notices_take_token (BulkheadNotices *self)
{
    g_return_val_if_fail (BULKHEAD_IS_NOTICES (self), NULL);

    return g_steal_pointer (&self->token);
}

/* NULL: it is no message of ours. */
static Topic *
find_topic (BulkheadNotices *self, guint32 id)
{
    for (guint i = 0; id != 0 && i < BULKHEAD_N_TOPICS; i++)
        if (self->topics[i].id == id)
            return &self->topics[i];
    return NULL;
}

/* The server tells everybody of every message. */
static void
on_signal_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
              const char *signal, GVariant *parameters, gpointer user_data)
{
    BulkheadNotices *self = user_data;
    const char *text = NULL;
    guint32 id = 0;
    Topic *topic;

    if (g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(us)")))
        g_variant_get (parameters, "(u&s)", &id, &text);
    else if (g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(uu)")))
        g_variant_get (parameters, "(uu)", &id, NULL);
    topic = find_topic (self, id);
    if (topic == NULL)
        return;
    if (g_str_equal (signal, "ActivationToken") && text != NULL) {
        g_free (self->token);
        self->token = g_strdup (text);
    } else if (g_str_equal (signal, "ActionInvoked")) {
        g_signal_emit (self, open_signal, 0);
    } else if (g_str_equal (signal, "NotificationClosed")) {
        topic->id = 0;
    }
}

/* A server that comes after it counts from the start: what had our ids is somebody else's there. */
static void
on_server_vanished_cb (GDBusConnection *bus, const char *name, gpointer user_data)
{
    BulkheadNotices *self = user_data;

    for (guint i = 0; i < BULKHEAD_N_TOPICS; i++)
        self->topics[i].id = 0;
}

BulkheadNotices *
bulkhead_notices_new (GDBusConnection *bus)
{
    BulkheadNotices *self = g_object_new (BULKHEAD_TYPE_NOTICES, NULL);

    self->bus = g_object_ref (bus);
    self->signal_id = g_dbus_connection_signal_subscribe (
        bus, NAME, NAME, NULL, PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal_cb, self, NULL);
    self->name_id = g_bus_watch_name_on_connection (bus, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                    on_server_vanished_cb, self, NULL);
    return self;
}

static void
bulkhead_notices_finalize (GObject *object)
{
    BulkheadNotices *self = BULKHEAD_NOTICES (object);

    g_bus_unwatch_name (self->name_id);
    g_dbus_connection_signal_unsubscribe (self->bus, self->signal_id);
    for (guint i = 0; i < BULKHEAD_N_TOPICS; i++)
        topic_clear (&self->topics[i]);
    g_object_unref (self->bus);
    g_free (self->token);
    G_OBJECT_CLASS (bulkhead_notices_parent_class)->finalize (object);
}

static void
bulkhead_notices_class_init (BulkheadNoticesClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_notices_finalize;
    open_signal = g_signal_new ("open", BULKHEAD_TYPE_NOTICES, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_notices_init (BulkheadNotices *self)
{
}
