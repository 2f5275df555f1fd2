/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the lock is doing, in one block: icon, headline, one sentence, the one thing most likely
 * wanted next, and a pause. It only shows and activates actions of the application; it changes
 * nothing by itself.
 */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_STATE_CARD (bulkhead_state_card_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadStateCard, bulkhead_state_card, BULKHEAD, STATE_CARD, AdwBin)

void bulkhead_state_card_set_client (BulkheadStateCard *self, BulkheadClient *client);
