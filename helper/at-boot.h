/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the stored lock is put into the kernel before the network is set up, the next time the
 * machine starts. The truth is systemd's: bulkhead-boot.service and bulkhead.service are enabled.
 * Nothing is kept here but what systemd said last, and it says so whenever somebody changes it.
 * The files are systemd's to write, over the bus.
 */
#pragma once

#include <gio/gio.h>

#define BULKHEAD_TYPE_AT_BOOT (bulkhead_at_boot_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadAtBoot, bulkhead_at_boot, BULKHEAD, AT_BOOT, GObject)

/*
 * Returns after the first look, or without it after a second. Without systemd it is off.
 * Signal "changed": what bulkhead_at_boot_is_on() tells is another, or a change that was refused
 * because of another one can be made now.
 */
BulkheadAtBoot *bulkhead_at_boot_new (GDBusConnection *bus);
gboolean bulkhead_at_boot_is_on (BulkheadAtBoot *at_boot);

/* One change at a time. Answers when systemd was read to have made it; what is on already is not
 * turned on again. */
void bulkhead_at_boot_set_async (BulkheadAtBoot *at_boot, gboolean on, GAsyncReadyCallback callback,
                                 gpointer user_data);
/* FALSE: WRONG_STATE while another change is under way; FAILED with systemd's reason, or because
 * there is no systemd. */
gboolean bulkhead_at_boot_set_finish (BulkheadAtBoot *at_boot, GAsyncResult *result,
                                      GError **error);
