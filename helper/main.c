/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Only wires. Whatever ends this process, the rules stay in the kernel. */
#include "boot.h"
#include "error.h"
#include "intake.h"
#include "policy-files.h"
#include "rescue.h"
#include "service.h"
#include "sleep.h"
#include "watchdog.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NAME "org.bulkhead.Helper1"
#define NAME_FLAG_DO_NOT_QUEUE 4 /* and no ALLOW_REPLACEMENT: nobody takes the name from us */
#define NAME_IS_OURS 1

typedef struct {
    char *state_dir, *config_dir, *log_dir;
    gboolean boot, close, rescue, no_owner, version;
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
    if (options->state_dir == NULL)
        options->state_dir = g_strdup ("/var/lib/bulkhead");
    if (options->config_dir == NULL)
        options->config_dir = g_strdup ("/etc/bulkhead");
    if (options->log_dir == NULL)
        options->log_dir = g_strdup ("/var/log/bulkhead");
    return TRUE;
}

static GVariant *
ask_bus (GDBusConnection *bus, const char *method, GVariant *arguments, const char *type,
         GError **error)
{
    return g_dbus_connection_call_sync (
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
        arguments, G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
}

static gboolean
refuse_second (GError **error)
{
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING,
                 "bus name %s: another helper has it", NAME);
    return FALSE;
}

static gboolean
check_name_free (GDBusConnection *bus, GError **error)
{
    g_autoptr (GVariant) answer =
        ask_bus (bus, "NameHasOwner", g_variant_new ("(s)", NAME), "(b)", error);
    gboolean taken;

    if (answer == NULL)
        return FALSE;
    g_variant_get (answer, "(b)", &taken);
    return !taken || refuse_second (error);
}

static gboolean
own_name (GDBusConnection *bus, GError **error)
{
    g_autoptr (GVariant) answer = ask_bus (
        bus, "RequestName", g_variant_new ("(su)", NAME, NAME_FLAG_DO_NOT_QUEUE), "(u)", error);
    guint32 result;

    if (answer == NULL)
        return FALSE;
    g_variant_get (answer, "(u)", &result);
    return result == NAME_IS_OURS || refuse_second (error);
}

static GDBusConnection *
open_bus (GError **error)
{
    g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);

    if (bus == NULL || !check_name_free (bus, error))
        return NULL;
    g_dbus_connection_set_exit_on_close (bus, FALSE);
    bulkhead_intake_guard (bus);
    return g_steal_pointer (&bus);
}

typedef struct {
    GMainLoop *loop;
    BulkheadLock *lock;
    BulkheadAtBoot *at_boot;
    const char *config_dir;
    BulkheadPolicyFiles *files;
    BulkheadSleep *sleep;
    gboolean bus_back; /* after it was gone */
} Run;

static void
run_clear (Run *run)
{
    g_clear_pointer (&run->files, bulkhead_policy_files_free);
    g_clear_pointer (&run->sleep, bulkhead_sleep_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static gboolean
on_signal_cb (gpointer state)
{
    g_main_loop_quit (((Run *)state)->loop);
    return G_SOURCE_REMOVE;
}

static void
on_at_boot_set_cb (GObject *source, GAsyncResult *result, gpointer state)
{
    g_autoptr (GError) error = NULL;

    if (!bulkhead_at_boot_set_finish (BULKHEAD_AT_BOOT (source), result, &error))
        g_warning ("what the administrator fixed for the boot is not so: %s", error->message);
}

/* Also when somebody else changed it, as with systemctl. */
static void
keep_at_boot (const Run *run)
{
    gboolean now = bulkhead_at_boot_is_on (run->at_boot);
    gboolean wanted = bulkhead_managed_at_boot (bulkhead_lock_get_managed (run->lock), now);

    if (!wanted != !now)
        bulkhead_at_boot_set_async (run->at_boot, wanted, on_at_boot_set_cb, NULL);
}

static void
on_policy_changed_cb (gpointer state)
{
    const Run *run = state;

    bulkhead_lock_set_managed (run->lock, bulkhead_policy_files_read (run->config_dir));
    keep_at_boot (run);
}

static gboolean
on_hangup_cb (gpointer state)
{
    on_policy_changed_cb (state);
    return G_SOURCE_CONTINUE;
}

static void
on_sleep_cb (gboolean asleep, gpointer state)
{
    const Run *run = state;

    if (asleep)
        bulkhead_lock_fall_asleep (run->lock);
    else
        bulkhead_lock_wake_up (run->lock);
}

static gboolean look_for_bus_cb (gpointer state);

static void
on_bus_answered_cb (GObject *source, GAsyncResult *result, gpointer state)
{
    g_autoptr (GDBusConnection) bus = g_dbus_connection_new_for_address_finish (result, NULL);
    Run *run = state;

    run->bus_back = bus != NULL;
    if (run->bus_back)
        g_main_loop_quit (run->loop);
    else
        g_timeout_add_seconds (1, look_for_bus_cb, state);
}

/* The bus is gone: nobody can ask any more, but the rules keep their owner until there is a bus to
 * start anew with. In a machine that shuts down the bus ends before other firewalls are stopped. */
static gboolean
look_for_bus_cb (gpointer state)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);

    g_dbus_connection_new_for_address (address,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, NULL, on_bus_answered_cb, state);
    return G_SOURCE_REMOVE;
}

