/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "about.h"

#include <glib/gi18n.h>

/* For a report of a fault: versions and the state, no addresses. */
static char *
debug_info (BulkheadClient *client)
{
    g_autoptr (GVariant) version = bulkhead_client_get_value (client, "Version", "s");

    return g_strdup_printf (
        "Bulkhead %s\nHelper %s\nState %u, presence %u\nGTK %u.%u.%u\nlibadwaita %u.%u.%u\n",
        BULKHEAD_VERSION, version != NULL ? g_variant_get_string (version, NULL) : "not known",
        bulkhead_client_get_state (client), bulkhead_client_get_presence (client),
        gtk_get_major_version (), gtk_get_minor_version (), gtk_get_micro_version (),
        adw_get_major_version (), adw_get_minor_version (), adw_get_micro_version ());
}

GtkWindow *
bulkhead_about_new (GtkWindow *parent, BulkheadClient *client)
{
    g_autofree char *info = debug_info (client);

    return g_object_new (
        ADW_TYPE_ABOUT_WINDOW, "transient-for", parent, "application-name", "Bulkhead",
        "application-icon", "org.bulkhead.bulkhead", "version", BULKHEAD_VERSION, "developer-name",
        _ ("The Bulkhead team"), "license-type", GTK_LICENSE_GPL_3_0, "comments",
        _ ("While it is locked, nothing leaves this computer except through a VPN tunnel you "
           "trust."),
        "debug-info", info, "debug-info-filename", "bulkhead-debug.txt",
        /* Translators: your names, one in each line. */
        "translator-credits", _ ("translator-credits"), NULL);
}

GtkWindow *
bulkhead_about_new_way_out (GtkWindow *parent)
{
    static const char commands[] = "sudo bulkheadctl unlock\n"
                                   "sudo bulkheadctl rescue";
    GtkWidget *dialog = adw_message_dialog_new (
        parent, _ ("The Way Out"),
        _ ("You can always open the lock in a terminal. The first command asks the helper; the "
           "second one works also when the helper is dead or hangs. Removing the package opens "
           "the lock, too."));
    GtkWidget *label = gtk_label_new (commands);

    gtk_label_set_selectable (GTK_LABEL (label), TRUE);
    gtk_label_set_wrap (GTK_LABEL (label), TRUE);
    gtk_widget_add_css_class (label, "monospace");
    adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), label);
    adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
    return GTK_WINDOW (dialog);
}
