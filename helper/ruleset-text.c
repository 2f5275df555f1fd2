/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ruleset as nft text, to the letter as `nft -s list table` prints it (nft 1.0.6), so that one
 * golden file is read by people, by nft and by the tests.
 */
#include "ruleset.h"

#include <string.h>

typedef struct {
    guint value;
    const char *name;
} Word;

static const Word inet_protos[] = { { 1, "icmp" }, { 2, "igmp" },       { 6, "tcp" },
                                    { 17, "udp" }, { 58, "ipv6-icmp" }, { 0, NULL } };
static const Word nf_protos[] = { { 2, "ipv4" }, { 10, "ipv6" }, { 0, NULL } };
static const Word ether_types[] = {
    { 0x0800, "ip" }, { 0x0806, "arp" }, { 0x8100, "8021q" }, { 0x86dd, "ip6" }, { 0, NULL }
};
static const Word *const end_of_ether_types = &ether_types[G_N_ELEMENTS (ether_types) - 1];
static const Word icmp_types[] = { { 3, "destination-unreachable" }, { 0, NULL } };
static const Word icmp_codes[] = { { 4, "frag-needed" }, { 0, NULL } };
static const Word icmpv6_types[] = { { 2, "packet-too-big" },       { 133, "nd-router-solicit" },
                                     { 134, "nd-router-advert" },   { 135, "nd-neighbor-solicit" },
                                     { 136, "nd-neighbor-advert" }, { 0, NULL } };

static const char *const key_names[] = {
    [KEY_IIFNAME] = "iifname",
    [KEY_OIFNAME] = "oifname",
    [KEY_MARK] = "meta mark",
    [KEY_SKUID] = "meta skuid",
    [KEY_NFPROTO] = "meta nfproto",
    [KEY_L4PROTO] = "meta l4proto",
    [KEY_PROTOCOL] = "meta protocol",
    [KEY_LL_TYPE] = "@ll,96,16",
    [KEY_LL_VLAN_TYPE] = "@ll,128,16",
    [KEY_IP_SADDR] = "ip saddr",
    [KEY_IP_DADDR] = "ip daddr",
    [KEY_IP_HDRLENGTH] = "ip hdrlength",
    [KEY_IP_FRAG_OFF] = "ip frag-off & 8191",
    [KEY_IP6_SADDR] = "ip6 saddr",
    [KEY_IP6_DADDR] = "ip6 daddr",
    [KEY_IP6_HOPLIMIT] = "ip6 hoplimit",
    [KEY_ARP_SADDR_IP] = "arp saddr ip",
    [KEY_EXTHDR_RT] = "exthdr rt",
    [KEY_FRAG_FRAG_OFF] = "frag frag-off",
    [KEY_UDP_SPORT] = "udp sport",
    [KEY_UDP_DPORT] = "udp dport",
    [KEY_TH_SPORT] = "th sport",
    [KEY_TH_DPORT] = "th dport",
    [KEY_ICMP_TYPE] = "icmp type",
    [KEY_ICMP_CODE] = "icmp code",
    [KEY_ICMPV6_TYPE] = "icmpv6 type",
    [KEY_ICMP_QUOTED_SADDR] = "@th,160,32",
    [KEY_ICMPV6_QUOTED_SADDR] = "@th,128,128",
};
G_STATIC_ASSERT (G_N_ELEMENTS (key_names) == KEY_LAST + 1);

static const char *const hook_names[] = {
    [HOOK_PREROUTING] = "prerouting",   [HOOK_INPUT] = "input",
    [HOOK_FORWARD] = "forward",         [HOOK_OUTPUT] = "output",
    [HOOK_POSTROUTING] = "postrouting", [HOOK_EGRESS] = "egress",
};

const char *
bulkhead_family_name (BulkheadFamily family)
{
    return family == BULKHEAD_FAMILY_INET ? "inet" : "netdev";
}

/* ---- values ---- */

static void
append_word (GString *text, const Word *words, guint value)
{
    for (; words->name != NULL; words++)
        if (words->value == value) {
            g_string_append (text, words->name);
            return;
        }
    g_string_append_printf (text, words == end_of_ether_types ? "0x%04x" : "%u", value);
}

static void
append_address (GString *text, BulkheadDatatype type, const guint8 *value)
{
    BulkheadAddress address = { .family = type == TYPE_IPV4_ADDR ? G_SOCKET_FAMILY_IPV4
                                                                 : G_SOCKET_FAMILY_IPV6 };
    g_autofree char *string = NULL;

    memcpy (address.bytes, value, bulkhead_datatype_size (type));
    string = bulkhead_address_to_string (&address);
    g_string_append (text, string);
}

