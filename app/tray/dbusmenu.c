/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dbusmenu.h"

#include "dbusmenu-skeleton.h"

#include <glib/gi18n.h>

#define ROOT 0
#define REVISION 1 /* of the structure, which never changes */
#define ALL_DEPTHS (-1)

typedef struct {
    GVariant *now;  /* a{sv}: what is not as by default */
    GVariant *told; /* the same as panels were told last; NULL: never */
    gboolean clickable;
} Item;

struct _BulkheadDbusmenu {
    GObject parent_instance;
    BulkheadDBusMenu *skeleton;
    const BulkheadMenuRow *rows;
    guint n_rows;
    Item *items;    /* one for each row */
    GVariant *root; /* a{sv} */
};

G_DEFINE_FINAL_TYPE (BulkheadDbusmenu, bulkhead_dbusmenu, G_TYPE_OBJECT)

static guint clicked_signal;
static guint opening_signal;

static int
row_of (BulkheadDbusmenu *self, int id)
{
    for (guint i = 0; i < self->n_rows; i++)
        if (self->rows[i].id == id)
            return (int)i;
    return -1;
}

static gboolean
is_known (BulkheadDbusmenu *self, int id)
{
    return id == ROOT || row_of (self, id) >= 0;
}

/* ---- properties ---- */

/* What a property is when an item does not say it. */
static GVariant *
default_of (const char *name)
{
    if (g_str_equal (name, "type"))
        return g_variant_new_string ("standard");
    if (g_str_equal (name, "enabled") || g_str_equal (name, "visible"))
        return g_variant_new_boolean (TRUE);
    if (g_str_equal (name, "toggle-state"))
        return g_variant_new_int32 (-1);
    return g_variant_new_string ("");
}

/* What is not as by default, as a{sv}. (transfer none) */
static GVariant *
properties_of (BulkheadDbusmenu *self, int id)
{
    return id == ROOT ? self->root : self->items[row_of (self, id)].now;
}

/* Those of the @names, or all when there are none. (transfer floating) */
static GVariant *
properties_named (BulkheadDbusmenu *self, int id, const char *const *names)
{
    GVariantBuilder builder;
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_iter_init (&iter, properties_of (self, id));
    while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
        if (names[0] == NULL || g_strv_contains (names, name))
            g_variant_builder_add (&builder, "{sv}", name, value);
    return g_variant_builder_end (&builder);
}

/* (ia{sv}av), @depth levels below included. (transfer floating) */
static GVariant *
layout_of (BulkheadDbusmenu *self, int id, int depth, const char *const *names)
{
    GVariantBuilder children;

    g_variant_builder_init (&children, G_VARIANT_TYPE ("av"));
    for (guint i = 0; depth != 0 && i < self->n_rows; i++)
        if (self->rows[i].parent == id)
            g_variant_builder_add (
                &children, "v",
                layout_of (self, self->rows[i].id, MAX (depth - 1, ALL_DEPTHS), names));
    return g_variant_new ("(i@a{sv}av)", id, properties_named (self, id, names), &children);
}

/* ---- what panels call ---- */

static void
refuse (GDBusMethodInvocation *invocation, int id)
{
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                           "id %d: no such menu item", id);
}

static gboolean
on_get_layout_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation, int id, int depth,
                  const char *const *names)
{
    if (is_known (self, id))
        bulkhead_dbus_menu_complete_get_layout (
            self->skeleton, invocation, REVISION,
            layout_of (self, id, MAX (depth, ALL_DEPTHS), names));
    else
        refuse (invocation, id);
    return TRUE;
}

static void
add_properties (BulkheadDbusmenu *self, int id, const char *const *names, GVariantBuilder *builder)
{
    if (is_known (self, id))
        g_variant_builder_add (builder, "(i@a{sv})", id, properties_named (self, id, names));
}

/* Without ids, everything; an unknown one is left out. */
static gboolean
on_get_group_properties_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation,
                            GVariant *wanted, const char *const *names)
{
    gsize n;
    const gint32 *ids = g_variant_get_fixed_array (wanted, &n, sizeof *ids);
    GVariantBuilder builder;

    g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ia{sv})"));
    for (gsize i = 0; i < n; i++)
        add_properties (self, ids[i], names, &builder);
    if (n == 0)
        add_properties (self, ROOT, names, &builder);
    for (guint i = 0; n == 0 && i < self->n_rows; i++)
        add_properties (self, self->rows[i].id, names, &builder);
    bulkhead_dbus_menu_complete_get_group_properties (self->skeleton, invocation,
                                                      g_variant_builder_end (&builder));
    return TRUE;
}

static gboolean
on_get_property_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation, int id,
                    const char *name)
{
    g_autoptr (GVariant) value = NULL;

    if (!is_known (self, id)) {
        refuse (invocation, id);
        return TRUE;
    }
    value = g_variant_lookup_value (properties_of (self, id), name, NULL);
    if (value == NULL)
        value = g_variant_ref_sink (default_of (name));
    bulkhead_dbus_menu_complete_get_property (self->skeleton, invocation,
                                              g_variant_new_variant (value));
    return TRUE;
}

