/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-counter.h"

#include "netlink.h"
#include "ruleset.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

typedef struct {
    gboolean is_counter;
    const struct nlattr *data;
} Expression;

static int
take_packets (const struct nlattr *attribute, void *data)
{
    guint64 *packets = data;

    if (mnl_attr_get_type (attribute) == NFTA_COUNTER_PACKETS
        && mnl_attr_validate (attribute, MNL_TYPE_U64) == 0)
        *packets += be64toh (mnl_attr_get_u64 (attribute));
    return MNL_CB_OK;
}

static int
take_part (const struct nlattr *attribute, void *data)
{
    Expression *expression = data;

    if (mnl_attr_get_type (attribute) == NFTA_EXPR_NAME
        && mnl_attr_validate (attribute, MNL_TYPE_NUL_STRING) == 0)
        expression->is_counter = g_str_equal (mnl_attr_get_str (attribute), "counter");
    if (mnl_attr_get_type (attribute) == NFTA_EXPR_DATA)
        expression->data = attribute;
    return MNL_CB_OK;
}

static int
take_expression (const struct nlattr *attribute, void *data)
{
    Expression expression = { 0 };

    mnl_attr_parse_nested (attribute, take_part, &expression);
    if (expression.is_counter && expression.data != NULL)
        mnl_attr_parse_nested (expression.data, take_packets, data);
    return MNL_CB_OK;
}

static int
take_rule_part (const struct nlattr *attribute, void *data)
{
    if (mnl_attr_get_type (attribute) == NFTA_RULE_EXPRESSIONS)
        mnl_attr_parse_nested (attribute, take_expression, data);
    return MNL_CB_OK;
}

static int
on_rule_cb (const struct nlmsghdr *message, void *data)
{
    if (mnl_nlmsg_get_payload_len (message) >= sizeof (struct nfgenmsg))
        mnl_attr_parse (message, sizeof (struct nfgenmsg), take_rule_part, data);
    return MNL_CB_OK;
}

gboolean
bulkhead_nft_counter_read (const char *chain, guint64 *ret_packets)
{
    char buffer[256] __attribute__ ((aligned (NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header (buffer);
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header (request, sizeof *head);
    guint64 packets = 0;
    int error;

    request->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    head->nfgen_family = BULKHEAD_FAMILY_INET;
    mnl_attr_put_strz (request, NFTA_RULE_TABLE, BULKHEAD_TABLE);
    mnl_attr_put_strz (request, NFTA_RULE_CHAIN, chain);
    error = bulkhead_netlink_ask (NETLINK_NETFILTER, request, on_rule_cb, &packets);
    if (error != 0 && error != ENOENT)
        return FALSE;
    *ret_packets = packets;
    return TRUE;
}
