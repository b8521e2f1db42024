/* selection.h - who serves when not everybody does: arithmetic of random, Oort and TiFL selection.
 *
 * Works on plain rows, one per candidate, in the order of device ids; whoever calls knows what they
 * stand for. No state and no randomness but the seed's: the same rows and seed select the same.
 *
 * random: each client serves in a round by a coin of its own (Poisson sampling), the one kind of
 * selection for which sampling amplifies privacy. Oort (OSDI '21): utility |B| sqrt(mean loss^2),
 * (D / t)^2 where a client takes longer than the preferred D, a term for staleness, some unknown
 * clients explored. TiFL: tiers by speed, one drawn, clients drawn inside it. */
#ifndef COORDINATOR_PLANNER_SELECTION_H
#define COORDINATOR_PLANNER_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct candidate {
    double seconds;          /* of its round */
    double examples;         /* |B|: what it trains on in a round, > 0 */
    double mean_square_loss; /* NaN: never measured */
    int64_t last_round;      /* UNKNOWN_I64: never served */
    int64_t picks;           /* rounds it has served in */
    double utility;          /* out, Oort's: NaN where nothing is known */
    int tier;                /* out, TiFL's: 0 is the fastest */
    bool chosen;             /* out */
};

/* splitmix64: the same numbers everywhere. */
uint64_t selection_next(uint64_t *seed);
double selection_uniform(uint64_t *seed); /* [0, 1) */
/* FNV-1a of a text, mixed with a number: where a job states no seed. At most 2^53. */
int64_t selection_seed_of(const char *text, int64_t number);

/* The smallest chance to serve so that at least `wanted` of `candidates` report with probability
 * 0.95, each being drawn by its own coin and lost with probability `dropout`. 1 where even that is
 * not enough. */
double selection_rate(int64_t wanted, size_t candidates, double dropout);

/* Does this client serve in this round? */
bool selection_serves(int64_t seed, const char *device_id, int64_t round, double rate);

struct oort {
    double preferred_seconds; /* D */
    int64_t round;            /* R, from 1 */
    int64_t seed;
};

#define OORT_PICKS_MAX 10 /* then a client is passed over: it has had its say */

/* Chooses min(wanted, count): of the known ones by utility, of the others by speed. Where too few
 * are left, those passed over fill up. 0, or ERR_NOMEM. */
int selection_oort(struct candidate *c, size_t count, size_t wanted, const struct oort *o,
                   struct err *err);

/* The pacer: D, or a tenth more where the utility of the last rounds is no higher than before. */
double selection_pacer(double preferred_seconds, double utility_before, double utility_last);

/* Chooses min(wanted, count): tiers of equal size by speed, one drawn (slow learners, those with
 * the larger mean loss, more often), then clients at random inside it; neighbours of the tier fill
 * up. The tier drawn into *tier. */
int selection_tiers(struct candidate *c, size_t count, size_t wanted, int tiers, int64_t seed,
                    int *tier, struct err *err);

#endif
