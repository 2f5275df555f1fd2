/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of two policies is the stricter: it decides what is done first, so that a crash between
 * leaves the stricter one. Pure. */
#pragma once

#include "policy.h"

/* Whether @after lets anything out that @before does not. */
gboolean bulkhead_policy_is_weaker (const BulkheadPolicy *before, const BulkheadPolicy *after);
