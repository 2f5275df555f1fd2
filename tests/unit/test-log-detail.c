/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-detail.h"

#include <locale.h>

static const struct {
    const char *key;
    const char *value;
    const char *text;
} details[] = {
    { "version", "0.1.0", "version 0.1.0" },
    { "uid", "0", "by the user root" },
    { "user", "0", "of the user root" },
    { "uid", "4294967294", "by the user 4294967294" }, /* nobody has it */
    { "uid", "nobody", "by the user nobody" },
    { "exceptions_added", "1", "1 exception added" },
    { "exceptions_added", "2", "2 exceptions added" },
    { "exceptions_removed", "2", "2 exceptions removed" },
    { "exceptions_added", "many", "exceptions_added: many" },
    { "tunnel_added", "Home", "tunnel Home added" },
    { "tunnel_trusted", "%s", "tunnel %s trusted" },
    { "lan", "allowed", "local network allowed" },
    { "lan", "else", "lan: else" },
    { "at_boot", "off", "no longer locks when the computer starts" },
    { "seconds", "300", "for 5 minutes" },
    { "seconds", "3600", "for 1 hour" },
    { "seconds", "90", "for 90 seconds" },
    { "seconds", "0", "for 0 seconds" },
    { "microseconds", "1540", "after 1.5 ms" },
    { "by", "time", "the time was over" },
    { "by", "nft (4711)", "by nft (4711)" },
    { "rules", "verified", "the rules were checked and are in force" },
    { "rules", "a chain is missing", "the rules are not in force: a chain is missing" },
    { "fixed", "lock lan else", "fixed: the lock, the local network, else" },
    { "problem", "x.conf: no", "reason: x.conf: no" },
    { "of_tomorrow", "7", "of_tomorrow: 7" }, /* a later helper's */
};

static void
test_text (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (details); i++) {
        g_autofree char *text = bulkhead_log_detail_text (details[i].key, details[i].value);

        g_assert_cmpstr (text, ==, details[i].text);
    }
}

int
main (int argc, char *argv[])
{
    setlocale (LC_ALL, "C.UTF-8");
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/log-detail/text", test_text);
    return g_test_run ();
}
