/* job.c - one row per field: name, limits, unit, help. The rows drive checking, copying, the wire
 * and JSON. */
#include "common/model/job.h"

static const struct field model_shape_fields[] = {
    ROW_TEXT(model_shape, model_type, 64, FIELD_REQUIRED, "family: llama, qwen3, ..."),
    ROW_I64(model_shape, layers, 1, 4096, "layers", FIELD_REQUIRED, "transformer blocks"),
    ROW_I64(model_shape, hidden_size, 1, 0x1p20, "", FIELD_REQUIRED, "hidden size h"),
    ROW_I64(model_shape, intermediate_size, 1, 0x1p22, "", FIELD_REQUIRED, "MLP width f"),
    ROW_I64(model_shape, attention_heads, 1, 65536, "heads", FIELD_REQUIRED, "query heads H"),
    ROW_I64(model_shape, kv_heads, 1, 65536, "heads", FIELD_REQUIRED, "key and value heads"),
    ROW_I64(model_shape, head_dim, 1, 65536, "", FIELD_REQUIRED, "size of one head"),
    ROW_I64(model_shape, vocab_size, 1, 0x1p26, "tokens", FIELD_REQUIRED, "vocabulary V"),
    ROW_BOOL(model_shape, tied_embeddings, FIELD_REQUIRED,
             "input and output embeddings are one matrix"),
    ROW_I64(model_shape, parameters, 1, 0x1p50, "", FIELD_REQUIRED,
            "parameters, counted from the shape"),
    ROW_I64(model_shape, experts, 2, 4096, "experts", 0, "routed experts of a block; absent: none"),
    ROW_I64(model_shape, experts_per_token, 1, 4096, "experts", 0,
            "how many of them a token goes through"),
    ROW_I64(model_shape, expert_size, 1, 0x1p22, "", 0, "width of one expert's MLP"),
    ROW_I64(model_shape, active_parameters, 1, 0x1p50, "", 0,
            "parameters that a token goes through; absent: all"),
};
RECORD_DEFINE(model_shape, "ModelShape");

static const struct field model_variant_fields[] = {
    ROW_ENUM(model_variant, format, model_format, FIELD_REQUIRED, "its format"),
    ROW_TEXT(model_variant, path, 512, 0,
             "folder or hub id on the Macs; the agent's own model folder wins over it"),
};
RECORD_DEFINE(model_variant, "ModelVariant");

static const struct field model_spec_fields[] = {
    ROW_TEXT(model_spec, name, 128, 0, "for people"),
    ROW_PROSE(model_spec, config_json, 65536, 0,
              "the text of its Hugging Face config.json; a tool sends the content, never a path"),
    ROW_RECORD(model_spec, shape, model_shape, 0,
               "made from config_json by the coordinator; not needed where config_json is given"),
    ROW_RECORDS(model_spec, variants, model_variant, 16, FIELD_REQUIRED,
                "the formats it may be used in, the wanted one first"),
};
RECORD_DEFINE(model_spec, "ModelSpec");

