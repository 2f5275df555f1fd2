/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads one thing of the helper, as its exceptions or its log, as often as it is told to: one
 * reading at a time, and it tells only when the answer is another one, so that what is shown does
 * not lose the focus for nothing.
 */
#pragma once

#include "client.h"

#define BULKHEAD_TYPE_LIST_READER (bulkhead_list_reader_get_type ())
G_DECLARE_FINAL_TYPE (BulkheadListReader, bulkhead_list_reader, BULKHEAD, LIST_READER, GObject)

/*
 * @method: with @arguments (nullable, a floating one is taken) and an answer of the type @reply.
 * Signal "read" (GVariant *answer, char *problem): either is NULL. @problem: a sentence that says
 * why there is no answer.
 */
BulkheadListReader *bulkhead_list_reader_new (BulkheadClient *client, const char *method,
                                              GVariant *arguments, const char *reply);
/* Does not block; a reading that is under way is followed by another one. */
void bulkhead_list_reader_read (BulkheadListReader *self);
/* To be called whenever the client has changed: reads if any of these properties is another than at
 * the last call, or if the reading failed. @properties: names on the bus, NULL-terminated. */
void bulkhead_list_reader_follow (BulkheadListReader *self, const char *const *properties);
/* Tells again what was told last, if anything was, for something else that is shown with it. */
void bulkhead_list_reader_repeat (BulkheadListReader *self);
