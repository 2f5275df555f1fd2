/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft-batch.h"

#include "nft-encode.h"

#include <netinet/in.h> /* before linux/in.h, which it silences */
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define MESSAGE_MAX (128 * 1024) /* the largest message built here, element lists included */
#define ELEMENT_LIST_MAX 60000   /* bytes; the kernel's attribute length has 16 bits */

/* ---- a batch ---- */

static struct nlmsghdr *
message_put (char *buffer, guint16 type, guint8 family, guint16 flags, guint32 seq,
             guint16 resource)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header (buffer);
    struct nfgenmsg *head;

    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    message->nlmsg_seq = seq;
    head = mnl_nlmsg_put_extra_header (message, sizeof *head);
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    head->res_id = htons (resource);
    return message;
}

static void
append_bytes (BulkheadBatch *batch, const struct nlmsghdr *message)
{
    batch->last = batch->bytes->len;
    g_byte_array_append (batch->bytes, (const guint8 *)message, MNL_ALIGN (message->nlmsg_len));
}

BulkheadBatch *
bulkhead_batch_new (guint32 seq, guint32 generation)
{
    BulkheadBatch *batch = g_new0 (BulkheadBatch, 1);
    char buffer[128];
    struct nlmsghdr *message =
        message_put (buffer, NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, 0, seq, NFNL_SUBSYS_NFTABLES);

    mnl_attr_put_u32 (message, NFNL_BATCH_GENID, htonl (generation));
    batch->bytes = g_byte_array_new ();
    batch->entries = g_array_new (FALSE, TRUE, sizeof (BulkheadBatchEntry));
    batch->seq = seq + 1;
    batch->table_name = BULKHEAD_TABLE;
    append_bytes (batch, message);
    return batch;
}

void
bulkhead_batch_free (BulkheadBatch *batch)
{
    g_byte_array_unref (batch->bytes);
    g_array_unref (batch->entries);
    g_free (batch);
}

static struct nlmsghdr *
message_new (char *buffer, BulkheadBatch *batch, guint16 type, BulkheadFamily family, guint16 flags)
{
    return message_put (buffer, NFNL_SUBSYS_NFTABLES << 8 | type, family, flags, batch->seq, 0);
}

static void
message_append (BulkheadBatch *batch, const struct nlmsghdr *message, BulkheadBatchEntry entry)
{
    entry.seq = batch->seq++;
    g_array_append_val (batch->entries, entry);
    append_bytes (batch, message);
}

void
bulkhead_batch_end (BulkheadBatch *batch)
{
    char buffer[128];
    struct nlmsghdr *last = (struct nlmsghdr *)(batch->bytes->data + batch->last);

    last->nlmsg_flags |= NLM_F_ACK;
    append_bytes (batch, message_put (buffer, NFNL_MSG_BATCH_END, AF_UNSPEC, 0, batch->seq,
                                      NFNL_SUBSYS_NFTABLES));
}

void
bulkhead_batch_foreach (const BulkheadBatch *batch,
                        void (*each) (const struct nlmsghdr *message, gpointer data), gpointer data)
{
    int left = batch->bytes->len;

    for (const struct nlmsghdr *message = (const struct nlmsghdr *)batch->bytes->data;
         mnl_nlmsg_ok (message, left); message = mnl_nlmsg_next (message, &left))
        each (message, data);
}

char *
bulkhead_batch_explain (const BulkheadBatch *batch, guint32 seq)
{
    for (guint i = 0; i < batch->entries->len; i++) {
        const BulkheadBatchEntry *entry = &g_array_index (batch->entries, BulkheadBatchEntry, i);

        if (entry->seq != seq)
            continue;
        if (entry->rule != NULL)
            return bulkhead_rule_to_text (entry->table, entry->chain, entry->rule);
        if (entry->chain != NULL)
            return bulkhead_chain_to_text (entry->table, entry->chain);
        if (entry->set != NULL)
            return bulkhead_set_to_text (entry->table, entry->set);
        return g_strdup_printf ("%s %s " BULKHEAD_TABLE "%s%s", entry->verb,
                                bulkhead_family_name (entry->family),
                                entry->name[0] != '\0' ? " " : "", entry->name);
    }
    return g_strdup ("the transaction");
}

/* ---- tables and chains ---- */

