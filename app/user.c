/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "user.h"

#include <pwd.h>
#include <stdio.h>

#define PASSWD "/etc/passwd"

/* @name: (nullable): NULL: by @uid. */
static gboolean
find (const char *name, guint32 uid, char **ret_name, guint32 *ret_uid)
{
    FILE *file = fopen (PASSWD, "re");
    const struct passwd *entry = NULL;

    if (file == NULL)
        return FALSE;
    while ((entry = fgetpwent (file)) != NULL)
        if (name != NULL ? g_str_equal (entry->pw_name, name) : entry->pw_uid == uid)
            break;
    if (entry != NULL) {
        *ret_name = g_strdup (entry->pw_name);
        *ret_uid = entry->pw_uid;
    }
    fclose (file);
    return entry != NULL;
}

char *
bulkhead_user_name (guint32 uid)
{
    char *name = NULL;

    find (NULL, uid, &name, &uid);
    return name;
}

gboolean
bulkhead_user_find (const char *name, guint32 *ret_uid)
{
    g_autofree char *found = NULL;

    return find (name, 0, &found, ret_uid);
}
