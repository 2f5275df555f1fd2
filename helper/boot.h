/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the helper's program does where there is no bus to serve: the stored lock before the network
 * is there (bulkheadd --boot), and everything closed when no helper could do it (bulkheadd
 * --close). Both end at once and leave their rules in the kernel.
 */
#pragma once

#include <glib.h>

/*
 * Puts the stored lock into the kernel. When that cannot be done, for whatever reason, the built-in
 * rules of fallback.h stand afterwards, unless the error says that even these could not be had.
 * ALREADY_RUNNING: the lock is in the hands of a helper, and nothing was done.
 */
gboolean bulkhead_boot_lock (const char *state_dir, const char *config_dir, const char *log_dir,
                             gboolean use_owner, GError **error);

/*
 * Closes everything by the built-in rules, unless a wall is read to stand, a helper holds the
 * state, or the state is there and says that the lock is off, which no administrator's file
 * (policy-files.h) contradicts. Says on stderr when it did. @if_stored: also not where no lock was
 * ever stored; else a state directory that is missing is a disk that is not there.
 */
gboolean bulkhead_boot_close (const char *state_dir, const char *config_dir, gboolean if_stored,
                              gboolean use_owner, GError **error);
