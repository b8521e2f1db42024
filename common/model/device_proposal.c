/* device_proposal.c - one row per field: name, limits, unit, help. The rows drive checking,
 * copying, the wire and JSON. */
#include "common/model/device_proposal.h"

#define RATIONALE(s) ROW_PROSE(s, rationale, 65536, 0, "why")

static const struct field lora_strategy_fields[] = {
    ROW_ENUM(lora_strategy, model_format, model_format, 0, "base format"),
    ROW_I64(lora_strategy, sequence_length, 32, 0x1p20, "tokens", 0, "tokens per sequence"),
    RATIONALE(lora_strategy),
};
RECORD_DEFINE(lora_strategy, "LoRAStrategy");

static const struct field lora_allocation_fields[] = {
    ROW_F64(lora_allocation, memory_share, 0.1, 1, "share", 0,
            "share of its memory limit that the training may fill"),
    RATIONALE(lora_allocation),
};
RECORD_DEFINE(lora_allocation, "LoRAAllocation");

static const struct field lora_config_fields[] = {
    ROW_I64(lora_config, rank, 1, 1024, "", 0, "LoRA rank"),
    ROW_F64(lora_config, alpha, 0.001, 1e+06, "", 0,
            "LoRA alpha; the plan's scale is alpha / rank"),
    ROW_ENUM(lora_config, targets, lora_targets, 0, "layers with adapters"),
    ROW_I64(lora_config, layers, 1, 4096, "layers", 0, "blocks trained, from the top"),
    ROW_F64(lora_config, dropout, 0, 0.95, "", 0, "LoRA dropout"),
    RATIONALE(lora_config),
};
RECORD_DEFINE(lora_config, "LoRAConfig");

static const struct field lora_training_fields[] = {
    ROW_I64(lora_training, batch_size, 1, 4096, "sequences", 0, "micro-batch"),
    ROW_I64(lora_training, grad_accumulation, 1, 4096, "micro-steps", 0,
            "micro-batches per optimizer update"),
    ROW_F64(lora_training, learning_rate, 1e-09, 10, "", 0, "of the optimizer"),
    ROW_ENUM(lora_training, lr_schedule, lr_schedule, 0, "schedule"),
    ROW_I64(lora_training, warmup_steps, 0, 100000, "steps", 0,
            "updates before the full learning rate"),
    ROW_I64(lora_training, updates, 1, 1000000, "steps", 0, "optimizer updates in all"),
    RATIONALE(lora_training),
};
RECORD_DEFINE(lora_training, "LoRATraining");

static const struct field lora_memory_fields[] = {
    ROW_BOOL(lora_memory, grad_checkpoint, 0, "recompute activations"),
    RATIONALE(lora_memory),
};
RECORD_DEFINE(lora_memory, "LoRAMemory");

static const struct field lora_performance_fields[] = {
    ROW_I64(lora_performance, memory_bytes, 0, 0x1p50, "bytes", 0, "peak memory"),
    ROW_F64(lora_performance, tokens_per_second, 0, 1e+12, "tokens/s", 0, "while training"),
    ROW_F64(lora_performance, training_seconds, 0, 1e+09, "s", 0, "whole training"),
    RATIONALE(lora_performance),
};
RECORD_DEFINE(lora_performance, "LoRAPerformance");

static const struct field lora_proposal_fields[] = {
    ROW_PROSE(lora_proposal, reasoning, 65536, 0, "the engine's own reasoning"),
    ROW_RECORD(lora_proposal, optimization_strategy, lora_strategy, 0,
               "Hardware-optimized strategy leveraging unified memory and Metal GPU"),
    ROW_RECORD(lora_proposal, resource_allocation, lora_allocation, 0,
               "Optimal resource allocation for Apple Silicon architecture"),
    ROW_RECORD(lora_proposal, lora_config, lora_config, 0,
               "Optimal LoRA configuration (rank, alpha, target modules)"),
    ROW_RECORD(
        lora_proposal, training_strategy, lora_training, 0,
        "Training approach optimized for Apple Silicon (batch size, learning rate, schedule)"),
    ROW_RECORD(lora_proposal, memory_optimization, lora_memory, 0,
               "Memory management strategy for unified memory architecture"),
    ROW_RECORD(lora_proposal, expected_performance, lora_performance, 0,
               "Predicted performance metrics and training time"),
};
RECORD_DEFINE(lora_proposal, "LoRAProposal");

static const struct field diffusion_strategy_fields[] = {
    ROW_ENUM(diffusion_strategy, model_format, model_format, 0,
             "format of denoiser and text encoder"),
    ROW_I64(diffusion_strategy, width, 64, 16384, "pixels", 0, "of an image"),
    ROW_I64(diffusion_strategy, height, 64, 16384, "pixels", 0, "of an image"),
    RATIONALE(diffusion_strategy),
};
RECORD_DEFINE(diffusion_strategy, "DiffusionStrategy");

static const struct field diffusion_allocation_fields[] = {
    ROW_F64(diffusion_allocation, memory_share, 0.1, 1, "share", 0,
            "share of its memory limit that the generation may fill"),
    ROW_I64(diffusion_allocation, batch_size, 1, 256, "images", 0, "made together"),
    RATIONALE(diffusion_allocation),
};
RECORD_DEFINE(diffusion_allocation, "DiffusionAllocation");

static const struct field diffusion_sampling_fields[] = {
    ROW_ENUM(diffusion_sampling, sampler, diffusion_sampler, 0, "how noise is removed"),
    ROW_I64(diffusion_sampling, steps, 1, 1000, "steps", 0, "denoising steps of an image"),
    ROW_F64(diffusion_sampling, guidance, 0, 100, "", 0, "guidance scale"),
    RATIONALE(diffusion_sampling),
};
RECORD_DEFINE(diffusion_sampling, "DiffusionSampling");

static const struct field diffusion_layout_fields[] = {
    ROW_BOOL(diffusion_layout, offload, 0, "only the part that works is in memory"),
    ROW_BOOL(diffusion_layout, vae_tiling, 0, "decode the image in tiles"),
    RATIONALE(diffusion_layout),
};
RECORD_DEFINE(diffusion_layout, "DiffusionLayout");

static const struct field diffusion_acceleration_fields[] = {
    ROW_BOOL(diffusion_acceleration, compile, 0, "fuse the denoiser's operations (mx.compile)"),
    RATIONALE(diffusion_acceleration),
};
RECORD_DEFINE(diffusion_acceleration, "DiffusionAcceleration");

static const struct field diffusion_proposal_fields[] = {
    ROW_PROSE(diffusion_proposal, reasoning, 65536, 0, "the engine's own reasoning"),
    ROW_RECORD(diffusion_proposal, optimization_strategy, diffusion_strategy, 0,
               "Hardware-optimized strategy leveraging unified memory and Metal GPU"),
    ROW_RECORD(diffusion_proposal, resource_allocation, diffusion_allocation, 0,
               "Optimal resource allocation for Apple Silicon architecture"),
    ROW_RECORD(diffusion_proposal, sampling_strategy, diffusion_sampling, 0,
               "Optimal sampling schedule and steps for Apple Silicon"),
    ROW_RECORD(diffusion_proposal, memory_layout, diffusion_layout, 0,
               "Memory-efficient model layout leveraging unified memory"),
    ROW_RECORD(diffusion_proposal, acceleration_techniques, diffusion_acceleration, 0,
               "Apple Silicon-specific acceleration (Metal shaders, MLX ops)"),
};
RECORD_DEFINE(diffusion_proposal, "DiffusionProposal");
