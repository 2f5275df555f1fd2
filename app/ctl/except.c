/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exceptions travel as text, "ADDRESS[/LENGTH] [PROTOCOL [PORT]]", and the helper judges them. */
#include "ctl.h"

#include <string.h>

#define EXCEPTIONS_MAX 200000

typedef struct {
    char *protocol;
    char *port;
    char *file;
} Options;

static void
options_clear (Options *options)
{
    g_free (options->protocol);
    g_free (options->port);
    g_free (options->file);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
add_file (GPtrArray *exceptions, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr (GError) local = NULL;
    gsize length;
    char *rest;
    char *line;

    if (!g_file_get_contents (path, &text, &length, &local)) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_FAILED, "--file: %s", local->message);
        return FALSE;
    }
    /* A zero byte fails here too: it would end the text before its end. */
    if (!g_utf8_validate_len (text, length, NULL)) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE, "--file %s: not UTF-8 text",
                     path);
        return FALSE;
    }
    rest = text;
    while ((line = strsep (&rest, "\n")) != NULL) {
        line[strcspn (line, "#")] = '\0';
        g_strstrip (line);
        if (*line != '\0')
            g_ptr_array_add (exceptions, g_strdup (line));
    }
    return TRUE;
}

/* "any" only fills the place before a port; the helper says why that pair is not possible. */
static char *
compose (const char *address, const Options *options, const char *port)
{
    const char *protocol = options->protocol;

    if (protocol == NULL && port == NULL)
        return g_strdup (address);
    return g_strjoin (" ", address, protocol != NULL ? protocol : "any", port, NULL);
}

static gboolean
add_arguments (GPtrArray *exceptions, GStrv args, const Options *options, GError **error)
{
    g_autofree char *port = NULL;
    guint32 number;

    if (options->port != NULL) {
        if (!bulkhead_parse_number ("--port", options->port, 1, G_MAXUINT16, &number, error))
            return FALSE;
        port = g_strdup_printf ("%u", number);
    }
    for (gsize i = 0; args[i] != NULL; i++)
        g_ptr_array_add (exceptions, compose (args[i], options, port));
    return TRUE;
}

static gboolean
check_options (GStrv args, const Options *options, GError **error)
{
    gboolean has_details = options->protocol != NULL || options->port != NULL;

    if (args[0] == NULL && options->file == NULL)
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                             "neither an address nor --file is given");
    else if (has_details && options->file != NULL)
        g_set_error_literal (
            error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
            "--protocol and --port do not go with --file: write them in its lines");
    else
        return TRUE;
    return FALSE;
}

/* Returns: (transfer full): what the command line and the file name; NULL on an error or --help. */
static GPtrArray *
collect (BulkheadCtl *ctl, GError **error)
{
    g_auto (Options) options = { NULL };
    g_auto (GStrv) args = NULL;
    g_autoptr (GPtrArray) exceptions = g_ptr_array_new_with_free_func (g_free);
    const GOptionEntry entries[] = {
        { .long_name = "protocol",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.protocol,
          .arg_description = "PROTOCOL",
          .description = "any (default), tcp, udp or icmp" },
        { .long_name = "port",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.port,
          .arg_description = "N",
          .description = "Only this port, with tcp or udp" },
        { .long_name = "file",
          .arg = G_OPTION_ARG_FILENAME,
          .arg_data = &options.file,
          .arg_description = "FILE",
          .description = "Read ADDRESS[/PREFIX] [PROTOCOL [PORT]] from each line of FILE" },
        { NULL },
    };

    if (!bulkhead_parse (ctl, entries, 0, G_MAXUINT, &args, error)
        || !check_options (args, &options, error)
        || !add_arguments (exceptions, args, &options, error)
        || (options.file != NULL && !add_file (exceptions, options.file, error)))
        return NULL;
    if (exceptions->len == 0 || exceptions->len > EXCEPTIONS_MAX) {
        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "%u exceptions: not from 1 to %d", exceptions->len, EXCEPTIONS_MAX);
        return NULL;
    }
    return g_steal_pointer (&exceptions);
}

static void
command (BulkheadCtl *ctl, const char *method, GError **error)
{
    g_autoptr (GPtrArray) exceptions = collect (ctl, error);

    if (exceptions == NULL)
        return;
    bulkhead_command (
        ctl, method,
        g_variant_new ("(@as)", g_variant_new_strv ((const char *const *)exceptions->pdata,
                                                    (gssize)exceptions->len)),
        error);
}

void
bulkhead_run_except_add (BulkheadCtl *ctl, GError **error)
{
    command (ctl, "AddExceptions", error);
}

void
bulkhead_run_except_remove (BulkheadCtl *ctl, GError **error)
{
    command (ctl, "RemoveExceptions", error);
}

void
bulkhead_run_except_list (BulkheadCtl *ctl, GError **error)
{
    const GOptionEntry entries[] = { { NULL } };
    g_autoptr (GVariant) exceptions = NULL;
    GVariantIter iter;
    const char *exception;

    if (!bulkhead_parse (ctl, entries, 0, 0, NULL, error))
        return;
    exceptions = bulkhead_call (ctl, "ListExceptions", NULL, "(as)", error);
    if (exceptions == NULL)
        return;
    if (ctl->reply != NULL) {
        bulkhead_json_set (ctl->reply, "exceptions", exceptions);
        return;
    }
    g_variant_iter_init (&iter, exceptions);
    while (g_variant_iter_next (&iter, "&s", &exception)) {
        bulkhead_print (exception);
        bulkhead_print ("\n");
    }
}
