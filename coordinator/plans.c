/* plans.c - from a job to deliveries: one planning turn, one transaction, then the agents.
 *
 * The order is what makes it safe: generations are taken, plan, deliveries and the answer are
 * stored together, and only then does anything leave the process. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/random.h"
#include "common/document/job_file.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "coordinator/config/config.h"
#include "coordinator/cycle/cycle.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/planner/privacy.h"
#include "coordinator/store/store.h"

#include <stdio.h>
#include <string.h>

#define PLAN_ID_DIGITS \
    10 /* 40 bits: a million plans collide with a chance of 1/2; the store refuses */
#define ANSWER_ASSIGNMENTS_MAX 1000 /* a page, as in PlanGetRequest: the rest is asked for */

static const struct snapshot *snapshot_now(struct coordinator *c, struct err *err)
{
    return fleet_snapshot(c->fleet, c->now_ms, c->wall_ms, err);
}

void begin_plan(struct coordinator *c, struct pending *p)
{
    struct plan_request *asked = p->request->plan;
    enum engine_kind engine = (enum engine_kind)asked->engine;
    const struct snapshot *snapshot = NULL;
    struct job *job = NULL;
    struct err err = {0};

    if (engine == ENGINE_KIND_UNSET)
        engine = c->config->lm_url || c->config->lm_replay ? ENGINE_KIND_LM : ENGINE_KIND_ANALYTIC;
    if (engine == ENGINE_KIND_PERSON) {
        err_set(&err, ERR_INVALID, "person, wanted analytic or lm: a person is not asked");
        answer_error(c, p, &err, "plan.engine");
        return;
    }
    if (job_check_id(asked->job->job_id, &err) < 0) {
        answer_error(c, p, &err, "plan.job.job_id");
        return;
    }
    if (job_fill_shape(asked->job, &err) < 0) {
        answer_error(c, p, &err,
                     asked->job->lora ? "plan.job.lora.model.config_json"
                                      : "plan.job.federated.model.config_json");
        return;
    }
    if (!(job = job_dup(asked->job, &err)) || !(snapshot = snapshot_now(c, &err)))
        goto fail;
    p->kind = PENDING_TURN;
    p->number = c->next_turn++;
    if (cycle_begin(c->cycle, p->number, &job, engine, snapshot, &err) < 0)
        goto fail;
    snapshot_unref(snapshot);
    log_info(p->tool.user_id, "planning job %s with the %s engine", asked->job->job_id,
             enum_name(&engine_kind_names, (int)engine));
    return;
fail:
    snapshot_unref(snapshot);
    job_free(job);
    answer_error(c, p, &err, NULL);
}

static struct pending *turn_of(struct coordinator *c, uint64_t number)
{
    for (struct pending *p = c->pendings; p; p = p->next)
        if (p->kind == PENDING_TURN && p->number == number)
            return p;
    return NULL;
}

int64_t assignment_bytes(const struct assignment *a)
{
    int64_t most = 0;

    if (a->prediction && a->prediction->memory_bytes != UNKNOWN_I64)
        return a->prediction->memory_bytes;
    for (size_t i = 0; i < a->stages_count; i++)
        if (a->stages[i].memory_bytes > most)
            most = a->stages[i].memory_bytes;
    return most;
}

/* A client that takes part gets the identity that its agent will know the assignment by. */
static int identify(struct coordinator *c, const struct plan *plan, struct assignment *a,
                    struct err *err)
{
    if (a->participate != TRI_TRUE)
        return 0;
    a->generation = fleet_generation_next(c->fleet, a->device_id);
    if (a->generation < 0) {
        a->generation = UNKNOWN_I64;
        a->participate = TRI_FALSE;
        return text_set(&a->reason, "the device was forgotten while the plan was made", err);
    }
    if (text_set(&a->coordinator_id, c->coordinator_id, err) < 0 ||
        text_set(&a->plan_id, plan->plan_id, err) < 0 ||
        text_set(&a->job_id, plan->job_id, err) < 0)
        return -1;
    return 0;
}

