/* apply_inside.h - what the files of apply share; nobody else includes it. */
#ifndef AGENT_APPLY_APPLY_INSIDE_H
#define AGENT_APPLY_APPLY_INSIDE_H

#include "agent/apply/apply.h"
#include "agent/apply/held_plan.h"

/* Answers about assignments that are not held (not ours, older, never seen): the coordinator asks
 * again, so those past this many are let go. */
#define STRAYS_MAX 64

struct stray {
    struct agent_message *message;
    uint32_t number;
    bool handed_out;
};

struct apply {
    struct apply_settings settings;
    struct apply_handlers handlers;
    char *coordinator_id, *device_id; /* NULL until the first Welcome */
    struct held_plan *plans[APPLY_PLANS_MAX];
    size_t count;
    uint32_t last_handle;
    int64_t highest; /* generation */
    struct stray strays[STRAYS_MAX];
    size_t strays_count;
    uint32_t last_stray;
    bool stopping;
    int64_t tick_ms;     /* the last one */
    int64_t save_due_ms; /* of positions in events */
    struct apply_counters counters;
};

/* ---- apply.c ---- */

struct held_plan *apply_find(const struct apply *a, const char *job_id, int64_t generation);
struct held_plan *apply_newest(const struct apply *a, const char *job_id);

/* Add it to the plans; *moved is taken. -1 when there is no room and none to be made. */
int apply_add(struct apply *a, struct held_plan **moved, struct err *err);

/* Check what was received against the limits; write its files; make it current. Ends applied or
 * refused. */
void apply_admit(struct apply *a, struct held_plan *p, const struct assignment *assignment,
                 struct apply_clock now);

/* Older plans of its job that are not at an end: stop them. */
void apply_supersede(struct apply *a, const struct held_plan *newer, struct apply_clock now);

/* ---- apply_run.c ---- */

/* Start what may start; look after what runs; end what has ended. */
void apply_run_commands(struct apply *a, struct apply_clock now);

/* Ask a running command to end, or end at once what has not started. `state` is cancelled or
 * superseded. */
void apply_end_plan(struct apply *a, struct held_plan *p, int state, const char *reason,
                    struct apply_clock now);

/* Whether there are events to send. */
void apply_open_tail(struct held_plan *p);
void apply_close_tails(struct apply *a, struct apply_clock now);

/* ---- apply_load.c ---- */

int apply_load(struct apply *a, struct apply_clock now, struct err *err);

#endif
