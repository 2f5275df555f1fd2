/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quota.h"

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
