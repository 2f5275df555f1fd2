/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "boot.h"

#include "error.h"
#include "fallback.h"
#include "lock.h"
#include "policy-files.h"

#include <errno.h>
#include <unistd.h>

/* Puts in front of @error what came of it. */
static BulkheadEvent
close_everything (gboolean use_owner, GError **error)
{
    g_autoptr (GError) refused = NULL;
    g_autoptr (BulkheadSink) sink = bulkhead_sink_new (use_owner, &refused);

    if (sink != NULL && bulkhead_fallback_close (sink, &refused)) {
        g_prefix_error_literal (error, "everything is blocked, for the lock is not to be had: ");
        return BULKHEAD_EVENT_CLOSED;
    }
    if (sink != NULL && bulkhead_fallback_has_wall (sink))
        g_prefix_error (error,
                        "what stands in the kernel stays (%s), and the lock is not to be had: ",
                        refused->message);
    else
        g_prefix_error (error,
                        "IT MAY BE THAT NOTHING IS BLOCKED (%s), and the lock is not to be had: ",
                        refused->message);
    return BULKHEAD_EVENT_BROKEN;
}

static gboolean
check_in_force (BulkheadLock *lock, GError **error)
{
    if (bulkhead_lock_get_state (lock) != BULKHEAD_STATE_BROKEN)
        return TRUE;
    g_set_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_ENFORCED, "the lock is not in force: %s",
                 bulkhead_lock_get_problem (lock));
    return FALSE;
}

/* On the console of a machine that starts nobody reads the log. */
static void
tell_unreadable (BulkheadStore *store)
{
    g_autoptr (GError) unreadable = NULL;

    bulkhead_policy_unref (bulkhead_store_load (store, &unreadable));
    if (unreadable != NULL)
        g_printerr ("bulkheadd: locked with nothing open, for the stored lock is lost: %s\n",
                    unreadable->message);
}

static gboolean
put_in_force (const char *state_dir, const char *config_dir, BulkheadJournal *journal,
              gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadLock) lock = NULL;
    BulkheadStore *store = bulkhead_store_new (state_dir, error);

    if (store == NULL)
        return FALSE;
    tell_unreadable (store);
    lock = bulkhead_lock_new (store, bulkhead_policy_files_read (config_dir), journal, use_owner,
                              error);
    return lock != NULL && check_in_force (lock, error);
}

gboolean
bulkhead_boot_lock (const char *state_dir, const char *config_dir, const char *log_dir,
                    gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadJournal) journal = bulkhead_journal_new (log_dir);
    g_autoptr (GError) local = NULL;
    BulkheadEvent event = BULKHEAD_EVENT_STOPPED;

    bulkhead_journal_write (journal, BULKHEAD_EVENT_STARTED,
                            (const char *const[]){ "version", BULKHEAD_VERSION, NULL });
    if (put_in_force (state_dir, config_dir, journal, use_owner, &local)) {
        bulkhead_journal_write (journal, BULKHEAD_EVENT_STOPPED, NULL);
        return TRUE;
    }
    /* The lock and its hold on the tables are gone by now. */
    if (!g_error_matches (local, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING))
        event = close_everything (use_owner, &local);
    bulkhead_journal_write (journal, event,
                            (const char *const[]){ "problem", local->message, NULL });
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
}

/* Only what is surely missing is: a disk that fails may have it. */
static gboolean
is_stored (const char *state_dir)
{
    g_autofree char *file = g_build_filename (state_dir, BULKHEAD_STORE_FILE, NULL);

    return access (file, F_OK) == 0 || errno != ENOENT;
}

/*
 * FALSE: the state is there and says that the lock is off, or is somebody else's affair now.
 * @ret_store: (nullable): held until all is done, so that nobody rescues or locks in between.
 */
static gboolean
should_be_closed (const char *state_dir, const char *config_dir, gboolean if_stored,
                  BulkheadStore **ret_store)
{
    g_autoptr (BulkheadManaged) managed = bulkhead_policy_files_read (config_dir);
    gboolean fixed = bulkhead_managed_fixes (managed, BULKHEAD_SETTING_LOCK);
    g_autoptr (BulkheadPolicy) policy = NULL;
    g_autoptr (GError) error = NULL;

    *ret_store = NULL;
    if (if_stored && !fixed && !is_stored (state_dir))
        return FALSE;
    /* Where it should be is a disk that is not there, or nobody ever locked. */
    if (!g_file_test (state_dir, G_FILE_TEST_EXISTS))
        return TRUE;
    *ret_store = bulkhead_store_new (state_dir, &error);
    if (*ret_store == NULL)
        return !g_error_matches (error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING);
    policy = bulkhead_store_load (*ret_store, NULL);
    return policy->locked || fixed;
}

gboolean
bulkhead_boot_close (const char *state_dir, const char *config_dir, gboolean if_stored,
                     gboolean use_owner, GError **error)
{
    g_autoptr (BulkheadStore) store = NULL;
    g_autoptr (BulkheadSink) sink = NULL;

    if (!should_be_closed (state_dir, config_dir, if_stored, &store))
        return TRUE;
    sink = bulkhead_sink_new (use_owner, error);
    if (sink == NULL)
        return FALSE;
    if (bulkhead_fallback_has_wall (sink))
        return TRUE;
    if (!bulkhead_fallback_close (sink, error))
        return FALSE;
    g_printerr ("bulkheadd: everything is blocked, for no lock stood in the kernel\n");
    return TRUE;
}
