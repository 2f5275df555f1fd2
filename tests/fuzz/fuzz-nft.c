/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel lists of our tables. Nothing that is in them may be overlooked: every element
 * counts, also one that cannot be understood. Rules are left out: libnftnl reads them, and it
 * calls exit() at the first attribute of another size than it knows.
 */
#include "compile.h"
#include "fuzz.h"
#include "nft-describe.h"
#include "nft-listing.h"
#include "scenario.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static BulkheadRuleset *ruleset;
static BulkheadListing *expected;
static const BulkheadSet *set;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    g_autofree char *path =
        g_build_filename (g_getenv ("BULKHEAD_GOLDEN_DIR"), "protected-dual", NULL);
    g_autoptr (Scenario) scenario = scenario_load (path);

    ruleset = bulkhead_compile (scenario->policy, scenario->net);
    expected = bulkhead_listing_new ();
    bulkhead_listing_expect (expected, ruleset, 0);
    set = bulkhead_table_find_set (bulkhead_ruleset_find_table (ruleset, BULKHEAD_FAMILY_INET),
                                   "endpoints_by_mark4");
    g_assert_nonnull (set);
    return 0;
}

static int
on_attribute_cb (const struct nlattr *attribute, void *data)
{
    const struct nlattr **list = data;

    if (mnl_attr_get_type (attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
        *list = attribute;
    return MNL_CB_OK;
}

static void
check_elements (const struct nlmsghdr *message)
{
    g_autoptr (BulkheadElements) elements = bulkhead_elements_new (set);
    const struct nlattr *list = NULL;
    const struct nlattr *item;
    gsize count = 0;

    mnl_attr_parse (message, sizeof (struct nfgenmsg), on_attribute_cb, &list);
    if (list != NULL)
        mnl_attr_for_each_nested (item, list) count++;
    bulkhead_elements_add_message (elements, message);
    bulkhead_elements_sort (elements);
    g_assert_cmpuint (elements->bytes->len, ==, count * elements->record);
}

static void
check_description (const struct nlmsghdr *message)
{
    g_autofree char *description = bulkhead_describe (message);
    BulkheadFamily family;
    char name[NFT_NAME_MAXLEN];
    guint32 flags;
    gboolean ours = bulkhead_describe_identify (message, &family, name, sizeof name, &flags);

    switch (message->nlmsg_type) {
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE:
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN:
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET:
        g_assert_true ((description != NULL) == ours);
        break;
    default:
        g_assert_null (description);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = fuzz_copy (data, size);
    g_autoptr (BulkheadListing) actual = bulkhead_listing_new ();
    g_autofree char *difference = NULL;
    const struct nlmsghdr *message;
    gsize at = 0;

    while ((message = fuzz_next_message (copy, size, &at)) != NULL) {
        if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
            continue;
        check_description (message);
        check_elements (message);
        bulkhead_listing_add (actual, message);
    }
    difference = bulkhead_listing_difference (expected, actual, ruleset);
    /* Ours whole is longer than any input. */
    g_assert_nonnull (difference);
    g_assert_cmpuint (strlen (difference), >, 0);
    return 0;
}
