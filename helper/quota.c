/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quota.h"

struct _BulkheadQuotas {
    BulkheadQuota each;   /* of which nothing is taken */
    GHashTable *of_users; /* uid -> BulkheadQuota */
};

gboolean
bulkhead_quota_take (BulkheadQuota *quota, gint64 now)
{
    if (quota->taken == 0 || now - quota->since >= quota->span) {
        quota->since = now;
        quota->taken = 0;
    }
    if (quota->taken >= quota->max)
        return FALSE;
    quota->taken++;
    return TRUE;
}

BulkheadQuotas *
bulkhead_quotas_new (guint max, gint64 span)
{
    BulkheadQuotas *quotas = g_new0 (BulkheadQuotas, 1);

    quotas->each = (BulkheadQuota){ .max = max, .span = span };
    quotas->of_users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
    return quotas;
}

void
bulkhead_quotas_free (BulkheadQuotas *quotas)
{
    g_hash_table_unref (quotas->of_users);
    g_free (quotas);
}

static gboolean
is_over (gpointer uid, gpointer quota, gpointer now)
{
    const BulkheadQuota *is = quota;

    return *(const gint64 *)now - is->since >= is->span;
}

gboolean
bulkhead_quotas_take (BulkheadQuotas *quotas, guint32 uid, gint64 now)
{
    BulkheadQuota *quota = g_hash_table_lookup (quotas->of_users, GUINT_TO_POINTER (uid));

    if (quota == NULL) {
        g_hash_table_foreach_remove (quotas->of_users, is_over, &now);
        if (g_hash_table_size (quotas->of_users) == BULKHEAD_QUOTA_USERS)
            return FALSE;
        quota = g_memdup2 (&quotas->each, sizeof quotas->each);
        g_hash_table_insert (quotas->of_users, GUINT_TO_POINTER (uid), quota);
    }
    return bulkhead_quota_take (quota, now);
}