static const struct field tuning_spec_fields[] = {
    ROW_ENUM(tuning_spec, method, fine_tune_method, FIELD_REQUIRED, "fine-tuning method"),
    ROW_ENUM(tuning_spec, targets, lora_targets, 0, "layers that get adapters; default all"),
    ROW_I64(tuning_spec, rank, 1, 1024, "", 0, "wanted LoRA rank"),
    ROW_I64(tuning_spec, rank_min, 1, 1024, "", 0, "smallest rank worth training; default 4"),
    ROW_F64(tuning_spec, scale, 0.001, 10000, "", 0, "LoRA scale (alpha / rank); default 20"),
    ROW_F64(tuning_spec, dropout, 0, 0.95, "", 0, "LoRA dropout; default 0"),
    ROW_I64(tuning_spec, layers, 1, 4096, "layers", 0,
            "blocks trained, counted from the top; absent: all"),
    ROW_I64(tuning_spec, layers_min, 1, 4096, "layers", 0,
            "fewest blocks worth training; default 4"),
    ROW_I64(tuning_spec, batch_size, 1, 4096, "sequences", 0,
            "wanted micro-batch; absent: the planner chooses"),
    ROW_I64(tuning_spec, effective_batch, 1, 65536, "sequences", 0,
            "wanted sequences per optimizer update; reached by accumulation"),
    ROW_I64(tuning_spec, sequence_length, 32, 0x1p20, "tokens", FIELD_REQUIRED,
            "wanted sequence length"),
    ROW_I64(tuning_spec, sequence_length_min, 32, 0x1p20, "tokens", 0,
            "shortest length worth training; default: half of the wanted"),
    ROW_BOOL(tuning_spec, grad_checkpoint, 0, "absent: the planner chooses"),
    ROW_ENUM(tuning_spec, optimizer, optimizer, 0, "default adamw"),
    ROW_F64(tuning_spec, learning_rate, 1e-09, 10, "", 0,
            "wanted learning rate; absent: the planner chooses"),
    ROW_ENUM(tuning_spec, lr_schedule, lr_schedule, 0, "default constant"),
    ROW_I64(tuning_spec, seed, 0, 0x1p31, "", 0, "seed of the adapters' first values; default 0"),
    ROW_ENUM(tuning_spec, rank_policy, rank_policy, 0,
             "whether clients may differ in rank; absent: where a common one would cost clients"),
};
RECORD_DEFINE(tuning_spec, "TuningSpec");

static const struct field client_data_fields[] = {
    ROW_TEXT(client_data, device_id, 64, FIELD_REQUIRED, "device"),
    ROW_I64(client_data, examples, 0, 0x1p40, "examples", FIELD_REQUIRED,
            "rows in its training set"),
    ROW_F64(
        client_data, mean_square_loss, 0, 1e+12, "", 0,
        "mean of the squared losses of its examples, as last measured: what selection oort goes by"),
    ROW_I64(client_data, last_round, 1, 1000000, "rounds", 0, "round in which it last served"),
    ROW_I64(client_data, picks, 0, 1000000, "rounds", 0,
            "rounds it has served in: after 10 selection oort passes it over"),
};
RECORD_DEFINE(client_data, "ClientData");

static const struct field data_spec_fields[] = {
    ROW_TEXT(data_spec, path, 512, 0,
             "folder on the Macs with train.jsonl; the agent's own data folder wins over it"),
    ROW_I64(data_spec, examples_per_client, 1, 0x1p40, "examples", 0,
            "rows that a device has when clients does not say"),
    ROW_F64(data_spec, tokens_per_example, 1, 1e+07, "tokens", 0,
            "mean length of a row; default: the sequence length"),
    ROW_RECORDS(data_spec, clients, client_data, 1000000, 0,
                "devices whose number of rows differs"),
};
RECORD_DEFINE(data_spec, "DataSpec");

