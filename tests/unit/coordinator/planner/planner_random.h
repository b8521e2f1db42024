/* planner_random.h - fleets and hostile values from a seed, for the property tests. */
#ifndef TESTS_PLANNER_RANDOM_H
#define TESTS_PLANNER_RANDOM_H

#include "planner_kit.h"

#define MACS_MAX 16

extern uint64_t current_seed; /* of the case at hand: printed when it fails */

#define holds(condition)             \
    do {                             \
        if (!(condition))            \
            case_failed(#condition); \
    } while (0)

/* Where a case runs under cases_hold, back to it; else the test fails, naming the seed. */
_Noreturn void case_failed(const char *what);

/* Runs the case of each seed from 1. Of one that fails, the smallest fleet with which it still does
 * is sought, then the test fails naming seed, fleet and condition: run that alone with
 * PLANNER_SEED=seed PLANNER_MACS=n. A case makes its fleet and its job from generators of their
 * own, so that a smaller fleet leaves the job as it is. */
typedef void random_case_fn(uint64_t seed, void *arg);
void cases_hold(uint64_t seeds, random_case_fn *fn, void *arg);

/* One to MACS_MAX devices: any chip, some unknown, some without Metal; hot, away, busy, half
 * unknown. */
struct snapshot *random_fleet(struct kit_random *r);

int64_t maybe(struct kit_random *r, int64_t low, int64_t high); /* often unknown */

/* Unknown, in range, or far out of it. */
int64_t hostile_i64(struct kit_random *r, int64_t low, int64_t high);
double hostile_f64(struct kit_random *r, double low, double high);
int hostile_enum(struct kit_random *r, int high);

#endif
