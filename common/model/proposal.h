/* proposal.h - an engine's typed answer and what became of it.
 *
 * Plain structs, one per message of proto/espalier/v1/proposal.proto, field for field; ranges and
 * units stand in the tables of proposal.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an enum's
 * unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with every
 * field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_PROPOSAL_H
#define COMMON_MODEL_PROPOSAL_H

#include "common/model/enums.h"
#include "common/model/record.h"
#include "common/model/device_proposal.h"

#include <stddef.h>
#include <stdint.h>

/* typed form of the output optimization_strategy */
struct optimization_strategy {
    int model_format;        /* enum model_format: base format for clients whose own is not given */
    int grad_checkpoint;     /* enum tristate: recompute activations */
    int64_t sequence_length; /* tokens: tokens per sequence */
    char *rationale;         /* why */
};
RECORD_DECLARE(optimization_strategy);

/* typed form of the output resource_allocation */
struct resource_allocation {
    int64_t rank;        /* LoRA rank of every client */
    int64_t layers;      /* layers: blocks trained, from the top */
    double memory_share; /* share: share of its memory limit that a client may fill */
    char *rationale;     /* why */
};
RECORD_DECLARE(resource_allocation);

/* one class of clients, typed form of the output client_optimization */
struct client_optimization {
    char *client_class;        /* class id from client_capabilities */
    int participate;           /* enum tristate: take part in the round */
    int model_format;          /* enum model_format: base format */
    int64_t batch_size;        /* sequences: micro-batch */
    int64_t grad_accumulation; /* micro-steps: micro-batches per optimizer update */
    int64_t sequence_length;   /* tokens: tokens per sequence */
    int grad_checkpoint;       /* enum tristate: recompute activations */
    int64_t local_steps;       /* steps: optimizer updates per round */
    char *rationale;           /* why */
};
RECORD_DECLARE(client_optimization);

/* typed form of the output communication_protocol */
struct communication_protocol {
    int upload_format; /* enum upload_format: format of an update */
    char *rationale;   /* why */
};
RECORD_DECLARE(communication_protocol);

/* typed form of the output convergence_strategy */
struct convergence_strategy {
    double learning_rate;        /* of the local optimizer */
    int lr_schedule;             /* enum lr_schedule: schedule */
    int64_t warmup_steps;        /* steps: updates before the full learning rate */
    int64_t local_steps_max;     /* steps: most updates of any client in a round */
    double server_learning_rate; /* step size of the server */
    double proximal_mu;          /* FedProx coefficient */
    char *rationale;             /* why */
};
RECORD_DECLARE(convergence_strategy);

/* typed outputs of FederatedLearning */
struct federated_proposal {
    char *reasoning; /* the engine's own reasoning */
    /* Hardware-optimized strategy leveraging unified memory and Metal GPU */
    struct optimization_strategy *optimization_strategy;
    struct resource_allocation
        *resource_allocation; /* Optimal resource allocation for Apple Silicon architecture */
    struct client_optimization
        *client_optimization; /* Per-client optimization strategy based on hardware capabilities */
    size_t client_optimization_count;
    struct communication_protocol
        *communication_protocol; /* Efficient communication protocol for model updates */
    /* Convergence optimization for heterogeneous Apple Silicon devices */
    struct convergence_strategy *convergence_strategy;
};
RECORD_DECLARE(federated_proposal);

/* stages kept on one device */
struct stage_group {
    char **stages; /* their names */
    size_t stages_count;
};
RECORD_DECLARE(stage_group);

/* typed form of the output pipeline_architecture */
struct pipeline_architecture {
    int64_t max_devices;          /* devices: devices to spread over */
    struct stage_group *colocate; /* groups of stages kept on one device */
    size_t colocate_count;
    char *rationale; /* why */
};
RECORD_DECLARE(pipeline_architecture);

/* one stage, typed form of the output resource_scheduling */
struct stage_schedule {
    char *stage;        /* stage name */
    char *client_class; /* class id from hardware_cluster */
    int64_t priority;   /* a higher one is placed first */
    char *rationale;    /* why */
};
RECORD_DECLARE(stage_schedule);

/* one rule, typed form of the output monitoring_strategy */
struct monitor_rule {
    char *stage;           /* stage name; absent: the whole pipeline */
    int metric;            /* enum metric: what is watched */
    double warn;           /* unit of the metric: warn beyond this */
    double page;           /* unit of the metric: call somebody beyond this */
    double window_seconds; /* s: averaged over */
    char *rationale;       /* why */
};
RECORD_DECLARE(monitor_rule);

/* one step, typed form of the output deployment_plan */
struct deploy_step {
    int64_t order; /* steps run in rising order */
    char *stage;   /* stage it concerns */
    int action;    /* enum deploy_action: what is done */
    char *gate;    /* what must hold before the next step */
};
RECORD_DECLARE(deploy_step);

/* typed outputs of MLPipelineOptimization */
struct pipeline_proposal {
    char *reasoning; /* the engine's own reasoning */
    /* Optimized pipeline architecture leveraging Apple Silicon strengths */
    struct pipeline_architecture *pipeline_architecture;
    struct stage_schedule
        *resource_scheduling; /* Optimal resource allocation and task scheduling */
    size_t resource_scheduling_count;
    struct monitor_rule *monitoring_strategy; /* Performance monitoring and auto-scaling strategy */
    size_t monitoring_strategy_count;
    struct deploy_step
        *deployment_plan; /* Deployment strategy optimized for Apple Silicon infrastructure */
    size_t deployment_plan_count;
};
RECORD_DECLARE(pipeline_proposal);

/* what a language model cost */
struct usage {
    char *model;               /* name it was asked for */
    int64_t calls;             /* calls: HTTP requests made */
    int64_t prompt_tokens;     /* tokens: as the endpoint counted; absent: it did not say */
    int64_t completion_tokens; /* tokens: as the endpoint counted; absent: it did not say */
    double seconds;            /* s: from request to answer */
    int64_t cached_tokens;     /* tokens: of the prompts, that the endpoint still knew */
    int64_t cache_hits;        /* answers: from the coordinator's own cache, without a call */
};
RECORD_DECLARE(usage);

/* what became of one proposed value */
struct decision {
    char *subject;    /* class id, device id or stage; absent: the whole plan */
    char *field;      /* path in the proposal */
    char *plan_field; /* plan field that it fills */
    int engine;       /* enum engine_kind: who gave the value that stands */
    int outcome;      /* enum outcome: what became of it */
    char *proposed;   /* proposed value */
    char *used;       /* value in the plan */
    int constraint;   /* enum constraint: what bound it */
    char *reason;     /* why, with the limit */
};
RECORD_DECLARE(decision);

/* an engine's answer, kept with the plan */
struct proposal {
    int engine;                           /* enum engine_kind: who was asked */
    struct federated_proposal *federated; /* as read */
    struct pipeline_proposal *pipeline;   /* as read */
    char *reply;                          /* what the model sent, as text */
    char *failure;                        /* why the engine's answer was not used at all */
    char **notes;                         /* what was forgiven or dropped while reading it */
    size_t notes_count;
    struct usage *usage;                  /* what it cost */
    struct lora_proposal *lora;           /* as read */
    struct diffusion_proposal *diffusion; /* as read */
};
RECORD_DECLARE(proposal);
#endif
