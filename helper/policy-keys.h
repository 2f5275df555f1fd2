/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of a policy's text, read from a key file: shared by the stored policy (policy-text.c)
 * and by the administrator's files (managed-text.c). Every error is STATE_UNREADABLE and names
 * group, key, value and reason. Pure.
 */
#pragma once

#include "policy.h"

#define BULKHEAD_KEYS_MAIN "bulkhead"
#define BULKHEAD_KEYS_EXCEPTIONS "exceptions"
#define BULKHEAD_KEYS_TUNNEL_PREFIX "tunnel "
#define BULKHEAD_KEYS_TEXT_MAX (16 * 1024 * 1024) /* the largest policy stays below 10 MiB */

/* Says "[GROUP] KEY “VALUE”: REASON"; key and value may be NULL. @group goes into the message as it
 * is, so it must be known or checked. Returns FALSE. */
gboolean bulkhead_keys_refuse (GError **error, const char *group, const char *key,
                               const char *value, const char *reason);
/* What a check refused is STATE_UNREADABLE here, with the place before it. Takes @cause. */
gboolean bulkhead_keys_refuse_cause (GError **error, const char *group, const char *key,
                                     GError *cause);

/* The value as it stands there: a text that needs an escape is none of ours. (transfer full) */
char *bulkhead_keys_value (GKeyFile *file, const char *group, const char *key, GError **error);
/* A key of the main group: "true" or "false". */
gboolean bulkhead_keys_boolean (GKeyFile *file, const char *key, gboolean *ret, GError **error);
/* The tunnel of @group, which begins with the prefix; all its keys must be there. Whether it fits
 * into a policy is not asked. (transfer full) */
BulkheadTunnel *bulkhead_keys_tunnel (GKeyFile *file, const char *group, GError **error);
/* Adds what stands under @key, as "tcp" or "tcp-443", to @exceptions, an array of
 * BulkheadException. */
gboolean bulkhead_keys_exceptions (GKeyFile *file, const char *key, GArray *exceptions,
                                   GError **error);
/* The word for @kind. */
const char *bulkhead_keys_kind (BulkheadTunnelKind kind);
