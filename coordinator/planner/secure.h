/* secure.h - what secure aggregation demands of a round: thresholds, shares, bits of the sum.
 *
 * Bonawitz et al. 2017: every pair shares a mask; more than half must survive (n/2 + 1), two thirds
 * where the server itself may lie (2n/3 + 1). SecAgg+ (Bell et al. 2020): the same among k
 * neighbours, k of the order of log n. LightSecAgg (So et al. 2021): Tp clients may collude, Dp may
 * be lost, Us open the sum: Tp < Us <= n - Dp. Always n >= 3 and t >= 2: a sum of two tells each
 * what the other sent. A ring of r bits holds the sum where n (2^bits - 1) < 2^r, weights of at
 * most 1 being applied before masking. */
#ifndef COORDINATOR_PLANNER_SECURE_H
#define COORDINATOR_PLANNER_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SECURE_CLIENTS_MIN 3
#define SECURE_VALUE_BITS 22 /* of a value where the job states none and the ring allows it */

struct secure_ask {
    int protocol;       /* enum secure_protocol */
    bool malicious;     /* the server may lie */
    int64_t clients;    /* n: that start a round */
    int64_t survivors;  /* the fewest that report with probability 0.95 */
    int64_t value_bits; /* UNKNOWN_I64: the planner chooses */
};

struct secure_terms {
    int64_t threshold;         /* t, or LightSecAgg's Us */
    int64_t neighbours;        /* n - 1, or SecAgg+'s k */
    int64_t privacy_threshold; /* Tp; UNKNOWN_I64 but for LightSecAgg */
    int64_t dropouts;          /* Dp; UNKNOWN_I64 but for LightSecAgg */
    int64_t value_bits, ring_bits;
    int64_t min_reports;  /* below it the round is void */
    double offline_share; /* of an update's bytes, sent beside it: LightSecAgg's coded masks */
};

/* ERR_INFEASIBLE names the field and the nearest that holds. */
int secure_terms_of(const struct secure_ask *ask, struct secure_terms *out, struct err *err);

#endif
