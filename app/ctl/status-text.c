/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A status as people read it. */
#include "status.h"

static const struct {
    const char *feature;
    const char *text;
} weakenings[] = {
    { "egress", "egress: frames sent below IP, as by bridged machines, are not filtered" },
    { "log", "log: what was blocked is not recorded" },
    { "owner", "owner: another root program can remove the rules; they are put back at once" },
};

const char *
bulkhead_tunnel_state (GVariant *tunnel)
{
    if (bulkhead_get_flag (tunnel, "up"))
        return "up";
    return bulkhead_get_flag (tunnel, "present") ? "down" : "absent";
}

static char *
names_of_up (GVariant *tunnels)
{
    g_autoptr (GString) names = g_string_new (NULL);

    for (gsize i = 0; i < g_variant_n_children (tunnels); i++) {
        g_autoptr (GVariant) tunnel = g_variant_get_child_value (tunnels, i);
        g_autofree char *id = bulkhead_get_text (tunnel, "id");

        if (bulkhead_get_flag (tunnel, "up"))
            g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", id);
    }
    return g_string_free (g_steal_pointer (&names), FALSE);
}

static char *
paused_reason (GVariant *status)
{
    guint32 seconds = bulkhead_get_number (status, "paused_seconds");

    return g_strdup_printf ("Everything may leave for another %u min %u s; then the lock closes by "
                            "itself.",
                            seconds / 60, seconds % 60);
}

static char *
broken_reason (GVariant *status)
{
    g_autofree char *problem = bulkhead_get_text (status, "problem");

    if (bulkhead_get_flag (status, "closed"))
        return g_strdup_printf ("The lock could not be put in force: %s.", problem);
    if (!bulkhead_get_flag (status, "locked"))
        return g_strdup ("The lock is off, but rules of a lock stand in the kernel.");
    return g_strdup_printf ("What was asked for is not enforced, traffic may leak: %s.",
                            *problem != '\0' ? problem : "the kernel's rules are not ours");
}

char *
bulkhead_status_reason (GVariant *status)
{
    g_autoptr (GVariant) tunnels = bulkhead_get_array (status, "tunnels", "aa{sv}");
    g_autofree char *names = names_of_up (tunnels);

    switch (bulkhead_status_state (status)) {
    case BULKHEAD_STATE_OFF:
        return g_strdup ("The lock is off: everything may leave.");
    case BULKHEAD_STATE_PROTECTED:
        return g_strdup_printf ("Locked: nothing leaves except through %s and what is listed as "
                                "open.",
                                *names != '\0' ? names : "a trusted tunnel");
    case BULKHEAD_STATE_BLOCKING:
        return g_strdup_printf ("Locked, and %s: nothing leaves except what is listed as open.",
                                g_variant_n_children (tunnels) > 0 ? "no trusted tunnel is up"
                                                                   : "no tunnel is trusted");
    case BULKHEAD_STATE_PAUSED:
        return paused_reason (status);
    case BULKHEAD_STATE_BROKEN:
        return broken_reason (status);
    case BULKHEAD_STATE_UNKNOWN:
        break;
    }
    return g_strdup ("The helper gave a state that this program does not know.");
}

static gboolean
is_fixed (GVariant *status, const char *setting)
{
    g_autoptr (GVariant) fixed = bulkhead_get_array (status, "fixed", "as");
    g_autofree const char **names = g_variant_get_strv (fixed, NULL);

    return g_strv_contains (names, setting);
}

static const char *
way_out (GVariant *status, BulkheadState state)
{
    if (is_fixed (status, "lock"))
        return "Way out:   only the administrator's; see man bulkhead-policy\n";
    switch (state) {
    case BULKHEAD_STATE_OFF:
        return "To lock:   bulkheadctl lock\n";
    case BULKHEAD_STATE_PAUSED:
        return "Way out:   bulkheadctl unlock; to close now: bulkheadctl resume\n";
    case BULKHEAD_STATE_BROKEN:
        if (!bulkhead_get_flag (status, "locked"))
            return "Way out:   bulkheadctl unlock\n";
        return "Way out:   bulkheadctl unlock; to try again: bulkheadctl lock\n";
    case BULKHEAD_STATE_UNKNOWN:
    case BULKHEAD_STATE_PROTECTED:
    case BULKHEAD_STATE_BLOCKING:
        break;
    }
    return "Way out:   bulkheadctl unlock, or for a time: bulkheadctl pause 10m\n";
}

