/* heft.h - list scheduling of a graph of tasks on unequal devices (HEFT, with insertion).
 *
 * Tasks are taken by falling upward rank (the longest way to the end, on average devices); each
 * goes where it finishes first, into an idle gap if one is long enough. A device runs one task at a
 * time. Beyond the published algorithm (Topcuoglu, Hariri, Wu 2002): priorities among ready tasks,
 * groups that share a device, a limit on the number of devices, a weight on what busy time costs,
 * gangs (devices that run one task together), and a search that starts from a schedule and makes
 * it better.
 *
 * Thread: none. Ties break on the lower task and the lower device; the search draws from a fixed
 * seed, so that the same problem has the same answer everywhere. */
#ifndef COORDINATOR_PLANNER_HEFT_H
#define COORDINATOR_PLANNER_HEFT_H

#include <stdbool.h>
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
    size_t tasks, devices; /* gangs included */
    const double *seconds; /* tasks x devices; INFINITY: may not run there */
    const struct heft_edge *edges;
    size_t edges_count;
    const double *out_bps, *in_bps; /* of each device; NULL where no edge has bits */
    const int64_t *priority;        /* of each task, higher first; NULL: none */
    const size_t *group;            /* of each task; NULL: none */
    size_t groups;
    size_t max_devices;  /* 0: no limit; members of gangs count, gangs do not */
    double busy_weight;  /* seconds of finish that one unit of cost is worth; 0: none */
    const double *price; /* of each device: cost of a busy second there; NULL: 1 per member */
    /* The last `gangs` of the devices are gangs: a task there keeps every member busy. Input goes
     * to the first member, output comes from the last. gang_at has gangs + 1 entries into
     * gang_members, which holds numbers of devices that are none. */
    size_t gangs;
    const size_t *gang_at, *gang_members;
};

struct heft_schedule {
    double makespan;
    double busy_seconds; /* of all devices together */
    double cost;         /* busy seconds by price */
    size_t devices_used;
    size_t *device; /* of each task */
    double *start, *finish, *rank;
    size_t *order; /* tasks as they were placed */
};

/* ERR_INVALID for a cycle; ERR_INFEASIBLE where a task fits nowhere, its number into *stuck unless
 * NULL. */
struct heft_schedule *heft_schedule(const struct heft_problem *p, size_t *stuck, struct err *err);
void heft_schedule_free(struct heft_schedule *s); /* NULL is fine */

/* The schedule of tasks that are told where (device) and in which order to be placed: the order
 * must be a topological one. NULL without an error text of its own where the problem's limits or an
 * INFINITY forbid it (err is ERR_INFEASIBLE). */
struct heft_schedule *heft_schedule_fixed(const struct heft_problem *p, const size_t *device,
                                          const size_t *order, struct err *err);

/* Whether `a` is better than `b`. */
typedef bool heft_better_fn(void *arg, const struct heft_schedule *a,
                            const struct heft_schedule *b);

/* Iterated local search from *s, which is replaced by the better: a task or a group goes to another
 * device, two tasks change places in the order, and after a local optimum a few moves at random.
 * At most `budget` schedules are tried. Keeps the problem's groups, priorities and limits. -1 only
 * without memory, *s is then as it was. */
int heft_improve(const struct heft_problem *p, heft_better_fn *better, void *arg, size_t budget,
                 struct heft_schedule **s, struct err *err);

/* How many schedules heft_improve may try so that planning stays well under a second. */
size_t heft_budget(const struct heft_problem *p);

/* No schedule can be shorter: the critical path on the fastest devices, and all work spread evenly.
 */
int heft_lower_bound(const struct heft_problem *p, double *out, struct err *err);

/* Tasks so that each comes after those it needs, lower numbers first. ERR_INVALID for a cycle, a
 * task of which goes into *in_cycle unless NULL (SIZE_MAX for another failure). `order` has room
 * for all. */
int heft_topological(const struct heft_problem *p, size_t *order, size_t *in_cycle,
                     struct err *err);

#endif