static const struct field round_spec_fields[] = {
    ROW_I64(round_spec, rounds, 1, 1000000, "rounds", 0, "rounds in all; default 1"),
    ROW_F64(round_spec, deadline_seconds, 1, 1e+09, "s", 0,
            "a round may last this long; absent: the smallest that meets token_goal"),
    ROW_F64(round_spec, token_goal, 1, 1e+15, "tokens", 0,
            "tokens that all clients together train on in a round"),
    ROW_I64(round_spec, local_steps_min, 1, 1000000, "steps", 0,
            "fewest optimizer updates worth a client's round; default 1"),
    ROW_I64(round_spec, local_steps_max, 1, 1000000, "steps", 0,
            "most optimizer updates of a client in a round; default 1000"),
    ROW_I64(round_spec, min_reports, 1, 1000000, "clients", 0,
            "a round with fewer is void; default: half of the selected, at least 1"),
    ROW_I64(round_spec, clients_wanted, 1, 1000000, "clients", 0,
            "updates wanted in a round; absent: of every eligible client"),
    ROW_F64(round_spec, dropout_rate, 0, 0.9, "share", 0,
            "clients expected to be lost in a round; default 0.06"),
    ROW_F64(round_spec, warmup_seconds, 0, 86400, "s", 0,
            "model load and compilation before the first step; default 30"),
    ROW_ENUM(
        round_spec, selection, selection, 0,
        "which eligible clients serve; default fastest where clients_wanted is given, else all"),
    ROW_I64(round_spec, selection_seed, 0, 0x1p53, "", 0,
            "seed of random draws; default: made from the job's id and the time"),
    ROW_I64(round_spec, tiers, 2, 20, "tiers", 0, "tiers of selection tiers; default 5"),
    ROW_I64(round_spec, rounds_done, 0, 1000000, "rounds", 0,
            "rounds before this plan, for selection oort; default 0"),
    ROW_F64(
        round_spec, preferred_seconds, 1, 1e+09, "s", 0,
        "longest round that selection oort does not hold against a client; default: the plan's own round"),
    ROW_F64(
        round_spec, utility_last, 0, 1e+18, "", 0,
        "summed utility of the last rounds: where it no longer rises above utility_before, selection oort allows longer rounds"),
    ROW_F64(round_spec, utility_before, 0, 1e+18, "", 0,
            "summed utility of as many rounds before those"),
};
RECORD_DEFINE(round_spec, "RoundSpec");

static const struct field communication_spec_fields[] = {
    ROW_ENUM(communication_spec, upload_format, upload_format, 0,
             "wanted format of an update; default f16"),
    ROW_F64(communication_spec, default_up_bps, 1, 1e+13, "bits/s", 0,
            "rate from a client whose own is unknown; default 20e6"),
    ROW_F64(communication_spec, default_down_bps, 1, 1e+13, "bits/s", 0,
            "rate to a client whose own is unknown; default 100e6"),
    ROW_F64(communication_spec, latency_seconds, 0, 60, "s", 0, "one-way latency; default 0.05"),
    ROW_F64(communication_spec, upload_share_max, 0.001, 1, "share", 0,
            "share of the round that an upload may take; default 0.2"),
    ROW_ENUM(communication_spec, compression, compression, 0,
             "whether clients may differ in upload format; default by_link"),
    ROW_F64(communication_spec, top_k_share, 0.0001, 0.5, "share", 0,
            "share of the values that a top-k update keeps; absent: no client sends one"),
};
RECORD_DEFINE(communication_spec, "CommunicationSpec");

static const struct field privacy_spec_fields[] = {
    ROW_F64(privacy_spec, epsilon, 1e-06, 1e+06, "", 0,
            "target after all rounds; absent: no differential privacy"),
    ROW_F64(privacy_spec, delta, 1e-15, 0.1, "", 0,
            "failure probability; wanted where epsilon is given"),
    ROW_F64(privacy_spec, clip_norm, 1e-09, 1e+09, "", 0, "largest norm of an update; default 1"),
    ROW_BOOL(privacy_spec, secure_aggregation, 0, "updates are summed under masks"),
    ROW_I64(privacy_spec, min_clients, 1, 1000000, "clients", 0, "fewest clients in any sum"),
    ROW_ENUM(privacy_spec, secure_protocol, secure_protocol, 0,
             "protocol of secure_aggregation; default bonawitz"),
    ROW_BOOL(privacy_spec, malicious_server, 0,
             "thresholds hold against a server that lies; default false"),
    ROW_I64(privacy_spec, value_bits, 4, 31, "bits", 0,
            "bits of a masked value; default: as many as the ring allows, at most 22"),
};
RECORD_DEFINE(privacy_spec, "PrivacySpec");

