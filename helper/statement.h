/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The vocabulary of compile.c: statements by the words that nft has for them, and rule() to string
 * them together. The names are short; include this file only where rules are written.
 */
#pragma once

#include "ruleset.h"

#include <string.h>

#define rule(chain, ...)                                                                           \
    bulkhead_chain_add_rule ((chain), (const BulkheadStatement[]){ __VA_ARGS__ },                  \
                             sizeof ((const BulkheadStatement[]){ __VA_ARGS__ })                   \
                                 / sizeof (BulkheadStatement))

#define COUNTER ((BulkheadStatement){ .type = STATEMENT_COUNTER })
#define ACCEPT ((BulkheadStatement){ .type = STATEMENT_ACCEPT })
#define DROP ((BulkheadStatement){ .type = STATEMENT_DROP })
#define REJECT_TCP_RESET ((BulkheadStatement){ .type = STATEMENT_REJECT_TCP_RESET })
#define REJECT_ADMIN_PROHIBITED ((BulkheadStatement){ .type = STATEMENT_REJECT_ADMIN_PROHIBITED })

/* in ("endpoints4", KEY_IP_DADDR, KEY_L4PROTO, KEY_TH_DPORT): the keys together are in the set. */
#define in(set, ...)                                                                               \
    bulkhead_lookup (STATEMENT_LOOKUP, (set), (const guint8[]){ __VA_ARGS__ },                     \
                     sizeof ((const guint8[]){ __VA_ARGS__ }))
/* update ("flows4", …): the kernel keeps the keys of this packet there for a while. */
#define update(set, ...)                                                                           \
    bulkhead_lookup (STATEMENT_UPDATE, (set), (const guint8[]){ __VA_ARGS__ },                     \
                     sizeof ((const guint8[]){ __VA_ARGS__ }))

BulkheadStatement bulkhead_lookup (BulkheadStatementType type, const char *set, const guint8 *keys,
                                   gsize n_keys);
BulkheadStatement bulkhead_match (BulkheadKey key, BulkheadOperator op, gconstpointer value,
                                  gsize size);
BulkheadStatement bulkhead_match_prefix (BulkheadKey key, const char *prefix);

static inline BulkheadStatement
match_u8 (BulkheadKey key, BulkheadOperator op, guint8 value)
{
    return bulkhead_match (key, op, &value, sizeof value);
}

static inline BulkheadStatement
match_be16 (BulkheadKey key, guint16 value)
{
    guint16 be = GUINT16_TO_BE (value);
    return bulkhead_match (key, OP_EQ, &be, sizeof be);
}

static inline BulkheadStatement
iifname (const char *name)
{
    return bulkhead_match (KEY_IIFNAME, OP_EQ, name, strlen (name));
}

/* By the address' family. */
static inline BulkheadStatement
saddr (const BulkheadAddress *address)
{
    return bulkhead_match (address->family == G_SOCKET_FAMILY_IPV4 ? KEY_IP_SADDR : KEY_IP6_SADDR,
                           OP_EQ, address->bytes, bulkhead_address_size (address));
}

static inline BulkheadStatement
oifname (const char *name)
{
    return bulkhead_match (KEY_OIFNAME, OP_EQ, name, strlen (name));
}

static inline BulkheadStatement
ip_daddr (const char *prefix)
{
    return bulkhead_match_prefix (KEY_IP_DADDR, prefix);
}

static inline BulkheadStatement
ip_daddr_not (const char *prefix)
{
    BulkheadStatement statement = bulkhead_match_prefix (KEY_IP_DADDR, prefix);

    statement.op = OP_NE;
    return statement;
}

static inline BulkheadStatement
ip6_daddr_not (const char *prefix)
{
    BulkheadStatement statement = bulkhead_match_prefix (KEY_IP6_DADDR, prefix);

    statement.op = OP_NE;
    return statement;
}

static inline BulkheadStatement
ip6_saddr (const char *prefix)
{
    return bulkhead_match_prefix (KEY_IP6_SADDR, prefix);
}

static inline BulkheadStatement
ip6_daddr (const char *prefix)
{
    return bulkhead_match_prefix (KEY_IP6_DADDR, prefix);
}

static inline BulkheadStatement
udp_sport (guint16 port)
{
    return match_be16 (KEY_UDP_SPORT, port);
}

static inline BulkheadStatement
udp_dport (guint16 port)
{
    return match_be16 (KEY_UDP_DPORT, port);
}

static inline BulkheadStatement
l4proto (guint8 protocol)
{
    return match_u8 (KEY_L4PROTO, OP_EQ, protocol);
}

static inline BulkheadStatement
l4proto_not (guint8 protocol)
{
    return match_u8 (KEY_L4PROTO, OP_NE, protocol);
}

static inline BulkheadStatement
icmp_type (guint8 type)
{
    return match_u8 (KEY_ICMP_TYPE, OP_EQ, type);
}

static inline BulkheadStatement
icmp_code (guint8 code)
{
    return match_u8 (KEY_ICMP_CODE, OP_EQ, code);
}

static inline BulkheadStatement
icmpv6_type (guint8 type)
{
    return match_u8 (KEY_ICMPV6_TYPE, OP_EQ, type);
}

/* By the address' family; stands behind l4proto (1) or l4proto (58). */
static inline BulkheadStatement
icmp_quoted_saddr (const BulkheadAddress *address)
{
    return bulkhead_match (address->family == G_SOCKET_FAMILY_IPV4 ? KEY_ICMP_QUOTED_SADDR
                                                                   : KEY_ICMPV6_QUOTED_SADDR,
                           OP_EQ, address->bytes, bulkhead_address_size (address));
}

static inline BulkheadStatement
ip6_hoplimit (guint8 limit)
{
    return match_u8 (KEY_IP6_HOPLIMIT, OP_EQ, limit);
}

static inline BulkheadStatement
ip_hdrlength_over (guint8 words)
{
    return match_u8 (KEY_IP_HDRLENGTH, OP_GT, words);
}

/* Any fragment but the first. */
static inline BulkheadStatement
ip_frag_off_not_zero (void)
{
    return bulkhead_match (KEY_IP_FRAG_OFF, OP_NE, "\0", 2);
}

static inline BulkheadStatement
exthdr_rt_exists (void)
{
    return match_u8 (KEY_EXTHDR_RT, OP_EQ, 1);
}

static inline BulkheadStatement
frag_frag_off_not_zero (void)
{
    return bulkhead_match (KEY_FRAG_FRAG_OFF, OP_NE, "\0", 2);
}

static inline BulkheadStatement
protocol_is (guint16 ether_type)
{
    return match_be16 (KEY_PROTOCOL, ether_type);
}

static inline BulkheadStatement
ll_type (guint16 ether_type)
{
    return match_be16 (KEY_LL_TYPE, ether_type);
}

static inline BulkheadStatement
ll_type_not (guint16 ether_type)
{
    guint16 be = GUINT16_TO_BE (ether_type);
    return bulkhead_match (KEY_LL_TYPE, OP_NE, &be, sizeof be);
}

static inline BulkheadStatement
ll_vlan_type (guint16 ether_type)
{
    return match_be16 (KEY_LL_VLAN_TYPE, ether_type);
}

static inline BulkheadStatement
limit_per_second (guint packets)
{
    return (BulkheadStatement){ .type = STATEMENT_LIMIT, .number = packets };
}

static inline BulkheadStatement
log_group (guint group)
{
    return (BulkheadStatement){ .type = STATEMENT_LOG, .number = group };
}

BulkheadStatement jump (const char *chain);
