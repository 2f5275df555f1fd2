/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-describe.h"

#include "nft-batch.h"
#include "nft-encode.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define ATTRIBUTES_MAX 32

typedef struct {
    const struct nlattr *at[ATTRIBUTES_MAX];
} Attributes;

static int
collect (const struct nlattr *attribute, void *data)
{
    Attributes *attributes = data;
    guint16 type = mnl_attr_get_type (attribute);

    if (type < ATTRIBUTES_MAX)
        attributes->at[type] = attribute;
    return MNL_CB_OK;
}

static const char *
string_of (const struct nlattr *attribute)
{
    return attribute != NULL && mnl_attr_validate (attribute, MNL_TYPE_NUL_STRING) == 0
               ? mnl_attr_get_str (attribute)
               : "";
}

static guint32
number_of (const struct nlattr *attribute)
{
    return attribute != NULL && mnl_attr_validate (attribute, MNL_TYPE_U32) == 0
               ? ntohl (mnl_attr_get_u32 (attribute))
               : 0;
}

static guint
message_type (const struct nlmsghdr *message)
{
    return NFNL_SUBSYS_ID (message->nlmsg_type) == NFNL_SUBSYS_NFTABLES
               ? NFNL_MSG_TYPE (message->nlmsg_type)
               : NFT_MSG_MAX;
}

gboolean
bulkhead_describe_identify (const struct nlmsghdr *message, BulkheadFamily *family, char *name,
                            gsize size, guint32 *flags)
{
    const struct nfgenmsg *head = mnl_nlmsg_get_payload (message);
    Attributes attributes = { 0 };
    const char *table;

    if (mnl_nlmsg_get_payload_len (message) < sizeof *head)
        return FALSE;
    mnl_attr_parse (message, sizeof *head, collect, &attributes);
    /* In each of these messages the table's name is attribute 1. */
    G_STATIC_ASSERT (NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1
                     && NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1);
    table = string_of (attributes.at[1]);
    if (!g_str_equal (table, BULKHEAD_TABLE)
        || (head->nfgen_family != BULKHEAD_FAMILY_INET
            && head->nfgen_family != BULKHEAD_FAMILY_NETDEV))
        return FALSE;

    *family = head->nfgen_family;
    *flags = 0;
    switch (message_type (message)) {
    case NFT_MSG_NEWTABLE:
        g_strlcpy (name, "", size);
        *flags = number_of (attributes.at[NFTA_TABLE_FLAGS]);
        return TRUE;
    case NFT_MSG_NEWCHAIN:
        g_strlcpy (name, string_of (attributes.at[NFTA_CHAIN_NAME]), size);
        return TRUE;
    case NFT_MSG_NEWSET:
        g_strlcpy (name, string_of (attributes.at[NFTA_SET_NAME]), size);
        return TRUE;
    default:
        g_strlcpy (name, "", size);
        return TRUE;
    }
}

static void
describe_devices (GString *text, const struct nlattr *hook)
{
    const struct nlattr *attribute, *list = NULL;

    mnl_attr_for_each_nested (attribute, hook)
    {
        if (mnl_attr_get_type (attribute) == NFTA_HOOK_DEV)
            g_string_append_printf (text, " device %s", string_of (attribute));
        else if (mnl_attr_get_type (attribute) == NFTA_HOOK_DEVS)
            list = attribute;
    }
    /* The kernel lists one device both ways. */
    if (list == NULL || strstr (text->str, " device ") != NULL)
        return;
    mnl_attr_for_each_nested (attribute, list)
        g_string_append_printf (text, " device %s", string_of (attribute));
}

static char *
describe_chain (const char *where, const Attributes *attributes)
{
    GString *text = g_string_new (NULL);
    const struct nlattr *hook = attributes->at[NFTA_CHAIN_HOOK];
    Attributes in_hook = { 0 };

    g_string_append_printf (text, "chain %s %s", where,
                            string_of (attributes->at[NFTA_CHAIN_NAME]));
    if (hook != NULL) {
        mnl_attr_parse_nested (hook, collect, &in_hook);
        g_string_append_printf (text, " type %s hook %u priority %d policy %u",
                                string_of (attributes->at[NFTA_CHAIN_TYPE]),
                                number_of (in_hook.at[NFTA_HOOK_HOOKNUM]),
                                (int)number_of (in_hook.at[NFTA_HOOK_PRIORITY]),
                                number_of (attributes->at[NFTA_CHAIN_POLICY]));
        describe_devices (text, hook);
    }
    return g_string_free (text, FALSE);
}

