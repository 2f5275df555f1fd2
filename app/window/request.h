/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one way in which the window changes something: asks first if it weakens, calls the helper
 * without blocking and without a timeout (a person may be typing a password), and tells a failure
 * in a dialog. A password prompt that was closed is no failure and is not told.
 */
#pragma once

#include "client.h"
#include "question.h"

typedef struct {
    BulkheadClient *client;
    GtkWidget *widget; /* for whom; kept alive until the end */
    const char *method;
    GVariant *arguments;       /* (nullable); a floating one is taken */
    BulkheadQuestion question; /* NONE: strengthens */
    const char *detail;        /* (nullable): see bulkhead_question_ask() */
    const char *failure;       /* the heading of the dialog that tells a failure */
    /* Both (nullable), and called in this order; none when the question was denied, and @done not
     * when the widget's window was closed meanwhile. */
    void (*begun) (GtkWidget *widget);
    void (*done) (GtkWidget *widget, const GError *error); /* NULL: done */
} BulkheadRequest;

/* The struct is copied; its texts are too. */
void bulkhead_request_send (const BulkheadRequest *request);

/* A dialog that says what failed and why. */
void bulkhead_request_tell_failure (GtkWidget *widget, const char *failure, const GError *error);