void
bulkhead_batch_add_table (BulkheadBatch *batch, const BulkheadTable *table, guint32 flags)
{
    char buffer[1024];
    struct nlmsghdr *message =
        message_new (buffer, batch, NFT_MSG_NEWTABLE, table->family, NLM_F_CREATE);

    mnl_attr_put_strz (message, NFTA_TABLE_NAME, batch->table_name);
    mnl_attr_put_u32 (message, NFTA_TABLE_FLAGS, htonl (flags));
    message_append (batch, message,
                    (BulkheadBatchEntry){ .verb = "add table", .family = table->family });
}

void
bulkhead_batch_delete_table (BulkheadBatch *batch, BulkheadFamily family)
{
    char buffer[1024];
    struct nlmsghdr *message = message_new (buffer, batch, NFT_MSG_DELTABLE, family, 0);

    mnl_attr_put_strz (message, NFTA_TABLE_NAME, batch->table_name);
    message_append (batch, message,
                    (BulkheadBatchEntry){ .verb = "delete table", .family = family });
}

static void
append_named (BulkheadBatch *batch, guint16 type, BulkheadFamily family, guint16 table_attribute,
              guint16 name_attribute, const char *name, const char *verb)
{
    char buffer[1024];
    struct nlmsghdr *message = message_new (buffer, batch, type, family, 0);
    BulkheadBatchEntry entry = { .verb = verb, .family = family };

    mnl_attr_put_strz (message, table_attribute, batch->table_name);
    if (name != NULL) {
        mnl_attr_put_strz (message, name_attribute, name);
        g_strlcpy (entry.name, name, sizeof entry.name);
    }
    message_append (batch, message, entry);
}

void
bulkhead_batch_flush_rules (BulkheadBatch *batch, BulkheadFamily family)
{
    append_named (batch, NFT_MSG_DELRULE, family, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NULL,
                  "flush table");
}

void
bulkhead_batch_delete_chain (BulkheadBatch *batch, BulkheadFamily family, const char *name)
{
    append_named (batch, NFT_MSG_DELCHAIN, family, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name,
                  "delete chain");
}

void
bulkhead_batch_delete_set (BulkheadBatch *batch, BulkheadFamily family, const char *name)
{
    append_named (batch, NFT_MSG_DELSET, family, NFTA_SET_TABLE, NFTA_SET_NAME, name, "delete set");
}

void
bulkhead_batch_flush_set (BulkheadBatch *batch, BulkheadFamily family, const char *name)
{
    append_named (batch, NFT_MSG_DELSETELEM, family, NFTA_SET_ELEM_LIST_TABLE,
                  NFTA_SET_ELEM_LIST_SET, name, "flush set");
}

static void
put_hook (struct nlmsghdr *message, const BulkheadChain *chain)
{
    guint32 number = chain->hook == HOOK_EGRESS ? NF_NETDEV_EGRESS : (guint32)chain->hook;
    struct nlattr *nest = mnl_attr_nest_start (message, NFTA_CHAIN_HOOK);

    mnl_attr_put_u32 (message, NFTA_HOOK_HOOKNUM, htonl (number));
    mnl_attr_put_u32 (message, NFTA_HOOK_PRIORITY, htonl ((guint32)chain->priority));
    if (chain->device[0] != '\0')
        mnl_attr_put_strz (message, NFTA_HOOK_DEV, chain->device);
    mnl_attr_nest_end (message, nest);
}

void
bulkhead_batch_add_chain (BulkheadBatch *batch, const BulkheadTable *table,
                          const BulkheadChain *chain)
{
    char buffer[1024];
    struct nlmsghdr *message =
        message_new (buffer, batch, NFT_MSG_NEWCHAIN, table->family, NLM_F_CREATE);

    mnl_attr_put_strz (message, NFTA_CHAIN_TABLE, batch->table_name);
    mnl_attr_put_strz (message, NFTA_CHAIN_NAME, chain->name);
    if (chain->hook != HOOK_NONE) {
        put_hook (message, chain);
        mnl_attr_put_u32 (message, NFTA_CHAIN_POLICY,
                          htonl (chain->policy_drop ? NF_DROP : NF_ACCEPT));
        mnl_attr_put_strz (message, NFTA_CHAIN_TYPE, "filter");
    }
    message_append (batch, message, (BulkheadBatchEntry){ .table = table, .chain = chain });
}

