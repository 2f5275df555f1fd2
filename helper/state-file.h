/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One small file in the state directory, whole or not at all: written beside, fsynced, renamed,
 * directory fsynced. It is taken for ours only when nobody else could have written it. What the
 * text means is the caller's affair.
 */
#pragma once

#include <glib.h>

typedef struct _BulkheadStateFile BulkheadStateFile;

/* Makes the directory (0700) if it is missing. STORE_FAILED, naming the path and the reason. */
BulkheadStateFile *bulkhead_state_file_new (const char *directory, const char *name,
                                            GError **error);
void bulkhead_state_file_free (BulkheadStateFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadStateFile, bulkhead_state_file_free)

/* Holds the whole directory for this process; ALREADY_RUNNING when another has it. */
gboolean bulkhead_state_file_lock_directory (BulkheadStateFile *file, GError **error);

/*
 * TRUE: @ret_text is what is in the file, ended by a zero byte, or NULL when there is no file.
 * FALSE and STATE_UNREADABLE: not ours (a symlink, not a regular file, over 64 MiB) or not
 * readable. The bad file is kept, renamed beside with ".unreadable", by the next commit.
 */
gboolean bulkhead_state_file_read (BulkheadStateFile *file, char **ret_text, gsize *ret_length,
                                   GError **error);
/* The same for a text that was read and makes no sense: says so as the prefix of @error. */
void bulkhead_state_file_reject (BulkheadStateFile *file, GError **error);

/*
 * Writing in two steps: everything that can fail for want of space is in the first. STORE_FAILED
 * names the path and the reason; what was there before is then untouched.
 */
gboolean bulkhead_state_file_prepare (BulkheadStateFile *file, const char *text, GError **error);
gboolean bulkhead_state_file_commit (BulkheadStateFile *file, GError **error);
/* Forgets what was prepared. */
void bulkhead_state_file_discard (BulkheadStateFile *file);
