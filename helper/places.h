/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whoever waits takes up place, and nobody gets more than so much of it: that bounds what a flood
 * of questions holds in memory, and how many of them wait for polkit at a time, of the 128 answers
 * that the bus lets one program wait for.
 */
#pragma once

#include <glib.h>

#define BULKHEAD_PLACES_MAX 32 /* of one name */

typedef struct _BulkheadPlaces BulkheadPlaces;
typedef struct _BulkheadPlace BulkheadPlace;

BulkheadPlaces *bulkhead_places_new (void);
/* Every place must have been left. */
void bulkhead_places_free (BulkheadPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadPlaces, bulkhead_places_free)

/* Returns: (nullable): @width places of @name, until they are left; NULL: it has not as many. */
BulkheadPlace *bulkhead_places_take (BulkheadPlaces *places, const char *name, gsize width);
/* @place: (nullable) */
void bulkhead_place_leave (BulkheadPlace *place);
