/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Only wires. Whatever ends this process, the lock stays. */
#include "tray.h"
#include "version.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char **argv)
{
    g_autoptr (BulkheadTray) tray = NULL;
    int status;

    setlocale (LC_ALL, "");
    bindtextdomain ("bulkhead", BULKHEAD_LOCALE_DIR);
    bind_textdomain_codeset ("bulkhead", "UTF-8");
    textdomain ("bulkhead");
    g_set_application_name (_ ("Bulkhead"));
    tray = bulkhead_tray_new ();
    bulkhead_version_add_option (G_APPLICATION (tray), "bulkhead-tray");
    status = g_application_run (G_APPLICATION (tray), argc, argv);
    return bulkhead_tray_has_failed (tray) ? 1 : status;
}
