/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recorder.h"

#include "nflog.h"
#include "nft-counter.h"
#include "program.h"
#include "ruleset.h"

#define LOOKUPS_AT_ONCE 2 /* each reads directories; the next packet is a second chance */

struct _BulkheadRecorder {
    GObject parent_instance;
    BulkheadLock *lock;
    BulkheadBlocked *blocked;
    BulkheadNflog *nflog;
    gboolean locked;  /* as last seen */
    guint64 counters; /* the rules' own, as last read */
    guint64 counted;  /* by them */
    guint64 noted;    /* packets that were seen one by one */
};

G_DEFINE_FINAL_TYPE (BulkheadRecorder, bulkhead_recorder, G_TYPE_OBJECT)

static guint changed_signal;

/* Takes note of what was seen, and looks up whose it was while @lookups are left. */
static void
note (BulkheadRecorder *self, const BulkheadNflogPacket *seen, guint *lookups)
{
    const BulkheadBlockedEntry *entry = bulkhead_blocked_add (
        self->blocked, &seen->packet, seen->uid, g_get_real_time () / G_USEC_PER_SEC);
    g_autofree char *program = NULL;

    if (entry->program[0] != '\0' || *lookups == 0
        || !bulkhead_program_can_be_known (&seen->packet))
        return;
    (*lookups)--;
    program = bulkhead_program_of (&seen->packet);
    bulkhead_blocked_name_newest (self->blocked, program);
}

/* Rules that were written anew count from nothing. */
static void
count_packets (BulkheadRecorder *self)
{
    guint64 counters;

    if (!bulkhead_nft_counter_read (BULKHEAD_CHAIN_REFUSE, &counters))
        return;
    self->counted += counters >= self->counters ? counters - self->counters : counters;
    self->counters = counters;
}

static gboolean
on_look_cb (const GArray *packets, gpointer data)
{
    BulkheadRecorder *self = data;
    guint64 before = bulkhead_recorder_get_count (self);
    guint lookups = LOOKUPS_AT_ONCE;

    for (guint i = 0; i < packets->len; i++)
        note (self, &g_array_index (packets, BulkheadNflogPacket, i), &lookups);
    self->noted += packets->len;
    count_packets (self);
    if (bulkhead_recorder_get_count (self) == before)
        return FALSE;
    g_signal_emit (self, changed_signal, 0);
    return TRUE;
}

static void
start (BulkheadRecorder *self)
{
    g_autoptr (GError) error = NULL;

    bulkhead_nft_counter_read (BULKHEAD_CHAIN_REFUSE, &self->counters);
    self->nflog = bulkhead_nflog_new (BULKHEAD_LOG_GROUP, on_look_cb, self, &error);
    if (self->nflog == NULL)
        g_warning ("%s", error->message);
}

static void
forget (BulkheadRecorder *self)
{
    g_clear_pointer (&self->nflog, bulkhead_nflog_free);
    bulkhead_blocked_clear (self->blocked);
    self->counters = 0;
    self->counted = 0;
    self->noted = 0;
}

static void
on_lock_changed_cb (BulkheadRecorder *self)
{
    gboolean locked = bulkhead_lock_get_policy (self->lock)->locked;

    if (locked == self->locked)
        return;
    self->locked = locked;
    if (locked)
        start (self);
    else
        forget (self);
    g_signal_emit (self, changed_signal, 0);
}

const BulkheadBlocked *
bulkhead_recorder_get_blocked (BulkheadRecorder *self)
{
    return self->blocked;
}

guint64
bulkhead_recorder_get_count (BulkheadRecorder *self)
{
    return MAX (self->counted, self->noted);
}

BulkheadRecorder *
bulkhead_recorder_new (BulkheadLock *lock)
{
    BulkheadRecorder *self = g_object_new (BULKHEAD_TYPE_RECORDER, NULL);

    self->lock = g_object_ref (lock);
    g_signal_connect_object (lock, "changed", G_CALLBACK (on_lock_changed_cb), self,
                             G_CONNECT_SWAPPED);
    on_lock_changed_cb (self);
    return self;
}

static void
bulkhead_recorder_finalize (GObject *object)
{
    BulkheadRecorder *self = BULKHEAD_RECORDER (object);

    g_clear_pointer (&self->nflog, bulkhead_nflog_free);
    bulkhead_blocked_free (self->blocked);
    g_clear_object (&self->lock);
    G_OBJECT_CLASS (bulkhead_recorder_parent_class)->finalize (object);
}

static void
bulkhead_recorder_class_init (BulkheadRecorderClass *class)
{
    G_OBJECT_CLASS (class)->finalize = bulkhead_recorder_finalize;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_RECORDER, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_recorder_init (BulkheadRecorder *self)
{
    self->blocked = bulkhead_blocked_new ();
}
