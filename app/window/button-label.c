/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "button-label.h"

void
bulkhead_button_label_wrap (GtkButton *button)
{
    GtkWidget *label;

    g_return_if_fail (GTK_IS_BUTTON (button));

    /* A button has a label from its first text on. */
    if (gtk_button_get_label (button) == NULL)
        gtk_button_set_label (button, "");
    label = gtk_button_get_child (button);
    gtk_label_set_wrap (GTK_LABEL (label), TRUE);
    gtk_label_set_justify (GTK_LABEL (label), GTK_JUSTIFY_CENTER);
}
