/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A shell that comes from another machine: a lock ends it, and nobody is there to unlock. */
#pragma once

#include "ctl.h"

/*
 * Whether to lock: TRUE unless this shell comes over SSH, through no trusted tunnel and from no
 * exception, and the person in it does not want it to end. Without a terminal it only warns:
 * scripts lock.
 */
gboolean bulkhead_remote_agrees (BulkheadCtl *ctl);
