/* plan_diff.h - what changed from one plan to another: per client or stage, field by field.
 *
 * Every known field of what a client or a stage gets is compared by its row in the model, so a new
 * field is compared as soon as it has a row. Clients that changed alike are one change with a
 * count. Left alone: ids, generations, digests, texts that only repeat numbers. Pure. */
#ifndef COORDINATOR_PLANNER_PLAN_DIFF_H
#define COORDINATOR_PLANNER_PLAN_DIFF_H

#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct plan;

/* one field that differs */
struct plan_change {
    char *subject;  /* device or stage; the plan: nothing */
    char *name;     /* of the device, for people */
    int64_t others; /* clients that changed in just the same way, beside this one */
    char *field;    /* path in the plan: training.batch_size */
    char *before;   /* absent: was not there */
    char *after;    /* absent: is not there any more */
    char *reason;   /* why it is so in the second plan */
};
RECORD_DECLARE(plan_change);

/* what changed */
struct plan_diff {
    char *before, *after;         /* plan ids, or how they were named */
    char *job_before, *job_after; /* their jobs */
    struct plan_change *changes;  /* the plan first, then stages, then clients by id */
    size_t changes_count;
};
RECORD_DECLARE(plan_diff);

/* ERR_INVALID for plans of different kinds. */
int plan_diff(const struct plan *before, const struct plan *after, struct plan_diff **out,
              struct err *err);

#endif
