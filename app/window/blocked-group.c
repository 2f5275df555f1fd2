/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "blocked-group.h"

#include "list-reader.h"
#include "request.h"
#include "user.h"
#include "words.h"

#include <glib/gi18n.h>

#define ROWS_MAX 20
#define KEY_EXCEPTION "bulkhead-exception"
#define KEY_ALLOW "bulkhead-allow" /* the row's button, if it has one */
#define KEY_ENTRY "bulkhead-entry" /* which entry the row shows */

struct _BulkheadBlockedGroup {
    AdwPreferencesGroup parent_instance;

    GtkListBox *list;
    GtkWidget *none; /* instead of a list with nothing in it: others' packets are not told */

    BulkheadClient *client;
    BulkheadListReader *reader;
    gboolean fixed; /* nothing can be allowed here, as it is shown */
};

G_DEFINE_FINAL_TYPE (BulkheadBlockedGroup, bulkhead_blocked_group, ADW_TYPE_PREFERENCES_GROUP)

static void
on_begun_cb (GtkWidget *row)
{
    gtk_widget_set_sensitive (row, FALSE);
}

static void
on_done_cb (GtkWidget *row, const GError *error)
{
    gtk_widget_set_sensitive (row, TRUE);
}

static void
on_allow_cb (GtkWidget *button, BulkheadBlockedGroup *self)
{
    GtkWidget *row = gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW);
    const char *text = g_object_get_data (G_OBJECT (row), KEY_EXCEPTION);
    const char *const exceptions[] = { text, NULL };

    bulkhead_request_send (&(BulkheadRequest){
        .client = self->client,
        .widget = row,
        .method = "AddExceptions",
        .arguments = g_variant_new ("(^as)", exceptions),
        .question = BULKHEAD_QUESTION_EXCEPTION,
        .detail = text,
        .failure = _ ("The Exception Was Not Added"),
        .begun = on_begun_cb,
        .done = on_done_cb,
    });
}

/* "203.0.113.9 udp 443", as AddExceptions takes it; NULL: an exception would allow more than was
 * refused. */
static char *
exception_of (GVariant *entry)
{
    const char *address = "", *protocol = "";
    guint16 port = 0;

    g_variant_lookup (entry, "address", "&s", &address);
    g_variant_lookup (entry, "protocol", "&s", &protocol);
    g_variant_lookup (entry, "port", "q", &port);
    if (g_str_equal (protocol, "icmp"))
        return g_strdup_printf ("%s icmp", address);
    if (port != 0 && (g_str_equal (protocol, "tcp") || g_str_equal (protocol, "udp")))
        return g_strdup_printf ("%s %s %u", address, protocol, port);
    return NULL;
}

/* Where to, for people. */
static char *
destination_of (GVariant *entry)
{
    char *exception = exception_of (entry);
    const char *address = "", *protocol = "";

    if (exception != NULL)
        return exception;
    g_variant_lookup (entry, "address", "&s", &address);
    g_variant_lookup (entry, "protocol", "&s", &protocol);
    return g_strdup_printf ("%s %s", address, protocol);
}

/* The program's name, else its user's. */
static char *
who (GVariant *entry)
{
    const char *program = "";
    guint32 uid = G_MAXUINT32;
    g_autofree char *user = NULL;

    g_variant_lookup (entry, "program", "&s", &program);
    if (*program != '\0')
        return g_strdup (program);
    if (g_variant_lookup (entry, "uid", "u", &uid) && uid != G_MAXUINT32)
        user = bulkhead_user_name (uid);
    if (user == NULL)
        return g_strdup (_ ("A program"));
    /* Translators: %s is the name of a user of this computer. */
    return g_strdup_printf (_ ("A program of %s"), user);
}

static char *
number (guint64 value)
{
    return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
}

static GtkWidget *
allow_button_new (BulkheadBlockedGroup *self, const char *exception)
{
    GtkWidget *button = gtk_button_new_with_mnemonic (_ ("_Allow…"));
    /* Translators: %s is an address. */
    g_autofree char *label = g_strdup_printf (_ ("Allow %s…"), exception);

    gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
    /* GTK 4.18 would read the text of the button instead. */
    gtk_accessible_reset_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
    gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
    g_signal_connect_object (button, "clicked", G_CALLBACK (on_allow_cb), self, 0);
    return button;
}

/* What stays the same of an entry while it counts on. */
static char *
key_of (GVariant *entry)
{
    g_autofree char *destination = destination_of (entry);
    guint32 uid = G_MAXUINT32;

    g_variant_lookup (entry, "uid", "u", &uid);
    return g_strdup_printf ("%s %u", destination, uid);
}

static void
row_show (BulkheadBlockedGroup *self, GtkWidget *row, GVariant *entry)
{
    g_autofree char *title = who (entry);
    g_autofree char *destination = destination_of (entry);
    g_autofree char *subtitle = NULL, *often = NULL, *time = NULL;
    GtkWidget *allow = g_object_get_data (G_OBJECT (row), KEY_ALLOW);
    guint64 count = 1;
    gint64 last = 0;

    g_variant_lookup (entry, "count", "t", &count);
    g_variant_lookup (entry, "last", "x", &last);
    time = bulkhead_words_time (last);
    often = number (count);
    /* Translators: an address; how often; the time of day of the last one. */
    subtitle =
        g_strdup_printf (ngettext ("%s · %s time, last at %s", "%s · %s times, last at %s", count),
                         destination, often, time);
    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
    if (allow != NULL)
        gtk_widget_set_sensitive (allow, !self->fixed);
}

