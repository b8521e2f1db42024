/* on_store.c - operations handed to the store, and what goes on when their results come. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"
#include "coordinator/store/store.h"

#include <string.h>

#define ASSIGNMENTS_PAGE 1000 /* as tool.proto says: some 1.5 MB */

int submit(struct coordinator *c, struct store_op **op, struct pending *p, struct err *err)
{
    (*op)->tag = (uint64_t)(uintptr_t)p;
    if (store_submit(c->store, op, err) < 0) {
        store_op_free(*op);
        *op = NULL;
        return -1;
    }
    *op = NULL;
    return 0;
}

void submit_write(struct coordinator *c, struct store_op **op)
{
    const char *what = store_kind_name((*op)->kind);
    struct err err = {0};

    if (submit(c, op, NULL, &err) < 0)
        log_err(NULL, "%s not stored: %s", what, err.text);
}

/* An earlier answer to the same request is given again; otherwise the request is carried out. */
static void request_looked_up(struct coordinator *c, struct pending *p, struct store_result *r)
{
    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, NULL);
    } else if (r->answer) {
        log_info(p->tool.user_id, "request %s was answered before: the same answer again",
                 p->tool.request_id);
        front_reply_bytes(c->front, &p->tool, r->answer, r->answer_len);
        pending_free(c, p);
    } else {
        start_request(c, p);
    }
}

static void measurements_read(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct response response;

    if (r->err.code != ERR_NONE && r->err.code != ERR_NOT_FOUND) {
        answer_error(c, p, &r->err, NULL);
        return;
    }
    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (p->reply) {
        p->reply->measurements = r->measurements;
        p->reply->measurements_count = r->measurements_count;
        response.plan = p->reply;
        p->reply = NULL;
    } else {
        struct measurements_reply *reply = measurements_reply_new(NULL);

        if (!reply) {
            struct err err = {.code = ERR_NOMEM};

            answer_error(c, p, &err, NULL);
            return;
        }
        reply->measurements = r->measurements;
        reply->measurements_count = r->measurements_count;
        response.measurements = reply;
    }
    r->measurements = NULL;
    r->measurements_count = 0;
    answer(c, p, &response);
}

/* What the table knows of the plan's deliveries is newer than what the store had. */
static void refresh_deliveries(struct coordinator *c, struct plan_reply *reply)
{
    struct delivery *fresh = NULL;
    size_t count = 0;

    if (delivery_for_plan(c->deliveries, reply->plan->plan_id, &fresh, &count, NULL) < 0)
        return;
    for (size_t i = 0; i < reply->deliveries_count; i++)
        record_clear(&delivery_type, &reply->deliveries[i]);
    mem_free(reply->deliveries);
    reply->deliveries = fresh;
    reply->deliveries_count = count;
}

/* Only the assignments of one page, and their deliveries; both lie in order of device id. */
static int keep_page(struct plan_reply *reply, const struct plan_get_request *asked,
                     struct err *err)
{
    struct plan *plan = reply->plan;
    int64_t limit = asked->limit == UNKNOWN_I64 ? ASSIGNMENTS_PAGE : asked->limit;
    const char *last = NULL;
    size_t kept = 0;
    bool more = false;

    for (size_t i = 0; i < plan->assignments_count; i++) {
        struct assignment *a = &plan->assignments[i];
        bool wanted = !asked->after || strcmp(a->device_id, asked->after) > 0;

        if (wanted && (int64_t)kept < limit) {
            plan->assignments[kept++] = *a;
            continue;
        }
        more = more || wanted;
        record_clear(&assignment_type, a);
    }
    plan->assignments_count = kept;
    if (kept > 0)
        last = plan->assignments[kept - 1].device_id;
    kept = 0;
    for (size_t i = 0; i < reply->deliveries_count; i++) {
        struct delivery *d = &reply->deliveries[i];

        if ((!asked->after || strcmp(d->device_id, asked->after) > 0) &&
            (!more || !last || strcmp(d->device_id, last) <= 0))
            reply->deliveries[kept++] = *d;
        else
            record_clear(&delivery_type, d);
    }
    reply->deliveries_count = kept;
    return more ? text_set(&reply->next, last, err) : 0;
}

static void keep_one_delivery(struct plan_reply *reply, const char *device_id)
{
    size_t kept = 0;

    for (size_t i = 0; i < reply->deliveries_count; i++) {
        if (strcmp(reply->deliveries[i].device_id, device_id) != 0)
            record_clear(&delivery_type, &reply->deliveries[i]);
        else
            reply->deliveries[kept++] = reply->deliveries[i];
    }
    reply->deliveries_count = kept;
}

