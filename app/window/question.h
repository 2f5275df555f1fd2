/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked before something is weakened: its consequence, once. The user may say not to be
 * asked this again; that is kept in the settings ("quiet-questions"). Strengthening is never asked
 * about.
 */
#pragma once

#include <adwaita.h>

typedef enum {
    BULKHEAD_QUESTION_NONE, /* is not asked */
    BULKHEAD_QUESTION_UNLOCK,
    BULKHEAD_QUESTION_PAUSE,
    BULKHEAD_QUESTION_LAN,
    BULKHEAD_QUESTION_AT_BOOT,
    BULKHEAD_QUESTION_TRUST,
    BULKHEAD_QUESTION_EXCEPTION,
} BulkheadQuestion;

typedef void (*BulkheadAnswerFunc) (gboolean yes, gpointer data);

/* @detail: what the question is about (a tunnel's name, a time as text), or NULL where the question
 * needs none. @answer is called once, possibly before this returns; with FALSE when a question over
 * the same window is open already, which comes to the front. */
void bulkhead_question_ask (BulkheadQuestion question, GtkWidget *widget, const char *detail,
                            BulkheadAnswerFunc answer, gpointer data);

/* How many are not asked any more, and: ask all of them again. */
guint bulkhead_question_count_quiet (void);
void bulkhead_question_reset (void);
