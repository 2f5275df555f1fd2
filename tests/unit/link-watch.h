/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links in a network namespace of the test alone, made by ip(8) and watched by BulkheadLinks. */
#pragma once

#include "links.h"

#define SETTLE_MS 60 /* 5 ms are promised; the rest is for a machine that is busy */

/* Two links that are up, without an address. */
#define MAKE                                                                                       \
    "link add vea type veth peer name veb\n"                                                       \
    "link set vea addrgenmode none\n"                                                              \
    "link set veb addrgenmode none\n"                                                              \
    "link set vea up\n"                                                                            \
    "link set veb up\n"

/* Runs "ip -batch" over @lines. */
void ip (const char *lines);
/* The same line @n times, with %u counting from 1. (transfer full) */
char *repeat (const char *format, guint n);

/* Watches a new and empty network namespace; the one before goes with all that is in it. */
BulkheadLinks *watch (void);
BulkheadNet *read_net (BulkheadLinks *links);
/* Runs the main loop so long. Returns: how often "changed" came. */
guint count_changes (BulkheadLinks *links, guint milliseconds);
