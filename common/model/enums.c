/* enums.c - the words of every enum, in the order of their numbers from 1. */
#include "common/model/enums.h"

#include <stddef.h>

#define NAMES(e, type_name)                                     \
    const struct enum_names e##_names = {type_name, e##_values, \
                                         sizeof e##_values / sizeof e##_values[0]}

static const struct enum_value device_origin_values[] = {
    {DEVICE_ORIGIN_MAC, "mac", "read from the Mac it runs on"},
    {DEVICE_ORIGIN_LINUX, "linux", "read from a Linux machine: no Mac"},
    {DEVICE_ORIGIN_RECORDED, "recorded", "what a real Mac once printed, replayed"},
    {DEVICE_ORIGIN_COMPOSED, "composed", "put together from published tables, for demonstrations"},
};
NAMES(device_origin, "DeviceOrigin");

static const struct enum_value fact_source_values[] = {
    {FACT_SOURCE_READ, "read", "read from the system"},
    {FACT_SOURCE_STATED, "stated", "said by the author of a recording"},
    {FACT_SOURCE_DERIVED, "derived", "computed from other facts"},
    {FACT_SOURCE_COMPOSED, "composed", "taken from a published table"},
    {FACT_SOURCE_MEASURED, "measured", "timed on the device"},
    {FACT_SOURCE_SYNTHETIC, "synthetic", "made up for a demonstration"},
};
NAMES(fact_source, "FactSource");

static const struct enum_value memory_pressure_values[] = {
    {MEMORY_PRESSURE_NORMAL, "normal", ""},
    {MEMORY_PRESSURE_WARN, "warn", ""},
    {MEMORY_PRESSURE_CRITICAL, "critical", ""},
};
NAMES(memory_pressure, "MemoryPressure");

static const struct enum_value thermal_values[] = {
    {THERMAL_NOMINAL, "nominal", ""},
    {THERMAL_FAIR, "fair", ""},
    {THERMAL_SERIOUS, "serious", ""},
    {THERMAL_CRITICAL, "critical", ""},
};
NAMES(thermal, "Thermal");

static const struct enum_value power_source_values[] = {
    {POWER_SOURCE_AC, "ac", ""},
    {POWER_SOURCE_BATTERY, "battery", ""},
    {POWER_SOURCE_UPS, "ups", ""},
};
NAMES(power_source, "PowerSource");

static const struct enum_value link_kind_values[] = {
    {LINK_KIND_LOOPBACK, "loopback", ""}, {LINK_KIND_ETHERNET, "ethernet", ""},
    {LINK_KIND_WIFI, "wifi", ""},         {LINK_KIND_THUNDERBOLT, "thunderbolt", ""},
    {LINK_KIND_CELLULAR, "cellular", ""}, {LINK_KIND_OTHER, "other", ""},
};
NAMES(link_kind, "LinkKind");

