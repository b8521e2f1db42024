/* apply.c - assignments as they come, and reports as they go; see apply.h. Running commands is in
 * apply_run.c, taking up what an earlier agent left in apply_load.c. */
#include "agent/apply/apply_inside.h"
#include "agent/apply/event_tail.h"
#include "agent/apply/lora_yaml.h"
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/agent_message.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A tag is the plan's handle (0: a stray), a bit for measurements, and the status's number or the
 * event's line. */
#define TAG_EVENT 0x80000000u
#define TAG(handle, low) ((uint64_t)(handle) << 32 | (low))

struct apply *apply_open(const struct apply_settings *settings,
                         const struct apply_handlers *handlers, struct apply_clock now,
                         struct err *err)
{
    struct apply *a = mem_zalloc(sizeof *a);

    if (!a) {
        err_set(err, ERR_NOMEM, "plans");
        return NULL;
    }
    a->settings = *settings;
    a->handlers = *handlers;
    if (plan_folder_read_highest(settings->folder, &a->highest, err) < 0 ||
        apply_load(a, now, err) < 0) {
        apply_free(a);
        return NULL;
    }
    return a;
}

void apply_free(struct apply *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->tail)
            event_tail_save(a->plans[i]->tail, NULL);
        held_plan_free(a->plans[i]);
    }
    for (size_t i = 0; i < a->strays_count; i++)
        agent_message_free(a->strays[i].message);
    mem_free(a->coordinator_id);
    mem_free(a->device_id);
    mem_free(a);
}

int apply_identity(struct apply *a, const char *coordinator_id, const char *device_id,
                   struct err *err)
{
    if (a->coordinator_id && strcmp(a->coordinator_id, coordinator_id) != 0)
        log_warn(coordinator_id, "is another coordinator than before, with the same key: %s",
                 a->coordinator_id);
    if (text_set(&a->coordinator_id, coordinator_id, err) < 0 ||
        text_set(&a->device_id, device_id, err) < 0)
        return -1;
    return 0;
}

int64_t apply_highest_generation(const struct apply *a)
{
    return a->highest;
}

struct apply_counters apply_counters(const struct apply *a)
{
    struct apply_counters sum = a->counters;

    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->tail) {
            struct event_counts c = event_tail_counts(a->plans[i]->tail);

            sum.event_lines += c.lines;
            sum.event_garbage += c.garbage;
            sum.event_oversize += c.oversize;
        }
    }
    return sum;
}

/* ---- the plans ---- */

struct held_plan *apply_find(const struct apply *a, const char *job_id, int64_t generation)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->plans[i]->generation == generation && strcmp(a->plans[i]->job_id, job_id) == 0)
            return a->plans[i];
    }
    return NULL;
}

struct held_plan *apply_newest(const struct apply *a, const char *job_id)
{
    struct held_plan *newest = NULL;

    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->plans[i]->job_id, job_id) == 0 &&
            (!newest || a->plans[i]->generation > newest->generation))
            newest = a->plans[i];
    }
    return newest;
}

static void forget(struct apply *a, size_t i)
{
    struct held_plan *p = a->plans[i];
    struct err err;

    if (plan_folder_current(a->settings.folder, p->job_id) == p->generation &&
        plan_folder_make_current(a->settings.folder, p->job_id, 0, &err) < 0)
        log_warn(p->job_id, "%s", err.text);
    if (plan_folder_remove(a->settings.folder, p->job_id, p->generation, &err) < 0)
        log_warn(p->job_id, "old generation %lld stays: %s", (long long)p->generation, err.text);
    held_plan_free(p);
    memmove(&a->plans[i], &a->plans[i + 1], (--a->count - i) * sizeof(struct held_plan *));
}

/* The oldest that nobody needs any more; of one job, or (NULL) of all. */
static bool forget_oldest(struct apply *a, const char *job_id)
{
    size_t oldest = a->count;

    for (size_t i = 0; i < a->count; i++) {
        const struct held_plan *p = a->plans[i];

        if ((!job_id || strcmp(p->job_id, job_id) == 0) && held_plan_is_final(p) &&
            held_plan_is_reported(p) &&
            (oldest == a->count || p->generation < a->plans[oldest]->generation))
            oldest = i;
    }
    if (oldest == a->count)
        return false;
    forget(a, oldest);
    return true;
}