static int number_plan(struct coordinator *c, struct plan *plan, size_t *delivered, struct err *err)
{
    char digits[PLAN_ID_DIGITS + 1];

    if (random_hex(digits, PLAN_ID_DIGITS, err) < 0 ||
        text_setf(&plan->plan_id, err, "p%s", digits) < 0 ||
        text_set(&plan->coordinator_id, c->coordinator_id, err) < 0)
        return -1;
    plan->created_ms = c->wall_ms;
    plan->state = PLAN_STATE_ACTIVE;
    *delivered = 0;
    for (size_t i = 0; i < plan->assignments_count; i++) {
        if (identify(c, plan, &plan->assignments[i], err) < 0)
            return -1;
        *delivered += plan->assignments[i].participate == TRI_TRUE;
    }
    return 0;
}

static int plan_response(const struct plan *plan, struct response *response, struct err *err)
{
    struct plan view = *plan;

    record_init(&response_type, response);
    response->code = RESPONSE_CODE_OK;
    if (!(response->plan = plan_reply_new(err)))
        return -1;
    if (view.assignments_count > ANSWER_ASSIGNMENTS_MAX)
        view.assignments_count =
            ANSWER_ASSIGNMENTS_MAX; /* of the copy: the plan itself has them all */
    if (!(response->plan->plan = plan_dup(&view, err)) ||
        (view.assignments_count < plan->assignments_count &&
         text_set(&response->plan->next, view.assignments[view.assignments_count - 1].device_id,
                  err) < 0)) {
        record_clear(&response_type, response);
        return -1;
    }
    return 0;
}

_Static_assert(STORE_ORDERS == PRIVACY_ORDERS, "the ledger keeps what the accountant reckons");

static bool known_privacy(const struct plan *plan)
{
    return plan->federated && known_f64(plan->federated->epsilon) &&
           plan->federated->noise_multiplier > 0;
}

static struct store_charge *charge_of(const struct plan *plan, struct err *err)
{
    const struct federated_plan *f = plan->federated;
    struct store_charge *charge;

    if (!(charge = mem_zalloc(sizeof *charge))) {
        err_set(err, ERR_NOMEM, "privacy charge");
        return NULL;
    }
    charge->round_first = 1;
    charge->round_last = f->rounds;
    charge->sigma = f->noise_multiplier;
    charge->epsilon = f->epsilon;
    charge->delta = f->delta;
    charge->target = known_f64(f->epsilon_target) ? f->epsilon_target : f->epsilon;
    charge->rate = known_f64(f->accounted_rate) ? f->accounted_rate : 1;
    /* zCDP: half the divergence at order 2; each round 1 / (2 sigma^2) where all clients serve */
    charge->rho = (double)f->rounds * privacy_rdp(charge->rate, charge->sigma, 2) / 2;
    privacy_spend(charge->rate, charge->sigma, charge->spend);
    privacy_limit(charge->target, charge->delta, charge->limit);
    for (size_t i = 0; i < STORE_ORDERS; i++)
        charge->orders[i] = privacy_order(i);
    return charge;
}

/* One transaction: plan, job, deliveries, privacy, and the answer to this request. */
static int commit(struct coordinator *c, struct pending *p, struct plan *plan, struct job **job,
                  struct err *err)
{
    struct store_op *op = NULL;
    struct response response;
    size_t delivered;
    int rc;

    if (number_plan(c, plan, &delivered, err) < 0 ||
        delivery_room(c->deliveries, delivered, err) < 0 ||
        !(op = store_op_new(STORE_PLAN, 0, c->wall_ms, err)) ||
        text_set(&op->request_id, p->request_key, err) < 0 || !(op->plan = plan_dup(plan, err)))
        goto fail;
    if (known_privacy(plan) && !(op->charge = charge_of(plan, err)))
        goto fail;
    op->job = *job;
    *job = NULL;
    if (plan_response(plan, &response, err) < 0)
        goto fail;
    text_set(&response.request_id, p->tool.request_id, NULL);
    rc = front_encode_reply(&response, &op->answer, &op->answer_len, err);
    record_clear(&response_type, &response);
    if (rc < 0)
        goto fail;
    p->kind = PENDING_COMMIT;
    return submit(c, &op, p, err);
fail:
    store_op_free(op);
    return -1;
}

