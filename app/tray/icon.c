/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "icon.h"

#include "pixmaps.h"
#include "statusnotifieritem.h"

#include <glib/gi18n.h>

#define PAUSE 200 /* ms between two changes */
#define PIXMAPS "a(iiay)"

struct _BulkheadIcon {
    GObject parent_instance;
    BulkheadStatusNotifierItem *item;
    char *name, *headline, *reason; /* as wanted; the item has what is shown */
    char *token;
    gint64 shown;  /* monotonic µs */
    guint show_id; /* a change that waits */
};

G_DEFINE_FINAL_TYPE (BulkheadIcon, bulkhead_icon, G_TYPE_OBJECT)

static guint activated_signal;

/* (transfer floating) */
static GVariant *
pixmaps_of (const char *name)
{
    GVariantBuilder builder;

    g_variant_builder_init (&builder, G_VARIANT_TYPE (PIXMAPS));
    for (const BulkheadPixmap *pixmap = bulkhead_pixmaps; pixmap->icon != NULL; pixmap++)
        if (g_str_equal (pixmap->icon, name))
            g_variant_builder_add (&builder, "(ii@ay)", pixmap->size, pixmap->size,
                                   g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, pixmap->pixels,
                                                              4 * pixmap->size * pixmap->size, 1));
    return g_variant_builder_end (&builder);
}

static GVariant *
no_pixmaps (void)
{
    return g_variant_new_array (G_VARIANT_TYPE ("(iiay)"), NULL, 0);
}

void
bulkhead_icon_announce (BulkheadIcon *self)
{
    g_return_if_fail (BULKHEAD_IS_ICON (self));

    /* The values before the signals: whoever is told reads them at once. */
    g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (self->item));
    bulkhead_status_notifier_item_emit_new_status (
        self->item, bulkhead_status_notifier_item_get_status (self->item));
    bulkhead_status_notifier_item_emit_new_icon (self->item);
    bulkhead_status_notifier_item_emit_new_title (self->item);
    bulkhead_status_notifier_item_emit_new_tool_tip (self->item);
}

static void
show_now (BulkheadIcon *self)
{
    BulkheadStatusNotifierItem *item = self->item;
    /* Translators: what a screen reader says; %s is a headline as "Protected". */
    g_autofree char *spoken = g_strdup_printf (_ ("Bulkhead: %s"), self->headline);

    if (g_strcmp0 (bulkhead_status_notifier_item_get_icon_name (item), self->name) != 0) {
        bulkhead_status_notifier_item_set_icon_name (item, self->name);
        bulkhead_status_notifier_item_set_icon_pixmap (item, pixmaps_of (self->name));
    }
    bulkhead_status_notifier_item_set_icon_accessible_desc (item, spoken);
    bulkhead_status_notifier_item_set_tool_tip (item, g_variant_new ("(s@" PIXMAPS "ss)",
                                                                     self->name, no_pixmaps (),
                                                                     self->headline, self->reason));
    self->shown = g_get_monotonic_time ();
    bulkhead_icon_announce (self);
}

static gboolean
on_time_to_show_cb (gpointer data)
{
    BulkheadIcon *self = data;

    self->show_id = 0;
    show_now (self);
    return G_SOURCE_REMOVE;
}

void
bulkhead_icon_show (BulkheadIcon *self, const char *name, const char *headline, const char *reason)
{
    gint64 since = (g_get_monotonic_time () - self->shown) / 1000;

    g_return_if_fail (BULKHEAD_IS_ICON (self));

    if (g_strcmp0 (name, self->name) == 0 && g_strcmp0 (headline, self->headline) == 0
        && g_strcmp0 (reason, self->reason) == 0)
        return;
    g_free (self->name);
    self->name = g_strdup (name);
    g_free (self->headline);
    self->headline = g_strdup (headline);
    g_free (self->reason);
    self->reason = g_strdup (reason);
    if (self->show_id != 0)
        return;
    if (self->shown == 0 || since >= PAUSE)
        show_now (self);
    else
        self->show_id = g_timeout_add (PAUSE - since, on_time_to_show_cb, self);
}

