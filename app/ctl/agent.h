/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A password prompt on this terminal, for polkit to use when no desktop has one. The only part of
 * the program that sees polkit; it decides nothing.
 */
#pragma once

#include <glib.h>

typedef struct _BulkheadAgent BulkheadAgent;

/* Whether there is a terminal, and a user who could be asked. */
gboolean bulkhead_agent_is_possible (void);
/* Returns: NULL when polkit does not take it; then nobody can be asked here. */
BulkheadAgent *bulkhead_agent_new (void);
void bulkhead_agent_free (BulkheadAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadAgent, bulkhead_agent_free)
