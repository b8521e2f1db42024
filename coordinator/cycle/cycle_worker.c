/* cycle_worker.c - the actor's thread: who waits for what.
 *
 * A turn without a model is done at once. One with a model waits for a reply, or several where the
 * first cannot be used, and then for a fresh snapshot. The thread itself waits only on its pipe and
 * on the model's actor, together. */
#include "coordinator/cycle/cycle_worker.h"

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/net/actor.h"
#include "common/net/poll.h"
#include "coordinator/cycle/ask.h"
#include "coordinator/cycle/desk.h"
#include "coordinator/cycle/desk_run.h"
#include "coordinator/cycle/program.h"
#include "coordinator/cycle/turn.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/module.h"

#include <stdio.h>
#include <string.h>

#define CALL_MIN_MS 1000 /* an answer of a few tokens takes as long */

enum { POLL_PIPE, POLL_LM, POLL_THINGS };

/* A turn that waits for a model, or for a snapshot after it. */
struct waiting {
    uint64_t turn; /* 0: this place is free */
    struct job *job;
    const struct snapshot *asked;
    struct module *module; /* what is asked; NULL: it could not be made */
    struct proposal *proposal;
    int64_t until_ms; /* no call is begun that could not end before */
};

struct worker {
    struct actor_pipe *pipe;
    struct turn_tools tools;
    struct catalog *catalog;
    struct framing *framing;
    struct program federated, pipeline, lora, diffusion;
    struct lm *lm;
    struct net_poller *poller;
    char *model;
    int64_t max_tokens, total_ms;
    struct waiting waiting[CYCLE_TURNS_MAX];
    struct desk_run runs[CYCLE_TURNS_MAX];
};

static void waiting_clear(struct waiting *w)
{
    job_free(w->job);
    snapshot_unref(w->asked);
    module_free(w->module);
    proposal_free(w->proposal);
    memset(w, 0, sizeof *w);
}

/* Without memory for a note there is nothing left to tell it with: the turn would never end for its
 * owner, so this one allocation is tried until it succeeds or the actor is stopped. */
static struct cycle_note *note_new(struct worker *w, enum cycle_note_kind kind, uint64_t turn)
{
    struct cycle_note *n;

    while (!(n = mem_zalloc(sizeof *n)) && !pipe_is_stopping(w->pipe))
        log_err(NULL, "no memory to report planning turn %llu, trying again",
                (unsigned long long)turn);
    if (n) {
        n->kind = kind;
        n->turn = turn;
    }
    return n;
}

static void tell_done(struct worker *w, uint64_t turn, struct job **job, struct plan **plan,
                      const struct err *err)
{
    struct cycle_note *n = note_new(w, CYCLE_DONE, turn);

    if (!n)
        return;
    n->job = *job;
    *job = NULL;
    if (plan && *plan) {
        n->plan = *plan;
        *plan = NULL;
    } else {
        n->err = *err;
    }
    pipe_send(w->pipe, n);
}

static void tell(struct worker *w, enum cycle_note_kind kind, uint64_t turn, const char *text)
{
    struct cycle_note *n = note_new(w, kind, turn);

    if (!n)
        return;
    snprintf(n->text, sizeof n->text, "%s", text);
    pipe_send(w->pipe, n);
}

static void plan_analytic(struct worker *w, struct order *o)
{
    struct plan *plan = NULL;
    struct err err = {0};

    turn_plan(&w->tools, o->snapshot, o->job, &plan, &err);
    tell_done(w, o->turn, &o->job, &plan, &err);
    plan_free(plan);
}

static struct waiting *place_for(struct worker *w, uint64_t turn)
{
    for (size_t i = 0; i < CYCLE_TURNS_MAX; i++)
        if (w->waiting[i].turn == turn)
            return &w->waiting[i];
    return NULL;
}

/* The turn ends here: with an answer, or (no module, proposal->failure set) without. */
static void finish(struct worker *w, struct waiting *turn, const struct snapshot *now)
{
    struct plan *plan = NULL;
    struct err err = {0};

    turn_answer(&w->tools, turn->module, turn->asked, now, turn->job, &turn->proposal, &plan, &err);
    tell_done(w, turn->turn, &turn->job, &plan, &err);
    plan_free(plan);
    waiting_clear(turn);
}

/* The next request goes out: 1. 0: there is none, whatever the reason, which the proposal then has.
 * All calls of a turn share the time that one has. */
static int ask(struct worker *w, struct waiting *turn)
{
    int64_t left_ms = turn->until_ms - clock_mono_ms();
    struct ask how = {turn->turn, w->max_tokens, left_ms};
    struct err err = {0};
    size_t calls;
    int rc;

    module_calls(turn->module, &calls);
    if (calls > 0 && left_ms < CALL_MIN_MS && !module_answer(turn->module)) {
        module_stop(turn->module);
        texts_add(&turn->proposal->notes, &turn->proposal->notes_count,
                  "no time was left to ask again", NULL);
    }
    if ((rc = ask_next(w->lm, turn->module, &how, &err)) >= 0)
        return rc;
    text_setf(&turn->proposal->failure, NULL, "it could not be asked%s: %s", calls ? " again" : "",
              err.text);
    module_stop(turn->module);
    return 0;
}

