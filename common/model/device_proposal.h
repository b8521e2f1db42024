/* device_proposal.h - an engine's typed answer about one device: LoRA training, image generation.
 *
 * Plain structs, one per message of proto/espalier/v1/device_proposal.proto, field for field;
 * ranges and units stand in the tables of device_proposal.c. Unknown is UNKNOWN_I64, NaN,
 * TRI_UNKNOWN, 0 (an enum's unset) or NULL. Every pointer is owned by its struct. X_new gives one
 * with every field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_DEVICE_PROPOSAL_H
#define COMMON_MODEL_DEVICE_PROPOSAL_H

#include "common/model/enums.h"
#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

/* ---- LoRAOptimization ---- */

/* typed form of the output optimization_strategy */
struct lora_strategy {
    int model_format;        /* enum model_format: base format */
    int64_t sequence_length; /* tokens: tokens per sequence */
    char *rationale;         /* why */
};
RECORD_DECLARE(lora_strategy);

/* typed form of the output resource_allocation */
struct lora_allocation {
    double memory_share; /* share: share of its memory limit that the training may fill */
    char *rationale;     /* why */
};
RECORD_DECLARE(lora_allocation);

/* typed form of the output lora_config */
struct lora_config {
    int64_t rank;    /* LoRA rank */
    double alpha;    /* LoRA alpha; the plan's scale is alpha / rank */
    int targets;     /* enum lora_targets: layers with adapters */
    int64_t layers;  /* layers: blocks trained, from the top */
    double dropout;  /* LoRA dropout */
    char *rationale; /* why */
};
RECORD_DECLARE(lora_config);

/* typed form of the output training_strategy */
struct lora_training {
    int64_t batch_size;        /* sequences: micro-batch */
    int64_t grad_accumulation; /* micro-steps: micro-batches per optimizer update */
    double learning_rate;      /* of the optimizer */
    int lr_schedule;           /* enum lr_schedule: schedule */
    int64_t warmup_steps;      /* steps: updates before the full learning rate */
    int64_t updates;           /* steps: optimizer updates in all */
    char *rationale;           /* why */
};
RECORD_DECLARE(lora_training);

/* typed form of the output memory_optimization */
struct lora_memory {
    int grad_checkpoint; /* enum tristate: recompute activations */
    char *rationale;     /* why */
};
RECORD_DECLARE(lora_memory);

/* typed form of the output expected_performance: compared with the planner's own, never used */
struct lora_performance {
    int64_t memory_bytes;     /* bytes: peak memory */
    double tokens_per_second; /* tokens/s: while training */
    double training_seconds;  /* s: whole training */
    char *rationale;          /* why */
};
RECORD_DECLARE(lora_performance);

/* typed outputs of LoRAOptimization */
struct lora_proposal {
    char *reasoning; /* the engine's own reasoning */
    /* Hardware-optimized strategy leveraging unified memory and Metal GPU */
    struct lora_strategy *optimization_strategy;
    /* Optimal resource allocation for Apple Silicon architecture */
    struct lora_allocation *resource_allocation;
    /* Optimal LoRA configuration (rank, alpha, target modules) */
    struct lora_config *lora_config;
    /* Training approach optimized for Apple Silicon (batch size, learning rate, schedule) */
    struct lora_training *training_strategy;
    /* Memory management strategy for unified memory architecture */
    struct lora_memory *memory_optimization;
    /* Predicted performance metrics and training time */
    struct lora_performance *expected_performance;
};
RECORD_DECLARE(lora_proposal);

/* ---- DiffusionOptimization ---- */

/* typed form of the output optimization_strategy */
struct diffusion_strategy {
    int model_format; /* enum model_format: format of denoiser and text encoder */
    int64_t width;    /* pixels: of an image */
    int64_t height;   /* pixels: of an image */
    char *rationale;  /* why */
};
RECORD_DECLARE(diffusion_strategy);

/* typed form of the output resource_allocation */
struct diffusion_allocation {
    double memory_share; /* share: share of its memory limit that the generation may fill */
    int64_t batch_size;  /* images: made together */
    char *rationale;     /* why */
};
RECORD_DECLARE(diffusion_allocation);

/* typed form of the output sampling_strategy */
struct diffusion_sampling {
    int sampler;     /* enum diffusion_sampler: how noise is removed */
    int64_t steps;   /* steps: denoising steps of an image */
    double guidance; /* guidance scale */
    char *rationale; /* why */
};
RECORD_DECLARE(diffusion_sampling);

/* typed form of the output memory_layout */
struct diffusion_layout {
    int offload;     /* enum tristate: only the part that works is in memory */
    int vae_tiling;  /* enum tristate: decode the image in tiles */
    char *rationale; /* why */
};
RECORD_DECLARE(diffusion_layout);

/* typed form of the output acceleration_techniques */
struct diffusion_acceleration {
    int compile;     /* enum tristate: fuse the denoiser's operations (mx.compile) */
    char *rationale; /* why */
};
RECORD_DECLARE(diffusion_acceleration);

/* typed outputs of DiffusionOptimization */
struct diffusion_proposal {
    char *reasoning; /* the engine's own reasoning */
    /* Hardware-optimized strategy leveraging unified memory and Metal GPU */
    struct diffusion_strategy *optimization_strategy;
    /* Optimal resource allocation for Apple Silicon architecture */
    struct diffusion_allocation *resource_allocation;
    /* Optimal sampling schedule and steps for Apple Silicon */
    struct diffusion_sampling *sampling_strategy;
    /* Memory-efficient model layout leveraging unified memory */
    struct diffusion_layout *memory_layout;
    /* Apple Silicon-specific acceleration (Metal shaders, MLX ops) */
    struct diffusion_acceleration *acceleration_techniques;
};
RECORD_DECLARE(diffusion_proposal);
#endif