char *
bulkhead_describe (const struct nlmsghdr *message)
{
    BulkheadFamily family;
    Attributes attributes = { 0 };
    char name[NFT_NAME_MAXLEN];
    guint32 flags;
    g_autofree char *rule = NULL;
    const char *where;

    if (!bulkhead_describe_identify (message, &family, name, sizeof name, &flags))
        return NULL;
    where = bulkhead_family_name (family);
    mnl_attr_parse (message, sizeof (struct nfgenmsg), collect, &attributes);
    switch (message_type (message)) {
    case NFT_MSG_NEWTABLE:
        return g_strdup_printf ("table %s flags %u", where, flags);
    case NFT_MSG_NEWCHAIN:
        return describe_chain (where, &attributes);
    case NFT_MSG_NEWSET:
        return g_strdup_printf ("set %s %s flags %u type %u size %u", where, name,
                                number_of (attributes.at[NFTA_SET_FLAGS]),
                                number_of (attributes.at[NFTA_SET_KEY_TYPE]),
                                number_of (attributes.at[NFTA_SET_KEY_LEN]));
    case NFT_MSG_NEWRULE:
        rule = bulkhead_encode_describe_rule (message);
        /* An expression of a newer kernel, which our library does not know, still counts. */
        return g_strdup_printf ("rule %s %s%s", where, string_of (attributes.at[NFTA_RULE_CHAIN]),
                                rule != NULL ? rule : " [ not understood ]");
    default:
        return NULL;
    }
}

guint32
bulkhead_describe_flags (const char *table)
{
    return strtoul (strrchr (table, ' '), NULL, 10);
}

/* ---- elements ---- */

/* An element that is not as we make them, a catch-all among them, which has no key and matches
 * everything. It is part of no set of ours, so it must not be equal to any element. */
#define FLAGS_FOREIGN 0xff

static const guint8 no_key[64];

/* key, key_end (zero where there is none), one byte of flags */
BulkheadElements *
bulkhead_elements_new (const BulkheadSet *set)
{
    BulkheadElements *elements = g_new0 (BulkheadElements, 1);

    elements->key = set->key_size;
    elements->record = 2 * set->key_size + 1;
    elements->bytes = g_byte_array_new ();
    return elements;
}

void
bulkhead_elements_free (BulkheadElements *elements)
{
    g_byte_array_unref (elements->bytes);
    g_free (elements);
}

static void
add_record (const guint8 *key, const guint8 *key_end, guint32 flags, gpointer data)
{
    BulkheadElements *elements = data;
    guint8 byte = flags;

    g_byte_array_append (elements->bytes, key, elements->key);
    g_byte_array_append (elements->bytes, key_end != NULL ? key_end : no_key, elements->key);
    g_byte_array_append (elements->bytes, &byte, 1);
}

static int
compare_records (gconstpointer a, gconstpointer b, gpointer data)
{
    const BulkheadElements *elements = data;
    return memcmp (a, b, elements->record);
}

void
bulkhead_elements_sort (BulkheadElements *elements)
{
    if (elements->bytes->len > 0)
        g_qsort_with_data (elements->bytes->data, elements->bytes->len / elements->record,
                           elements->record, compare_records, elements);
}

BulkheadElements *
bulkhead_elements_of_set (const BulkheadSet *set)
{
    BulkheadElements *elements = bulkhead_elements_new (set);

    bulkhead_set_foreach_kernel_element (set, add_record, elements);
    bulkhead_elements_sort (elements);
    return elements;
}

/* The bytes of a key, or NULL when there is none of that size. */
static const guint8 *
key_bytes (const struct nlattr *attribute, gsize size)
{
    Attributes value = { 0 };

    if (attribute == NULL)
        return NULL;
    mnl_attr_parse_nested (attribute, collect, &value);
    if (value.at[NFTA_DATA_VALUE] == NULL
        || mnl_attr_get_payload_len (value.at[NFTA_DATA_VALUE]) != size)
        return NULL;
    return mnl_attr_get_payload (value.at[NFTA_DATA_VALUE]);
}

static guint64
milliseconds_of (const struct nlattr *attribute)
{
    if (attribute == NULL || mnl_attr_get_payload_len (attribute) != sizeof (guint64))
        return 0;
    return GUINT64_FROM_BE (mnl_attr_get_u64 (attribute));
}

void
bulkhead_elements_add_message (BulkheadElements *elements, const struct nlmsghdr *message)
{
    Attributes attributes = { 0 };
    const struct nlattr *item;

    mnl_attr_parse (message, sizeof (struct nfgenmsg), collect, &attributes);
    if (attributes.at[NFTA_SET_ELEM_LIST_ELEMENTS] == NULL)
        return;
    mnl_attr_for_each_nested (item, attributes.at[NFTA_SET_ELEM_LIST_ELEMENTS])
    {
        Attributes element = { 0 };
        const guint8 *key, *key_end;
        guint32 flags;

        mnl_attr_parse_nested (item, collect, &element);
        key = key_bytes (element.at[NFTA_SET_ELEM_KEY], elements->key);
        key_end = key_bytes (element.at[NFTA_SET_ELEM_KEY_END], elements->key);
        flags = number_of (element.at[NFTA_SET_ELEM_FLAGS]);
        elements->left =
            MAX (elements->left, milliseconds_of (element.at[NFTA_SET_ELEM_EXPIRATION]));
        if (key != NULL && (flags & ~NFT_SET_ELEM_INTERVAL_END) == 0)
            add_record (key, key_end, flags, elements);
        else
            add_record (no_key, NULL, FLAGS_FOREIGN, elements);
    }
}
