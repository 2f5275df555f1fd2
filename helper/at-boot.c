/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "at-boot.h"

#include "error.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define FIRST_LOOK_MS 1000
#define TIMEOUT_MS 90000 /* a reload waits for the machine's generators */

static const char *const units[] = { "bulkhead-boot.service", "bulkhead.service", NULL };

struct _BulkheadAtBoot {
    GObject parent_instance;
    GDBusConnection *bus;
    guint watch;    /* of systemd on the bus */
    guint signal;   /* of what it says about unit files */
    gboolean known; /* it was looked at */
    gboolean on;
    gboolean changing;
    gboolean refused; /* another change, while that one was under way */
};

G_DEFINE_FINAL_TYPE (BulkheadAtBoot, bulkhead_at_boot, G_TYPE_OBJECT)

static guint changed_signal;

static void
call (BulkheadAtBoot *self, const char *method, GVariant *arguments, const char *reply,
      GAsyncReadyCallback callback, gpointer data)
{
    g_dbus_connection_call (self->bus, SYSTEMD, SYSTEMD_PATH, MANAGER, method, arguments,
                            G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT_MS,
                            NULL, callback, data);
}

static GVariant *
call_finish (GObject *source, GAsyncResult *result, GError **error)
{
    return g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, error);
}

static void
take (BulkheadAtBoot *self, gboolean on)
{
    gboolean changed = self->on != on;

    self->known = TRUE;
    self->on = on;
    if (changed)
        g_signal_emit (self, changed_signal, 0);
}

/* Who was refused meanwhile finds the next change free, and what is so now. */
static void
end_change (BulkheadAtBoot *self, gboolean on)
{
    gboolean tell = self->refused && self->on == on;

    self->changing = self->refused = FALSE;
    take (self, on);
    if (tell)
        g_signal_emit (self, changed_signal, 0);
}

/* ---- reading ---- */

typedef struct {
    BulkheadAtBoot *at_boot;
    GTask *change;   /* (nullable): which this reading begins or ends */
    gboolean begins; /* the change, which is to turn it on */
    guint unit;      /* that is being asked about */
} Reading;

static void
reading_free (Reading *reading)
{
    g_object_unref (reading->at_boot);
    g_clear_object (&reading->change);
    g_free (reading);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reading, reading_free)

static void read_unit (Reading *reading);
static void change_files (GTask *task);

static void
finish (const Reading *reading, gboolean on)
{
    GTask *task = reading->change;

    if (task == NULL) {
        take (reading->at_boot, on);
        return;
    }
    if (reading->begins && !on) {
        change_files (task);
        return;
    }
    end_change (reading->at_boot, on);
    if (!on == !GPOINTER_TO_INT (g_task_get_task_data (task)))
        g_task_return_boolean (task, TRUE);
    else
        g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                                 "at boot: systemd says that it is still %s", on ? "on" : "off");
}

static void
on_unit_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (Reading) reading = user_data;
    g_autoptr (GVariant) answer = call_finish (source, result, NULL);
    const char *state = "";
    gboolean enabled;

    if (answer != NULL)
        g_variant_get (answer, "(&s)", &state);
    enabled = g_str_equal (state, "enabled");
    if (enabled && units[reading->unit + 1] != NULL) {
        reading->unit++;
        read_unit (g_steal_pointer (&reading));
        return;
    }
    finish (reading, enabled);
}

/* Takes @reading. */
static void
read_unit (Reading *reading)
{
    call (reading->at_boot, "GetUnitFileState", g_variant_new ("(s)", units[reading->unit]), "(s)",
          on_unit_read_cb, reading);
}

/* @change: (nullable) (transfer full): ends when all is read, or @begins then. */
static void
look (BulkheadAtBoot *self, GTask *change, gboolean begins)
{
    Reading *reading = g_new0 (Reading, 1);

    reading->at_boot = g_object_ref (self);
    reading->change = change;
    reading->begins = begins;
    read_unit (reading);
}

static void
on_unit_files_changed_cb (GDBusConnection *bus, const char *sender, const char *path,
                          const char *interface, const char *signal, GVariant *arguments,
                          gpointer user_data)
{
    look (user_data, NULL, FALSE);
}

static void
on_systemd_appeared_cb (GDBusConnection *bus, const char *name, const char *owner,
                        gpointer user_data)
{
    /* It tells nobody of its changes before somebody wants to hear them. */
    call (user_data, "Subscribe", NULL, "()", NULL, NULL);
    look (user_data, NULL, FALSE);
}

