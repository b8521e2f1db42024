/* tool_message.h - the messages between a tool and the coordinator.
 *
 * Plain structs, one per message of proto/espalier/v1/tool.proto, field for field; ranges and
 * units stand in the tables of tool_message.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an
 * enum's unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with
 * every field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_TOOL_MESSAGE_H
#define COMMON_MODEL_TOOL_MESSAGE_H

#include "common/model/enums.h"
#include "common/model/record.h"
#include "common/model/agent_message.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/plan.h"

#include <stddef.h>
#include <stdint.h>

struct prompt_reply;
struct signature_check_reply;
struct signature_check_request;
struct signature_create_request;
struct signature_list_request;
struct signature_render_request;
struct signature_reply;
struct signature_run_reply;
struct signature_run_request;
struct signature_show_request;
struct signatures_reply;

/* ask how the coordinator is */
struct status_request {
    char unused; /* it has no field yet */
};
RECORD_DECLARE(status_request);

/* list the fleet, or show one device */
struct devices_request {
    char *device_id; /* one device, or the start of its id or its name; absent: all */
    char *after;     /* page: devices after this id */
    int64_t limit;   /* devices: page size; default 1000 */
};
RECORD_DECLARE(devices_request);

/* make a plan */
struct plan_request {
    struct job *job; /* what is wanted */
    int engine;      /* enum engine_kind: who is asked; default: lm where the coordinator has one */
    int dry_run;     /* enum tristate: show it, store and deliver nothing */
};
RECORD_DECLARE(plan_request);

/* list plans, newest first */
struct plans_request {
    char *after;   /* page: plans older than this id */
    int64_t limit; /* plans: page size; default 100 */
};
RECORD_DECLARE(plans_request);

/* show a plan */
struct plan_get_request {
    char *plan_id;   /* plan, or the start of its id, or a job id (its newest plan) */
    char *device_id; /* only this client's part */
    int proposal;    /* enum tristate: with the engine's whole answer */
    char *after;     /* page: assignments of devices after this id */
    int64_t limit;   /* assignments: page size; default 1000 */
};
RECORD_DECLARE(plan_get_request);

/* cancel a plan and its open deliveries */
struct plan_cancel_request {
    char *plan_id; /* plan */
    char *reason;  /* why */
};
RECORD_DECLARE(plan_cancel_request);

/* where a plan's assignments stand */
struct deliveries_request {
    char *plan_id;    /* plan */
    int64_t revision; /* answer once something is newer than this; absent: at once */
    int64_t wait_ms;  /* ms: answer after this long at the latest */
};
RECORD_DECLARE(deliveries_request);

/* let a key in */
struct key_allow_request {
    char *public_key; /* Z85, 40 characters */
    int kind;         /* enum key_kind: agent or tool; default agent */
    int role;         /* enum role: of a tool; default viewer */
    char *name;       /* for people */
    char *device_id;  /* of an agent: the device it stands for from now on */
};
RECORD_DECLARE(key_allow_request);

/* shut a key out and forget its device */
struct key_forget_request {
    char *id; /* device id or public key */
};
RECORD_DECLARE(key_forget_request);

/* list the keys that are let in */
struct keys_request {
    char unused; /* it has no field yet */
};
RECORD_DECLARE(keys_request);

/* what a plan's clients measured */
struct measurements_request {
    char *plan_id;   /* plan */
    char *device_id; /* only this client */
    int64_t limit;   /* measurements: newest ones; default 100 */
};
RECORD_DECLARE(measurements_request);

/* list what measurements have taught */
struct calibration_request {
    char unused;
};
RECORD_DECLARE(calibration_request);

/* one run of fine-tuning that somebody measured */
struct measured_run {
    char *backend;             /* metal or cpu */
    char *chip;                /* as its profile names it; absent: any, for memory only */
    int64_t gpu_cores;         /* cores: of that chip */
    struct model_shape *shape; /* the model */
    int model_format;          /* enum model_format: how its weights were stored */
    int method;                /* enum fine_tune_method: how it was trained */
    int targets;               /* enum lora_targets: layers with adapters; default all */
    int64_t rank;              /* of the adapters */
    int64_t layers;            /* layers: blocks trained, from the top */
    int64_t batch_size;        /* sequences: in a micro-batch */
    int64_t sequence_length;   /* tokens: in a sequence */
    int grad_checkpoint;       /* enum tristate: activations were recomputed; default false */
    int64_t peak_bytes;        /* bytes: peak memory as the engine reports it */
    int64_t resident_bytes;    /* bytes: of it held between steps; absent: predicted */
    double step_seconds;       /* s: one micro-step */
};
RECORD_DECLARE(measured_run);