static const struct enum_value model_format_values[] = {
    {MODEL_FORMAT_BF16, "bf16", "16 bits per weight"},
    {MODEL_FORMAT_F16, "f16", "16 bits per weight"},
    {MODEL_FORMAT_F32, "f32", "32 bits per weight"},
    {MODEL_FORMAT_Q8G64, "q8g64", "8.5 bits per weight"},
    {MODEL_FORMAT_Q6G64, "q6g64", "6.5 bits per weight"},
    {MODEL_FORMAT_Q5G32, "q5g32", "6 bits per weight"},
    {MODEL_FORMAT_Q5G64, "q5g64", "5.5 bits per weight"},
    {MODEL_FORMAT_Q4G32, "q4g32", "5 bits per weight"},
    {MODEL_FORMAT_Q4G64, "q4g64", "4.5 bits per weight, the default of MLX"},
    {MODEL_FORMAT_Q3G64, "q3g64", "3.5 bits per weight"},
    {MODEL_FORMAT_Q2G64, "q2g64", "2.5 bits per weight"},
    {MODEL_FORMAT_MXFP8, "mxfp8", "8.25 bits per weight"},
    {MODEL_FORMAT_MXFP4, "mxfp4", "4.25 bits per weight"},
    {MODEL_FORMAT_NVFP4, "nvfp4", "4.5 bits per weight"},
    {MODEL_FORMAT_Q8G32, "q8g32", "9 bits per weight"},
    {MODEL_FORMAT_Q8G128, "q8g128", "8.25 bits per weight"},
    {MODEL_FORMAT_Q6G32, "q6g32", "7 bits per weight"},
    {MODEL_FORMAT_Q6G128, "q6g128", "6.25 bits per weight"},
    {MODEL_FORMAT_Q5G128, "q5g128", "5.25 bits per weight"},
    {MODEL_FORMAT_Q4G128, "q4g128", "4.25 bits per weight"},
    {MODEL_FORMAT_Q3G32, "q3g32", "4 bits per weight"},
    {MODEL_FORMAT_Q3G128, "q3g128", "3.25 bits per weight"},
    {MODEL_FORMAT_Q2G32, "q2g32", "3 bits per weight"},
    {MODEL_FORMAT_Q2G128, "q2g128", "2.25 bits per weight"},
};
NAMES(model_format, "ModelFormat");

static const struct enum_value fine_tune_method_values[] = {
    {FINE_TUNE_METHOD_LORA, "lora", "low-rank adapters"},
    {FINE_TUNE_METHOD_DORA, "dora", "weight-decomposed low-rank adapters"},
    {FINE_TUNE_METHOD_FULL, "full", "all weights of the trained layers"},
};
NAMES(fine_tune_method, "FineTuneMethod");

static const struct enum_value lora_targets_values[] = {
    {LORA_TARGETS_ALL, "all", "all seven: q, k, v, o, gate, up, down"},
    {LORA_TARGETS_QV, "qv", "the query and value projections"},
};
NAMES(lora_targets, "LoraTargets");

static const struct enum_value optimizer_values[] = {
    {OPTIMIZER_ADAM, "adam", ""},
    {OPTIMIZER_ADAMW, "adamw", ""},
    {OPTIMIZER_SGD, "sgd", ""},
    {OPTIMIZER_ADAFACTOR, "adafactor", ""},
};
NAMES(optimizer, "Optimizer");

static const struct enum_value lr_schedule_values[] = {
    {LR_SCHEDULE_CONSTANT, "constant", ""},
    {LR_SCHEDULE_COSINE, "cosine", ""},
    {LR_SCHEDULE_LINEAR, "linear", ""},
};
NAMES(lr_schedule, "LrSchedule");

static const struct enum_value upload_format_values[] = {
    {UPLOAD_FORMAT_F32, "f32", "4 bytes per parameter"},
    {UPLOAD_FORMAT_F16, "f16", "2 bytes per parameter"},
    {UPLOAD_FORMAT_BF16, "bf16", "2 bytes per parameter"},
    {UPLOAD_FORMAT_INT8, "int8", "8.5 bits per parameter: groups of 64"},
    {UPLOAD_FORMAT_INT4, "int4", "4.5 bits per parameter: groups of 64"},
};
NAMES(upload_format, "UploadFormat");

static const struct enum_value aggregation_values[] = {
    {AGGREGATION_AUTO, "auto", "the planner chooses before the signature runs"},
    {AGGREGATION_FEDAVG, "fedavg", ""},
    {AGGREGATION_FEDPROX, "fedprox", ""},
    {AGGREGATION_FEDNOVA, "fednova", ""},
    {AGGREGATION_FEDADAM, "fedadam", ""},
    {AGGREGATION_FEDYOGI, "fedyogi", ""},
    {AGGREGATION_SCAFFOLD, "scaffold", ""},
    {AGGREGATION_FEDBUFF, "fedbuff", ""},
};
NAMES(aggregation, "Aggregation");

