/* plan.h - a plan, its assignments and its forecast.
 *
 * Plain structs, one per message of proto/espalier/v1/plan.proto, field for field; ranges and
 * units stand in the tables of plan.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an enum's
 * unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with every
 * field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_PLAN_H
#define COMMON_MODEL_PLAN_H

#include "common/model/enums.h"
#include "common/model/record.h"
#include "common/model/proposal.h"

#include <stddef.h>
#include <stdint.h>

/* what the planner expects of one client */
struct prediction {
    int64_t memory_bytes;     /* bytes: peak memory of the training process (planning model 1) */
    double step_seconds;      /* s: one optimizer update, all its micro-batches */
    double round_seconds;     /* s: download, warm-up, steps and upload */
    int64_t upload_bytes;     /* bytes: one update */
    int64_t download_bytes;   /* bytes: one global adapter */
    double tokens_per_second; /* tokens/s: while stepping */
    char *calibration_key;    /* what its measurements correct */
    int64_t fixed_bytes;      /* bytes: weights, adapters, optimizer */
    int64_t activation_bytes; /* bytes: activations, before what was learnt */
    double micro_seconds;     /* s: one micro-batch, before what was learnt */
};
RECORD_DECLARE(prediction);

/* why one field of an assignment has its value */
struct reason {
    char *field;    /* field of the assignment */
    char *value;    /* its value */
    int constraint; /* enum constraint: what bound it */
    char *text;     /* the sentence for people */
};
RECORD_DECLARE(reason);

/* a federated client's part */
struct training {
    char *model_path;           /* folder or hub id */
    int model_format;           /* enum model_format: base format */
    int method;                 /* enum fine_tune_method: method */
    int targets;                /* enum lora_targets: layers with adapters */
    int64_t rank;               /* LoRA rank */
    double scale;               /* LoRA scale */
    double dropout;             /* LoRA dropout */
    int64_t layers;             /* layers: blocks trained, from the top (num_layers) */
    int64_t batch_size;         /* sequences: micro-batch */
    int64_t grad_accumulation;  /* micro-steps: micro-batches per optimizer update */
    int64_t sequence_length;    /* tokens: tokens per sequence */
    int grad_checkpoint;        /* enum tristate: recompute activations */
    int64_t local_steps;        /* steps: optimizer updates per round */
    int64_t iters;              /* micro-steps: local_steps x grad_accumulation, as mlx-lm counts */
    double learning_rate;       /* of the local optimizer */
    int lr_schedule;            /* enum lr_schedule: schedule */
    int64_t warmup_steps;       /* steps: updates before the full learning rate */
    int optimizer;              /* enum optimizer: optimizer */
    int64_t seed;               /* seed */
    char *data_path;            /* folder with train.jsonl */
    int64_t memory_limit_bytes; /* bytes: checked by the agent before a start */
    double deadline_seconds;    /* s: from receipt of a round to its upload */
    int upload_format;          /* enum upload_format: format of an update */
    int64_t rounds;             /* rounds: rounds of the job */
    int aggregation;            /* enum aggregation: how updates are combined */
    double proximal_mu;         /* FedProx coefficient */
    double clip_norm;           /* largest norm of an update */
    double noise_multiplier;    /* Gaussian noise over clip_norm, added by the server */
    int secure_aggregation;     /* enum tristate: the update is sent under a mask */
    int adapters;               /* enum adapters: how LoRA adapters are combined */
    double top_k_share;    /* share: share of the values that the update keeps; what is left out is
                              added to the next one (error feedback) */
    double weight;         /* share: this client's share of the mean */
    double update_scale;   /* fednova multiplies the update by this before it is weighted */
    int64_t *serve_rounds; /* rounds: rounds in which it serves; absent: in all */
    size_t serve_rounds_count;
    int64_t secure_threshold; /* clients: shares that open a mask */
};
RECORD_DECLARE(training);

