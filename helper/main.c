/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Only wires. Whatever ends this process, the rules stay in the kernel. */
#include "boot.h"
#include "daemon.h"
#include "error.h"
#include "rescue.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct {
    char *state_dir, *config_dir, *log_dir;
    gboolean boot, close, if_stored, rescue, no_owner, version;
} Options;

static void
options_clear (Options *options)
{
    g_free (options->state_dir);
    g_free (options->config_dir);
    g_free (options->log_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
parse (Options *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_dir, "Where the state is kept",
          "DIR" },
        { "config-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->config_dir,
          "Where the administrator's files are", "DIR" },
        { "log-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->log_dir, "Where the log is kept",
          "DIR" },
        { "boot", 0, 0, G_OPTION_ARG_NONE, &options->boot,
          "Put the stored lock into the kernel and exit", NULL },
        { "close", 0, 0, G_OPTION_ARG_NONE, &options->close,
          "Block everything unless the lock is off or in the kernel, and exit", NULL },
        { "if-stored", 0, 0, G_OPTION_ARG_NONE, &options->if_stored,
          "With --close: only where a lock was ever stored", NULL },
        { "rescue", 0, 0, G_OPTION_ARG_NONE, &options->rescue,
          "Open everything for good, with the helper dead or hung, and exit", NULL },
        { "no-owner", 0, 0, G_OPTION_ARG_NONE, &options->no_owner,
          "Guard the rules as kernels before 6.9 need it", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit",
          NULL },
        { NULL },
    };
    g_autoptr (GOptionContext) context = g_option_context_new (NULL);

    g_option_context_set_summary (context, "The Bulkhead network lock's helper.");
    g_option_context_add_main_entries (context, entries, NULL);
    if (!g_option_context_parse (context, argc, argv, error))
        return FALSE;
    if (*argc > 1)
        return bulkhead_error_set_value (error, BULKHEAD_ERROR_INVALID_ARGUMENT, "argument",
                                         (*argv)[1], "is not known");
    if (options->boot + options->close + options->rescue > 1) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                             "--boot, --close and --rescue exclude each other");
        return FALSE;
    }
    if (options->if_stored && !options->close) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_INVALID_ARGUMENT,
                             "--if-stored goes with --close only");
        return FALSE;
    }
    if (options->state_dir == NULL)
        options->state_dir = g_strdup ("/var/lib/bulkhead");
    if (options->config_dir == NULL)
        options->config_dir = g_strdup ("/etc/bulkhead");
    if (options->log_dir == NULL)
        options->log_dir = g_strdup ("/var/log/bulkhead");
    return TRUE;
}

static gboolean
run (const Options *options, GError **error)
{
    gboolean use_owner = !options->no_owner;

    if (options->boot)
        return bulkhead_boot_lock (options->state_dir, options->config_dir, options->log_dir,
                                   use_owner, error);
    if (options->close)
        return bulkhead_boot_close (options->state_dir, options->config_dir, options->if_stored,
                                    use_owner, error);
    if (options->rescue)
        return bulkhead_rescue (options->state_dir, options->config_dir, options->log_dir, error);
    return bulkhead_daemon_run (&(BulkheadDaemonOptions){ options->state_dir, options->config_dir,
                                                          options->log_dir, use_owner },
                                error);
}

int
main (int argc, char *argv[])
{
    g_auto (Options) options = { 0 };
    g_autoptr (GError) error = NULL;

    umask (0077);
    /* Who started this may have left: a rescue, or a boot, is not to be ended half way by that. */
    signal (SIGHUP, SIG_IGN);
    signal (SIGPIPE, SIG_IGN);
    if (!parse (&options, &argc, &argv, &error)) {
        g_printerr ("bulkheadd: %s\n", error->message);
        return 2;
    }
    if (options.version) {
        g_print ("bulkheadd %s\n", BULKHEAD_VERSION);
        return EXIT_SUCCESS;
    }
    if (run (&options, &error))
        return EXIT_SUCCESS;
    g_printerr ("bulkheadd: %s\n", error->message);
    return EXIT_FAILURE;
}
