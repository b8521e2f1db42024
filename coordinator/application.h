/* application.h - the coordinator's object, shared by the files of this folder only.
 *
 * coordinator.c opens, loops and closes; on_agents.c takes what agents say; on_requests.c what
 * tools ask; plans.c turns a job into deliveries; signatures.c has signatures shown, made and run;
 * on_store.c goes on where the store answered. */
#ifndef COORDINATOR_APPLICATION_H
#define COORDINATOR_APPLICATION_H

#include "coordinator/coordinator.h"

#include "common/net/keys.h"
#include "coordinator/delivery/delivery.h"
#include "coordinator/front/front.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct lesson;
struct measurement;
struct cycle;
struct cycle_note;
struct order;
struct fleet;
struct fleet_device;
struct hello;
struct job;
struct keyring;
struct map;
struct net;
struct net_poller;
struct net_zap;
struct plan;
struct plan_reply;
struct request;
struct response;
struct store;
struct store_contents;
struct store_op;
struct store_result;

/* What waits for the store, the cycle or a change. Tags of store operations are its address. */
enum pending_kind {
    PENDING_RECEIPT,      /* the agent is told that its message is stored */
    PENDING_FIND_REQUEST, /* was this request answered before? */
    PENDING_TURN,         /* a plan is being made by the cycle, or a signature asked about */
    PENDING_COMMIT,       /* a plan is being stored */
    PENDING_CANCEL,       /* a cancellation is being stored */
    PENDING_ANSWER,       /* an answer is being stored, then sent */
    PENDING_PLAN,         /* a plan is being read, for showing */
    PENDING_MEASUREMENTS, /* the measurements to show with it, or alone */
    PENDING_PLANS,        /* a list of plans is being read */
    PENDING_DELIVERIES,   /* deliveries of a plan that is not in the table */
    PENDING_REPLY,        /* the cycle asks for what a model said before */
    PENDING_IMPORT,       /* what imported runs taught is being stored */
    PENDING_WATCH,        /* a tool waits for a plan's deliveries to change */
};

struct pending {
    struct pending *next, *previous; /* all of them, so that a shutdown frees them */
    enum pending_kind kind;
    uint64_t number; /* of the planning turn */
    struct front_tool tool;
    char *request_key; /* "USER/REQUEST" where the answer is kept; NULL: it is not */
    struct request *request;
    char *device_id;           /* PENDING_RECEIPT */
    int64_t sequence;          /* UNKNOWN_I64: no receipt is wanted */
    struct lesson *lesson;     /* PENDING_RECEIPT of a measurement: learnt from once it is stored */
    struct plan *plan;         /* PENDING_COMMIT: as stored; its assignments become deliveries */
    char *plan_id;             /* PENDING_WATCH, PENDING_CANCEL */
    struct plan_reply *reply;  /* PENDING_MEASUREMENTS: the plan read before */
    struct response *response; /* PENDING_ANSWER */
    int64_t revision, deadline_ms; /* PENDING_WATCH */
    struct order *order;           /* PENDING_REPLY */
};

struct active_plan {
    char *plan_id;
    int kind; /* enum plan_kind */
};

struct coordinator {
    const struct config *config;
    struct net_keys keys;
    struct net *net;
    struct net_zap *zap;
    struct keyring *keyring;
    struct front *front;
    struct fleet *fleet;
    struct delivery_table *deliveries;
    struct store *store;
    struct cycle *cycle;
    struct net_poller *poller;
    char *coordinator_id;
    struct map *active;  /* job id -> struct active_plan */
    struct map *digests; /* device id -> profile digest of its last Hello, until the profile came */
    struct map *in_flight; /* "USER/REQUEST" -> struct pending */
    struct pending *pendings;
    int64_t started_ms, now_ms; /* monotonic */
    int64_t wall_ms;
    int64_t next_tick_ms;
    int64_t next_watch_ms; /* watchers are not answered before */
    bool watchers_due;
    int64_t event_sequence;
    uint64_t next_turn;
    int lock;
};

