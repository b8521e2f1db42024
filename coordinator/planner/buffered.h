/* buffered.h - what an asynchronous job is expected to do: rates and staleness of a buffer.
 *
 * FedBuff: clients train one after another, the server applies a buffer of Kb updates at once. With
 * M clients training at the same time, each for its own t_i seconds, updates come at the rate sum
 * 1/t_i, and a client misses the server updates of its own t_i. An update that missed s counts
 * 1/sqrt(1 + s) (FedBuff's; NVFlare's is 1/(1 + sqrt(s))). */
#ifndef COORDINATOR_PLANNER_BUFFERED_H
#define COORDINATOR_PLANNER_BUFFERED_H

#include <stddef.h>
#include <stdint.h>

#define BUFFERED_SIZE_DEFAULT 10

struct buffered {
    int64_t buffer_size, concurrency;
    double updates_per_second; /* of the server */
    double staleness_mean;     /* over updates: fast clients send more of them */
    double staleness_most;     /* of the slowest client */
    double weight_mean;        /* what an update counts on average */
};

/* `seconds` of each of `count` clients, all > 0; a larger concurrency than there are clients is all
 * of them, a larger buffer than is ever under way likewise. */
struct buffered buffered_of(const double *seconds, size_t count, int64_t buffer_size,
                            int64_t concurrency);

double buffered_weight(double staleness);

#endif
