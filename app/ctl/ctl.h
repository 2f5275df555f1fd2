/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the verbs of bulkheadctl share: the command line as parsed, the one way to call the helper,
 * and the one way to print. A verb decides nothing about the lock; it asks, and tells the answer.
 */
#pragma once

#include "contract.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/* The exit codes, which are the codes of BULKHEAD_CTL_ERROR too. Scripts depend on them. */
typedef enum {
    BULKHEAD_EXIT_OK = 0,
    BULKHEAD_EXIT_FAILED = 1,
    BULKHEAD_EXIT_USAGE = 2,
    BULKHEAD_EXIT_TIMED_OUT = 3,
    BULKHEAD_EXIT_NOT_AUTHORIZED = 4,
    BULKHEAD_EXIT_NO_HELPER = 8,
    BULKHEAD_EXIT_NOT_FOUND = 10,
} BulkheadExit;

/* Every GError in this program is of this domain, so that its code is what main() exits with. */
#define BULKHEAD_CTL_ERROR (bulkhead_ctl_error_quark ())
GQuark bulkhead_ctl_error_quark (void);

typedef struct _BulkheadVerb BulkheadVerb;

typedef struct {
    const BulkheadVerb *verb;
    GStrv args;           /* the program's name, then what follows the verb */
    gboolean help;        /* --help was given */
    gboolean ask;         /* polkit may ask for a password */
    gint64 deadline;      /* of calls, monotonic; 0: none, as a person may be typing a password */
    int code;             /* see BulkheadVerbFunc */
    JsonObject *reply;    /* with --json: what main() prints at the end; else NULL */
    GDBusConnection *bus; /* NULL until the first call */
} BulkheadCtl;

/* The program exits with the error's code, or without an error with ctl->code. */
typedef void (*BulkheadVerbFunc) (BulkheadCtl *ctl, GError **error);

struct _BulkheadVerb {
    const char *verb;
    const char *usage;
    const char *summary;
    BulkheadVerbFunc run;
};

/* The verbs, in the order of the table in main.c. */
void bulkhead_run_status (BulkheadCtl *ctl, GError **error);
void bulkhead_run_lock (BulkheadCtl *ctl, GError **error);
void bulkhead_run_unlock (BulkheadCtl *ctl, GError **error);
void bulkhead_run_pause (BulkheadCtl *ctl, GError **error);
void bulkhead_run_resume (BulkheadCtl *ctl, GError **error);
void bulkhead_run_ready (BulkheadCtl *ctl, GError **error);
void bulkhead_run_verify (BulkheadCtl *ctl, GError **error);
void bulkhead_run_rules (BulkheadCtl *ctl, GError **error);
void bulkhead_run_tunnels_list (BulkheadCtl *ctl, GError **error);
void bulkhead_run_tunnels_add (BulkheadCtl *ctl, GError **error);
void bulkhead_run_tunnels_trust (BulkheadCtl *ctl, GError **error);
void bulkhead_run_tunnels_forget (BulkheadCtl *ctl, GError **error);
void bulkhead_run_lan (BulkheadCtl *ctl, GError **error);
void bulkhead_run_boot (BulkheadCtl *ctl, GError **error);
void bulkhead_run_except_add (BulkheadCtl *ctl, GError **error);
void bulkhead_run_except_remove (BulkheadCtl *ctl, GError **error);
void bulkhead_run_except_list (BulkheadCtl *ctl, GError **error);
void bulkhead_run_authorize (BulkheadCtl *ctl, GError **error);
void bulkhead_run_revoke (BulkheadCtl *ctl, GError **error);
void bulkhead_run_grants (BulkheadCtl *ctl, GError **error);
void bulkhead_run_blocked (BulkheadCtl *ctl, GError **error);
void bulkhead_run_log (BulkheadCtl *ctl, GError **error);
void bulkhead_run_rescue (BulkheadCtl *ctl, GError **error);

/* call.c: connects to the system bus; NO_HELPER when there is none. Idempotent. */
gboolean bulkhead_connect (BulkheadCtl *ctl, GError **error);
/* @parameters: (nullable), a floating one is taken. @reply: the type of the answer. Returns
 * the one value of the answer, or the answer itself when it has none or more. */
GVariant *bulkhead_call (BulkheadCtl *ctl, const char *method, GVariant *parameters,
                         const char *reply, GError **error);
/* For a method that answers nothing; on a terminal, a password is asked for there. */
void bulkhead_command (BulkheadCtl *ctl, const char *method, GVariant *parameters, GError **error);

/*
 * parse.c. Reads the verb's options, then its plain arguments, of which there must be @min to
 * @max. FALSE without an error: --help was given and answered. Values of options and arguments are
 * UTF-8; use G_OPTION_ARG_FILENAME for them, as the other kinds convert from the locale, which
 * scripts leave at C.
 */
gboolean bulkhead_parse (BulkheadCtl *ctl, const GOptionEntry *entries, guint min, guint max,
                         GStrv *ret_args, GError **error);
/* @name is what the message calls the value, as "--port". */
gboolean bulkhead_parse_number (const char *name, const char *text, guint32 min, guint32 max,
                                guint32 *ret, GError **error);
/* "300", "300s", "5m", "1h". */
gboolean bulkhead_parse_seconds (const char *name, const char *text, guint32 *ret, GError **error);
gboolean bulkhead_parse_on_off (const char *name, const char *text, gboolean *ret, GError **error);
/* The name or number of a user of this machine. */
gboolean bulkhead_parse_user (const char *name, const char *text, guint32 *ret, GError **error);

/* output.c: to stdout, with the control characters that a name could smuggle to the terminal
 * replaced. */
void bulkhead_print (const char *text);
void bulkhead_print_json (JsonObject *object);
/* The same text without control characters, newline and tab included. (transfer full) */
char *bulkhead_one_line (const char *text);
/* A member made of @value: dictionaries become objects, arrays arrays. */
void bulkhead_json_set (JsonObject *object, const char *member, GVariant *value);
