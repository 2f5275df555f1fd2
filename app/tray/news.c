/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "news.h"

#include "words.h"

#include <glib/gi18n.h>

#define WARN_BEFORE 60 /* seconds before a pause ends */
#define LOST_AFTER 10  /* seconds; a helper that restarts is back before */
#define LATE 2         /* seconds by which clocks may differ */

struct _BulkheadNews {
    GObject parent_instance;
    BulkheadClient *client;
    BulkheadNotices *notices;
    BulkheadState state;              /* the last that was known */
    gboolean closed;                  /* it was told that everything is blocked */
    gboolean lost;                    /* it is not known any more, and that was told */
    gboolean unrestored;              /* it was told that rules could not be put back */
    gint64 paused_until;              /* of the pause, while there is one */
    guint pause_id, over_id, lost_id; /* timers */
};

G_DEFINE_FINAL_TYPE (BulkheadNews, bulkhead_news, G_TYPE_OBJECT)

static void
tell (BulkheadNews *self, BulkheadTopic topic, BulkheadNoticeKind kind, BulkheadState state,
      const char *summary, const char *body)
{
    bulkhead_notices_show (self->notices, topic, kind, bulkhead_words_icon (state), summary, body);
}

/* ---- the tunnel ---- */

/* That one is up is news only to who was told that none was. The words are as true of one that is
 * trusted no longer, or of another one, as of one that dropped. */
static void
follow_tunnel (BulkheadNews *self, BulkheadState before, BulkheadState now)
{
    if (before == BULKHEAD_STATE_PROTECTED && now == BULKHEAD_STATE_BLOCKING)
        tell (self, BULKHEAD_TOPIC_TUNNEL, BULKHEAD_NOTICE_STAYS, now,
              _ ("No trusted tunnel is up"),
              _ ("Nothing leaves except what you allowed, until a trusted tunnel is up again."));
    else if (before == BULKHEAD_STATE_BLOCKING && now == BULKHEAD_STATE_PROTECTED
             && bulkhead_notices_has (self->notices, BULKHEAD_TOPIC_TUNNEL))
        tell (self, BULKHEAD_TOPIC_TUNNEL, BULKHEAD_NOTICE_NORMAL, now,
              _ ("A trusted tunnel is up again"), _ ("Traffic flows through it."));
    else if (now != BULKHEAD_STATE_BLOCKING && now != BULKHEAD_STATE_PROTECTED)
        bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_TUNNEL);
}

/* ---- the pause ---- */

static gint64
now_in_seconds (void)
{
    return g_get_real_time () / G_USEC_PER_SEC;
}

static gboolean
on_pause_ends_soon_cb (gpointer data)
{
    BulkheadNews *self = data;
    g_autofree char *time = bulkhead_words_time (self->paused_until);
    /* Translators: %s is a time of day. */
    g_autofree char *body = g_strdup_printf (_ ("The lock closes by itself at %s."), time);

    self->pause_id = 0;
    /* The computer may have slept over it, or nobody knows any more whether it is paused. */
    if (now_in_seconds () < self->paused_until
        && bulkhead_client_get_state (self->client) == BULKHEAD_STATE_PAUSED)
        tell (self, BULKHEAD_TOPIC_PAUSE, BULKHEAD_NOTICE_NORMAL, BULKHEAD_STATE_PAUSED,
              _ ("Pause is about to end"), body);
    return G_SOURCE_REMOVE;
}

/* The kernel has closed by now: a helper that does not say so hangs, and "paused" is not shown for
 * as long as it does. */
static gboolean
on_pause_over_cb (gpointer data)
{
    BulkheadNews *self = data;

    self->over_id = 0;
    bulkhead_client_refresh (self->client);
    return G_SOURCE_REMOVE;
}

/* @wait: seconds; no timer where it is not to come. */
static guint
plan (BulkheadNews *self, gint64 wait, GSourceFunc callback)
{
    if (self->paused_until == 0 || wait <= 0 || wait >= G_MAXUINT)
        return 0;
    return g_timeout_add_seconds ((guint)wait, callback, self);
}

static void
plan_pause (BulkheadNews *self)
{
    gint64 left = self->paused_until - now_in_seconds ();

    g_clear_handle_id (&self->pause_id, g_source_remove);
    g_clear_handle_id (&self->over_id, g_source_remove);
    self->pause_id = plan (self, left - WARN_BEFORE, on_pause_ends_soon_cb);
    self->over_id = plan (self, left + LATE, on_pause_over_cb);
}

