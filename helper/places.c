/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places.h"

struct _BulkheadPlaces {
    GHashTable *taken; /* name -> how many places */
};

struct _BulkheadPlace {
    BulkheadPlaces *places; /* borrowed */
    char *name;
    gsize width;
};

BulkheadPlaces *
bulkhead_places_new (void)
{
    BulkheadPlaces *places = g_new0 (BulkheadPlaces, 1);

    places->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    return places;
}

void
bulkhead_places_free (BulkheadPlaces *places)
{
    g_hash_table_unref (places->taken);
    g_free (places);
}

static gsize
count_taken (BulkheadPlaces *places, const char *name)
{
    return GPOINTER_TO_SIZE (g_hash_table_lookup (places->taken, name));
}

BulkheadPlace *
bulkhead_places_take (BulkheadPlaces *places, const char *name, gsize width)
{
    gsize taken = count_taken (places, name);
    BulkheadPlace *place;

    if (width > BULKHEAD_PLACES_MAX - taken)
        return NULL;
    g_hash_table_insert (places->taken, g_strdup (name), GSIZE_TO_POINTER (taken + width));
    place = g_new0 (BulkheadPlace, 1);
    place->places = places;
    place->name = g_strdup (name);
    place->width = width;
    return place;
}

void
bulkhead_place_leave (BulkheadPlace *place)
{
    gsize left;

    if (place == NULL)
        return;
    left = count_taken (place->places, place->name) - place->width;
    if (left > 0)
        g_hash_table_insert (place->places->taken, g_strdup (place->name), GSIZE_TO_POINTER (left));
    else
        g_hash_table_remove (place->places->taken, place->name);
    g_free (place->name);
    g_free (place);
}
