/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-encode.h"

#include <netinet/in.h> /* before linux/in.h, which it silences */
#include <stdio.h>      /* libnftnl uses FILE */
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

/* What is known of the packet at this point of a rule: each guard is put in once. */
typedef struct {
    struct nftnl_rule *rule;
    BulkheadFamily family;
    guint16 ether_type; /* 0: any */
    guint8 l4proto;     /* 0: any */
} RuleWriter;

/* Where a key is loaded from. */
typedef enum {
    FROM_META,
    FROM_LINK,
    FROM_NETWORK,
    FROM_TRANSPORT,
    FROM_EXTHDR,
    FROM_FRAGMENT
} Source;

typedef struct {
    Source source;
    guint32 number;     /* meta key, exthdr type, or offset in the header */
    guint16 ether_type; /* guard: which network protocol it is part of */
    guint8 l4proto;     /* guard: which transport protocol */
} Place;

static const Place places[] = {
    [KEY_IIFNAME] = { FROM_META, NFT_META_IIFNAME },
    [KEY_OIFNAME] = { FROM_META, NFT_META_OIFNAME },
    [KEY_MARK] = { FROM_META, NFT_META_MARK },
    [KEY_SKUID] = { FROM_META, NFT_META_SKUID },
    [KEY_NFPROTO] = { FROM_META, NFT_META_NFPROTO },
    [KEY_L4PROTO] = { FROM_META, NFT_META_L4PROTO },
    [KEY_PROTOCOL] = { FROM_META, NFT_META_PROTOCOL },
    [KEY_LL_TYPE] = { FROM_LINK, 12 },
    [KEY_LL_VLAN_TYPE] = { FROM_LINK, 16 },
    [KEY_IP_SADDR] = { FROM_NETWORK, 12, 0x0800 },
    [KEY_IP_DADDR] = { FROM_NETWORK, 16, 0x0800 },
    [KEY_IP_HDRLENGTH] = { FROM_NETWORK, 0, 0x0800 },
    [KEY_IP_FRAG_OFF] = { FROM_NETWORK, 6, 0x0800 },
    [KEY_IP6_SADDR] = { FROM_NETWORK, 8, 0x86dd },
    [KEY_IP6_DADDR] = { FROM_NETWORK, 24, 0x86dd },
    [KEY_IP6_HOPLIMIT] = { FROM_NETWORK, 7, 0x86dd },
    [KEY_ARP_SADDR_IP] = { FROM_NETWORK, 14, 0x0806 },
    [KEY_EXTHDR_RT] = { FROM_EXTHDR, IPPROTO_ROUTING, 0x86dd },
    [KEY_FRAG_FRAG_OFF] = { FROM_FRAGMENT, 2, 0x86dd },
    [KEY_UDP_SPORT] = { FROM_TRANSPORT, 0, 0, IPPROTO_UDP },
    [KEY_UDP_DPORT] = { FROM_TRANSPORT, 2, 0, IPPROTO_UDP },
    [KEY_TH_SPORT] = { FROM_TRANSPORT, 0 },
    [KEY_TH_DPORT] = { FROM_TRANSPORT, 2 },
    [KEY_ICMP_TYPE] = { FROM_TRANSPORT, 0, 0x0800, IPPROTO_ICMP },
    [KEY_ICMP_CODE] = { FROM_TRANSPORT, 1, 0x0800, IPPROTO_ICMP },
    [KEY_ICMPV6_TYPE] = { FROM_TRANSPORT, 0, 0x86dd, IPPROTO_ICMPV6 },
    [KEY_ICMP_QUOTED_SADDR] = { FROM_TRANSPORT, 8 + 12 },
    [KEY_ICMPV6_QUOTED_SADDR] = { FROM_TRANSPORT, 8 + 8 },
};
G_STATIC_ASSERT (G_N_ELEMENTS (places) == KEY_LAST + 1);

static guint
key_size (BulkheadKey key)
{
    return bulkhead_datatype_size (bulkhead_key_datatype (key));
}

/* Registers of four bytes, named as the kernel names them when it lists a rule. */
static guint32
register_at (guint index)
{
    return index % 4 == 0 ? NFT_REG_1 + index / 4 : NFT_REG32_00 + index;
}