char *
bulkhead_icon_take_token (BulkheadIcon *self)
{
    g_return_val_if_fail (BULKHEAD_IS_ICON (self), NULL);

    return g_steal_pointer (&self->token);
}

/* ---- what panels call ---- */

static gboolean
on_activate_cb (BulkheadIcon *self, GDBusMethodInvocation *invocation, int x, int y)
{
    g_dbus_method_invocation_return_value (invocation, NULL);
    g_signal_emit (self, activated_signal, 0);
    return TRUE;
}

/* Panels draw the menu from Menu; one that asks for it here cannot draw it. The wheel does
 * nothing: a lock is not opened by accident. */
static gboolean
on_nothing_cb (GDBusMethodInvocation *invocation)
{
    g_dbus_method_invocation_return_value (invocation, NULL);
    return TRUE;
}

static gboolean
on_context_menu_cb (BulkheadIcon *self, GDBusMethodInvocation *invocation, int x, int y)
{
    return on_nothing_cb (invocation);
}

static gboolean
on_scroll_cb (BulkheadIcon *self, GDBusMethodInvocation *invocation, int delta,
              const char *orientation)
{
    return on_nothing_cb (invocation);
}

static gboolean
on_token_cb (BulkheadIcon *self, GDBusMethodInvocation *invocation, const char *token)
{
    g_free (self->token);
    self->token = g_strdup (token);
    return on_nothing_cb (invocation);
}

/* ---- object ---- */

static void
connect (BulkheadIcon *self, const char *signal, GCallback callback)
{
    g_signal_connect_object (self->item, signal, callback, self, G_CONNECT_SWAPPED);
}

/* Everything that panels read and that never changes. An item is never hidden, and no state is an
 * overlay: some panels show that in place of the icon. */
static void
set_constants (BulkheadStatusNotifierItem *item, const char *menu_path)
{
    g_object_set (item, "category", "SystemServices", "id", "bulkhead", "title", _ ("Bulkhead"),
                  "status", "Active", "window-id", 0, "icon-theme-path", "", "overlay-icon-name",
                  "", "overlay-icon-pixmap", no_pixmaps (), "attention-icon-name", "",
                  "attention-icon-pixmap", no_pixmaps (), "attention-accessible-desc", "",
                  "attention-movie-name", "", "item-is-menu", FALSE, "menu", menu_path, NULL);
}

BulkheadIcon *
bulkhead_icon_new (GDBusConnection *bus, const char *path, const char *menu_path, GError **error)
{
    g_autoptr (BulkheadIcon) self = g_object_new (BULKHEAD_TYPE_ICON, NULL);

    set_constants (self->item, menu_path);
    if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->item), bus, path,
                                           error))
        return NULL;
    return g_steal_pointer (&self);
}

static void
bulkhead_icon_finalize (GObject *object)
{
    BulkheadIcon *self = BULKHEAD_ICON (object);

    g_clear_handle_id (&self->show_id, g_source_remove);
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->item));
    g_object_unref (self->item);
    g_free (self->name);
    g_free (self->headline);
    g_free (self->reason);
    g_free (self->token);
    G_OBJECT_CLASS (bulkhead_icon_parent_class)->finalize (object);
}

static void
bulkhead_icon_class_init (BulkheadIconClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_icon_finalize;
    activated_signal = g_signal_new ("activated", BULKHEAD_TYPE_ICON, G_SIGNAL_RUN_LAST, 0, NULL,
                                     NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_icon_init (BulkheadIcon *self)
{
    self->item = bulkhead_status_notifier_item_skeleton_new ();
    connect (self, "handle-activate", G_CALLBACK (on_activate_cb));
    connect (self, "handle-secondary-activate", G_CALLBACK (on_activate_cb));
    connect (self, "handle-context-menu", G_CALLBACK (on_context_menu_cb));
    connect (self, "handle-scroll", G_CALLBACK (on_scroll_cb));
    connect (self, "handle-provide-xdg-activation-token", G_CALLBACK (on_token_cb));
}
