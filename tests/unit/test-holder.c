/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is killed for holding a state directory, and who is not. Ends only its own children. */
#include "holder.h"

#include "error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_program (void)
{
    static const struct {
        const char *exe;
        gboolean is;
    } cases[] = {
        { "/usr/libexec/bulkheadd", TRUE },
        { "/usr/libexec/bulkheadd (deleted)", TRUE },
        { "/usr/libexec/bulkheadd-evil", FALSE },
        { "/usr/libexec/bulkheadd/sh", FALSE },
        { "/usr/libexec/bulkheadd (deleted)/sh", FALSE },
        { "/usr/bin/bulkhead", FALSE },
        { " (deleted)", FALSE },
        { "", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
        g_assert_cmpint (bulkhead_holder_is_program (cases[i].exe), ==, cases[i].is);
}

/* A child that has @directory open, locked so if @lock is not 0, until it is killed. */
static pid_t
start_child (const char *directory, int lock)
{
    pid_t parent = getpid ();
    pid_t pid;
    int ready[2];
    char byte;

    g_assert_cmpint (pipe (ready), ==, 0);
    pid = fork ();
    g_assert_cmpint (pid, >=, 0);
    if (pid == 0) {
        int fd = open (directory, O_RDONLY | O_DIRECTORY);

        prctl (PR_SET_PDEATHSIG, SIGKILL);
        if (getppid () != parent || fd < 0 || (lock != 0 && flock (fd, lock) != 0)
            || write (ready[1], "r", 1) != 1)
            _exit (1);
        while (TRUE)
            pause ();
    }
    g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
    close (ready[0]);
    close (ready[1]);
    return pid;
}

static void
end_child (pid_t pid)
{
    int status;

    g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, 0); /* it lived until now */
    g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
}

static void
test_nobody (void)
{
    g_autofree char *directory = g_dir_make_tmp (NULL, NULL);
    g_autofree char *other = g_dir_make_tmp (NULL, NULL);
    g_autofree char *missing = g_build_filename (directory, "missing", NULL);
    g_autoptr (GError) error = NULL;
    const struct {
        const char *directory;
        int lock;
    } children[] = {
        { directory, 0 },       /* only open */
        { directory, LOCK_SH }, /* as a reader would */
        { other, LOCK_EX },
    };

    g_assert_cmpint (bulkhead_holder_end (missing, &error), ==, 0);
    g_assert_cmpint (bulkhead_holder_end (directory, &error), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS (children); i++) {
        pid_t pid = start_child (children[i].directory, children[i].lock);

        g_assert_cmpint (bulkhead_holder_end (directory, &error), ==, 0);
        g_assert_no_error (error);
        end_child (pid);
    }
    g_rmdir (directory);
    g_rmdir (other);
}

/* This program is no bulkheadd. */
static void
test_another_program (void)
{
    g_autofree char *directory = g_dir_make_tmp (NULL, NULL);
    g_autoptr (GError) error = NULL;
    pid_t pid = start_child (directory, LOCK_EX);
    g_autofree char *number = g_strdup_printf ("“%d”", pid);

    g_assert_cmpint (bulkhead_holder_end (directory, &error), ==, -1);
    g_assert_error (error, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED);
    g_assert_nonnull (g_strstr_len (error->message, -1, number));
    end_child (pid);
    g_rmdir (directory);
}

int
main (int argc, char *argv[])
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/holder/program", test_program);
    g_test_add_func ("/holder/nobody", test_nobody);
    g_test_add_func ("/holder/another-program", test_another_program);
    return g_test_run ();
}
