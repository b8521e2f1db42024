/* fields.c - the two tables, a row per member of a proposal. */
#include "coordinator/planner/fields.h"

#define PROSE "kept with the plan, reaches no Mac"
#define FIELD(out, list, m, to, sc, bound)           \
    {                                                \
        out, m, out list "." m, to, sc, false, bound \
    }
#define TEXT(out, list, m, sc)                              \
    {                                                       \
        out, m, out list "." m, "proposal", sc, true, PROSE \
    }

#define STRATEGY "optimization_strategy"
#define ALLOCATION "resource_allocation"
#define CLIENT "client_optimization"
#define PROTOCOL "communication_protocol"
#define CONVERGENCE "convergence_strategy"
#define TRAINING(m) "assignments[].training." m

const struct field_map federated_field_map[] = {
    [FF_REASONING] = {"reasoning", "", "reasoning", "proposal", SCOPE_PLAN, true, PROSE},
    [FF_STRATEGY_FORMAT] = FIELD(STRATEGY, "", "model_format", TRAINING("model_format"), SCOPE_PLAN,
                                 "the job's variants; memory; a class's own value wins"),
    [FF_STRATEGY_CHECKPOINT] =
        FIELD(STRATEGY, "", "grad_checkpoint", TRAINING("grad_checkpoint"), SCOPE_PLAN,
              "what the job states; memory; a class's own value wins"),
    [FF_STRATEGY_SEQUENCE] =
        FIELD(STRATEGY, "", "sequence_length", TRAINING("sequence_length"), SCOPE_PLAN,
              "the job's shortest to wanted length; memory; a class's own value wins"),
    [FF_STRATEGY_RATIONALE] = TEXT(STRATEGY, "", "rationale", SCOPE_PLAN),
    [FF_RANK] = FIELD(ALLOCATION, "", "rank", "federated.rank", SCOPE_PLAN,
                      "the job's rank_min to rank (64 where it gives none); links"),
    [FF_LAYERS] = FIELD(ALLOCATION, "", "layers", "federated.layers", SCOPE_PLAN,
                        "the job's layers_min to layers; memory of the clients"),
    [FF_MEMORY_SHARE] = FIELD(ALLOCATION, "", "memory_share", TRAINING("memory_limit_bytes"),
                              SCOPE_PLAN, "0.1 to 1 of each client's limit"),
    [FF_ALLOCATION_RATIONALE] = TEXT(ALLOCATION, "", "rationale", SCOPE_PLAN),
    [FF_CLIENT_CLASS] = FIELD(CLIENT, "[]", "client_class", "assignments[].client_class",
                              SCOPE_CLASS, "the classes of the fleet, each once"),
    [FF_PARTICIPATE] = FIELD(CLIENT, "[]", "participate", "assignments[].participate", SCOPE_CLASS,
                             "rules, memory, link and deadline can only take a client out"),
    [FF_FORMAT] = FIELD(CLIENT, "[]", "model_format", TRAINING("model_format"), SCOPE_CLASS,
                        "the job's variants; memory"),
    [FF_BATCH] = FIELD(CLIENT, "[]", "batch_size", TRAINING("batch_size"), SCOPE_CLASS,
                       "what the job states; memory; data"),
    [FF_ACCUMULATION] = FIELD(CLIENT, "[]", "grad_accumulation", TRAINING("grad_accumulation"),
                              SCOPE_CLASS, "the job's effective_batch; data"),
    [FF_SEQUENCE] = FIELD(CLIENT, "[]", "sequence_length", TRAINING("sequence_length"), SCOPE_CLASS,
                          "the job's shortest to wanted length; memory"),
    [FF_CHECKPOINT] = FIELD(CLIENT, "[]", "grad_checkpoint", TRAINING("grad_checkpoint"),
                            SCOPE_CLASS, "what the job states; memory"),
    [FF_LOCAL_STEPS] = FIELD(CLIENT, "[]", "local_steps", TRAINING("local_steps"), SCOPE_CLASS,
                             "the job's local_steps_min to local_steps_max; deadline; data"),
    [FF_CLIENT_RATIONALE] = TEXT(CLIENT, "[]", "rationale", SCOPE_CLASS),
    [FF_UPLOAD_FORMAT] = FIELD(PROTOCOL, "", "upload_format", "federated.upload_format", SCOPE_PLAN,
                               "f32 under secure aggregation; links"),
    [FF_PROTOCOL_RATIONALE] = TEXT(PROTOCOL, "", "rationale", SCOPE_PLAN),
    [FF_LEARNING_RATE] = FIELD(CONVERGENCE, "", "learning_rate", TRAINING("learning_rate"),
                               SCOPE_PLAN, "what the job states"),
    [FF_LR_SCHEDULE] =
        FIELD(CONVERGENCE, "", "lr_schedule", TRAINING("lr_schedule"), SCOPE_PLAN, "any"),
    [FF_WARMUP_STEPS] = FIELD(CONVERGENCE, "", "warmup_steps", TRAINING("warmup_steps"), SCOPE_PLAN,
                              "fewer than a client's local steps"),
    [FF_STEPS_MAX] = FIELD(CONVERGENCE, "", "local_steps_max", TRAINING("local_steps"), SCOPE_PLAN,
                           "the job's local_steps_min to local_steps_max"),
    [FF_SERVER_LEARNING_RATE] = FIELD(CONVERGENCE, "", "server_learning_rate",
                                      "federated.server_learning_rate", SCOPE_PLAN, "any"),
    [FF_PROXIMAL_MU] = FIELD(CONVERGENCE, "", "proximal_mu", "federated.proximal_mu", SCOPE_PLAN,
                             "only where the aggregation is fedprox"),
    [FF_CONVERGENCE_RATIONALE] = TEXT(CONVERGENCE, "", "rationale", SCOPE_PLAN),
};
const size_t federated_field_map_count = sizeof federated_field_map / sizeof federated_field_map[0];