static void begin(struct worker *w, struct order *o)
{
    struct waiting *turn;
    struct err err = {0};

    if (o->engine != ENGINE_KIND_LM) {
        plan_analytic(w, o);
        return;
    }
    turn = place_for(w, 0); /* the owner begins no more turns than there are places */
    if (!turn || !(turn->proposal = proposal_new(&err))) {
        tell_done(w, o->turn, &o->job, NULL, &err);
        return;
    }
    turn->turn = o->turn;
    turn->job = o->job;
    turn->asked = o->snapshot;
    turn->until_ms = clock_mono_ms() + w->total_ms;
    o->job = NULL;
    o->snapshot = NULL;
    tell(w, CYCLE_PROGRESS, turn->turn, "asking the model");
    if (turn_module(&w->tools, turn->asked, turn->job, &turn->module, turn->proposal, &err) < 0)
        text_setf(&turn->proposal->failure, NULL, "it could not be asked: %s", err.text);
    else if (ask(w, turn) == 1)
        return;
    finish(w, turn, turn->asked);
}

/* ---- signatures ---- */

static void tell_answer(struct worker *w, uint64_t turn, const struct desk_done *done)
{
    struct cycle_note *n = note_new(w, CYCLE_ANSWER, turn);

    if (!n) {
        response_free(done->response);
        return;
    }
    n->response = done->response;
    n->err = done->err;
    pipe_send(w->pipe, n);
}

/* A question about signatures: answered at once, unless a model is asked. */
static void answer_order(struct worker *w, const struct order *o)
{
    const struct desk desk = {.catalog = w->catalog, .framing = w->framing};
    const struct desk_lm lm = {w->lm, w->model, w->max_tokens, w->total_ms};
    struct desk_run *free_run = desk_run_for(w->runs, CYCLE_TURNS_MAX, 0);
    struct desk_done done = {0};

    if (!o->request->signature_run)
        done.response = desk_answer(&desk, o->request, &done.err);
    else if (desk_run_begin(free_run, &desk, &lm, o->turn, o->request->signature_run, &done) == 1) {
        tell(w, CYCLE_PROGRESS, o->turn, "asking the model");
        return;
    }
    tell_answer(w, o->turn, &done);
}

static void take_run_reply(struct worker *w, struct desk_run *r, const struct lm_reply *reply)
{
    const struct desk_lm lm = {w->lm, w->model, w->max_tokens, w->total_ms};
    uint64_t turn = r->turn;
    struct desk_done done;

    if (desk_run_take(r, &lm, reply, &done) == 1)
        tell(w, CYCLE_PROGRESS, turn, "the answer could not be used: asking again");
    else
        tell_answer(w, turn, &done);
}

/* ---- the model's replies ---- */

static void take_reply(struct worker *w, struct lm_reply *reply)
{
    struct desk_run *run = desk_run_for(w->runs, CYCLE_TURNS_MAX, reply->tag);
    struct waiting *turn = place_for(w, reply->tag);
    struct err err = {0};

    if (run)
        take_run_reply(w, run, reply);
    if (run || !turn || !turn->module)
        goto out;
    if (turn_count(turn->proposal, reply, w->model, &err) < 0 ||
        ask_take(turn->module, reply, &err) < 0) {
        text_set(&turn->proposal->failure, err.text, NULL);
        module_stop(turn->module);
    }
    if (ask(w, turn) == 1) {
        tell(w, CYCLE_PROGRESS, turn->turn, "the answer could not be used: asking again");
        goto out;
    }
    if (!module_answer(turn->module))
        log_warn("model", "no answer for job %s, planning without it: %s", turn->job->job_id,
                 module_failure(turn->module) ? module_failure(turn->module) : "it was not asked");
    tell(w, CYCLE_WANT_SNAPSHOT, turn->turn,
         module_answer(turn->module) ? "the model answered: verifying"
                                     : "no answer: planning without the model");
out:
    lm_reply_free(reply);
}

static void take_replies(struct worker *w)
{
    struct lm_reply *reply;

    while ((reply = lm_receive(w->lm)))
        take_reply(w, reply);
}

static void take_order(struct worker *w, struct order *o)
{
    struct waiting *turn;

    if (o->key[0]) {
        lm_found(w->lm, o->key, o->record);
        take_replies(w);
    } else if (o->request) {
        answer_order(w, o);
    } else if (o->begin) {
        begin(w, o);
    } else if ((turn = place_for(w, o->turn))) {
        finish(w, turn, o->snapshot);
    }
    cycle_order_free(o);
}

