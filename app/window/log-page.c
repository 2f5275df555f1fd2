/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-page.h"

#include "list-reader.h"
#include "log-event.h"

#include <glib/gi18n.h>

#define LIMIT 1000          /* events */
#define INTERVAL_SECONDS 10 /* between readings while it is shown and nothing is told */

struct _BulkheadLogPage {
    AdwBin parent_instance;

    GtkSearchEntry *search;
    GtkStack *stack; /* "events" or "nothing" */
    AdwStatusPage *nothing;
    GListStore *events;
    GtkFilterListModel *found;

    BulkheadListReader *reader;
    guint timeout; /* until the next reading; 0: it is not shown */
    char *problem; /* why there is no log; NULL: there is one, or none was asked for */
};

G_DEFINE_FINAL_TYPE (BulkheadLogPage, bulkhead_log_page, ADW_TYPE_BIN)

/* Nothing found among the newest is not nothing at all. */
static char *
tell_limit (BulkheadLogPage *self)
{
    if (g_list_model_get_n_items (G_LIST_MODEL (self->events)) < LIMIT)
        return NULL;
    /* Translators: %d is a large number. */
    return g_strdup_printf (_ ("The newest %d events were searched. “bulkheadctl log --limit 0” "
                               "tells more."),
                            LIMIT);
}

static void
show (BulkheadLogPage *self)
{
    g_autofree char *limit = tell_limit (self);
    gboolean found = g_list_model_get_n_items (G_LIST_MODEL (self->found)) > 0;
    gboolean some = g_list_model_get_n_items (G_LIST_MODEL (self->events)) > 0;

    adw_status_page_set_title (self->nothing, self->problem != NULL ? _ ("The Log Is Not Known")
                                              : some                ? _ ("Nothing Found")
                                                                    : _ ("Nothing Happened Yet"));
    adw_status_page_set_description (self->nothing, self->problem != NULL ? self->problem : limit);
    gtk_stack_set_visible_child_name (self->stack, found ? "events" : "nothing");
}

/* The helper tells the oldest first. */
static void
take (BulkheadLogPage *self, GVariant *lines)
{
    gsize n = g_variant_n_children (lines);
    g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func (g_object_unref);

    for (gsize i = n; i > 0; i--) {
        const char *line;

        g_variant_get_child (lines, i - 1, "&s", &line);
        g_ptr_array_add (events, bulkhead_log_event_new (line));
    }
    g_list_store_splice (self->events, 0, g_list_model_get_n_items (G_LIST_MODEL (self->events)),
                         events->pdata, events->len);
}

static void
on_read_cb (BulkheadLogPage *self, GVariant *answer, const char *problem)
{
    g_autoptr (GVariant) lines = NULL;

    g_free (self->problem);
    /* As markup, which a status page takes. */
    self->problem = problem != NULL ? g_markup_escape_text (problem, -1) : NULL;
    if (answer != NULL) {
        lines = g_variant_get_child_value (answer, 0);
        take (self, lines);
    } else {
        g_list_store_remove_all (self->events);
    }
    show (self);
}

/* What an event comes with: of all that the helper tells, only BlockedCount is not in the log. */
static void
on_client_changed_cb (BulkheadLogPage *self)
{
    static const char *const properties[] = { "State",  "Locked", "Closed", "PausedUntil", "Lan",
                                              "AtBoot", "Ready",  "Fixed",  "Revision",    NULL };

    if (self->timeout != 0)
        bulkhead_list_reader_follow (self->reader, properties);
}

static void
on_tampered_cb (BulkheadLogPage *self)
{
    if (self->timeout != 0)
        bulkhead_list_reader_read (self->reader);
}

/* Some events are told by nothing, as that somebody was refused. */
static gboolean
on_time_to_read_cb (gpointer data)
{
    bulkhead_list_reader_read (BULKHEAD_LOG_PAGE (data)->reader);
    return G_SOURCE_CONTINUE;
}

static void
on_search_stopped_cb (BulkheadLogPage *self)
{
    gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

void
bulkhead_log_page_search (BulkheadLogPage *self)
{
    g_return_if_fail (BULKHEAD_IS_LOG_PAGE (self));

    gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

void
bulkhead_log_page_set_client (BulkheadLogPage *self, BulkheadClient *client)
{
    g_return_if_fail (BULKHEAD_IS_LOG_PAGE (self));
    g_return_if_fail (self->reader == NULL);

    self->reader =
        bulkhead_list_reader_new (client, "GetLog", g_variant_new ("(u)", LIMIT), "(as)");
    g_signal_connect_object (self->reader, "read", G_CALLBACK (on_read_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "changed", G_CALLBACK (on_client_changed_cb), self,
                             G_CONNECT_SWAPPED);
    g_signal_connect_object (client, "tampered", G_CALLBACK (on_tampered_cb), self,
                             G_CONNECT_SWAPPED);
}

static void
bulkhead_log_page_map (GtkWidget *widget)
{
    BulkheadLogPage *self = BULKHEAD_LOG_PAGE (widget);

    GTK_WIDGET_CLASS (bulkhead_log_page_parent_class)->map (widget);
    self->timeout = g_timeout_add_seconds (INTERVAL_SECONDS, on_time_to_read_cb, self);
    bulkhead_list_reader_read (self->reader);
}

static void
bulkhead_log_page_unmap (GtkWidget *widget)
{
    g_clear_handle_id (&BULKHEAD_LOG_PAGE (widget)->timeout, g_source_remove);
    GTK_WIDGET_CLASS (bulkhead_log_page_parent_class)->unmap (widget);
}

static void
bulkhead_log_page_dispose (GObject *object)
{
    BulkheadLogPage *self = BULKHEAD_LOG_PAGE (object);

    g_clear_object (&self->reader);
    g_clear_pointer (&self->problem, g_free);
    G_OBJECT_CLASS (bulkhead_log_page_parent_class)->dispose (object);
}

static void
bulkhead_log_page_class_init (BulkheadLogPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

    G_OBJECT_CLASS (class)->dispose = bulkhead_log_page_dispose;
    widget_class->map = bulkhead_log_page_map;
    widget_class->unmap = bulkhead_log_page_unmap;
    g_type_ensure (BULKHEAD_TYPE_LOG_EVENT);
    gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_template_from_resource (widget_class,
                                                 "/org/bulkhead/bulkhead/log-page.ui");
    gtk_widget_class_bind_template_child (widget_class, BulkheadLogPage, search);
    gtk_widget_class_bind_template_child (widget_class, BulkheadLogPage, stack);
    gtk_widget_class_bind_template_child (widget_class, BulkheadLogPage, nothing);
    gtk_widget_class_bind_template_child (widget_class, BulkheadLogPage, events);
    gtk_widget_class_bind_template_child (widget_class, BulkheadLogPage, found);
    gtk_widget_class_bind_template_callback (widget_class, on_search_stopped_cb);
}

static void
bulkhead_log_page_init (BulkheadLogPage *self)
{
    gtk_widget_init_template (GTK_WIDGET (self));
    g_signal_connect_object (self->found, "items-changed", G_CALLBACK (show), self,
                             G_CONNECT_SWAPPED);
}