static const struct enum_value selection_values[] = {
    {SELECTION_ALL, "all", "every eligible one"},
    {SELECTION_FASTEST, "fastest", "those that train most in the round"},
    {SELECTION_RANDOM, "random",
     "drawn anew for each round, each client by its own coin (Poisson sampling)"},
    {SELECTION_OORT, "oort", "by what their losses still promise and by speed"},
    {SELECTION_TIERS, "tiers", "drawn from one tier of like speed (TiFL)"},
};
NAMES(selection, "Selection");

static const struct enum_value adapters_values[] = {
    {ADAPTERS_AUTO, "auto", "the planner chooses"},
    {ADAPTERS_NAIVE, "naive", "means of A and of B apart; equal ranks"},
    {ADAPTERS_HETLORA, "hetlora", "padded with zeros to the largest rank, weighted by norm"},
    {ADAPTERS_FLEXLORA, "flexlora", "mean of the products, cut back to each rank by SVD"},
    {ADAPTERS_FLORA, "flora", "stacked, exact; merged into a base that is not quantised"},
    {ADAPTERS_FFA_LORA, "ffa_lora", "A is frozen, B is averaged, exact; equal ranks"},
    {ADAPTERS_FEDSA_LORA, "fedsa_lora", "A is averaged, B stays on the client; equal ranks"},
    {ADAPTERS_RAFLORA, "raflora", "each slice of ranks averaged over the clients that have it"},
};
NAMES(adapters, "Adapters");

static const struct enum_value rank_policy_values[] = {
    {RANK_POLICY_COMMON, "common", "one rank for all"},
    {RANK_POLICY_BY_CLIENT, "by_client", "a lower rank where memory or link ask for it"},
};
NAMES(rank_policy, "RankPolicy");

static const struct enum_value compression_values[] = {
    {COMPRESSION_UNIFORM, "uniform", "one format for all"},
    {COMPRESSION_BY_LINK, "by_link", "a coarser one where the link is slow"},
};
NAMES(compression, "Compression");

static const struct enum_value secure_protocol_values[] = {
    {SECURE_PROTOCOL_BONAWITZ, "bonawitz", "every pair of clients shares a mask"},
    {SECURE_PROTOCOL_SECAGG_PLUS, "secagg_plus", "masks with some neighbours only"},
    {SECURE_PROTOCOL_LIGHTSECAGG, "lightsecagg", "coded masks, opened in one step"},
};
NAMES(secure_protocol, "SecureProtocol");

static const struct enum_value unknown_policy_values[] = {
    {UNKNOWN_POLICY_EXCLUDE, "exclude", "leave the device out, saying what is unknown"},
    {UNKNOWN_POLICY_ALLOW, "allow", "let it take part"},
};
NAMES(unknown_policy, "UnknownPolicy");

static const struct enum_value engine_kind_values[] = {
    {ENGINE_KIND_ANALYTIC, "analytic", "the planner itself"},
    {ENGINE_KIND_LM, "lm", "a language model"},
    {ENGINE_KIND_PERSON, "person", "a person's own proposal, checked by a tool; nobody to ask"},
};
NAMES(engine_kind, "EngineKind");

static const struct enum_value plan_kind_values[] = {
    {PLAN_KIND_FEDERATED, "federated", ""},
    {PLAN_KIND_PIPELINE, "pipeline", ""},
    {PLAN_KIND_LORA, "lora", "one device fine-tunes"},
    {PLAN_KIND_DIFFUSION, "diffusion", "one device generates images"},
};
NAMES(plan_kind, "PlanKind");

static const struct enum_value denoiser_kind_values[] = {
    {DENOISER_KIND_UNET, "unet", "convolutions and attention at falling resolutions"},
    {DENOISER_KIND_TRANSFORMER, "transformer", "attention over patches of the latent image"},
};
NAMES(denoiser_kind, "DenoiserKind");

static const struct enum_value diffusion_sampler_values[] = {
    {DIFFUSION_SAMPLER_EULER, "euler", ""},
    {DIFFUSION_SAMPLER_EULER_ANCESTRAL, "euler_ancestral", "adds noise at each step"},
    {DIFFUSION_SAMPLER_DDIM, "ddim", ""},
    {DIFFUSION_SAMPLER_DPMPP_2M, "dpmpp_2m", "DPM-Solver++, second order, multistep"},
    {DIFFUSION_SAMPLER_FLOW_MATCH_EULER, "flow_match_euler", "of models trained by flow matching"},
};
NAMES(diffusion_sampler, "DiffusionSampler");