void
bulkhead_batch_add_rule (BulkheadBatch *batch, const BulkheadTable *table,
                         const BulkheadChain *chain, const BulkheadRule *rule)
{
    char buffer[4096];
    struct nlmsghdr *message =
        message_new (buffer, batch, NFT_MSG_NEWRULE, table->family, NLM_F_CREATE | NLM_F_APPEND);

    bulkhead_encode_rule (message, table->family, batch->table_name, chain->name, rule);
    message_append (batch, message,
                    (BulkheadBatchEntry){ .table = table, .chain = chain, .rule = rule });
}

/* ---- sets ---- */

static guint32
set_flags (const BulkheadSet *set)
{
    return (set->interval ? NFT_SET_INTERVAL : 0) | (set->timeout > 0 ? NFT_SET_TIMEOUT : 0)
           | (set->interval && set->n_fields > 1 ? NFT_SET_CONCAT : 0)
           | (set->dynamic ? NFT_SET_EVAL : 0);
}

/* nft strings the types of a concatenation together, six bits each. */
static guint32
set_key_type (const BulkheadSet *set)
{
    guint32 type = 0;

    for (guint i = 0; i < set->n_fields; i++)
        type = type << 6 | set->fields[i];
    return type;
}

/* Without the key's byte order in the user data `nft list` prints names and marks as "". */
static void
put_user_data (struct nlmsghdr *message, const BulkheadSet *set)
{
    enum { KEYBYTEORDER = 0, HOST_ENDIAN = 1, BIG_ENDIAN_ORDER = 2 };
    BulkheadDatatype type = set->fields[0];
    gboolean host = type == TYPE_IFNAME || type == TYPE_MARK || type == TYPE_UID;
    const guint32 order = host ? HOST_ENDIAN : BIG_ENDIAN_ORDER;
    guint8 data[2 + sizeof order] = { KEYBYTEORDER, sizeof order };

    if (set->n_fields > 1)
        return;
    memcpy (data + 2, &order, sizeof order);
    mnl_attr_put (message, NFTA_SET_USERDATA, sizeof data, data);
}

static void
put_concat (struct nlmsghdr *message, const BulkheadSet *set)
{
    struct nlattr *description = mnl_attr_nest_start (message, NFTA_SET_DESC);
    struct nlattr *concat = mnl_attr_nest_start (message, NFTA_SET_DESC_CONCAT);

    for (guint i = 0; i < set->n_fields; i++) {
        struct nlattr *field = mnl_attr_nest_start (message, NFTA_LIST_ELEM);
        mnl_attr_put_u32 (message, NFTA_SET_FIELD_LEN,
                          htonl (bulkhead_datatype_size (set->fields[i])));
        mnl_attr_nest_end (message, field);
    }
    mnl_attr_nest_end (message, concat);
    mnl_attr_nest_end (message, description);
}

void
bulkhead_batch_add_set (BulkheadBatch *batch, const BulkheadTable *table, const BulkheadSet *set)
{
    char buffer[1024];
    struct nlmsghdr *message =
        message_new (buffer, batch, NFT_MSG_NEWSET, table->family, NLM_F_CREATE);

    mnl_attr_put_strz (message, NFTA_SET_TABLE, batch->table_name);
    mnl_attr_put_strz (message, NFTA_SET_NAME, set->name);
    mnl_attr_put_u32 (message, NFTA_SET_ID, htonl (batch->seq));
    mnl_attr_put_u32 (message, NFTA_SET_FLAGS, htonl (set_flags (set)));
    mnl_attr_put_u32 (message, NFTA_SET_KEY_TYPE, htonl (set_key_type (set)));
    mnl_attr_put_u32 (message, NFTA_SET_KEY_LEN, htonl (set->key_size));
    if (set_flags (set) & NFT_SET_CONCAT)
        put_concat (message, set);
    if (set->dynamic) {
        struct nlattr *description = mnl_attr_nest_start (message, NFTA_SET_DESC);
        mnl_attr_put_u32 (message, NFTA_SET_DESC_SIZE, htonl (BULKHEAD_DYNAMIC_SIZE));
        mnl_attr_nest_end (message, description);
        mnl_attr_put_u64 (message, NFTA_SET_TIMEOUT,
                          GUINT64_TO_BE (set->timeout * G_GUINT64_CONSTANT (1000)));
    }
    put_user_data (message, set);
    message_append (batch, message, (BulkheadBatchEntry){ .table = table, .set = set });
}

