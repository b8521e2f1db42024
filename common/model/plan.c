/* plan.c - one row per field: name, limits, unit, help. The rows drive checking, copying, the wire
 * and JSON. */
#include "common/model/plan.h"

static const struct field prediction_fields[] = {
    ROW_I64(prediction, memory_bytes, 0, 0x1p50, "bytes", 0,
            "peak memory of the training process (planning model 1)"),
    ROW_F64(prediction, step_seconds, 0, 1e+09, "s", 0,
            "one optimizer update, all its micro-batches"),
    ROW_F64(prediction, round_seconds, 0, 1e+09, "s", 0, "download, warm-up, steps and upload"),
    ROW_I64(prediction, upload_bytes, 0, 0x1p50, "bytes", 0, "one update"),
    ROW_I64(prediction, download_bytes, 0, 0x1p50, "bytes", 0, "one global adapter"),
    ROW_F64(prediction, tokens_per_second, 0, 1e+12, "tokens/s", 0, "while stepping"),
    ROW_TEXT(prediction, calibration_key, 256, 0, "what its measurements correct"),
    ROW_I64(prediction, fixed_bytes, 0, 0x1p50, "bytes", 0, "weights, adapters, optimizer"),
    ROW_I64(prediction, activation_bytes, 0, 0x1p50, "bytes", 0,
            "activations, before what was learnt"),
    ROW_F64(prediction, micro_seconds, 0, 1e9, "s", 0, "one micro-batch, before what was learnt"),
};
RECORD_DEFINE(prediction, "Prediction");

static const struct field reason_fields[] = {
    ROW_TEXT(reason, field, 128, FIELD_REQUIRED, "field of the assignment"),
    ROW_TEXT(reason, value, 512, 0, "its value"),
    ROW_ENUM(reason, constraint, constraint, FIELD_REQUIRED, "what bound it"),
    ROW_TEXT(reason, text, 512, FIELD_REQUIRED, "the sentence for people"),
};
RECORD_DEFINE(reason, "Reason");

