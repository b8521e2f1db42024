/* aggregation.c - the rule for unequal local steps, and FedNova's arithmetic. */
#include "coordinator/planner/aggregation.h"

#include "common/model/enums.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

int aggregation_resolve(int strategy, int64_t steps_least, int64_t steps_most, bool private_sum,
                        char *why, size_t why_size)
{
    if (strategy != AGGREGATION_AUTO) {
        snprintf(why, why_size, "the job states %s", enum_name(&aggregation_names, strategy));
        return strategy;
    }
    if (steps_most <= AGGREGATION_RATIO_MAX * steps_least) {
        snprintf(why, why_size,
                 "auto: local steps are %" PRId64 " to %" PRId64
                 ", within a factor of %d, so plain averaging is fair",
                 steps_least, steps_most, AGGREGATION_RATIO_MAX);
        return AGGREGATION_FEDAVG;
    }
    if (private_sum) {
        snprintf(why, why_size,
                 "auto: local steps are %" PRId64 " to %" PRId64 ", more than a factor of %d, "
                 "and differential privacy wants equal weights: a proximal term holds clients "
                 "together (mlx_lm.lora itself has none: the training program must add it)",
                 steps_least, steps_most, AGGREGATION_RATIO_MAX);
        return AGGREGATION_FEDPROX;
    }
    snprintf(why, why_size,
             "auto: local steps are %" PRId64 " to %" PRId64
             ", more than a factor of %d, so updates are divided by their steps",
             steps_least, steps_most, AGGREGATION_RATIO_MAX);
    return AGGREGATION_FEDNOVA;
}

double aggregation_steps_norm(int64_t steps, double momentum)
{
    double n = (double)steps;

    if (momentum > 0)
        n = (n - momentum * (1 - pow(momentum, n)) / (1 - momentum)) / (1 - momentum);
    return n;
}

double aggregation_effective_steps(const double *weights, const int64_t *steps, size_t count,
                                   double momentum, double *scales)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += weights[i] * aggregation_steps_norm(steps[i], momentum);
    for (size_t i = 0; scales && i < count; i++)
        scales[i] = sum / aggregation_steps_norm(steps[i], momentum);
    return sum;
}
