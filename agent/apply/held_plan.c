/* held_plan.c - see held_plan.h. */
#include "agent/apply/held_plan.h"
#include "agent/apply/command.h"
#include "agent/apply/event_tail.h"
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/agent_message.h"

#include <string.h>

struct held_plan *held_plan_new(const char *folder, uint32_t handle, const struct assignment *a,
                                struct err *err)
{
    struct held_plan *p = mem_zalloc(sizeof *p);

    if (!p) {
        err_set(err, ERR_NOMEM, "plan");
        return NULL;
    }
    p->handle = handle;
    p->generation = a->generation;
    if (!(p->folder = plan_folder_path(folder, a->job_id, a->generation, err)) ||
        text_set(&p->coordinator_id, a->coordinator_id, err) < 0 ||
        text_set(&p->plan_id, a->plan_id, err) < 0 || text_set(&p->job_id, a->job_id, err) < 0) {
        held_plan_free(p);
        return NULL;
    }
    return p;
}

void held_plan_free(struct held_plan *p)
{
    if (!p)
        return;
    command_free(p->command);
    event_tail_free(p->tail);
    for (size_t i = 0; i < p->statuses_count; i++)
        assignment_status_free(p->statuses[i].status);
    mem_free(p->folder);
    mem_free(p->coordinator_id);
    mem_free(p->plan_id);
    mem_free(p->job_id);
    mem_free(p);
}

bool held_plan_is_final(const struct held_plan *p)
{
    switch (p->state) {
    case DELIVERY_STATE_DONE:
    case DELIVERY_STATE_FAILED:
    case DELIVERY_STATE_REFUSED:
    case DELIVERY_STATE_SUPERSEDED:
    case DELIVERY_STATE_CANCELLED:
        return true;
    default:
        return !p->start && p->state == DELIVERY_STATE_APPLIED;
    }
}

bool held_plan_is_reported(const struct held_plan *p)
{
    return p->statuses_count == 0 && !p->tail && !p->command;
}

static void drop_status(struct held_plan *p, size_t i)
{
    assignment_status_free(p->statuses[i].status);
    p->statuses_count--;
    memmove(&p->statuses[i], &p->statuses[i + 1], (p->statuses_count - i) * sizeof p->statuses[0]);
}

/* Takes the status over. */
static void queue_status(struct held_plan *p, struct assignment_status *status)
{
    size_t i = 0;

    if (p->statuses_count == HELD_STATUSES_MAX) {
        while (i < HELD_STATUSES_MAX - 1 && p->statuses[i].handed_out)
            i++;
        drop_status(p, i);
    }
    p->statuses[p->statuses_count++] =
        (struct held_status){.status = status, .number = ++p->last_number};
}

static struct assignment_status *make_status(const struct held_plan *p, int state,
                                             const char *reason, int64_t exit_code, int64_t wall_ms,
                                             struct err *err)
{
    struct assignment_status *s = assignment_status_new(err);
    char clean[REASON_TEXT_MAX + 1];

    if (!s)
        return NULL;
    text_clean(clean, sizeof clean, reason);
    s->generation = p->generation;
    s->state = state;
    s->exit_code = exit_code;
    s->at_ms = wall_ms;
    if (text_set(&s->coordinator_id, p->coordinator_id, err) == 0 &&
        text_set(&s->plan_id, p->plan_id, err) == 0 && text_set(&s->job_id, p->job_id, err) == 0 &&
        (!reason || text_set(&s->reason, clean, err) == 0))
        return s;
    assignment_status_free(s);
    return NULL;
}

void held_plan_set_state(struct held_plan *p, int state, const char *reason, int64_t exit_code,
                         int64_t wall_ms)
{
    struct assignment_status *s;
    struct err err;

    log_info(p->job_id, "generation %lld %s%s%s", (long long)p->generation,
             enum_name(&delivery_state_names, state), reason ? ": " : "", reason ? reason : "");
    p->state = state;
    p->reported = false;
    if (!(s = make_status(p, state, reason, exit_code, wall_ms, &err))) {
        log_err(p->job_id, "status not reported: %s", err.text);
        return;
    }
    if (plan_folder_write_status(p->folder, s, p->start, false, &err) < 0)
        log_err(p->job_id, "status not on disk: %s", err.text);
    queue_status(p, s);
}

void held_plan_repeat(struct held_plan *p)
{
    struct assignment_status *s = NULL;
    bool start, reported;
    struct err err;

    for (size_t i = 0; i < p->statuses_count; i++) {
        if (!p->statuses[i].handed_out)
            return; /* it is about to be told anyway */
    }
    if (plan_folder_read_status(p->folder, &s, &start, &reported, &err) < 0)
        log_err(p->job_id, "status not repeated: %s", err.text);
    else
        queue_status(p, s);
}

struct agent_message *held_plan_next_status(struct held_plan *p, uint32_t *number)
{
    for (size_t i = 0; i < p->statuses_count; i++) {
        struct held_status *h = &p->statuses[i];
        struct agent_message *message;

        if (h->handed_out)
            continue;
        if (!(message = agent_message_new(NULL)) ||
            !(message->status = assignment_status_dup(h->status, NULL))) {
            agent_message_free(message);
            return NULL; /* no memory now: it stays in the queue */
        }
        h->handed_out = true;
        *number = h->number;
        return message;
    }
    return NULL;
}

void held_plan_settle_status(struct held_plan *p, uint32_t number)
{
    struct err err;

    for (size_t i = 0; i < p->statuses_count; i++) {
        if (p->statuses[i].number != number)
            continue;
        if (p->statuses_count == 1 && p->statuses[i].status->state == p->state) {
            p->reported = true;
            if (plan_folder_write_status(p->folder, p->statuses[i].status, p->start, true, &err) <
                0)
                log_warn(p->job_id, "told again after a restart: %s", err.text);
        }
        drop_status(p, i);
        return;
    }
}

bool held_plan_restore(struct held_plan *p)
{
    struct assignment_status *s = NULL;
    struct err err;

    if (plan_folder_read_status(p->folder, &s, &p->start, &p->reported, &err) < 0) {
        if (err.code != ERR_NOT_FOUND)
            log_warn(p->job_id, "status: %s", err.text);
        return false;
    }
    p->state = s->state;
    if (p->reported)
        assignment_status_free(s);
    else
        queue_status(p, s);
    return true;
}
