/* store_op.c - operations, results and contents: made, checked, freed; what both backends share. */
#include "coordinator/store/store_backend.h"

#include "common/core/mem.h"

#include <string.h>

struct store_op *store_op_new(enum store_kind kind, uint64_t tag, int64_t now_ms, struct err *err)
{
    struct store_op *op = mem_zalloc(sizeof *op);

    if (!op) {
        err_set(err, ERR_NOMEM, "store operation");
        return NULL;
    }
    op->kind = kind;
    op->tag = tag;
    op->now_ms = now_ms;
    return op;
}

static void clear_records(const struct record_type *type, void *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_clear(type, (char *)block + i * type->size);
    mem_free(block);
}

void store_op_free(struct store_op *op)
{
    if (!op)
        return;
    mem_free(op->plan_id);
    mem_free(op->device_id);
    mem_free(op->public_key);
    mem_free(op->request_id);
    mem_free(op->text);
    mem_free(op->digest);
    mem_free(op->charge);
    mem_free(op->answer);
    plan_free(op->plan);
    job_free(op->job);
    profile_free(op->profile);
    key_free(op->key);
    clear_records(&delivery_type, op->deliveries, op->deliveries_count);
    clear_records(&device_measurement_type, op->measurements, op->measurements_count);
    clear_records(&calibration_type, op->calibrations, op->calibrations_count);
    mem_free(op);
}

const char *store_kind_name(enum store_kind kind)
{
    static const char *const names[STORE_KINDS] = {
        [STORE_PLAN] = "plan",
        [STORE_PLAN_STATE] = "plan_state",
        [STORE_DEVICE] = "device",
        [STORE_PROFILE] = "profile",
        [STORE_GENERATION] = "generation",
        [STORE_FORGET] = "forget",
        [STORE_KEY] = "key",
        [STORE_KEY_FORGET] = "key_forget",
        [STORE_DELIVERIES] = "deliveries",
        [STORE_MEASUREMENTS] = "measurements",
        [STORE_CALIBRATION] = "calibration",
        [STORE_REQUEST] = "request",
        [STORE_GET_PLAN] = "get_plan",
        [STORE_GET_JOB] = "get_job",
        [STORE_GET_DELIVERIES] = "get_deliveries",
        [STORE_GET_MEASUREMENTS] = "get_measurements",
        [STORE_LIST_PLANS] = "list_plans",
        [STORE_FIND_REQUEST] = "find_request",
        [STORE_REPLY] = "reply",
        [STORE_FIND_REPLY] = "find_reply",
    };

    return (unsigned)kind < STORE_KINDS ? names[kind] : "unknown";
}

static void spent_clear(struct store_spent *s)
{
    mem_free(s->job_id);
}

void store_result_reset(struct store_result *r)
{
    struct store_result empty = {.kind = r->kind, .tag = r->tag, .op = r->op};

    mem_free(r->plan_id);
    plan_free(r->plan);
    job_free(r->job);
    clear_records(&delivery_type, r->deliveries, r->deliveries_count);
    clear_records(&device_measurement_type, r->measurements, r->measurements_count);
    clear_records(&plan_summary_type, r->plans, r->plans_count);
    mem_free(r->answer);
    if (r->spent)
        spent_clear(r->spent);
    mem_free(r->spent);
    *r = empty;
}

void store_result_free(struct store_result *r)
{
    if (!r)
        return;
    store_result_reset(r);
    store_op_free(r->op);
    mem_free(r);
}

void store_contents_free(struct store_contents *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->devices_count; i++) {
        mem_free(c->devices[i].device_id);
        mem_free(c->devices[i].public_key);
        mem_free(c->devices[i].digest);
        profile_free(c->devices[i].profile);
    }
    for (size_t i = 0; i < c->deliveries_count; i++) {
        record_clear(&delivery_type, &c->deliveries[i].delivery);
        assignment_free(c->deliveries[i].assignment);
    }
    for (size_t i = 0; i < c->spent_count; i++)
        spent_clear(&c->spent[i]);
    mem_free(c->devices);
    mem_free(c->deliveries);
    mem_free(c->spent);
    clear_records(&key_type, c->keys, c->keys_count);
    clear_records(&plan_summary_type, c->plans, c->plans_count);
    clear_records(&calibration_type, c->calibrations, c->calibrations_count);
    mem_free(c->coordinator_id);
    mem_free(c);
}

