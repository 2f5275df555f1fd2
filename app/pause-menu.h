/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lengths a pause may have: the user's setting "pause-minutes", and the menu made of it, whose
 * items activate "app.pause-for" with that many minutes.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_PAUSE_MAX 1440 /* minutes; the helper allows no more */

/* One of these (transfer container); never empty. */
GArray *bulkhead_pause_lengths (void);
/* Replaces the setting; @minutes are sorted and made unique. */
void bulkhead_pause_set_lengths (GArray *minutes);
/* (transfer full) */
GMenuModel *bulkhead_pause_menu_new (void);
