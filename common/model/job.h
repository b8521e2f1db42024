/* job.h - what a person wants planned.
 *
 * Plain structs, one per message of proto/espalier/v1/job.proto, field for field; ranges and
 * units stand in the tables of job.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an enum's
 * unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with every
 * field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_JOB_H
#define COMMON_MODEL_JOB_H

#include "common/model/enums.h"
#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

/* a decoder's shape, from its config.json */
struct model_shape {
    char *model_type;          /* family: llama, qwen3, ... */
    int64_t layers;            /* layers: transformer blocks */
    int64_t hidden_size;       /* hidden size h */
    int64_t intermediate_size; /* MLP width f */
    int64_t attention_heads;   /* heads: query heads H */
    int64_t kv_heads;          /* heads: key and value heads */
    int64_t head_dim;          /* size of one head */
    int64_t vocab_size;        /* tokens: vocabulary V */
    int tied_embeddings;       /* enum tristate: input and output embeddings are one matrix */
    int64_t parameters;        /* parameters, counted from the shape */
    int64_t experts;           /* experts: routed experts of a block; absent: none */
    int64_t experts_per_token; /* experts: how many of them a token goes through */
    int64_t expert_size;       /* width of one expert's MLP */
    int64_t active_parameters; /* parameters that a token goes through; absent: all */
};
RECORD_DECLARE(model_shape);

/* one stored form of the base model */
struct model_variant {
    int format; /* enum model_format: its format */
    char *path; /* folder or hub id on the Macs; the agent's own model folder wins over it */
};
RECORD_DECLARE(model_variant);

/* the base model */
struct model_spec {
    char *name; /* for people */
    /* the text of its Hugging Face config.json; a tool sends the content, never a path */
    char *config_json;
    /* made from config_json by the coordinator; not needed where config_json is given */
    struct model_shape *shape;
    struct model_variant *variants; /* the formats it may be used in, the wanted one first */
    size_t variants_count;
};
RECORD_DECLARE(model_spec);

/* how a client trains */
struct tuning_spec {
    int method;         /* enum fine_tune_method: fine-tuning method */
    int targets;        /* enum lora_targets: layers that get adapters; default all */
    int64_t rank;       /* wanted LoRA rank */
    int64_t rank_min;   /* smallest rank worth training; default 4 */
    double scale;       /* LoRA scale (alpha / rank); default 20 */
    double dropout;     /* LoRA dropout; default 0 */
    int64_t layers;     /* layers: blocks trained, counted from the top; absent: all */
    int64_t layers_min; /* layers: fewest blocks worth training; default 4 */
    int64_t batch_size; /* sequences: wanted micro-batch; absent: the planner chooses */
    /* sequences: wanted sequences per optimizer update; reached by accumulation */
    int64_t effective_batch;
    int64_t sequence_length; /* tokens: wanted sequence length */
    /* tokens: shortest length worth training; default: half of the wanted */
    int64_t sequence_length_min;
    int grad_checkpoint;  /* enum tristate: absent: the planner chooses */
    int optimizer;        /* enum optimizer: default adamw */
    double learning_rate; /* wanted learning rate; absent: the planner chooses */
    int lr_schedule;      /* enum lr_schedule: default constant */
    int64_t seed;         /* seed of the adapters' first values; default 0 */
    int rank_policy; /* enum rank_policy: whether clients may differ in rank; absent: where a common
                        one would cost clients */
};
RECORD_DECLARE(tuning_spec);

/* one device's own data */
struct client_data {
    char *device_id;         /* device */
    int64_t examples;        /* examples: rows in its training set */
    double mean_square_loss; /* mean of the squared losses of its examples, as last measured: what
                                selection oort goes by */
    int64_t last_round;      /* rounds: round in which it last served */
    int64_t picks; /* rounds: rounds it has served in: after 10 selection oort passes it over */
};
RECORD_DECLARE(client_data);

/* data on the clients */
struct data_spec {
    char *path; /* folder on the Macs with train.jsonl; the agent's own data folder wins over it */
    int64_t examples_per_client; /* examples: rows that a device has when clients does not say */
    double tokens_per_example;   /* tokens: mean length of a row; default: the sequence length */
    struct client_data *clients; /* devices whose number of rows differs */
    size_t clients_count;
};
RECORD_DECLARE(data_spec);

