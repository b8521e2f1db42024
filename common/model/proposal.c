/* proposal.c - one row per field: name, limits, unit, help. The rows drive checking, copying, the
 * wire and JSON. */
#include "common/model/proposal.h"

static const struct field optimization_strategy_fields[] = {
    ROW_ENUM(optimization_strategy, model_format, model_format, 0,
             "base format for clients whose own is not given"),
    ROW_BOOL(optimization_strategy, grad_checkpoint, 0, "recompute activations"),
    ROW_I64(optimization_strategy, sequence_length, 32, 0x1p20, "tokens", 0, "tokens per sequence"),
    ROW_PROSE(optimization_strategy, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(optimization_strategy, "OptimizationStrategy");

static const struct field resource_allocation_fields[] = {
    ROW_I64(resource_allocation, rank, 1, 1024, "", 0, "LoRA rank of every client"),
    ROW_I64(resource_allocation, layers, 1, 4096, "layers", 0, "blocks trained, from the top"),
    ROW_F64(resource_allocation, memory_share, 0.1, 1, "share", 0,
            "share of its memory limit that a client may fill"),
    ROW_PROSE(resource_allocation, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(resource_allocation, "ResourceAllocation");

static const struct field client_optimization_fields[] = {
    ROW_TEXT(client_optimization, client_class, 64, FIELD_REQUIRED,
             "class id from client_capabilities"),
    ROW_BOOL(client_optimization, participate, 0, "take part in the round"),
    ROW_ENUM(client_optimization, model_format, model_format, 0, "base format"),
    ROW_I64(client_optimization, batch_size, 1, 4096, "sequences", 0, "micro-batch"),
    ROW_I64(client_optimization, grad_accumulation, 1, 4096, "micro-steps", 0,
            "micro-batches per optimizer update"),
    ROW_I64(client_optimization, sequence_length, 32, 0x1p20, "tokens", 0, "tokens per sequence"),
    ROW_BOOL(client_optimization, grad_checkpoint, 0, "recompute activations"),
    ROW_I64(client_optimization, local_steps, 1, 1000000, "steps", 0,
            "optimizer updates per round"),
    ROW_PROSE(client_optimization, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(client_optimization, "ClientOptimization");

static const struct field communication_protocol_fields[] = {
    ROW_ENUM(communication_protocol, upload_format, upload_format, 0, "format of an update"),
    ROW_PROSE(communication_protocol, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(communication_protocol, "CommunicationProtocol");

static const struct field convergence_strategy_fields[] = {
    ROW_F64(convergence_strategy, learning_rate, 1e-09, 10, "", 0, "of the local optimizer"),
    ROW_ENUM(convergence_strategy, lr_schedule, lr_schedule, 0, "schedule"),
    ROW_I64(convergence_strategy, warmup_steps, 0, 100000, "steps", 0,
            "updates before the full learning rate"),
    ROW_I64(convergence_strategy, local_steps_max, 1, 1000000, "steps", 0,
            "most updates of any client in a round"),
    ROW_F64(convergence_strategy, server_learning_rate, 1e-09, 1000, "", 0,
            "step size of the server"),
    ROW_F64(convergence_strategy, proximal_mu, 0, 100, "", 0, "FedProx coefficient"),
    ROW_PROSE(convergence_strategy, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(convergence_strategy, "ConvergenceStrategy");

static const struct field federated_proposal_fields[] = {
    ROW_PROSE(federated_proposal, reasoning, 65536, 0, "the engine's own reasoning"),
    ROW_RECORD(federated_proposal, optimization_strategy, optimization_strategy, 0,
               "Hardware-optimized strategy leveraging unified memory and Metal GPU"),
    ROW_RECORD(federated_proposal, resource_allocation, resource_allocation, 0,
               "Optimal resource allocation for Apple Silicon architecture"),
    ROW_RECORDS(federated_proposal, client_optimization, client_optimization, 10000, 0,
                "Per-client optimization strategy based on hardware capabilities"),
    ROW_RECORD(federated_proposal, communication_protocol, communication_protocol, 0,
               "Efficient communication protocol for model updates"),
    ROW_RECORD(federated_proposal, convergence_strategy, convergence_strategy, 0,
               "Convergence optimization for heterogeneous Apple Silicon devices"),
};
RECORD_DEFINE(federated_proposal, "FederatedProposal");

static const struct field stage_group_fields[] = {
    ROW_TEXTS(stage_group, stages, 1000, 64, FIELD_REQUIRED, "their names"),
};
RECORD_DEFINE(stage_group, "StageGroup");

static const struct field pipeline_architecture_fields[] = {
    ROW_I64(pipeline_architecture, max_devices, 1, 1000000, "devices", 0, "devices to spread over"),
    ROW_RECORDS(pipeline_architecture, colocate, stage_group, 1000, 0,
                "groups of stages kept on one device"),
    ROW_PROSE(pipeline_architecture, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(pipeline_architecture, "PipelineArchitecture");

static const struct field stage_schedule_fields[] = {
    ROW_TEXT(stage_schedule, stage, 64, FIELD_REQUIRED, "stage name"),
    ROW_TEXT(stage_schedule, client_class, 64, 0, "class id from hardware_cluster"),
    ROW_I64(stage_schedule, priority, 0, 1000000, "", 0, "a higher one is placed first"),
    ROW_PROSE(stage_schedule, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(stage_schedule, "StageSchedule");

static const struct field monitor_rule_fields[] = {
    ROW_TEXT(monitor_rule, stage, 64, 0, "stage name; absent: the whole pipeline"),
    ROW_ENUM(monitor_rule, metric, metric, FIELD_REQUIRED, "what is watched"),
    ROW_F64(monitor_rule, warn, 0, 1e+18, "unit of the metric", 0, "warn beyond this"),
    ROW_F64(monitor_rule, page, 0, 1e+18, "unit of the metric", 0, "call somebody beyond this"),
    ROW_F64(monitor_rule, window_seconds, 1, 1e+07, "s", 0, "averaged over"),
    ROW_PROSE(monitor_rule, rationale, 65536, 0, "why"),
};
RECORD_DEFINE(monitor_rule, "MonitorRule");

static const struct field deploy_step_fields[] = {
    ROW_I64(deploy_step, order, 1, 10000, "", 0, "steps run in rising order"),
    ROW_TEXT(deploy_step, stage, 64, 0, "stage it concerns"),
    ROW_ENUM(deploy_step, action, deploy_action, FIELD_REQUIRED, "what is done"),
    ROW_PROSE(deploy_step, gate, 65536, 0, "what must hold before the next step"),
};
RECORD_DEFINE(deploy_step, "DeployStep");

static const struct field pipeline_proposal_fields[] = {
    ROW_PROSE(pipeline_proposal, reasoning, 65536, 0, "the engine's own reasoning"),
    ROW_RECORD(pipeline_proposal, pipeline_architecture, pipeline_architecture, 0,
               "Optimized pipeline architecture leveraging Apple Silicon strengths"),
    ROW_RECORDS(pipeline_proposal, resource_scheduling, stage_schedule, 1000, 0,
                "Optimal resource allocation and task scheduling"),
    ROW_RECORDS(pipeline_proposal, monitoring_strategy, monitor_rule, 1000, 0,
                "Performance monitoring and auto-scaling strategy"),
    ROW_RECORDS(pipeline_proposal, deployment_plan, deploy_step, 1000, 0,
                "Deployment strategy optimized for Apple Silicon infrastructure"),
};
RECORD_DEFINE(pipeline_proposal, "PipelineProposal");

static const struct field usage_fields[] = {
    ROW_TEXT(usage, model, 128, 0, "name it was asked for"),
    ROW_I64(usage, calls, 0, 1000000, "calls", 0, "HTTP requests made"),
    ROW_I64(usage, prompt_tokens, 0, 0x1p40, "tokens", 0,
            "as the endpoint counted; absent: it did not say"),
    ROW_I64(usage, completion_tokens, 0, 0x1p40, "tokens", 0,
            "as the endpoint counted; absent: it did not say"),
    ROW_F64(usage, seconds, 0, 1e+07, "s", 0, "from request to answer"),
    ROW_I64(usage, cached_tokens, 0, 0x1p40, "tokens", 0,
            "of the prompts, that the endpoint still knew; absent: it did not say"),
    ROW_I64(usage, cache_hits, 0, 1000000, "answers", 0,
            "from the coordinator's own cache, without a call"),
};
RECORD_DEFINE(usage, "Usage");

static const struct field decision_fields[] = {
    ROW_TEXT(decision, subject, 64, 0, "class id, device id or stage; absent: the whole plan"),
    ROW_TEXT(decision, field, 128, FIELD_REQUIRED, "path in the proposal"),
    ROW_TEXT(decision, plan_field, 128, FIELD_REQUIRED, "plan field that it fills"),
    ROW_ENUM(decision, engine, engine_kind, FIELD_REQUIRED, "who gave the value that stands"),
    ROW_ENUM(decision, outcome, outcome, FIELD_REQUIRED, "what became of it"),
    ROW_TEXT(decision, proposed, 512, 0, "proposed value"),
    ROW_TEXT(decision, used, 512, 0, "value in the plan"),
    ROW_ENUM(decision, constraint, constraint, 0, "what bound it"),
    ROW_TEXT(decision, reason, 512, 0, "why, with the limit"),
};
RECORD_DEFINE(decision, "Decision");

static const struct field proposal_fields[] = {
    ROW_ENUM(proposal, engine, engine_kind, FIELD_REQUIRED, "who was asked"),
    ROW_RECORD(proposal, federated, federated_proposal, FIELD_ONE_OF, "as read"),
    ROW_RECORD(proposal, pipeline, pipeline_proposal, FIELD_ONE_OF, "as read"),
    ROW_PROSE(proposal, reply, 1048576, 0, "what the model sent, as text"),
    ROW_PROSE(proposal, failure, 512, 0, "why the engine's answer was not used at all"),
    ROW_TEXTS(proposal, notes, 1000, 512, 0, "what was forgiven or dropped while reading it"),
    ROW_RECORD(proposal, usage, usage, 0, "what it cost"),
    ROW_RECORD(proposal, lora, lora_proposal, FIELD_ONE_OF, "as read"),
    ROW_RECORD(proposal, diffusion, diffusion_proposal, FIELD_ONE_OF, "as read"),
};
RECORD_DEFINE(proposal, "Proposal");
