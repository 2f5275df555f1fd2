/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl.h"

#define LIMIT_DEFAULT "100"

/* A line that is not an object is still told, as its text: a log must not hide what it cannot
 * read. (transfer full) */
static JsonNode *
parse_event (const char *line)
{
    JsonNode *node = json_from_string (line, NULL);
    JsonObject *object;

    if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
        return node;
    g_clear_pointer (&node, json_node_unref);
    object = json_object_new ();
    json_object_set_string_member (object, "text", line);
    node = json_node_new (JSON_NODE_OBJECT);
    json_node_take_object (node, object);
    return node;
}

static const char *
get_text (JsonObject *event, const char *member)
{
    JsonNode *node = json_object_get_member (event, member);

    if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
        return "";
    return json_node_get_string (node);
}

static char *
local_time (const char *text)
{
    g_autoptr (GDateTime) utc = g_date_time_new_from_iso8601 (text, NULL);
    g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

    return local != NULL ? g_date_time_format (local, "%F %T") : g_strdup (text);
}

static void
append_details (GString *line, JsonObject *event)
{
    g_autoptr (GList) members = json_object_get_members (event);
    const char *separator = " (";

    for (GList *l = members; l != NULL; l = l->next) {
        const char *member = l->data;
        const char *value = get_text (event, member);

        if (g_str_equal (member, "time") || g_str_equal (member, "event")
            || g_str_equal (member, "text") || *value == '\0')
            continue;
        g_string_append_printf (line, "%s%s: %s", separator, member, value);
        separator = ", ";
    }
    if (separator[0] == ',')
        g_string_append_c (line, ')');
}

static void
print_event (JsonObject *event)
{
    g_autofree char *time = local_time (get_text (event, "time"));
    g_autoptr (GString) line = g_string_new (NULL);
    g_autofree char *clean = NULL;

    g_string_printf (line, "%-19s  %-10s  %s", time, get_text (event, "event"),
                     get_text (event, "text"));
    append_details (line, event);
    clean = bulkhead_one_line (line->str);
    bulkhead_print (clean);
    bulkhead_print ("\n");
}

void
bulkhead_run_log (BulkheadCtl *ctl, GError **error)
{
    g_autofree char *limit = NULL;
    g_autoptr (GVariant) lines = NULL;
    g_autoptr (JsonArray) events = json_array_new ();
    GVariantIter iter;
    const char *line;
    guint32 number;
    const GOptionEntry entries[] = {
        { .long_name = "limit",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &limit,
          .arg_description = "N",
          .description = "The newest N events (default " LIMIT_DEFAULT
                         "); 0: all in the newest 4 MiB of the log" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error)
        || !bulkhead_parse_number ("--limit", limit != NULL ? limit : LIMIT_DEFAULT, 0, G_MAXUINT32,
                                   &number, error))
        return;
    lines = bulkhead_call (ctl, "GetLog", g_variant_new ("(u)", number), "(as)", error);
    if (lines == NULL)
        return;
    g_variant_iter_init (&iter, lines);
    while (g_variant_iter_next (&iter, "&s", &line)) {
        JsonNode *event = parse_event (line);

        if (ctl->reply == NULL)
            print_event (json_node_get_object (event));
        json_array_add_element (events, event);
    }
    if (ctl->reply != NULL)
        json_object_set_array_member (ctl->reply, "events", g_steal_pointer (&events));
}
