/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bulkhead-policy(5). What the administrator fixed, as a value: settings that no user changes, each
 * with the file that fixed it. The user's own settings stay stored beneath, and count again when a
 * file is gone. Pure: text in, policy in, policy out.
 */
#pragma once

#include "policy.h"

/* The settings that can be fixed; the words for them are for scripts. */
typedef enum {
    BULKHEAD_SETTING_LOCK,             /* "lock": on; then there is no pause either */
    BULKHEAD_SETTING_AT_BOOT,          /* "at-boot" */
    BULKHEAD_SETTING_LAN,              /* "lan" */
    BULKHEAD_SETTING_LAN_CGNAT,        /* "lan-cgnat" */
    BULKHEAD_SETTING_LAN_PORT_MAPPING, /* "lan-port-mapping" */
    BULKHEAD_SETTING_EXCEPTIONS,       /* "exceptions": these and no others */
    BULKHEAD_SETTING_TUNNELS,          /* "tunnels": these and no others */
    BULKHEAD_SETTING_LAST = BULKHEAD_SETTING_TUNNELS,
} BulkheadSetting;

#define BULKHEAD_SETTINGS (BULKHEAD_SETTING_LAST + 1)

typedef struct {
    BulkheadPolicy *policy;            /* the fixed settings; in it the others mean nothing */
    gboolean at_boot;                  /* when that is fixed */
    char *fixed_by[BULKHEAD_SETTINGS]; /* the file; NULL: the user's own affair */
    gboolean keeps[BULKHEAD_SETTINGS]; /* fixed to what it is, whatever that may be */
    char *problem;                     /* why a file cannot be used, or NULL */
} BulkheadManaged;

/* Fixes nothing. */
BulkheadManaged *bulkhead_managed_new (void);
BulkheadManaged *bulkhead_managed_copy (const BulkheadManaged *managed);
void bulkhead_managed_free (BulkheadManaged *managed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadManaged, bulkhead_managed_free)

/*
 * Takes in the text of one more file, to be named as @file. What it says goes before what earlier
 * files said: by key, in [exceptions] by service, tunnels whole. STATE_UNREADABLE, naming group,
 * key, value and reason: then @managed is as before. (managed-text.c)
 */
gboolean bulkhead_managed_add (BulkheadManaged *managed, const char *file, const char *text,
                               gsize length, GError **error);
/*
 * For when a file cannot be used and nobody knows what it would fix: everything is fixed. Locked,
 * LAN closed, no exceptions; the tunnels and what is done at boot stay as they are, so that the
 * repair can come through the tunnel.
 */
void bulkhead_managed_close (BulkheadManaged *managed, const char *file);
gboolean bulkhead_managed_equal (const BulkheadManaged *a, const BulkheadManaged *b);
/* Replaces the problem; NULL: there is none. */
void bulkhead_managed_set_problem (BulkheadManaged *managed, const char *problem);

gboolean bulkhead_managed_fixes (const BulkheadManaged *managed, BulkheadSetting setting);
/* The words of the fixed settings, in the order of the enumeration. (transfer full) */
GStrv bulkhead_managed_list (const BulkheadManaged *managed);

/* Whether the lock is to be there before the network at the next start, when it is @now. */
gboolean bulkhead_managed_at_boot (const BulkheadManaged *managed, gboolean now);
/* What is in force when @own is what the user wants. */
BulkheadPolicy *bulkhead_managed_apply (const BulkheadManaged *managed, const BulkheadPolicy *own);
/* The opposite: what to keep as the user's own when @wanted shall be in force. Fixed settings stay
 * as they are in @own. */
BulkheadPolicy *bulkhead_managed_take_own (const BulkheadManaged *managed,
                                           const BulkheadPolicy *own, const BulkheadPolicy *wanted);
/* FALSE and FIXED, naming setting and file, when @wanted differs from what is in force @now in
 * something fixed. */
gboolean bulkhead_managed_check (const BulkheadManaged *managed, const BulkheadPolicy *now,
                                 const BulkheadPolicy *wanted, GError **error);
/* The same for one setting that is not of the policy, or that is refused before it is known what
 * is wanted. */
gboolean bulkhead_managed_check_free (const BulkheadManaged *managed, BulkheadSetting setting,
                                      GError **error);