static const struct field training_fields[] = {
    ROW_TEXT(training, model_path, 512, 0, "folder or hub id"),
    ROW_ENUM(training, model_format, model_format, FIELD_REQUIRED, "base format"),
    ROW_ENUM(training, method, fine_tune_method, FIELD_REQUIRED, "method"),
    ROW_ENUM(training, targets, lora_targets, 0, "layers with adapters"),
    ROW_I64(training, rank, 1, 1024, "", 0, "LoRA rank"),
    ROW_F64(training, scale, 0.001, 10000, "", 0, "LoRA scale"),
    ROW_F64(training, dropout, 0, 0.95, "", 0, "LoRA dropout"),
    ROW_I64(training, layers, 1, 4096, "layers", FIELD_REQUIRED,
            "blocks trained, from the top (num_layers)"),
    ROW_I64(training, batch_size, 1, 4096, "sequences", FIELD_REQUIRED, "micro-batch"),
    ROW_I64(training, grad_accumulation, 1, 4096, "micro-steps", FIELD_REQUIRED,
            "micro-batches per optimizer update"),
    ROW_I64(training, sequence_length, 32, 0x1p20, "tokens", FIELD_REQUIRED, "tokens per sequence"),
    ROW_BOOL(training, grad_checkpoint, FIELD_REQUIRED, "recompute activations"),
    ROW_I64(training, local_steps, 1, 1000000, "steps", FIELD_REQUIRED,
            "optimizer updates per round"),
    ROW_I64(training, iters, 1, 0x1p32, "micro-steps", FIELD_REQUIRED,
            "local_steps x grad_accumulation, as mlx-lm counts"),
    ROW_F64(training, learning_rate, 1e-09, 10, "", FIELD_REQUIRED, "of the local optimizer"),
    ROW_ENUM(training, lr_schedule, lr_schedule, 0, "schedule"),
    ROW_I64(training, warmup_steps, 0, 100000, "steps", 0, "updates before the full learning rate"),
    ROW_ENUM(training, optimizer, optimizer, FIELD_REQUIRED, "optimizer"),
    ROW_I64(training, seed, 0, 0x1p31, "", 0, "seed"),
    ROW_TEXT(training, data_path, 512, 0, "folder with train.jsonl"),
    ROW_I64(training, memory_limit_bytes, 1, 0x1p50, "bytes", FIELD_REQUIRED,
            "checked by the agent before a start"),
    ROW_F64(training, deadline_seconds, 0.001, 1e+09, "s", 0,
            "from receipt of a round to its upload"),
    ROW_ENUM(training, upload_format, upload_format, 0,
             "format of an update; absent where none is sent"),
    ROW_I64(training, rounds, 1, 1000000, "rounds", 0, "rounds of the job"),
    ROW_ENUM(training, aggregation, aggregation, 0, "how updates are combined"),
    ROW_F64(training, proximal_mu, 0, 100, "", 0, "FedProx coefficient"),
    ROW_F64(training, clip_norm, 1e-09, 1e+09, "", 0, "largest norm of an update"),
    ROW_F64(training, noise_multiplier, 0, 1e+06, "", 0,
            "Gaussian noise over clip_norm, added by the server"),
    ROW_BOOL(training, secure_aggregation, 0, "the update is sent under a mask"),
    ROW_F64(
        training, top_k_share, 0.0001, 0.5, "share", 0,
        "share of the values that the update keeps; what is left out is added to the next one (error feedback)"),
    ROW_F64(training, weight, 0, 1, "share", 0, "this client's share of the mean"),
    ROW_F64(training, update_scale, 0, 1e+09, "", 0,
            "fednova multiplies the update by this before it is weighted"),
    ROW_I64S(training, serve_rounds, 10000, 1, 1000000, "rounds", 0,
             "rounds in which it serves; absent: in all"),
    ROW_ENUM(training, adapters, adapters, 0, "how LoRA adapters are combined"),
    ROW_I64(training, secure_threshold, 2, 1000000, "clients", 0, "shares that open a mask"),
};
RECORD_DEFINE(training, "Training");

static const struct field image_generation_fields[] = {
    ROW_TEXT(image_generation, model_path, 512, 0, "folder or hub id"),
    ROW_ENUM(image_generation, model_format, model_format, FIELD_REQUIRED,
             "of denoiser and text encoder"),
    ROW_ENUM(image_generation, vae_format, model_format, FIELD_REQUIRED, "of the decoder"),
    ROW_ENUM(image_generation, sampler, diffusion_sampler, FIELD_REQUIRED, "how noise is removed"),
    ROW_I64(image_generation, steps, 1, 1000, "steps", FIELD_REQUIRED,
            "denoising steps of an image"),
    ROW_F64(image_generation, guidance, 0, 100, "", 0, "guidance scale"),
    ROW_BOOL(image_generation, guided, FIELD_REQUIRED,
             "each step runs with and without the prompt"),
    ROW_I64(image_generation, width, 64, 16384, "pixels", FIELD_REQUIRED, "of an image"),
    ROW_I64(image_generation, height, 64, 16384, "pixels", FIELD_REQUIRED, "of an image"),
    ROW_I64(image_generation, batch_size, 1, 256, "images", FIELD_REQUIRED, "made together"),
    ROW_I64(image_generation, images, 1, 1000000, "images", FIELD_REQUIRED, "in all"),
    ROW_BOOL(image_generation, offload, FIELD_REQUIRED, "only the part that works is in memory"),
    ROW_BOOL(image_generation, vae_tiling, FIELD_REQUIRED, "decode the image in tiles"),
    ROW_I64(image_generation, vae_tile_pixels, 64, 16384, "pixels", 0,
            "width and height of a tile"),
    ROW_BOOL(image_generation, compile, 0, "fuse the denoiser's operations (mx.compile)"),
    ROW_I64(image_generation, seed, 0, 0x1p31, "", 0, "of the first noise"),
    ROW_I64(image_generation, memory_limit_bytes, 1, 0x1p50, "bytes", FIELD_REQUIRED,
            "checked by the agent before a start"),
};
RECORD_DEFINE(image_generation, "ImageGeneration");

