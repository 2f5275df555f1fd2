/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything our tables hold, as descriptions by name: what the kernel lists, or what it would
 * list if it held a ruleset. Two listings are compared; elements of sets are not part of it.
 */
#pragma once

#include "nft-socket.h"
#include "ruleset.h"

struct nlmsghdr;

typedef struct _BulkheadListing BulkheadListing;

BulkheadListing *bulkhead_listing_new (void);
void bulkhead_listing_free (BulkheadListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadListing, bulkhead_listing_free)

/* Adds what one message says; the two below are made of it. */
void bulkhead_listing_add (BulkheadListing *listing, const struct nlmsghdr *message);
/* Adds the tables, chains and sets of the kernel, the rules too when asked. FALSE with errno set;
 * EINTR: take it again. */
gboolean bulkhead_listing_read (BulkheadListing *listing, BulkheadNftSocket *nft, gboolean rules);
/* Adds what the kernel would list if it held @ruleset in tables with these flags. */
void bulkhead_listing_expect (BulkheadListing *listing, const BulkheadRuleset *ruleset,
                              guint32 flags);

/* The description of a "table" (@name NULL), "chain", "set", or of the rules of a chain ("rule");
 * NULL when there is none. */
const char *bulkhead_listing_lookup (const BulkheadListing *listing, const char *kind,
                                     BulkheadFamily family, const char *name);
/* The names of all chains or sets of a table. (transfer full) */
GStrv bulkhead_listing_names (const BulkheadListing *listing, const char *kind,
                              BulkheadFamily family);
/* Whether every chain of @expected is there as it is in it, in a table that is not dormant. */
gboolean bulkhead_listing_has_chains (const BulkheadListing *listing,
                                      const BulkheadListing *expected);
/* The first difference in words, with rules of @ruleset as nft text, or NULL. (transfer full) */
char *bulkhead_listing_difference (const BulkheadListing *expected, const BulkheadListing *actual,
                                   const BulkheadRuleset *ruleset);
