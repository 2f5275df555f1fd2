/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What NetworkManager says of the network, read only and as a plain client of the bus that the
 * helper is on. Without NetworkManager nothing is ever said.
 */
#pragma once

#include "client.h"

#define BULKHEAD_TYPE_NETWORK (bulkhead_network_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadNetwork, bulkhead_network, BULKHEAD, NETWORK, GObject)

/* Signals: "changed" (): the getter may tell something else. "joined" (): the computer is on
 * another network than before, or on the first one that is known. */
BulkheadNetwork *bulkhead_network_new (BulkheadClient *client);

/* A page to sign in is between the network and the internet. */
gboolean bulkhead_network_has_portal (BulkheadNetwork *self);
