/* enums.h - the closed sets of words that pass between rooms.
 *
 * Values equal those of proto/espalier/v1/enums.proto; 0 is "unset": unknown in a report, absent in
 * a job. The table of an enum gives the word that JSON, the CLI and errors use. */
#ifndef COMMON_MODEL_ENUMS_H
#define COMMON_MODEL_ENUMS_H

#include "common/model/record.h"

/* What Hello and Request say in protocol_version; another one is refused by name. */
#define PROTOCOL_VERSION 1

/* where a device's facts come from */
enum device_origin {
    DEVICE_ORIGIN_UNSET = 0,
    DEVICE_ORIGIN_MAC = 1,      /* read from the Mac it runs on */
    DEVICE_ORIGIN_LINUX = 2,    /* read from a Linux machine: no Mac */
    DEVICE_ORIGIN_RECORDED = 3, /* what a real Mac once printed, replayed */
    DEVICE_ORIGIN_COMPOSED = 4, /* put together from published tables, for demonstrations */
};
extern const struct enum_names device_origin_names;

/* how one fact was learnt */
enum fact_source {
    FACT_SOURCE_UNSET = 0,
    FACT_SOURCE_READ = 1,      /* read from the system */
    FACT_SOURCE_STATED = 2,    /* said by the author of a recording */
    FACT_SOURCE_DERIVED = 3,   /* computed from other facts */
    FACT_SOURCE_COMPOSED = 4,  /* taken from a published table */
    FACT_SOURCE_MEASURED = 5,  /* timed on the device */
    FACT_SOURCE_SYNTHETIC = 6, /* made up for a demonstration */
};
extern const struct enum_names fact_source_names;

/* the system's own word on memory */
enum memory_pressure {
    MEMORY_PRESSURE_UNSET = 0,
    MEMORY_PRESSURE_NORMAL = 1,
    MEMORY_PRESSURE_WARN = 2,
    MEMORY_PRESSURE_CRITICAL = 3,
};
extern const struct enum_names memory_pressure_names;

/* thermal state */
enum thermal {
    THERMAL_UNSET = 0,
    THERMAL_NOMINAL = 1,
    THERMAL_FAIR = 2,
    THERMAL_SERIOUS = 3,
    THERMAL_CRITICAL = 4,
};
extern const struct enum_names thermal_names;

/* what feeds the device */
enum power_source {
    POWER_SOURCE_UNSET = 0,
    POWER_SOURCE_AC = 1,
    POWER_SOURCE_BATTERY = 2,
    POWER_SOURCE_UPS = 3,
};
extern const struct enum_names power_source_names;

/* kind of network interface */
enum link_kind {
    LINK_KIND_UNSET = 0,
    LINK_KIND_LOOPBACK = 1,
    LINK_KIND_ETHERNET = 2,
    LINK_KIND_WIFI = 3,
    LINK_KIND_THUNDERBOLT = 4,
    LINK_KIND_CELLULAR = 5,
    LINK_KIND_OTHER = 6,
};
extern const struct enum_names link_kind_names;

