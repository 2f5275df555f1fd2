/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The users of this computer, by its passwd file alone. The name service may ask a directory on the
 * network, which the lock may keep from answering.
 */
#pragma once

#include <glib.h>

/* Returns: (transfer full) (nullable): NULL: the file has no such user. */
char *bulkhead_user_name (guint32 uid);
/* FALSE: the file has no such user. */
gboolean bulkhead_user_find (const char *name, guint32 *ret_uid);
