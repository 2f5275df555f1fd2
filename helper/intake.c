/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake.h"

#include <gio/gunixfdlist.h>
#include <malloc.h>
#include <unistd.h>

#define FLOOD (256 * 1024) /* bytes, after which there may be something to give back */
#define MESSAGE_BYTES 512  /* of a message without its arguments, about */
#define PAUSE 10           /* seconds: what a running polkit is asked has its answer by then */

typedef struct {
    gint bytes; /* that passed since the last time; atomic, as GDBus reads in a thread of its own */
} Intake;

static gboolean
give_back_cb (gpointer user_data)
{
    Intake *intake = user_data;

    g_atomic_int_set (&intake->bytes, 0);
    malloc_trim (0);
    return G_SOURCE_REMOVE;
}

/* Whoever crosses the line sees to it; until it was done, nobody else crosses it. */
static void
count (Intake *intake, gsize bytes)
{
    gint more = (gint)MIN (bytes, FLOOD);
    gint before;

    do {
        before = g_atomic_int_get (&intake->bytes);
        if (before >= FLOOD)
            return;
    } while (!g_atomic_int_compare_and_exchange (&intake->bytes, before, before + more));
    if (before + more >= FLOOD)
        g_timeout_add_seconds_full (G_PRIORITY_LOW, PAUSE, give_back_cb,
                                    g_atomic_rc_box_acquire (intake), g_atomic_rc_box_release);
}

static void
close_files (GDBusMessage *call)
{
    GUnixFDList *list = g_dbus_message_get_unix_fd_list (call);
    g_autofree int *files = list != NULL ? g_unix_fd_list_steal_fds (list, NULL) : NULL;

    for (gsize i = 0; files != NULL && files[i] != -1; i++)
        close (files[i]);
}

static GDBusMessage *
on_message_cb (GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
    GVariant *arguments = g_dbus_message_get_body (message);

    if (incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
        close_files (message);
    /* An answer, too: what waited longer than the pause for its own is given back after it. */
    count (user_data, MESSAGE_BYTES + (arguments != NULL ? g_variant_get_size (arguments) : 0));
    return message;
}

void
bulkhead_intake_guard (GDBusConnection *bus)
{
    g_dbus_connection_add_filter (bus, on_message_cb, g_atomic_rc_box_new0 (Intake),
                                  g_atomic_rc_box_release);
}