/* One heading for the first of several lines. */
static void
append_line (GString *text, const char *heading, gboolean first, const char *line)
{
    g_string_append_printf (text, "%-10s %s\n", first ? heading : "", line);
}

static void
append_tunnels (GString *text, GVariant *status)
{
    g_autoptr (GVariant) tunnels = bulkhead_get_array (status, "tunnels", "aa{sv}");
    gsize n = g_variant_n_children (tunnels);

    if (n == 0)
        append_line (text, "Tunnels:", TRUE, "none trusted");
    for (gsize i = 0; i < n; i++) {
        g_autoptr (GVariant) tunnel = g_variant_get_child_value (tunnels, i);
        g_autofree char *id = bulkhead_get_text (tunnel, "id");
        g_autofree char *interface = bulkhead_get_text (tunnel, "interface");
        g_autofree char *line =
            g_strdup_printf ("%s (%s) %s", id, interface, bulkhead_tunnel_state (tunnel));

        append_line (text, "Tunnels:", i == 0, line);
    }
}

static void
append_open (GString *text, GVariant *status)
{
    guint32 exceptions = bulkhead_get_number (status, "exceptions");
    gboolean lan = bulkhead_get_flag (status, "lan");

    if (!lan && exceptions == 0)
        append_line (text, "Open:", TRUE, "nothing");
    if (lan) {
        g_autofree char *line = g_strdup_printf (
            "LAN%s%s", bulkhead_get_flag (status, "lan_cgnat") ? ", with CGNAT" : "",
            bulkhead_get_flag (status, "lan_port_mapping") ? ", with port mapping" : "");

        append_line (text, "Open:", TRUE, line);
    }
    if (exceptions > 0) {
        g_autofree char *line =
            g_strdup_printf ("%u exception%s", exceptions, exceptions == 1 ? "" : "s");

        append_line (text, "Open:", !lan, line);
    }
}

static void
append_weakened (GString *text, GVariant *status)
{
    g_autoptr (GVariant) weakened = bulkhead_get_array (status, "weakened", "as");
    GVariantIter iter;
    const char *feature;
    gboolean first = TRUE;

    g_variant_iter_init (&iter, weakened);
    while (g_variant_iter_next (&iter, "&s", &feature)) {
        const char *line = feature;

        for (gsize i = 0; i < G_N_ELEMENTS (weakenings); i++)
            if (g_str_equal (weakenings[i].feature, feature))
                line = weakenings[i].text;
        append_line (text, "Weakened:", first, line);
        first = FALSE;
    }
}

static void
append_managed (GString *text, GVariant *status)
{
    g_autoptr (GVariant) fixed = bulkhead_get_array (status, "fixed", "as");
    g_autofree const char **names = g_variant_get_strv (fixed, NULL);
    g_autofree char *list = g_strjoinv (", ", (char **)names);
    g_autofree char *line = g_strdup_printf ("%s (by the administrator)", list);
    g_autofree char *problem = bulkhead_get_text (status, "managed_problem");

    if (*list != '\0')
        append_line (text, "Fixed:", TRUE, line);
    if (*problem != '\0')
        append_line (text, "Policy:", TRUE, problem);
}

char *
bulkhead_status_to_text (GVariant *status)
{
    BulkheadState state = bulkhead_status_state (status);
    g_autofree char *reason = bulkhead_status_reason (status);
    GString *text = g_string_new (NULL);

    g_string_append_printf (text, "%s\n%s\n\n", bulkhead_state_to_string (state), reason);
    append_tunnels (text, status);
    /* While off or paused everything is open, and nobody knows what is when it is broken. */
    if (state == BULKHEAD_STATE_PROTECTED || state == BULKHEAD_STATE_BLOCKING)
        append_open (text, status);
    append_line (text, "At boot:", TRUE,
                 bulkhead_get_flag (status, "at_boot") ? "on"
                                                       : "off: open until the helper is started");
    append_weakened (text, status);
    append_managed (text, status);
    g_string_append (text, way_out (status, state));
    return g_string_free (text, FALSE);
}
