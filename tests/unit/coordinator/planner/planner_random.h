/* planner_random.h - fleets and hostile values from a seed, for the property tests. */
#ifndef TESTS_PLANNER_RANDOM_H
#define TESTS_PLANNER_RANDOM_H

#include "planner_kit.h"

#define MACS_MAX 16

extern uint64_t current_seed; /* of the case at hand: printed when it fails */

#define holds(condition)                                                             \
    do {                                                                             \
        if (!(condition))                                                            \
            fail_msg("seed %llu: %s", (unsigned long long)current_seed, #condition); \
    } while (0)

/* One to MACS_MAX devices: any chip, some unknown, some without Metal; hot, away, busy, half
 * unknown. */
struct snapshot *random_fleet(struct kit_random *r);

int64_t maybe(struct kit_random *r, int64_t low, int64_t high); /* often unknown */

/* Unknown, in range, or far out of it. */
int64_t hostile_i64(struct kit_random *r, int64_t low, int64_t high);
double hostile_f64(struct kit_random *r, double low, double high);
int hostile_enum(struct kit_random *r, int high);

#endif
