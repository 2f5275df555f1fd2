/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "permission.h"

#define ACTION(suffix) "org.bulkhead.helper." suffix
#define N_(text) text /* taken up by xgettext; polkit translates when it shows it */

static const BulkheadRule rules[] = {
    { "GetStatus", BULKHEAD_PERMISSION_READ },
    { "Verify", BULKHEAD_PERMISSION_READ },
    { "ListTunnels", BULKHEAD_PERMISSION_READ },
    { "ListGrants", BULKHEAD_PERMISSION_READ },
    { "GetRules", BULKHEAD_PERMISSION_READ_ADDRESSES },
    { "ListExceptions", BULKHEAD_PERMISSION_READ_ADDRESSES },
    { "GetLog", BULKHEAD_PERMISSION_READ_ADDRESSES },
    { "ListBlocked", BULKHEAD_PERMISSION_READ_ADDRESSES },
    { "Lock", BULKHEAD_PERMISSION_STRENGTHEN },
    { "Resume", BULKHEAD_PERMISSION_STRENGTHEN },
    { "Unlock", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to turn the network lock off") },
    { "Pause", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to open the network lock for a time") },
    { "AddTunnel", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to let a VPN tunnel through the network lock") },
    { "TrustTunnel", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to let a VPN tunnel through the network lock") },
    { "ForgetTunnel", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to remove a VPN tunnel from the network lock") },
    { "SetLan", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to change access to the local network") },
    { "AddExceptions", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to let addresses be reached outside the VPN tunnel") },
    { "RemoveExceptions", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to change which addresses are reached outside the VPN "
          "tunnel") },
    { "SetAtBoot", BULKHEAD_PERMISSION_STRENGTHEN, NULL, "(true,)" },
    { "SetAtBoot", BULKHEAD_PERMISSION_WEAKEN,
      N_ ("Authentication is required to leave the network open while this machine starts"),
      "(false,)" },
    { "Authorize", BULKHEAD_PERMISSION_AUTHORIZE },
    { "Revoke", BULKHEAD_PERMISSION_REVOKE,
      N_ ("Authentication is required to change who may control the network lock") },
};

const BulkheadRule *
bulkhead_permission_find (const char *method, GVariant *arguments)
{
    g_autofree char *text = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS (rules); i++) {
        if (!g_str_equal (rules[i].method, method))
            continue;
        if (rules[i].only == NULL)
            return &rules[i];
        if (text == NULL)
            text = g_variant_print (arguments, FALSE);
        if (g_str_equal (rules[i].only, text))
            return &rules[i];
    }
    return NULL;
}

const char *
bulkhead_permission_action (BulkheadPermission permission, gboolean granted)
{
    switch (permission) {
    case BULKHEAD_PERMISSION_READ:
    case BULKHEAD_PERMISSION_READ_ADDRESSES:
        return ACTION ("read-addresses");
    case BULKHEAD_PERMISSION_STRENGTHEN:
        return ACTION ("lock");
    case BULKHEAD_PERMISSION_WEAKEN:
        return granted ? ACTION ("control-granted") : ACTION ("control");
    case BULKHEAD_PERMISSION_AUTHORIZE:
        return ACTION ("authorize-user");
    case BULKHEAD_PERMISSION_REVOKE:
        return ACTION ("control");
    }
    g_assert_not_reached ();
}

gboolean
bulkhead_permission_may_ask (BulkheadPermission permission)
{
    return permission != BULKHEAD_PERMISSION_READ
           && permission != BULKHEAD_PERMISSION_READ_ADDRESSES;
}
