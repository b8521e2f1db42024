/* cycle.h - one planning turn after another: snapshot -> envelope -> signature -> proposal -> plan.
 *
 * An actor: the loop hands it a job and a snapshot and later gets a plan or the reason why there is
 * none. Turns that wait for a language model do not hold up others. When a model's answer has come
 * the cycle asks for the fleet as it is then (CYCLE_WANT_SNAPSHOT), and verifies against that:
 * minutes may have passed. Whatever is wrong with the model or its answer, the analytic plan stands
 * and the plan says so.
 *
 * Owned by one thread, the loop's. */
#ifndef COORDINATOR_CYCLE_CYCLE_H
#define COORDINATOR_CYCLE_CYCLE_H

#include "common/core/err.h"
#include "common/model/enums.h"
#include "coordinator/planner/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct cycle;
struct order;
struct job;
struct lm_settings;
struct net;
struct plan;
struct request;
struct response;
struct snapshot;

#define CYCLE_TURNS_MAX 64 /* under way at once; a plan request past it is answered with busy */

struct cycle_settings {
    struct policy policy;
    const struct lm_settings *lm; /* copied; backend none: jobs that ask for a model fall back */
    int64_t lm_max_tokens;        /* longest answer asked for */
    int64_t lm_fleet_tokens;      /* what the table of the fleet may cost in a prompt */
    bool ask_json;                /* ask for one JSON object first, not for fields under markers */
    bool retry;                   /* show the model once what was wrong with its answer */
    const char *framing_file;     /* words around the fields; NULL: the built-in ones */
    const char *federated_program, *pipeline_program; /* saved programs of DSPy; NULL: none */
    bool keeps_replies;        /* the owner keeps what models said: see CYCLE_FIND_REPLY */
    const char *signature_dir; /* the user's own signatures; NULL: none; needed while starting */
};

/* Texts are read before it returns. Refused: a framing or a program that cannot be used. */
struct cycle *cycle_start(struct net *net, const struct cycle_settings *settings, struct err *err);
void cycle_stop(struct cycle *c); /* turns under way are dropped; NULL is fine */

/* Begin a turn. job moves in; the snapshot is referenced. `turn` is the caller's number for it.
 * ERR_BUSY past CYCLE_TURNS_MAX. */
int cycle_begin(struct cycle *c, uint64_t turn, struct job **job, enum engine_kind engine,
                const struct snapshot *snapshot, struct err *err);
/* The answer to CYCLE_WANT_SNAPSHOT. */
int cycle_continue(struct cycle *c, uint64_t turn, const struct snapshot *snapshot,
                   struct err *err);

/* The answer to CYCLE_FIND_REPLY: the record that is kept, copied; NULL: none. The model is not
 * asked before. */
void cycle_found(struct cycle *c, struct order **moved, const void *record, size_t len);
void cycle_order_free(struct order *o); /* one that no answer comes to; NULL is fine */
/* A request about signatures (desk.h); *moved is NULL afterwards. Answered with CYCLE_ANSWER. */
int cycle_ask(struct cycle *c, uint64_t turn, struct request **moved, struct err *err);

enum cycle_note_kind {
    CYCLE_PROGRESS,      /* text says what is being done */
    CYCLE_WANT_SNAPSHOT, /* call cycle_continue with the fleet as it is now */
    CYCLE_DONE,          /* plan, or err where it is NULL; job is given back */
    CYCLE_FIND_REPLY,    /* is a reply kept under the key in text? take order, call cycle_found */
    CYCLE_KEEP_REPLY,    /* keep record under the key in text */
    CYCLE_ANSWER,        /* response, or err where it is NULL: the end of a cycle_ask */
};

struct cycle_note {
    enum cycle_note_kind kind;
    uint64_t turn; /* 0: of no turn */
    char text[160];
    char *record;              /* one line of JSON; may be taken */
    struct order *order;       /* may be taken */
    struct plan *plan;         /* may be taken: set to NULL */
    struct job *job;           /* likewise */
    struct response *response; /* likewise */
    struct err err;
};

struct cycle_note *cycle_receive(struct cycle *c); /* NULL: none now */
void cycle_note_free(struct cycle_note *n);        /* NULL is fine */

struct actor *cycle_actor(struct cycle *c); /* for the poller */

#endif