static void turn_done(struct coordinator *c, struct pending *p, struct cycle_note *note)
{
    struct response response;
    struct err err = {0};

    if (!note->plan) {
        answer_error(c, p, &note->err, NULL);
        return;
    }
    if (p->request->plan->dry_run == TRI_TRUE) {
        note->plan->state = PLAN_STATE_DRY_RUN;
        if (plan_response(note->plan, &response, &err) < 0)
            answer_error(c, p, &err, NULL);
        else
            answer(c, p, &response);
        return;
    }
    p->plan = note->plan;
    note->plan = NULL;
    front_progress(c->front, &p->tool, "storing the plan");
    if (commit(c, p, p->plan, &note->job, &err) < 0)
        answer_error(c, p, &err, NULL);
}

void on_cycle(struct coordinator *c, struct cycle_note *note)
{
    struct pending *p;
    const struct snapshot *snapshot;
    struct err err = {0};

    if (note->kind == CYCLE_FIND_REPLY)
        find_reply(c, note);
    if (note->kind == CYCLE_KEEP_REPLY)
        keep_reply(c, note);
    if (!(p = turn_of(c, note->turn)))
        return;
    if (note->kind == CYCLE_ANSWER) {
        desk_answered(c, p, note);
        return;
    }
    if (note->kind == CYCLE_DONE) {
        turn_done(c, p, note);
        return;
    }
    front_progress(c->front, &p->tool, note->text);
    if (note->kind != CYCLE_WANT_SNAPSHOT)
        return;
    if (!(snapshot = snapshot_now(c, &err)) ||
        cycle_continue(c->cycle, note->turn, snapshot, &err) < 0)
        answer_error(c, p, &err, NULL);
    snapshot_unref(snapshot);
}

/* The plan that this one replaces: its open deliveries end, and devices that are not in the new
 * plan are told to stop. */
static void supersede(struct coordinator *c, const char *job_id, const struct plan *plan)
{
    struct active_plan *old = map_get(c->active, job_id);
    struct delivery *was = NULL;
    size_t count = 0;

    if (!old || strcmp(old->plan_id, plan->plan_id) == 0)
        return;
    delivery_for_plan(c->deliveries, old->plan_id, &was, &count, NULL);
    delivery_supersede_plan(c->deliveries, old->plan_id, c->wall_ms, delivery_changed, c);
    for (size_t i = 0; i < count; i++) {
        const struct delivery_item *item;

        if (!delivery_find(c->deliveries, plan->plan_id, was[i].device_id)) {
            fleet_release(c->fleet, was[i].device_id, job_id);
            item = delivery_find(c->deliveries, old->plan_id, was[i].device_id);
            if (item && !delivery_is_final((enum delivery_state)was[i].state))
                send_cancel(c, item);
        }
        record_clear(&delivery_type, &was[i]);
    }
    mem_free(was);
}

static int note_active(struct coordinator *c, const struct plan *plan)
{
    struct active_plan *a = map_get(c->active, plan->job_id);

    if (!a) {
        if (!(a = mem_zalloc(sizeof *a)) || map_put(c->active, plan->job_id, a, NULL) < 0) {
            mem_free(a);
            return -1;
        }
    }
    a->kind = plan->kind;
    return text_set(&a->plan_id, plan->plan_id, NULL);
}

static void open_delivery(struct coordinator *c, const struct assignment *a)
{
    struct delivery_change superseded = {0};
    struct assignment *copy;
    struct err err = {0};
    int64_t bytes = assignment_bytes(a);

    if (a->participate != TRI_TRUE)
        return;
    copy = assignment_dup(a, &err);
    if (!copy || delivery_open(c->deliveries, &copy, c->wall_ms, &superseded, &err) < 0) {
        /* It is stored: after a restart, or the device's next Hello then, it goes out. */
        log_err(a->device_id, "delivery of %s waits for a restart: %s", a->plan_id, err.text);
        assignment_free(copy);
        return;
    }
    if (superseded.changed)
        delivery_changed(c, &superseded);
    if (bytes > 0 && fleet_commit(c->fleet, a->device_id, a->job_id, bytes, &err) < 0)
        log_warn(a->device_id, "the memory of job %s is not held for it: %s", a->job_id, err.text);
}

