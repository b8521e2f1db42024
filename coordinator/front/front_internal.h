/* front_internal.h - shared by the files of this room only. */
#ifndef COORDINATOR_FRONT_FRONT_INTERNAL_H
#define COORDINATOR_FRONT_FRONT_INTERNAL_H

#include "coordinator/front/front.h"

#include "common/net/socket.h"

struct map;
struct record_type;

enum { FRONT_AGENTS, FRONT_TOOLS, FRONT_LOCAL, FRONT_EVENTS, FRONT_SOCKETS };

/* Messages read from one socket before the loop goes on: at 10 us each, 2.5 ms. */
#define FRONT_BATCH 256

/* The newest Hello of a device wins; older connections of the same key are told so. */
struct session {
    uint8_t peer[FRONT_PEER_MAX];
    size_t peer_len;
    uint64_t allowed_at; /* keyring_version when its key was last found on the list; 0: never */
};

struct front {
    struct keyring *keyring;
    struct front_handlers handlers;
    struct front_counters counters;
    struct net_socket *sockets[FRONT_SOCKETS]; /* NULL where there is none */
    struct map *sessions;                      /* device id -> struct session */
};

void front_take_agent(struct front *f, const struct net_message *m);
void front_take_tool(struct front *f, const struct net_message *m, bool local);

/* Encode and send; a failure is counted and logged. */
int front_put(struct front *f, int socket, const struct net_message *to,
              const struct record_type *type, const void *record);

#endif