static const struct enum_value plan_state_values[] = {
    {PLAN_STATE_DRY_RUN, "dry_run", "shown, never stored or delivered"},
    {PLAN_STATE_ACTIVE, "active", ""},
    {PLAN_STATE_SUPERSEDED, "superseded", "a newer plan of the same job took its place"},
    {PLAN_STATE_CANCELLED, "cancelled", ""},
};
NAMES(plan_state, "PlanState");

static const struct enum_value delivery_state_values[] = {
    {DELIVERY_STATE_PENDING, "pending", "stored, not yet sent"},
    {DELIVERY_STATE_SENT, "sent", "handed to the socket"},
    {DELIVERY_STATE_RECEIVED, "received", "on the agent's disk"},
    {DELIVERY_STATE_APPLIED, "applied", "checked by the agent, files written"},
    {DELIVERY_STATE_RUNNING, "running", "the agent's own command was started"},
    {DELIVERY_STATE_DONE, "done", "the command ended with 0"},
    {DELIVERY_STATE_FAILED, "failed", "the command failed, or was interrupted"},
    {DELIVERY_STATE_REFUSED, "refused", "the agent refused it, with a reason"},
    {DELIVERY_STATE_SUPERSEDED, "superseded", "a newer assignment of the job took its place"},
    {DELIVERY_STATE_CANCELLED, "cancelled", ""},
    {DELIVERY_STATE_EXPIRED, "expired", "not received in time"},
};
NAMES(delivery_state, "DeliveryState");

static const struct enum_value liveness_values[] = {
    {LIVENESS_ONLINE, "online", ""},
    {LIVENESS_LATE, "late", "a heartbeat is missing"},
    {LIVENESS_OFFLINE, "offline", ""},
};
NAMES(liveness, "Liveness");

static const struct enum_value stage_kind_values[] = {
    {STAGE_KIND_DATA_LOADING, "data_loading", ""},
    {STAGE_KIND_PREPROCESSING, "preprocessing", ""},
    {STAGE_KIND_TRAINING, "training", ""},
    {STAGE_KIND_EVALUATION, "evaluation", ""},
    {STAGE_KIND_CONVERSION, "conversion", ""},
    {STAGE_KIND_INFERENCE, "inference", ""},
    {STAGE_KIND_DEPLOYMENT, "deployment", ""},
    {STAGE_KIND_MONITORING, "monitoring", ""},
    {STAGE_KIND_OTHER, "other", ""},
};
NAMES(stage_kind, "StageKind");

static const struct enum_value metric_values[] = {
    {METRIC_STAGE_SECONDS, "stage_seconds", ""},
    {METRIC_QUEUE_LENGTH, "queue_length", ""},
    {METRIC_LATENCY_P95_SECONDS, "latency_p95_seconds", ""},
    {METRIC_ERROR_RATIO, "error_ratio", ""},
    {METRIC_MEMORY_HEADROOM_BYTES, "memory_headroom_bytes", ""},
    {METRIC_TOKENS_PER_SECOND, "tokens_per_second", ""},
};
NAMES(metric, "Metric");

static const struct enum_value deploy_action_values[] = {
    {DEPLOY_ACTION_PREPARE, "prepare", ""},
    {DEPLOY_ACTION_COPY, "copy", ""},
    {DEPLOY_ACTION_START, "start", ""},
    {DEPLOY_ACTION_CANARY, "canary", ""},
    {DEPLOY_ACTION_VERIFY, "verify", ""},
    {DEPLOY_ACTION_PROMOTE, "promote", ""},
    {DEPLOY_ACTION_ROLLBACK_POINT, "rollback_point", ""},
};
NAMES(deploy_action, "DeployAction");

