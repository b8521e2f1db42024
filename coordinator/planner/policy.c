/* policy.c - the planner's own defaults. */
#include "coordinator/planner/policy.h"

struct policy policy_default(void)
{
    return (struct policy){
        .reserve_bytes = 1024LL * 1024 * 1024,
        .system_share = 0.25,
        .memory_share = 0.9,
        .activation_factor = 1,
        .default_steps = 10,
        .deadline_slack = 1.5,
        .worse_share = 0.1,
    };
}
