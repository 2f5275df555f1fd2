/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "list-reader.h"

#include "words.h"

struct _BulkheadListReader {
    GObject parent_instance;

    BulkheadClient *client;
    char *method;
    GVariant *arguments;
    char *reply;

    GCancellable *reading; /* NULL: no reading is under way */
    gboolean again;        /* another one is wanted after it */
    GVariant *cause;       /* a{sv} that it followed; NULL: none, or the reading failed */
    GVariant *last;        /* what was told; NULL: none, or a problem */
    char *problem;
};

enum { SIGNAL_READ, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BulkheadListReader, bulkhead_list_reader, G_TYPE_OBJECT)

static gboolean
is_same (BulkheadListReader *self, GVariant *answer, const char *problem)
{
    if (answer == NULL || self->last == NULL)
        return answer == self->last && g_strcmp0 (problem, self->problem) == 0;
    return g_variant_equal (answer, self->last);
}

static void
tell (BulkheadListReader *self, GVariant *answer, const char *problem)
{
    if (is_same (self, answer, problem))
        return;
    g_clear_pointer (&self->last, g_variant_unref);
    g_free (self->problem);
    self->last = answer != NULL ? g_variant_ref (answer) : NULL;
    self->problem = g_strdup (problem);
    g_signal_emit (self, signals[SIGNAL_READ], 0, answer, problem);
}

static void
on_answered_cb (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer =
        bulkhead_client_call_finish (BULKHEAD_CLIENT (source), result, &error);
    g_autofree char *problem = answer == NULL ? bulkhead_words_error (error) : NULL;
    g_autoptr (BulkheadListReader) self = NULL;

    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* then there may be no reader any more */
    self = g_object_ref (data);
    g_clear_object (&self->reading);
    if (answer == NULL)
        g_clear_pointer (&self->cause, g_variant_unref);
    tell (self, answer, problem);
    if (self->again)
        bulkhead_list_reader_read (self);
}

void
bulkhead_list_reader_read (BulkheadListReader *self)
{
    g_return_if_fail (BULKHEAD_IS_LIST_READER (self));

    self->again = self->reading != NULL;
    if (self->again)
        return;
    self->reading = g_cancellable_new ();
    bulkhead_client_read_async (self->client, self->method, self->arguments, self->reply,
                                self->reading, on_answered_cb, self);
}

/* As a{sv}; what is not known is left out. */
static GVariant *
values_of (BulkheadClient *client, const char *const *properties)
{
    GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

    for (gsize i = 0; properties[i] != NULL; i++) {
        g_autoptr (GVariant) value = bulkhead_client_get_value (client, properties[i], "*");

        if (value != NULL)
            g_variant_builder_add (&builder, "{sv}", properties[i], value);
    }
    return g_variant_ref_sink (g_variant_builder_end (&builder));
}

void
bulkhead_list_reader_follow (BulkheadListReader *self, const char *const *properties)
{
    g_autoptr (GVariant) cause = NULL;

    g_return_if_fail (BULKHEAD_IS_LIST_READER (self));

    cause = values_of (self->client, properties);
    if (self->cause != NULL && g_variant_equal (cause, self->cause))
        return;
    g_clear_pointer (&self->cause, g_variant_unref);
    self->cause = g_steal_pointer (&cause);
    bulkhead_list_reader_read (self);
}

void
bulkhead_list_reader_repeat (BulkheadListReader *self)
{
    g_autoptr (GVariant) answer = NULL;
    g_autofree char *problem = NULL;

    g_return_if_fail (BULKHEAD_IS_LIST_READER (self));

    answer = self->last != NULL ? g_variant_ref (self->last) : NULL;
    problem = g_strdup (self->problem);
    if (answer != NULL || problem != NULL)
        g_signal_emit (self, signals[SIGNAL_READ], 0, answer, problem);
}

static void
bulkhead_list_reader_dispose (GObject *object)
{
    BulkheadListReader *self = BULKHEAD_LIST_READER (object);

    if (self->reading != NULL)
        g_cancellable_cancel (self->reading);
    g_clear_object (&self->reading);
    g_clear_object (&self->client);
    G_OBJECT_CLASS (bulkhead_list_reader_parent_class)->dispose (object);
}

static void
bulkhead_list_reader_finalize (GObject *object)
{
    BulkheadListReader *self = BULKHEAD_LIST_READER (object);

    g_clear_pointer (&self->arguments, g_variant_unref);
    g_clear_pointer (&self->last, g_variant_unref);
    g_clear_pointer (&self->cause, g_variant_unref);
    g_free (self->method);
    g_free (self->reply);
    g_free (self->problem);
    G_OBJECT_CLASS (bulkhead_list_reader_parent_class)->finalize (object);
}

static void
bulkhead_list_reader_class_init (BulkheadListReaderClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_list_reader_dispose;
    G_OBJECT_CLASS (class)->finalize = bulkhead_list_reader_finalize;
    signals[SIGNAL_READ] =
        g_signal_new ("read", BULKHEAD_TYPE_LIST_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                      G_TYPE_NONE, 2, G_TYPE_VARIANT, G_TYPE_STRING);
}

static void
bulkhead_list_reader_init (BulkheadListReader *self)
{
}

BulkheadListReader *
bulkhead_list_reader_new (BulkheadClient *client, const char *method, GVariant *arguments,
                          const char *reply)
{
    BulkheadListReader *self = g_object_new (BULKHEAD_TYPE_LIST_READER, NULL);

    self->client = g_object_ref (client);
    self->method = g_strdup (method);
    self->arguments = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
    self->reply = g_strdup (reply);
    return self;
}
