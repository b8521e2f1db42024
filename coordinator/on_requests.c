/* on_requests.c - what tools ask: found again, carried out, answered once.
 *
 * A request that changes something is looked up first: a repeated one gets the stored answer, one
 * that is being carried out gets its answer at its newest address. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/tool_message.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/front/keyring.h"
#include "coordinator/store/store.h"

#include <stdio.h>
#include <string.h>

#define WATCH_INTERVAL_MS 200 /* a person sees five changes a second as smooth */

void answer(struct coordinator *c, struct pending *p, struct response *response)
{
    struct store_op *op = NULL;
    struct err err = {0};

    text_set(&response->request_id, p->tool.request_id, NULL);
    if (!p->request_key || response->code == RESPONSE_CODE_BUSY) {
        front_reply(c->front, &p->tool, response);
        record_clear(&response_type, response);
        pending_free(c, p);
        return;
    }
    /* Kept before it is sent, so that whoever saw it will see it again. */
    p->kind = PENDING_ANSWER;
    if (!(p->response = response_new(&err)))
        goto fail;
    *p->response = *response;
    record_init(&response_type, response);
    if (!(op = store_op_new(STORE_REQUEST, 0, c->wall_ms, &err)) ||
        text_set(&op->request_id, p->request_key, &err) < 0 ||
        front_encode_reply(p->response, &op->answer, &op->answer_len, &err) < 0)
        goto fail;
    if (submit(c, &op, p, &err) == 0)
        return;
fail:
    store_op_free(op);
    log_err(p->tool.user_id, "the answer to %s is not kept: %s", p->tool.request_id, err.text);
    front_reply(c->front, &p->tool, p->response ? p->response : response);
    record_clear(&response_type, response);
    pending_free(c, p);
}

void answer_error(struct coordinator *c, struct pending *p, const struct err *err,
                  const char *field)
{
    struct response response;

    record_init(&response_type, &response);
    response.code = front_response_code((int)err->code);
    text_set(&response.message, err->text[0] ? err->text : err_code_name(err->code), NULL);
    text_set(&response.field, field, NULL);
    if (response.code == RESPONSE_CODE_BUSY)
        response.retry_after_ms = 1000;
    log_info(p->tool.user_id, "request %s: %s", p->tool.request_id, err->text);
    answer(c, p, &response);
}

static void answer_done(struct coordinator *c, struct pending *p, const char *id, const char *text)
{
    struct response response;
    struct err err = {0};

    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (!(response.done = done_reply_new(&err)) || text_set(&response.done->id, id, &err) < 0 ||
        text_set(&response.done->text, text, &err) < 0) {
        record_clear(&response_type, &response);
        answer_error(c, p, &err, NULL);
        return;
    }
    answer(c, p, &response);
}

static void allow_key(struct coordinator *c, struct pending *p)
{
    const struct key_allow_request *asked = p->request->key_allow;
    struct key wanted;
    struct err err = {0};
    char *id = NULL;

    record_init(&key_type, &wanted);
    wanted.public_key = asked->public_key;
    wanted.kind = asked->kind ? asked->kind : KEY_KIND_AGENT;
    wanted.role = asked->role;
    wanted.name = asked->name;
    wanted.device_id = asked->device_id;
    if (keyring_allow(c->keyring, &wanted, &id, &err) < 0 || enrol_allowed(c, &err) < 0) {
        answer_error(c, p, &err, asked->device_id ? "key_allow.device_id" : "key_allow.public_key");
    } else {
        if (asked->device_id) /* whoever has it greets anew, with the key of now */
            front_end_session(c->front, id);
        log_info(p->tool.user_id, "%s %s is let in", enum_name(&key_kind_names, wanted.kind), id);
        answer_done(c, p, id, "let in");
    }
    mem_free(id);
}

static void forget_key(struct coordinator *c, struct pending *p)
{
    const char *wanted = p->request->key_forget->id;
    struct err err = {0};
    char *device_id = NULL;

    if (keyring_forget(c->keyring, wanted, &device_id, &err) < 0) {
        answer_error(c, p, &err, "key_forget.id");
        return;
    }
    log_info(p->tool.user_id, "%s is shut out", wanted);
    if (device_id && fleet_find(c->fleet, device_id)) {
        struct store_op *op = store_op_new(STORE_FORGET, 0, c->wall_ms, NULL);

        delivery_cancel_device(c->deliveries, device_id, "the device was forgotten", c->wall_ms,
                               delivery_changed, c);
        front_end_session(c->front, device_id);
        fleet_forget(c->fleet, device_id);
        if (op && text_set(&op->device_id, device_id, NULL) == 0)
            submit_write(c, &op);
        store_op_free(op);
    }
    answer_done(c, p, device_id ? device_id : wanted, "shut out and forgotten");
    mem_free(device_id);
}

