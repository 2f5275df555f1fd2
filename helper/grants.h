/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The users who need no password any more to open the lock, because an administrator said so once:
 * uid, name and time, in a file of their own in the state directory. Nothing that locks depends on
 * it; a list that cannot be understood grants nobody.
 *
 * A grant counts only while the uid still has the name it was given to, so that the next owner of
 * a reused uid does not inherit it. Names are read from the passwd file alone: the name service
 * may ask the network, which the helper does not. Users who are not in that file (of a directory
 * service) cannot be granted; they are asked each time.
 */
#pragma once

#include <glib.h>

typedef struct {
    guint32 uid;
    char *name;
    gint64 since; /* seconds since the epoch */
} BulkheadGrant;

typedef struct _BulkheadGrants BulkheadGrants;

/*
 * Returns: never NULL. With @error set to STATE_UNREADABLE or STORE_FAILED nobody is granted, and
 * a bad file is kept beside when the next one is written.
 */
BulkheadGrants *bulkhead_grants_new (const char *directory, const char *passwd, GError **error);
void bulkhead_grants_free (BulkheadGrants *grants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadGrants, bulkhead_grants_free)

gboolean bulkhead_grants_has (const BulkheadGrants *grants, guint32 uid);
/* Whether @uid can be granted; NOT_FOUND without a usable name in the passwd file. */
gboolean bulkhead_grants_check (const BulkheadGrants *grants, guint32 uid, GError **error);

/* Return after it is stored; with an error nothing changed. */
gboolean bulkhead_grants_add (BulkheadGrants *grants, guint32 uid, gint64 now, GError **error);
/* NOT_FOUND when there is no such grant. */
gboolean bulkhead_grants_remove (BulkheadGrants *grants, guint32 uid, GError **error);

/* Returns: (transfer none): of BulkheadGrant, by uid; also those that do not count any more. */
const GPtrArray *bulkhead_grants_list (const BulkheadGrants *grants);
