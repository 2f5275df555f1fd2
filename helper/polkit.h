/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * polkit as the helper sees it: may the owner of this name on the bus do that? It is asked over
 * the bus and not through its library, which would bring libsystemd and the compression and
 * encryption libraries behind it into the one process that runs as root, and would wait in threads
 * of its own. The subject is always a name on the bus: a pid can be another program's by the time
 * polkit looks at it (CVE-2013-4288).
 */
#pragma once

#include <gio/gio.h>

typedef struct {
    const char *sender; /* who is asked about: a unique name */
    const char *action;
    const char *message; /* instead of the action's own; or NULL */
    const char *prompt;  /* a person may be asked, and this is for cancelling it; or NULL */
} BulkheadPolkitQuestion;

typedef struct {
    gboolean authorized;
    gboolean challenge; /* would be, after a password; with a prompt: nobody could be asked */
    gboolean dismissed; /* the person closed the prompt */
} BulkheadPolkitAnswer;

/* Answers within five seconds, after half a minute for starting polkit if it does not run yet;
 * except while a person is asked. */
void bulkhead_polkit_check_async (GDBusConnection *bus, const BulkheadPolkitQuestion *question,
                                  GAsyncReadyCallback callback, gpointer user_data);
/* @source: the bus. FALSE: polkit is not there, refuses, or is too slow. */
gboolean bulkhead_polkit_check_finish (GObject *source, GAsyncResult *result,
                                       BulkheadPolkitAnswer *ret_answer, GError **error);

/* Takes the prompt away from the person's screen. */
void bulkhead_polkit_cancel (GDBusConnection *bus, const char *prompt);