/* the federated round */
struct round_spec {
    int64_t rounds; /* rounds: rounds in all; default 1 */
    /* s: a round may last this long; absent: the smallest that meets token_goal */
    double deadline_seconds;
    double token_goal;       /* tokens: tokens that all clients together train on in a round */
    int64_t local_steps_min; /* steps: fewest optimizer updates worth a client's round; default 1 */
    /* steps: most optimizer updates of a client in a round; default 1000 */
    int64_t local_steps_max;
    /* clients: a round with fewer is void; default: half of the selected, at least 1 */
    int64_t min_reports;
    /* clients: updates wanted in a round; absent: of every eligible client */
    int64_t clients_wanted;
    double dropout_rate;    /* share: clients expected to be lost in a round; default 0.06 */
    double warmup_seconds;  /* s: model load and compilation before the first step; default 30 */
    int selection;          /* enum selection: which eligible clients serve; default fastest where
                               clients_wanted is given, else all */
    int64_t selection_seed; /* seed of random draws; default: made from the job's id and the time */
    int64_t tiers;          /* tiers: tiers of selection tiers; default 5 */
    int64_t rounds_done;    /* rounds: rounds before this plan, for selection oort; default 0 */
    double preferred_seconds; /* s: longest round that selection oort does not hold against a
                                 client; default: the plan's own round */
    double utility_last;      /* summed utility of the last rounds: where it no longer rises above
                                 utility_before, selection oort allows longer rounds */
    double utility_before;    /* summed utility of as many rounds before those */
};
RECORD_DECLARE(round_spec);

/* the links */
struct communication_spec {
    int upload_format;       /* enum upload_format: wanted format of an update; default f16 */
    double default_up_bps;   /* bits/s: rate from a client whose own is unknown; default 20e6 */
    double default_down_bps; /* bits/s: rate to a client whose own is unknown; default 100e6 */
    double latency_seconds;  /* s: one-way latency; default 0.05 */
    double upload_share_max; /* share: share of the round that an upload may take; default 0.2 */
    int compression;    /* enum compression: whether clients may differ in upload format; default
                           by_link */
    double top_k_share; /* share: share of the values that a top-k update keeps; absent: no client
                           sends one */
};
RECORD_DECLARE(communication_spec);

/* privacy of the clients' data */
struct privacy_spec {
    double epsilon;         /* target after all rounds; absent: no differential privacy */
    double delta;           /* failure probability; wanted where epsilon is given */
    double clip_norm;       /* largest norm of an update; default 1 */
    int secure_aggregation; /* enum tristate: updates are summed under masks */
    int64_t min_clients;    /* clients: fewest clients in any sum */
    int secure_protocol;  /* enum secure_protocol: protocol of secure_aggregation; default bonawitz
                           */
    int malicious_server; /* enum tristate: thresholds hold against a server that lies; default
                             false */
    int64_t value_bits;   /* bits: bits of a masked value; default: as many as the ring allows, at
                             most 22 */
};
RECORD_DECLARE(privacy_spec);

/* how updates are combined */
struct aggregation_spec {
    int strategy;                /* enum aggregation: default auto */
    double server_learning_rate; /* step size of the server; default 1 */
    double proximal_mu;          /* FedProx coefficient; default 0.01 */
    int adapters;                /* enum adapters: how LoRA adapters are combined; default auto */
    double beta1;                /* first momentum of fedadam and fedyogi; default 0.9 */
    double beta2;                /* second momentum of fedadam and fedyogi; default 0.99 */
    double adaptivity;           /* what fedadam and fedyogi add below the root; default 0.001 */
    int64_t buffer_size;         /* updates: updates that fedbuff applies at once; default 10 */
    int64_t concurrency; /* clients: clients that train at the same time under fedbuff; default: all
                            selected */
    int64_t staleness_max; /* updates: fedbuff drops an update that missed more; default: twice the
                              most expected */
    double local_momentum; /* momentum of the clients' own optimizer, for fednova; default 0 */
};
RECORD_DECLARE(aggregation_spec);

/* who may take part */
struct rule_spec {
    int require_ac_power;         /* enum tristate: only on AC power or UPS */
    double min_battery_percent;   /* percent: least charge on battery */
    int max_thermal;              /* enum thermal: hottest state allowed; default fair */
    int max_memory_pressure;      /* enum memory_pressure: highest pressure allowed; default warn */
    double min_user_idle_seconds; /* s: only when nobody touched it for this long */
    int64_t min_disk_free_bytes;  /* bytes: disk left free for models and adapters */
    char *min_os_version;         /* oldest macOS version allowed */
    int allow_low_power_mode;     /* enum tristate: default true */
    int allow_cpu;                /* enum tristate: plan devices without Metal too; default false */
    int unknown; /* enum unknown_policy: what a rule does with an unknown fact; default exclude */
    char **include; /* only these device ids */
    size_t include_count;
    char **exclude; /* never these device ids */
    size_t exclude_count;
};
RECORD_DECLARE(rule_spec);