static struct nftnl_expr *
add_expression (RuleWriter *writer, const char *name)
{
    struct nftnl_expr *expression = nftnl_expr_alloc (name);

    nftnl_rule_add_expr (writer->rule, expression);
    return expression;
}

static void
add_cmp (RuleWriter *writer, guint32 op, gconstpointer value, guint size)
{
    struct nftnl_expr *cmp = add_expression (writer, "cmp");

    nftnl_expr_set_u32 (cmp, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32 (cmp, NFTNL_EXPR_CMP_OP, op);
    nftnl_expr_set (cmp, NFTNL_EXPR_CMP_DATA, value, size);
}

static void
add_mask (RuleWriter *writer, gconstpointer mask, guint size)
{
    static const guint8 zero[16];
    struct nftnl_expr *bitwise = add_expression (writer, "bitwise");

    nftnl_expr_set_u32 (bitwise, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    nftnl_expr_set_u32 (bitwise, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    nftnl_expr_set_u32 (bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32 (bitwise, NFTNL_EXPR_BITWISE_LEN, size);
    nftnl_expr_set (bitwise, NFTNL_EXPR_BITWISE_MASK, mask, size);
    nftnl_expr_set (bitwise, NFTNL_EXPR_BITWISE_XOR, zero, size);
}

/* [ meta load KEY => reg ] */
static void
load_meta (RuleWriter *writer, guint32 key, guint32 reg)
{
    struct nftnl_expr *meta = add_expression (writer, "meta");

    nftnl_expr_set_u32 (meta, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32 (meta, NFTNL_EXPR_META_DREG, reg);
}

/* [ payload load SIZEb @ HEADER + OFFSET => reg ] */
static void
load_payload (RuleWriter *writer, guint32 base, guint32 offset, guint size, guint32 reg)
{
    struct nftnl_expr *payload = add_expression (writer, "payload");

    nftnl_expr_set_u32 (payload, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32 (payload, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32 (payload, NFTNL_EXPR_PAYLOAD_LEN, size);
    nftnl_expr_set_u32 (payload, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

/* [ exthdr load ipv6 SIZEb @ TYPE + OFFSET => reg ]; with the flag only whether it is there. */
static void
load_exthdr (RuleWriter *writer, guint8 type, guint32 offset, guint size, guint32 flags,
             guint32 reg)
{
    struct nftnl_expr *exthdr = add_expression (writer, "exthdr");

    nftnl_expr_set_u8 (exthdr, NFTNL_EXPR_EXTHDR_TYPE, type);
    nftnl_expr_set_u32 (exthdr, NFTNL_EXPR_EXTHDR_OFFSET, offset);
    nftnl_expr_set_u32 (exthdr, NFTNL_EXPR_EXTHDR_LEN, size);
    nftnl_expr_set_u32 (exthdr, NFTNL_EXPR_EXTHDR_FLAGS, flags);
    nftnl_expr_set_u32 (exthdr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
    nftnl_expr_set_u32 (exthdr, NFTNL_EXPR_EXTHDR_DREG, reg);
}

static void
load_key (RuleWriter *writer, BulkheadKey key, guint32 reg)
{
    const Place *place = &places[key];

    switch (place->source) {
    case FROM_META:
        load_meta (writer, place->number, reg);
        break;
    case FROM_LINK:
        load_payload (writer, NFT_PAYLOAD_LL_HEADER, place->number, key_size (key), reg);
        break;
    case FROM_NETWORK:
        load_payload (writer, NFT_PAYLOAD_NETWORK_HEADER, place->number, key_size (key), reg);
        break;
    case FROM_TRANSPORT:
        load_payload (writer, NFT_PAYLOAD_TRANSPORT_HEADER, place->number, key_size (key), reg);
        break;
    case FROM_EXTHDR:
        load_exthdr (writer, place->number, 0, key_size (key), NFT_EXTHDR_F_PRESENT, reg);
        break;
    case FROM_FRAGMENT:
        load_exthdr (writer, IPPROTO_FRAGMENT, place->number, key_size (key), 0, reg);
        break;
    }
}

/* [ meta load nfproto => reg 1 ] [ cmp eq reg 1 … ]; meta protocol in the netdev family. */
static void
guard_network (RuleWriter *writer, guint16 ether_type)
{
    guint8 nfproto = ether_type == 0x0800 ? NFPROTO_IPV4 : NFPROTO_IPV6;
    guint16 be = GUINT16_TO_BE (ether_type);

    if (ether_type == 0 || writer->ether_type == ether_type)
        return;
    writer->ether_type = ether_type;
    if (writer->family == BULKHEAD_FAMILY_INET) {
        load_meta (writer, NFT_META_NFPROTO, NFT_REG_1);
        add_cmp (writer, NFT_CMP_EQ, &nfproto, sizeof nfproto);
    } else {
        load_meta (writer, NFT_META_PROTOCOL, NFT_REG_1);
        add_cmp (writer, NFT_CMP_EQ, &be, sizeof be);
    }
}

/* [ meta load l4proto => reg 1 ] [ cmp eq reg 1 … ] */
static void
guard_transport (RuleWriter *writer, guint8 protocol)
{
    if (protocol == 0 || writer->l4proto == protocol)
        return;
    writer->l4proto = protocol;
    load_meta (writer, NFT_META_L4PROTO, NFT_REG_1);
    add_cmp (writer, NFT_CMP_EQ, &protocol, sizeof protocol);
}

static void
guard (RuleWriter *writer, BulkheadKey key)
{
    guard_network (writer, places[key].ether_type);
    guard_transport (writer, places[key].l4proto);
}

static void
prefix_mask (guint prefix, guint size, guint8 *mask)
{
    for (guint i = 0; i < size; i++, prefix -= MIN (prefix, 8))
        mask[i] = prefix >= 8 ? 0xff : 0xff << (8 - prefix);
}

static void
add_match (RuleWriter *writer, const BulkheadStatement *statement)
{
    static const guint32 operators[] = {
        [OP_EQ] = NFT_CMP_EQ, [OP_NE] = NFT_CMP_NEQ, [OP_GT] = NFT_CMP_GT
    };
    BulkheadKey key = statement->keys[0];
    guint size = key_size (key);
    guint8 mask[16];

    guard (writer, key);
    load_key (writer, key, NFT_REG_1);
    if (key == KEY_IP_HDRLENGTH)
        add_mask (writer, "\x0f", size);
    else if (key == KEY_IP_FRAG_OFF)
        add_mask (writer, "\x1f\xff", size);
    else if (key == KEY_FRAG_FRAG_OFF)
        add_mask (writer, "\xff\xf8", size);
    else if (statement->prefix < 8 * size) {
        prefix_mask (statement->prefix, size, mask);
        add_mask (writer, mask, size);
    }
    /* All of a name's sixteen bytes are compared: a shorter one would match names that only begin
     * like it (LEAKS L76). */
    add_cmp (writer, operators[statement->op], statement->value, size);
    if (key == KEY_PROTOCOL && statement->op == OP_EQ)
        writer->ether_type = statement->value[0] << 8 | statement->value[1];
}

/* Loads all keys of a statement side by side. */
static void
load_keys (RuleWriter *writer, const BulkheadStatement *statement)
{
    guint at = 0;

    for (guint i = 0; i < statement->n_keys; i++)
        guard (writer, statement->keys[i]);
    for (guint i = 0; i < statement->n_keys; i++) {
        load_key (writer, statement->keys[i], register_at (at));
        at += (key_size (statement->keys[i]) + 3) / 4;
    }
}

static void
add_lookup (RuleWriter *writer, const BulkheadStatement *statement)
{
    struct nftnl_expr *lookup;

    load_keys (writer, statement);
    lookup = add_expression (writer, "lookup");
    nftnl_expr_set_u32 (lookup, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str (lookup, NFTNL_EXPR_LOOKUP_SET, statement->name);
    nftnl_expr_set_u32 (lookup, NFTNL_EXPR_LOOKUP_FLAGS, 0);
}

/* [ dynset update reg_key 1 set NAME ]: the set's own timeout counts. */
static void
add_update (RuleWriter *writer, const BulkheadStatement *statement)
{
    struct nftnl_expr *dynset;

    load_keys (writer, statement);
    dynset = add_expression (writer, "dynset");
    nftnl_expr_set_u32 (dynset, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
    nftnl_expr_set_u32 (dynset, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    nftnl_expr_set_str (dynset, NFTNL_EXPR_DYNSET_SET_NAME, statement->name);
}

static void
add_reject (RuleWriter *writer, guint32 type, guint8 code)
{
    struct nftnl_expr *reject = add_expression (writer, "reject");

    nftnl_expr_set_u32 (reject, NFTNL_EXPR_REJECT_TYPE, type);
    nftnl_expr_set_u8 (reject, NFTNL_EXPR_REJECT_CODE, code);
}

static void
add_verdict (RuleWriter *writer, gint32 verdict, const char *chain)
{
    struct nftnl_expr *immediate = add_expression (writer, "immediate");

    nftnl_expr_set_u32 (immediate, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32 (immediate, NFTNL_EXPR_IMM_VERDICT, verdict);
    if (chain != NULL)
        nftnl_expr_set_str (immediate, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void
add_limit (RuleWriter *writer, guint packets)
{
    struct nftnl_expr *limit = add_expression (writer, "limit");

    nftnl_expr_set_u64 (limit, NFTNL_EXPR_LIMIT_RATE, packets);
    nftnl_expr_set_u64 (limit, NFTNL_EXPR_LIMIT_UNIT, 1);
    nftnl_expr_set_u32 (limit, NFTNL_EXPR_LIMIT_BURST, 5);
    nftnl_expr_set_u32 (limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32 (limit, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

static void
add_statement (RuleWriter *writer, const BulkheadStatement *statement)
{
    switch (statement->type) {
    case STATEMENT_MATCH:
        add_match (writer, statement);
        break;
    case STATEMENT_LOOKUP:
        add_lookup (writer, statement);
        break;
    case STATEMENT_UPDATE:
        add_update (writer, statement);
        break;
    case STATEMENT_COUNTER:
        add_expression (writer, "counter");
        break;
    case STATEMENT_LIMIT:
        add_limit (writer, statement->number);
        break;
    case STATEMENT_LOG:
        nftnl_expr_set_u16 (add_expression (writer, "log"), NFTNL_EXPR_LOG_GROUP,
                            statement->number);
        break;
    case STATEMENT_REJECT_TCP_RESET:
        add_reject (writer, NFT_REJECT_TCP_RST, 0);
        break;
    case STATEMENT_REJECT_ADMIN_PROHIBITED:
        add_reject (writer, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
        break;
    case STATEMENT_ACCEPT:
        add_verdict (writer, NF_ACCEPT, NULL);
        break;
    case STATEMENT_DROP:
        add_verdict (writer, NF_DROP, NULL);
        break;
    case STATEMENT_JUMP:
        add_verdict (writer, NFT_JUMP, statement->name);
        break;
    }
}

void
bulkhead_encode_rule (struct nlmsghdr *message, BulkheadFamily family, const char *table,
                      const char *chain, const BulkheadRule *rule)
{
    RuleWriter writer = { .rule = nftnl_rule_alloc (), .family = family };

    nftnl_rule_set_str (writer.rule, NFTNL_RULE_TABLE, table);
    nftnl_rule_set_str (writer.rule, NFTNL_RULE_CHAIN, chain);
    for (guint i = 0; i < rule->n; i++)
        add_statement (&writer, &rule->statements[i]);
    nftnl_rule_nlmsg_build_payload (message, writer.rule);
    nftnl_rule_free (writer.rule);
}

static int
describe_expression (struct nftnl_expr *expression, void *data)
{
    GString *text = data;
    const char *name = nftnl_expr_get_str (expression, NFTNL_EXPR_NAME);
    char buffer[512] = "";

    /* A counter counts: only that it is there is part of the rule. */
    if (!g_str_equal (name, "counter"))
        nftnl_expr_snprintf (buffer, sizeof buffer, expression, NFTNL_OUTPUT_DEFAULT, 0);
    /* Kernels differ in how they tell that the set's own timeout counts. */
    if (g_str_equal (name, "dynset") && strstr (buffer, " timeout ") != NULL)
        *strstr (buffer, " timeout ") = '\0';
    g_string_append_printf (text, " [ %s %s ]", name, g_strchomp (buffer));
    return 0;
}

char *
bulkhead_encode_describe_rule (const struct nlmsghdr *message)
{
    struct nftnl_rule *rule = nftnl_rule_alloc ();
    GString *text = NULL;

    if (nftnl_rule_nlmsg_parse (message, rule) == 0) {
        text = g_string_new (NULL);
        nftnl_expr_foreach (rule, describe_expression, text);
    }
    nftnl_rule_free (rule);
    return text != NULL ? g_string_free (text, FALSE) : NULL;
}
