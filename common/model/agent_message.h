/* agent_message.h - the messages between an agent and the coordinator.
 *
 * Plain structs, one per message of proto/espalier/v1/agent.proto, field for field; ranges and
 * units stand in the tables of agent_message.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an
 * enum's unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with
 * every field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_AGENT_MESSAGE_H
#define COMMON_MODEL_AGENT_MESSAGE_H

#include "common/model/enums.h"
#include "common/model/record.h"
#include "common/model/device.h"
#include "common/model/plan.h"

#include <stddef.h>
#include <stdint.h>

/* first message of a session */
struct hello {
    int64_t protocol_version;   /* 1 */
    char *agent_version;        /* version of the agent */
    char *boot_id;              /* changes when the agent starts */
    char *profile_digest;       /* changes when the profile does */
    int64_t highest_generation; /* highest generation the agent has on disk */
};
RECORD_DECLARE(hello);

/* where an assignment stands on the agent */
struct assignment_status {
    char *coordinator_id; /* from the assignment */
    char *plan_id;        /* plan */
    char *job_id;         /* job */
    int64_t generation;   /* generation */
    int state;            /* enum delivery_state: received or later */
    char *reason;         /* why refused or failed */
    int64_t exit_code;    /* of the command; -1 where a signal ended it */
    int64_t at_ms;        /* ms: wall clock of the agent */
};
RECORD_DECLARE(assignment_status);

/* what a running assignment measured */
struct measurement {
    char *plan_id;            /* plan */
    char *job_id;             /* job */
    int64_t generation;       /* generation */
    int64_t sequence;         /* line of the event file, from 1 */
    char *event;              /* name the command gave it: train, val, ... */
    int64_t iteration;        /* micro-steps: micro-step it speaks of */
    double loss;              /* training or validation loss */
    double step_seconds;      /* s: one micro-step */
    double tokens_per_second; /* tokens/s: real tokens */
    int64_t tokens;           /* tokens: trained on so far */
    int64_t peak_bytes;       /* bytes: peak memory so far */
    char *text;               /* anything else */
    int64_t at_ms;            /* ms: wall clock of the agent */
};
RECORD_DECLARE(measurement);

/* last message of a session */
struct goodbye {
    char *reason; /* why */
};
RECORD_DECLARE(goodbye);

/* what an agent sends */
struct agent_message {
    int64_t sequence;        /* set on status and measurement: repeated until a receipt names it */
    struct hello *hello;     /* first message of a session */
    struct profile *profile; /* once per change */
    struct state *state;     /* every few seconds; may be lost */
    struct assignment_status *status; /* never lost */
    struct measurement *measurement;  /* never lost */
    struct goodbye *goodbye;          /* last message */
};
RECORD_DECLARE(agent_message);

/* answer to Hello */
struct welcome {
    char *coordinator_id; /* random, made with the database */
    char *device_id;      /* who the coordinator takes the agent for */
    int64_t heartbeat_ms; /* ms: send a state at least this often */
    int want_profile;     /* enum tristate: the coordinator does not have this profile_digest */
    char *coordinator_version; /* version of the coordinator */
    int64_t wall_ms;           /* ms: wall clock of the coordinator */
};
RECORD_DECLARE(welcome);

/* stop an assignment */
struct cancel {
    char *plan_id;      /* plan */
    char *job_id;       /* job */
    int64_t generation; /* generation cancelled */
    char *reason;       /* why */
};
RECORD_DECLARE(cancel);

/* why a message was not taken */
struct refusal {
    int code;               /* enum response_code: code */
    char *field;            /* field at fault */
    char *reason;           /* what was wrong and what was wanted */
    int64_t retry_after_ms; /* ms: try again after; absent: do not */
    int64_t sequence;       /* of the refused message, where it had one */
};
RECORD_DECLARE(refusal);

/* status and measurements that are stored */
struct receipt {
    int64_t *sequences; /* they need not be sent again */
    size_t sequences_count;
};
RECORD_DECLARE(receipt);

/* what an agent receives */
struct coordinator_message {
    struct welcome *welcome;       /* answer to Hello */
    struct assignment *assignment; /* the device's part of a plan */
    struct cancel *cancel;         /* stop an assignment */
    struct refusal *refusal;       /* a message was not taken */
    struct receipt *receipt;       /* stored */
};
RECORD_DECLARE(coordinator_message);
#endif
