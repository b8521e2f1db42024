/* fields.h - which field of a proposal fills which field of the plan.
 *
 * The one table behind verify's decisions, `plan show --proposal` and the documentation. What a
 * signature gives only as prose (rationales, gates, reasoning) is kept with the plan and reaches no
 * Mac; such rows say so with `prose`. */
#ifndef COORDINATOR_PLANNER_FIELDS_H
#define COORDINATOR_PLANNER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* Rows of federated_field_map, in its order. */
enum federated_field {
    FF_REASONING,
    FF_STRATEGY_FORMAT,
    FF_STRATEGY_CHECKPOINT,
    FF_STRATEGY_SEQUENCE,
    FF_STRATEGY_RATIONALE,
    FF_RANK,
    FF_LAYERS,
    FF_MEMORY_SHARE,
    FF_ALLOCATION_RATIONALE,
    FF_CLIENT_CLASS,
    FF_PARTICIPATE,
    FF_FORMAT,
    FF_BATCH,
    FF_ACCUMULATION,
    FF_SEQUENCE,
    FF_CHECKPOINT,
    FF_LOCAL_STEPS,
    FF_CLIENT_RATIONALE,
    FF_UPLOAD_FORMAT,
    FF_PROTOCOL_RATIONALE,
    FF_LEARNING_RATE,
    FF_LR_SCHEDULE,
    FF_WARMUP_STEPS,
    FF_STEPS_MAX,
    FF_SERVER_LEARNING_RATE,
    FF_PROXIMAL_MU,
    FF_CONVERGENCE_RATIONALE,
    FEDERATED_FIELDS,
};

/* Rows of pipeline_field_map, in its order. */
enum pipeline_field {
    PF_REASONING,
    PF_MAX_DEVICES,
    PF_COLOCATE,
    PF_ARCHITECTURE_RATIONALE,
    PF_STAGE,
    PF_CLIENT_CLASS,
    PF_PRIORITY,
    PF_SCHEDULE_RATIONALE,
    PF_MONITOR_STAGE,
    PF_METRIC,
    PF_WARN,
    PF_PAGE,
    PF_WINDOW,
    PF_MONITOR_RATIONALE,
    PF_DEPLOY_ORDER,
    PF_DEPLOY_STAGE,
    PF_DEPLOY_ACTION,
    PF_DEPLOY_GATE,
    PIPELINE_FIELDS,
};

enum field_scope {
    SCOPE_PLAN,  /* once per plan */
    SCOPE_CLASS, /* per class of clients */
    SCOPE_STAGE, /* per stage of a pipeline */
};

struct field_map {
    const char *output; /* typed output field of the signature: client_optimization */
    const char *member; /* member of that record: batch_size */
    const char
        *proposal_field;    /* both, as decisions write them: client_optimization[].batch_size */
    const char *plan_field; /* what it fills: assignments[].training.batch_size */
    enum field_scope scope;
    bool prose;         /* kept with the plan, for people only */
    const char *within; /* what bounds it, for people */
};

extern const struct field_map federated_field_map[];
extern const size_t federated_field_map_count;
extern const struct field_map pipeline_field_map[];
extern const size_t pipeline_field_map_count;

#endif