static const struct field stage_input_fields[] = {
    ROW_TEXT(stage_input, stage, 64, FIELD_REQUIRED, "stage"),
    ROW_TEXT(stage_input, device_id, 64, FIELD_REQUIRED, "device it runs on"),
    ROW_I64(stage_input, bytes, 0, 0x1p50, "bytes", 0, "to be moved; 0 on the same device"),
};
RECORD_DEFINE(stage_input, "StageInput");

static const struct field service_part_fields[] = {
    ROW_TEXTS(service_part, replicas, 1000, 64, 0, "devices that answer, the stage's own first"),
    ROW_F64(service_part, requests_per_second, 0, 1e+09, "requests/s", 0,
            "that the slowest of them answers"),
    ROW_F64(service_part, load, 0, 1, "share", 0, "of its time that a replica is busy"),
    ROW_F64(service_part, late_share, 0, 1, "share", 0,
            "of the requests that wait longer than the job allows"),
    ROW_F64(service_part, mean_wait_seconds, 0, 1e+09, "s", 0, "of a request"),
    ROW_F64(service_part, scale_up_load, 0, 1, "share", 0, "one replica more above this load"),
    ROW_I64(service_part, scale_up_windows, 1, 1000, "windows", 0, "for so many in a row"),
    ROW_F64(service_part, scale_down_load, 0, 1, "share", 0, "one fewer below this load"),
    ROW_I64(service_part, scale_down_windows, 1, 1000, "windows", 0, "for so many in a row"),
    ROW_F64(service_part, window_seconds, 1, 1e+07, "s", 0, "length of a window"),
    ROW_TEXT(service_part, reason, 512, 0, "why so many"),
};
RECORD_DEFINE(service_part, "ServicePart");

static const struct field stage_part_fields[] = {
    ROW_TEXT(stage_part, stage, 64, FIELD_REQUIRED, "stage"),
    ROW_ENUM(stage_part, kind, stage_kind, 0, "what it does"),
    ROW_TEXT(stage_part, device_id, 64, FIELD_REQUIRED, "device"),
    ROW_I64(stage_part, order, 1, 100000, "", FIELD_REQUIRED, "among the stages of this device"),
    ROW_F64(stage_part, start_seconds, 0, 1e+09, "s", FIELD_REQUIRED,
            "predicted, from the start of the pipeline"),
    ROW_F64(stage_part, finish_seconds, 0, 1e+09, "s", FIELD_REQUIRED,
            "predicted, from the start of the pipeline"),
    ROW_I64(stage_part, memory_bytes, 0, 0x1p50, "bytes", 0, "memory while it runs"),
    ROW_RECORDS(stage_part, inputs, stage_input, 256, 0, "what it waits for"),
    ROW_RECORDS(stage_part, monitors, monitor_rule, 64, 0, "thresholds"),
    ROW_RECORDS(stage_part, deployment, deploy_step, 64, 0, "deployment steps of this stage"),
    ROW_RECORD(stage_part, service, service_part, 0, "for a stage that answers requests"),
};
RECORD_DEFINE(stage_part, "StagePart");

