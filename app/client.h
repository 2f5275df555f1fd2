/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helper as the desktop sees it: what it last told, and the way to ask it for something. The
 * state is UNKNOWN whenever the helper is not there to tell: no bus, no helper, or one that does
 * not answer. It finds its way back by itself from each. Nothing here blocks, and reading never
 * starts the helper.
 */
#pragma once

#include "contract.h"

#include <gio/gio.h>

#define BULKHEAD_CLIENT_PATIENCE 5 /* seconds that an answer may take */

/* Why nothing is known, when nothing is. */
typedef enum {
    BULKHEAD_HELPER_ANSWERS,
    BULKHEAD_HELPER_ASKED,  /* it was just looked for or asked, and has not answered yet */
    BULKHEAD_HELPER_SILENT, /* it is there and does not answer */
    BULKHEAD_HELPER_ABSENT, /* nobody owns its name */
    BULKHEAD_HELPER_NO_BUS,
} BulkheadHelperPresence;

#define BULKHEAD_TYPE_CLIENT (bulkhead_client_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadClient, bulkhead_client, BULKHEAD, CLIENT, GObject)

/*
 * Begins to look for the helper; the state is UNKNOWN until it has answered, and the presence
 * ASKED until it has or is known not to.
 * Signals:
 *   "changed" (): anything the getters tell may be different.
 *   "tampered" (char *program, gboolean restored): another program changed the lock's rules;
 *       @program: its name, "" when not known; @restored: they are back.
 */
BulkheadClient *bulkhead_client_new (void);

BulkheadState bulkhead_client_get_state (BulkheadClient *client);
BulkheadHelperPresence bulkhead_client_get_presence (BulkheadClient *client);
/* What is asked for; the state says what is so. FALSE when not known, as all that follow. */
gboolean bulkhead_client_is_locked (BulkheadClient *client);
/* The state is BROKEN, but everything is blocked instead, tunnels too. */
gboolean bulkhead_client_is_closed (BulkheadClient *client);
gboolean bulkhead_client_allows_lan (BulkheadClient *client);
/* Seconds since the epoch; 0: no pause. */
gint64 bulkhead_client_get_paused_until (BulkheadClient *client);
/* Whether the administrator fixed the setting of that name in the property Fixed, as "lan". */
gboolean bulkhead_client_is_fixed (BulkheadClient *client, const char *setting);
/* A property by its name on the bus, or NULL when it is not known or of another type than @type,
 * as "b". (transfer full) (nullable) */
GVariant *bulkhead_client_get_value (BulkheadClient *client, const char *name, const char *type);

/* The system bus, or NULL while there is none; another one later. (transfer none) (nullable) */
GDBusConnection *bulkhead_client_get_connection (BulkheadClient *client);

/* Asks the helper for everything anew: one that hangs is found out within 5 seconds. */
void bulkhead_client_refresh (BulkheadClient *client);
/* Asks the bus to start the helper if it is not there. That it failed is not told: the state
 * stays UNKNOWN. */
void bulkhead_client_wake_helper (BulkheadClient *client);

/*
 * Something that reads, as "ListTunnels". @arguments: (nullable), a floating one is taken; @reply:
 * the type of the answer, as "(aa{sv})". Given up after 5 seconds; never asks for a password.
 */
void bulkhead_client_read_async (BulkheadClient *client, const char *method, GVariant *arguments,
                                 const char *reply, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
/*
 * Something the user asked for, as "Unlock". Starts the helper when it is not there, lets polkit
 * ask for a password, and waits for as long as a person types. Cancelling gives up the wait.
 */
void bulkhead_client_change_async (BulkheadClient *client, const char *method, GVariant *arguments,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
/* The answer to either, a tuple (transfer full), or NULL and the error as it came from the bus;
 * bulkhead_words_error() knows what to say of it. */
GVariant *bulkhead_client_call_finish (BulkheadClient *client, GAsyncResult *result,
                                       GError **error);