/* Items of a submenu only together with it: a panel may still show them as they were. */
static gboolean
is_clickable (BulkheadDbusmenu *self, int row)
{
    int parent = row_of (self, self->rows[row].parent); /* the root is in no row */

    return self->items[row].clickable && (parent < 0 || is_clickable (self, parent));
}

/* A click on what cannot be clicked is none. Panels are answered first: the click may end us. */
static void
take_event (BulkheadDbusmenu *self, int id, const char *event)
{
    int row = row_of (self, id);

    if (row >= 0 && g_str_equal (event, "clicked") && is_clickable (self, row))
        g_signal_emit (self, clicked_signal, 0, id);
    else if (id == ROOT && g_str_equal (event, "opened"))
        g_signal_emit (self, opening_signal, 0);
}

static gboolean
on_event_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation, int id, const char *event,
             GVariant *data, guint timestamp)
{
    if (!is_known (self, id)) {
        refuse (invocation, id);
        return TRUE;
    }
    bulkhead_dbus_menu_complete_event (self->skeleton, invocation);
    take_event (self, id, event);
    return TRUE;
}

static gboolean
on_event_group_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation, GVariant *events)
{
    g_autoptr (GVariant) kept = g_variant_ref (events);
    g_autoptr (GArray) unknown = g_array_new (FALSE, FALSE, sizeof (gint32));
    GVariantIter iter;
    const char *event;
    int id;

    g_variant_iter_init (&iter, events);
    while (g_variant_iter_next (&iter, "(i&s@vu)", &id, NULL, NULL, NULL))
        if (!is_known (self, id))
            g_array_append_val (unknown, id);
    if (unknown->len > 0 && unknown->len == g_variant_n_children (events)) {
        refuse (invocation, g_array_index (unknown, gint32, 0));
        return TRUE;
    }
    bulkhead_dbus_menu_complete_event_group (self->skeleton, invocation,
                                             g_variant_new_fixed_array (G_VARIANT_TYPE_INT32,
                                                                        unknown->data, unknown->len,
                                                                        sizeof (gint32)));
    g_variant_iter_init (&iter, kept);
    while (g_variant_iter_next (&iter, "(i&s@vu)", &id, &event, NULL, NULL))
        take_event (self, id, event);
    return TRUE;
}

/* Never an error and never TRUE: everything is there already, and panels build anew on TRUE. */
static gboolean
on_about_to_show_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation, int id)
{
    bulkhead_dbus_menu_complete_about_to_show (self->skeleton, invocation, FALSE);
    if (id == ROOT)
        g_signal_emit (self, opening_signal, 0);
    return TRUE;
}

static gboolean
on_about_to_show_group_cb (BulkheadDbusmenu *self, GDBusMethodInvocation *invocation,
                           GVariant *wanted)
{
    gsize n;
    const gint32 *ids = g_variant_get_fixed_array (wanted, &n, sizeof *ids);
    GVariantBuilder unknown;

    g_variant_builder_init (&unknown, G_VARIANT_TYPE ("ai"));
    for (gsize i = 0; i < n; i++)
        if (!is_known (self, ids[i]))
            g_variant_builder_add (&unknown, "i", ids[i]);
    bulkhead_dbus_menu_complete_about_to_show_group (
        self->skeleton, invocation, g_variant_new_array (G_VARIANT_TYPE_INT32, NULL, 0),
        g_variant_builder_end (&unknown));
    return TRUE;
}

/* ---- changes ---- */

/* (transfer floating) */
static GVariant *
properties_for (BulkheadMenuKind kind, const BulkheadMenuLook *look)
{
    g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

    if (kind == BULKHEAD_MENU_SEPARATOR)
        g_variant_dict_insert (&dict, "type", "s", "separator");
    if (kind == BULKHEAD_MENU_SUBMENU)
        g_variant_dict_insert (&dict, "children-display", "s", "submenu");
    if (look->label != NULL)
        g_variant_dict_insert (&dict, "label", "s", look->label);
    if (look->disabled)
        g_variant_dict_insert (&dict, "enabled", "b", FALSE);
    if (look->hidden)
        g_variant_dict_insert (&dict, "visible", "b", FALSE);
    if (kind == BULKHEAD_MENU_CHECK) {
        g_variant_dict_insert (&dict, "toggle-type", "s", "checkmark");
        g_variant_dict_insert (&dict, "toggle-state", "i", look->checked);
    }
    return g_variant_dict_end (&dict);
}

void
bulkhead_dbusmenu_set (BulkheadDbusmenu *self, int id, const BulkheadMenuLook *look)
{
    int row = row_of (self, id);
    Item *item;

    g_return_if_fail (row >= 0);
    item = &self->items[row];
    g_variant_unref (item->now);
    item->now = g_variant_ref_sink (properties_for (self->rows[row].kind, look));
    item->clickable = !look->disabled && !look->hidden;
}

