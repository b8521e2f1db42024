/* held_plan.h - one assignment that lies on disk, as the agent has it in memory.
 *
 * Where it stands (its status) is on disk before anybody is told. Statuses that the coordinator has
 * not yet got are queued, oldest first; each is handed out once and kept until it is settled. */
#ifndef AGENT_APPLY_HELD_PLAN_H
#define AGENT_APPLY_HELD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct assignment;
struct assignment_status;
struct command;
struct err;
struct event_tail;

/* received, applied, running, done; interrupted and rerun once more; and repeats of the last. When
 * it is full the oldest that is not under way goes: the coordinator takes a later state for an
 * earlier. */
#define HELD_STATUSES_MAX 16

struct held_status {
    struct assignment_status *status;
    uint32_t number; /* within this plan, from 1 */
    bool handed_out;
};

struct held_plan {
    uint32_t handle; /* within this process, from 1 */
    char *folder;
    char *coordinator_id, *plan_id, *job_id;
    int64_t generation;
    int state;            /* enum delivery_state: where it stands */
    bool start;           /* its command is to run, or runs, or ran */
    bool reported;        /* the coordinator has the last status */
    bool stop_cancelled;  /* its command was stopped by a Cancel ... */
    bool stop_superseded; /* ... or by a newer plan */
    int64_t start_by_ms;  /* memory has until then to be there; 0: not tried yet */
    struct held_status statuses[HELD_STATUSES_MAX];
    size_t statuses_count;
    uint32_t last_number;
    struct command *command; /* while it runs */
    struct event_tail *tail; /* while there are events to send */
    bool tail_warned;        /* that it cannot be read was logged */
};

/* From an assignment; `folder` is the agent's own. */
struct held_plan *held_plan_new(const char *folder, uint32_t handle, const struct assignment *a,
                                struct err *err);
void held_plan_free(struct held_plan *p); /* NULL is fine; kills its command */

/* Nothing more will happen to it by itself. */
bool held_plan_is_final(const struct held_plan *p);

/* Nothing of it is unknown to the coordinator. */
bool held_plan_is_reported(const struct held_plan *p);

/* It now stands there: on disk first, then queued. `exit_code` may be UNKNOWN_I64, `reason` NULL. A
 * disk that fails does not stop the report: the error is logged. */
void held_plan_set_state(struct held_plan *p, int state, const char *reason, int64_t exit_code,
                         int64_t wall_ms);

/* Queue the last status again: the coordinator asked for it by sending the assignment once more. */
void held_plan_repeat(struct held_plan *p);

/* The next status that was not handed out, as a message, yours; its number. NULL: none. */
struct agent_message *held_plan_next_status(struct held_plan *p, uint32_t *number);
void held_plan_settle_status(struct held_plan *p, uint32_t number);

/* At the start: take over what status.json says. False: there is none, or it does not read. */
bool held_plan_restore(struct held_plan *p);

#endif
