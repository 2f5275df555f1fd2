/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the menu tells: what this is, and the way out when nothing else works. */
#pragma once

#include "client.h"

#include <adwaita.h>

/* Both (transfer none): a window as any other, to be presented. */
GtkWindow *bulkhead_about_new (GtkWindow *parent, BulkheadClient *client);
/* How the lock is opened without this window. */
GtkWindow *bulkhead_about_new_way_out (GtkWindow *parent);
