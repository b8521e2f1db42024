/* simulate.h - a job's rounds played on a fleet, by the plan and by what people do without one.
 *
 * A discrete simulation with a seed: speeds and links vary by a log-normal factor per device and
 * round, devices come and go by the traces of availability.h, and every policy meets the same luck.
 * What it takes as true is the planner's own cost model, so it says how policies compare under it,
 * not how long a real round lasts.
 *
 * Federated policies, each with the clients that the plan takes: the plan; one configuration for
 * all, sized for the smallest, with the updates that the slowest does in the plan's time; that
 * configuration on clients selected at random; and on clients selected as Oort does (OSDI '21). A
 * round ends when everybody selected has reported or is lost, or at its deadline; with fewer
 * reports than the job's least it is void: its time is spent, its tokens are not counted.
 *
 * Pipeline policies: the plan; everything on the best single device; stages at random, in turn, by
 * memory (as exo spreads layers); HEFT alone. A run is void when a device that it needs is away or
 * goes away; it then has no length.
 *
 * Pure: the same inputs give the same bytes. */
#ifndef COORDINATOR_PLANNER_SIMULATE_H
#define COORDINATOR_PLANNER_SIMULATE_H

#include "common/model/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct job;
struct policy;
struct snapshot;

struct simulate_settings {
    uint64_t seed;  /* below 2^53 */
    int64_t rounds; /* 1..10000 */
    double jitter;  /* deviation of the logarithm of the factor; 0..2 */
    bool always_on; /* nobody goes away */
};

#define SIMULATE_ROUNDS_MAX 10000
#define SIMULATE_JITTER_MAX 2.0

/* how one policy fared */
struct simulated_policy {
    char *name;                  /* plan, by-hand, random, oort, ... */
    char *text;                  /* what it does */
    int64_t rounds;              /* rounds: played */
    int64_t void_rounds;         /* rounds: with too few reports */
    double clients;              /* clients: selected in a round, mean */
    double round_seconds_median; /* s: from start to end */
    double round_seconds_p95;    /* s: 19 of 20 rounds are shorter */
    double utilisation;          /* share: useful busy time over clients x round */
    double tokens_per_round;     /* tokens: trained on and counted, mean */
    double tokens_per_second;    /* tokens/s: over all rounds */
    double same_work_seconds;    /* s: for the tokens of one mean round of the plan */
    double same_work_wh;         /* Wh: for the same tokens */
    double bytes_per_round;      /* bytes: down and up, mean */
    double energy_wh_per_round;  /* Wh: at the wall, mean */
    double fairness;             /* share: Jain's index of useful rounds per client */
    int64_t *round_ms;           /* ms: each round that has a length, as it came */
    size_t round_ms_count;
};
RECORD_DECLARE(simulated_policy);

/* a simulation */
struct simulation {
    char *job_id;                      /* job that was played */
    char *fleet;                       /* on which devices */
    int64_t devices;                   /* devices: in that fleet */
    int64_t taking_part;               /* devices: in the plan */
    int64_t seed;                      /* what everything was drawn from */
    double jitter;                     /* deviation of the log-normal factor */
    char *availability;                /* drawn or always */
    char *energy_source;               /* where watts come from */
    struct simulated_policy *policies; /* the plan first */
    size_t policies_count;
    char **warnings; /* what the plan warns of */
    size_t warnings_count;
};
RECORD_DECLARE(simulation);

/* The job (its model's shape filled) on a snapshot. ERR_INFEASIBLE as planning itself. `fleet` is
 * the caller's to add. */
int simulate(const struct snapshot *s, const struct job *job, const struct policy *policy,
             const struct simulate_settings *settings, struct simulation **out, struct err *err);

#endif
