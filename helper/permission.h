/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one table of who may call what: method, and for some its arguments -> permission -> polkit
 * action. A call without a row is denied. It only says; authority.c asks.
 */
#pragma once

#include <glib.h>

typedef enum {
    BULKHEAD_PERMISSION_READ,           /* anybody; addresses only to those who may see them */
    BULKHEAD_PERMISSION_READ_ADDRESSES, /* has nothing but addresses to tell */
    BULKHEAD_PERMISSION_STRENGTHEN,     /* closes something */
    BULKHEAD_PERMISSION_WEAKEN,         /* opens something, or changes what a person has set */
    BULKHEAD_PERMISSION_AUTHORIZE,      /* lets the caller weaken from now on */
    BULKHEAD_PERMISSION_REVOKE,         /* the caller's own is free, another's is a setting */
} BulkheadPermission;

typedef struct {
    const char *method;
    BulkheadPermission permission;
    const char *message; /* what the person who is asked for a password reads; NULL: the action's */
    const char *only;    /* the arguments this row is for, as GVariant text; NULL: any */
} BulkheadRule;

/* @arguments: the call's, a tuple. Returns: NULL: nobody may. */
const BulkheadRule *bulkhead_permission_find (const char *method, GVariant *arguments);

/* The action that is checked for a caller who is @granted or not. */
const char *bulkhead_permission_action (BulkheadPermission permission, gboolean granted);

/* Only what changes something is worth a person's password. */
gboolean bulkhead_permission_may_ask (BulkheadPermission permission);
