/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon.h"

#include "boot.h"
#include "bus.h"
#include "error.h"
#include "policy-files.h"
#include "service.h"
#include "sleep.h"
#include "watchdog.h"

#include <glib-unix.h>

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
on_signal_cb (gpointer data)
{
    g_main_loop_quit (((Run *)data)->loop);
    return G_SOURCE_REMOVE;
}

static void
on_at_boot_set_cb (GObject *source, GAsyncResult *result, gpointer data)
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
on_policy_changed_cb (gpointer data)
{
    const Run *run = data;

    bulkhead_lock_set_managed (run->lock, bulkhead_policy_files_read (run->config_dir));
    keep_at_boot (run);
}

static gboolean
on_hangup_cb (gpointer data)
{
    on_policy_changed_cb (data);
    return G_SOURCE_CONTINUE;
}

static void
on_sleep_cb (gboolean asleep, gpointer data)
{
    const Run *run = data;

    if (asleep)
        bulkhead_lock_fall_asleep (run->lock);
    else
        bulkhead_lock_wake_up (run->lock);
}

static void
on_bus_back_cb (gpointer data)
{
    Run *run = data;

    run->bus_back = TRUE;
    g_main_loop_quit (run->loop);
}

/* Nobody can ask any more, but the rules keep their owner until there is a bus to start anew with.
 * In a machine that shuts down the bus ends before other firewalls are stopped. */
static void
on_bus_gone_cb (Run *run)
{
    bulkhead_bus_wait (on_bus_back_cb, run);
}

/* Watched first and read again then: nothing is missed between the first reading and the watch. */
static void
follow_policy (Run *run)
{
    g_autoptr (GError) error = NULL;

    run->files = bulkhead_policy_files_watch (run->config_dir, on_policy_changed_cb, run, &error);
    if (run->files == NULL)
        g_warning ("%s; a SIGHUP makes the helper read them", error->message);
    g_unix_signal_add (SIGHUP, on_hangup_cb, run);
    on_policy_changed_cb (run);
}

/* The name is owned last: who sees it knows that the stored lock is in force. */
static gboolean
serve (GDBusConnection *bus, BulkheadLock *lock, const char *config_dir, BulkheadJournal *journal,
       BulkheadGrants *grants, GError **error)
{
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    g_autoptr (BulkheadAtBoot) at_boot = bulkhead_at_boot_new (bus);
    g_autoptr (BulkheadService) service = bulkhead_service_new (lock, journal, grants, at_boot);
    g_auto (Run) run = { .loop = loop, .lock = lock, .at_boot = at_boot, .config_dir = config_dir };
    guint watchdog;

    follow_policy (&run);
    g_signal_connect_swapped (at_boot, "changed", G_CALLBACK (keep_at_boot), &run);
    g_signal_connect_swapped (bus, "closed", G_CALLBACK (on_bus_gone_cb), &run);
    g_unix_signal_add (SIGTERM, on_signal_cb, &run);
    g_unix_signal_add (SIGINT, on_signal_cb, &run);
    if (!bulkhead_service_export (service, bus, error) || !bulkhead_bus_own_name (bus, error))
        return FALSE;
    bulkhead_watchdog_tell ("READY=1");
    run.sleep = bulkhead_sleep_new (bus, on_sleep_cb, &run);
    watchdog = bulkhead_watchdog_start ();
    g_main_loop_run (loop);
    g_clear_handle_id (&watchdog, g_source_remove);
    bulkhead_watchdog_tell ("STOPPING=1");
    bulkhead_service_unexport (service);
    if (!run.bus_back)
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
lock_and_serve (const BulkheadDaemonOptions *options, GError **error)
{
    const char *const detail[] = { "version", BULKHEAD_VERSION, NULL };
    g_autoptr (GDBusConnection) bus = bulkhead_bus_open (error);
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
                              options->use_owner, error);
    if (lock == NULL)
        return FALSE;
    grants = open_grants (options->state_dir, journal);
    ok = serve (bus, lock, options->config_dir, journal, grants, error);
    bulkhead_journal_write (journal, BULKHEAD_EVENT_STOPPED, NULL);
    return ok;
}

/* Where systemd starts the helper, ExecStopPost= does more; elsewhere nobody else would. Nothing is
 * closed where nothing was ever stored, or where another helper is at work. */
static void
close_what_was_locked (const BulkheadDaemonOptions *options)
{
    g_autoptr (GError) error = NULL;

    if (!bulkhead_boot_close (options->state_dir, options->config_dir, TRUE, options->use_owner,
                              &error))
        g_printerr ("bulkheadd: IT MAY BE THAT NOTHING IS BLOCKED: %s\n", error->message);
}

gboolean
bulkhead_daemon_run (const BulkheadDaemonOptions *options, GError **error)
{
    g_autoptr (GError) local = NULL;

    if (lock_and_serve (options, &local))
        return TRUE;
    if (!g_error_matches (local, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING))
        close_what_was_locked (options);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
}