/* --- checks --- */

enum needs {
    NEED_PLAN_ID = 1,
    NEED_DEVICE_ID = 2,
    NEED_PUBLIC_KEY = 4,
    NEED_REQUEST_ID = 8,
    NEED_PLAN = 16,
    NEED_JOB = 32,
    NEED_PROFILE = 64,
    NEED_KEY = 128,
    NEED_ANSWER = 256,
    NEED_DIGEST = 512,
};

static const int needs[STORE_KINDS] = {
    [STORE_PLAN] = NEED_PLAN | NEED_JOB,
    [STORE_PLAN_STATE] = NEED_PLAN_ID,
    [STORE_DEVICE] = NEED_DEVICE_ID,
    [STORE_PROFILE] = NEED_DEVICE_ID | NEED_PROFILE,
    [STORE_GENERATION] = NEED_DEVICE_ID,
    [STORE_FORGET] = NEED_DEVICE_ID,
    [STORE_KEY] = NEED_KEY,
    [STORE_KEY_FORGET] = NEED_PUBLIC_KEY,
    [STORE_REQUEST] = NEED_REQUEST_ID | NEED_ANSWER,
    [STORE_GET_PLAN] = NEED_PLAN_ID,
    [STORE_GET_JOB] = NEED_PLAN_ID,
    [STORE_GET_DELIVERIES] = NEED_PLAN_ID,
    [STORE_GET_MEASUREMENTS] = NEED_PLAN_ID,
    [STORE_FIND_REQUEST] = NEED_REQUEST_ID,
    [STORE_REPLY] = NEED_DIGEST | NEED_ANSWER,
    [STORE_FIND_REPLY] = NEED_DIGEST,
};

static int check_plan(const struct store_op *op, struct err *err)
{
    const struct plan *p = op->plan;

    if (!p->plan_id || !p->job_id)
        return err_set(err, ERR_INVALID, "store plan: wanted plan_id and job_id");
    for (size_t i = 0; i < p->assignments_count; i++)
        if (!p->assignments[i].device_id)
            return err_set(err, ERR_INVALID, "store plan %s: assignments[%zu]: wanted device_id",
                           p->plan_id, i);
        else if (p->assignments[i].participate == TRI_TRUE &&
                 !known_i64(p->assignments[i].generation))
            return err_set(err, ERR_INVALID, "store plan %s: assignments[%zu]: wanted a generation",
                           p->plan_id, i);
    if (op->request_id && !op->answer)
        return err_set(err, ERR_INVALID, "store plan %s: a request without an answer", p->plan_id);
    return 0;
}

