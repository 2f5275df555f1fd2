/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(); it gives the
 * input to a parser and asserts what must hold of any input at all.
 */
#pragma once

#include <gio/gio.h>
#include <linux/netlink.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

/* Returns: (transfer full): an empty directory, gone with all that is in it when we exit. */
char *fuzz_directory (void);
/* Puts @data into the file, for its owner only. */
void fuzz_write (const char *path, gconstpointer data, gsize size);

/* A copy of exactly that size, aligned for anything, so that a read beyond it is seen. */
guint8 *fuzz_copy (const guint8 *data, gsize size);
/* @data, @line and the SHA-256 of @data in hex and a newline, as our files end. */
GString *fuzz_sign (const guint8 *data, gsize size, const char *line);

/* The netlink message at *@at, which is then behind it; NULL when there is no whole one. libmnl's
 * own walk takes a length beyond INT_MAX for a negative one and goes on; kernels send none. */
const struct nlmsghdr *fuzz_next_message (const guint8 *data, gsize size, gsize *at);

/* Asserts that the error is one a person may be shown: UTF-8, one line, of bounded length. */
void fuzz_check_error (const GError *error);