/* how a model's weights are stored; qNgM is MLX affine, N bits in groups of M */
enum model_format {
    MODEL_FORMAT_UNSET = 0,
    MODEL_FORMAT_BF16 = 1,    /* 16 bits per weight */
    MODEL_FORMAT_F16 = 2,     /* 16 bits per weight */
    MODEL_FORMAT_F32 = 3,     /* 32 bits per weight */
    MODEL_FORMAT_Q8G64 = 4,   /* 8.5 bits per weight */
    MODEL_FORMAT_Q6G64 = 5,   /* 6.5 bits per weight */
    MODEL_FORMAT_Q5G32 = 6,   /* 6 bits per weight */
    MODEL_FORMAT_Q5G64 = 7,   /* 5.5 bits per weight */
    MODEL_FORMAT_Q4G32 = 8,   /* 5 bits per weight */
    MODEL_FORMAT_Q4G64 = 9,   /* 4.5 bits per weight, the default of MLX */
    MODEL_FORMAT_Q3G64 = 10,  /* 3.5 bits per weight */
    MODEL_FORMAT_Q2G64 = 11,  /* 2.5 bits per weight */
    MODEL_FORMAT_MXFP8 = 12,  /* 8.25 bits per weight */
    MODEL_FORMAT_MXFP4 = 13,  /* 4.25 bits per weight */
    MODEL_FORMAT_NVFP4 = 14,  /* 4.5 bits per weight */
    MODEL_FORMAT_Q8G32 = 15,  /* 9 bits per weight */
    MODEL_FORMAT_Q8G128 = 16, /* 8.25 bits per weight */
    MODEL_FORMAT_Q6G32 = 17,  /* 7 bits per weight */
    MODEL_FORMAT_Q6G128 = 18, /* 6.25 bits per weight */
    MODEL_FORMAT_Q5G128 = 19, /* 5.25 bits per weight */
    MODEL_FORMAT_Q4G128 = 20, /* 4.25 bits per weight */
    MODEL_FORMAT_Q3G32 = 21,  /* 4 bits per weight */
    MODEL_FORMAT_Q3G128 = 22, /* 3.25 bits per weight */
    MODEL_FORMAT_Q2G32 = 23,  /* 3 bits per weight */
    MODEL_FORMAT_Q2G128 = 24, /* 2.25 bits per weight */
};
extern const struct enum_names model_format_names;

/* fine-tuning method */
enum fine_tune_method {
    FINE_TUNE_METHOD_UNSET = 0,
    FINE_TUNE_METHOD_LORA = 1, /* low-rank adapters */
    FINE_TUNE_METHOD_DORA = 2, /* weight-decomposed low-rank adapters */
    FINE_TUNE_METHOD_FULL = 3, /* all weights of the trained layers */
};
extern const struct enum_names fine_tune_method_names;

/* which linear layers of a block get adapters */
enum lora_targets {
    LORA_TARGETS_UNSET = 0,
    LORA_TARGETS_ALL = 1, /* all seven: q, k, v, o, gate, up, down */
    LORA_TARGETS_QV = 2,  /* the query and value projections */
};
extern const struct enum_names lora_targets_names;

/* optimizer of the local steps */
enum optimizer {
    OPTIMIZER_UNSET = 0,
    OPTIMIZER_ADAM = 1,
    OPTIMIZER_ADAMW = 2,
    OPTIMIZER_SGD = 3,
    OPTIMIZER_ADAFACTOR = 4,
};
extern const struct enum_names optimizer_names;

/* learning-rate schedule */
enum lr_schedule {
    LR_SCHEDULE_UNSET = 0,
    LR_SCHEDULE_CONSTANT = 1,
    LR_SCHEDULE_COSINE = 2,
    LR_SCHEDULE_LINEAR = 3,
};
extern const struct enum_names lr_schedule_names;

/* how an update travels */
enum upload_format {
    UPLOAD_FORMAT_UNSET = 0,
    UPLOAD_FORMAT_F32 = 1,  /* 4 bytes per parameter */
    UPLOAD_FORMAT_F16 = 2,  /* 2 bytes per parameter */
    UPLOAD_FORMAT_BF16 = 3, /* 2 bytes per parameter */
    UPLOAD_FORMAT_INT8 = 4, /* 8.5 bits per parameter: groups of 64 */
    UPLOAD_FORMAT_INT4 = 5, /* 4.5 bits per parameter: groups of 64 */
};
extern const struct enum_names upload_format_names;

/* how updates are combined */
enum aggregation {
    AGGREGATION_UNSET = 0,
    AGGREGATION_AUTO = 1, /* the planner chooses before the signature runs */
    AGGREGATION_FEDAVG = 2,
    AGGREGATION_FEDPROX = 3,
    AGGREGATION_FEDNOVA = 4,
    AGGREGATION_FEDADAM = 5,
    AGGREGATION_FEDYOGI = 6,
    AGGREGATION_SCAFFOLD = 7,
    AGGREGATION_FEDBUFF = 8,
};
extern const struct enum_names aggregation_names;