static void serve(struct worker *w)
{
    int ids[POLL_THINGS];

    while (!pipe_is_stopping(w->pipe)) {
        int ready = net_poller_wait(w->poller, -1, ids, POLL_THINGS);

        if (ready < 0)
            return;
        for (int i = 0; i < ready; i++) {
            void *msg;
            int rc;

            if (ids[i] == POLL_LM) {
                take_replies(w);
                continue;
            }
            while ((rc = pipe_receive(w->pipe, 0, &msg)) == 1)
                take_order(w, msg);
            if (rc < 0)
                return;
        }
    }
}

/* The owner is asked for a reply that it may have; without memory to ask, it has none. */
static void find_reply(void *arg, const char *key)
{
    struct worker *w = arg;
    struct order *o = mem_zalloc(sizeof *o);
    struct cycle_note *n = o ? note_new(w, CYCLE_FIND_REPLY, 0) : NULL;

    if (!n) {
        cycle_order_free(o);
        lm_found(w->lm, key, NULL);
        return;
    }
    snprintf(o->key, sizeof o->key, "%s", key);
    snprintf(n->text, sizeof n->text, "%s", key);
    n->order = o;
    pipe_send(w->pipe, n);
}

static void keep_reply(void *arg, const char *key, const char *record)
{
    struct worker *w = arg;
    char *copy = mem_strdup(record);
    struct cycle_note *n = copy ? note_new(w, CYCLE_KEEP_REPLY, 0) : NULL;

    if (!n) {
        mem_free(copy);
        return;
    }
    snprintf(n->text, sizeof n->text, "%s", key);
    n->record = copy;
    pipe_send(w->pipe, n);
}

/* What every turn needs: a program or a framing that cannot be used is told before any turn. */
static int open_tools(struct worker *w, const struct cycle_settings *s, struct err *err)
{
    int rc = -1;

    w->catalog =
        s->signature_dir ? catalog_new_from_folder(s->signature_dir, err) : catalog_new(err);
    if (w->catalog &&
        (w->framing = s->framing_file ? framing_load(s->framing_file, err) : framing_builtin(err)))
        rc = program_open(&w->federated, w->catalog, "FederatedLearningSignature",
                          s->federated_program, err);
    if (rc == 0)
        rc = program_open(&w->pipeline, w->catalog, "MLPipelineOptimizationSignature",
                          s->pipeline_program, err);
    if (rc == 0)
        rc = program_open(&w->lora, w->catalog, "LoRAOptimizationSignature", NULL, err);
    if (rc == 0)
        rc = program_open(&w->diffusion, w->catalog, "DiffusionOptimizationSignature", NULL, err);
    w->tools = (struct turn_tools){.federated = &w->federated,
                                   .pipeline = &w->pipeline,
                                   .lora = &w->lora,
                                   .diffusion = &w->diffusion,
                                   .fleet_tokens = (size_t)s->lm_fleet_tokens,
                                   .framing = w->framing,
                                   .layout = s->ask_json ? MODULE_JSON : MODULE_CHAT,
                                   .retry = s->retry,
                                   .policy = s->policy};
    return rc;
}

static int worker_open(struct worker *w, struct cycle *c, struct err *err)
{
    w->max_tokens = c->settings.lm_max_tokens;
    w->total_ms = c->lm.total_ms;
    if (c->settings.keeps_replies)
        c->lm.cache = (struct lm_cache){find_reply, keep_reply, w};
    if (open_tools(w, &c->settings, err) < 0 || !(w->lm = lm_start(c->net, &c->lm, err)) ||
        !(w->poller = net_poller_new(POLL_THINGS, err)))
        return -1;
    if (c->lm.model && text_set(&w->model, c->lm.model, err) < 0)
        return -1;
    if (net_poller_add_pipe(w->poller, w->pipe, POLL_PIPE, err) < 0 ||
        net_poller_add_actor(w->poller, lm_actor(w->lm), POLL_LM, err) < 0)
        return -1;
    return 0;
}

static void worker_close(struct worker *w)
{
    for (size_t i = 0; i < CYCLE_TURNS_MAX; i++) {
        waiting_clear(&w->waiting[i]);
        desk_run_clear(&w->runs[i]);
    }
    net_poller_free(w->poller);
    lm_stop(w->lm);
    framing_free(w->framing);
    program_close(&w->federated);
    program_close(&w->pipeline);
    program_close(&w->lora);
    program_close(&w->diffusion);
    catalog_free(w->catalog);
    mem_free(w->model);
    mem_free(w);
}

void cycle_work(struct actor_pipe *pipe, void *arg)
{
    struct worker *w = mem_zalloc(sizeof *w);
    struct err err = {0};

    if (!w) {
        err_set(&err, ERR_NOMEM, "cycle");
        actor_failed(pipe, &err);
        return;
    }
    w->pipe = pipe;
    if (worker_open(w, arg, &err) < 0) {
        actor_failed(pipe, &err);
    } else {
        actor_ready(pipe);
        serve(w);
    }
    worker_close(w);
}