static void plan_read(struct coordinator *c, struct pending *p, struct store_result *r)
{
    const struct plan_get_request *asked = p->request->plan_get;
    struct store_op *op;
    struct err err = {0};

    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, "plan_get.plan_id");
        return;
    }
    if (!(p->reply = plan_reply_new(&err)))
        goto fail;
    p->reply->plan = r->plan;
    r->plan = NULL;
    p->reply->deliveries = r->deliveries;
    p->reply->deliveries_count = r->deliveries_count;
    r->deliveries = NULL;
    r->deliveries_count = 0;
    p->reply->plan->state = r->plan_state;
    refresh_deliveries(c, p->reply);
    if (asked->device_id)
        keep_one_delivery(p->reply, asked->device_id);
    else if (keep_page(p->reply, asked, &err) < 0)
        goto fail;
    if (asked->proposal != TRI_TRUE && p->reply->plan->proposal) {
        text_set(&p->reply->plan->proposal->reply, NULL, NULL);
    }
    if (!(op = store_op_new(STORE_GET_MEASUREMENTS, 0, c->wall_ms, &err)))
        goto fail;
    op->limit = 100;
    if (text_set(&op->plan_id, p->reply->plan->plan_id, &err) < 0 ||
        text_set(&op->device_id, asked->device_id, &err) < 0) {
        store_op_free(op);
        goto fail;
    }
    p->kind = PENDING_MEASUREMENTS;
    if (submit(c, &op, p, &err) == 0)
        return;
fail:
    answer_error(c, p, &err, NULL);
}

static void plans_read(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct response response;
    struct plans_reply *reply = plans_reply_new(NULL);
    struct err err = {.code = ERR_NOMEM};

    if (r->err.code != ERR_NONE || !reply) {
        plans_reply_free(reply);
        answer_error(c, p, r->err.code != ERR_NONE ? &r->err : &err, "plans.after");
        return;
    }
    reply->plans = r->plans;
    reply->plans_count = r->plans_count;
    r->plans = NULL;
    r->plans_count = 0;
    if (r->more && reply->plans_count > 0)
        text_set(&reply->next, reply->plans[reply->plans_count - 1].plan_id, NULL);
    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    response.plans = reply;
    answer(c, p, &response);
}

static void deliveries_read(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct response response;
    struct deliveries_reply *reply;
    struct err err = {.code = ERR_NOMEM};

    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, "deliveries.plan_id");
        return;
    }
    if (answer_deliveries(c, p, r->plan_id) == 0) /* the table has it, under its full id */
        return;
    if (!(reply = deliveries_reply_new(NULL))) {
        answer_error(c, p, &err, NULL);
        return;
    }
    reply->revision = 0;
    reply->plan_state = r->plan_state;
    reply->deliveries = r->deliveries;
    reply->deliveries_count = r->deliveries_count;
    r->deliveries = NULL;
    r->deliveries_count = 0;
    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    response.deliveries = reply;
    answer(c, p, &response);
}

static void answer_stored(struct coordinator *c, struct pending *p, struct store_result *r)
{
    if (r->err.code != ERR_NONE)
        log_err(p->tool.user_id, "the answer to %s is not kept: %s", p->tool.request_id,
                r->err.text);
    front_reply(c->front, &p->tool, p->response);
    pending_free(c, p);
}

void on_store(struct coordinator *c, struct store_result *r)
{
    struct pending *p = (struct pending *)(uintptr_t)r->tag;

    if (!p) {
        if (r->err.code != ERR_NONE)
            log_err(NULL, "%s not stored: %s", store_kind_name(r->kind), r->err.text);
        return;
    }
    switch (p->kind) {
    case PENDING_RECEIPT:
        if (r->err.code == ERR_NONE && r->added > 0 && p->lesson)
            learn(c, p->device_id, p->lesson); /* from a repeated one it was learnt before */
        if (r->err.code == ERR_NONE && p->sequence != UNKNOWN_I64)
            send_receipt(c, p->device_id, p->sequence);
        else if (r->err.code != ERR_NONE)
            log_err(p->device_id, "its message is not stored and will be repeated: %s",
                    r->err.text);
        pending_free(c, p);
        break;
    case PENDING_FIND_REQUEST:
        request_looked_up(c, p, r);
        break;
    case PENDING_COMMIT:
        plan_stored(c, p, r);
        break;
    case PENDING_CANCEL:
        plan_cancelled(c, p, r);
        break;
    case PENDING_ANSWER:
        answer_stored(c, p, r);
        break;
    case PENDING_PLAN:
        plan_read(c, p, r);
        break;
    case PENDING_MEASUREMENTS:
        measurements_read(c, p, r);
        break;
    case PENDING_PLANS:
        plans_read(c, p, r);
        break;
    case PENDING_DELIVERIES:
        deliveries_read(c, p, r);
        break;
    case PENDING_REPLY:
        reply_looked_up(c, p, r);
        break;
    case PENDING_IMPORT:
        calibration_stored(c, p, r);
        break;
    case PENDING_TURN:
    case PENDING_WATCH:
        break; /* they wait for nothing of the store */
    }
}