static const struct field assignment_fields[] = {
    ROW_TEXT(assignment, coordinator_id, 64, 0, "random, made with the database"),
    ROW_TEXT(assignment, plan_id, 64, 0, "plan"),
    ROW_TEXT(assignment, job_id, 64, 0, "job"),
    ROW_I64(assignment, generation, 1, 0x1p53, "", 0, "counter per device that only rises"),
    ROW_TEXT(assignment, device_id, 64, FIELD_REQUIRED, "device"),
    ROW_TEXT(assignment, device_name, 128, 0, "for people"),
    ROW_TEXT(assignment, client_class, 64, 0, "class id in this plan"),
    ROW_ENUM(assignment, kind, plan_kind, FIELD_REQUIRED, "what is planned"),
    ROW_BOOL(assignment, participate, FIELD_REQUIRED, "take part in the plan"),
    ROW_TEXT(assignment, reason, 512, FIELD_REQUIRED, "why it takes part or not"),
    ROW_RECORD(assignment, training, training, 0, "present where the device fine-tunes"),
    ROW_RECORDS(assignment, stages, stage_part, 1000, 0,
                "stages where a pipeline device takes part"),
    ROW_RECORD(assignment, prediction, prediction, 0, "what the planner expects"),
    ROW_I64(assignment, memory_limit_bytes, 0, 0x1p50, "bytes", 0,
            "what the plan may use on this device"),
    ROW_TEXT(assignment, memory_limit_source, 512, 0, "how that limit was made"),
    ROW_RECORDS(assignment, reasons, reason, 64, 0, "why, field by field"),
    ROW_RECORD(assignment, image_generation, image_generation, 0,
               "present where the device generates images"),
};
RECORD_DEFINE(assignment, "Assignment");

static const struct field forecast_fields[] = {
    ROW_I64(forecast, clients, 0, 1000000, "clients", 0, "that take part"),
    ROW_F64(forecast, round_seconds, 0, 1e+09, "s", 0, "one round, or the pipeline once"),
    ROW_F64(forecast, tokens_per_round, 0, 1e+18, "tokens", 0, "trained on in a round"),
    ROW_F64(forecast, tokens_per_second, 0, 1e+15, "tokens/s", 0,
            "tokens_per_round / round_seconds"),
    ROW_F64(forecast, utilisation, 0, 1, "share", 0,
            "busy time of the clients over clients x round_seconds"),
    ROW_I64(forecast, upload_bytes, 0, 0x1p50, "bytes", 0, "all updates of a round"),
    ROW_I64(forecast, left_out, 0, 1000000, "clients", 0, "that cannot take part"),
    ROW_TEXT(forecast, text, 512, 0, "configuration, in words"),
};
RECORD_DEFINE(forecast, "Forecast");

static const struct field class_summary_fields[] = {
    ROW_TEXT(class_summary, client_class, 64, FIELD_REQUIRED, "class id"),
    ROW_TEXT(class_summary, chip, 128, 0, "chip"),
    ROW_I64(class_summary, devices, 1, 1000000, "devices", FIELD_REQUIRED, "in this class"),
    ROW_I64(class_summary, memory_bytes, 1, 0x1p50, "bytes", 0, "physical memory"),
    ROW_I64(class_summary, gpu_cores, 1, 4096, "cores", 0, "GPU cores"),
    ROW_I64(class_summary, memory_limit_bytes, 0, 0x1p50, "bytes", 0, "what a plan may use"),
    ROW_TEXT(class_summary, memory_limit_source, 512, 0, "how that limit was made"),
    ROW_F64(class_summary, gpu_flops, 0, 1e+18, "FLOP/s", 0, "rate used"),
    ROW_F64(class_summary, memory_bandwidth_bytes_per_s, 0, 1e+18, "bytes/s", 0, "rate used"),
    ROW_TEXT(class_summary, rate_source, 512, 0, "measured, table or assumed"),
    ROW_I64(class_summary, configurations, 0, 1000000, "", 0, "that fit"),
    ROW_I64(class_summary, max_batch_size, 0, 4096, "sequences", 0,
            "largest micro-batch that fits, at the wanted length"),
    ROW_F64(class_summary, best_tokens_per_second, 0, 1e+12, "tokens/s", 0,
            "of the fastest configuration that fits"),
    ROW_ENUM(class_summary, constraint, constraint, 0, "what binds a class with none that fits"),
    ROW_TEXT(class_summary, text, 512, 0, "for people"),
};
RECORD_DEFINE(class_summary, "ClassSummary");