static guint
value_number (BulkheadDatatype type, const guint8 *value)
{
    guint16 be;
    guint32 host;

    switch (bulkhead_datatype_size (type)) {
    case 1:
        return value[0];
    case 2:
        memcpy (&be, value, sizeof be);
        return GUINT16_FROM_BE (be);
    default:
        memcpy (&host, value, sizeof host);
        return host;
    }
}

/* As nft writes what is none of its fields. */
static void
append_hex (GString *text, const guint8 *value, guint size)
{
    g_autofree char *hex = NULL;
    GString *digits = g_string_new (NULL);

    for (guint i = 0; i < size; i++)
        g_string_append_printf (digits, "%02x", value[i]);
    hex = g_string_free (digits, FALSE);
    g_string_append_printf (text, "0x%s", hex + MIN (strspn (hex, "0"), 2 * size - 1));
}

static void
append_value (GString *text, BulkheadDatatype type, const guint8 *value)
{
    switch (type) {
    case TYPE_NF_PROTO:
        append_word (text, nf_protos, value[0]);
        break;
    case TYPE_INET_PROTO:
        append_word (text, inet_protos, value[0]);
        break;
    case TYPE_ETHER_TYPE:
        append_word (text, ether_types, value_number (type, value));
        break;
    case TYPE_MARK:
        g_string_append_printf (text, "0x%08x", value_number (type, value));
        break;
    case TYPE_INET_SERVICE:
    case TYPE_UID:
        g_string_append_printf (text, "%u", value_number (type, value));
        break;
    case TYPE_IPV4_ADDR:
    case TYPE_IPV6_ADDR:
        append_address (text, type, value);
        break;
    case TYPE_IFNAME:
        g_string_append_printf (text, "\"%.*s\"", 16, value);
        break;
    }
}

static gboolean
is_address (BulkheadDatatype type)
{
    return type == TYPE_IPV4_ADDR || type == TYPE_IPV6_ADDR;
}

/* A range as nft writes it: a single value, a prefix where it is one, else both ends. */
static void
append_range (GString *text, BulkheadDatatype type, const guint8 *first, const guint8 *last)
{
    guint size = bulkhead_datatype_size (type);

    append_value (text, type, first);
    if (memcmp (first, last, size) == 0)
        return;
    if (is_address (type)) {
        BulkheadRange range = { 0 };
        BulkheadPrefix prefix;
        range.first.family = range.last.family =
            type == TYPE_IPV4_ADDR ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;
        memcpy (range.first.bytes, first, size);
        memcpy (range.last.bytes, last, size);
        if (bulkhead_range_to_prefix (&range, &prefix)) {
            g_string_append_printf (text, "/%u", prefix.length);
            return;
        }
    }
    g_string_append_c (text, '-');
    append_value (text, type, last);
}

/* ---- sets ---- */

static void
append_seconds (GString *text, guint seconds)
{
    static const Word units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };

    for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
        guint n = seconds / units[i].value;
        if (n > 0)
            g_string_append_printf (text, "%u%s", n, units[i].name);
        seconds %= units[i].value;
    }
}

/* How many elements nft puts on a line. */
static guint
elements_per_line (const BulkheadSet *set)
{
    if (set->n_fields > 1)
        return 1;
    switch (set->fields[0]) {
    case TYPE_NF_PROTO:
    case TYPE_INET_PROTO:
    case TYPE_INET_SERVICE:
        return 5;
    case TYPE_IPV4_ADDR:
        return 2;
    default:
        return 1;
    }
}

static void
append_element (GString *text, const BulkheadSet *set, const guint8 *element)
{
    const guint8 *last = set->interval ? element + set->key_size : element;

    for (guint i = 0, at = 0; i < set->n_fields; i++) {
        if (i > 0)
            g_string_append (text, " . ");
        append_range (text, set->fields[i], element + at, last + at);
        at += (bulkhead_datatype_size (set->fields[i]) + 3) / 4 * 4;
    }
    if (set->timeout > 0 && !set->dynamic) {
        g_string_append (text, " timeout ");
        append_seconds (text, set->timeout);
    }
}

