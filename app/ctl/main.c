/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bulkheadctl: the command line. The table is the program; its order is the manual's. */
#include "ctl.h"

#include <stdio.h>

#define GLOBAL_OPTIONS                                                                             \
    "  --json                    Print one JSON object\n"                                          \
    "  --no-ask-password         Fail rather than ask for a password\n"                            \
    "  --help                    Print this, or the help of a verb\n"                              \
    "  --version                 Print the version\n"
#define EXCEPT_ARGUMENTS                                                                           \
    "[ADDRESS[/PREFIX]]... [--protocol any|tcp|udp|icmp [--port N] | --file FILE]"

static const BulkheadVerb verbs[] = {
    { "status", "status [--watch|--check]", "Tell what the lock does", bulkhead_run_status },
    { "lock", "lock [--yes]", "Let nothing leave except through a trusted tunnel",
      bulkhead_run_lock },
    { "unlock", "unlock", "Take the lock away", bulkhead_run_unlock },
    { "pause", "pause SECONDS", "Open everything for a time, as 300, 5m or 1h",
      bulkhead_run_pause },
    { "resume", "resume", "End the pause now", bulkhead_run_resume },
    { "ready", "ready [--wait SECONDS]",
      "Succeed only when the kernel was just read back to enforce", bulkhead_run_ready },
    { "verify", "verify", "Compare the kernel's rules with the wanted ones", bulkhead_run_verify },
    { "rules", "rules", "Print the rules as nft text", bulkhead_run_rules },
    { "tunnels list", "tunnels [list]", "List the tunnels that are trusted or found",
      bulkhead_run_tunnels_list },
    { "tunnels add",
      "tunnels add NAME --interface IFNAME [--endpoint ADDRESS:PORT/udp|tcp]... [--mark MARK] "
      "[--user USER] [--kind wireguard|openvpn|other]",
      "Add a tunnel and trust it", bulkhead_run_tunnels_add },
    { "tunnels trust", "tunnels trust ID", "Trust a tunnel that was found",
      bulkhead_run_tunnels_trust },
    { "tunnels forget", "tunnels forget ID", "Trust a tunnel no longer",
      bulkhead_run_tunnels_forget },
    { "lan", "lan on|off [--cgnat on|off] [--port-mapping on|off]",
      "Open or close the local network", bulkhead_run_lan },
    { "boot", "boot on|off", "Lock before the network is set up when the machine starts",
      bulkhead_run_boot },
    { "except add", "except add " EXCEPT_ARGUMENTS,
      "Let some addresses be reached outside the tunnel", bulkhead_run_except_add },
    { "except remove", "except remove " EXCEPT_ARGUMENTS, "Take exceptions away",
      bulkhead_run_except_remove },
    { "except list", "except [list]", "List the exceptions", bulkhead_run_except_list },
    { "authorize", "authorize",
      "Ask for an administrator's password once; you need none to open the lock from then on",
      bulkhead_run_authorize },
    { "revoke", "revoke [USER]", "Take that back, from you or another user", bulkhead_run_revoke },
    { "grants", "grants", "List the users who need no password", bulkhead_run_grants },
    { "blocked", "blocked", "List what was refused of late, newest first", bulkhead_run_blocked },
    { "log", "log [--limit N]", "Print what happened, newest last", bulkhead_run_log },
    { "rescue", "rescue", "Open everything for good, also with a dead or hung helper; for root",
      bulkhead_run_rescue },
};

/* Prints the verbs that are @group or begin with it; all for "". FALSE when there are none. */
static gboolean
print_verbs (const char *group)
{
    g_autofree char *prefix = *group != '\0' ? g_strconcat (group, " ", NULL) : g_strdup ("");
    g_autoptr (GString) text = g_string_new ("Usage: bulkheadctl [OPTION...] VERB\n\nVerbs:\n");
    gboolean found = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
        if (g_str_has_prefix (verbs[i].verb, prefix)) {
            g_string_append_printf (text, "  %s\n      %s.\n", verbs[i].usage, verbs[i].summary);
            found = TRUE;
        }
    g_string_append (text, "\nOptions of every verb:\n" GLOBAL_OPTIONS
                           "\nExit codes, JSON and the way out of a lock: man bulkheadctl\n");
    if (found)
        bulkhead_print (text->str);
    return found;
}

static const BulkheadVerb *
find_verb (const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
        if (g_str_equal (verbs[i].verb, name))
            return &verbs[i];
    return NULL;
}

