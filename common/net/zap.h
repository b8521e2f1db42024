/* zap.h - who may come in: lists of public keys, one for each domain.
 *
 * A socket that listens on TCP names a domain; a peer whose key is in that domain's list comes in
 * as the user id beside it, everybody else is refused: another key, another mechanism than CURVE, a
 * domain that has no list. Until net_zap_start, and after net_zap_stop, nobody comes in.
 *
 * The handler is an actor of its own, so a handshake never waits for the loop. One for each net. A
 * key that leaves a list keeps the connections it has: the owner of a session refuses what comes
 * over them. Refusals are counted, and logged at warn: at most once a minute for a key, 64 keys a
 * minute. */
#ifndef COMMON_NET_ZAP_H
#define COMMON_NET_ZAP_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct net;
struct net_zap;

#define NET_ZAP_ENTRIES_MAX 1000000 /* DEVICES_MAX: a list holds every device */
#define NET_ZAP_DOMAINS_MAX 16      /* we use two or three */

struct net_zap_entry {
    const char *public_key; /* 40 characters of Z85 */
    const char *user_id;    /* 1 to ID_TEXT_MAX bytes of visible ASCII; many keys may share one */
};

/* ERR_EXISTS when this net has one. */
struct net_zap *net_zap_start(struct net *net, struct err *err);
void net_zap_stop(struct net_zap *zap); /* NULL is fine */

/* From the return of this call on, new connections in `domain` are judged by exactly this list
 * (which may be empty). The entries are copied. ERR_INVALID names what is wrong: an empty domain, a
 * key that is none, a key twice, a user id; nothing is changed then. */
int net_zap_set(struct net_zap *zap, const char *domain, const struct net_zap_entry *entries,
                size_t count, struct err *err);

struct net_zap_counters {
    uint64_t accepted;
    uint64_t refused; /* of these: */
    uint64_t unknown_key;
    uint64_t unknown_domain;
    uint64_t wrong_mechanism;
    uint64_t malformed;
};
void net_zap_counters(const struct net_zap *zap, struct net_zap_counters *out); /* any thread */

#endif
