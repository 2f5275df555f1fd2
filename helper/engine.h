/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one path:
 *     policy or net changed -> compile -> equal? stop : transaction -> read back -> state.
 * Holds the policy and the net. Nothing else decides what is enforced, and nothing else puts it
 * there. It has no timer, tells nobody and logs nothing: when it runs and who hears of it is the
 * lock's.
 *
 * Strengthening stores first and then applies, weakening applies first and then stores, so that a
 * crash in between leaves the stricter of the two. A change that fails half way is taken back.
 */
#pragma once

#include "enforcer.h"
#include "links.h"
#include "settings.h"

typedef enum {
    BULKHEAD_STATE_UNKNOWN = 0,
    BULKHEAD_STATE_OFF = 1,
    BULKHEAD_STATE_PROTECTED = 2, /* locked, tunnel up */
    BULKHEAD_STATE_BLOCKING = 3,  /* locked, no tunnel */
    BULKHEAD_STATE_PAUSED = 4,
    BULKHEAD_STATE_BROKEN = 5, /* asked for and not enforced, or the other way round */
} BulkheadState;

typedef struct _BulkheadEngine BulkheadEngine;

/* @settings and @links are borrowed and must outlive it. Enforces nothing yet. A lock that stands
 * in the kernel when the settings say unlocked makes them say locked. @use_owner: see
 * bulkhead_sink_new(). NULL: there is no netlink. */
BulkheadEngine *bulkhead_engine_new (BulkheadSettings *settings, BulkheadLinks *links,
                                     gboolean use_owner, GError **error);
void bulkhead_engine_free (BulkheadEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BulkheadEngine, bulkhead_engine_free)

BulkheadState bulkhead_engine_get_state (BulkheadEngine *engine);
/* (transfer none), valid until the next change, these four. */
const BulkheadPolicy *bulkhead_engine_get_policy (BulkheadEngine *engine);
const BulkheadNet *bulkhead_engine_get_net (BulkheadEngine *engine);
/* Why it is broken, or NULL. */
const char *bulkhead_engine_get_problem (BulkheadEngine *engine);
/* Why the last look at the links failed, or NULL: the rules are for the net before it, where a new
 * link has no guard, and a tunnel may be gone. While it blocks, a problem if it lasts. */
const char *bulkhead_engine_get_blindness (BulkheadEngine *engine);
/* Whether it is broken and everything is blocked instead: the fallback was read to stand. */
gboolean bulkhead_engine_is_closed (BulkheadEngine *engine);
BulkheadEnforcer *bulkhead_engine_get_enforcer (BulkheadEngine *engine);

/* Everything anew: the pause, the links, the tunnels, the rules. TRUE: a pause ended by time. */
gboolean bulkhead_engine_look (BulkheadEngine *engine);

/* Whether the kernel still holds what is wanted: read now, all of it. */
gboolean bulkhead_engine_is_as_wanted (BulkheadEngine *engine);
/* Puts back what is not, whatever is there now. */
void bulkhead_engine_repair (BulkheadEngine *engine);

/*
 * Makes @policy the one in force, and stores what is the user's in it. Whether it is stricter is
 * worked out here, by field. KERNEL_REFUSED, NOT_ENFORCED, STORE_FAILED: then the policy before is
 * in force again, but for a pause that was to end: it has ended. From off to off the kernel is left
 * alone.
 */
gboolean bulkhead_engine_change (BulkheadEngine *engine, const BulkheadPolicy *policy,
                                 GError **error);
/* While it is off: takes out what stands in the kernel all the same. KERNEL_REFUSED,
 * NOT_ENFORCED. */
gboolean bulkhead_engine_clear (BulkheadEngine *engine, GError **error);
/* Takes in what the settings say now without storing it, and looks, as above. A pause goes on, but
 * not when the administrator locks. TRUE: a pause ended by time. */
gboolean bulkhead_engine_take_settings (BulkheadEngine *engine);

/* Ends the connections that could not begin under the policy. */
void bulkhead_engine_cut_flows (BulkheadEngine *engine);