void start_request(struct coordinator *c, struct pending *p)
{
    const struct request *r = p->request;

    if (r->plan)
        begin_plan(c, p);
    else if (r->plan_cancel)
        cancel_plan(c, p);
    else if (r->key_allow)
        allow_key(c, p);
    else if (r->key_forget)
        forget_key(c, p);
    else if (r->status)
        show_status(c, p);
    else if (r->devices)
        show_devices(c, p);
    else if (r->keys)
        show_keys(c, p);
    else if (r->plans)
        show_plans(c, p);
    else if (r->plan_get)
        show_plan(c, p);
    else if (r->measurements)
        show_measurements(c, p);
    else if (r->calibration)
        show_calibration(c, p);
    else if (r->calibration_import)
        import_calibration(c, p);
    else if (r->deliveries)
        show_deliveries(c, p);
    else
        ask_desk(c, p);
}

/* Does it change something, so that carrying it out twice would be wrong? */
static bool changes(const struct request *r)
{
    return (r->plan && r->plan->dry_run != TRI_TRUE) || r->plan_cancel || r->key_allow ||
           r->key_forget || r->calibration_import || r->signature_run; /* which costs tokens */
}

/* Look for an earlier answer; p goes on in on_store.c. */
static int look_up(struct coordinator *c, struct pending *p, struct err *err)
{
    struct store_op *op;

    if (text_setf(&p->request_key, err, "%s/%s", p->tool.user_id, p->tool.request_id) < 0)
        return -1;
    if (map_put(c->in_flight, p->request_key, p, NULL) < 0)
        return err_set(err, ERR_BUSY, "too many requests at once");
    if (!(op = store_op_new(STORE_FIND_REQUEST, 0, c->wall_ms, err)))
        return -1;
    if (text_set(&op->request_id, p->request_key, err) < 0) {
        store_op_free(op);
        return -1;
    }
    return submit(c, &op, p, err);
}

/* The same request once more while the first is under way: only the address changes. */
static bool joins(struct coordinator *c, const struct front_tool *from)
{
    char key[2 * (ID_TEXT_MAX + 1)];
    struct pending *p;

    snprintf(key, sizeof key, "%s/%s", from->user_id, from->request_id);
    p = map_get(c->in_flight, key);
    if (!p)
        return false;
    log_info(from->user_id, "request %s is under way: answered at its newest address",
             from->request_id);
    p->tool = *from;
    return true;
}

void on_request(void *arg, const struct front_tool *from, struct request **request)
{
    struct coordinator *c = arg;
    struct pending *p;
    struct err err = {0};

    if (changes(*request) && joins(c, from))
        return;
    if (!(p = pending_new(c, PENDING_FIND_REQUEST, from, &err))) {
        log_err(from->user_id, "request %s dropped: %s", from->request_id, err.text);
        return;
    }
    p->request = *request;
    *request = NULL;
    if (!changes(p->request)) {
        start_request(c, p);
        return;
    }
    if (look_up(c, p, &err) < 0) {
        if (p->request_key)
            map_remove(c->in_flight, p->request_key);
        mem_free(p->request_key);
        p->request_key = NULL; /* nothing was done: nothing to remember */
        answer_error(c, p, &err, NULL);
    }
}

/* Watchers are answered a few times a second at most, whatever a plan of 10,000 clients has to
 * tell. */
void wake_watchers(struct coordinator *c)
{
    c->watchers_due = true;
}

void answer_watchers(struct coordinator *c)
{
    struct pending *next;

    if (!c->watchers_due || c->now_ms < c->next_watch_ms)
        return;
    c->watchers_due = false;
    c->next_watch_ms = c->now_ms + WATCH_INTERVAL_MS;
    for (struct pending *p = c->pendings; p; p = next) {
        next = p->next;
        if (p->kind == PENDING_WATCH && delivery_revision(c->deliveries, p->plan_id) > p->revision)
            answer_deliveries(c, p, p->plan_id);
    }
}

void expire_watchers(struct coordinator *c)
{
    struct pending *next;

    for (struct pending *p = c->pendings; p; p = next) {
        next = p->next;
        if (p->kind == PENDING_WATCH && c->now_ms >= p->deadline_ms &&
            answer_deliveries(c, p, p->plan_id) < 0) {
            struct err err = {0};

            err_set(&err, ERR_NOT_FOUND, "deliveries.plan_id: plan %s is gone", p->plan_id);
            answer_error(c, p, &err, "deliveries.plan_id");
        }
    }
}
