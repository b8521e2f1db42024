/* simulate_pick.h - which clients a simulated policy selects for a round.
 *
 * Room-internal. Random: every subset is equally likely. Oort (OSDI '21, as its code in FedScale
 * has it): clients that served are ranked by statistical utility, normalised, plus a bonus for
 * those long not seen, times (D/t)^2 for those slower than the preferred D; from those within 5 %
 * of the cut-off it draws in proportion; a falling share of the round goes to clients never tried,
 * the fast ones sooner. Losses, which no simulation of time knows, are drawn and fall as a client
 * serves. */
#ifndef COORDINATOR_PLANNER_SIMULATE_PICK_H
#define COORDINATOR_PLANNER_SIMULATE_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct pick_client {
    double seconds;     /* its round, predicted */
    double examples;    /* what it trains on in a round */
    double loss;        /* root of the mean square loss of its samples */
    int64_t last_round; /* 0: never served */
    double utility;     /* scratch */
};

void pick_reset(struct pick_client *c, uint64_t seed, uint64_t number, double examples,
                double seconds);
void pick_served(struct pick_client *c, int64_t round);

/* serves: who could; afterwards the `wanted` who do. */
void pick_random(uint64_t seed, int64_t round, size_t wanted, bool *serves, size_t count);
int pick_oort(struct pick_client *c, uint64_t seed, int64_t round, size_t wanted, bool *serves,
              size_t count, struct err *err);

#endif
