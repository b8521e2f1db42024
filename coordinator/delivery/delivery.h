/* delivery.h - where each assignment stands.
 *
 * A table of deliveries, one per (plan, device), each in one of the states of enum delivery_state.
 * What an event does in a state is data (delivery_next). A late or repeated status changes nothing.
 * One current delivery per (device, job): a newer generation supersedes. Belongs to one thread;
 * reads no clock: now_ms is the wall clock, since deliveries outlive the process. The caller writes
 * every change that it is told of to the store.
 *
 * Assignments stay in memory while they may have to be sent again, that is until the delivery is
 * final. When the table is full, plans whose deliveries are all final leave it, oldest first; the
 * store has them. */
#ifndef COORDINATOR_DELIVERY_DELIVERY_H
#define COORDINATOR_DELIVERY_DELIVERY_H

#include "common/model/enums.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assignment;
struct assignment_status;
struct prediction;
struct delivery;
struct delivery_table;
struct err;

enum delivery_event {
    DELIVERY_EVENT_SENT,     /* handed to the socket */
    DELIVERY_EVENT_RECEIVED, /* the agent says ... */
    DELIVERY_EVENT_APPLIED,
    DELIVERY_EVENT_RUNNING,
    DELIVERY_EVENT_DONE,
    DELIVERY_EVENT_FAILED,
    DELIVERY_EVENT_REFUSED,
    DELIVERY_EVENT_SUPERSEDED, /* a newer generation or a newer plan of the job; also the agent's
                                  word */
    DELIVERY_EVENT_CANCELLED,  /* somebody cancelled the plan; also the agent's word */
    DELIVERY_EVENT_EXPIRED,    /* not received in time */
    DELIVERY_EVENTS
};

/* The state after `event`; the same state when the event says nothing new. `newer`: the agent's
 * time of the event is after that of its last one (a failed command may be run again, an old report
 * may not revive it). */
enum delivery_state delivery_next(enum delivery_state state, enum delivery_event event, bool newer);

/* done, failed, refused, superseded, cancelled or expired. */
bool delivery_is_final(enum delivery_state state);

/* One delivery, to read; borrowed until the next call that changes the table. */
struct delivery_item {
    char *plan_id;
    char *job_id;
    char *device_id;
    char *device_name; /* NULL: none */
    int64_t generation;
    enum delivery_state state;
    char *reason;                        /* why refused or failed; NULL: none */
    int64_t exit_code;                   /* UNKNOWN_I64: none */
    int64_t created_ms;                  /* wall clock: the plan's commit */
    int64_t updated_ms;                  /* wall clock: last change */
    int64_t agent_ms;                    /* agent's clock of its last status; UNKNOWN_I64: none */
    int64_t attempts;                    /* times sent */
    const struct assignment *assignment; /* NULL once it was final */
};

struct delivery_change {
    const struct delivery_item *item; /* as it is now */
    enum delivery_state before;       /* the same as item->state: nothing changed */
    bool changed;                     /* state, reason or exit code: to be stored and told */
};

typedef void delivery_change_fn(void *arg, const struct delivery_change *change);

/* What a plan's deliveries come to. */
struct delivery_counts {
    size_t total;
    size_t open;       /* pending, sent, received */
    size_t done;       /* applied, running, done */
    size_t failed;     /* failed, refused, expired */
    size_t closed;     /* superseded, cancelled */
    size_t unfinished; /* not final: open, applied, running */
    size_t by_state[DELIVERY_STATE_EXPIRED + 1];
};

#define DELIVERY_ITEMS_MAX 4000000 /* 40 plans for 100,000 devices */

/* max_items deliveries at most. expire_ms: what no agent received for this long expires. */
struct delivery_table *delivery_table_new(size_t max_items, int64_t expire_ms, struct err *err);
void delivery_table_free(struct delivery_table *t); /* NULL is fine */
void delivery_set_expire(struct delivery_table *t, int64_t expire_ms);

/* Could this many more be opened? Makes room by dropping finished plans. ERR_BUSY when not. */
int delivery_room(struct delivery_table *t, size_t more, struct err *err);

