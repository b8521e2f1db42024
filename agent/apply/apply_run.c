/* apply_run.c - the owner's command for each plan that is to run: started, looked after, ended. */
#include "agent/apply/apply_inside.h"
#include "agent/apply/event_tail.h"
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- events ---- */

void apply_open_tail(struct held_plan *p)
{
    struct err err;

    if (!p->tail && !(p->tail = event_tail_new(p->folder, &err)))
        log_err(p->job_id, "events are not sent: %s", err.text);
}

void apply_close_tails(struct apply *a, struct apply_clock now)
{
    bool save = now.mono_ms >= a->save_due_ms;
    struct err err;

    if (save)
        a->save_due_ms = now.mono_ms + APPLY_SAVE_MS;
    for (size_t i = 0; i < a->count; i++) {
        struct held_plan *p = a->plans[i];
        bool done;

        if (!p->tail)
            continue;
        done = !p->command && event_tail_is_done(p->tail);
        if ((save || done) && event_tail_save(p->tail, &err) < 0 && !p->tail_warned) {
            log_warn(p->job_id, "events are sent again after a restart: %s", err.text);
            p->tail_warned = true;
        }
        if (done) {
            struct event_counts c = event_tail_counts(p->tail);

            a->counters.event_lines += c.lines;
            a->counters.event_garbage += c.garbage;
            a->counters.event_oversize += c.oversize;
            if (c.garbage + c.oversize > 0)
                log_warn(p->job_id, "events: %lld of %lld lines were no JSON object, %lld too long",
                         (long long)c.garbage, (long long)c.lines, (long long)c.oversize);
            event_tail_free(p->tail);
            p->tail = NULL;
        }
    }
}

/* ---- start ---- */

struct start {
    struct held_plan *plan;
    int64_t wall_ms;
};

static int mark_started(void *arg, int64_t group, struct err *err)
{
    const struct start *s = arg;

    return plan_folder_mark_started(s->plan->folder, group, s->wall_ms, err);
}

/* The files that the command writes to, so that another user can own them. */
static int make_files(const struct held_plan *p, const char *events, const char *adapters,
                      struct err *err)
{
    int fd;

    if (file_make_dirs(adapters, 0755, err) < 0 || event_file_close_line(p->folder, err) < 0)
        return -1;
    if ((fd = open(events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644)) < 0)
        return err_set_errno(err, errno, "%s", events);
    close(fd);
    return 0;
}

static int run_command(struct apply *a, struct held_plan *p, struct apply_clock now,
                       struct err *err)
{
    char *events = file_path(err, "%s/events.jsonl", p->folder);
    char *adapters = file_path(err, "%s/adapters", p->folder);
    char *env[6] = {0};
    struct start start = {p, now.wall_ms};
    int rc = -1;

    if (!events || !adapters || make_files(p, events, adapters, err) < 0)
        goto out;
    if ((env[0] = file_path(err, "ESPALIER_EVENTS=%s", events)) &&
        (env[1] = file_path(err, "ESPALIER_PLAN_DIR=%s", p->folder)) &&
        (env[2] = file_path(err, "ESPALIER_JOB=%s", p->job_id)) &&
        (env[3] = file_path(err, "ESPALIER_PLAN=%s", p->plan_id)) &&
        (env[4] = file_path(err, "ESPALIER_GENERATION=%" PRId64, p->generation))) {
        const char *owned[] = {events, adapters, NULL};
        struct command_run run = {.folder = p->folder,
                                  .env = (const char *const *)env,
                                  .owned = owned,
                                  .now_ms = now.mono_ms,
                                  .started = mark_started,
                                  .arg = &start};

        if ((p->command = command_start(&a->settings.command, &run, err)))
            rc = 0;
    }
out:
    for (size_t i = 0; i < 5; i++)
        mem_free(env[i]);
    mem_free(adapters);
    mem_free(events);
    return rc;
}

/* Memory is checked right before the start; what has just ended may take a moment to give its own
 * back. False: not now. */
static bool has_memory(struct apply *a, struct held_plan *p, const struct assignment *as,
                       struct apply_clock now)
{
    struct plan_limits limits = {.memory_bytes = UNKNOWN_I64, .disk_free_bytes = UNKNOWN_I64};
    struct err err;

    a->handlers.limits(a->handlers.arg, NULL, 0, &limits);
    if (plan_check_memory(as, &limits, &err) == 0)
        return true;
    if (p->start_by_ms == 0)
        p->start_by_ms = now.mono_ms + APPLY_START_PATIENCE_MS;
    if (now.mono_ms >= p->start_by_ms) {
        a->counters.refused++;
        held_plan_set_state(p, DELIVERY_STATE_REFUSED, err.text, UNKNOWN_I64, now.wall_ms);
    }
    return false;
}

static void start_plan(struct apply *a, struct held_plan *p, struct apply_clock now)
{
    struct assignment *as = NULL;
    struct err err;

    if (plan_folder_load(p->folder, &as, &err) < 0) {
        held_plan_set_state(p, DELIVERY_STATE_FAILED, err.text, UNKNOWN_I64, now.wall_ms);
        return;
    }
    if (has_memory(a, p, as, now)) {
        if (run_command(a, p, now, &err) < 0) {
            held_plan_set_state(p, DELIVERY_STATE_FAILED, err.text, UNKNOWN_I64, now.wall_ms);
        } else {
            a->counters.started++;
            apply_open_tail(p);
            held_plan_set_state(p, DELIVERY_STATE_RUNNING, NULL, UNKNOWN_I64, now.wall_ms);
        }
    }
    assignment_free(as);
}

