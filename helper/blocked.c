/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "blocked.h"

struct _BulkheadBlocked {
    GPtrArray *entries; /* of BulkheadBlockedEntry, the newest first */
};

static void
entry_free (gpointer data)
{
    BulkheadBlockedEntry *entry = data;

    g_free (entry->program);
    g_free (entry);
}

BulkheadBlocked *
bulkhead_blocked_new (void)
{
    BulkheadBlocked *blocked = g_new0 (BulkheadBlocked, 1);

    blocked->entries = g_ptr_array_new_with_free_func (entry_free);
    return blocked;
}

void
bulkhead_blocked_free (BulkheadBlocked *blocked)
{
    g_ptr_array_unref (blocked->entries);
    g_free (blocked);
}

static gboolean
counts (const BulkheadBlockedEntry *entry, const BulkheadPacket *packet, guint32 uid)
{
    return entry->uid == uid && entry->protocol == packet->protocol && entry->port == packet->port
           && bulkhead_address_compare (&entry->address, &packet->destination) == 0;
}

/* The index of what goes for an entry of @uid: of whoever would have the most, and is not seen for
 * the longest. Nobody's packets drive out those of others who send less. */
static guint
find_dispensable (const BulkheadBlocked *blocked, guint32 uid)
{
    const BulkheadBlockedEntry *const *entries = (gconstpointer)blocked->entries->pdata;
    guint most = 0, found = 0;

    for (guint i = blocked->entries->len; i-- > 0;) {
        guint n = entries[i]->uid == uid ? 1 : 0;

        for (guint j = 0; j < blocked->entries->len; j++)
            n += entries[j]->uid == entries[i]->uid ? 1 : 0;
        if (n > most) {
            most = n;
            found = i;
        }
    }
    return found;
}

/* The entry for @packet, out of the list: the one that is there, or a new one. */
static BulkheadBlockedEntry *
take (BulkheadBlocked *blocked, const BulkheadPacket *packet, guint32 uid, gint64 now)
{
    BulkheadBlockedEntry *entry;

    for (guint i = 0; i < blocked->entries->len; i++)
        if (counts (blocked->entries->pdata[i], packet, uid))
            return g_ptr_array_steal_index (blocked->entries, i);
    if (blocked->entries->len == BULKHEAD_BLOCKED_MAX)
        g_ptr_array_remove_index (blocked->entries, find_dispensable (blocked, uid));
    entry = g_new0 (BulkheadBlockedEntry, 1);
    entry->address = packet->destination;
    entry->protocol = packet->protocol;
    entry->port = packet->port;
    entry->uid = uid;
    entry->program = g_strdup ("");
    entry->first = now;
    return entry;
}

const BulkheadBlockedEntry *
bulkhead_blocked_add (BulkheadBlocked *blocked, const BulkheadPacket *packet, guint32 uid,
                      gint64 now)
{
    BulkheadBlockedEntry *entry = take (blocked, packet, uid, now);

    entry->count++;
    entry->last = now;
    g_ptr_array_insert (blocked->entries, 0, entry);
    return entry;
}

void
bulkhead_blocked_name_newest (BulkheadBlocked *blocked, const char *program)
{
    BulkheadBlockedEntry *entry = g_ptr_array_index (blocked->entries, 0);

    g_free (entry->program);
    entry->program = g_strdup (program);
}

void
bulkhead_blocked_clear (BulkheadBlocked *blocked)
{
    g_ptr_array_set_size (blocked->entries, 0);
}

guint
bulkhead_blocked_get_length (const BulkheadBlocked *blocked)
{
    return blocked->entries->len;
}

const BulkheadBlockedEntry *
bulkhead_blocked_get (const BulkheadBlocked *blocked, guint index)
{
    return g_ptr_array_index (blocked->entries, index);
}