/* the part of a device that generates images */
struct image_generation {
    char *model_path;           /* folder or hub id */
    int model_format;           /* enum model_format: of denoiser and text encoder */
    int vae_format;             /* enum model_format: of the decoder */
    int sampler;                /* enum diffusion_sampler: how noise is removed */
    int64_t steps;              /* steps: denoising steps of an image */
    double guidance;            /* guidance scale */
    int guided;                 /* enum tristate: each step runs with and without the prompt */
    int64_t width;              /* pixels: of an image */
    int64_t height;             /* pixels: of an image */
    int64_t batch_size;         /* images: made together */
    int64_t images;             /* images: in all */
    int offload;                /* enum tristate: only the part that works is in memory */
    int vae_tiling;             /* enum tristate: decode the image in tiles */
    int64_t vae_tile_pixels;    /* pixels: width and height of a tile */
    int compile;                /* enum tristate: fuse the denoiser's operations */
    int64_t seed;               /* of the first noise */
    int64_t memory_limit_bytes; /* bytes: checked by the agent before a start */
};
RECORD_DECLARE(image_generation);

/* where a stage's input comes from */
struct stage_input {
    char *stage;     /* stage */
    char *device_id; /* device it runs on */
    int64_t bytes;   /* bytes: to be moved; 0 on the same device */
};
RECORD_DECLARE(stage_input);

/* who answers a stage's requests, and when there should be more or fewer of them */
struct service_part {
    char **replicas; /* devices that answer, the stage's own first */
    size_t replicas_count;
    double requests_per_second; /* requests/s: that the slowest of them answers */
    double load;                /* share: of its time that a replica is busy */
    double late_share;          /* share: of the requests that wait longer than the job allows */
    double mean_wait_seconds;   /* s: of a request */
    double scale_up_load;       /* share: one replica more above this load */
    int64_t scale_up_windows;   /* windows: for so many in a row */
    double scale_down_load;     /* share: one fewer below this load */
    int64_t scale_down_windows; /* windows: for so many in a row */
    double window_seconds;      /* s: length of a window */
    char *reason;               /* why so many */
};
RECORD_DECLARE(service_part);

/* one stage on one device */
struct stage_part {
    char *stage;                /* stage */
    int kind;                   /* enum stage_kind: what it does */
    char *device_id;            /* device */
    int64_t order;              /* among the stages of this device */
    double start_seconds;       /* s: predicted, from the start of the pipeline */
    double finish_seconds;      /* s: predicted, from the start of the pipeline */
    int64_t memory_bytes;       /* bytes: memory while it runs */
    struct stage_input *inputs; /* what it waits for */
    size_t inputs_count;
    struct monitor_rule *monitors; /* thresholds */
    size_t monitors_count;
    struct deploy_step *deployment; /* deployment steps of this stage */
    size_t deployment_count;
    struct service_part *service; /* for a stage that answers requests */
};
RECORD_DECLARE(stage_part);

/* one client's part of a plan */
struct assignment {
    char *coordinator_id;      /* random, made with the database */
    char *plan_id;             /* plan */
    char *job_id;              /* job */
    int64_t generation;        /* counter per device that only rises */
    char *device_id;           /* device */
    char *device_name;         /* for people */
    char *client_class;        /* class id in this plan */
    int kind;                  /* enum plan_kind: what is planned */
    int participate;           /* enum tristate: take part in the plan */
    char *reason;              /* why it takes part or not */
    struct training *training; /* present where the device fine-tunes */
    struct stage_part *stages; /* stages where a pipeline device takes part */
    size_t stages_count;
    struct prediction *prediction; /* what the planner expects */
    int64_t memory_limit_bytes;    /* bytes: what the plan may use on this device */
    char *memory_limit_source;     /* how that limit was made */
    struct reason *reasons;        /* why, field by field */
    size_t reasons_count;
    struct image_generation *image_generation; /* present where the device generates images */
};
RECORD_DECLARE(assignment);

/* what the planner expects of a whole plan */
struct forecast {
    int64_t clients;          /* clients: that take part */
    double round_seconds;     /* s: one round, or the pipeline once */
    double tokens_per_round;  /* tokens: trained on in a round */
    double tokens_per_second; /* tokens/s: tokens_per_round / round_seconds */
    double utilisation;       /* share: busy time of the clients over clients x round_seconds */
    int64_t upload_bytes;     /* bytes: all updates of a round */
    int64_t left_out;         /* clients: that cannot take part */
    char *text;               /* configuration, in words */
};
RECORD_DECLARE(forecast);