/* One that the user ended before its time is no news. */
static void
follow_pause (BulkheadNews *self, BulkheadState before, BulkheadState now)
{
    gint64 until =
        now == BULKHEAD_STATE_PAUSED ? bulkhead_client_get_paused_until (self->client) : 0;
    gboolean in_time = self->paused_until != 0 && now_in_seconds () + LATE >= self->paused_until;
    gboolean closed = now == BULKHEAD_STATE_PROTECTED || now == BULKHEAD_STATE_BLOCKING;

    if (before == BULKHEAD_STATE_PAUSED && closed && in_time)
        tell (self, BULKHEAD_TOPIC_PAUSE, BULKHEAD_NOTICE_NORMAL, now, _ ("Pause ended"),
              now == BULKHEAD_STATE_PROTECTED
                  ? _ ("The lock is closed again.")
                  : _ ("The lock is closed again, and no trusted tunnel is up."));
    else if (before != now || until != self->paused_until)
        bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_PAUSE);
    if (until == self->paused_until)
        return;
    self->paused_until = until;
    plan_pause (self);
}

/* ---- not enforced, not known ---- */

static gboolean
on_lost_cb (gpointer data)
{
    BulkheadNews *self = data;
    g_autofree char *reason = bulkhead_words_reason (self->client);

    self->lost_id = 0;
    self->lost = TRUE;
    /* What was told of the tunnel and the pause may not be so any more. */
    bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_TUNNEL);
    bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_PAUSE);
    tell (self, BULKHEAD_TOPIC_STATE, BULKHEAD_NOTICE_STAYS, BULKHEAD_STATE_UNKNOWN,
          _ ("The lock’s state is not known"), reason);
    return G_SOURCE_REMOVE;
}

static void
follow_state (BulkheadNews *self, BulkheadState before, BulkheadState now)
{
    g_autofree char *headline = bulkhead_words_headline (self->client);
    g_autofree char *reason = bulkhead_words_reason (self->client);
    gboolean closed = bulkhead_client_is_closed (self->client);

    if (now == BULKHEAD_STATE_BROKEN && (before != now || closed != self->closed))
        tell (self, BULKHEAD_TOPIC_STATE, BULKHEAD_NOTICE_URGENT, now, headline, reason);
    else if (now != BULKHEAD_STATE_BROKEN)
        bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_STATE);
    /* The helper tells of it before it tells the state that it led to. */
    if (now != BULKHEAD_STATE_BROKEN && self->unrestored) {
        self->unrestored = FALSE;
        bulkhead_notices_withdraw (self->notices, BULKHEAD_TOPIC_TAMPERED);
    }
    self->closed = closed;
}

/* ---- what the client tells ---- */

static void
on_changed_cb (BulkheadNews *self)
{
    BulkheadState now = bulkhead_client_get_state (self->client);
    BulkheadState before = self->state;
    gboolean lost = self->lost;

    if (now == BULKHEAD_STATE_UNKNOWN) {
        if (before != BULKHEAD_STATE_UNKNOWN && !self->lost && self->lost_id == 0)
            self->lost_id = g_timeout_add_seconds (LOST_AFTER, on_lost_cb, self);
        return;
    }
    g_clear_handle_id (&self->lost_id, g_source_remove);
    self->lost = FALSE;
    self->state = now;
    follow_state (self, lost ? BULKHEAD_STATE_UNKNOWN : before, now);
    follow_tunnel (self, before, now);
    follow_pause (self, before, now);
}

static void
on_tampered_cb (BulkheadNews *self, const char *program, gboolean restored)
{
    const char *name = *program != '\0' ? program : _ ("Another program");
    /* Translators: %s is a program. */
    g_autofree char *body =
        restored ? g_strdup_printf (_ ("%s changed the lock’s rules. They are in force again; "
                                       "meanwhile traffic may have leaked."),
                                    name)
                 : g_strdup_printf (_ ("%s changed the lock’s rules, and they could not be put "
                                       "back."),
                                    name);

    self->unrestored = !restored;
    tell (self, BULKHEAD_TOPIC_TAMPERED, BULKHEAD_NOTICE_STAYS, BULKHEAD_STATE_BROKEN,
          restored ? _ ("Rules were removed and restored") : _ ("Rules were removed"), body);
}

BulkheadNews *
bulkhead_news_new (BulkheadClient *client, BulkheadNotices *notices)
{
    BulkheadNews *self = g_object_new (BULKHEAD_TYPE_NEWS, NULL);

    self->client = g_object_ref (client);
    self->notices = g_object_ref (notices);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_changed_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "tampered", G_CALLBACK (on_tampered_cb), self,
                             G_CONNECT_SWAPPED);
    return self;
}

static void
bulkhead_news_finalize (GObject *object)
{
    BulkheadNews *self = BULKHEAD_NEWS (object);

    g_clear_handle_id (&self->pause_id, g_source_remove);
    g_clear_handle_id (&self->over_id, g_source_remove);
    g_clear_handle_id (&self->lost_id, g_source_remove);
    g_object_unref (self->client);
    g_object_unref (self->notices);
    G_OBJECT_CLASS (bulkhead_news_parent_class)->finalize (object);
}

static void
bulkhead_news_class_init (BulkheadNewsClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_news_finalize;
}

static void
bulkhead_news_init (BulkheadNews *self)
{
}
