/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rescue.h"

#include "error.h"
#include "holder.h"
#include "journal.h"
#include "nft-sink.h"
#include "policy-files.h"
#include "store.h"

#include <errno.h>
#include <unistd.h>

#define UNITS "/etc/systemd/system"
#define MASK "/run/systemd/system/bulkhead.service" /* as systemctl mask --runtime makes it */
#define ATTEMPTS 20 /* systemd may have started another helper meanwhile */

typedef struct {
    guint undone, failed;
    gboolean passes; /* the next helper locks again */
} Rescue;

static void say (Rescue *rescue, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (Rescue *rescue, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start (arguments, format);
    text = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_print ("%s\n", text);
    rescue->undone++;
}

static void
complain (Rescue *rescue, const char *message)
{
    g_printerr ("bulkheadd: %s\n", message);
    rescue->failed++;
}

/*
 * Ends every helper that has the state, or had it until it was removed under it.
 * Returns: (nullable): the store, which no helper can have as long as it is held here.
 */
static BulkheadStore *
take_store (Rescue *rescue, const char *state_dir)
{
    g_autoptr (BulkheadStore) store = NULL;
    g_autoptr (GError) error = NULL;

    for (guint attempt = 0; attempt < ATTEMPTS; attempt++) {
        pid_t pid = bulkhead_holder_end (state_dir, &error);
        gboolean exists = g_file_test (state_dir, G_FILE_TEST_EXISTS);

        if (pid < 0)
            break;
        if (pid > 0)
            say (rescue, "ended the helper, process %d", pid);
        else if (store != NULL || !exists)
            return g_steal_pointer (&store);
        if (store != NULL || !exists)
            continue;
        store = bulkhead_store_new (state_dir, &error);
        if (store == NULL
            && !g_error_matches (error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING))
            break;
        g_clear_error (&error);
    }
    if (error == NULL)
        g_set_error (&error, BULKHEAD_ERROR, BULKHEAD_ERROR_ALREADY_RUNNING,
                     "state %s: helpers are started faster than they are ended", state_dir);
    complain (rescue, error->message);
    rescue->passes = TRUE;
    return g_steal_pointer (&store);
}

/* Returns: whether there are none any more. */
static gboolean
remove_rules (Rescue *rescue)
{
    g_autoptr (BulkheadRuleset) nothing = bulkhead_ruleset_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadSink) sink = bulkhead_sink_new (FALSE, &error);

    if (sink == NULL) {
        complain (rescue, error->message);
        return FALSE;
    }
    if (!bulkhead_sink_has_tables (sink))
        return TRUE;
    if (bulkhead_sink_apply (sink, nothing, NULL, &error) && !bulkhead_sink_has_tables (sink)) {
        say (rescue, "took the rules out of the kernel: everything is open");
        return TRUE;
    }
    complain (rescue, error != NULL ? error->message : "the rules are still in the kernel");
    return FALSE;
}

static void
store_unlocked (Rescue *rescue, BulkheadStore *store)
{
    g_autoptr (GError) unreadable = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (BulkheadPolicy) policy = bulkhead_store_load (store, &unreadable);
    g_autoptr (BulkheadPolicy) unlocked = NULL;

    if (!policy->locked)
        return;
    unlocked = bulkhead_policy_with_locked (policy, FALSE);
    if (!bulkhead_store_save (store, unlocked, &error)) {
        complain (rescue, error->message);
        rescue->passes = TRUE;
    } else if (unreadable != NULL) {
        say (rescue, "stored that the lock is off; the settings could not be read (%s)",
             unreadable->message);
    } else {
        say (rescue, "stored that the lock is off; the settings are kept");
    }
}

static void
remove_link (Rescue *rescue, const char *directory, const char *unit)
{
    g_autofree char *path = g_build_filename (UNITS, directory, unit, NULL);

    if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        return;
    if (unlink (path) == 0) {
        say (rescue, "removed %s: it does not start with the machine any more", path);
    } else {
        g_autofree char *message = g_strdup_printf ("%s: %s", path, g_strerror (errno));

        complain (rescue, message);
    }
}

/* The links themselves, for systemd may be what hangs; it reads them when the machine starts. */
static void
remove_links (Rescue *rescue)
{
    g_autoptr (GDir) list = g_dir_open (UNITS, 0, NULL);
    const char *directory;

    while (list != NULL && (directory = g_dir_read_name (list)) != NULL) {
        if (!g_str_has_suffix (directory, ".wants"))
            continue;
        remove_link (rescue, directory, "bulkhead-boot.service");
        remove_link (rescue, directory, "bulkhead.service");
    }
}

static void
tell_managed (Rescue *rescue, const char *config_dir)
{
    g_autoptr (BulkheadManaged) managed = bulkhead_policy_files_read (config_dir);

    if (!bulkhead_managed_fixes (managed, BULKHEAD_SETTING_LOCK))
        return;
    g_print ("%s/%s locks again as soon as a helper starts: mend it or take it away\n", config_dir,
             managed->fixed_by[BULKHEAD_SETTING_LOCK]);
    rescue->passes = TRUE;
}

static gboolean
is_masked (void)
{
    g_autofree char *target = g_file_read_link (MASK, NULL);

    return g_strcmp0 (target, "/dev/null") == 0;
}

/* Nothing is done about it here: only systemd can keep its helpers from starting, and it may be
 * what hangs. */
static void
tell_that_it_passes (void)
{
    if (is_masked ())
        g_printerr ("bulkheadd: it lasts until the machine restarts, or bulkhead.service is "
                    "unmasked; the next helper that starts locks again\n");
    else
        g_printerr ("bulkheadd: THIS DOES NOT LAST, the next helper that starts locks again; to "
                    "keep it open until the machine restarts, in this order:\n"
                    "    systemctl mask --runtime --now bulkhead.service\n"
                    "    bulkheadctl rescue\n");
}

static void
log_unlocked (const Rescue *rescue, const char *log_dir)
{
    g_autoptr (BulkheadJournal) journal = bulkhead_journal_new (log_dir);
    const char *problem = rescue->passes ? "problem" : NULL;
    const char *const detail[] = { "by", "rescue", problem,
                                   "the next helper that starts locks again", NULL };

    bulkhead_journal_write (journal, BULKHEAD_EVENT_UNLOCKED, detail);
}

gboolean
bulkhead_rescue (const char *state_dir, const char *config_dir, const char *log_dir, GError **error)
{
    g_autoptr (BulkheadStore) store = NULL;
    Rescue rescue = { 0 };
    gboolean open;

    if (geteuid () != 0) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_NOT_AUTHORIZED,
                             "rescue: only root may do this; use sudo");
        return FALSE;
    }
    store = take_store (&rescue, state_dir);
    open = remove_rules (&rescue);
    if (store != NULL)
        store_unlocked (&rescue, store);
    remove_links (&rescue);
    tell_managed (&rescue, config_dir);
    if (rescue.passes)
        tell_that_it_passes ();
    if (open && rescue.undone > 0)
        log_unlocked (&rescue, log_dir);
    if (rescue.failed > 0) {
        g_set_error_literal (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                             "not everything could be undone");
        return FALSE;
    }
    if (rescue.undone == 0)
        g_print ("nothing to undo: no rules in the kernel, and nothing stored that locks\n");
    return TRUE;
}
