/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock-log.h"

void
bulkhead_lock_log (BulkheadJournal *journal, BulkheadEvent event, const char *name,
                   const char *value)
{
    const char *const detail[] = { name, value, NULL };

    bulkhead_journal_write (journal, event, detail);
}

void
bulkhead_lock_log_state (BulkheadJournal *journal, BulkheadState state, gboolean closed,
                         const char *problem)
{
    switch (state) {
    case BULKHEAD_STATE_PROTECTED:
        bulkhead_journal_write (journal, BULKHEAD_EVENT_PROTECTED, NULL);
        break;
    case BULKHEAD_STATE_BLOCKING:
        bulkhead_journal_write (journal, BULKHEAD_EVENT_BLOCKING, NULL);
        break;
    case BULKHEAD_STATE_BROKEN:
        bulkhead_lock_log (journal, closed ? BULKHEAD_EVENT_CLOSED : BULKHEAD_EVENT_BROKEN,
                           "problem", problem);
        break;
    case BULKHEAD_STATE_UNKNOWN:
    case BULKHEAD_STATE_OFF:
    case BULKHEAD_STATE_PAUSED:
        break; /* the user's own doing: logged where it was asked for */
    }
}

void
bulkhead_lock_log_managed (BulkheadJournal *journal, const BulkheadManaged *managed)
{
    g_auto (GStrv) fixed = bulkhead_managed_list (managed);
    g_autofree char *list = g_strjoinv (" ", fixed);

    if (managed->problem != NULL)
        bulkhead_lock_log (journal, BULKHEAD_EVENT_MISMANAGED, "problem", managed->problem);
    else
        bulkhead_lock_log (journal, BULKHEAD_EVENT_MANAGED, "fixed", list);
}

/* The window's log has the same in the user's language, found by these very words:
 * app/window/log-detail.c. */
void
bulkhead_lock_log_features (BulkheadJournal *journal, BulkheadFeatures there, gboolean use_owner)
{
    BulkheadFeatures missing = BULKHEAD_FEATURES_ALL & ~there;

    if (missing & BULKHEAD_FEATURE_EGRESS)
        bulkhead_lock_log (journal, BULKHEAD_EVENT_WEAKENED, "promise",
                           "bridged guests and packet sockets are not seen: no netdev egress hook");
    if (missing & BULKHEAD_FEATURE_LOG)
        bulkhead_lock_log (journal, BULKHEAD_EVENT_WEAKENED, "promise",
                           "what is blocked cannot be told: no nflog");
    if (use_owner && missing & BULKHEAD_FEATURE_OWNER)
        bulkhead_lock_log (journal, BULKHEAD_EVENT_WEAKENED, "promise",
                           "another program can remove the rules; they are put back: "
                           "no table owner with persist");
}

void
bulkhead_lock_log_touched (BulkheadJournal *journal, const char *program, guint32 pid,
                           gboolean restored, gint64 microseconds)
{
    g_autofree char *who = g_strdup_printf ("%s (%u)", program, pid);
    g_autofree char *time = g_strdup_printf ("%" G_GINT64_FORMAT, microseconds);

    bulkhead_lock_log (journal, BULKHEAD_EVENT_REMOVED, "by", pid != 0 ? who : "unknown");
    if (restored)
        bulkhead_lock_log (journal, BULKHEAD_EVENT_RESTORED, "microseconds", time);
}