static const struct enum_value constraint_values[] = {
    {CONSTRAINT_NONE, "none", "nothing: the value is the wanted one"},
    {CONSTRAINT_MEMORY, "memory", ""},
    {CONSTRAINT_DEADLINE, "deadline", ""},
    {CONSTRAINT_LINK, "link", ""},
    {CONSTRAINT_DISK, "disk", ""},
    {CONSTRAINT_POWER, "power", ""},
    {CONSTRAINT_THERMAL, "thermal", ""},
    {CONSTRAINT_IDLE, "idle", ""},
    {CONSTRAINT_OS, "os", ""},
    {CONSTRAINT_METAL, "metal", ""},
    {CONSTRAINT_LIVENESS, "liveness", ""},
    {CONSTRAINT_DATA, "data", ""},
    {CONSTRAINT_PRIVACY, "privacy", ""},
    {CONSTRAINT_RULE, "rule", "a rule of the job"},
    {CONSTRAINT_UNKNOWN_FACT, "unknown_fact", ""},
    {CONSTRAINT_SHAPE, "shape", "the model or the aggregation demands it"},
    {CONSTRAINT_VALUE, "value", "not a value the field can take"},
    {CONSTRAINT_OBJECTIVE, "objective", "it would make the plan worse"},
};
NAMES(constraint, "Constraint");

static const struct enum_value outcome_values[] = {
    {OUTCOME_USED, "used", ""},
    {OUTCOME_REPAIRED, "repaired", "moved to the nearest value that fits"},
    {OUTCOME_REJECTED, "rejected", "not usable"},
    {OUTCOME_MISSING, "missing", "not proposed: the planner's own value stands"},
};
NAMES(outcome, "Outcome");

static const struct enum_value role_values[] = {
    {ROLE_VIEWER, "viewer", "read"},
    {ROLE_OPERATOR, "operator", "read, plan, cancel, manage keys"},
};
NAMES(role, "Role");

static const struct enum_value key_kind_values[] = {
    {KEY_KIND_AGENT, "agent", ""},
    {KEY_KIND_TOOL, "tool", ""},
};
NAMES(key_kind, "KeyKind");

static const struct enum_value response_code_values[] = {
    {RESPONSE_CODE_OK, "ok", ""},
    {RESPONSE_CODE_INVALID, "invalid", "a value is wrong; field names it"},
    {RESPONSE_CODE_MALFORMED, "malformed", "the bytes do not decode"},
    {RESPONSE_CODE_TOO_BIG, "too_big", ""},
    {RESPONSE_CODE_NOT_FOUND, "not_found", ""},
    {RESPONSE_CODE_EXISTS, "exists", ""},
    {RESPONSE_CODE_DENIED, "denied", "the role does not allow it"},
    {RESPONSE_CODE_UNSUPPORTED, "unsupported", ""},
    {RESPONSE_CODE_INFEASIBLE, "infeasible", "no plan can meet the job"},
    {RESPONSE_CODE_IO, "io", ""},
    {RESPONSE_CODE_TIMEOUT, "timeout", ""},
    {RESPONSE_CODE_BUSY, "busy", "try again after retry_after_ms"},
    {RESPONSE_CODE_CANCELLED, "cancelled", ""},
    {RESPONSE_CODE_VERSION, "version", ""},
    {RESPONSE_CODE_INTERNAL, "internal", ""},
};
NAMES(response_code, "ResponseCode");

static const struct enum_value event_kind_values[] = {
    {EVENT_KIND_DEVICE_ONLINE, "device_online", ""},
    {EVENT_KIND_DEVICE_LATE, "device_late", ""},
    {EVENT_KIND_DEVICE_OFFLINE, "device_offline", ""},
    {EVENT_KIND_DEVICE_PROFILE, "device_profile", ""},
    {EVENT_KIND_PLAN_CREATED, "plan_created", ""},
    {EVENT_KIND_PLAN_CANCELLED, "plan_cancelled", ""},
    {EVENT_KIND_DELIVERY, "delivery", ""},
    {EVENT_KIND_MEASUREMENT, "measurement", ""},
};
NAMES(event_kind, "EventKind");