static GtkWidget *
row_new (BulkheadBlockedGroup *self, GVariant *entry)
{
    char *exception = exception_of (entry);
    GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title-lines", 0,
                                   "subtitle-lines", 0, NULL);

    if (exception != NULL) {
        GtkWidget *allow = allow_button_new (self, exception);

        adw_action_row_add_suffix (ADW_ACTION_ROW (row), allow);
        g_object_set_data (G_OBJECT (row), KEY_ALLOW, allow);
    }
    g_object_set_data_full (G_OBJECT (row), KEY_EXCEPTION, exception, g_free);
    g_object_set_data_full (G_OBJECT (row), KEY_ENTRY, key_of (entry), g_free);
    return row;
}

/* The row of that entry, or NULL. */
static GtkWidget *
find_row (BulkheadBlockedGroup *self, const char *key)
{
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
        if (g_str_equal (g_object_get_data (G_OBJECT (row), KEY_ENTRY), key))
            return GTK_WIDGET (row);
    return NULL;
}

static void
remove_rows_without (BulkheadBlockedGroup *self, GHashTable *keys)
{
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL;)
        if (g_hash_table_contains (keys, g_object_get_data (G_OBJECT (row), KEY_ENTRY)))
            i++;
        else
            gtk_list_box_remove (self->list, GTK_WIDGET (row));
}

/* @answer: (aa{sv}), or NULL with the reason. The helper tells the newest first, and every second.
 * A row stays while it counts on: somebody may be about to press its button. */
static void
on_read_cb (BulkheadBlockedGroup *self, GVariant *answer, const char *problem)
{
    g_autoptr (GHashTable) keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr (GVariant) entries = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
    gsize count = entries != NULL ? MIN (g_variant_n_children (entries), ROWS_MAX) : 0;

    for (gsize i = count; i > 0; i--) {
        g_autoptr (GVariant) entry = g_variant_get_child_value (entries, i - 1);
        char *key = key_of (entry);
        GtkWidget *row = find_row (self, key);

        g_hash_table_add (keys, key);
        if (row == NULL) {
            row = row_new (self, entry);
            gtk_list_box_prepend (self->list, row);
        }
        row_show (self, row, entry);
    }
    remove_rows_without (self, keys);
    gtk_widget_set_visible (GTK_WIDGET (self->list), count > 0);
    gtk_widget_set_visible (self->none, answer != NULL && count == 0);
}

static void
show_fixed (BulkheadBlockedGroup *self)
{
    gboolean fixed = bulkhead_client_is_fixed (self->client, "exceptions");

    if (!fixed == !self->fixed)
        return;
    self->fixed = fixed;
    bulkhead_list_reader_repeat (self->reader);
}

static void
show (BulkheadBlockedGroup *self)
{
    g_autoptr (GVariant) value = bulkhead_client_get_value (self->client, "BlockedCount", "t");
    guint64 count = value != NULL ? g_variant_get_uint64 (value) : 0;
    g_autofree char *often = number (count);
    g_autofree char *text = g_strdup_printf (
        ngettext ("%s packet was refused so far.", "%s packets were refused so far.", count),
        often);

    gtk_widget_set_visible (GTK_WIDGET (self), count > 0);
    adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self), text);
    show_fixed (self);
    if (count > 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
        bulkhead_list_reader_read (self->reader);
}

void
bulkhead_blocked_group_set_client (BulkheadBlockedGroup *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_BLOCKED_GROUP (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->reader = bulkhead_list_reader_new (client, "ListBlocked", NULL, "(aa{sv})");
    g_signal_connect_object (self->reader, "read", G_CALLBACK (on_read_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
    show (self);
}

static void
bulkhead_blocked_group_map (GtkWidget *widget)
{
    GTK_WIDGET_CLASS (bulkhead_blocked_group_parent_class)->map (widget);
    show (BULKHEAD_BLOCKED_GROUP (widget));
}

static void
bulkhead_blocked_group_dispose (GObject *object)
{
    BulkheadBlockedGroup *self = BULKHEAD_BLOCKED_GROUP (object);

    g_clear_object (&self->client);
    g_clear_object (&self->reader);
    G_OBJECT_CLASS (bulkhead_blocked_group_parent_class)->dispose (object);
}

static void
bulkhead_blocked_group_class_init (BulkheadBlockedGroupClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_blocked_group_dispose;
    widget_class->map = bulkhead_blocked_group_map;
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/blocked-group.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadBlockedGroup, list);
    gtk_widget_class_bind_template_child (widget_class, BulkheadBlockedGroup, none);
}

static void
bulkhead_blocked_group_init (BulkheadBlockedGroup *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
}
