/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A menu that a panel draws, over com.canonical.dbusmenu. Its structure is fixed when it is made,
 * with ids that mean the same item for ever; only how items look changes. Panels are careful with
 * neither order nor ids, so every call is answered or refused in words.
 */
#pragma once

#include <gio/gio.h>

typedef enum {
    BULKHEAD_MENU_ITEM,
    BULKHEAD_MENU_CHECK,
    BULKHEAD_MENU_SEPARATOR,
    BULKHEAD_MENU_SUBMENU,
} BulkheadMenuKind;

/* A row of the fixed structure. The root is 0 and in no row. */
typedef struct {
    int id;     /* greater than 0 */
    int parent; /* 0, or the id of a submenu in an earlier row */
    BulkheadMenuKind kind;
} BulkheadMenuRow;

/* How an item looks. */
typedef struct {
    const char *label; /* "_" before the letter to press; NULL for a separator */
    gboolean disabled;
    gboolean hidden;
    int checked; /* of a check: 1, 0, or -1 when that is not known */
} BulkheadMenuLook;

#define BULKHEAD_TYPE_DBUSMENU (bulkhead_dbusmenu_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadDbusmenu, bulkhead_dbusmenu, BULKHEAD, DBUSMENU, GObject)

/*
 * @rows: borrowed, for the life of the menu.
 * Signals:
 *   "clicked" (int id): an item that is neither disabled nor hidden, and in nothing that is.
 *   "opening" (): somebody is about to look at it.
 */
BulkheadDbusmenu *bulkhead_dbusmenu_new (GDBusConnection *bus, const char *path,
                                         const BulkheadMenuRow *rows, guint n_rows, GError **error);

/* Shown together with all other changes by bulkhead_dbusmenu_flush(). */
void bulkhead_dbusmenu_set (BulkheadDbusmenu *menu, int id, const BulkheadMenuLook *look);
/* Tells panels what changed since the last time, if anything did. */
void bulkhead_dbusmenu_flush (BulkheadDbusmenu *menu);
