/* plan_check.h - a proposal of a person held against a fleet: what fits, what does not, and what it
 * becomes.
 *
 * The same verifying and repairing as for a language model's answer (federated.h, pipeline.h). No
 * number of the proposal is trusted: memory, times and bytes are reckoned anew. Each value that
 * breaks a limit is a decision with the proposed value, the limit and the nearest that fits; a
 * proposal that is feasible but worse than the planner's own plan by more than policy.worse_share
 * is replaced by it. Pure. */
#ifndef COORDINATOR_PLANNER_PLAN_CHECK_H
#define COORDINATOR_PLANNER_PLAN_CHECK_H

#include "common/model/record.h"

#include <stddef.h>

struct decision;
struct err;
struct forecast;
struct job;
struct plan;
struct policy;
struct proposal;
struct snapshot;

/* what became of a proposal */
struct plan_check {
    char *verdict;            /* fits, repaired or replaced */
    char *reason;             /* why, in a sentence */
    int64_t used;             /* values that stand as proposed */
    struct decision *changed; /* repaired and rejected values */
    size_t changed_count;
    struct forecast *forecast; /* of the plan that results */
    struct forecast *own;      /* of the planner's own plan */
    char **notes;              /* what was forgiven or dropped while reading; added by the reader */
    size_t notes_count;
    struct plan *plan; /* the plan that results; not stored anywhere */
};
RECORD_DECLARE(plan_check);

/* The proposal stays the caller's. ERR_INFEASIBLE where no plan exists at all. */
int plan_check(const struct snapshot *s, const struct job *job, const struct policy *policy,
               const struct proposal *p, struct plan_check **out, struct err *err);

/* A plan as the proposal to do the same on this fleet: per class what its first member in the plan
 * does. Devices that the fleet does not have are left to the planner; how many into *unknown. */
int plan_to_proposal(const struct snapshot *s, const struct plan *plan, struct proposal **out,
                     size_t *unknown, struct err *err);

#endif
