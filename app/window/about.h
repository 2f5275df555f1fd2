/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the menu tells: what this is, and the way out when nothing else works. */
#pragma once

#include "client.h"

#include <adwaita.h>

void bulkhead_about_show (GtkWindow *parent, BulkheadClient *client);
/* How the lock is opened without this window. */
void bulkhead_about_show_way_out (GtkWindow *parent);
