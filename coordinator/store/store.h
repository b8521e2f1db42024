/* store.h - what must survive kill -9: keys, devices, jobs, plans, deliveries, measurements,
 * answers.
 *
 * An actor, since a disk may take its time: the loop submits operations and receives their results
 * in the same order. A result that is ok is on the disk (WAL, synchronous=FULL). Small writes that
 * arrive together share one transaction; each operation still happens whole or not at all, and a
 * failing one (disk full, say) fails alone. Nothing that goes wrong with the database ends the
 * process.
 *
 * Two backends with one test suite: SQLite (store_sqlite.c) and memory (store_memory.c). Records
 * are kept as their protobuf, beside the columns that are searched. */
#ifndef COORDINATOR_STORE_STORE_H
#define COORDINATOR_STORE_STORE_H

#include "common/core/err.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct net;
struct store;

#define STORE_ANSWER_MAX (16 * 1024 * 1024)    /* a response with a plan of 10,000 clients */
#define STORE_BATCH_MAX 4096                   /* deliveries or measurements of one operation */
#define STORE_REPLY_MAX (5 * 1024 * 1024)      /* one model's answer, as a line of JSON */
#define STORE_REPLIES_MAX 2000                 /* answers kept; the oldest go first */
#define STORE_REPLIES_BYTES (64 * 1024 * 1024) /* of all of them; likewise */
#define STORE_PLANS_LOADED 1000                /* newest plan summaries read at start */

#define STORE_ORDERS 72 /* as many as the accountant has */

/* The differential privacy that a plan spends on its job, for all its rounds. */
struct store_charge {
    int64_t round_first, round_last; /* from 1 */
    double rho;                      /* zCDP of all these rounds */
    double sigma;                    /* noise multiplier */
    double epsilon, delta;
    double target; /* epsilon of the job's own words: STORE_PLAN is refused where it is passed */
    double rate;   /* of clients in a round, as accounted */
    /* Of one round at each order of the accountant; what all rounds may come to; the orders. */
    double spend[STORE_ORDERS], limit[STORE_ORDERS], orders[STORE_ORDERS];
};

enum store_kind {
    /* Writes.
     *
     * STORE_PLAN is one transaction: the plan with its job, and a charge or a request's answer
     * where given. Its assignments become pending deliveries; older plans of the job and their open
     * deliveries are superseded; the devices' generations rise. ERR_EXISTS when the plan or the
     * request is there already, ERR_INFEASIBLE when the charge passes the job's target: then
     * nothing of it happened. */
    STORE_PLAN,         /* plan, job; charge, request_id with answer */
    STORE_PLAN_STATE,   /* plan_id, plan_state; cancelling cancels what is open, text: the reason */
    STORE_DEVICE,       /* device_id, public_key: enrolled, or seen at now_ms */
    STORE_PROFILE,      /* device_id, profile, digest */
    STORE_GENERATION,   /* device_id, generation: at least this */
    STORE_FORGET,       /* device_id: the device and its key; what it did in plans stays */
    STORE_KEY,          /* key: added or replaced */
    STORE_KEY_FORGET,   /* public_key */
    STORE_DELIVERIES,   /* deliveries (batch): where each stands; unknown ones are ignored */
    STORE_MEASUREMENTS, /* measurements (batch); one that is there already is ignored */
    STORE_CALIBRATION,  /* calibrations (batch): added or replaced, by key */
    STORE_REQUEST,      /* request_id, answer: kept for request_keep_ms; the first answer stands */
    STORE_REPLY, /* digest, answer: what a model said; kept for reply_keep_ms; the newest stands */
    /* Reads. A plan_id may be the id, the start of one, or a job id (its newest plan). */
    STORE_GET_PLAN,         /* plan_id, device_id (NULL: all). Result: plan, deliveries */
    STORE_GET_JOB,          /* plan_id. Result: job */
    STORE_GET_DELIVERIES,   /* plan_id. Result: plan_id, plan_state, deliveries */
    STORE_GET_MEASUREMENTS, /* plan_id, device_id (NULL: all), limit: the newest, oldest first */
    STORE_LIST_PLANS,   /* plan_id: only older ones (NULL: from the newest), limit. Result: plans */
    STORE_FIND_REQUEST, /* request_id. Result: answer, NULL when there is none */
    STORE_FIND_REPLY,   /* digest. Result: answer, NULL when there is none */
    STORE_KINDS
};