static bool job_runs(const struct apply *a, const char *job_id)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->command && strcmp(a->plans[i]->job_id, job_id) == 0)
            return true;
    }
    return false;
}

static bool waits_to_start(const struct held_plan *p)
{
    return p->start && !p->command && p->state == DELIVERY_STATE_APPLIED;
}

/* ---- end ---- */

static void forget_current(struct apply *a, const struct held_plan *p)
{
    struct err err;

    if (plan_folder_current(a->settings.folder, p->job_id) == p->generation &&
        plan_folder_make_current(a->settings.folder, p->job_id, 0, &err) < 0)
        log_warn(p->job_id, "%s", err.text);
}

void apply_end_plan(struct apply *a, struct held_plan *p, int state, const char *reason,
                    struct apply_clock now)
{
    if (p->command) {
        p->stop_cancelled |= state == DELIVERY_STATE_CANCELLED;
        p->stop_superseded |= state == DELIVERY_STATE_SUPERSEDED;
        command_stop(p->command, now.mono_ms);
        return;
    }
    if (state == DELIVERY_STATE_CANCELLED)
        forget_current(a, p);
    held_plan_set_state(p, state, reason, UNKNOWN_I64, now.wall_ms);
}

static void describe(const struct command_end *end, int64_t limit_ms, char *out, size_t size)
{
    if (end->why == COMMAND_TIME_LIMIT)
        snprintf(out, size, "stopped at its time limit of %lld s", (long long)(limit_ms / 1000));
    else if (end->signal)
        snprintf(out, size, "ended by signal %d (%s)", end->signal, strsignal(end->signal));
    else
        snprintf(out, size, "the command ended with %d", end->exit_code);
}

static void end_run(struct apply *a, struct held_plan *p, const struct command_end *end,
                    struct apply_clock now)
{
    char reason[128];

    command_free(p->command);
    p->command = NULL;
    describe(end, a->settings.command.time_limit_ms, reason, sizeof reason);
    if (p->stop_cancelled) {
        forget_current(a, p);
        held_plan_set_state(p, DELIVERY_STATE_CANCELLED, reason, end->exit_code, now.wall_ms);
    } else if (p->stop_superseded) {
        held_plan_set_state(p, DELIVERY_STATE_SUPERSEDED, reason, end->exit_code, now.wall_ms);
    } else if (a->stopping && end->why == COMMAND_STOPPED) {
        a->counters.interrupted++;
        if (!a->settings.rerun_interrupted) /* else `started` without an end tells the next agent */
            held_plan_set_state(p, DELIVERY_STATE_FAILED, "interrupted: the agent was stopped",
                                end->exit_code, now.wall_ms);
    } else if (end->why == COMMAND_EXITED && end->exit_code == 0) {
        held_plan_set_state(p, DELIVERY_STATE_DONE, NULL, 0, now.wall_ms);
    } else {
        held_plan_set_state(p, DELIVERY_STATE_FAILED, reason, end->exit_code, now.wall_ms);
    }
}

void apply_run_commands(struct apply *a, struct apply_clock now)
{
    struct command_end end;
    size_t running = 0;

    for (size_t i = 0; i < a->count; i++) {
        struct held_plan *p = a->plans[i];

        if (p->command && command_poll(p->command, now.mono_ms, &end))
            end_run(a, p, &end, now);
        running += p->command != NULL;
    }
    for (size_t i = 0; i < a->count && running < APPLY_RUNNING_MAX && !a->stopping; i++) {
        struct held_plan *p = a->plans[i];

        if (waits_to_start(p) && !job_runs(a, p->job_id)) {
            start_plan(a, p, now);
            running += p->command != NULL;
        }
    }
}

/* ---- the loop's calls ---- */

void apply_tick(struct apply *a, struct apply_clock now)
{
    a->tick_ms = now.mono_ms;
    apply_run_commands(a, now);
    apply_close_tails(a, now);
}

int64_t apply_due(const struct apply *a)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < a->count; i++) {
        const struct held_plan *p = a->plans[i];

        if ((p->command || p->tail || (waits_to_start(p) && !a->stopping)) &&
            a->tick_ms + APPLY_TICK_MS < due)
            due = a->tick_ms + APPLY_TICK_MS;
        if (p->command && command_due(p->command) < due)
            due = command_due(p->command);
    }
    return due;
}

size_t apply_fds(const struct apply *a, int *fds, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < a->count && count < max; i++) {
        if (a->plans[i]->command && command_fd(a->plans[i]->command) >= 0)
            fds[count++] = command_fd(a->plans[i]->command);
    }
    return count;
}

size_t apply_groups(const struct apply *a, int64_t *groups, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < a->count && count < max; i++) {
        if (a->plans[i]->command)
            groups[count++] = command_group(a->plans[i]->command);
    }
    return count;
}

void apply_stop(struct apply *a, struct apply_clock now)
{
    a->stopping = true;
    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->command)
            command_stop(a->plans[i]->command, now.mono_ms);
    }
}

bool apply_is_idle(const struct apply *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->command)
            return false;
    }
    return true;
}
