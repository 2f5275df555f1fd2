/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The administrator's files, CONFIG_DIR/policy.d/NAME.conf: reads them in the order of their names,
 * and tells when they may have changed. Directories and files must be root's alone to write to.
 * What the files mean is managed.h's affair.
 */
#pragma once

#include "managed.h"

/*
 * Returns: (transfer full): never NULL. No directory: nothing is fixed. A file or directory that
 * cannot be used, or a file that somebody is writing to: everything is fixed, see
 * bulkhead_managed_close(), and the problem is set in the value; what to do with it is the caller's
 * to decide.
 */
BulkheadManaged *bulkhead_policy_files_read (const char *config_dir);

typedef struct _BulkheadPolicyFiles BulkheadPolicyFiles;

/*
 * Calls @changed a moment after something in the directory changed, or came to be, or went. NULL
 * and FAILED when the kernel does not tell (inotify); without @config_dir the directory above it is
 * watched until it is there. What of it cannot be watched is warned of.
 */
BulkheadPolicyFiles *bulkhead_policy_files_watch (const char *config_dir,
                                                  void (*changed) (gpointer data), gpointer data,
                                                  GError **error);
void bulkhead_policy_files_free (BulkheadPolicyFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadPolicyFiles, bulkhead_policy_files_free)
