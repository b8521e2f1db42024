/* coordinator.h - the application: carries values between the rooms, and nothing else.
 *
 * One loop owns fleet, deliveries and the front's sockets and never waits: the store, the planning
 * cycle and the model's wire are actors. What a peer sent goes front -> here -> fleet or store;
 * what a cycle planned goes here -> store -> deliveries -> front. No room calls another back. */
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <signal.h>

struct config;
struct coordinator;
struct err;

/* Opens everything that `config` names: keys, store, sockets, actors. */
struct coordinator *coordinator_new(const struct config *config, struct err *err);
void coordinator_free(struct coordinator *c);

/* Serve until *stop becomes non-zero (a signal handler sets it). -1 when something that the
 * coordinator cannot do without is gone. `reload` (may be NULL) is called whenever *hangup became
 * non-zero. */
int coordinator_run(struct coordinator *c, const volatile sig_atomic_t *stop,
                    volatile sig_atomic_t *hangup, void (*reload)(void *arg, struct coordinator *c),
                    void *arg, struct err *err);

/* Take over what may change while running; on failure everything is as it was. */
int coordinator_reconfigure(struct coordinator *c, const struct config *config, struct err *err);

/* The coordinator's public key, for people to hand to agents and tools. Borrowed. */
const char *coordinator_public_key(const struct coordinator *c);

/* Where it listens, as bound. Borrowed; NULL: nowhere. */
const char *coordinator_agents_endpoint(const struct coordinator *c);
const char *coordinator_tools_endpoint(const struct coordinator *c);
const char *coordinator_events_endpoint(const struct coordinator *c);

#endif