/* Watched first and read again then: nothing is missed between the first reading and the watch. */
static void
follow_policy (Run *state)
{
    g_autoptr (GError) error = NULL;

    state->files =
        bulkhead_policy_files_watch (state->config_dir, on_policy_changed_cb, state, &error);
    if (state->files == NULL)
        g_warning ("%s; a SIGHUP makes the helper read them", error->message);
    g_unix_signal_add (SIGHUP, on_hangup_cb, state);
    on_policy_changed_cb (state);
}

/* The name is owned last: who sees it knows that the stored lock is in force. */
static gboolean
serve (GDBusConnection *bus, BulkheadLock *lock, const char *config_dir, BulkheadJournal *journal,
       BulkheadGrants *grants, GError **error)
{
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    g_autoptr (BulkheadAtBoot) at_boot = bulkhead_at_boot_new (bus);
    g_autoptr (BulkheadService) service = bulkhead_service_new (lock, journal, grants, at_boot);
    g_auto (Run)
        state = { .loop = loop, .lock = lock, .at_boot = at_boot, .config_dir = config_dir };
    guint watchdog;

    follow_policy (&state);
    g_signal_connect_swapped (at_boot, "changed", G_CALLBACK (keep_at_boot), &state);
    g_signal_connect_swapped (bus, "closed", G_CALLBACK (look_for_bus_cb), &state);
    g_unix_signal_add (SIGTERM, on_signal_cb, &state);
    g_unix_signal_add (SIGINT, on_signal_cb, &state);
    if (!bulkhead_service_export (service, bus, error) || !own_name (bus, error))
        return FALSE;
    bulkhead_watchdog_tell ("READY=1");
    state.sleep = bulkhead_sleep_new (bus, on_sleep_cb, &state);
    watchdog = bulkhead_watchdog_start ();
    g_main_loop_run (loop);
    g_clear_handle_id (&watchdog, g_source_remove);
    bulkhead_watchdog_tell ("STOPPING=1");
    bulkhead_service_unexport (service);
    if (!state.bus_back)
        return TRUE;
    g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                         "the system bus was restarted");
    return FALSE;
}

/* Never fails: without the list every user is asked for a password, and root is not. */
static BulkheadGrants *
open_grants (const char *state_dir, BulkheadJournal *journal)
{
    g_autoptr (GError) error = NULL;
    BulkheadGrants *grants = bulkhead_grants_new (state_dir, "/etc/passwd", &error);

    if (error != NULL)
        bulkhead_journal_write (journal, BULKHEAD_EVENT_FORGOTTEN,
                                (const char *const[]){ "problem", error->message, NULL });
    return grants;
}

static gboolean
run_helper (const Options *options, GError **error)
{
    const char *const detail[] = { "version", BULKHEAD_VERSION, NULL };
    g_autoptr (GDBusConnection) bus = open_bus (error);
    g_autoptr (BulkheadStore) store = NULL;
    g_autoptr (BulkheadJournal) journal = NULL;
    g_autoptr (BulkheadGrants) grants = NULL;
    g_autoptr (BulkheadLock) lock = NULL;
    gboolean ok;

    if (bus == NULL)
        return FALSE;
    store = bulkhead_store_new (options->state_dir, error);
    if (store == NULL)
        return FALSE;
    journal = bulkhead_journal_new (options->log_dir);
    bulkhead_journal_write (journal, BULKHEAD_EVENT_STARTED, detail);
    lock = bulkhead_lock_new (g_steal_pointer (&store),
                              bulkhead_policy_files_read (options->config_dir), journal,
                              !options->no_owner, error);
    if (lock == NULL)
        return FALSE;
    grants = open_grants (options->state_dir, journal);
    ok = serve (bus, lock, options->config_dir, journal, grants, error);
    bulkhead_journal_write (journal, BULKHEAD_EVENT_STOPPED, NULL);
    return ok;
}

static gboolean
run (const Options *options, GError **error)
{
    gboolean use_owner = !options->no_owner;

    if (options->boot)
        return bulkhead_boot_lock (options->state_dir, options->config_dir, options->log_dir,
                                   use_owner, error);
    if (options->close)
        return bulkhead_boot_close (options->state_dir, options->config_dir, use_owner, error);
    if (options->rescue)
        return bulkhead_rescue (options->state_dir, options->config_dir, options->log_dir, error);
    return run_helper (options, error);
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