/* a federated fine-tuning job */
struct federated_job {
    struct model_spec *model;                 /* base model */
    struct tuning_spec *tuning;               /* how a client trains */
    struct data_spec *data;                   /* data on the clients */
    struct round_spec *round;                 /* the round */
    struct communication_spec *communication; /* the links */
    struct privacy_spec *privacy;             /* privacy */
    struct aggregation_spec *aggregation;     /* how updates are combined */
    struct rule_spec *rules;                  /* who may take part */
    char *performance_target;                 /* free text for the model */
    char *communication_constraints;          /* free text for the model */
    char *privacy_requirements;               /* free text for the model */
};
RECORD_DECLARE(federated_job);

/* requests that a stage answers, and how long they may wait */
struct stage_service {
    double arrivals_per_second; /* requests/s: requests that come */
    double wait_seconds;        /* s: longest wait before a request is taken up */
    double wait_share;          /* share: requests that wait no longer; default 0.95 */
    double arrival_cv2;   /* squared variation of the times between requests; default 1, Poisson */
    double service_cv2;   /* the same of the times to answer; default 1; 0: always the same */
    int64_t max_replicas; /* devices: that may answer */
};
RECORD_DECLARE(stage_service);

/* one stage of a pipeline */
struct stage {
    char *name;   /* unique in the job */
    int kind;     /* enum stage_kind: what it does */
    char **after; /* stages that must finish first; their output is this stage's input */
    size_t after_count;
    double flop;          /* FLOP: arithmetic on the GPU */
    double bytes_moved;   /* bytes: memory traffic */
    double fixed_seconds; /* s: time that no Mac shortens */
    int64_t memory_bytes; /* bytes: memory while it runs */
    int64_t output_bytes; /* bytes: handed to each stage after it */
    int needs_metal;      /* enum tristate: default true */
    char *device_id;      /* only there; absent: the planner chooses */
    /* it answers requests: flop, bytes_moved, fixed_seconds are of one */
    struct stage_service *service;
};
RECORD_DECLARE(stage);

/* end-to-end targets */
struct pipeline_performance {
    double makespan_seconds;      /* s: whole pipeline, once */
    double stage_error_ratio;     /* share: errors tolerated at a stage; default 0.01 */
    double memory_headroom_share; /* share: memory left free at every stage; default 0.1 */
};
RECORD_DECLARE(pipeline_performance);

/* limits of cost */
struct pipeline_cost {
    int64_t max_devices;       /* devices: devices used at most */
    double max_device_seconds; /* s: busy time of all devices together */
    double max_energy_wh;      /* Wh: at the wall, of all devices used, idle time included */
    double price_per_kwh;      /* per kWh: in a currency of your own */
    double device_hour_price;  /* per hour: wear of a device that the pipeline has */
    double max_price;          /* energy and wear together, once through */
};
RECORD_DECLARE(pipeline_cost);

/* links between devices */
struct pipeline_links {
    double default_bps;     /* bits/s: rate between two devices where unknown; default 100e6 */
    double latency_seconds; /* s: default 0.01 */
};
RECORD_DECLARE(pipeline_links);

/* an ML pipeline job */
struct pipeline_job {
    struct stage *stages; /* a directed acyclic graph from data loading to deployment */
    size_t stages_count;
    struct pipeline_performance *performance; /* targets */
    struct pipeline_cost *cost;               /* limits */
    struct pipeline_links *links;             /* links between devices */
    struct rule_spec *rules;                  /* who may take part */
    char *pipeline_description;               /* free text for the model */
    char *performance_requirements;           /* free text for the model */
    char *cost_constraints;                   /* free text for the model */
};
RECORD_DECLARE(pipeline_job);

/* the training set of a LoRA job */
struct lora_data {
    char *path; /* folder on the Mac with train.jsonl; the agent's own data folder wins over it */
    int64_t examples;          /* examples: rows of the training set */
    double tokens_per_example; /* tokens: mean length of a row; default: the sequence length */
};
RECORD_DECLARE(lora_data);

/* how long a LoRA job trains */
struct lora_run {
    double epochs;           /* epochs: passes over the data; default 1 */
    int64_t updates;         /* steps: optimizer updates; wins over epochs */
    double deadline_seconds; /* s: the whole training may last this long */
    double warmup_seconds;   /* s: model load and compilation; default 30 */
};
RECORD_DECLARE(lora_run);

/* a LoRA fine-tuning job for one device */
struct lora_job {
    char *device_id;               /* the device: id, as `espalier devices` lists it */
    struct model_spec *model;      /* base model */
    struct tuning_spec *tuning;    /* what is wanted of the training */
    struct lora_data *data;        /* its training set */
    struct lora_run *run;          /* how long it trains */
    struct rule_spec *rules;       /* when the device may take part */
    char *performance_target;      /* free text for the model */
    char *task_description;        /* free text for the model */
    char *dataset_characteristics; /* free text for the model */
    char *quality_requirements;    /* free text for the model */
};
RECORD_DECLARE(lora_job);