static const struct field aggregation_spec_fields[] = {
    ROW_ENUM(aggregation_spec, strategy, aggregation, 0, "default auto"),
    ROW_F64(aggregation_spec, server_learning_rate, 1e-09, 1000, "", 0,
            "step size of the server; default 1"),
    ROW_F64(aggregation_spec, proximal_mu, 0, 100, "", 0, "FedProx coefficient; default 0.01"),
    ROW_ENUM(aggregation_spec, adapters, adapters, 0,
             "how LoRA adapters are combined; default auto"),
    ROW_F64(aggregation_spec, beta1, 0, 0.9999, "", 0,
            "first momentum of fedadam and fedyogi; default 0.9"),
    ROW_F64(aggregation_spec, beta2, 0, 0.99999, "", 0,
            "second momentum of fedadam and fedyogi; default 0.99"),
    ROW_F64(aggregation_spec, adaptivity, 1e-09, 1, "", 0,
            "what fedadam and fedyogi add below the root; default 0.001"),
    ROW_I64(aggregation_spec, buffer_size, 1, 100000, "updates", 0,
            "updates that fedbuff applies at once; default 10"),
    ROW_I64(aggregation_spec, concurrency, 1, 1000000, "clients", 0,
            "clients that train at the same time under fedbuff; default: all selected"),
    ROW_I64(aggregation_spec, staleness_max, 0, 1000000, "updates", 0,
            "fedbuff drops an update that missed more; default: twice the most expected"),
    ROW_F64(aggregation_spec, local_momentum, 0, 0.9999, "", 0,
            "momentum of the clients' own optimizer, for fednova; default 0"),
};
RECORD_DEFINE(aggregation_spec, "AggregationSpec");

static const struct field rule_spec_fields[] = {
    ROW_BOOL(rule_spec, require_ac_power, 0, "only on AC power or UPS"),
    ROW_F64(rule_spec, min_battery_percent, 0, 100, "percent", 0, "least charge on battery"),
    ROW_ENUM(rule_spec, max_thermal, thermal, 0, "hottest state allowed; default fair"),
    ROW_ENUM(rule_spec, max_memory_pressure, memory_pressure, 0,
             "highest pressure allowed; default warn"),
    ROW_F64(rule_spec, min_user_idle_seconds, 0, 1e+09, "s", 0,
            "only when nobody touched it for this long"),
    ROW_I64(rule_spec, min_disk_free_bytes, 0, 0x1p50, "bytes", 0,
            "disk left free for models and adapters"),
    ROW_TEXT(rule_spec, min_os_version, 64, 0, "oldest macOS version allowed"),
    ROW_BOOL(rule_spec, allow_low_power_mode, 0, "default true"),
    ROW_BOOL(rule_spec, allow_cpu, 0, "plan devices without Metal too; default false"),
    ROW_ENUM(rule_spec, unknown, unknown_policy, 0,
             "what a rule does with an unknown fact; default exclude"),
    ROW_TEXTS(rule_spec, include, 100000, 64, 0, "only these device ids"),
    ROW_TEXTS(rule_spec, exclude, 100000, 64, 0, "never these device ids"),
};
RECORD_DEFINE(rule_spec, "RuleSpec");

static const struct field federated_job_fields[] = {
    ROW_RECORD(federated_job, model, model_spec, FIELD_REQUIRED, "base model"),
    ROW_RECORD(federated_job, tuning, tuning_spec, FIELD_REQUIRED, "how a client trains"),
    ROW_RECORD(federated_job, data, data_spec, 0, "data on the clients"),
    ROW_RECORD(federated_job, round, round_spec, FIELD_REQUIRED, "the round"),
    ROW_RECORD(federated_job, communication, communication_spec, 0, "the links"),
    ROW_RECORD(federated_job, privacy, privacy_spec, 0, "privacy"),
    ROW_RECORD(federated_job, aggregation, aggregation_spec, 0, "how updates are combined"),
    ROW_RECORD(federated_job, rules, rule_spec, 0, "who may take part"),
    ROW_PROSE(federated_job, performance_target, 65536, 0, "free text for the model"),
    ROW_PROSE(federated_job, communication_constraints, 65536, 0, "free text for the model"),
    ROW_PROSE(federated_job, privacy_requirements, 65536, 0, "free text for the model"),
};
RECORD_DEFINE(federated_job, "FederatedJob");