static void prune_job(struct apply *a, const char *job_id)
{
    size_t held = 0;

    for (size_t i = 0; i < a->count; i++)
        held += strcmp(a->plans[i]->job_id, job_id) == 0;
    while (held > APPLY_GENERATIONS_KEPT && forget_oldest(a, job_id))
        held--;
}

int apply_add(struct apply *a, struct held_plan **moved, struct err *err)
{
    if (a->count == APPLY_PLANS_MAX && !forget_oldest(a, NULL))
        return err_set(err, ERR_TOO_BIG, "this device holds %d plans, none of them at its end",
                       APPLY_PLANS_MAX);
    a->plans[a->count++] = *moved;
    *moved = NULL;
    return 0;
}

/* ---- answers about what is not held ---- */

static void answer(struct apply *a, const char *coordinator_id, const char *plan_id,
                   const char *job_id, int64_t generation, int state, const char *reason,
                   int64_t wall_ms)
{
    struct agent_message *m = agent_message_new(NULL);
    struct assignment_status *s;
    char clean[513]; /* as the row of the model */

    text_clean(clean, sizeof clean, reason);
    log_info(job_id, "generation %lld %s: %s", (long long)generation,
             enum_name(&delivery_state_names, state), clean);
    if (!m || a->strays_count == STRAYS_MAX || !(s = m->status = assignment_status_new(NULL)))
        goto lost;
    s->generation = generation;
    s->state = state;
    s->at_ms = wall_ms;
    if (text_set(&s->coordinator_id, coordinator_id, NULL) < 0 ||
        text_set(&s->plan_id, plan_id, NULL) < 0 || text_set(&s->job_id, job_id, NULL) < 0 ||
        text_set(&s->reason, clean, NULL) < 0 || record_check(&assignment_status_type, s, NULL) < 0)
        goto lost;
    a->strays[a->strays_count++] = (struct stray){.message = m, .number = ++a->last_stray};
    return;
lost: /* also where it lacks what a status must have: there is nothing to answer then */
    agent_message_free(m);
}

static void answer_assignment(struct apply *a, const struct assignment *as, int state,
                              const char *reason, struct apply_clock now)
{
    if (state == DELIVERY_STATE_REFUSED)
        a->counters.refused++;
    answer(a, as->coordinator_id, as->plan_id, as->job_id, as->generation, state, reason,
           now.wall_ms);
}

/* ---- an assignment ---- */

/* Where the model and the data are, and the yaml that says so. */
static int write_yaml(struct apply *a, struct held_plan *p, const struct assignment *as,
                      struct err *err)
{
    char *standard = file_path(err, "%s/data", a->settings.folder);
    char *adapters = file_path(err, "%s/adapters", p->folder);
    char *model = NULL, *data = NULL, *yaml = NULL;
    struct plan_place model_place = {"model", "config.json", a->settings.model_dir, NULL};
    struct plan_place data_place = {"data", "train.jsonl", a->settings.data_dir, standard};
    int rc = -1;

    if (standard && adapters &&
        plan_find_folder(&model_place, as->training->model_path, &model, err) == 0 &&
        plan_find_folder(&data_place, as->training->data_path, &data, err) == 0) {
        struct lora_paths paths = {model, data, adapters};

        if ((yaml = lora_yaml(as, &paths, err)))
            rc = plan_folder_write_yaml(p->folder, yaml, err);
    }
    mem_free(yaml);
    mem_free(data);
    mem_free(model);
    mem_free(adapters);
    mem_free(standard);
    return rc;
}

static int check_and_write(struct apply *a, struct held_plan *p, const struct assignment *as,
                           struct err *err)
{
    struct plan_limits limits = {.memory_bytes = UNKNOWN_I64, .disk_free_bytes = UNKNOWN_I64};
    int64_t groups[APPLY_RUNNING_MAX];
    size_t count = 0;

