/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a file that decides about the lock: only one that nobody but this process's user could
 * have written, for whoever else could write it could unlock us.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* Why a file or directory cannot be taken for ours, or NULL. */
const char *bulkhead_trusted_file_distrust (const struct stat *status);

/*
 * Reads @name in the open @directory. NULL: @ret_text is all of it, ended by a zero byte, or NULL
 * when there is no such file. Else why not: a symlink, not a regular file, not ours alone, over
 * 64 MiB, or what the kernel said; if @at_rest, also that somebody has it open for writing, who may
 * not have written yet what closes. (transfer full): the text; the reason is not to be freed.
 */
const char *bulkhead_trusted_file_read (int directory, const char *name, gboolean at_rest,
                                        char **ret_text, gsize *ret_length);