/* one class of devices in a plan */
struct class_summary {
    char *client_class;                  /* class id */
    char *chip;                          /* chip */
    int64_t devices;                     /* devices: in this class */
    int64_t memory_bytes;                /* bytes: physical memory */
    int64_t gpu_cores;                   /* cores: GPU cores */
    int64_t memory_limit_bytes;          /* bytes: what a plan may use */
    char *memory_limit_source;           /* how that limit was made */
    double gpu_flops;                    /* FLOP/s: rate used */
    double memory_bandwidth_bytes_per_s; /* bytes/s: rate used */
    char *rate_source;                   /* measured, table or assumed */
    int64_t configurations;              /* that fit */
    int64_t max_batch_size; /* sequences: largest micro-batch that fits, at the wanted length */
    double best_tokens_per_second; /* tokens/s: of the fastest configuration that fits */
    int constraint;                /* enum constraint: what binds a class with none that fits */
    char *text;                    /* for people */
};
RECORD_DECLARE(class_summary);

/* the aggregation rule's parameters */
struct server_rule {
    double beta1;              /* first momentum of fedadam and fedyogi */
    double beta2;              /* second momentum of fedadam and fedyogi */
    double adaptivity;         /* added below the root by fedadam and fedyogi */
    double effective_steps;    /* steps: fednova's effective number of local steps */
    int64_t buffer_size;       /* updates: fedbuff: updates applied at once */
    int64_t concurrency;       /* clients: fedbuff: clients that train at the same time */
    int64_t staleness_max;     /* updates: fedbuff: an update that missed more is dropped */
    double staleness_expected; /* updates: fedbuff: server updates that a client misses while it
                                  trains, in the mean */
    double updates_per_second; /* updates/s: fedbuff: server updates, in the mean */
};
RECORD_DECLARE(server_rule);

/* secure aggregation in numbers */
struct secure_plan {
    int protocol;       /* enum secure_protocol: protocol */
    int64_t threshold;  /* clients: shares that open a mask; fewer survivors void the round */
    int64_t neighbours; /* clients: clients that each shares masks with */
    int64_t privacy_threshold; /* clients: lightsecagg: clients that may collude */
    int64_t dropouts;          /* clients: lightsecagg: clients that may be lost */
    int64_t value_bits;        /* bits: bits of a masked value */
    int64_t ring_bits; /* bits: bits of the sum: all values at their largest do not overflow it */
};
RECORD_DECLARE(secure_plan);

/* the common part of a federated plan */
struct federated_plan {
    int aggregation;              /* enum aggregation: resolved */
    char *aggregation_reason;     /* why */
    double server_learning_rate;  /* step size of the server */
    double proximal_mu;           /* FedProx coefficient */
    int64_t rank;                 /* common rank */
    int64_t layers;               /* layers: common number of trained blocks */
    int64_t trainable_parameters; /* of one client */
    int upload_format;            /* enum upload_format: format of an update */
    int64_t rounds;               /* rounds: rounds */
    double deadline_seconds;      /* s: of a round */
    int64_t min_reports;          /* clients: a round with fewer is void */
    double epsilon;               /* spent after all rounds */
    double delta;                 /* failure probability */
    double noise_multiplier;      /* Gaussian noise over clip_norm */
    double clip_norm;             /* largest norm of an update */
    int secure_aggregation;       /* enum tristate: updates are summed under masks */
    int selection;                /* enum selection: which eligible clients serve */
    double sampling_rate;         /* share: chance of a client to serve in a round */
    double accounted_rate;  /* share: rate that epsilon is reckoned with: 1 where selection is not
                               random */
    int64_t selection_seed; /* seed of the random draws */
    int adapters;           /* enum adapters: how LoRA adapters are combined; never AUTO */
    int64_t rank_min;       /* lowest rank of a client, where ranks differ */
    struct server_rule *server; /* parameters of the aggregation rule */
    struct secure_plan *secure; /* secure aggregation in numbers */
    double epsilon_target;      /* what the job allows after all rounds */
};
RECORD_DECLARE(federated_plan);

