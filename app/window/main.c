/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "application.h"
#include "version.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char *argv[])
{
    g_autoptr (BulkheadApplication) application = NULL;

    setlocale (LC_ALL, "");
    bindtextdomain ("bulkhead", BULKHEAD_LOCALE_DIR);
    bind_textdomain_codeset ("bulkhead", "UTF-8");
    textdomain ("bulkhead");
    g_set_application_name ("Bulkhead");

    application = bulkhead_application_new ();
    bulkhead_version_add_option (G_APPLICATION (application), "bulkhead");
    return g_application_run (G_APPLICATION (application), argc, argv);
}
