/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of two policies is the stricter: it decides what is done first, so that a crash between
 * leaves the stricter one. Pure. */
#pragma once

#include "policy.h"

/* Whether @after lets anything out that @before does not. */
gboolean bulkhead_policy_is_weaker (const BulkheadPolicy *before, const BulkheadPolicy *after);
/* Whether one of them is the other with a pause, or with another one. */
gboolean bulkhead_policy_differs_in_pause_only (const BulkheadPolicy *a, const BulkheadPolicy *b);
