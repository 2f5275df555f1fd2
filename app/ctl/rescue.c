/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one verb that asks no helper: it may be what hangs. Its program does all by itself. */
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER BULKHEAD_LIBEXECDIR "/bulkheadd"

static void
set_not_started (GError **error, const char *reason)
{
    g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED, "%s cannot be started: %s",
                 HELPER, reason);
}

/* What it says it undid, line by line, goes into "undone". */
static void
rescue_json (BulkheadCtl *ctl, char **command, GError **error)
{
    JsonArray *undone = json_array_new ();
    g_auto (GStrv) lines = NULL;
    g_autofree char *said = NULL;
    g_autoptr (GError) local = NULL;
    int status = 0;

    if (g_spawn_sync (NULL, command, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, NULL, &status,
                      &local))
        lines = g_strsplit (said, "\n", -1);
    else
        set_not_started (error, local->message);
    for (gsize i = 0; lines != NULL && lines[i] != NULL; i++)
        if (*lines[i] != '\0')
            json_array_add_string_element (undone, lines[i]);
    json_object_set_array_member (ctl->reply, "undone", undone);
    if (lines != NULL && !(WIFEXITED (status) && WEXITSTATUS (status) == 0))
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED,
                             "not everything could be undone");
}

void
bulkhead_run_rescue (BulkheadCtl *ctl, GError **error)
{
    static const GOptionEntry no_options[] = { { NULL } };
    char *command[] = { (char *)HELPER, (char *)"--rescue", NULL };

    if (!bulkhead_parse (ctl, no_options, 0, 0, NULL, error))
        return;
    if (geteuid () != 0) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_NOT_AUTHORIZED,
                             "only root may rescue; use sudo");
    } else if (ctl->reply != NULL) {
        rescue_json (ctl, command, error);
    } else {
        execv (HELPER, command);
        set_not_started (error, g_strerror (errno));
    }
}