#define ARCHITECTURE "pipeline_architecture"
#define SCHEDULING "resource_scheduling"
#define MONITORING "monitoring_strategy"
#define DEPLOYMENT "deployment_plan"

const struct field_map pipeline_field_map[] = {
    [PF_REASONING] = {"reasoning", "", "reasoning", "proposal", SCOPE_PLAN, true, PROSE},
    [PF_MAX_DEVICES] = FIELD(ARCHITECTURE, "", "max_devices", "pipeline.stages[].device_id",
                             SCOPE_PLAN, "the job's max_devices"),
    [PF_COLOCATE] = FIELD(ARCHITECTURE, "", "colocate", "pipeline.stages[].device_id", SCOPE_PLAN,
                          "one device must be able to run all of a group"),
    [PF_ARCHITECTURE_RATIONALE] = TEXT(ARCHITECTURE, "", "rationale", SCOPE_PLAN),
    [PF_STAGE] = FIELD(SCHEDULING, "[]", "stage", "pipeline.stages[].stage", SCOPE_STAGE,
                       "the stages of the job, each once"),
    [PF_CLIENT_CLASS] = FIELD(SCHEDULING, "[]", "client_class", "pipeline.stages[].device_id",
                              SCOPE_STAGE, "a member must be able to run the stage"),
    [PF_PRIORITY] = FIELD(SCHEDULING, "[]", "priority", "pipeline.stages[].order", SCOPE_STAGE,
                          "among the stages whose inputs are ready"),
    [PF_SCHEDULE_RATIONALE] = TEXT(SCHEDULING, "[]", "rationale", SCOPE_STAGE),
    [PF_MONITOR_STAGE] = FIELD(MONITORING, "[]", "stage", "pipeline.stages[].monitors[].stage",
                               SCOPE_STAGE, "the stages of the job, or none: the whole pipeline"),
    [PF_METRIC] = FIELD(MONITORING, "[]", "metric", "pipeline.stages[].monitors[].metric",
                        SCOPE_STAGE, "any; replaces the planner's own rule for it"),
    [PF_WARN] = FIELD(MONITORING, "[]", "warn", "pipeline.stages[].monitors[].warn", SCOPE_STAGE,
                      "milder than page"),
    [PF_PAGE] = FIELD(MONITORING, "[]", "page", "pipeline.stages[].monitors[].page", SCOPE_STAGE,
                      "no milder than warn"),
    [PF_WINDOW] = FIELD(MONITORING, "[]", "window_seconds",
                        "pipeline.stages[].monitors[].window_seconds", SCOPE_STAGE, "any"),
    [PF_MONITOR_RATIONALE] = TEXT(MONITORING, "[]", "rationale", SCOPE_STAGE),
    [PF_DEPLOY_ORDER] = FIELD(DEPLOYMENT, "[]", "order", "pipeline.deployment[].order", SCOPE_STAGE,
                              "a stage starts after the stages it needs"),
    [PF_DEPLOY_STAGE] = FIELD(DEPLOYMENT, "[]", "stage", "pipeline.deployment[].stage", SCOPE_STAGE,
                              "the stages of the job"),
    [PF_DEPLOY_ACTION] = FIELD(DEPLOYMENT, "[]", "action", "pipeline.deployment[].action",
                               SCOPE_STAGE, "any; every stage gets a start"),
    [PF_DEPLOY_GATE] = {DEPLOYMENT, "gate", DEPLOYMENT "[].gate", "pipeline.deployment[].gate",
                        SCOPE_STAGE, true,
                        "for people; what an assignment carries is the planner's"},
};
const size_t pipeline_field_map_count = sizeof pipeline_field_map / sizeof pipeline_field_map[0];