/* The first key behind a range; FALSE when the range ends where all keys end. */
static gboolean
key_next (const guint8 *key, guint size, guint8 *ret)
{
    memcpy (ret, key, size);
    for (guint i = size; i > 0; i--)
        if (++ret[i - 1] != 0)
            return TRUE;
    return FALSE;
}

void
bulkhead_set_foreach_kernel_element (const BulkheadSet *set, BulkheadEachElement each,
                                     gpointer data)
{
    guint stride = set->interval ? 2 * set->key_size : set->key_size;

    for (guint i = 0; i < bulkhead_set_count (set); i++) {
        const guint8 *first = set->elements->data + i * stride;
        guint8 behind[64];

        if (set->interval && set->n_fields > 1) {
            each (first, first + set->key_size, 0, data);
            continue;
        }
        each (first, NULL, 0, data);
        if (set->interval && key_next (first + set->key_size, set->key_size, behind))
            each (behind, NULL, NFT_SET_ELEM_INTERVAL_END, data);
    }
}

typedef struct {
    BulkheadBatch *batch;
    const BulkheadTable *table;
    const BulkheadSet *set;
    guint64 expires; /* ms from now */
    char *buffer;
    struct nlmsghdr *message; /* NULL: none begun */
    struct nlattr *list;
} ElementWriter;

static void
writer_end (ElementWriter *writer)
{
    if (writer->message == NULL)
        return;
    mnl_attr_nest_end (writer->message, writer->list);
    message_append (writer->batch, writer->message,
                    (BulkheadBatchEntry){ .table = writer->table, .set = writer->set });
    writer->message = NULL;
}

static void
writer_begin (ElementWriter *writer)
{
    writer->message = message_new (writer->buffer, writer->batch, NFT_MSG_NEWSETELEM,
                                   writer->table->family, NLM_F_CREATE);
    mnl_attr_put_strz (writer->message, NFTA_SET_ELEM_LIST_TABLE, writer->batch->table_name);
    mnl_attr_put_strz (writer->message, NFTA_SET_ELEM_LIST_SET, writer->set->name);
    writer->list = mnl_attr_nest_start (writer->message, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void
put_key (struct nlmsghdr *message, guint16 type, const guint8 *key, guint size)
{
    struct nlattr *nest = mnl_attr_nest_start (message, type);
    mnl_attr_put (message, NFTA_DATA_VALUE, size, key);
    mnl_attr_nest_end (message, nest);
}

static void
writer_put (const guint8 *key, const guint8 *key_end, guint32 flags, gpointer data)
{
    ElementWriter *writer = data;
    struct nlattr *element;

    if (writer->message == NULL)
        writer_begin (writer);
    element = mnl_attr_nest_start (writer->message, NFTA_LIST_ELEM);
    if (flags != 0)
        mnl_attr_put_u32 (writer->message, NFTA_SET_ELEM_FLAGS, htonl (flags));
    put_key (writer->message, NFTA_SET_ELEM_KEY, key, writer->set->key_size);
    if (key_end != NULL)
        put_key (writer->message, NFTA_SET_ELEM_KEY_END, key_end, writer->set->key_size);
    if (writer->set->timeout > 0) {
        mnl_attr_put_u64 (writer->message, NFTA_SET_ELEM_TIMEOUT,
                          GUINT64_TO_BE (writer->set->timeout * G_GUINT64_CONSTANT (1000)));
        mnl_attr_put_u64 (writer->message, NFTA_SET_ELEM_EXPIRATION,
                          GUINT64_TO_BE (writer->expires));
    }
    mnl_attr_nest_end (writer->message, element);
    if (writer->message->nlmsg_len > ELEMENT_LIST_MAX)
        writer_end (writer);
}

void
bulkhead_batch_add_elements (BulkheadBatch *batch, const BulkheadTable *table,
                             const BulkheadSet *set, gint64 now)
{
    g_autofree char *buffer = g_malloc (MESSAGE_MAX);
    ElementWriter writer = { .batch = batch, .table = table, .set = set, .buffer = buffer };

    /* What is over already is not put in: an expiry of 0 would mean the whole time again. */
    if (set->dynamic)
        return;
    if (set->timeout > 0 && set->expires / 1000 <= now / 1000)
        return;
    if (set->timeout > 0)
        writer.expires = (set->expires - now) / 1000;
    bulkhead_set_foreach_kernel_element (set, writer_put, &writer);
    writer_end (&writer);
}