/* coordinator.c */
struct pending *pending_new(struct coordinator *c, enum pending_kind kind,
                            const struct front_tool *tool, struct err *err);
void pending_free(struct coordinator *c, struct pending *p); /* NULL is fine */
void publish(struct coordinator *c, int kind, const char *device_id, const char *plan_id,
             const char *job_id, int delivery_state, const char *text);
int enrol_allowed(struct coordinator *c,
                  struct err *err); /* every key of the keyring has its device */

/* on_agents.c */
void on_hello(void *arg, const char *device_id, const struct hello *hello);
void on_agent(void *arg, const char *device_id, struct agent_message **message);
void on_device_moved(void *arg, const struct fleet_device *d);
void send_assignment(struct coordinator *c, const struct delivery_item *item);
void send_cancel(struct coordinator *c, const struct delivery_item *item);
void send_receipt(struct coordinator *c, const char *device_id, int64_t sequence);
void delivery_changed(
    void *arg, const struct delivery_change *change); /* stores, tells, frees the memory held */

/* on_requests.c */
void on_request(void *arg, const struct front_tool *from, struct request **request);
void answer(struct coordinator *c, struct pending *p,
            struct response *response); /* sends, frees p */
void answer_error(struct coordinator *c, struct pending *p, const struct err *err,
                  const char *field);
void start_request(struct coordinator *c,
                   struct pending *p);     /* not answered before: carry it out */
void wake_watchers(struct coordinator *c); /* a delivery changed */
void answer_watchers(struct coordinator *c);
void expire_watchers(struct coordinator *c);

/* on_inspect.c */
void show_status(struct coordinator *c, struct pending *p);
void show_devices(struct coordinator *c, struct pending *p);
void show_keys(struct coordinator *c, struct pending *p);
void show_plans(struct coordinator *c, struct pending *p);
void show_plan(struct coordinator *c, struct pending *p);
void show_measurements(struct coordinator *c, struct pending *p);
void show_deliveries(struct coordinator *c, struct pending *p);
int answer_deliveries(struct coordinator *c, struct pending *p, const char *plan_id);

/* signatures.c */
void ask_desk(struct coordinator *c, struct pending *p); /* whatever is about signatures */
void desk_answered(struct coordinator *c, struct pending *p, struct cycle_note *note);
/* on_calibration.c */
int restore_calibrations(struct coordinator *c, struct store_contents *contents, struct err *err);
/* What a measurement says of its assignment's prediction; NULL: nothing to learn. mem_free. */
struct lesson *lesson_of(const struct delivery_item *item, const struct measurement *m);
void learn(struct coordinator *c, const char *device_id, const struct lesson *lesson);
void show_calibration(struct coordinator *c, struct pending *p);
void import_calibration(struct coordinator *c, struct pending *p);
void calibration_stored(struct coordinator *c, struct pending *p, struct store_result *r);

/* plans.c */
void begin_plan(struct coordinator *c, struct pending *p);
void on_cycle(struct coordinator *c, struct cycle_note *note);
void plan_stored(struct coordinator *c, struct pending *p, struct store_result *r);
void cancel_plan(struct coordinator *c, struct pending *p);
void plan_cancelled(struct coordinator *c, struct pending *p, struct store_result *r);
int64_t assignment_bytes(const struct assignment *a); /* what it holds of the device's memory */

/* replies.c */
void find_reply(struct coordinator *c, struct cycle_note *note);
void keep_reply(struct coordinator *c, struct cycle_note *note);
void reply_looked_up(struct coordinator *c, struct pending *p, struct store_result *r);

/* on_store.c */
void on_store(struct coordinator *c, struct store_result *r);
/* Hand an operation to the store for p (NULL: nobody waits); 0, or -1 with everything freed but p.
 */
int submit(struct coordinator *c, struct store_op **op, struct pending *p, struct err *err);
void submit_write(struct coordinator *c, struct store_op **op);

#endif
