/* device_fields.h - which field of a LoRA or diffusion proposal fills which field of its plan.
 *
 * As fields.h for federated and pipeline plans: the one table behind verify's decisions, `plan show
 * --proposal` and the documentation. */
#ifndef COORDINATOR_PLANNER_DEVICE_FIELDS_H
#define COORDINATOR_PLANNER_DEVICE_FIELDS_H

#include "coordinator/planner/fields.h"

/* Rows of lora_field_map, in its order. */
enum lora_field {
    LF_REASONING,
    LF_FORMAT,
    LF_SEQUENCE,
    LF_STRATEGY_RATIONALE,
    LF_MEMORY_SHARE,
    LF_ALLOCATION_RATIONALE,
    LF_RANK,
    LF_ALPHA,
    LF_TARGETS,
    LF_LAYERS,
    LF_DROPOUT,
    LF_CONFIG_RATIONALE,
    LF_BATCH,
    LF_ACCUMULATION,
    LF_LEARNING_RATE,
    LF_LR_SCHEDULE,
    LF_WARMUP_STEPS,
    LF_UPDATES,
    LF_TRAINING_RATIONALE,
    LF_CHECKPOINT,
    LF_MEMORY_RATIONALE,
    LF_EXPECTED_MEMORY,
    LF_EXPECTED_SPEED,
    LF_EXPECTED_SECONDS,
    LF_PERFORMANCE_RATIONALE,
    LORA_FIELDS,
};

/* Rows of diffusion_field_map, in its order. */
enum diffusion_field {
    DF_REASONING,
    DF_FORMAT,
    DF_WIDTH,
    DF_HEIGHT,
    DF_STRATEGY_RATIONALE,
    DF_MEMORY_SHARE,
    DF_BATCH,
    DF_ALLOCATION_RATIONALE,
    DF_SAMPLER,
    DF_STEPS,
    DF_GUIDANCE,
    DF_SAMPLING_RATIONALE,
    DF_OFFLOAD,
    DF_TILING,
    DF_LAYOUT_RATIONALE,
    DF_COMPILE,
    DF_ACCELERATION_RATIONALE,
    DIFFUSION_FIELDS,
};

extern const struct field_map lora_field_map[];
extern const size_t lora_field_map_count;
extern const struct field_map diffusion_field_map[];
extern const size_t diffusion_field_map_count;

#endif