/* The words of @args that name a verb: two, one, or one that stands for its list. */
static const BulkheadVerb *
match_verb (char **args, guint *ret_words)
{
    g_autofree char *pair = NULL;
    g_autofree char *list = g_strconcat (args[0], " list", NULL);

    *ret_words = 1;
    if (args[1] == NULL || args[1][0] == '-') {
        const BulkheadVerb *verb = find_verb (args[0]);

        return verb != NULL ? verb : find_verb (list);
    }
    pair = g_strconcat (args[0], " ", args[1], NULL);
    if (find_verb (pair) == NULL)
        return find_verb (args[0]);
    *ret_words = 2;
    return find_verb (pair);
}

/* Takes the options of every verb out of @args, wherever they stand before "--". FALSE: --version
 * was given and answered. */
static gboolean
take_global_options (BulkheadCtl *ctl, GPtrArray *args)
{
    gboolean json = FALSE;
    gboolean version = FALSE;

    for (guint i = 0; i < args->len;) {
        const char *arg = args->pdata[i];

        if (g_str_equal (arg, "--"))
            break;
        if (g_str_equal (arg, "--json"))
            json = TRUE;
        else if (g_str_equal (arg, "--no-ask-password"))
            ctl->ask = FALSE;
        else if (g_str_equal (arg, "--help") || g_str_equal (arg, "-h"))
            ctl->help = TRUE;
        else if (g_str_equal (arg, "--version"))
            version = TRUE;
        else {
            i++;
            continue;
        }
        g_ptr_array_remove_index (args, i);
    }
    if (version) {
        puts ("bulkheadctl " BULKHEAD_VERSION);
    } else if (json) {
        ctl->reply = json_object_new ();
        json_object_set_int_member (ctl->reply, "version", 1);
    }
    return !version;
}

static void
run (BulkheadCtl *ctl, char **args, GError **error)
{
    g_autoptr (GStrvBuilder) rest = g_strv_builder_new ();
    guint words;

    if (args[0] == NULL && !ctl->help) {
        g_set_error_literal (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                             "no verb is given (see bulkheadctl --help)");
        return;
    }
    if (ctl->help && (args[0] == NULL || (args[1] == NULL && find_verb (args[0]) == NULL))
        && print_verbs (args[0] != NULL ? args[0] : "")) {
        g_clear_pointer (&ctl->reply, json_object_unref);
        return;
    }
    ctl->verb = match_verb (args, &words);
    if (ctl->verb == NULL) {
        /* The words that were taken for it: there are verbs of two. */
        g_autofree char *list = g_strconcat (args[0], " list", NULL);
        const char *second = find_verb (list) != NULL ? args[1] : NULL;

        g_set_error (error, BULKHEAD_CTL_ERROR, BULKHEAD_EXIT_USAGE,
                     "unknown verb %s%s%s (see bulkheadctl --help)", args[0],
                     second != NULL ? " " : "", second != NULL ? second : "");
        return;
    }
    g_strv_builder_add (rest, "bulkheadctl");
    g_strv_builder_addv (rest, (const char **)args + words);
    ctl->args = g_strv_builder_end (rest);
    ctl->verb->run (ctl, error);
}

/* Prints what is left to print. Returns the exit code. */
static int
finish (BulkheadCtl *ctl, const GError *error)
{
    g_autofree char *message = error != NULL ? bulkhead_one_line (error->message) : NULL;

    if (ctl->reply != NULL && error != NULL) {
        JsonObject *object = json_object_new ();

        json_object_set_int_member (object, "code", error->code);
        json_object_set_string_member (object, "message", message);
        json_object_set_object_member (ctl->reply, "error", object);
    }
    if (ctl->reply != NULL)
        bulkhead_print_json (ctl->reply);
    if (error != NULL)
        fprintf (stderr, "bulkheadctl: %s\n", message);
    /* A full disk must not look like an answer. */
    if ((fflush (stdout) != 0 || ferror (stdout)) && error == NULL) {
        fprintf (stderr, "bulkheadctl: cannot write to standard output\n");
        return BULKHEAD_EXIT_FAILED;
    }
    return error != NULL ? error->code : ctl->code;
}

int
main (int argc, char **argv)
{
    BulkheadCtl ctl = { .ask = TRUE };
    g_autoptr (GPtrArray) args = g_ptr_array_new ();
    g_autoptr (GError) error = NULL;
    int code;

    for (int i = 1; i < argc; i++)
        g_ptr_array_add (args, argv[i]);
    if (take_global_options (&ctl, args)) {
        g_ptr_array_add (args, NULL);
        run (&ctl, (char **)args->pdata, &error);
    }
    code = finish (&ctl, error);
    g_clear_pointer (&ctl.reply, json_object_unref);
    g_strfreev (ctl.args);
    g_clear_object (&ctl.bus);
    return code;
}