static const struct field stage_service_fields[] = {
    ROW_F64(stage_service, arrivals_per_second, 1e-06, 1e+06, "requests/s", FIELD_REQUIRED,
            "requests that come"),
    ROW_F64(stage_service, wait_seconds, 0, 86400, "s", FIELD_REQUIRED,
            "longest wait before a request is taken up"),
    ROW_F64(stage_service, wait_share, 0.5, 0.99999, "share", 0,
            "requests that wait no longer; default 0.95"),
    ROW_F64(stage_service, arrival_cv2, 0, 1000, "", 0,
            "squared variation of the times between requests; default 1, Poisson"),
    ROW_F64(stage_service, service_cv2, 0, 1000, "", 0,
            "squared variation of the times to answer; default 1; 0: always the same"),
    ROW_I64(stage_service, max_replicas, 1, 1000, "devices", 0, "that may answer"),
};
RECORD_DEFINE(stage_service, "StageService");

static const struct field stage_fields[] = {
    ROW_TEXT(stage, name, 64, FIELD_REQUIRED, "unique in the job"),
    ROW_ENUM(stage, kind, stage_kind, 0, "what it does"),
    ROW_TEXTS(stage, after, 256, 64, 0,
              "stages that must finish first; their output is this stage's input"),
    ROW_F64(stage, flop, 0, 1e+24, "FLOP", 0, "arithmetic on the GPU"),
    ROW_F64(stage, bytes_moved, 0, 1e+18, "bytes", 0, "memory traffic"),
    ROW_F64(stage, fixed_seconds, 0, 1e+09, "s", 0, "time that no Mac shortens"),
    ROW_I64(stage, memory_bytes, 0, 0x1p50, "bytes", 0, "memory while it runs"),
    ROW_I64(stage, output_bytes, 0, 0x1p50, "bytes", 0, "handed to each stage after it"),
    ROW_BOOL(stage, needs_metal, 0, "default true"),
    ROW_TEXT(stage, device_id, 64, 0, "only there; absent: the planner chooses"),
    ROW_RECORD(stage, service, stage_service, 0,
               "it answers requests: flop, bytes_moved, fixed_seconds are of one"),
};
RECORD_DEFINE(stage, "Stage");

static const struct field pipeline_performance_fields[] = {
    ROW_F64(pipeline_performance, makespan_seconds, 0.001, 1e+09, "s", 0, "whole pipeline, once"),
    ROW_F64(pipeline_performance, stage_error_ratio, 0, 1, "share", 0,
            "errors tolerated at a stage; default 0.01"),
    ROW_F64(pipeline_performance, memory_headroom_share, 0, 0.9, "share", 0,
            "memory left free at every stage; default 0.1"),
};
RECORD_DEFINE(pipeline_performance, "PipelinePerformance");

static const struct field pipeline_cost_fields[] = {
    ROW_I64(pipeline_cost, max_devices, 1, 1000000, "devices", 0, "devices used at most"),
    ROW_F64(pipeline_cost, max_device_seconds, 0.001, 1e+12, "s", 0,
            "busy time of all devices together"),
    ROW_F64(pipeline_cost, max_energy_wh, 0.001, 1e+09, "Wh", 0,
            "at the wall, of all devices used, idle time included"),
    ROW_F64(pipeline_cost, price_per_kwh, 0, 1e+06, "per kWh", 0, "in a currency of your own"),
    ROW_F64(pipeline_cost, device_hour_price, 0, 1e+06, "per hour", 0,
            "wear of a device that the pipeline has"),
    ROW_F64(pipeline_cost, max_price, 0, 1e+12, "", 0, "energy and wear together, once through"),
};
RECORD_DEFINE(pipeline_cost, "PipelineCost");