static const struct field server_rule_fields[] = {
    ROW_F64(server_rule, beta1, 0, 0.9999, "", 0, "first momentum of fedadam and fedyogi"),
    ROW_F64(server_rule, beta2, 0, 0.99999, "", 0, "second momentum of fedadam and fedyogi"),
    ROW_F64(server_rule, adaptivity, 1e-09, 1, "", 0,
            "added below the root by fedadam and fedyogi"),
    ROW_F64(server_rule, effective_steps, 0, 1e+09, "steps", 0,
            "fednova's effective number of local steps"),
    ROW_I64(server_rule, buffer_size, 1, 100000, "updates", 0, "fedbuff: updates applied at once"),
    ROW_I64(server_rule, concurrency, 1, 1000000, "clients", 0,
            "fedbuff: clients that train at the same time"),
    ROW_I64(server_rule, staleness_max, 0, 1000000, "updates", 0,
            "fedbuff: an update that missed more is dropped"),
    ROW_F64(server_rule, staleness_expected, 0, 1e+09, "updates", 0,
            "fedbuff: server updates that a client misses while it trains, in the mean"),
    ROW_F64(server_rule, updates_per_second, 0, 1e+09, "updates/s", 0,
            "fedbuff: server updates, in the mean"),
};
RECORD_DEFINE(server_rule, "ServerRule");

static const struct field secure_plan_fields[] = {
    ROW_ENUM(secure_plan, protocol, secure_protocol, 0, "protocol"),
    ROW_I64(secure_plan, threshold, 2, 1000000, "clients", 0,
            "shares that open a mask; fewer survivors void the round"),
    ROW_I64(secure_plan, neighbours, 1, 1000000, "clients", 0,
            "clients that each shares masks with"),
    ROW_I64(secure_plan, privacy_threshold, 0, 1000000, "clients", 0,
            "lightsecagg: clients that may collude"),
    ROW_I64(secure_plan, dropouts, 0, 1000000, "clients", 0,
            "lightsecagg: clients that may be lost"),
    ROW_I64(secure_plan, value_bits, 4, 31, "bits", 0, "bits of a masked value"),
    ROW_I64(secure_plan, ring_bits, 8, 64, "bits", 0,
            "bits of the sum: all values at their largest do not overflow it"),
};
RECORD_DEFINE(secure_plan, "SecurePlan");

static const struct field federated_plan_fields[] = {
    ROW_ENUM(federated_plan, aggregation, aggregation, FIELD_REQUIRED, "resolved"),
    ROW_TEXT(federated_plan, aggregation_reason, 512, 0, "why"),
    ROW_F64(federated_plan, server_learning_rate, 1e-09, 1000, "", 0, "step size of the server"),
    ROW_F64(federated_plan, proximal_mu, 0, 100, "", 0, "FedProx coefficient"),
    ROW_I64(federated_plan, rank, 1, 1024, "", 0, "common rank"),
    ROW_I64(federated_plan, layers, 1, 4096, "layers", 0, "common number of trained blocks"),
    ROW_I64(federated_plan, trainable_parameters, 0, 0x1p50, "", 0, "of one client"),
    ROW_ENUM(federated_plan, upload_format, upload_format, 0, "format of an update"),
    ROW_I64(federated_plan, rounds, 1, 1000000, "rounds", 0, "rounds"),
    ROW_F64(federated_plan, deadline_seconds, 0.001, 1e+09, "s", 0, "of a round"),
    ROW_I64(federated_plan, min_reports, 1, 1000000, "clients", 0, "a round with fewer is void"),
    ROW_F64(federated_plan, epsilon, 0, 1e+09, "", 0, "spent after all rounds"),
    ROW_F64(federated_plan, delta, 0, 1, "", 0, "failure probability"),
    ROW_F64(federated_plan, noise_multiplier, 0, 1e+06, "", 0, "Gaussian noise over clip_norm"),
    ROW_F64(federated_plan, clip_norm, 1e-09, 1e+09, "", 0, "largest norm of an update"),
    ROW_BOOL(federated_plan, secure_aggregation, 0, "updates are summed under masks"),
    ROW_ENUM(federated_plan, selection, selection, 0, "which eligible clients serve"),
    ROW_F64(federated_plan, sampling_rate, 0, 1, "share", 0,
            "chance of a client to serve in a round"),
    ROW_F64(federated_plan, accounted_rate, 0, 1, "share", 0,
            "rate that epsilon is reckoned with: 1 where selection is not random"),
    ROW_I64(federated_plan, selection_seed, 0, 0x1p53, "", 0, "seed of the random draws"),
    ROW_ENUM(federated_plan, adapters, adapters, 0, "how LoRA adapters are combined; never AUTO"),
    ROW_I64(federated_plan, rank_min, 1, 1024, "", 0,
            "lowest rank of a client, where ranks differ"),
    ROW_RECORD(federated_plan, server, server_rule, 0, "parameters of the aggregation rule"),
    ROW_RECORD(federated_plan, secure, secure_plan, 0, "secure aggregation in numbers"),
    ROW_F64(federated_plan, epsilon_target, 0, 1e+06, "", 0,
            "what the job allows after all rounds"),
};
RECORD_DEFINE(federated_plan, "FederatedPlan");

