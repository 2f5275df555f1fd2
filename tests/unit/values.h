/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values as a test writes them: a text that is none ends it. */
#pragma once

#include "policy.h"

BulkheadEndpoint endpoint (const char *text);
BulkheadPrefix network (const char *text);
BulkheadException exception (const char *text);
/* @policy and one tunnel more. (transfer full) */
BulkheadPolicy *with_tunnel (const BulkheadPolicy *policy, const char *name, const char *interface);

/* It must have the code and the fragment, and be fit for a terminal and the bus.
 * @error: (transfer full) */
void assert_error (GError *error, int code, const char *fragment);
