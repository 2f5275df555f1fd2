/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "warnings-group.h"

#include "list-reader.h"

#include <glib/gi18n.h>

struct _BulkheadWarningsGroup {
    AdwPreferencesGroup parent_instance;

    AdwExpanderRow *weak_row;

    BulkheadClient *client;
    BulkheadListReader *reader;
    GPtrArray *rows; /* of the weak row; it owns them */
    GStrv weakened;  /* what they tell; NULL: nothing yet */
};

enum { SIGNAL_MANAGED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadWarningsGroup, bulkhead_warnings_group, ADW_TYPE_PREFERENCES_GROUP)

/* Features by the names that GetStatus has for them. */
static const struct {
    const char *feature;
    const char *text;
} meanings[] = {
    { "egress", N_ ("Virtual machines that share the network card directly, and programs with "
                    "full rights that build their own packets, are not stopped.") },
    { "log", N_ ("Bulkhead cannot tell what was refused, so nothing is listed here.") },
    { "owner", N_ ("Another program with full rights can remove the rules. Bulkhead puts them back "
                   "at once and tells you.") },
};

static char *
meaning_of (const char *feature)
{
    for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++)
        if (g_str_equal (feature, meanings[i].feature))
            return g_strdup (_ (meanings[i].text));
    /* Translators: %s is the English name of something that this version does not know. */
    return g_strdup_printf (_ ("The kernel lacks “%s”."), feature);
}

static void
show_weakened (BulkheadWarningsGroup *self, const char *const *features)
{
    guint n = g_strv_length ((char **)features);
    g_autofree char *subtitle =
        g_strdup_printf (ngettext ("The Linux kernel of this computer lacks %u feature.",
                                   "The Linux kernel of this computer lacks %u features.", n),
                         n);

    if (self->weakened != NULL && g_strv_equal ((const char *const *)self->weakened, features))
        return; /* what is shown keeps the focus */
    g_strfreev (self->weakened);
    self->weakened = g_strdupv ((char **)features);
    for (guint i = 0; i < self->rows->len; i++)
        adw_expander_row_remove (self->weak_row, g_ptr_array_index (self->rows, i));
    g_ptr_array_set_size (self->rows, 0);
    for (guint i = 0; i < n; i++) {
        g_autofree char *text = meaning_of (features[i]);
        GtkWidget *row =
            g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title-lines", 0, NULL);

        adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), text);
        adw_expander_row_add_row (self->weak_row, row);
        g_ptr_array_add (self->rows, row);
    }
    adw_expander_row_set_subtitle (self->weak_row, subtitle);
}

/* @answer: (a{sv}), or NULL with the reason: then the state card tells. */
static void
on_read_cb (BulkheadWarningsGroup *self, GVariant *answer, const char *reason)
{
    g_autoptr (GVariant) status = NULL;
    g_autofree const char **weakened = NULL;
    static const char *const none[] = { NULL };
    const char *problem = "";

    if (answer != NULL) {
        status = g_variant_get_child_value (answer, 0);
        g_variant_lookup (status, "weakened", "^a&s", &weakened);
        g_variant_lookup (status, "managed_problem", "&s", &problem);
    }
    show_weakened (self, weakened != NULL ? weakened : none);
    gtk_widget_set_visible (GTK_WIDGET (self), *self->weakened != NULL);
    g_signal_emit (self, signals[SIGNAL_MANAGED], 0, problem);
}

/* The helper reads the kernel to answer: it is asked when there may be news, and not each time
 * that something was refused. */
static void
on_changed_cb (BulkheadWarningsGroup *self)
{
    bulkhead_list_reader_follow (self->reader, (const char *const[]){ "Revision", NULL });
}

void
bulkhead_warnings_group_set_client (BulkheadWarningsGroup *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_WARNINGS_GROUP (self));
    g_return_if_fail (self->client == NULL);

    self->client = g_object_ref (client);
    self->reader = bulkhead_list_reader_new (client, "GetStatus", NULL, "(a{sv})");
    g_signal_connect_object (self->reader, "read", G_CALLBACK (on_read_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_changed_cb), self,
                             G_CONNECT_SWAPPED);
    on_changed_cb (self);
}

static void
bulkhead_warnings_group_dispose (GObject *object)
{
    BulkheadWarningsGroup *self = BULKHEAD_WARNINGS_GROUP (object);

    g_clear_object (&self->client);
    g_clear_object (&self->reader);
    G_OBJECT_CLASS (bulkhead_warnings_group_parent_class)->dispose (object);
}

static void
bulkhead_warnings_group_finalize (GObject *object)
{
    BulkheadWarningsGroup *self = BULKHEAD_WARNINGS_GROUP (object);

    g_clear_pointer (&self->rows, g_ptr_array_unref);
    g_strfreev (self->weakened);
    G_OBJECT_CLASS (bulkhead_warnings_group_parent_class)->finalize (object);
}

static void
bulkhead_warnings_group_class_init (BulkheadWarningsGroupClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_warnings_group_dispose;
    G_OBJECT_CLASS (class)->finalize = bulkhead_warnings_group_finalize;
    signals[SIGNAL_MANAGED] =
        g_signal_new ("managed", BULKHEAD_TYPE_WARNINGS_GROUP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                      NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/warnings-group.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadWarningsGroup, weak_row);
}

static void
bulkhead_warnings_group_init (BulkheadWarningsGroup *self)
{
    self->rows = g_ptr_array_new ();
    gtk_widget_init_template (GTK_WIDGET (self));
}
