/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What callers send, made into values or refused: an unknown key, a wrong type, a key given
 * twice or left out is INVALID_ARGUMENT with a message that names the key.
 */
#pragma once

#include "policy.h"

/* AddTunnel's, good in itself (policy.h). @ret_has_kind: whether the caller said which kind.
 * (transfer full) */
BulkheadTunnel *bulkhead_arguments_tunnel (GVariant *options, gboolean *ret_has_kind,
                                           GError **error);
/* SetLan's. What is left out stays as it is in @cgnat and @port_mapping. */
gboolean bulkhead_arguments_lan (GVariant *options, gboolean *cgnat, gboolean *port_mapping,
                                 GError **error);
/* Returns: (element-type BulkheadException) (transfer full): all of them, or NULL. */
GArray *bulkhead_arguments_exceptions (GVariant *texts, GError **error);