void plan_stored(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct plan *plan = p->plan;
    size_t sent = 0;

    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, NULL);
        return;
    }
    for (size_t i = 0; i < plan->assignments_count; i++)
        open_delivery(c, &plan->assignments[i]);
    supersede(c, plan->job_id, plan);
    if (note_active(c, plan) < 0)
        log_err(NULL, "plan %s is not counted as active until a restart: no memory", plan->plan_id);
    for (size_t i = 0; i < plan->assignments_count; i++) {
        const struct assignment *a = &plan->assignments[i];
        const struct delivery_item *item =
            a->participate == TRI_TRUE ? delivery_find(c->deliveries, plan->plan_id, a->device_id)
                                       : NULL;

        if (item && front_has_session(c->front, a->device_id)) {
            send_assignment(c, item);
            sent++;
        }
    }
    log_info(p->tool.user_id, "plan %s of job %s stored: %zu clients, %zu assignments sent at once",
             plan->plan_id, plan->job_id, plan->assignments_count, sent);
    if (r->spent)
        log_info(p->tool.user_id, "job %s has spent epsilon %.5g of %g", plan->job_id,
                 r->spent->charged_epsilon, r->op->charge->target);
    publish(c, EVENT_KIND_PLAN_CREATED, NULL, plan->plan_id, plan->job_id, 0, plan->job_name);
    if (r->op->answer)
        front_reply_bytes(c->front, &p->tool, r->op->answer, r->op->answer_len);
    pending_free(c, p);
}

void cancel_plan(struct coordinator *c, struct pending *p)
{
    const struct plan_cancel_request *asked = p->request->plan_cancel;
    struct err err = {0};
    struct store_op *op = store_op_new(STORE_PLAN_STATE, 0, c->wall_ms, &err);

    p->kind = PENDING_CANCEL;
    if (!op || text_set(&op->plan_id, asked->plan_id, &err) < 0 ||
        text_set(&op->text, asked->reason ? asked->reason : "cancelled by an operator", &err) < 0) {
        store_op_free(op);
        answer_error(c, p, &err, NULL);
        return;
    }
    op->plan_state = PLAN_STATE_CANCELLED;
    if (submit(c, &op, p, &err) < 0)
        answer_error(c, p, &err, NULL);
}

static void tell_cancelled(struct coordinator *c, const char *plan_id)
{
    struct delivery *deliveries = NULL;
    size_t count = 0;

    if (delivery_for_plan(c->deliveries, plan_id, &deliveries, &count, NULL) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct delivery_item *item =
            delivery_find(c->deliveries, plan_id, deliveries[i].device_id);

        if (item && item->state == DELIVERY_STATE_CANCELLED)
            send_cancel(c, item);
        record_clear(&delivery_type, &deliveries[i]);
    }
    mem_free(deliveries);
}

static void forget_active(struct coordinator *c, const char *plan_id)
{
    size_t cursor = 0;
    const struct map_entry *e;

    while ((e = map_next(c->active, &cursor))) {
        struct active_plan *a = e->value;

        if (strcmp(a->plan_id, plan_id) == 0) {
            map_remove(c->active, e->key);
            mem_free(a->plan_id);
            mem_free(a);
            return;
        }
    }
}

void plan_cancelled(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct response response;
    struct err err = {0};
    const char *plan_id = r->plan_id ? r->plan_id : p->request->plan_cancel->plan_id;

    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, "plan_cancel.plan_id");
        return;
    }
    delivery_cancel_plan(c->deliveries, plan_id, r->op->text, c->wall_ms, delivery_changed, c);
    tell_cancelled(c, plan_id);
    forget_active(c, plan_id);
    log_info(p->tool.user_id, "plan %s cancelled: %s", plan_id, r->op->text);
    publish(c, EVENT_KIND_PLAN_CANCELLED, NULL, plan_id, NULL, 0, r->op->text);
    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (!(response.done = done_reply_new(&err)) ||
        text_set(&response.done->id, plan_id, &err) < 0 ||
        text_set(&response.done->text, "cancelled", &err) < 0) {
        record_clear(&response_type, &response);
        answer_error(c, p, &err, NULL);
        return;
    }
    answer(c, p, &response);
}
