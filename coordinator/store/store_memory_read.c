/* store_memory_read.c - reads of the memory backend. */
#include "coordinator/store/store_memory.h"

#include "common/core/map.h"
#include "common/core/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- finding --- */

static struct memory_plan *find_prefix(struct memory_store *s, const char *text, struct err *err)
{
    struct memory_plan *found = NULL;

    for (size_t i = 0; i < s->plans_count; i++) {
        struct memory_plan *p = &s->plans[i];

        if (strncmp(p->plan->plan_id, text, strlen(text)) != 0)
            continue;
        if (found) {
            err_set(err, ERR_INVALID, "plan \"%.60s\" could be %s or %s: give more of it", text,
                    found->plan->plan_id, p->plan->plan_id);
            return NULL;
        }
        found = p;
    }
    if (!found)
        err_set(err, ERR_NOT_FOUND, "no plan \"%.80s\"", text);
    return found;
}

static struct memory_plan *find_plan(struct memory_store *s, const char *text, struct err *err)
{
    if (!*text) {
        err_set(err, ERR_NOT_FOUND, "no plan \"\"");
        return NULL;
    }
    for (size_t i = s->plans_count; i-- > 0;)
        if (strcmp(s->plans[i].plan->plan_id, text) == 0)
            return &s->plans[i];
    for (size_t i = s->plans_count; i-- > 0;)
        if (strcmp(s->plans[i].plan->job_id, text) == 0)
            return &s->plans[i];
    return find_prefix(s, text, err);
}

/* --- copies --- */

static void move_record(const struct record_type *type, void *to, void *from)
{
    memcpy(to, from, type->size);
    mem_free(from);
}

static int add_copy(const struct record_type *type, void *list, size_t *count, const void *from,
                    struct err *err)
{
    void *copy = record_dup(type, from, err), *place;

    if (!copy)
        return -1;
    if (!(place = records_add(type, list, count, err))) {
        record_free(type, copy);
        return -1;
    }
    move_record(type, place, copy);
    return 0;
}

static int copy_deliveries(const struct memory_plan *p, const char *device_id,
                           struct store_result *r, struct err *err)
{
    for (size_t i = 0; i < p->deliveries_count; i++)
        if ((!device_id || strcmp(p->deliveries[i].device_id, device_id) == 0) &&
            add_copy(&delivery_type, &r->deliveries, &r->deliveries_count, &p->deliveries[i], err) <
                0)
            return -1;
    return 0;
}

static int copy_plan(const struct memory_plan *p, const char *device_id, struct store_result *r,
                     struct err *err)
{
    struct plan bare = *p->plan;

    if (!device_id)
        return (r->plan = plan_dup(p->plan, err)) ? 0 : -1;
    bare.assignments = NULL;
    bare.assignments_count = 0;
    if (!(r->plan = plan_dup(&bare, err)))
        return -1;
    for (size_t i = 0; i < p->plan->assignments_count; i++)
        if (strcmp(p->plan->assignments[i].device_id, device_id) == 0)
            return add_copy(&assignment_type, &r->plan->assignments, &r->plan->assignments_count,
                            &p->plan->assignments[i], err);
    return err_set(err, ERR_NOT_FOUND, "plan %s has no part for %.80s", p->plan->plan_id,
                   device_id);
}

static int add_summary(const struct memory_plan *p, struct plan_summary **list, size_t *count,
                       struct err *err)
{
    struct plan_summary *s = records_add(&plan_summary_type, list, count, err);

    if (!s || store_summary_of(p->plan, s, err) < 0)
        return -1;
    store_summary_count(s, DELIVERY_STATE_UNSET, 0);
    for (size_t i = 0; i < p->deliveries_count; i++)
        store_summary_count(s, p->deliveries[i].state, 1);
    return 0;
}

/* --- reads --- */

