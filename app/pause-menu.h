/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lengths a pause may have: the user's setting "pause-minutes", and the menu made of it, whose
 * items activate "app.pause-for" with that many minutes.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_PAUSE_MAX 1440 /* minutes; the helper allows no more */
#define BULKHEAD_PAUSE_KEY "pause-minutes"

/* What tells, by "changed::" BULKHEAD_PAUSE_KEY, that others were chosen; NULL where the window's
 * settings are not installed. (transfer full) (nullable) */
GSettings *bulkhead_pause_settings_new (void);
/* Of guint32 (transfer full); never empty. The usual ones where nobody can have chosen. */
GArray *bulkhead_pause_lengths (void);
/* Replaces the setting; @minutes are sorted and made unique. */
void bulkhead_pause_set_lengths (GArray *minutes);
/* (transfer full) */
GMenuModel *bulkhead_pause_menu_new (void);