static const struct field pipeline_links_fields[] = {
    ROW_F64(pipeline_links, default_bps, 1, 1e+13, "bits/s", 0,
            "rate between two devices where unknown; default 100e6"),
    ROW_F64(pipeline_links, latency_seconds, 0, 60, "s", 0, "default 0.01"),
};
RECORD_DEFINE(pipeline_links, "PipelineLinks");

static const struct field pipeline_job_fields[] = {
    ROW_RECORDS(pipeline_job, stages, stage, 1000, FIELD_REQUIRED,
                "a directed acyclic graph from data loading to deployment"),
    ROW_RECORD(pipeline_job, performance, pipeline_performance, 0, "targets"),
    ROW_RECORD(pipeline_job, cost, pipeline_cost, 0, "limits"),
    ROW_RECORD(pipeline_job, links, pipeline_links, 0, "links between devices"),
    ROW_RECORD(pipeline_job, rules, rule_spec, 0, "who may take part"),
    ROW_PROSE(pipeline_job, pipeline_description, 65536, 0, "free text for the model"),
    ROW_PROSE(pipeline_job, performance_requirements, 65536, 0, "free text for the model"),
    ROW_PROSE(pipeline_job, cost_constraints, 65536, 0, "free text for the model"),
};
RECORD_DEFINE(pipeline_job, "PipelineJob");

static const struct field lora_data_fields[] = {
    ROW_TEXT(lora_data, path, 512, 0,
             "folder on the Mac with train.jsonl; the agent's own data folder wins over it"),
    ROW_I64(lora_data, examples, 1, 0x1p40, "examples", FIELD_REQUIRED, "rows of the training set"),
    ROW_F64(lora_data, tokens_per_example, 1, 0x1p20, "tokens", 0,
            "mean length of a row; default: the sequence length"),
};
RECORD_DEFINE(lora_data, "LoRAData");

static const struct field lora_run_fields[] = {
    ROW_F64(lora_run, epochs, 0.001, 10000, "epochs", 0, "passes over the data; default 1"),
    ROW_I64(lora_run, updates, 1, 1000000, "steps", 0, "optimizer updates; wins over epochs"),
    ROW_F64(lora_run, deadline_seconds, 0.001, 1e+09, "s", 0,
            "the whole training may last this long"),
    ROW_F64(lora_run, warmup_seconds, 0, 86400, "s", 0, "model load and compilation; default 30"),
};
RECORD_DEFINE(lora_run, "LoRARun");

static const struct field lora_job_fields[] = {
    ROW_TEXT(lora_job, device_id, 64, 0,
             "device that trains, as `espalier devices` lists it; --device ID wins over it"),
    ROW_RECORD(lora_job, model, model_spec, FIELD_REQUIRED, "base model"),
    ROW_RECORD(lora_job, tuning, tuning_spec, FIELD_REQUIRED, "what is wanted of the training"),
    ROW_RECORD(lora_job, data, lora_data, FIELD_REQUIRED, "its training set"),
    ROW_RECORD(lora_job, run, lora_run, 0, "how long it trains"),
    ROW_RECORD(lora_job, rules, rule_spec, 0, "when the device may take part"),
    ROW_PROSE(lora_job, performance_target, 65536, 0, "free text for the model"),
    ROW_PROSE(lora_job, task_description, 65536, 0, "free text for the model"),
    ROW_PROSE(lora_job, dataset_characteristics, 65536, 0, "free text for the model"),
    ROW_PROSE(lora_job, quality_requirements, 65536, 0, "free text for the model"),
};
RECORD_DEFINE(lora_job, "LoRAJob");

