/* apply_load.c - what an earlier agent left, taken up where it stood.
 *
 *     no plan.json                   never told to anybody: removed
 *     no status.json, or received    told at most "received": checked and applied now
 *     applied, and it is to run      started now
 *     `started`, and no end          interrupted: what still runs is ended; failed, or run again
 *     done, failed, refused, ...     as it is
 *
 * Statuses and events that the coordinator may not have are told again. */
#include "agent/apply/apply_inside.h"
#include "agent/apply/event_tail.h"
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"

#include <inttypes.h>
#include <string.h>

static void take_interrupted(struct apply *a, struct held_plan *p, int64_t group,
                             struct apply_clock now)
{
    struct err err;

    if (command_end_orphan(p->folder, group))
        log_warn(p->job_id, "generation %" PRId64 " still ran without its agent: ended",
                 p->generation);
    a->counters.interrupted++;
    if (a->settings.rerun_interrupted && a->settings.command.argv &&
        plan_folder_unmark_started(p->folder, &err) == 0) {
        log_info(p->job_id, "generation %" PRId64 " was interrupted: run again", p->generation);
        p->state = DELIVERY_STATE_APPLIED;
        p->start = true;
        return;
    }
    held_plan_set_state(p, DELIVERY_STATE_FAILED,
                        "interrupted: the agent ended while the command ran", UNKNOWN_I64,
                        now.wall_ms);
}

static void resume(struct apply *a, struct held_plan *p, const struct assignment *as,
                   struct apply_clock now)
{
    bool known = held_plan_restore(p);
    int64_t group = 0;

    if (known && held_plan_is_final(p) && p->state != DELIVERY_STATE_APPLIED)
        return;
    if (plan_folder_read_started(p->folder, &group, NULL) == 0) {
        take_interrupted(a, p, group, now);
    } else if (!known || p->state == DELIVERY_STATE_RECEIVED) {
        if (!known)
            held_plan_set_state(p, DELIVERY_STATE_RECEIVED, NULL, UNKNOWN_I64, now.wall_ms);
        apply_admit(a, p, as, now);
    } else {
        p->state = DELIVERY_STATE_APPLIED; /* or running, of a start that was taken back */
        if (p->start && !a->settings.command.argv) {
            log_warn(p->job_id, "generation %" PRId64 " was to run, and there is no command now",
                     p->generation);
            p->start = false;
        }
    }
}

static void open_tail_if_needed(struct held_plan *p)
{
    char *events = file_path(NULL, "%s/events.jsonl", p->folder);

    if (events && file_exists(events))
        apply_open_tail(p);
    mem_free(events);
    if (p->tail && event_tail_is_done(p->tail)) {
        event_tail_free(p->tail);
        p->tail = NULL;
    }
}

/* A folder without a whole plan: of a crash, or somebody else's. */
static void drop_unfinished(struct apply *a, const char *path, const char *job, int64_t generation,
                            const struct err *why)
{
    char *file = file_path(NULL, "%s/plan.json", path);
    struct err err;

    if (file && file_exists(file))
        log_err(path, "left alone: %s", why->text);
    else if (plan_folder_remove(a->settings.folder, job, generation, &err) < 0)
        log_err(path, "%s", err.text);
    mem_free(file);
}

static int load_plan(struct apply *a, const char *job, int64_t generation, struct apply_clock now,
                     struct err *err)
{
    char *path = plan_folder_path(a->settings.folder, job, generation, err);
    struct assignment *as = NULL;
    struct held_plan *p = NULL, *added;
    struct err why;
    int rc = -1;

    if (!path)
        return -1;
    if (plan_folder_load(path, &as, &why) < 0 ||
        (strcmp(as->job_id ? as->job_id : "", job) != 0 || as->generation != generation
             ? err_set(&why, ERR_MALFORMED, "plan.json is of another job or generation")
             : 0) < 0) {
        if (why.code == ERR_NOMEM) {
            err_set(err, ERR_NOMEM, "%s", path);
        } else {
            drop_unfinished(a, path, job, generation, &why);
            rc = 0;
        }
    } else if ((p = added = held_plan_new(a->settings.folder, ++a->last_handle, as, err)) &&
               apply_add(a, &p, err) == 0) {
        resume(a, added, as, now);
        open_tail_if_needed(added);
        if (generation > a->highest)
            a->highest = generation;
        rc = 0;
    }
    held_plan_free(p);
    assignment_free(as);
    mem_free(path);
    return rc;
}

/* A crash may have come between a newer one's files and the older one's end. */
static void end_older(struct apply *a, struct apply_clock now)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct held_plan *p = a->plans[i];

        if (p->state != DELIVERY_STATE_REFUSED && p->state != DELIVERY_STATE_RECEIVED)
            apply_supersede(a, p, now);
    }
}

int apply_load(struct apply *a, struct apply_clock now, struct err *err)
{
    int64_t *generations = mem_calloc(APPLY_PLANS_MAX, sizeof *generations);
    char **jobs = NULL;
    size_t count = 0, n;
    int rc = -1;

    if (!generations) {
        err_set(err, ERR_NOMEM, "plans");
        return -1;
    }
    if (plan_folder_jobs(a->settings.folder, APPLY_PLANS_MAX, &jobs, &count, err) == 0) {
        rc = 0;
        for (size_t i = 0; i < count && rc == 0; i++) {
            if (!plan_name_is_safe(jobs[i]))
                continue;
            rc = plan_folder_generations(a->settings.folder, jobs[i], generations, APPLY_PLANS_MAX,
                                         &n, err);
            for (size_t k = 0; k < n && rc == 0; k++)
                rc = load_plan(a, jobs[i], generations[k], now, err);
        }
    }
    if (rc == 0)
        end_older(a, now);
    file_list_free(jobs, count);
    mem_free(generations);
    return rc;
}