/* what removes the noise: UNet or transformer */
struct diffusion_denoiser {
    int kind;                 /* enum denoiser_kind */
    int64_t parameters;       /* parameters in all */
    int64_t token_parameters; /* of a transformer: those that one token passes; default: all */
    int64_t layers;           /* layers: of a transformer, for the cost of its attention */
    int64_t hidden_size;      /* of a transformer, for the cost of its attention */
    int64_t head_dim;         /* size of one attention head; 64, 80 and 128 are fused on Metal */
    double flop_per_step;     /* FLOP: one image, once through, at the reference size */
    int64_t reference_width;  /* pixels: of flop_per_step; default: the wanted width */
    int64_t reference_height; /* pixels: of flop_per_step; default: the wanted height */
};
RECORD_DECLARE(diffusion_denoiser);

/* what reads the prompt */
struct diffusion_text_encoder {
    int64_t parameters; /* parameters of all encoders together */
    int64_t tokens;     /* tokens: of a prompt, padding counted; default 77 */
};
RECORD_DECLARE(diffusion_text_encoder);

/* what makes pixels of a latent image */
struct diffusion_vae {
    int64_t parameters;    /* parameters of the decoder; default 49.5e6 */
    double flop_per_pixel; /* FLOP: of the decoder; default 9.5e6, scaled by its parameters */
    int64_t scale;         /* pixels: of an image per pixel of the latent; default 8 */
    int format;            /* enum model_format: f32, f16 or bf16; default f32 */
};
RECORD_DECLARE(diffusion_vae);

/* a diffusion model */
struct diffusion_model {
    char *name;                                  /* for people */
    struct diffusion_denoiser *denoiser;         /* UNet or transformer */
    struct diffusion_text_encoder *text_encoder; /* what reads the prompt */
    struct diffusion_vae *vae;                   /* what makes the pixels */
    struct model_variant *variants; /* formats of denoiser and text encoder, the wanted first */
    size_t variants_count;
};
RECORD_DECLARE(diffusion_model);

/* what images are wanted */
struct diffusion_generation {
    int64_t width;         /* pixels: wanted width */
    int64_t height;        /* pixels: wanted height */
    double size_share_min; /* share: of width and height that is still worth making; default 0.5 */
    int64_t batch_size;    /* images: wanted together; default 1 */
    int64_t images;        /* images: in all; default: one batch */
    int64_t steps;         /* steps: wanted denoising steps */
    int64_t steps_min;     /* steps: fewest worth making; default: half of the wanted */
    int sampler;     /* enum diffusion_sampler: default: euler, a transformer flow_match_euler */
    double guidance; /* guidance scale; default 7.5, of a transformer 3.5 */
    int guided;      /* enum tristate: each step runs with and without the prompt */
    int64_t seed;    /* seed; default 0 */
};
RECORD_DECLARE(diffusion_generation);

/* what an image may cost */
struct diffusion_constraints {
    double image_seconds; /* s: an image may take this long */
    int offload;          /* enum tristate: absent: the planner chooses */
    int vae_tiling;       /* enum tristate: absent: the planner chooses */
};
RECORD_DECLARE(diffusion_constraints);

/* an image generation job for one device */
struct diffusion_job {
    char *device_id;                           /* the device: id, as `espalier devices` lists it */
    struct diffusion_model *model;             /* the model */
    struct diffusion_generation *generation;   /* what images are wanted */
    struct diffusion_constraints *constraints; /* what an image may cost */
    struct rule_spec *rules;                   /* when the device may take part */
    char *performance_target;                  /* free text for the model */
    char *model_architecture;                  /* free text for the model */
    char *generation_requirements;             /* free text for the model */
    char *inference_constraints;               /* free text for the model */
};
RECORD_DECLARE(diffusion_job);

/* what a person wants planned */
struct job {
    int64_t format_version; /* of this file: 1 */
    /* letters, digits, dot, dash, underscore; a new plan of the same id supersedes the old one */
    char *job_id;
    char *name;                      /* for people */
    struct federated_job *federated; /* exactly one of federated, pipeline, lora, diffusion */
    struct pipeline_job *pipeline;   /* exactly one of federated, pipeline, lora, diffusion */
    struct lora_job *lora;           /* exactly one of federated, pipeline, lora, diffusion */
    struct diffusion_job *diffusion; /* exactly one of federated, pipeline, lora, diffusion */
};
RECORD_DECLARE(job);
#endif
