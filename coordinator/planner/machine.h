/* machine.h - one class of devices as the planner reckons with it: rates, memory limit, slowness.
 *
 * Limit = min(what Metal may keep resident, available memory + what our own processes hold -
 * reserve). What other jobs have been promised on a single client is subtracted per client, by
 * machine_limit. */
#ifndef COORDINATOR_PLANNER_MACHINE_H
#define COORDINATOR_PLANNER_MACHINE_H

#include "coordinator/planner/chip_rates.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/learned.h"

#include "common/core/unknown.h"

#include <stdbool.h>
#include <stdint.h>

struct device_class;
struct policy;
struct profile;

struct machine {
    enum cost_backend backend;
    struct chip_rates rates;
    struct learned learned[2]; /* of this job's runs, without and with checkpointing */
    double slow;               /* time factor: thermal state and low-power mode */
    int64_t limit_bytes;       /* UNKNOWN_I64: nothing is known of its memory */
    bool limit_assumed;        /* part of the limit is an assumption */
    char limit_text[200];
};

/* Whether it has a Metal device. Every Apple Silicon chip has one, also where a report does not
 * show it; unknown where neither chip nor system tells. */
enum tristate machine_metal(const struct profile *p);

void machine_of(const struct device_class *c, const struct chip_table *t, const struct policy *p,
                struct machine *out);

/* The class's limit less what other jobs may use on one client; never below 0. */
int64_t machine_limit(const struct machine *m, int64_t committed_bytes);

#endif