static const struct field diffusion_denoiser_fields[] = {
    ROW_ENUM(diffusion_denoiser, kind, denoiser_kind, FIELD_REQUIRED, "what it is"),
    ROW_I64(diffusion_denoiser, parameters, 1, 0x1p50, "", FIELD_REQUIRED, "parameters in all"),
    ROW_I64(diffusion_denoiser, token_parameters, 1, 0x1p50, "", 0,
            "of a transformer: parameters that one token passes; default: all"),
    ROW_I64(diffusion_denoiser, layers, 1, 4096, "layers", 0,
            "of a transformer, for the cost of its attention"),
    ROW_I64(diffusion_denoiser, hidden_size, 1, 0x1p20, "", 0,
            "of a transformer, for the cost of its attention"),
    ROW_I64(diffusion_denoiser, head_dim, 1, 65536, "", 0,
            "size of one attention head; 64, 80 and 128 are fused on Metal, others need memory"),
    ROW_F64(diffusion_denoiser, flop_per_step, 1, 1e+18, "FLOP", 0,
            "one image once through, at the reference size; default: derived from the parameters"),
    ROW_I64(diffusion_denoiser, reference_width, 64, 16384, "pixels", 0,
            "of flop_per_step; default: the wanted width"),
    ROW_I64(diffusion_denoiser, reference_height, 64, 16384, "pixels", 0,
            "of flop_per_step; default: the wanted height"),
};
RECORD_DEFINE(diffusion_denoiser, "DiffusionDenoiser");

static const struct field diffusion_text_encoder_fields[] = {
    ROW_I64(diffusion_text_encoder, parameters, 1, 0x1p50, "", FIELD_REQUIRED,
            "parameters of all encoders together"),
    ROW_I64(diffusion_text_encoder, tokens, 1, 65536, "tokens", 0,
            "of a prompt, padding counted; default 77"),
};
RECORD_DEFINE(diffusion_text_encoder, "DiffusionTextEncoder");

static const struct field diffusion_vae_fields[] = {
    ROW_I64(diffusion_vae, parameters, 1, 0x1p50, "", 0,
            "parameters of the decoder; default 49.5e6"),
    ROW_F64(diffusion_vae, flop_per_pixel, 1, 1e+12, "FLOP", 0,
            "of the decoder; default 9.5e6, scaled by its parameters"),
    ROW_I64(diffusion_vae, scale, 1, 256, "pixels", 0,
            "of an image per pixel of the latent, each way; default 8"),
    ROW_ENUM(diffusion_vae, format, model_format, 0, "f32, f16 or bf16; default f32"),
};
RECORD_DEFINE(diffusion_vae, "DiffusionVAE");

static const struct field diffusion_model_fields[] = {
    ROW_TEXT(diffusion_model, name, 128, 0, "for people"),
    ROW_RECORD(diffusion_model, denoiser, diffusion_denoiser, FIELD_REQUIRED,
               "UNet or transformer"),
    ROW_RECORD(diffusion_model, text_encoder, diffusion_text_encoder, FIELD_REQUIRED,
               "what reads the prompt"),
    ROW_RECORD(diffusion_model, vae, diffusion_vae, 0, "what makes the pixels"),
    ROW_RECORDS(diffusion_model, variants, model_variant, 16, FIELD_REQUIRED,
                "formats of denoiser and text encoder, the wanted one first"),
};
RECORD_DEFINE(diffusion_model, "DiffusionModel");

