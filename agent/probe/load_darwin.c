/* load_darwin.c - see load.h. */
#include "agent/probe/load.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <string.h>

static int fill_cpu_load(struct darwin_source *source, struct state *s, struct err *err)
{
    uint32_t now[DARWIN_CPU_STATES] = {0}, count = DARWIN_CPU_STATES, before[DARWIN_CPU_STATES];
    bool first = !source->ticks_known;
    uint64_t all = 0;
    uint32_t idle;
    int rc =
        source->calls->host_statistics(source->host, DARWIN_HOST_CPU_LOAD_INFO, (int *)now, &count);

    if (rc != 0 || count < DARWIN_CPU_STATES) {
        source->ticks_known = false;
        return state_unknown(s, err, "cpu_load", "host_statistics gives error %d", rc);
    }
    memcpy(before, source->ticks, sizeof before);
    memcpy(source->ticks, now, sizeof now);
    source->ticks_known = true;
    for (size_t i = 0; i < DARWIN_CPU_STATES; i++)
        all += (uint32_t)(now[i] - before[i]); /* modulo 2^32: a counter passes it in months */
    idle = now[DARWIN_CPU_IDLE] - before[DARWIN_CPU_IDLE];
    if (first || all == 0)
        return state_unknown(s, err, "cpu_load", "needs two readings some time apart");
    return state_put_f64(s, err, "cpu_load", (double)(all - idle) / (double)all, NULL);
}

int load_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    uint64_t ns = source->calls->clock_gettime_nsec_np(DARWIN_CLOCK_MONOTONIC_RAW);
    double averages[1];
    int rc;

    if (fill_cpu_load(source, s, err) < 0)
        return -1;
    rc = source->calls->getloadavg(averages, 1) == 1
             ? state_put_f64(s, err, "load_average", averages[0], NULL)
             : state_unknown(s, err, "load_average", "getloadavg fails");
    if (rc < 0)
        return -1;
    if (ns == 0)
        return state_unknown(s, err, "uptime_seconds", "clock_gettime_nsec_np fails");
    return state_put_f64(s, err, "uptime_seconds", (double)ns / 1e9, NULL);
}
