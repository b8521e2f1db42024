/* plan_warn.h - what a person should know of a plan that is nevertheless good to run. */
#ifndef COORDINATOR_PLANNER_PLAN_WARN_H
#define COORDINATOR_PLANNER_PLAN_WARN_H

struct err;
struct plan;

#define PLAN_WARN_MAX 500 /* bytes of one warning; more is cut */

/* Add it to plan->warnings; -1 without memory, and the plan is as it was. */
int plan_warn(struct plan *plan, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
