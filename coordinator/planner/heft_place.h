/* heft_place.h - one schedule under way: lanes of devices, and tasks put into their gaps.
 *
 * Room-internal to heft.c and heft_improve.c. A placing is made once and used again and again. */
#ifndef COORDINATOR_PLANNER_HEFT_PLACE_H
#define COORDINATOR_PLANNER_HEFT_PLACE_H

#include "coordinator/planner/heft.h"

#include <stdbool.h>
#include <stddef.h>

/* Edges by the task they leave and by the task they enter. */
struct heft_links {
    size_t *out_at, *in_at; /* tasks + 1 */
    size_t *out, *in;       /* edge numbers */
};

bool heft_links_make(const struct heft_problem *p, struct heft_links *l);
void heft_links_clear(struct heft_links *l);

/* What runs on one device, by start. */
struct heft_lane {
    size_t *tasks;
    size_t count;
    bool used;
};

struct heft_placing {
    const struct heft_problem *p;
    struct heft_links links;
    struct heft_schedule *s;
    struct heft_lane *lanes;
    size_t *lane_tasks;   /* block behind the lanes */
    size_t *waits;        /* predecessors not yet placed; SIZE_MAX: placed itself */
    size_t *group_device; /* of each group, once one of it is placed */
};

/* False without memory; clear in any case. */
bool heft_placing_make(struct heft_placing *g, const struct heft_problem *p);
void heft_placing_clear(struct heft_placing *g);
void heft_placing_reset(struct heft_placing *g);

/* Members of a column: itself, or those of the gang. */
size_t heft_members(const struct heft_problem *p, size_t device, const size_t **members);

/* Every task where it finishes first, by priority and rank; g->s->rank is filled. */
int heft_place_all(struct heft_placing *g, size_t *stuck, struct err *err);

/* Every task where it is told, in that order; false where that may not be. */
bool heft_place_fixed(struct heft_placing *g, const size_t *device, const size_t *order);

struct heft_schedule *heft_schedule_new(size_t tasks);

#endif