static void
append_elements (GString *text, const BulkheadSet *set)
{
    guint stride = set->interval ? 2 * set->key_size : set->key_size;
    guint per_line = elements_per_line (set);
    guint n = bulkhead_set_count (set);

    if (n == 0)
        return;
    g_string_append (text, "\t\telements = { ");
    for (guint i = 0; i < n; i++) {
        if (i > 0)
            g_string_append (text, i % per_line == 0 ? ",\n\t\t\t     " : ", ");
        append_element (text, set, set->elements->data + i * stride);
    }
    g_string_append (text, " }\n");
}

static void
append_set (GString *text, const BulkheadSet *set)
{
    static const char *const type_names[] = {
        [TYPE_NF_PROTO] = "nf_proto",
        [TYPE_IPV4_ADDR] = "ipv4_addr",
        [TYPE_IPV6_ADDR] = "ipv6_addr",
        [TYPE_ETHER_TYPE] = "ether_type",
        [TYPE_INET_PROTO] = "inet_proto",
        [TYPE_INET_SERVICE] = "inet_service",
        [TYPE_MARK] = "mark",
        [TYPE_UID] = "uid",
        [TYPE_IFNAME] = "ifname",
    };

    g_string_append_printf (text, "\tset %s {\n\t\ttype ", set->name);
    for (guint i = 0; i < set->n_fields; i++)
        g_string_append_printf (text, "%s%s", i > 0 ? " . " : "", type_names[set->fields[i]]);
    g_string_append_c (text, '\n');
    if (set->dynamic) {
        g_string_append_printf (text, "\t\tsize %u\n\t\tflags dynamic,timeout\n\t\ttimeout ",
                                BULKHEAD_DYNAMIC_SIZE);
        append_seconds (text, set->timeout);
        g_string_append_c (text, '\n');
    } else if (set->interval)
        g_string_append (text, "\t\tflags interval\n");
    else if (set->timeout > 0)
        g_string_append (text, "\t\tflags timeout\n");
    append_elements (text, set);
    g_string_append (text, "\t}\n");
}

/* ---- rules ---- */

static void
append_match (GString *text, const BulkheadStatement *statement)
{
    static const char *const operators[] = { [OP_EQ] = " ", [OP_NE] = " != ", [OP_GT] = " > " };
    BulkheadKey key = statement->keys[0];
    BulkheadDatatype type = bulkhead_key_datatype (key);
    guint number =
        is_address (type) || type == TYPE_IFNAME ? 0 : value_number (type, statement->value);

    g_string_append (text, key_names[key]);
    if (key == KEY_EXTHDR_RT) {
        g_string_append (text, " exists");
        return;
    }
    g_string_append (text, operators[statement->op]);
    if (key == KEY_ICMP_TYPE)
        append_word (text, icmp_types, number);
    else if (key == KEY_ICMP_CODE)
        append_word (text, icmp_codes, number);
    else if (key == KEY_ICMPV6_TYPE)
        append_word (text, icmpv6_types, number);
    else if (key == KEY_LL_TYPE || key == KEY_LL_VLAN_TYPE)
        g_string_append_printf (text, "0x%x", number);
    else if (key == KEY_ICMP_QUOTED_SADDR || key == KEY_ICMPV6_QUOTED_SADDR)
        append_hex (text, statement->value, bulkhead_datatype_size (type));
    else if (key == KEY_IP_HDRLENGTH || key == KEY_IP_FRAG_OFF || key == KEY_FRAG_FRAG_OFF
             || key == KEY_IP6_HOPLIMIT)
        g_string_append_printf (text, "%u", number);
    else
        append_value (text, type, statement->value);
    if (is_address (type) && statement->prefix < 8 * bulkhead_datatype_size (type))
        g_string_append_printf (text, "/%u", statement->prefix);
}

static void
append_keys (GString *text, const BulkheadStatement *statement)
{
    for (guint i = 0; i < statement->n_keys; i++)
        g_string_append_printf (text, "%s%s", i > 0 ? " . " : "", key_names[statement->keys[i]]);
}

static void
append_statement (GString *text, const BulkheadStatement *statement)
{
    switch (statement->type) {
    case STATEMENT_MATCH:
        append_match (text, statement);
        break;
    case STATEMENT_LOOKUP:
        append_keys (text, statement);
        g_string_append_printf (text, " @%s", statement->name);
        break;
    case STATEMENT_UPDATE:
        g_string_append_printf (text, "update @%s { ", statement->name);
        append_keys (text, statement);
        g_string_append (text, " }");
        break;
    case STATEMENT_COUNTER:
        g_string_append (text, "counter");
        break;
    case STATEMENT_LIMIT:
        g_string_append_printf (text, "limit rate %u/second", statement->number);
        break;
    case STATEMENT_LOG:
        g_string_append_printf (text, "log group %u", statement->number);
        break;
    case STATEMENT_REJECT_TCP_RESET:
        g_string_append (text, "reject with tcp reset");
        break;
    case STATEMENT_REJECT_ADMIN_PROHIBITED:
        g_string_append (text, "reject with icmpx admin-prohibited");
        break;
    case STATEMENT_ACCEPT:
        g_string_append (text, "accept");
        break;
    case STATEMENT_DROP:
        g_string_append (text, "drop");
        break;
    case STATEMENT_JUMP:
        g_string_append_printf (text, "jump %s", statement->name);
        break;
    }
}

