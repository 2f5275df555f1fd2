/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ruleset as a value, in nft's own words: tables of sets and chains, chains of rules, rules of
 * statements. Nothing can fail while one is built and nothing in here talks to a kernel. Two
 * interpreters read it: ruleset-text.c (what `nft -s list table` prints) and nft-encode.c
 * (libnftnl). The words to write rules with are in statement.h.
 */
#pragma once

#include "address.h"

#define BULKHEAD_TABLE "bulkhead"
#define BULKHEAD_CHAIN_REFUSE "refuse"
#define BULKHEAD_LOG_GROUP 4224 /* nflog group of what was refused */

typedef enum {
    BULKHEAD_FAMILY_INET = 1,   /* NFPROTO_INET */
    BULKHEAD_FAMILY_NETDEV = 5, /* NFPROTO_NETDEV */
} BulkheadFamily;

/* nft's data types with nft's numbers: they are part of what a set says of its key. */
typedef enum {
    TYPE_NF_PROTO = 2,
    TYPE_IPV4_ADDR = 7,
    TYPE_IPV6_ADDR = 8,
    TYPE_ETHER_TYPE = 10,
    TYPE_INET_PROTO = 12,
    TYPE_INET_SERVICE = 13,
    TYPE_MARK = 19,
    TYPE_UID = 24,
    TYPE_IFNAME = 41,
} BulkheadDatatype;

/* What a statement can look at. */
typedef enum {
    KEY_IIFNAME,
    KEY_OIFNAME,
    KEY_MARK,
    KEY_SKUID,
    KEY_NFPROTO,
    KEY_L4PROTO,
    KEY_PROTOCOL,     /* what the kernel takes the frame for */
    KEY_LL_TYPE,      /* what the frame's bytes say: a packet socket may say otherwise */
    KEY_LL_VLAN_TYPE, /* the same behind one VLAN tag */
    KEY_IP_SADDR,
    KEY_IP_DADDR,
    KEY_IP_HDRLENGTH,
    KEY_IP_FRAG_OFF,
    KEY_IP6_SADDR,
    KEY_IP6_DADDR,
    KEY_IP6_HOPLIMIT,
    KEY_ARP_SADDR_IP,
    KEY_EXTHDR_RT,
    KEY_FRAG_FRAG_OFF,
    KEY_UDP_SPORT,
    KEY_UDP_DPORT,
    KEY_TH_SPORT,
    KEY_TH_DPORT,
    KEY_ICMP_TYPE,
    KEY_ICMP_CODE,
    KEY_ICMPV6_TYPE,
    KEY_ICMP_QUOTED_SADDR, /* source of the packet that an ICMP error is about */
    KEY_ICMPV6_QUOTED_SADDR,
    KEY_LAST = KEY_ICMPV6_QUOTED_SADDR,
} BulkheadKey;

typedef enum {
    STATEMENT_MATCH,  /* one key, an operator and a value */
    STATEMENT_LOOKUP, /* one to four keys and a set */
    STATEMENT_UPDATE, /* one to four keys: remembered in a dynamic set */
    STATEMENT_COUNTER,
    STATEMENT_LIMIT, /* number: packets per second */
    STATEMENT_LOG,   /* number: nflog group */
    STATEMENT_REJECT_TCP_RESET,
    STATEMENT_REJECT_ADMIN_PROHIBITED,
    STATEMENT_ACCEPT,
    STATEMENT_DROP,
    STATEMENT_JUMP, /* name: the chain */
} BulkheadStatementType;

typedef enum { OP_EQ, OP_NE, OP_GT } BulkheadOperator;

#define BULKHEAD_NAME_SIZE 64 /* of sets and chains here; nft itself takes 127 */
#define BULKHEAD_KEYS_MAX 4
#define BULKHEAD_DYNAMIC_SIZE 65535 /* elements of a dynamic set at the most */

typedef struct {
    BulkheadStatementType type;
    BulkheadOperator op;
    guint8 n_keys;
    guint8 keys[BULKHEAD_KEYS_MAX];
    guint8 prefix;    /* addresses: bits that count */
    guint8 value[16]; /* as the kernel's register holds it */
    guint32 number;
    char name[BULKHEAD_NAME_SIZE];
} BulkheadStatement;

typedef struct {
    guint n;
    BulkheadStatement statements[];
} BulkheadRule;

