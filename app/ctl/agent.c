/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a password on the terminal when polkit wants one, and no desktop is there to ask. */
#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE

#include "agent.h"

#include <polkitagent/polkitagent.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

struct _BulkheadAgent {
    PolkitAgentListener *listener;
    gpointer registration;
};

static struct termios terminal; /* as it was, with echo */

gboolean
bulkhead_agent_is_possible (void)
{
    return isatty (STDIN_FILENO) && geteuid () != 0;
}

/* While a password is typed the terminal does not echo; who leaves then must not leave it so. */
static void
on_signal (int number)
{
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &terminal);
    raise (number);
}

static void
restore_on_signals (void)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
    const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

    if (tcgetattr (STDIN_FILENO, &terminal) != 0)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
        sigaction (signals[i], &action, NULL);
}

BulkheadAgent *
bulkhead_agent_new (void)
{
    g_autoptr (BulkheadAgent) agent = g_new0 (BulkheadAgent, 1);
    g_autoptr (PolkitSubject) subject =
        polkit_unix_process_new_for_owner (getpid (), 0, (gint)getuid ());
    GVariantDict options;

    agent->listener = polkit_agent_text_listener_new (NULL, NULL);
    if (agent->listener == NULL)
        return NULL;
    /* The desktop's own prompt goes first. A thread: the call that waits blocks the main one. */
    g_variant_dict_init (&options, NULL);
    g_variant_dict_insert (&options, "fallback", "b", TRUE);
    agent->registration = polkit_agent_listener_register_with_options (
        agent->listener, POLKIT_AGENT_REGISTER_FLAGS_RUN_IN_THREAD, subject, NULL,
        g_variant_dict_end (&options), NULL, NULL);
    if (agent->registration == NULL)
        return NULL;
    restore_on_signals ();
    return g_steal_pointer (&agent);
}

void
bulkhead_agent_free (BulkheadAgent *agent)
{
    g_clear_pointer (&agent->registration, polkit_agent_listener_unregister);
    g_clear_object (&agent->listener);
    g_free (agent);
}