/* learn from runs that were measured elsewhere */
struct calibration_import_request {
    struct measured_run *runs; /* in the order they were measured */
    size_t runs_count;
};
RECORD_DECLARE(calibration_import_request);

/* what a tool sends */
struct request {
    int64_t protocol_version; /* 1 */
    char *request_id;         /* chosen by the tool; a repeated one gets the stored answer */
    int progress; /* enum tristate: send Progress before the Response (never with a REQ socket) */
    struct status_request *status;                         /* viewer */
    struct devices_request *devices;                       /* viewer */
    struct plan_request *plan;                             /* operator */
    struct plans_request *plans;                           /* viewer */
    struct plan_get_request *plan_get;                     /* viewer */
    struct plan_cancel_request *plan_cancel;               /* operator */
    struct deliveries_request *deliveries;                 /* viewer */
    struct key_allow_request *key_allow;                   /* operator */
    struct key_forget_request *key_forget;                 /* operator */
    struct keys_request *keys;                             /* operator */
    struct measurements_request *measurements;             /* viewer */
    struct signature_list_request *signature_list;         /* viewer */
    struct signature_show_request *signature_show;         /* viewer */
    struct signature_create_request *signature_create;     /* viewer: nothing is kept */
    struct signature_render_request *signature_render;     /* viewer */
    struct signature_check_request *signature_check;       /* viewer */
    struct signature_run_request *signature_run;           /* operator: it costs tokens */
    struct calibration_request *calibration;               /* viewer */
    struct calibration_import_request *calibration_import; /* operator */
};
RECORD_DECLARE(request);

/* how the coordinator is */
struct status_reply {
    char *version; /* of the coordinator */
    int64_t protocol_version;
    char *coordinator_id;     /* random, made with the database */
    double uptime_seconds;    /* s */
    int64_t devices_online;   /* devices */
    int64_t devices_late;     /* devices */
    int64_t devices_offline;  /* devices */
    int64_t classes;          /* classes: kinds of devices the planner can tell apart */
    int64_t plans_active;     /* plans */
    int64_t deliveries_open;  /* deliveries */
    char *lm_url;             /* endpoint asked by the lm engine; absent: none */
    char *lm_model;           /* model that the lm engine asks for */
    char *agents_endpoint;    /* where agents connect */
    char *tools_endpoint;     /* where tools connect */
    char *events_endpoint;    /* where events are published */
    char *public_key;         /* the coordinator's own, Z85 */
    int64_t messages_in;      /* messages: from agents since start */
    int64_t messages_refused; /* messages: from agents since start */
    int64_t messages_dropped; /* messages: a slow peer would have blocked us */
    int64_t unknown_values; /* values: fields or enum values of a newer protocol, taken as absent */
};
RECORD_DECLARE(status_reply);

/* one enrolled device */
struct device {
    char *device_id;          /* opaque, from its first key */
    char *public_key;         /* Z85 */
    int liveness;             /* enum liveness: how lately it was heard */
    char *client_class;       /* class now */
    int64_t last_seen_age_ms; /* ms: since anything was heard; absent: never */
    int64_t profile_age_ms;   /* ms: since its profile came */
    int64_t state_age_ms;     /* ms: since its state came */
    int64_t generation;       /* highest given to it */
    struct profile *profile;  /* as last reported */
    struct state *state;      /* as last reported */
    int64_t plans_open;       /* assignments: current ones */
};
RECORD_DECLARE(device);

/* a page of devices, by id */
struct devices_reply {
    struct device *devices; /* this page */
    size_t devices_count;
    char *next;    /* ask again with after = this; absent: the end */
    int64_t total; /* devices: enrolled */
};
RECORD_DECLARE(devices_reply);

/* one line about a plan */
struct plan_summary {
    char *plan_id;             /* the plan */
    char *job_id;              /* job that it answers */
    char *job_name;            /* name of the job for people */
    int kind;                  /* enum plan_kind */
    int state;                 /* enum plan_state */
    int engine_asked;          /* enum engine_kind */
    int64_t created_ms;        /* ms */
    int64_t clients;           /* clients: that take part */
    int64_t left_out;          /* clients */
    double round_seconds;      /* s: forecast */
    int64_t deliveries_open;   /* deliveries */
    int64_t deliveries_done;   /* deliveries: applied or later */
    int64_t deliveries_failed; /* deliveries: failed, refused or expired */
};
RECORD_DECLARE(plan_summary);

/* a page of plans */
struct plans_reply {
    struct plan_summary *plans; /* this page */
    size_t plans_count;
    char *next; /* ask again with after = this; absent: the end */
};
RECORD_DECLARE(plans_reply);

