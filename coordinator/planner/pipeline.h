/* pipeline.h - a pipeline job planned: stages placed on devices, watched and deployed.
 *
 * The analytic engine is HEFT with insertion (heft.h); the schedule "everything on the one device
 * that does it soonest" is always a candidate, so that a plan is never worse than it.
 * pipeline_verify honours an engine's colocation, classes, priorities, thresholds and steps within
 * what is feasible, repairs the rest and records each. Prose (gates, rationales) is kept with the
 * plan and reaches no Mac: what an assignment carries is the planner's own wording.
 *
 * Pure, as federated.h. */
#ifndef COORDINATOR_PLANNER_PIPELINE_H
#define COORDINATOR_PLANNER_PIPELINE_H

#include "common/model/enums.h"
#include "coordinator/planner/policy.h"

struct err;
struct snapshot;
struct job;
struct pipeline_proposal;
struct plan;

/* ERR_INVALID names a cycle, an unknown or a repeated stage name; ERR_INFEASIBLE what cannot be
 * met. */
int pipeline_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                     struct pipeline_proposal **out, struct err *err);

int pipeline_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                    enum engine_kind engine, const struct pipeline_proposal *p, struct plan **out,
                    struct err *err);

#endif
