/* aggregation.h - how unequal clients are combined, and what FedNova makes of them. */
#ifndef COORDINATOR_PLANNER_AGGREGATION_H
#define COORDINATOR_PLANNER_AGGREGATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGGREGATION_RATIO_MAX                                           \
    2 /* steps may differ by this much before plain averaging is biased \
       */

/* `auto` resolved; any other strategy stands. The reason goes to `why`. */
int aggregation_resolve(int strategy, int64_t steps_least, int64_t steps_most, bool private_sum,
                        char *why, size_t why_size);

/* |a_i|_1: what `steps` local updates come to, as FedNova counts them. */
double aggregation_steps_norm(int64_t steps, double momentum);

/* FedNova's effective steps, sum of p_i |a_i|_1 (|a_i|_1 = steps for plain SGD, less with
 * momentum), and what each update is multiplied by before it is weighted: tau_eff / |a_i|_1.
 * `scales` may be NULL. */
double aggregation_effective_steps(const double *weights, const int64_t *steps, size_t count,
                                   double momentum, double *scales);

#endif