    /* What runs for this job now will have ended before this one starts. */
    for (size_t i = 0; i < a->count && count < APPLY_RUNNING_MAX; i++) {
        if (a->plans[i]->command && strcmp(a->plans[i]->job_id, p->job_id) == 0)
            groups[count++] = command_group(a->plans[i]->command);
    }
    a->handlers.limits(a->handlers.arg, groups, count, &limits);
    if (plan_check_memory(as, &limits, err) < 0 || plan_check_disk(as, &limits, err) < 0)
        return -1;
    if (as->training && as->participate == TRI_TRUE && write_yaml(a, p, as, err) < 0)
        return -1;
    return plan_folder_make_current(a->settings.folder, p->job_id, p->generation, err);
}

void apply_supersede(struct apply *a, const struct held_plan *newer, struct apply_clock now)
{
    char reason[64];

    snprintf(reason, sizeof reason, "generation %lld of the job took its place",
             (long long)newer->generation);
    for (size_t i = 0; i < a->count; i++) {
        struct held_plan *p = a->plans[i];

        if (p->generation < newer->generation && strcmp(p->job_id, newer->job_id) == 0 &&
            !held_plan_is_final(p))
            apply_end_plan(a, p, DELIVERY_STATE_SUPERSEDED, reason, now);
    }
}

void apply_admit(struct apply *a, struct held_plan *p, const struct assignment *as,
                 struct apply_clock now)
{
    struct err err;

    if (check_and_write(a, p, as, &err) < 0) {
        a->counters.refused++;
        held_plan_set_state(p, DELIVERY_STATE_REFUSED, err.text, UNKNOWN_I64, now.wall_ms);
        return; /* an older one of the job stays current, and goes on if it runs */
    }
    p->start = as->participate == TRI_TRUE && a->settings.command.argv;
    held_plan_set_state(p, DELIVERY_STATE_APPLIED,
                        as->participate == TRI_TRUE ? NULL : "stored; it takes no part",
                        UNKNOWN_I64, now.wall_ms);
    apply_supersede(a, p, now);
    prune_job(a, p->job_id);
}

/* New to us: on disk, then told, then checked. */
static void accept(struct apply *a, const struct assignment *as, struct apply_clock now)
{
    struct held_plan *p = held_plan_new(a->settings.folder, ++a->last_handle, as, NULL), *added = p;
    struct err err = {0};

    if (!p)
        err_set(&err, ERR_NOMEM, "no memory for a plan");
    if (!p || plan_folder_store(a->settings.folder, as, &err) < 0 ||
        (as->generation > a->highest &&
         plan_folder_write_highest(a->settings.folder, as->generation, &err) < 0) ||
        apply_add(a, &p, &err) < 0) {
        held_plan_free(p);
        plan_folder_remove(a->settings.folder, as->job_id, as->generation, NULL);
        answer_assignment(a, as, DELIVERY_STATE_REFUSED, err.text, now);
        return;
    }
    if (as->generation > a->highest)
        a->highest = as->generation;
    held_plan_set_state(added, DELIVERY_STATE_RECEIVED, NULL, UNKNOWN_I64, now.wall_ms);
    apply_admit(a, added, as, now);
}

void apply_assignment(struct apply *a, const struct assignment *as, struct apply_clock now)
{
    struct held_plan *newest, *same;
    char reason[96];
    struct err err;

    a->counters.assignments++;
    if (plan_check_identity(as, a->device_id, a->coordinator_id, &err) < 0) {
        answer_assignment(a, as, DELIVERY_STATE_REFUSED, err.text, now);
        return;
    }
    newest = apply_newest(a, as->job_id);
    same = apply_find(a, as->job_id, as->generation);
    if (same && strcmp(same->plan_id, as->plan_id) == 0) {
        a->counters.repeated++;
        held_plan_repeat(same);
    } else if (same) {
        answer_assignment(a, as, DELIVERY_STATE_REFUSED,
                          "generation: another plan of the job has it on this device", now);
    } else if (newest && as->generation < newest->generation) {
        snprintf(reason, sizeof reason, "this device holds generation %lld of the job",
                 (long long)newest->generation);
        answer_assignment(a, as, DELIVERY_STATE_SUPERSEDED, reason, now);
    } else {
        accept(a, as, now);
    }
}