static const struct field pipeline_plan_fields[] = {
    ROW_F64(pipeline_plan, makespan_seconds, 0, 1e+09, "s", FIELD_REQUIRED, "whole pipeline, once"),
    ROW_F64(pipeline_plan, lower_bound_seconds, 0, 1e+09, "s", 0, "no placement can be shorter"),
    ROW_F64(pipeline_plan, single_device_seconds, 0, 1e+09, "s", 0,
            "all on the best single device"),
    ROW_TEXT(pipeline_plan, single_device_id, 64, 0, "that device"),
    ROW_RECORDS(pipeline_plan, stages, stage_part, 1000, 0, "every stage, by start time"),
    ROW_RECORDS(pipeline_plan, monitors, monitor_rule, 1000, 0, "thresholds of the whole pipeline"),
    ROW_RECORDS(pipeline_plan, deployment, deploy_step, 1000, 0, "deployment, in order"),
    ROW_F64(pipeline_plan, energy_wh, 0, 1e+12, "Wh", 0,
            "at the wall of the devices used, once through"),
    ROW_TEXT(pipeline_plan, energy_source, 512, 0, "where the watts come from"),
    ROW_F64(pipeline_plan, price, 0, 1e+15, "", 0, "energy and wear by the job's prices"),
};
RECORD_DEFINE(pipeline_plan, "PipelinePlan");

static const struct field lora_plan_fields[] = {
    ROW_TEXT(lora_plan, device_id, 64, FIELD_REQUIRED, "device that trains"),
    ROW_I64(lora_plan, rank, 1, 1024, "", 0, "LoRA rank"),
    ROW_I64(lora_plan, layers, 1, 4096, "layers", 0, "trained blocks"),
    ROW_I64(lora_plan, trainable_parameters, 0, 0x1p50, "", 0, "parameters trained in all"),
    ROW_I64(lora_plan, adapter_bytes, 0, 0x1p50, "bytes", 0, "of the adapters' file"),
    ROW_I64(lora_plan, updates, 1, 1000000, "steps", 0, "optimizer updates"),
    ROW_F64(lora_plan, epochs, 0, 1e+09, "epochs", 0, "passes over the data"),
    ROW_F64(lora_plan, tokens, 0, 1e+18, "tokens", 0, "trained on, without padding"),
    ROW_F64(lora_plan, training_seconds, 0, 1e+12, "s", FIELD_REQUIRED, "whole training"),
    ROW_TEXT(lora_plan, seconds_source, 512, 0, "where that comes from, and its error"),
    ROW_TEXT(lora_plan, memory_source, 512, 0, "where the peak comes from, and its error"),
};
RECORD_DEFINE(lora_plan, "LoRAPlan");

