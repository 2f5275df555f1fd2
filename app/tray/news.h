/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is worth a message: what happened to the lock that the user did not just do. Follows the
 * client; a timer runs only while a pause does or while nothing is known.
 */
#pragma once

#include "client.h"
#include "notices.h"

#define BULKHEAD_TYPE_NEWS (bulkhead_news_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadNews, bulkhead_news, BULKHEAD, NEWS, GObject)

BulkheadNews *bulkhead_news_new (BulkheadClient *client, BulkheadNotices *notices);