void apply_cancel(struct apply *a, const struct cancel *c, struct apply_clock now)
{
    struct held_plan *p = apply_find(a, c->job_id, c->generation);
    const char *reason = c->reason ? c->reason : "cancelled";

    if (!p || strcmp(p->plan_id, c->plan_id) != 0) {
        if (a->coordinator_id)
            answer(a, a->coordinator_id, c->plan_id, c->job_id, c->generation,
                   DELIVERY_STATE_CANCELLED, "this device does not hold it", now.wall_ms);
    } else if (held_plan_is_final(p) && p->state != DELIVERY_STATE_APPLIED) {
        held_plan_repeat(p);
    } else {
        apply_end_plan(a, p, DELIVERY_STATE_CANCELLED, reason, now);
    }
}

/* ---- reports ---- */

static struct agent_message *next_stray(struct apply *a, uint64_t *tag)
{
    for (size_t i = 0; i < a->strays_count; i++) {
        struct stray *s = &a->strays[i];
        struct agent_message *copy;

        if (s->handed_out || !(copy = agent_message_dup(s->message, NULL)))
            continue;
        s->handed_out = true;
        *tag = TAG(0, s->number);
        return copy;
    }
    return NULL;
}

static struct agent_message *next_event(struct held_plan *p, struct apply_clock now, uint64_t *tag)
{
    struct agent_message *message;
    struct measurement *m = NULL;
    struct err err;
    int rc = event_tail_next(p->tail, !p->command, now.wall_ms, &m, &err);

    if (rc < 0 && !p->tail_warned) {
        log_warn(p->job_id, "events: %s", err.text);
        p->tail_warned = true;
    }
    if (rc != 1)
        return NULL;
    m->generation = p->generation;
    if ((message = agent_message_new(NULL)) && text_set(&m->plan_id, p->plan_id, NULL) == 0 &&
        text_set(&m->job_id, p->job_id, NULL) == 0) {
        message->measurement = m;
        *tag = TAG(p->handle, TAG_EVENT | (uint32_t)m->sequence);
        return message;
    }
    log_err(p->job_id, "no memory: event %lld is lost", (long long)m->sequence);
    event_tail_settle(p->tail, m->sequence);
    agent_message_free(message);
    measurement_free(m);
    return NULL;
}

struct agent_message *apply_next_report(struct apply *a, struct apply_clock now, uint64_t *tag)
{
    struct agent_message *message = next_stray(a, tag);
    uint32_t number;

    for (size_t i = 0; i < a->count && !message; i++) {
        if ((message = held_plan_next_status(a->plans[i], &number)))
            *tag = TAG(a->plans[i]->handle, number);
    }
    for (size_t i = 0; i < a->count && !message; i++) {
        if (a->plans[i]->tail)
            message = next_event(a->plans[i], now, tag);
    }
    return message;
}

static void settle_stray(struct apply *a, uint32_t number)
{
    for (size_t i = 0; i < a->strays_count; i++) {
        if (a->strays[i].number != number)
            continue;
        agent_message_free(a->strays[i].message);
        memmove(&a->strays[i], &a->strays[i + 1], (--a->strays_count - i) * sizeof a->strays[0]);
        return;
    }
}

void apply_settled(struct apply *a, uint64_t tag)
{
    uint32_t handle = (uint32_t)(tag >> 32), low = (uint32_t)tag;

    if (handle == 0)
        settle_stray(a, low);
    for (size_t i = 0; i < a->count && handle != 0; i++) {
        if (a->plans[i]->handle != handle)
            continue;
        if (!(low & TAG_EVENT))
            held_plan_settle_status(a->plans[i], low);
        else if (a->plans[i]->tail)
            event_tail_settle(a->plans[i]->tail, low & ~TAG_EVENT);
    }
}