static const struct field diffusion_plan_fields[] = {
    ROW_TEXT(diffusion_plan, device_id, 64, FIELD_REQUIRED, "device that generates"),
    ROW_F64(diffusion_plan, image_seconds, 0, 1e+09, "s", FIELD_REQUIRED, "one image of a batch"),
    ROW_F64(diffusion_plan, total_seconds, 0, 1e+12, "s", 0, "all images"),
    ROW_F64(diffusion_plan, text_seconds, 0, 1e+09, "s", 0, "reading one prompt"),
    ROW_F64(diffusion_plan, step_seconds, 0, 1e+09, "s", 0, "one denoising step of a batch"),
    ROW_F64(diffusion_plan, decode_seconds, 0, 1e+09, "s", 0, "pixels of one image"),
    ROW_F64(diffusion_plan, load_seconds, 0, 1e+09, "s", 0,
            "parts read again for each batch, where offloaded"),
    ROW_F64(diffusion_plan, flop_per_step, 0, 1e+24, "FLOP", 0,
            "one image, once through the denoiser"),
    ROW_TEXT(diffusion_plan, flop_source, 512, 0, "where that comes from"),
    ROW_TEXT(diffusion_plan, seconds_source, 512, 0, "where the times come from, and their error"),
    ROW_I64(diffusion_plan, weights_bytes, 0, 0x1p53, "bytes", 0, "of all parts"),
    ROW_I64(diffusion_plan, text_bytes, 0, 0x1p53, "bytes", 0, "memory while the prompt is read"),
    ROW_I64(diffusion_plan, denoise_bytes, 0, 0x1p53, "bytes", 0, "memory while noise is removed"),
    ROW_I64(diffusion_plan, decode_bytes, 0, 0x1p53, "bytes", 0, "memory while pixels are made"),
};
RECORD_DEFINE(diffusion_plan, "DiffusionPlan");

static const struct field plan_fields[] = {
    ROW_I64(plan, format_version, 1, 1, "", FIELD_REQUIRED, "1"),
    ROW_TEXT(plan, plan_id, 64, 0, "unique"),
    ROW_TEXT(plan, coordinator_id, 64, 0, "random, made with the database"),
    ROW_TEXT(plan, job_id, 64, FIELD_REQUIRED, "job"),
    ROW_TEXT(plan, job_name, 128, 0, "for people"),
    ROW_ENUM(plan, kind, plan_kind, FIELD_REQUIRED, "what is planned"),
    ROW_ENUM(plan, state, plan_state, FIELD_REQUIRED, "where it stands"),
    ROW_I64(plan, created_ms, 0, 0x1p53, "ms", 0, "wall clock, UTC"),
    ROW_ENUM(plan, engine_asked, engine_kind, FIELD_REQUIRED, "who was asked"),
    ROW_TEXT(plan, engine_text, 512, 0, "who gave what, in words"),
    ROW_RECORD(plan, federated, federated_plan, FIELD_ONE_REQUIRED, "common part"),
    ROW_RECORD(plan, pipeline, pipeline_plan, FIELD_ONE_REQUIRED, "common part"),
    ROW_RECORDS(plan, assignments, assignment, 1000000, 0,
                "one per client, those left out included, by device id"),
    ROW_RECORDS(plan, classes, class_summary, 100000, 0, "the classes it was made for"),
    ROW_RECORD(plan, forecast, forecast, FIELD_REQUIRED, "of this plan"),
    ROW_RECORD(plan, baseline, forecast, 0,
               "of one common configuration for all, sized for the smallest client"),
    ROW_RECORDS(plan, decisions, decision, 100000, 0,
                "who gave which field, and what was repaired"),
    ROW_RECORD(plan, proposal, proposal, 0, "the engine's answer"),
    ROW_TEXTS(plan, warnings, 1000, 512, 0, "what a person should know"),
    ROW_RECORD(plan, lora, lora_plan, FIELD_ONE_REQUIRED, "common part"),
    ROW_RECORD(plan, diffusion, diffusion_plan, FIELD_ONE_REQUIRED, "common part"),
};
RECORD_DEFINE(plan, "Plan");
