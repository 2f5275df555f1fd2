/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state icons as pixels, for panels that do not find them by name. Drawn when Bulkhead is
 * built, by make-pixmaps.py.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *icon;     /* its name in the theme */
    int size;             /* width and height */
    const guint8 *pixels; /* 4 * size * size bytes: alpha, red, green, blue */
} BulkheadPixmap;

/* Ends with one without icon. */
extern const BulkheadPixmap bulkhead_pixmaps[];