/* which eligible clients serve */
enum selection {
    SELECTION_UNSET = 0,
    SELECTION_ALL = 1,     /* every eligible one */
    SELECTION_FASTEST = 2, /* those that train most in the round */
    SELECTION_RANDOM =
        3, /* drawn anew for each round, each client by its own coin (Poisson sampling) */
    SELECTION_OORT = 4,  /* by what their losses still promise and by speed */
    SELECTION_TIERS = 5, /* drawn from one tier of like speed (TiFL) */
};
extern const struct enum_names selection_names;

/* how LoRA adapters are combined */
enum adapters {
    ADAPTERS_UNSET = 0,
    ADAPTERS_AUTO = 1,       /* the planner chooses */
    ADAPTERS_NAIVE = 2,      /* means of A and of B apart; equal ranks */
    ADAPTERS_HETLORA = 3,    /* padded with zeros to the largest rank, weighted by norm */
    ADAPTERS_FLEXLORA = 4,   /* mean of the products, cut back to each rank by SVD */
    ADAPTERS_FLORA = 5,      /* stacked, exact; merged into a base that is not quantised */
    ADAPTERS_FFA_LORA = 6,   /* A is frozen, B is averaged, exact; equal ranks */
    ADAPTERS_FEDSA_LORA = 7, /* A is averaged, B stays on the client; equal ranks */
    ADAPTERS_RAFLORA = 8,    /* each slice of ranks averaged over the clients that have it */
};
extern const struct enum_names adapters_names;

/* whether clients may differ in rank */
enum rank_policy {
    RANK_POLICY_UNSET = 0,
    RANK_POLICY_COMMON = 1,    /* one rank for all */
    RANK_POLICY_BY_CLIENT = 2, /* a lower rank where memory or link ask for it */
};
extern const struct enum_names rank_policy_names;

/* whether clients may differ in upload format */
enum compression {
    COMPRESSION_UNSET = 0,
    COMPRESSION_UNIFORM = 1, /* one format for all */
    COMPRESSION_BY_LINK = 2, /* a coarser one where the link is slow */
};
extern const struct enum_names compression_names;

/* how updates are masked */
enum secure_protocol {
    SECURE_PROTOCOL_UNSET = 0,
    SECURE_PROTOCOL_BONAWITZ = 1,    /* every pair of clients shares a mask */
    SECURE_PROTOCOL_SECAGG_PLUS = 2, /* masks with some neighbours only */
    SECURE_PROTOCOL_LIGHTSECAGG = 3, /* coded masks, opened in one step */
};
extern const struct enum_names secure_protocol_names;

/* what a rule does with an unknown fact */
enum unknown_policy {
    UNKNOWN_POLICY_UNSET = 0,
    UNKNOWN_POLICY_EXCLUDE = 1, /* leave the device out, saying what is unknown */
    UNKNOWN_POLICY_ALLOW = 2,   /* let it take part */
};
extern const struct enum_names unknown_policy_names;

/* what answered a signature */
enum engine_kind {
    ENGINE_KIND_UNSET = 0,
    ENGINE_KIND_ANALYTIC = 1, /* the planner itself */
    ENGINE_KIND_LM = 2,       /* a language model */
    ENGINE_KIND_PERSON = 60,  /* a person's own proposal, checked by a tool; nobody to ask */
};
extern const struct enum_names engine_kind_names;

/* which signature a plan answers */
enum plan_kind {
    PLAN_KIND_UNSET = 0,
    PLAN_KIND_FEDERATED = 1,
    PLAN_KIND_PIPELINE = 2,
    PLAN_KIND_LORA = 3,      /* one device fine-tunes */
    PLAN_KIND_DIFFUSION = 4, /* one device generates images */
};
extern const struct enum_names plan_kind_names;

