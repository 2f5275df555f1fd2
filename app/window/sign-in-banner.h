/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offers a timed pause where a network wants a page signed first: while the lock blocks, and
 * NetworkManager says so or no tunnel came up half a minute after another network was joined. While
 * the pause lasts it counts down; the kernel ends it.
 */
#pragma once

#include "client.h"

#include <adwaita.h>

#define BULKHEAD_TYPE_SIGN_IN_BANNER (bulkhead_sign_in_banner_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadSignInBanner, bulkhead_sign_in_banner, BULKHEAD, SIGN_IN_BANNER,
                      AdwBin)

void bulkhead_sign_in_banner_set_client (BulkheadSignInBanner *self, BulkheadClient *client);
