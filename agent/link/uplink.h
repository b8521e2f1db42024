/* uplink.h - the agent's connection to its coordinator.
 *
 * Owns the socket, the session over it (session.h) and the messages that must not be lost
 * (outbox.h). It connects, greets, and comes back by itself, for as long as it lives; the caller
 * polls, calls uplink_serve when there is something to read or uplink_due has come, and hears of
 * the rest through handlers, which run inside uplink_serve and may call uplink_send_* and
 * uplink_keep. What the coordinator sends is a command: what does not decode, or has values we do
 * not know, is logged and dropped. One thread. */
#ifndef AGENT_LINK_UPLINK_H
#define AGENT_LINK_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct assignment;
struct cancel;
struct err;
struct hello;
struct net;
struct net_keys;
struct net_poller;
struct profile;
struct refusal;
struct state;
struct uplink;
struct welcome;

struct uplink_settings {
    const char *endpoint;        /* tcp://HOST:7420 */
    const char *server_key;      /* whom we expect to find there */
    const struct net_keys *keys; /* ours; borrowed for the uplink's life */
};

struct uplink_handlers {
    void *arg;
    /* Fill what a Hello says now: boot_id, profile_digest, highest_generation, agent_version. */
    int (*hello)(void *arg, struct hello *out, struct err *err);
    void (*welcome)(void *arg, const struct welcome *welcome);
    void (*lost)(void *arg); /* the session is over; it will be made again */
    void (*assignment)(void *arg, struct assignment **moved);
    void (*cancel)(void *arg, const struct cancel *cancel);
    /* A kept message need not be kept any more: stored, or refused for good (then `refusal`). */
    void (*settled)(void *arg, uint64_t tag, const struct refusal *refusal);
};

struct uplink_counters {
    uint64_t sessions; /* welcomes */
    uint64_t sent;
    uint64_t received;
    uint64_t dropped;     /* not taken by the socket: repeated where it was kept */
    uint64_t undecodable; /* from the coordinator */
    uint64_t refused;     /* messages of ours */
};

/* Opens nothing yet: the first uplink_serve does. Settings' texts are copied. */
struct uplink *uplink_new(struct net *net, const struct uplink_settings *settings,
                          const struct uplink_handlers *handlers, int64_t now_ms, struct err *err);
void uplink_free(struct uplink *u); /* NULL is fine; a Goodbye under way has a second to leave */

/* Put the socket into this poller, under this id, whenever there is one. */
void uplink_watch(struct uplink *u, struct net_poller *poller, int id);

/* Read what is there and do what is due. */
void uplink_serve(struct uplink *u, int64_t now_ms);
int64_t uplink_due(const struct uplink *u,
                   int64_t now_ms); /* INT64_MAX: when there is something to read */

/* The machine slept until now: the connection is made anew at once, rather than when its silence is
 * noticed. Kept messages stay. */
void uplink_wake(struct uplink *u, int64_t now_ms);

bool uplink_is_open(const struct uplink *u);

/* 0: handed to the socket. -1: no session, or no room: lost. The record stays the caller's. */
int uplink_send_profile(struct uplink *u, const struct profile *profile);
int uplink_send_state(struct uplink *u, const struct state *state);
int uplink_send_goodbye(struct uplink *u, const char *reason);

/* Send a status or measurement until it is settled; `tag` comes back then. -1 when full: keep it
 * and try later. */
size_t uplink_room(const struct uplink *u);
size_t uplink_kept(const struct uplink *u); /* not settled yet */
int uplink_keep(struct uplink *u, uint64_t tag, struct agent_message **moved, struct err *err);

const struct uplink_counters *uplink_counters(const struct uplink *u);

#endif