int store_op_check(const struct store_op *op, struct err *err)
{
    int need = (unsigned)op->kind < STORE_KINDS ? needs[op->kind] : 0;
    const char *missing = (unsigned)op->kind >= STORE_KINDS                         ? "a kind"
                          : (need & NEED_PLAN_ID) && !op->plan_id                   ? "plan_id"
                          : (need & NEED_DEVICE_ID) && !op->device_id               ? "device_id"
                          : (need & NEED_PUBLIC_KEY) && !op->public_key             ? "public_key"
                          : (need & NEED_REQUEST_ID) && !op->request_id             ? "request_id"
                          : (need & NEED_PLAN) && !op->plan                         ? "plan"
                          : (need & NEED_JOB) && !op->job                           ? "job"
                          : (need & NEED_PROFILE) && !op->profile                   ? "profile"
                          : (need & NEED_KEY) && (!op->key || !op->key->public_key) ? "key"
                          : (need & NEED_ANSWER) && !op->answer                     ? "answer"
                          : (need & NEED_DIGEST) && !op->digest                     ? "digest"
                                                                                    : NULL;

    if (missing)
        return err_set(err, ERR_INVALID, "store %s: wanted %s", store_kind_name(op->kind), missing);
    if (op->deliveries_count > STORE_BATCH_MAX || op->measurements_count > STORE_BATCH_MAX ||
        op->calibrations_count > STORE_BATCH_MAX)
        return err_set(err, ERR_TOO_BIG, "store %s: wanted at most %d of them",
                       store_kind_name(op->kind), STORE_BATCH_MAX);
    if (op->answer_len > (op->kind == STORE_REPLY ? STORE_REPLY_MAX : STORE_ANSWER_MAX))
        return err_set(err, ERR_TOO_BIG, "store %s: an answer of %zu bytes, limit %d",
                       store_kind_name(op->kind), op->answer_len,
                       op->kind == STORE_REPLY ? STORE_REPLY_MAX : STORE_ANSWER_MAX);
    return op->kind == STORE_PLAN ? check_plan(op, err) : 0;
}

size_t store_limit(const struct store_op *op)
{
    if (op->limit < 1)
        return STORE_LIST_DEFAULT;
    return op->limit < STORE_LIST_MAX ? (size_t)op->limit : STORE_LIST_MAX;
}

/* --- shared by the backends --- */

int store_summary_of(const struct plan *plan, struct plan_summary *out, struct err *err)
{
    struct plan_summary s;

    record_init(&plan_summary_type, &s);
    s.kind = plan->kind;
    s.state = plan->state;
    s.engine_asked = plan->engine_asked;
    s.created_ms = plan->created_ms;
    if (plan->forecast) {
        s.clients = plan->forecast->clients;
        s.left_out = plan->forecast->left_out;
        s.round_seconds = plan->forecast->round_seconds;
    }
    if (text_set(&s.plan_id, plan->plan_id, err) < 0 ||
        text_set(&s.job_id, plan->job_id, err) < 0 ||
        text_set(&s.job_name, plan->job_name, err) < 0) {
        record_clear(&plan_summary_type, &s);
        return -1;
    }
    *out = s;
    return 0;
}

void store_summary_count(struct plan_summary *s, int delivery_state, int64_t n)
{
    int64_t *count = NULL;

    if (!known_i64(s->deliveries_open))
        s->deliveries_open = s->deliveries_done = s->deliveries_failed = 0;
    switch (delivery_state) {
    case DELIVERY_STATE_PENDING:
    case DELIVERY_STATE_SENT:
    case DELIVERY_STATE_RECEIVED:
        count = &s->deliveries_open;
        break;
    case DELIVERY_STATE_APPLIED:
    case DELIVERY_STATE_RUNNING:
    case DELIVERY_STATE_DONE:
        count = &s->deliveries_done;
        break;
    case DELIVERY_STATE_FAILED:
    case DELIVERY_STATE_REFUSED:
    case DELIVERY_STATE_EXPIRED:
        count = &s->deliveries_failed;
        break;
    default: /* superseded and cancelled ones are in no count */
        break;
    }
    if (count)
        *count += n;
}

bool store_is_delivered(const struct assignment *a)
{
    return known_i64(a->generation);
}

int store_delivery_of(const struct plan *plan, const struct assignment *a, int64_t now_ms,
                      struct delivery *out, struct err *err)
{
    struct delivery d;

    record_init(&delivery_type, &d);
    d.generation = a->generation;
    d.state = DELIVERY_STATE_PENDING;
    d.updated_ms = now_ms;
    d.attempts = 0;
    if (text_set(&d.plan_id, plan->plan_id, err) < 0 ||
        text_set(&d.device_id, a->device_id, err) < 0 ||
        text_set(&d.device_name, a->device_name, err) < 0 ||
        text_set(&d.job_id, plan->job_id, err) < 0) {
        record_clear(&delivery_type, &d);
        return -1;
    }
    *out = d;
    return 0;
}