/* where a plan stands */
enum plan_state {
    PLAN_STATE_UNSET = 0,
    PLAN_STATE_DRY_RUN = 1, /* shown, never stored or delivered */
    PLAN_STATE_ACTIVE = 2,
    PLAN_STATE_SUPERSEDED = 3, /* a newer plan of the same job took its place */
    PLAN_STATE_CANCELLED = 4,
};
extern const struct enum_names plan_state_names;

/* where one assignment stands */
enum delivery_state {
    DELIVERY_STATE_UNSET = 0,
    DELIVERY_STATE_PENDING = 1,    /* stored, not yet sent */
    DELIVERY_STATE_SENT = 2,       /* handed to the socket */
    DELIVERY_STATE_RECEIVED = 3,   /* on the agent's disk */
    DELIVERY_STATE_APPLIED = 4,    /* checked by the agent, files written */
    DELIVERY_STATE_RUNNING = 5,    /* the agent's own command was started */
    DELIVERY_STATE_DONE = 6,       /* the command ended with 0 */
    DELIVERY_STATE_FAILED = 7,     /* the command failed, or was interrupted */
    DELIVERY_STATE_REFUSED = 8,    /* the agent refused it, with a reason */
    DELIVERY_STATE_SUPERSEDED = 9, /* a newer assignment of the job took its place */
    DELIVERY_STATE_CANCELLED = 10,
    DELIVERY_STATE_EXPIRED = 11, /* not received in time */
};
extern const struct enum_names delivery_state_names;

/* how lately a device was heard */
enum liveness {
    LIVENESS_UNSET = 0,
    LIVENESS_ONLINE = 1,
    LIVENESS_LATE = 2, /* a heartbeat is missing */
    LIVENESS_OFFLINE = 3,
};
extern const struct enum_names liveness_names;

/* what a pipeline stage does */
enum stage_kind {
    STAGE_KIND_UNSET = 0,
    STAGE_KIND_DATA_LOADING = 1,
    STAGE_KIND_PREPROCESSING = 2,
    STAGE_KIND_TRAINING = 3,
    STAGE_KIND_EVALUATION = 4,
    STAGE_KIND_CONVERSION = 5,
    STAGE_KIND_INFERENCE = 6,
    STAGE_KIND_DEPLOYMENT = 7,
    STAGE_KIND_MONITORING = 8,
    STAGE_KIND_OTHER = 9,
};
extern const struct enum_names stage_kind_names;

/* what removes the noise of a diffusion model */
enum denoiser_kind {
    DENOISER_KIND_UNSET = 0,
    DENOISER_KIND_UNET = 1,
    DENOISER_KIND_TRANSFORMER = 2,
};
extern const struct enum_names denoiser_kind_names;

/* how a diffusion model steps from noise to an image */
enum diffusion_sampler {
    DIFFUSION_SAMPLER_UNSET = 0,
    DIFFUSION_SAMPLER_EULER = 1,
    DIFFUSION_SAMPLER_EULER_ANCESTRAL = 2,
    DIFFUSION_SAMPLER_DDIM = 3,
    DIFFUSION_SAMPLER_DPMPP_2M = 4,
    DIFFUSION_SAMPLER_FLOW_MATCH_EULER = 5,
};
extern const struct enum_names diffusion_sampler_names;

/* what a monitoring rule watches */
enum metric {
    METRIC_UNSET = 0,
    METRIC_STAGE_SECONDS = 1,
    METRIC_QUEUE_LENGTH = 2,
    METRIC_LATENCY_P95_SECONDS = 3,
    METRIC_ERROR_RATIO = 4,
    METRIC_MEMORY_HEADROOM_BYTES = 5,
    METRIC_TOKENS_PER_SECOND = 6,
};
extern const struct enum_names metric_names;