static void
append_rule (GString *text, const BulkheadRule *rule)
{
    for (guint i = 0; i < rule->n; i++) {
        if (i > 0)
            g_string_append_c (text, ' ');
        append_statement (text, &rule->statements[i]);
    }
}

static void
append_priority (GString *text, const BulkheadChain *chain)
{
    if (chain->priority == 0)
        g_string_append (text, "filter");
    else if (chain->priority == -300)
        g_string_append (text, "raw");
    else
        g_string_append_printf (text, "%d", chain->priority);
}

static void
append_hook (GString *text, const BulkheadChain *chain)
{
    g_string_append_printf (text, "type filter hook %s ", hook_names[chain->hook]);
    if (chain->device[0] != '\0')
        g_string_append_printf (text, "device \"%s\" ", chain->device);
    g_string_append (text, "priority ");
    append_priority (text, chain);
    g_string_append_printf (text, "; policy %s;", chain->policy_drop ? "drop" : "accept");
}

static void
append_chain (GString *text, const BulkheadChain *chain)
{
    g_string_append_printf (text, "\tchain %s {\n", chain->name);
    if (chain->hook != HOOK_NONE) {
        g_string_append (text, "\t\t");
        append_hook (text, chain);
        g_string_append_c (text, '\n');
    }
    for (guint i = 0; i < chain->rules->len; i++) {
        g_string_append (text, "\t\t");
        append_rule (text, chain->rules->pdata[i]);
        g_string_append_c (text, '\n');
    }
    g_string_append (text, "\t}\n");
}

char *
bulkhead_table_to_text (const BulkheadTable *table)
{
    GString *text = g_string_new (NULL);

    g_string_append_printf (text, "table %s " BULKHEAD_TABLE " {\n",
                            bulkhead_family_name (table->family));
    for (guint i = 0; i < table->sets->len; i++) {
        if (i > 0)
            g_string_append_c (text, '\n');
        append_set (text, table->sets->pdata[i]);
    }
    for (guint i = 0; i < table->chains->len; i++) {
        if (i > 0 || table->sets->len > 0)
            g_string_append_c (text, '\n');
        append_chain (text, table->chains->pdata[i]);
    }
    g_string_append (text, "}\n");
    return g_string_free (text, FALSE);
}

char *
bulkhead_ruleset_to_text (const BulkheadRuleset *ruleset)
{
    GString *text = g_string_new (NULL);

    for (guint i = 0; i < ruleset->tables->len; i++) {
        g_autofree char *table = bulkhead_table_to_text (ruleset->tables->pdata[i]);
        g_string_append (text, table);
    }
    return g_string_free (text, FALSE);
}

char *
bulkhead_rule_to_text (const BulkheadTable *table, const BulkheadChain *chain,
                       const BulkheadRule *rule)
{
    GString *text = g_string_new (NULL);

    g_string_append_printf (text, "add rule %s " BULKHEAD_TABLE " %s ",
                            bulkhead_family_name (table->family), chain->name);
    append_rule (text, rule);
    return g_string_free (text, FALSE);
}

char *
bulkhead_set_to_text (const BulkheadTable *table, const BulkheadSet *set)
{
    return g_strdup_printf ("add set %s " BULKHEAD_TABLE " %s (%u elements)",
                            bulkhead_family_name (table->family), set->name,
                            bulkhead_set_count (set));
}

char *
bulkhead_chain_to_text (const BulkheadTable *table, const BulkheadChain *chain)
{
    GString *text = g_string_new (NULL);

    g_string_append_printf (text, "add chain %s " BULKHEAD_TABLE " %s",
                            bulkhead_family_name (table->family), chain->name);
    if (chain->hook != HOOK_NONE) {
        g_string_append (text, " { ");
        append_hook (text, chain);
        g_string_append (text, " }");
    }
    return g_string_free (text, FALSE);
}
