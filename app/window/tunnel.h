/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tunnel as the helper tells of it. Its id stays; the facts are replaced with each reading.
 */
#pragma once

#include <glib-object.h>

#define BULKHEAD_TYPE_TUNNEL (bulkhead_tunnel_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadTunnel, bulkhead_tunnel, BULKHEAD, TUNNEL, GObject)

/* @facts: the dictionary as ListTunnels gives it. */
BulkheadTunnel *bulkhead_tunnel_new (GVariant *facts);
/* The id in @facts, "" if there is none. (transfer full) */
char *bulkhead_tunnel_dup_id (GVariant *facts);

/* Notifies of "facts" each time: what is said of the same ones changes with time. */
void bulkhead_tunnel_set_facts (BulkheadTunnel *self, GVariant *facts);
/* (transfer none) */
GVariant *bulkhead_tunnel_get_facts (BulkheadTunnel *self);
const char *bulkhead_tunnel_get_id (BulkheadTunnel *self);
gboolean bulkhead_tunnel_is_trusted (BulkheadTunnel *self);
gboolean bulkhead_tunnel_is_up (BulkheadTunnel *self);
