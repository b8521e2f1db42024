/* simulate_play.h - what both kinds of simulation share: luck, tallies, and a policy's row.
 *
 * Room-internal. */
#ifndef COORDINATOR_PLANNER_SIMULATE_PLAY_H
#define COORDINATOR_PLANNER_SIMULATE_PLAY_H

#include "coordinator/planner/availability.h"
#include "coordinator/planner/power.h"
#include "coordinator/planner/simulate.h"

struct client;
struct plan;

/* What a policy's rounds add up to. */
struct tally {
    double *seconds; /* of each round */
    size_t count, cap;
    int64_t played; /* rounds, with those of a pipeline that have no length */
    int64_t void_rounds;
    double clients, busy, client_seconds, tokens, bytes, wh;
    size_t *useful; /* per participant: rounds whose work counted */
    size_t participants;
};

int tally_make(struct tally *t, int64_t rounds, size_t participants, struct err *err);
void tally_clear(struct tally *t);
void tally_round(struct tally *t, double seconds);

/* The tally as one more policy of the simulation; all but same_work_seconds. */
int tally_write(const struct tally *t, const char *name, const char *text, struct simulation *out,
                struct err *err);

/* same_work_seconds of all, by the first. */
void simulation_compare(struct simulation *s);

/* The factor of a device in a round: 1 in the median. `what` tells speed from link. */
double luck(const struct simulate_settings *s, uint64_t device, uint64_t round, uint64_t what);

/* When a device is there; one that says it has no lid, and a Mac with an Ultra, has none. */
struct availability availability_of(const struct snapshot *s, const struct simulate_settings *set,
                                    size_t client);

int simulate_federated(const struct snapshot *s, const struct job *job, const struct policy *policy,
                       const struct simulate_settings *set, struct simulation *out,
                       struct err *err);
int simulate_pipeline(const struct snapshot *s, const struct job *job, const struct policy *policy,
                      const struct simulate_settings *set, struct simulation *out, struct err *err);

#endif
