/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * So many in a span of time and no more: what others cause as often as they like must not fill the
 * log. A span begins with the first one that is outside the last. Pure.
 */
#pragma once

#include <glib.h>

typedef struct {
    guint max;
    gint64 span;  /* µs */
    gint64 since; /* where the span began; of nothing while none is taken */
    guint taken;
} BulkheadQuota;

typedef struct _BulkheadQuotas BulkheadQuotas;

/* Whether there is one more at @now, in µs of a clock that only goes on; then it is taken. */
gboolean bulkhead_quota_take (BulkheadQuota *quota, gint64 now);

/* A quota of each user, of whom at most this many take in a span; whoever comes then has none. */
#define BULKHEAD_QUOTA_USERS 8

BulkheadQuotas *bulkhead_quotas_new (guint max, gint64 span);
void bulkhead_quotas_free (BulkheadQuotas *quotas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadQuotas, bulkhead_quotas_free)

gboolean bulkhead_quotas_take (BulkheadQuotas *quotas, guint32 uid, gint64 now);