/* where one assignment stands */
struct delivery {
    char *plan_id;     /* plan of the assignment */
    char *device_id;   /* device that it is for */
    char *device_name; /* its name for people */
    char *job_id;      /* job of the assignment */
    int64_t generation;
    int state;    /* enum delivery_state */
    char *reason; /* why it was refused, failed or ended */
    int64_t exit_code;
    int64_t updated_ms; /* ms: wall clock, UTC */
    int64_t attempts;   /* times sent */
};
RECORD_DECLARE(delivery);

/* where a plan's assignments stand */
struct deliveries_reply {
    int64_t revision;            /* give it back to wait for the next change */
    int plan_state;              /* enum plan_state */
    struct delivery *deliveries; /* one per assignment, by rising device id */
    size_t deliveries_count;
};
RECORD_DECLARE(deliveries_reply);

/* a plan */
struct plan_reply {
    struct plan *plan;           /* the plan */
    struct delivery *deliveries; /* none for a dry run */
    size_t deliveries_count;
    struct device_measurement *measurements; /* newest ones */
    size_t measurements_count;
    char *next; /* ask again with after = this; absent: the end */
};
RECORD_DECLARE(plan_reply);

/* a measurement and who made it */
struct device_measurement {
    char *device_id;                 /* device that measured */
    struct measurement *measurement; /* what it measured */
};
RECORD_DECLARE(device_measurement);

/* what a plan's clients measured */
struct measurements_reply {
    struct device_measurement *measurements; /* newest last */
    size_t measurements_count;
};
RECORD_DECLARE(measurements_reply);

/* what measurements have taught of one kind of run */
struct calibration {
    char *key;                /* backend/chip/model/method */
    double activation_factor; /* activations: measured over predicted */
    double step_factor;       /* step time: measured over predicted */
    int64_t memory_samples;   /* samples: peaks learnt from */
    int64_t step_samples;     /* samples: step times learnt from */
    int64_t outliers;         /* samples: readings that were bounded or refused */
    int64_t updated_ms;       /* ms: wall clock of its last change */
};
RECORD_DECLARE(calibration);

/* what measurements have taught */
struct calibration_reply {
    struct calibration *calibrations; /* by key */
    size_t calibrations_count;
    int64_t learnt;  /* runs: that taught something */
    int64_t skipped; /* runs: without a usable reading */
};
RECORD_DECLARE(calibration_reply);

/* one key that is let in */
struct key {
    char *public_key; /* Z85 */
    int kind;         /* enum key_kind */
    int role;         /* enum role: of a tool */
    char *name;       /* name for people */
    char *device_id;  /* of an agent */
};
RECORD_DECLARE(key);

/* keys that are let in */
struct keys_reply {
    struct key *keys; /* agents and tools */
    size_t keys_count;
};
RECORD_DECLARE(keys_reply);

/* the request was carried out */
struct done_reply {
    char *id;   /* what it was about */
    char *text; /* in words */
};
RECORD_DECLARE(done_reply);

/* the one answer to a request */
struct response {
    char *request_id;                    /* of the request; absent where it could not be read */
    int code;                            /* enum response_code */
    char *message;                       /* what was wrong and what was wanted */
    char *field;                         /* field at fault */
    int64_t retry_after_ms;              /* ms */
    struct status_reply *status;         /* answers StatusRequest */
    struct devices_reply *devices;       /* answers DevicesRequest */
    struct plan_reply *plan;             /* answers PlanRequest and PlanGetRequest */
    struct plans_reply *plans;           /* answers PlansRequest */
    struct deliveries_reply *deliveries; /* answers DeliveriesRequest */
    struct keys_reply *keys;             /* answers KeysRequest */
    /* answers CalibrationRequest and CalibrationImportRequest */
    struct calibration_reply *calibration;
    struct measurements_reply *measurements; /* answers MeasurementsRequest */
    struct done_reply *done; /* answers PlanCancelRequest, KeyAllowRequest and KeyForgetRequest */
    struct signatures_reply *signatures; /* answers SignatureListRequest */
    struct signature_reply *signature;   /* answers SignatureShowRequest, SignatureCreateRequest */
    struct prompt_reply *prompt;         /* answers SignatureRenderRequest */
    struct signature_check_reply *signature_check; /* answers SignatureCheckRequest */
    struct signature_run_reply *signature_run;     /* answers SignatureRunRequest */
};
RECORD_DECLARE(response);

/* how far a request is */
struct progress {
    char *request_id; /* as in the request */
    char *text;       /* what is being done */
};
RECORD_DECLARE(progress);

/* what a tool receives */
struct tool_message {
    struct response *response; /* the one answer to a request */
    struct progress *progress; /* a step on the way to it */
};
RECORD_DECLARE(tool_message);
#endif
