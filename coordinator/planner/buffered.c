/* buffered.c - rates and staleness of asynchronous rounds. */
#include "coordinator/planner/buffered.h"

#include <math.h>

double buffered_weight(double staleness)
{
    return 1 / sqrt(1 + staleness);
}

struct buffered buffered_of(const double *seconds, size_t count, int64_t buffer_size,
                            int64_t concurrency)
{
    struct buffered b = {.buffer_size = buffer_size, .concurrency = concurrency};
    double rate = 0, busy;

    if (count == 0)
        return b;
    if (b.concurrency > (int64_t)count)
        b.concurrency = (int64_t)count;
    if (b.buffer_size > b.concurrency)
        b.buffer_size = b.concurrency;
    for (size_t i = 0; i < count; i++)
        rate += 1 / seconds[i];
    busy = (double)b.concurrency / (double)count; /* share of the clients that train at a time */
    rate *= busy;
    b.updates_per_second = rate / (double)b.buffer_size;
    for (size_t i = 0; i < count; i++) {
        double stale = seconds[i] * b.updates_per_second;
        double share = busy / seconds[i] / rate; /* of all updates */

        b.staleness_mean += share * stale;
        b.weight_mean += share * buffered_weight(stale);
        b.staleness_most = fmax(b.staleness_most, stale);
    }
    return b;
}
