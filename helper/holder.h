/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds a state directory (state-file.h), and their end. A helper that hangs answers nobody, so
 * it is found by what the kernel says of it: the process that has that very directory open with a
 * lock on it, or a helper of our user and this network namespace whose directory was removed under
 * it. A pid from a file may be another program's by now; this one is not, as the process is held by
 * a pidfd from before it is looked at.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * Kills a helper that holds @directory and waits for its end; there may be more. Returns: its pid;
 * 0: nobody holds it; -1 with FAILED: the holder is another program, which is left alone, or it
 * does not end.
 */
pid_t bulkhead_holder_end (const char *directory, GError **error);

/* Whether the file that /proc/PID/exe names is a bulkheadd, also one replaced by an upgrade. */
gboolean bulkhead_holder_is_program (const char *exe);