/* What is asked. All that it points to is its own; a result brings it back. */
struct store_op {
    enum store_kind kind;
    uint64_t tag;   /* the caller's, echoed */
    int64_t now_ms; /* wall clock */
    char *plan_id;
    char *device_id;
    char *public_key;
    char *request_id;
    char *text;
    char *digest;
    int64_t generation;
    int64_t limit;
    int plan_state; /* enum plan_state */
    struct plan *plan;
    struct job *job;
    struct profile *profile;
    struct key *key;
    struct store_charge *charge;
    struct delivery *deliveries;
    size_t deliveries_count;
    struct device_measurement *measurements;
    size_t measurements_count;
    struct calibration *calibrations;
    size_t calibrations_count;
    uint8_t *answer;
    size_t answer_len;
};

struct store_op *store_op_new(enum store_kind kind, uint64_t tag, int64_t now_ms, struct err *err);
void store_op_free(struct store_op *op);           /* NULL is fine */
const char *store_kind_name(enum store_kind kind); /* "plan", "get_plan", ...: for logs */

/* Privacy spent on one job so far. */
struct store_spent {
    char *job_id;
    int64_t charges; /* how many plans charged it */
    double rho;      /* sums over these plans, a round counted in each */
    double epsilon, delta;
    double charged_epsilon; /* of the ledger, a round counted once; 0 in store_contents */
};

struct store_result {
    enum store_kind kind;
    uint64_t tag;
    struct err err;      /* code ERR_NONE: done, and on the disk */
    struct store_op *op; /* what was asked, with all it held: take what you need */
    char *plan_id;       /* of the plan found, or stored */
    int plan_state;      /* of it */
    struct plan *plan;
    struct job *job;
    struct delivery *deliveries;
    size_t deliveries_count;
    struct device_measurement *measurements;
    size_t measurements_count;
    struct plan_summary *plans;
    size_t plans_count;
    bool more; /* there are older plans */
    uint8_t *answer;
    size_t answer_len;
    struct store_spent *spent; /* STORE_PLAN with a charge: the job's sums afterwards */
    size_t added; /* rows that were new (STORE_MEASUREMENTS), or changed (STORE_DELIVERIES) */
};
void store_result_free(struct store_result *r); /* NULL is fine */

struct store_device {
    char *device_id;
    char *public_key;
    struct profile *profile; /* NULL: none */
    char *digest;
    int64_t generation;
    int64_t first_seen_ms, last_seen_ms; /* wall clock */
    int64_t profile_ms;                  /* wall clock; UNKNOWN_I64: none */
};

struct store_delivery {
    struct delivery delivery;
    int64_t created_ms;
    struct assignment *assignment; /* NULL where the delivery is final */
};

/* What the database held at start. */
struct store_contents {
    char *coordinator_id;         /* random, made with the database */
    struct store_device *devices; /* by id */
    size_t devices_count;
    struct key *keys;
    size_t keys_count;
    struct plan_summary
        *plans; /* newest first: every active one, and the newest STORE_PLANS_LOADED */
    size_t plans_count;
    struct store_delivery *deliveries; /* all those of active plans, and of plans with a cancelled
                                          or superseded one that its agent may not know of (30
                                          days); by plan, oldest first, then device */
    size_t deliveries_count;
    struct store_spent *spent;
    size_t spent_count;
    struct calibration *calibrations; /* by key */
    size_t calibrations_count;
};
void store_contents_free(struct store_contents *c); /* NULL is fine */

struct store_settings {
    const char *path;        /* the database file; NULL: the memory backend */
    int64_t request_keep_ms; /* answers are forgotten after this; 0: a day */
    int64_t reply_keep_ms;   /* what models said likewise; 0: a day */
};

/* Opens or makes the database, brings its schema up to date, reads it, starts the actor. A database
 * of a newer version, a damaged one, one that cannot be written or that another process uses is
 * refused, naming it. */
struct store *store_open(struct net *net, const struct store_settings *settings, struct err *err);
/* Finishes what was submitted, then closes. Results not received are lost. NULL is fine. */
void store_close(struct store *s);

/* What was read at the opening; the first call takes it, a second gets NULL. */
struct store_contents *store_load(struct store *s, struct err *err);

/* The operation moves to the actor. On failure (no memory, or STORE_QUEUE_MAX are under way) it
 * stays yours. */
#define STORE_QUEUE_MAX 4096 /* operations under way: more means that the disk does not keep up */
int store_submit(struct store *s, struct store_op **op, struct err *err);

/* The next result, in the order of submission, yours; NULL when none is ready. Never blocks. */
struct store_result *store_receive(struct store *s);
struct actor *store_actor(struct store *s);  /* for the poller */
size_t store_pending(const struct store *s); /* submitted, result not yet received */

#endif