typedef struct {
    char name[BULKHEAD_NAME_SIZE];
    guint n_fields;
    BulkheadDatatype fields[BULKHEAD_KEYS_MAX];
    gboolean interval;
    gboolean dynamic;     /* filled by rules, not by us: timeout is the default there */
    guint timeout;        /* seconds, of every element; 0: none */
    gint64 expires;       /* µs of CLOCK_BOOTTIME at which they go */
    guint key_size;       /* bytes; of several fields every one is padded to four */
    GByteArray *elements; /* key_size each; of an interval set first and last, 2 × key_size */
} BulkheadSet;

typedef enum {
    HOOK_NONE = -1,
    HOOK_PREROUTING = 0, /* NF_INET_PRE_ROUTING and so on */
    HOOK_INPUT = 1,
    HOOK_FORWARD = 2,
    HOOK_OUTPUT = 3,
    HOOK_POSTROUTING = 4,
    HOOK_EGRESS = 5, /* becomes NF_NETDEV_EGRESS */
} BulkheadHook;

typedef struct {
    char name[BULKHEAD_NAME_SIZE];
    BulkheadHook hook; /* HOOK_NONE: a chain to jump to */
    int priority;
    gboolean policy_drop;
    char device[16];  /* HOOK_EGRESS only */
    GPtrArray *rules; /* of BulkheadRule */
} BulkheadChain;

typedef struct {
    BulkheadFamily family;
    GPtrArray *sets;   /* of BulkheadSet, in the order they were added */
    GPtrArray *chains; /* of BulkheadChain; a chain stands after those it jumps to */
} BulkheadTable;

/* No table at all: nothing is locked. */
typedef struct {
    GPtrArray *tables; /* of BulkheadTable */
    gboolean partial; /* a table of ours that is not in it keeps its chains, with no rule in them */
} BulkheadRuleset;

BulkheadRuleset *bulkhead_ruleset_new (void);
BulkheadRuleset *bulkhead_ruleset_ref (const BulkheadRuleset *ruleset);
void bulkhead_ruleset_unref (BulkheadRuleset *ruleset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadRuleset, bulkhead_ruleset_unref)
gboolean bulkhead_ruleset_equal (const BulkheadRuleset *a, const BulkheadRuleset *b);

/* Whether @ruleset (nullable) has that very set, elements and all. */
gboolean bulkhead_ruleset_has_set (const BulkheadRuleset *ruleset, BulkheadFamily family,
                                   const BulkheadSet *set);
BulkheadTable *bulkhead_ruleset_add_table (BulkheadRuleset *ruleset, BulkheadFamily family);
BulkheadTable *bulkhead_ruleset_find_table (const BulkheadRuleset *ruleset, BulkheadFamily family);
BulkheadSet *bulkhead_table_add_set (BulkheadTable *table, const char *name, gboolean interval,
                                     guint n_fields, const BulkheadDatatype *fields);
BulkheadSet *bulkhead_table_find_set (const BulkheadTable *table, const char *name);
BulkheadChain *bulkhead_table_add_chain (BulkheadTable *table, const char *name, BulkheadHook hook,
                                         int priority, gboolean policy_drop, const char *device);
BulkheadChain *bulkhead_table_find_chain (const BulkheadTable *table, const char *name);
void bulkhead_chain_add_rule (BulkheadChain *chain, const BulkheadStatement *statements, guint n);

/* Sorts the elements as `nft list` does and drops doubles; once, after the last was added. */
void bulkhead_set_finish (BulkheadSet *set);
guint bulkhead_set_count (const BulkheadSet *set);

/* The whole ruleset, table by table, to the letter as `nft -s list table` prints it. */
char *bulkhead_ruleset_to_text (const BulkheadRuleset *ruleset);
char *bulkhead_table_to_text (const BulkheadTable *table);
/* "add rule inet bulkhead output oifname \"lo\" accept" and so on, for messages. */
char *bulkhead_rule_to_text (const BulkheadTable *table, const BulkheadChain *chain,
                             const BulkheadRule *rule);
char *bulkhead_set_to_text (const BulkheadTable *table, const BulkheadSet *set);
char *bulkhead_chain_to_text (const BulkheadTable *table, const BulkheadChain *chain);

const char *bulkhead_family_name (BulkheadFamily family);
/* Bytes of a value of that type, without padding. */
guint bulkhead_datatype_size (BulkheadDatatype type);
BulkheadDatatype bulkhead_key_datatype (BulkheadKey key);

/* One element, field after field: add them in the order of the set's fields. */
typedef struct {
    guint size;
    guint8 bytes[64];
} BulkheadElement;

void bulkhead_element_add (BulkheadElement *element, gconstpointer value, guint size);
void bulkhead_set_add (BulkheadSet *set, const BulkheadElement *element);
void bulkhead_set_add_range (BulkheadSet *set, const BulkheadElement *first,
                             const BulkheadElement *last);