/* Adds the item's changes to both lists: what is new, and what is as by default again. */
static gboolean
add_changes (BulkheadDbusmenu *self, guint row, GVariantBuilder *updated, GVariantBuilder *removed)
{
    int id = self->rows[row].id;
    GVariant *now = self->items[row].now;
    g_autoptr (GVariant) before = self->items[row].told;
    GVariantBuilder names;
    GVariantIter iter;
    const char *name;

    self->items[row].told = g_variant_ref (now);
    if (before == NULL || g_variant_equal (before, now))
        return FALSE;
    g_variant_builder_add (updated, "(i@a{sv})", id, now);
    g_variant_builder_init (&names, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_iter_init (&iter, before);
    while (g_variant_iter_next (&iter, "{&s@v}", &name, NULL)) {
        g_autoptr (GVariant) value = g_variant_lookup_value (now, name, NULL);

        if (value == NULL)
            g_variant_builder_add (&names, "s", name);
    }
    g_variant_builder_add (removed, "(ias)", id, &names);
    return TRUE;
}

void
bulkhead_dbusmenu_flush (BulkheadDbusmenu *self)
{
    GVariantBuilder updated, removed;
    gboolean changed = FALSE;

    g_return_if_fail (BULKHEAD_IS_DBUSMENU (self));

    g_variant_builder_init (&updated, G_VARIANT_TYPE ("a(ia{sv})"));
    g_variant_builder_init (&removed, G_VARIANT_TYPE ("a(ias)"));
    for (guint i = 0; i < self->n_rows; i++)
        changed |= add_changes (self, i, &updated, &removed);
    if (changed) {
        bulkhead_dbus_menu_emit_items_properties_updated (
            self->skeleton, g_variant_builder_end (&updated), g_variant_builder_end (&removed));
        return;
    }
    g_variant_builder_clear (&updated);
    g_variant_builder_clear (&removed);
}

/* ---- object ---- */

static const struct {
    const char *signal;
    GCallback callback;
} handlers[] = {
    { "handle-get-layout", G_CALLBACK (on_get_layout_cb) },
    { "handle-get-group-properties", G_CALLBACK (on_get_group_properties_cb) },
    { "handle-get-property", G_CALLBACK (on_get_property_cb) },
    { "handle-event", G_CALLBACK (on_event_cb) },
    { "handle-event-group", G_CALLBACK (on_event_group_cb) },
    { "handle-about-to-show", G_CALLBACK (on_about_to_show_cb) },
    { "handle-about-to-show-group", G_CALLBACK (on_about_to_show_group_cb) },
};

BulkheadDbusmenu *
bulkhead_dbusmenu_new (GDBusConnection *bus, const char *path, const BulkheadMenuRow *rows,
                       guint n_rows, GError **error)
{
    const BulkheadMenuLook nothing = { NULL };
    g_autoptr (BulkheadDbusmenu) self = g_object_new (BULKHEAD_TYPE_DBUSMENU, NULL);

    self->rows = rows;
    self->n_rows = n_rows;
    self->root = g_variant_ref_sink (properties_for (BULKHEAD_MENU_SUBMENU, &nothing));
    self->items = g_new0 (Item, n_rows);
    for (guint i = 0; i < n_rows; i++)
        self->items[i].now = g_variant_ref_sink (properties_for (rows[i].kind, &nothing));
    if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), bus, path,
                                           error))
        return NULL;
    return g_steal_pointer (&self);
}

static void
bulkhead_dbusmenu_finalize (GObject *object)
{
    BulkheadDbusmenu *self = BULKHEAD_DBUSMENU (object);

    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
    g_object_unref (self->skeleton);
    for (guint i = 0; i < self->n_rows; i++) {
        g_variant_unref (self->items[i].now);
        g_clear_pointer (&self->items[i].told, g_variant_unref);
    }
    g_free (self->items);
    g_variant_unref (self->root);
    G_OBJECT_CLASS (bulkhead_dbusmenu_parent_class)->finalize (object);
}

static void
bulkhead_dbusmenu_class_init (BulkheadDbusmenuClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = bulkhead_dbusmenu_finalize;
    clicked_signal = g_signal_new ("clicked", BULKHEAD_TYPE_DBUSMENU, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
    opening_signal = g_signal_new ("opening", BULKHEAD_TYPE_DBUSMENU, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_dbusmenu_init (BulkheadDbusmenu *self)
{
    const char *const no_folder[] = { NULL };
    /* Translators: "rtl" where menus run from right to left, else "ltr". */
    const char *direction = _ ("ltr");

    self->skeleton = bulkhead_dbus_menu_skeleton_new ();
    g_object_set (self->skeleton, "version", 3, "text-direction", direction, "status", "normal",
                  "icon-theme-path", no_folder, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (handlers); i++)
        g_signal_connect_object (self->skeleton, handlers[i].signal, handlers[i].callback, self,
                                 G_CONNECT_SWAPPED);
}
