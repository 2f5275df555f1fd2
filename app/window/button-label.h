/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The label of a button. */
#pragma once

#include <gtk/gtk.h>

/* Lets it go over several lines: long words of some languages, or large ones, are more than a
 * narrow window has room for. Lasts for as long as the button shows texts. */
void bulkhead_button_label_wrap (GtkButton *button);
