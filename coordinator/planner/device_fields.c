/* device_fields.c - the two tables, a row per member of a proposal. */
#include "coordinator/planner/device_fields.h"

#define PROSE "kept with the plan, reaches no Mac"
#define FIELD(out, m, to, bound)                        \
    {                                                   \
        out, m, out "." m, to, SCOPE_PLAN, false, bound \
    }
#define TEXT(out)                                                               \
    {                                                                           \
        out, "rationale", out ".rationale", "proposal", SCOPE_PLAN, true, PROSE \
    }

#define STRATEGY "optimization_strategy"
#define ALLOCATION "resource_allocation"
#define CONFIG "lora_config"
#define TRAINING_OUT "training_strategy"
#define MEMORY "memory_optimization"
#define PERFORMANCE "expected_performance"
#define TRAINING(m) "assignments[].training." m

const struct field_map lora_field_map[] = {
    [LF_REASONING] = {"reasoning", "", "reasoning", "proposal", SCOPE_PLAN, true, PROSE},
    [LF_FORMAT] =
        FIELD(STRATEGY, "model_format", TRAINING("model_format"), "the job's variants; memory"),
    [LF_SEQUENCE] = FIELD(STRATEGY, "sequence_length", TRAINING("sequence_length"),
                          "the job's shortest to wanted length; memory"),
    [LF_STRATEGY_RATIONALE] = TEXT(STRATEGY),
    [LF_MEMORY_SHARE] = FIELD(ALLOCATION, "memory_share", TRAINING("memory_limit_bytes"),
                              "0.1 to 1 of the device's limit"),
    [LF_ALLOCATION_RATIONALE] = TEXT(ALLOCATION),
    [LF_RANK] = FIELD(CONFIG, "rank", TRAINING("rank"),
                      "the job's rank_min to rank (64 where it gives none); memory"),
    [LF_ALPHA] = FIELD(CONFIG, "alpha", TRAINING("scale"), "what the job states; scale x rank"),
    [LF_TARGETS] = FIELD(CONFIG, "targets", TRAINING("targets"), "what the job states"),
    [LF_LAYERS] =
        FIELD(CONFIG, "layers", TRAINING("layers"), "the job's layers_min to layers; memory"),
    [LF_DROPOUT] = FIELD(CONFIG, "dropout", TRAINING("dropout"), "what the job states"),
    [LF_CONFIG_RATIONALE] = TEXT(CONFIG),
    [LF_BATCH] = FIELD(TRAINING_OUT, "batch_size", TRAINING("batch_size"),
                       "what the job states; memory; data"),
    [LF_ACCUMULATION] = FIELD(TRAINING_OUT, "grad_accumulation", TRAINING("grad_accumulation"),
                              "the job's effective_batch; data"),
    [LF_LEARNING_RATE] =
        FIELD(TRAINING_OUT, "learning_rate", TRAINING("learning_rate"), "what the job states"),
    [LF_LR_SCHEDULE] =
        FIELD(TRAINING_OUT, "lr_schedule", TRAINING("lr_schedule"), "what the job states"),
    [LF_WARMUP_STEPS] =
        FIELD(TRAINING_OUT, "warmup_steps", TRAINING("warmup_steps"), "fewer than the updates"),
    [LF_UPDATES] = FIELD(TRAINING_OUT, "updates", TRAINING("local_steps"),
                         "1 to the job's updates or epochs; deadline"),
    [LF_TRAINING_RATIONALE] = TEXT(TRAINING_OUT),
    [LF_CHECKPOINT] = FIELD(MEMORY, "grad_checkpoint", TRAINING("grad_checkpoint"),
                            "what the job states; memory"),
    [LF_MEMORY_RATIONALE] = TEXT(MEMORY),
    [LF_EXPECTED_MEMORY] =
        FIELD(PERFORMANCE, "memory_bytes", "assignments[].prediction.memory_bytes",
              "a prediction is always the planner's"),
    [LF_EXPECTED_SPEED] =
        FIELD(PERFORMANCE, "tokens_per_second", "assignments[].prediction.tokens_per_second",
              "a prediction is always the planner's"),
    [LF_EXPECTED_SECONDS] = FIELD(PERFORMANCE, "training_seconds", "lora.training_seconds",
                                  "a prediction is always the planner's"),
    [LF_PERFORMANCE_RATIONALE] = TEXT(PERFORMANCE),
};
const size_t lora_field_map_count = sizeof lora_field_map / sizeof lora_field_map[0];

#define SAMPLING "sampling_strategy"
#define LAYOUT "memory_layout"
#define ACCELERATION "acceleration_techniques"
#define IMAGE(m) "assignments[].image_generation." m

const struct field_map diffusion_field_map[] = {
    [DF_REASONING] = {"reasoning", "", "reasoning", "proposal", SCOPE_PLAN, true, PROSE},
    [DF_FORMAT] =
        FIELD(STRATEGY, "model_format", IMAGE("model_format"), "the job's variants; memory"),
    [DF_WIDTH] = FIELD(STRATEGY, "width", IMAGE("width"),
                       "size_share_min to 1 of the job's, in steps of 64; memory; time"),
    [DF_HEIGHT] = FIELD(STRATEGY, "height", IMAGE("height"),
                        "size_share_min to 1 of the job's, in steps of 64; memory; time"),
    [DF_STRATEGY_RATIONALE] = TEXT(STRATEGY),
    [DF_MEMORY_SHARE] = FIELD(ALLOCATION, "memory_share", IMAGE("memory_limit_bytes"),
                              "0.1 to 1 of the device's limit"),
    [DF_BATCH] = FIELD(ALLOCATION, "batch_size", IMAGE("batch_size"), "1 to the job's; memory"),
    [DF_ALLOCATION_RATIONALE] = TEXT(ALLOCATION),
    [DF_SAMPLER] = FIELD(SAMPLING, "sampler", IMAGE("sampler"), "what the job states"),
    [DF_STEPS] =
        FIELD(SAMPLING, "steps", IMAGE("steps"), "the job's steps_min to steps; image_seconds"),
    [DF_GUIDANCE] = FIELD(SAMPLING, "guidance", IMAGE("guidance"), "what the job states"),
    [DF_SAMPLING_RATIONALE] = TEXT(SAMPLING),
    [DF_OFFLOAD] = FIELD(LAYOUT, "offload", IMAGE("offload"), "what the job states; memory"),
    [DF_TILING] = FIELD(LAYOUT, "vae_tiling", IMAGE("vae_tiling"), "what the job states; memory"),
    [DF_LAYOUT_RATIONALE] = TEXT(LAYOUT),
    [DF_COMPILE] = FIELD(ACCELERATION, "compile", IMAGE("compile"), "any"),
    [DF_ACCELERATION_RATIONALE] = TEXT(ACCELERATION),
};
const size_t diffusion_field_map_count = sizeof diffusion_field_map / sizeof diffusion_field_map[0];
