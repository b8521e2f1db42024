/* heft.h - list scheduling of a graph of tasks on unequal devices (HEFT, with insertion).
 *
 * Tasks are taken by falling upward rank (the longest way to the end, on average devices); each
 * goes where it finishes first, into an idle gap if one is long enough. A device runs one task at a
 * time. Beyond the published algorithm: priorities among ready tasks, groups that share a device, a
 * limit on the number of devices, and a weight on busy time for those who pay for it.
 *
 * Thread: none. Ties break on the lower task and the lower device. */
#ifndef COORDINATOR_PLANNER_HEFT_H
#define COORDINATOR_PLANNER_HEFT_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define HEFT_NO_GROUP SIZE_MAX

struct heft_edge {
    size_t from, to;
    double latency_seconds; /* both are 0 on the same device */
    double bits;
};

struct heft_problem {
    size_t tasks, devices;
    const double *seconds; /* tasks x devices; INFINITY: may not run there */
    const struct heft_edge *edges;
    size_t edges_count;
    const double *out_bps, *in_bps; /* of each device; NULL where no edge has bits */
    const int64_t *priority;        /* of each task, higher first; NULL: none */
    const size_t *group;            /* of each task; NULL: none */
    size_t groups;
    size_t max_devices; /* 0: no limit */
    double busy_weight; /* seconds of finish that one busy second is worth; 0: none */
};

struct heft_schedule {
    double makespan, busy_seconds;
    size_t devices_used;
    size_t *device; /* of each task */
    double *start, *finish, *rank;
    size_t *order; /* tasks as they were placed */
};

/* ERR_INVALID for a cycle; ERR_INFEASIBLE where a task fits nowhere, its number into *stuck unless
 * NULL. */
struct heft_schedule *heft_schedule(const struct heft_problem *p, size_t *stuck, struct err *err);
void heft_schedule_free(struct heft_schedule *s); /* NULL is fine */

/* No schedule can be shorter: the critical path on the fastest devices, and all work spread evenly.
 */
int heft_lower_bound(const struct heft_problem *p, double *out, struct err *err);

/* Tasks so that each comes after those it needs, lower numbers first. ERR_INVALID for a cycle, a
 * task of which goes into *in_cycle unless NULL (SIZE_MAX for another failure). `order` has room
 * for all. */
int heft_topological(const struct heft_problem *p, size_t *order, size_t *in_cycle,
                     struct err *err);

#endif