/* the common part of a pipeline plan */
struct pipeline_plan {
    double makespan_seconds;      /* s: whole pipeline, once */
    double lower_bound_seconds;   /* s: no placement can be shorter */
    double single_device_seconds; /* s: all on the best single device */
    char *single_device_id;       /* that device */
    struct stage_part *stages;    /* every stage, by start time */
    size_t stages_count;
    struct monitor_rule *monitors; /* thresholds of the whole pipeline */
    size_t monitors_count;
    struct deploy_step *deployment; /* deployment, in order */
    size_t deployment_count;
    double energy_wh;    /* Wh: at the wall of the devices used, once through */
    char *energy_source; /* where the watts come from */
    double price;        /* energy and wear by the job's prices */
};
RECORD_DECLARE(pipeline_plan);

/* the common part of a LoRA plan */
struct lora_plan {
    char *device_id;              /* device that trains */
    int64_t rank;                 /* LoRA rank */
    int64_t layers;               /* layers: trained blocks */
    int64_t trainable_parameters; /* in all */
    int64_t adapter_bytes;        /* bytes: of the adapters' file */
    int64_t updates;              /* steps: optimizer updates */
    double epochs;                /* epochs: passes over the data */
    double tokens;                /* tokens: trained on, without padding */
    double training_seconds;      /* s: whole training */
    char *seconds_source;         /* where that comes from, and its error */
    char *memory_source;          /* where the peak comes from, and its error */
};
RECORD_DECLARE(lora_plan);

/* the common part of a diffusion plan */
struct diffusion_plan {
    char *device_id;       /* device that generates */
    double image_seconds;  /* s: one image of a batch */
    double total_seconds;  /* s: all images */
    double text_seconds;   /* s: reading one prompt */
    double step_seconds;   /* s: one denoising step of a batch */
    double decode_seconds; /* s: pixels of one image */
    double load_seconds;   /* s: parts read again for each batch, where offloaded */
    double flop_per_step;  /* FLOP: one image, once through the denoiser */
    char *flop_source;     /* where that comes from */
    char *seconds_source;  /* where the times come from, and their error */
    int64_t weights_bytes; /* bytes: of all parts */
    int64_t text_bytes;    /* bytes: memory while the prompt is read */
    int64_t denoise_bytes; /* bytes: memory while noise is removed */
    int64_t decode_bytes;  /* bytes: memory while pixels are made */
};
RECORD_DECLARE(diffusion_plan);

/* a verified, immutable, numbered decision with its reasons */
struct plan {
    int64_t format_version;           /* 1 */
    char *plan_id;                    /* unique */
    char *coordinator_id;             /* random, made with the database */
    char *job_id;                     /* job */
    char *job_name;                   /* for people */
    int kind;                         /* enum plan_kind: what is planned */
    int state;                        /* enum plan_state: where it stands */
    int64_t created_ms;               /* ms: wall clock, UTC */
    int engine_asked;                 /* enum engine_kind: who was asked */
    char *engine_text;                /* who gave what, in words */
    struct federated_plan *federated; /* common part */
    struct pipeline_plan *pipeline;   /* common part */
    struct assignment *assignments;   /* one per client, those left out included, by device id */
    size_t assignments_count;
    struct class_summary *classes; /* the classes it was made for */
    size_t classes_count;
    struct forecast *forecast; /* of this plan */
    struct forecast
        *baseline; /* of one common configuration for all, sized for the smallest client */
    struct decision *decisions; /* who gave which field, and what was repaired */
    size_t decisions_count;
    struct proposal *proposal; /* the engine's answer */
    char **warnings;           /* what a person should know */
    size_t warnings_count;
    struct lora_plan *lora;           /* common part */
    struct diffusion_plan *diffusion; /* common part */
};
RECORD_DECLARE(plan);
#endif
