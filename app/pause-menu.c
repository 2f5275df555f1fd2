/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pause-menu.h"

#include "tunnel-text.h"

#define SETTINGS "org.bulkhead.bulkhead"

static int
compare (gconstpointer a, gconstpointer b)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;

    return left < right ? -1 : left > right;
}

/* GSettings ends a program that asks for what is not installed. */
GSettings *
bulkhead_pause_settings_new (void)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
    g_autoptr (GSettingsSchema) schema =
        source != NULL ? g_settings_schema_source_lookup (source, SETTINGS, TRUE) : NULL;

    return schema != NULL && g_settings_schema_has_key (schema, BULKHEAD_PAUSE_KEY)
               ? g_settings_new (SETTINGS)
               : NULL;
}

GArray *
bulkhead_pause_lengths (void)
{
    static const guint32 usual[] = { 5, 15, 60 };
    g_autoptr (GSettings) settings = bulkhead_pause_settings_new ();
    g_autoptr (GVariant) stored = NULL;
    GArray *lengths = g_array_new (FALSE, FALSE, sizeof (guint32));
    GVariantIter iter;
    guint32 minutes;

    if (settings == NULL)
        return g_array_append_vals (lengths, usual, G_N_ELEMENTS (usual));
    stored = g_settings_get_value (settings, BULKHEAD_PAUSE_KEY);
    g_variant_iter_init (&iter, stored);
    while (g_variant_iter_next (&iter, "u", &minutes))
        if (minutes >= 1 && minutes <= BULKHEAD_PAUSE_MAX)
            g_array_append_val (lengths, minutes);
    if (lengths->len == 0) {
        minutes = 5;
        g_array_append_val (lengths, minutes);
    }
    return lengths;
}

void
bulkhead_pause_set_lengths (GArray *minutes)
{
    g_autoptr (GSettings) settings = g_settings_new (SETTINGS);
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));
    guint32 last = 0;

    g_array_sort (minutes, compare);
    for (guint i = 0; i < minutes->len; i++) {
        guint32 length = g_array_index (minutes, guint32, i);

        if (length != last)
            g_variant_builder_add (&builder, "u", length);
        last = length;
    }
    g_settings_set_value (settings, BULKHEAD_PAUSE_KEY, g_variant_builder_end (&builder));
}

GMenuModel *
bulkhead_pause_menu_new (void)
{
    g_autoptr (GArray) lengths = bulkhead_pause_lengths ();
    GMenu *menu = g_menu_new ();

    for (guint i = 0; i < lengths->len; i++) {
        guint32 minutes = g_array_index (lengths, guint32, i);
        g_autofree char *label = bulkhead_text_minutes (minutes);
        g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

        g_menu_item_set_action_and_target (item, "app.pause-for", "u", minutes);
        g_menu_append_item (menu, item);
    }
    return G_MENU_MODEL (menu);
}
