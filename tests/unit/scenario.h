/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A policy and a net from a golden test's input file; see tests/golden/README.md. */
#pragma once

#include "net.h"
#include "policy.h"

typedef struct {
    BulkheadPolicy *policy;
    BulkheadNet *net;
} Scenario;

/* Aborts the test with the reason when the file is not a scenario. */
Scenario *scenario_load (const char *path);
void scenario_free (Scenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scenario, scenario_free)

/* The scenarios' paths without their ending, sorted. (transfer full) */
GStrv scenario_list (void);
