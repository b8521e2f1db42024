/* cycle.c - the owner's half: orders to the actor and notes from it. */
#include "coordinator/cycle/cycle_worker.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/net/actor.h"

#include <stdio.h>
#include <string.h>

void cycle_order_free(struct order *o)
{
    if (!o)
        return;
    mem_free(o->record);
    job_free(o->job);
    snapshot_unref(o->snapshot);
    request_free(o->request);
    mem_free(o);
}

static void order_free(void *msg)
{
    cycle_order_free(msg);
}

void cycle_note_free(struct cycle_note *n)
{
    if (!n)
        return;
    cycle_order_free(n->order);
    mem_free(n->record);
    plan_free(n->plan);
    job_free(n->job);
    response_free(n->response);
    mem_free(n);
}

static void note_free(void *msg)
{
    cycle_note_free(msg);
}

static const struct actor_type cycle_type = {"cycle", cycle_work, order_free, note_free};

struct cycle *cycle_start(struct net *net, const struct cycle_settings *settings, struct err *err)
{
    struct cycle *c = mem_zalloc(sizeof *c);

    if (!c) {
        err_set(err, ERR_NOMEM, "cycle");
        return NULL;
    }
    c->net = net;
    c->settings = *settings;
    c->lm = *settings->lm;
    if (!(c->actor = actor_start(net, &cycle_type, c, err))) {
        mem_free(c);
        return NULL;
    }
    memset(&c->lm, 0, sizeof c->lm); /* its texts were the caller's, and are copied by now */
    return c;
}

void cycle_stop(struct cycle *c)
{
    if (!c)
        return;
    actor_stop(c->actor);
    mem_free(c);
}

static int send_order(struct cycle *c, bool begin, uint64_t turn, struct job **job,
                      enum engine_kind engine, const struct snapshot *snapshot, struct err *err)
{
    struct order *o = mem_zalloc(sizeof *o);

    if (!o)
        return err_set(err, ERR_NOMEM, "planning turn");
    o->begin = begin;
    o->turn = turn;
    o->engine = engine;
    o->job = job ? *job : NULL;
    o->snapshot = snapshot_ref(snapshot);
    if (actor_send(c->actor, o) < 0) {
        o->job = NULL;
        order_free(o);
        return err_set(err, ERR_BUSY, "the planner is busy");
    }
    if (job)
        *job = NULL;
    return 0;
}

int cycle_begin(struct cycle *c, uint64_t turn, struct job **job, enum engine_kind engine,
                const struct snapshot *snapshot, struct err *err)
{
    if (c->turns >= CYCLE_TURNS_MAX)
        return err_set(err, ERR_BUSY, "%d plans are being made, try again later", CYCLE_TURNS_MAX);
    if (send_order(c, true, turn, job, engine, snapshot, err) < 0)
        return -1;
    c->turns++;
    return 0;
}

int cycle_continue(struct cycle *c, uint64_t turn, const struct snapshot *snapshot, struct err *err)
{
    return send_order(c, false, turn, NULL, ENGINE_KIND_UNSET, snapshot, err);
}

void cycle_found(struct cycle *c, struct order **moved, const void *record, size_t len)
{
    struct order *o = *moved;

    *moved = NULL;
    if (record && (o->record = mem_zalloc(len + 1)))
        memcpy(o->record, record, len);
    if (actor_send(c->actor, o) == 0)
        return;
    log_err(NULL, "the planner takes no more: a model is not asked"); /* it has ended */
    cycle_order_free(o);
}

int cycle_ask(struct cycle *c, uint64_t turn, struct request **moved, struct err *err)
{
    struct order *o;

    if (c->turns >= CYCLE_TURNS_MAX)
        return err_set(err, ERR_BUSY, "%d requests are being carried out, try again later",
                       CYCLE_TURNS_MAX);
    if (!(o = mem_zalloc(sizeof *o)))
        return err_set(err, ERR_NOMEM, "request");
    o->turn = turn;
    o->request = *moved;
    if (actor_send(c->actor, o) < 0) {
        o->request = NULL;
        cycle_order_free(o);
        return err_set(err, ERR_BUSY, "the planner is busy");
    }
    *moved = NULL;
    c->turns++;
    return 0;
}

struct cycle_note *cycle_receive(struct cycle *c)
{
    struct cycle_note *n = actor_receive(c->actor);

    if (n && (n->kind == CYCLE_DONE || n->kind == CYCLE_ANSWER))
        c->turns--;
    return n;
}

struct actor *cycle_actor(struct cycle *c)
{
    return c->actor;
}