static const struct enum_value signature_direction_values[] = {
    {SIGNATURE_INPUT, "input", "given to the model"},
    {SIGNATURE_OUTPUT, "output", "asked of the model"},
};
NAMES(signature_direction, "SignatureDirection");

static const struct enum_value signature_role_values[] = {
    {SIGNATURE_ROLE_OTHER, "other", "none of the others"},
    {SIGNATURE_ROLE_HARDWARE, "hardware", "what machines there are"},
    {SIGNATURE_ROLE_PERFORMANCE, "performance", "how fast, how soon, how much"},
    {SIGNATURE_ROLE_OBJECTIVE, "objective", "what to prefer"},
    {SIGNATURE_ROLE_MODEL, "model", "the model that is worked on"},
    {SIGNATURE_ROLE_TASK, "task", "what is to be done"},
    {SIGNATURE_ROLE_DATA, "data", "the data"},
    {SIGNATURE_ROLE_QUALITY, "quality", "how good the result must be"},
    {SIGNATURE_ROLE_COMMUNICATION, "communication", "links and what travels over them"},
    {SIGNATURE_ROLE_PRIVACY, "privacy", "what may become known"},
    {SIGNATURE_ROLE_AGGREGATION, "aggregation", "how updates are combined"},
    {SIGNATURE_ROLE_COST, "cost", "what it may use up"},
    {SIGNATURE_ROLE_STRATEGY, "strategy", "what to do, and how"},
    {SIGNATURE_ROLE_ALLOCATION, "allocation", "who gets what"},
    {SIGNATURE_ROLE_MEMORY, "memory", "how memory is used"},
    {SIGNATURE_ROLE_PREDICTION, "prediction", "what is expected of it"},
    {SIGNATURE_ROLE_MONITORING, "monitoring", "what is watched"},
    {SIGNATURE_ROLE_DEPLOYMENT, "deployment", "how it goes into use"},
    {SIGNATURE_ROLE_REASONING, "reasoning", "the way to the answer"},
};
NAMES(signature_role, "SignatureRole");

static const struct enum_value signature_category_values[] = {
    {SIGNATURE_CATEGORY_OPTIMIZATION, "optimization", "a better use of the hardware"},
    {SIGNATURE_CATEGORY_TRAINING, "training", "how to train"},
    {SIGNATURE_CATEGORY_INFERENCE, "inference", "how to run a trained model"},
    {SIGNATURE_CATEGORY_EVALUATION, "evaluation", "how good a result is"},
};
NAMES(signature_category, "SignatureCategory");

static const struct enum_value signature_module_values[] = {
    {SIGNATURE_MODULE_PREDICT, "predict", "the outputs at once"},
    {SIGNATURE_MODULE_CHAIN_OF_THOUGHT, "chain_of_thought", "the reasoning first"},
};
NAMES(signature_module, "SignatureModule");

static const struct enum_value signature_adapter_values[] = {
    {SIGNATURE_ADAPTER_CHAT, "chat", "fields under markers"},
    {SIGNATURE_ADAPTER_JSON, "json", "the outputs as one JSON object"},
};
NAMES(signature_adapter, "SignatureAdapter");

static const struct enum_value finding_level_values[] = {
    {FINDING_LEVEL_ADVICE, "advice", "a person may know better"},
    {FINDING_LEVEL_ERROR, "error", "a promise is broken"},
};
NAMES(finding_level, "FindingLevel");

static const struct enum_value value_form_values[] = {
    {VALUE_FORM_TEXT, "text", ""},     {VALUE_FORM_INTEGER, "integer", ""},
    {VALUE_FORM_NUMBER, "number", ""}, {VALUE_FORM_TRUTH, "truth", ""},
    {VALUE_FORM_NULL, "null", ""},     {VALUE_FORM_LIST, "list", ""},
    {VALUE_FORM_MAP, "map", ""},
};
NAMES(value_form, "ValueForm");