static void
on_systemd_vanished_cb (GDBusConnection *bus, const char *name, gpointer user_data)
{
    take (user_data, FALSE);
}

/* ---- changing ---- */

static void
on_reloaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer = call_finish (source, result, &error);

    /* The files are what counts when the machine starts. */
    if (answer == NULL)
        g_warning ("systemd was not reloaded: %s", error->message);
    look (g_task_get_source_object (task), g_object_ref (task), FALSE);
}

static gboolean
is_absent (const GError *error)
{
    return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
           || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static void
on_files_changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr (GTask) task = user_data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) answer = call_finish (source, result, &error);
    BulkheadAtBoot *self = g_task_get_source_object (task);

    if (answer != NULL) {
        call (self, "Reload", NULL, "()", on_reloaded_cb, g_object_ref (task));
        return;
    }
    end_change (self, self->on);
    if (is_absent (error)) {
        g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                                 "at boot: there is no systemd on this machine; have “bulkheadd "
                                 "--boot” run before the network is set up");
        return;
    }
    g_dbus_error_strip_remote_error (error);
    g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_FAILED,
                             "at boot: systemd refuses: %s", error->message);
}

static void
change_files (GTask *task)
{
    BulkheadAtBoot *self = g_task_get_source_object (task);

    if (GPOINTER_TO_INT (g_task_get_task_data (task))) /* for good, in the place of other links */
        call (self, "EnableUnitFiles", g_variant_new ("(^asbb)", units, FALSE, TRUE), "(ba(sss))",
              on_files_changed_cb, g_object_ref (task));
    else
        call (self, "DisableUnitFiles", g_variant_new ("(^asb)", units, FALSE), "(a(sss))",
              on_files_changed_cb, g_object_ref (task));
}

void
bulkhead_at_boot_set_async (BulkheadAtBoot *self, gboolean on, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

    g_task_set_source_tag (task, bulkhead_at_boot_set_async);
    g_task_set_task_data (task, GINT_TO_POINTER (on), NULL);
    if (self->changing) {
        self->refused = TRUE;
        g_task_return_new_error (task, BULKHEAD_ERROR, BULKHEAD_ERROR_WRONG_STATE,
                                 "at boot: another change of it is under way");
        return;
    }
    self->changing = TRUE;
    /* Whoever may turn it on without a password must not keep systemd reloading. */
    if (on)
        look (self, g_object_ref (task), TRUE);
    else
        change_files (task);
}

gboolean
bulkhead_at_boot_set_finish (BulkheadAtBoot *self, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
    return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
bulkhead_at_boot_is_on (BulkheadAtBoot *self)
{
    return self->on;
}

/* ---- life ---- */

static void
bulkhead_at_boot_dispose (GObject *object)
{
    BulkheadAtBoot *self = BULKHEAD_AT_BOOT (object);

    if (self->signal != 0)
        g_dbus_connection_signal_unsubscribe (self->bus, self->signal);
    self->signal = 0;
    g_clear_handle_id (&self->watch, g_bus_unwatch_name);
    g_clear_object (&self->bus);
    G_OBJECT_CLASS (bulkhead_at_boot_parent_class)->dispose (object);
}

static void
bulkhead_at_boot_class_init (BulkheadAtBootClass *class)
{
    G_OBJECT_CLASS (class)->dispose = bulkhead_at_boot_dispose;
    changed_signal = g_signal_new ("changed", BULKHEAD_TYPE_AT_BOOT, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
bulkhead_at_boot_init (BulkheadAtBoot *self)
{
}

static gboolean
on_first_look_late_cb (gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
wait_for_first_look (BulkheadAtBoot *self)
{
    gboolean late = FALSE;
    guint timeout = g_timeout_add (FIRST_LOOK_MS, on_first_look_late_cb, &late);

    while (!self->known && !late)
        g_main_context_iteration (NULL, TRUE);
    if (!late)
        g_source_remove (timeout);
}

BulkheadAtBoot *
bulkhead_at_boot_new (GDBusConnection *bus)
{
    BulkheadAtBoot *self = g_object_new (BULKHEAD_TYPE_AT_BOOT, NULL);

    self->bus = g_object_ref (bus);
    self->signal = g_dbus_connection_signal_subscribe (bus, SYSTEMD, MANAGER, "UnitFilesChanged",
                                                       SYSTEMD_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                       on_unit_files_changed_cb, self, NULL);
    self->watch =
        g_bus_watch_name_on_connection (bus, SYSTEMD, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                        on_systemd_appeared_cb, on_systemd_vanished_cb, self, NULL);
    wait_for_first_look (self);
    return self;
}
