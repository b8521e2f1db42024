/* policy.h - what the planner assumes where neither job nor device says it.
 *
 * Every number is a default that a setting may replace; each says where it comes from. */
#ifndef COORDINATOR_PLANNER_POLICY_H
#define COORDINATOR_PLANNER_POLICY_H

#include <stdint.h>

struct policy {
    int64_t reserve_bytes; /* kept free beside what is available now: 1 GiB */
    double system_share;   /* of memory, taken as in use where available memory is unknown: 0.25 */
    double memory_share;   /* of a client's limit that the planner itself fills: 0.9. Users report
                              90 % of the working set stable where 100 % rebooted a 48 GB Mac */
    double activation_factor; /* measured over predicted activations (kappa); 1: nothing measured */
    int64_t default_steps;    /* updates of the slowest client where a job gives neither deadline
                                 nor token goal: 10 */
    double deadline_slack;    /* deadline over the predicted round where the job gives none: 1.5 */
    double worse_share;       /* a proposal that is worse than the planner's own plan by more than
                                 this is replaced: 0.1 */
};

struct policy policy_default(void);

#endif
