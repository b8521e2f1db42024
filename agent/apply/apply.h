/* apply.h - assignments stored, checked and acted on; what became of them, for the coordinator.
 *
 * An assignment becomes a folder (plan_folder.h), then, where the owner set a command, a run of it
 * (command.h), whose events (event_tail.h) and end are reported. One assignment of a job is
 * current; a newer one takes its place and ends its command first. All that must not be lost is on
 * disk before it is told, and is told until the coordinator has it, across restarts of both.
 *
 * A life: apply_open (which takes up what an earlier agent left), apply_identity when the
 * coordinator said who it and we are, assignments and cancels as they come, apply_tick often,
 * apply_next_report and apply_settled with the link; apply_stop before the end. One thread; reads
 * no clock but where commands are killed at once. */
#ifndef AGENT_APPLY_APPLY_H
#define AGENT_APPLY_APPLY_H

#include "agent/apply/command.h"
#include "agent/apply/plan_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct apply;
struct assignment;
struct cancel;
struct err;

#define APPLY_PLANS_MAX \
    256 /* on disk and in memory: 200 bytes each; then the oldest final one goes */
#define APPLY_GENERATIONS_KEPT 3 /* of a job, the current one included */
#define APPLY_RUNNING_MAX 4      /* commands at once: the planner gives a Mac one or two */
#define APPLY_START_PATIENCE_MS                                                        \
    30000                  /* for memory of a command that has just ended to come back \
                            */
#define APPLY_TICK_MS 500  /* how often events are looked for while a command runs */
#define APPLY_SAVE_MS 5000 /* how often positions in events are synced to disk */

struct apply_settings {
    const char *folder;              /* the agent's own; made by the caller */
    struct command_settings command; /* argv NULL: assignments are stored, and that is all */
    bool rerun_interrupted;          /* run again what a restart interrupted */
    const char *model_dir; /* the owner's folders: see plan_check.h; NULL: the job's word */
    const char *data_dir;
};

struct apply_handlers {
    void *arg;
    /* What this machine has for a plan now. Memory of these process groups of ours counts as free:
     * they will have ended. */
    void (*limits)(void *arg, const int64_t *groups, size_t count, struct plan_limits *out);
};

struct apply_clock {
    int64_t mono_ms, wall_ms;
};

/* Settings' texts are borrowed for the apply's life. What an earlier agent left is taken up: plans
 * half stored are gone, those half applied go on, a command that was running is ended, and failed
 * as interrupted. */
struct apply *apply_open(const struct apply_settings *settings,
                         const struct apply_handlers *handlers, struct apply_clock now,
                         struct err *err);
void apply_free(struct apply *a); /* NULL is fine; kills what runs: see apply_stop */

/* Who sends assignments, and how they address us: from the Welcome. */
int apply_identity(struct apply *a, const char *coordinator_id, const char *device_id,
                   struct err *err);

int64_t apply_highest_generation(const struct apply *a);

/* Never fails: what cannot be done is reported, refused with the reason. */
void apply_assignment(struct apply *a, const struct assignment *assignment, struct apply_clock now);
void apply_cancel(struct apply *a, const struct cancel *cancel, struct apply_clock now);

/* Start, look after, and end commands; read events. */
void apply_tick(struct apply *a, struct apply_clock now);
int64_t apply_due(const struct apply *a); /* when to call it although nothing happened; INT64_MAX */

/* The next status or measurement to keep sending until apply_settled(tag); yours. NULL: none now.
 */
struct agent_message *apply_next_report(struct apply *a, struct apply_clock now, uint64_t *tag);
void apply_settled(struct apply *a, uint64_t tag);

/* For the loop: outputs to poll, and groups whose memory is a plan's. At most APPLY_RUNNING_MAX. */
size_t apply_fds(const struct apply *a, int *fds, size_t max);
size_t apply_groups(const struct apply *a, int64_t *groups, size_t max);

/* The agent ends: ask every command to end too. apply_is_idle says when they have. What is stopped
 * so is interrupted: failed, or run again by the next agent. */
void apply_stop(struct apply *a, struct apply_clock now);
bool apply_is_idle(const struct apply *a);

struct apply_counters {
    int64_t assignments, refused, repeated, started, interrupted;
    int64_t event_lines, event_garbage, event_oversize; /* of runs that have ended, and running */
};
struct apply_counters apply_counters(const struct apply *a);

#endif