/* one kind of deployment step */
enum deploy_action {
    DEPLOY_ACTION_UNSET = 0,
    DEPLOY_ACTION_PREPARE = 1,
    DEPLOY_ACTION_COPY = 2,
    DEPLOY_ACTION_START = 3,
    DEPLOY_ACTION_CANARY = 4,
    DEPLOY_ACTION_VERIFY = 5,
    DEPLOY_ACTION_PROMOTE = 6,
    DEPLOY_ACTION_ROLLBACK_POINT = 7,
};
extern const struct enum_names deploy_action_names;

/* what bound a decision */
enum constraint {
    CONSTRAINT_UNSET = 0,
    CONSTRAINT_NONE = 1, /* nothing: the value is the wanted one */
    CONSTRAINT_MEMORY = 2,
    CONSTRAINT_DEADLINE = 3,
    CONSTRAINT_LINK = 4,
    CONSTRAINT_DISK = 5,
    CONSTRAINT_POWER = 6,
    CONSTRAINT_THERMAL = 7,
    CONSTRAINT_IDLE = 8,
    CONSTRAINT_OS = 9,
    CONSTRAINT_METAL = 10,
    CONSTRAINT_LIVENESS = 11,
    CONSTRAINT_DATA = 12,
    CONSTRAINT_PRIVACY = 13,
    CONSTRAINT_RULE = 14, /* a rule of the job */
    CONSTRAINT_UNKNOWN_FACT = 15,
    CONSTRAINT_SHAPE = 16,     /* the model or the aggregation demands it */
    CONSTRAINT_VALUE = 17,     /* not a value the field can take */
    CONSTRAINT_OBJECTIVE = 18, /* it would make the plan worse */
};
extern const struct enum_names constraint_names;

/* what became of a proposed value */
enum outcome {
    OUTCOME_UNSET = 0,
    OUTCOME_USED = 1,
    OUTCOME_REPAIRED = 2, /* moved to the nearest value that fits */
    OUTCOME_REJECTED = 3, /* not usable */
    OUTCOME_MISSING = 4,  /* not proposed: the planner's own value stands */
};
extern const struct enum_names outcome_names;

/* what a tool may do */
enum role {
    ROLE_UNSET = 0,
    ROLE_VIEWER = 1,   /* read */
    ROLE_OPERATOR = 2, /* read, plan, cancel, manage keys */
};
extern const struct enum_names role_names;

/* which list a key is on */
enum key_kind {
    KEY_KIND_UNSET = 0,
    KEY_KIND_AGENT = 1,
    KEY_KIND_TOOL = 2,
};
extern const struct enum_names key_kind_names;

/* result of a request */
enum response_code {
    RESPONSE_CODE_UNSET = 0,
    RESPONSE_CODE_OK = 1,
    RESPONSE_CODE_INVALID = 2,   /* a value is wrong; field names it */
    RESPONSE_CODE_MALFORMED = 3, /* the bytes do not decode */
    RESPONSE_CODE_TOO_BIG = 4,
    RESPONSE_CODE_NOT_FOUND = 5,
    RESPONSE_CODE_EXISTS = 6,
    RESPONSE_CODE_DENIED = 7, /* the role does not allow it */
    RESPONSE_CODE_UNSUPPORTED = 8,
    RESPONSE_CODE_INFEASIBLE = 9, /* no plan can meet the job */
    RESPONSE_CODE_IO = 10,
    RESPONSE_CODE_TIMEOUT = 11,
    RESPONSE_CODE_BUSY = 12, /* try again after retry_after_ms */
    RESPONSE_CODE_CANCELLED = 13,
    RESPONSE_CODE_VERSION = 14,
    RESPONSE_CODE_INTERNAL = 15,
};
extern const struct enum_names response_code_names;

