/* cost_round.c - what a round costs beside the steps: bytes, links, over-selection. */
#include "coordinator/planner/cost.h"

#include "common/model/enums.h"

#include <math.h>

#define REPORT_PROBABILITY 0.95 /* that enough of the selected clients report */

double cost_update_bytes(double parameters, int upload_format)
{
    switch (upload_format) {
    case UPLOAD_FORMAT_F32:
        return ceil(parameters * 4);
    case UPLOAD_FORMAT_INT8: /* a 16-bit scale and bias for 64 values: half a bit each */
        return ceil(parameters * 8.5 / 8);
    case UPLOAD_FORMAT_INT4:
        return ceil(parameters * 4.5 / 8);
    default: /* f16, bf16 */
        return ceil(parameters * 2);
    }
}

double cost_fixed_seconds(const struct cost_link *link, double down_bytes, double up_bytes,
                          double warmup_seconds)
{
    return link->latency_seconds + down_bytes * 8 / link->down_bps + warmup_seconds +
           up_bytes * 8 / link->up_bps + link->latency_seconds;
}

int64_t cost_steps_within(double deadline, double fixed_seconds, double step_seconds)
{
    double steps;

    if (!(step_seconds > 0) || !(deadline > fixed_seconds))
        return 0;
    steps = floor((deadline - fixed_seconds) / step_seconds);
    /* the quotient may be rounded up to a whole number that does not fit */
    if (steps >= 1 && fixed_seconds + steps * step_seconds > deadline)
        steps -= 1;
    return steps > 1e15 ? (int64_t)1e15 : (int64_t)steps;
}

/* P(at least `wanted` of n report), by summing the chances of 0, 1, ... n - wanted losses. Terms
 * are kept as logarithms: for large n the first is far below what a double holds. */
static double report_probability(int64_t n, int64_t wanted, double dropout)
{
    double term = (double)n * log1p(-dropout), odds = log(dropout) - log1p(-dropout);
    double sum = exp(term);

    for (int64_t lost = 1; lost <= n - wanted; lost++) {
        term += log((double)(n - lost + 1) / (double)lost) + odds;
        sum += exp(term);
    }
    return sum;
}

int64_t cost_over_selection(int64_t wanted, double dropout, int64_t at_most)
{
    int64_t low = wanted, high = at_most;

    if (wanted >= at_most)
        return at_most;
    if (!(dropout > 0))
        return wanted;
    while (low < high) { /* the probability rises with n */
        int64_t mid = low + (high - low) / 2;

        if (report_probability(mid, wanted, dropout) < REPORT_PROBABILITY)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