static bool is_asked(const struct device_measurement *m, const struct store_op *op,
                     const struct store_result *r)
{
    return strcmp(m->measurement->plan_id, r->plan_id) == 0 &&
           (!op->device_id || strcmp(m->device_id, op->device_id) == 0);
}

static int read_measurements(const struct memory_store *s, const struct store_op *op,
                             struct store_result *r, struct err *err)
{
    size_t left = store_limit(op), first = s->measurements_count;

    while (first > 0 && left > 0)
        left -= is_asked(&s->measurements[--first], op, r);
    for (size_t i = first; i < s->measurements_count; i++)
        if (is_asked(&s->measurements[i], op, r) &&
            add_copy(&device_measurement_type, &r->measurements, &r->measurements_count,
                     &s->measurements[i], err) < 0)
            return -1;
    return 0;
}

static int list_plans(struct memory_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    const struct memory_plan *before = op->plan_id ? find_plan(s, op->plan_id, err) : NULL;
    size_t at = before ? (size_t)(before - s->plans) : s->plans_count;

    if (op->plan_id && !before)
        return -1;
    while (at > 0 && r->plans_count < store_limit(op))
        if (add_summary(&s->plans[--at], &r->plans, &r->plans_count, err) < 0)
            return -1;
    r->more = at > 0;
    return 0;
}

static int find_request(const struct memory_store *s, const struct store_op *op,
                        struct store_result *r, struct err *err)
{
    const struct memory_answer *a = map_get(s->requests, op->request_id);

    if (!a || a->at_ms <= op->now_ms - s->request_keep_ms)
        return 0;
    if (!(r->answer = mem_dup(a->bytes, a->len)))
        return err_set(err, ERR_NOMEM, "answer of %zu bytes", a->len);
    r->answer_len = a->len;
    return 0;
}

int memory_read(struct memory_store *s, const struct store_op *op, struct store_result *r,
                struct err *err)
{
    const struct memory_plan *p;

    if (op->kind == STORE_LIST_PLANS)
        return list_plans(s, op, r, err);
    if (op->kind == STORE_FIND_REQUEST)
        return find_request(s, op, r, err);
    if (op->kind == STORE_FIND_REPLY)
        return memory_find_reply(s, op, r, err);
    if (!(p = find_plan(s, op->plan_id, err)) || text_set(&r->plan_id, p->plan->plan_id, err) < 0)
        return -1;
    r->plan_state = p->plan->state;
    switch (op->kind) {
    case STORE_GET_PLAN:
        return copy_plan(p, op->device_id, r, err) < 0 ? -1
                                                       : copy_deliveries(p, op->device_id, r, err);
    case STORE_GET_JOB:
        return (r->job = job_dup(p->job, err)) ? 0 : -1;
    case STORE_GET_DELIVERIES:
        return copy_deliveries(p, op->device_id, r, err);
    case STORE_GET_MEASUREMENTS:
        return read_measurements(s, op, r, err);
    default:
        return err_set(err, ERR_INTERNAL, "%s is no read", store_kind_name(op->kind));
    }
}

/* --- privacy --- */

int memory_spent(const struct memory_store *s, const char *job_id, struct store_spent *out,
                 struct err *err)
{
    for (size_t i = 0; i < s->plans_count; i++) {
        const struct memory_plan *p = &s->plans[i];

        if (!p->charge || strcmp(p->plan->job_id, job_id) != 0)
            continue;
        out->charges++;
        out->rho += p->charge->rho;
        out->epsilon += p->charge->epsilon;
        out->delta += p->charge->delta;
    }
    return text_set(&out->job_id, job_id, err);
}

/* --- loading --- */

/* A memory store is empty when it is opened: it has its id, and nothing else. */
int memory_load(struct store_backend *b, struct store_contents *out, struct err *err)
{
    const struct memory_store *s = (const struct memory_store *)b;

    return text_set(&out->coordinator_id, s->coordinator_id, err);
}
