/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "version.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define GO_ON (-1)

static int
on_local_options_cb (GApplication *application, GVariantDict *options, gpointer data)
{
    const char *program = data;

    if (!g_variant_dict_contains (options, "version"))
        return GO_ON;
    printf ("%s " BULKHEAD_VERSION "\n", program);
    /* A full disk must not look like an answer. */
    return fflush (stdout) == 0 ? 0 : 1;
}

void
bulkhead_version_add_option (GApplication *application, const char *program)
{
    g_application_add_main_option (application, "version", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                   _ ("Print the version"), NULL);
    g_signal_connect (application, "handle-local-options", G_CALLBACK (on_local_options_cb),
                      (gpointer)program);
}