static const struct field diffusion_generation_fields[] = {
    ROW_I64(diffusion_generation, width, 64, 16384, "pixels", FIELD_REQUIRED, "wanted width"),
    ROW_I64(diffusion_generation, height, 64, 16384, "pixels", FIELD_REQUIRED, "wanted height"),
    ROW_F64(diffusion_generation, size_share_min, 0.05, 1, "share", 0,
            "of width and height that is still worth making; default 0.5"),
    ROW_I64(diffusion_generation, batch_size, 1, 256, "images", 0, "wanted together; default 1"),
    ROW_I64(diffusion_generation, images, 1, 1000000, "images", 0, "in all; default: one batch"),
    ROW_I64(diffusion_generation, steps, 1, 1000, "steps", FIELD_REQUIRED,
            "wanted denoising steps"),
    ROW_I64(diffusion_generation, steps_min, 1, 1000, "steps", 0,
            "fewest worth making; default: half of the wanted"),
    ROW_ENUM(diffusion_generation, sampler, diffusion_sampler, 0,
             "default: euler, of a transformer flow_match_euler"),
    ROW_F64(diffusion_generation, guidance, 0, 100, "", 0,
            "guidance scale; default 7.5, of a transformer 3.5"),
    ROW_BOOL(diffusion_generation, guided, 0,
             "each step runs with and without the prompt; default: true, of a transformer false"),
    ROW_I64(diffusion_generation, seed, 0, 0x1p31, "", 0, "of the first noise; default 0"),
};
RECORD_DEFINE(diffusion_generation, "DiffusionGeneration");

static const struct field diffusion_constraints_fields[] = {
    ROW_F64(diffusion_constraints, image_seconds, 0.001, 1e+07, "s", 0,
            "an image may take this long"),
    ROW_BOOL(diffusion_constraints, offload, 0,
             "only the part that works is in memory; absent: the planner chooses"),
    ROW_BOOL(diffusion_constraints, vae_tiling, 0,
             "decode the image in tiles; absent: the planner chooses"),
};
RECORD_DEFINE(diffusion_constraints, "DiffusionConstraints");

static const struct field diffusion_job_fields[] = {
    ROW_TEXT(diffusion_job, device_id, 64, 0,
             "device that generates, as `espalier devices` lists it; --device ID wins over it"),
    ROW_RECORD(diffusion_job, model, diffusion_model, FIELD_REQUIRED, "the model"),
    ROW_RECORD(diffusion_job, generation, diffusion_generation, FIELD_REQUIRED,
               "what images are wanted"),
    ROW_RECORD(diffusion_job, constraints, diffusion_constraints, 0, "what an image may cost"),
    ROW_RECORD(diffusion_job, rules, rule_spec, 0, "when the device may take part"),
    ROW_PROSE(diffusion_job, performance_target, 65536, 0, "free text for the model"),
    ROW_PROSE(diffusion_job, model_architecture, 65536, 0, "free text for the model"),
    ROW_PROSE(diffusion_job, generation_requirements, 65536, 0, "free text for the model"),
    ROW_PROSE(diffusion_job, inference_constraints, 65536, 0, "free text for the model"),
};
RECORD_DEFINE(diffusion_job, "DiffusionJob");

static const struct field job_fields[] = {
    ROW_I64(job, format_version, 1, 1, "", FIELD_REQUIRED, "of this file: 1"),
    ROW_TEXT(
        job, job_id, 64, FIELD_REQUIRED,
        "letters, digits, dot, dash, underscore; a new plan of the same id supersedes the old one"),
    ROW_TEXT(job, name, 128, 0, "for people"),
    ROW_RECORD(job, federated, federated_job, FIELD_ONE_REQUIRED,
               "exactly one of federated, pipeline, lora, diffusion"),
    ROW_RECORD(job, pipeline, pipeline_job, FIELD_ONE_REQUIRED,
               "exactly one of federated, pipeline, lora, diffusion"),
    ROW_RECORD(job, lora, lora_job, FIELD_ONE_REQUIRED,
               "exactly one of federated, pipeline, lora, diffusion"),
    ROW_RECORD(job, diffusion, diffusion_job, FIELD_ONE_REQUIRED,
               "exactly one of federated, pipeline, lora, diffusion"),
};
RECORD_DEFINE(job, "Job");
