/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

static char *
replace_controls (const char *text, const char *keep)
{
    g_autofree char *valid = g_utf8_make_valid (text, -1);
    GString *clean = g_string_sized_new (strlen (valid));

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
        gunichar c = g_utf8_get_char (p);

        if (g_unichar_iscntrl (c) && (c >= 0x80 || strchr (keep, (int)c) == NULL))
            g_string_append_c (clean, ' ');
        else
            g_string_append_unichar (clean, c);
    }
    return g_string_free (clean, FALSE);
}

char *
bulkhead_one_line (const char *text)
{
    return replace_controls (text, "");
}

void
bulkhead_print (const char *text)
{
    g_autofree char *clean = replace_controls (text, "\n\t");

    fputs (clean, stdout);
}

void
bulkhead_print_json (JsonObject *object)
{
    g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object (node, object);
    text = json_to_string (node, FALSE);
    puts (text);
}

void
bulkhead_json_set (JsonObject *object, const char *member, GVariant *value)
{
    json_object_set_member (object, member, json_gvariant_serialize (value));
}