/* kind of event */
enum event_kind {
    EVENT_KIND_UNSET = 0,
    EVENT_KIND_DEVICE_ONLINE = 1,
    EVENT_KIND_DEVICE_LATE = 2,
    EVENT_KIND_DEVICE_OFFLINE = 3,
    EVENT_KIND_DEVICE_PROFILE = 4,
    EVENT_KIND_PLAN_CREATED = 5,
    EVENT_KIND_PLAN_CANCELLED = 6,
    EVENT_KIND_DELIVERY = 7,
    EVENT_KIND_MEASUREMENT = 8,
};
extern const struct enum_names event_kind_names;
/* whether a field of a signature is given to the model or asked of it */
enum signature_direction {
    SIGNATURE_DIRECTION_UNSET = 0,
    SIGNATURE_INPUT = 1,
    SIGNATURE_OUTPUT = 2,
};
extern const struct enum_names signature_direction_names;

/* What a field is about, whatever its name: hardware_context, hardware_constraints and
 * hardware_cluster are one idea. */
enum signature_role {
    SIGNATURE_ROLE_UNSET = 0,
    SIGNATURE_ROLE_OTHER = 1,
    SIGNATURE_ROLE_HARDWARE = 2,
    SIGNATURE_ROLE_PERFORMANCE = 3,
    SIGNATURE_ROLE_OBJECTIVE = 4,
    SIGNATURE_ROLE_MODEL = 5,
    SIGNATURE_ROLE_TASK = 6,
    SIGNATURE_ROLE_DATA = 7,
    SIGNATURE_ROLE_QUALITY = 8,
    SIGNATURE_ROLE_COMMUNICATION = 9,
    SIGNATURE_ROLE_PRIVACY = 10,
    SIGNATURE_ROLE_AGGREGATION = 11,
    SIGNATURE_ROLE_COST = 12,
    SIGNATURE_ROLE_STRATEGY = 13,
    SIGNATURE_ROLE_ALLOCATION = 14,
    SIGNATURE_ROLE_MEMORY = 15,
    SIGNATURE_ROLE_PREDICTION = 16,
    SIGNATURE_ROLE_MONITORING = 17,
    SIGNATURE_ROLE_DEPLOYMENT = 18,
    SIGNATURE_ROLE_REASONING = 19,
};
extern const struct enum_names signature_role_names;

/* what a signature is for */
enum signature_category {
    SIGNATURE_CATEGORY_UNSET = 0,
    SIGNATURE_CATEGORY_OPTIMIZATION = 1,
    SIGNATURE_CATEGORY_TRAINING = 2,
    SIGNATURE_CATEGORY_INFERENCE = 3,
    SIGNATURE_CATEGORY_EVALUATION = 4,
};
extern const struct enum_names signature_category_names;

/* how a signature is asked */
enum signature_module {
    SIGNATURE_MODULE_UNSET = 0,
    SIGNATURE_MODULE_PREDICT = 1,          /* the outputs at once */
    SIGNATURE_MODULE_CHAIN_OF_THOUGHT = 2, /* the reasoning first */
};
extern const struct enum_names signature_module_names;

/* how a question is laid out for a model, and its answer read */
enum signature_adapter {
    SIGNATURE_ADAPTER_UNSET = 0,
    SIGNATURE_ADAPTER_CHAT = 1, /* fields under [[ ## name ## ]] markers */
    SIGNATURE_ADAPTER_JSON = 2, /* the outputs as one JSON object */
};
extern const struct enum_names signature_adapter_names;

/* how much a finding about a signature weighs */
enum finding_level {
    FINDING_LEVEL_UNSET = 0,
    FINDING_LEVEL_ADVICE = 1,
    FINDING_LEVEL_ERROR = 2,
};
extern const struct enum_names finding_level_names;

/* what kind of thing a value is */
enum value_form {
    VALUE_FORM_UNSET = 0,
    VALUE_FORM_TEXT = 1,
    VALUE_FORM_INTEGER = 2,
    VALUE_FORM_NUMBER = 3,
    VALUE_FORM_TRUTH = 4,
    VALUE_FORM_NULL = 5,
    VALUE_FORM_LIST = 6,
    VALUE_FORM_MAP = 7,
};
extern const struct enum_names value_form_names;

#endif
