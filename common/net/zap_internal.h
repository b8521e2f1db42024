/* zap_internal.h - between zap.c (the owner's side), zap_handler.c (the actor) and zap_refusals.c.
 */
#ifndef COMMON_NET_ZAP_INTERNAL_H
#define COMMON_NET_ZAP_INTERNAL_H

#include "common/net/keys.h"
#include "common/net/socket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor_pipe;
struct map;
struct net;

/* Counted by the actor, read by anybody. */
struct zap_counts {
    atomic_uint_least64_t accepted;
    atomic_uint_least64_t unknown_key;
    atomic_uint_least64_t unknown_domain;
    atomic_uint_least64_t wrong_mechanism;
    atomic_uint_least64_t malformed;
};

/* What net_zap_set sends, and gets back. */
struct zap_list {
    char domain[NET_ZAP_DOMAIN_MAX + 1];
    struct map *users; /* key as text -> user id; in the answer the list it took the place of */
    bool refused;      /* in the answer: there were NET_ZAP_DOMAINS_MAX domains already */
};
void zap_list_free(void *list);

struct zap_context { /* what the actor is started with; lives as long */
    struct net *net;
    struct zap_counts *counts;
};
void zap_run(struct actor_pipe *pipe, void *context);

/* ---- refusals: which of them to log ---- */

/* Strangers' keys cost them nothing, so neither lines nor memory may grow with them: this many keys
 * are remembered for a minute, and those beyond are only counted. */
#define ZAP_REFUSALS_KEPT 64
#define ZAP_REFUSALS_QUIET_MS 60000

struct zap_refusals {
    struct zap_refusal {
        char key[NET_KEY_CHARS + 1]; /* "" : free */
        int64_t logged_ms;
        uint64_t since; /* refused since that line */
    } kept[ZAP_REFUSALS_KEPT];
    uint64_t beyond; /* refusals of keys that found no place, since the last line */
};

/* Should this refusal be logged now? Then *since is how often that key was refused without a line,
 * *beyond how many other refusals had none. Start with a zeroed struct. */
bool zap_refusals_note(struct zap_refusals *r, const char *key, int64_t now_ms, uint64_t *since,
                       uint64_t *beyond);

#endif