/* A new delivery, pending: ids, name and generation are the assignment's, which moves in. The
 * current delivery of the same (device, job), if its generation is lower, is superseded:
 * *superseded (may be NULL) says so (changed is false when there was none). ERR_EXISTS when the
 * plan has one for the device, or when a delivery of the same job with the same or a higher
 * generation is there. */
int delivery_open(struct delivery_table *t, struct assignment **assignment, int64_t now_ms,
                  struct delivery_change *superseded, struct err *err);

/* One from the store, as it stood. *assignment moves in; NULL where it is final. No superseding. */
int delivery_load(struct delivery_table *t, const struct delivery *saved, int64_t created_ms,
                  struct assignment **assignment, struct err *err);

/* Handed to the socket. attempts rises with every call. */
int delivery_sent(struct delivery_table *t, const char *plan_id, const char *device_id,
                  int64_t now_ms, struct delivery_change *out, struct err *err);

/* A device's word on one of its assignments. ERR_NOT_FOUND: no such delivery (any more): it may be
 * receipted all the same. ERR_INVALID: a state that is not an agent's to report. */
int delivery_status(struct delivery_table *t, const char *device_id,
                    const struct assignment_status *status, int64_t now_ms,
                    struct delivery_change *out, struct err *err);

/* Every delivery of a plan that is not final; fn (may be NULL) for each that changed; it must not
 * change the table. Returns how many changed; -1 when the plan is not here. */
int64_t delivery_cancel_plan(struct delivery_table *t, const char *plan_id, const char *reason,
                             int64_t now_ms, delivery_change_fn *fn, void *arg);
int64_t delivery_supersede_plan(struct delivery_table *t, const char *plan_id, int64_t now_ms,
                                delivery_change_fn *fn, void *arg);
/* The same for all that a device has. */
int64_t delivery_cancel_device(struct delivery_table *t, const char *device_id, const char *reason,
                               int64_t now_ms, delivery_change_fn *fn, void *arg);

/* What nobody received for expire_ms. Looks only at plans that have such. */
size_t delivery_expire(struct delivery_table *t, int64_t now_ms, delivery_change_fn *fn, void *arg);

/* What to send when the device says Hello: pending and sent ones, and what it once had and lost
 * (its highest_generation is lower; pass INT64_MAX for only the unreceived). In order of
 * generation: start with *after = 0, until NULL. Sending one (delivery_sent) between two calls is
 * fine. */
const struct delivery_item *delivery_due(const struct delivery_table *t, const char *device_id,
                                         int64_t highest_generation, int64_t *after);

/* What the device may still be running though it was cancelled, or superseded by a plan that leaves
 * the device out: for a Cancel message on Hello. Those that were sent and whose end the agent never
 * reported; after a restart of ours that is not known, and one too many is harmless. As
 * delivery_due. */
const struct delivery_item *delivery_to_cancel(const struct delivery_table *t,
                                               const char *device_id, int64_t *after);

const struct delivery_item *delivery_find(const struct delivery_table *t, const char *plan_id,
                                          const char *device_id);
/* What was predicted of its assignment, also once that was final; NULL: nothing. Borrowed. */
const struct prediction *delivery_prediction(const struct delivery_item *item);
size_t delivery_open_for_device(const struct delivery_table *t,
                                const char *device_id); /* not final */

/* The plan's revision rises with every change of any of its deliveries, also over restarts; 0: the
 * plan is not here. */
int64_t delivery_revision(const struct delivery_table *t, const char *plan_id);
/* All zero when the plan is not here. */
struct delivery_counts delivery_counts(const struct delivery_table *t, const char *plan_id);
struct delivery_counts delivery_counts_all(const struct delivery_table *t);

/* For a reply: one block of records in order of device id, each to be cleared with
 * record_clear(&delivery_type) or moved into a deliveries_reply. ERR_NOT_FOUND when the plan is not
 * here. */
int delivery_for_plan(const struct delivery_table *t, const char *plan_id, struct delivery **out,
                      size_t *count, struct err *err);

/* One item as the model's record, for the store. */
int delivery_item_to_model(const struct delivery_item *item, struct delivery *out, struct err *err);

/* Plans in the table, in order of opening; start with *cursor = 0, until NULL. */
const char *delivery_next_plan(const struct delivery_table *t, size_t *cursor);

#endif
