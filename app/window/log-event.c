/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-event.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

struct _BulkheadLogEvent {
    GObject parent_instance;

    char *title;
    char *caption;
    char *search;
};

enum { PROP_TITLE = 1, PROP_CAPTION, PROP_SEARCH, N_PROPS };

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (BulkheadLogEvent, bulkhead_log_event, G_TYPE_OBJECT)

/* The helper's own text is English; these words are its stable names for the same. */
static const struct {
    const char *word;
    const char *title;
} titles[] = {
    { "started", N_ ("The helper started") },
    { "stopped", N_ ("The helper stopped; the rules stay as they are") },
    { "locked", N_ ("Locked") },
    { "unlocked", N_ ("Unlocked: everything is allowed") },
    { "paused", N_ ("Paused: everything is allowed for a time") },
    { "resumed", N_ ("The pause ended; the lock is in force again") },
    { "protected", N_ ("A trusted tunnel is up behind the lock") },
    { "blocking", N_ ("No trusted tunnel is up; nothing leaves except what you allowed") },
    { "removed", N_ ("Another program removed or changed the rules: possible leak") },
    { "restored", N_ ("The rules were restored") },
    { "broken", N_ ("The lock is asked for but not enforced: possible leak") },
    { "changed", N_ ("A setting was changed") },
    { "refused", N_ ("A caller was refused: not authorised") },
    { "unreadable", N_ ("The stored state cannot be understood: locked") },
    { "weakened", N_ ("This kernel lacks a feature that the lock uses") },
    { "authorized", N_ ("A user may control the lock without a password") },
    { "revoked", N_ ("A user needs a password again to control the lock") },
    { "forgotten", N_ ("The authorised users cannot be understood: nobody is authorised") },
    { "managed", N_ ("The administrator fixed other settings than before") },
    { "mismanaged", N_ ("The administrator’s settings cannot be used") },
    { "asleep", N_ ("The computer goes to sleep") },
    { "awake", N_ ("The computer woke up") },
    { "closed", N_ ("The lock could not be put in force: everything is blocked") },
};

static const char *
get_text (JsonObject *event, const char *member)
{
    JsonNode *node = json_object_get_member (event, member);

    if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
        return "";
    return json_node_get_string (node);
}

static const char *
title_of (JsonObject *event)
{
    const char *word = get_text (event, "event");

    for (gsize i = 0; i < G_N_ELEMENTS (titles); i++)
        if (g_str_equal (titles[i].word, word))
            return _ (titles[i].title);
    return get_text (event, "text");
}

static char *
local_time (const char *text)
{
    g_autoptr (GDateTime) utc = g_date_time_new_from_iso8601 (text, NULL);
    g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

    return local != NULL ? g_date_time_format (local, "%F %T") : g_strdup (text);
}

/* The time and, behind it, all that is neither time nor title. */
static char *
caption_of (JsonObject *event)
{
    g_autoptr (GList) members = json_object_get_members (event);
    g_autofree char *time = local_time (get_text (event, "time"));
    g_autoptr (GString) caption = g_string_new (time);

    for (GList *l = members; l != NULL; l = l->next) {
        const char *member = l->data;
        const char *value = get_text (event, member);

        if (g_str_equal (member, "time") || g_str_equal (member, "event")
            || g_str_equal (member, "text") || *value == '\0')
            continue;
        g_string_append_printf (caption, " · %s: %s", member, value);
    }
    return g_string_free (g_steal_pointer (&caption), FALSE);
}

static void
bulkhead_log_event_finalize (GObject *object)
{
    BulkheadLogEvent *self = BULKHEAD_LOG_EVENT (object);

    g_free (self->title);
    g_free (self->caption);
    g_free (self->search);
    G_OBJECT_CLASS (bulkhead_log_event_parent_class)->finalize (object);
}

static void
bulkhead_log_event_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    BulkheadLogEvent *self = BULKHEAD_LOG_EVENT (object);
    const char *const texts[] = {
        [PROP_TITLE] = self->title,
        [PROP_CAPTION] = self->caption,
        [PROP_SEARCH] = self->search,
    };

    g_value_set_string (value, texts[id]);
}

static void
bulkhead_log_event_class_init (BulkheadLogEventClass *class)
{
    static const char *const names[] = {
        [PROP_TITLE] = "title",
        [PROP_CAPTION] = "caption",
        [PROP_SEARCH] = "search",
    };
    GObjectClass *object_class = G_OBJECT_CLASS (class);

    object_class->finalize = bulkhead_log_event_finalize;
    object_class->get_property = bulkhead_log_event_get_property;
    for (guint i = PROP_TITLE; i < N_PROPS; i++)
        properties[i] = g_param_spec_string (names[i], NULL, NULL, NULL,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bulkhead_log_event_init (BulkheadLogEvent *self)
{
}

BulkheadLogEvent *
bulkhead_log_event_new (const char *line)
{
    BulkheadLogEvent *self = g_object_new (BULKHEAD_TYPE_LOG_EVENT, NULL);
    g_autoptr (JsonNode) node = json_from_string (line, NULL);

    if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)) {
        JsonObject *event = json_node_get_object (node);

        self->title = g_strdup (title_of (event));
        self->caption = caption_of (event);
        self->search = g_strjoin (" ", self->title, self->caption, get_text (event, "event"),
                                  get_text (event, "text"), NULL);
    } else {
        self->title = g_strdup (line);
        self->caption = g_strdup ("");
        self->search = g_strdup (line);
    }
    return self;
}
