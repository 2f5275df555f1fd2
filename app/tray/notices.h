/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages on the desktop, by org.freedesktop.Notifications itself: GNotification would need a
 * desktop file that this process is not. One message of a topic is shown at a time; a newer one
 * takes its place, and it goes when it is no longer so.
 */
#pragma once

#include <gio/gio.h>

typedef enum {
    BULKHEAD_TOPIC_TUNNEL,
    BULKHEAD_TOPIC_TAMPERED,
    BULKHEAD_TOPIC_PAUSE,
    BULKHEAD_TOPIC_STATE,  /* not enforced, or not known */
    BULKHEAD_TOPIC_HIDDEN, /* there is no panel to show the icon */
    BULKHEAD_TOPIC_FAILED, /* what the user chose was not done */
    BULKHEAD_N_TOPICS,
} BulkheadTopic;

typedef enum {
    BULKHEAD_NOTICE_NORMAL, /* goes by itself */
    BULKHEAD_NOTICE_STAYS,  /* until it is closed */
    BULKHEAD_NOTICE_URGENT, /* stays, also over what fills the screen */
} BulkheadNoticeKind;

#define BULKHEAD_TYPE_NOTICES (bulkhead_notices_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadNotices, bulkhead_notices, BULKHEAD, NOTICES, GObject)

/* Signal "open" (): the user clicked a message. */
BulkheadNotices *bulkhead_notices_new (GDBusConnection *bus);

/* @icon: a name in the theme; @body: plain text. */
void bulkhead_notices_show (BulkheadNotices *notices, BulkheadTopic topic, BulkheadNoticeKind kind,
                            const char *icon, const char *summary, const char *body);
/* Does nothing when there is none of that topic. */
void bulkhead_notices_withdraw (BulkheadNotices *notices, BulkheadTopic topic);
void bulkhead_notices_withdraw_all (BulkheadNotices *notices);
gboolean bulkhead_notices_has (BulkheadNotices *notices, BulkheadTopic topic);
/* What the server gave for the click, to bring a window to the front with, or NULL; once.
 * (transfer full) (nullable) */
char *bulkhead_notices_take_token (BulkheadNotices *notices);
