/* lora.c - one planning turn: the planner's own training, then the proposal's, then the better one.
 */
#include "coordinator/planner/lora.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/lora_turn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WARMUP_SECONDS 30 /* model load and compilation */

const struct lora_settings *lora_turn_settings(const struct lora_turn *t)
{
    return t->proposed ? &t->settings : &t->own;
}

const struct lora_solution *lora_turn_solution(const struct lora_turn *t)
{
    return t->proposed ? &t->solution : &t->own_solution;
}

static void turn_clear(struct lora_turn *t)
{
    federated_want_free(t->want);
    decision_notes_clear(&t->notes);
}

/* federated_want names its own job's fields: here they are the LoRA job's. */
static int want_error(const struct err *why, struct err *err)
{
    const char *at = strncmp(why->text, "federated.", 10) == 0 ? why->text + 10 : why->text;

    return err_set(err, why->code, "%s%s", why->code == ERR_NOMEM ? "" : "lora.", at);
}

/* The job as one client's share of a federated one. */
static int read_want(struct lora_turn *t, const struct job *job, struct err *err)
{
    const struct lora_run *run = t->lora->run;
    struct err why = {0};

    record_init(&federated_job_type, &t->federated);
    record_init(&round_spec_type, &t->round);
    record_init(&data_spec_type, &t->data);
    t->warmup = run && known_f64(run->warmup_seconds) ? run->warmup_seconds : WARMUP_SECONDS;
    t->epochs = run && known_f64(run->epochs) ? run->epochs : 1;
    t->updates = run ? run->updates : UNKNOWN_I64;
    t->deadline = run ? run->deadline_seconds : UNKNOWN_F64;
    t->data.path = t->lora->data->path;
    t->data.examples_per_client = t->lora->data->examples;
    t->data.tokens_per_example = t->lora->data->tokens_per_example;
    t->federated.model = t->lora->model;
    t->federated.tuning = t->lora->tuning;
    t->federated.round = &t->round;
    t->federated.data = &t->data;
    t->view = *job;
    t->view.lora = NULL;
    t->view.federated = &t->federated;
    if (t->lora->tuning->method == FINE_TUNE_METHOD_FULL)
        return err_set(err, ERR_INVALID, "lora.tuning.method: full, wanted lora or dora");
    if (!t->lora->model->shape)
        return err_set(err, ERR_INVALID,
                       "lora.model.config_json: missing, wanted the text of a "
                       "config.json");
    t->want = federated_want_new(&t->view, &why);
    return t->want ? 0 : want_error(&why, err);
}

static struct lora_settings own_settings(const struct lora_turn *t)
{
    return (struct lora_settings){.rank = t->want->rank,
                                  .layers = t->want->layers,
                                  .targets = t->want->targets,
                                  .scale = t->want->scale,
                                  .dropout = t->want->dropout,
                                  .memory_share = t->policy->memory_share,
                                  .learning_rate = t->want->learning_rate,
                                  .lr_schedule = t->want->lr_schedule,
                                  .updates = UNKNOWN_I64,
                                  .ask = fit_ask_open()};
}

struct learned_kind lora_turn_kind(const struct lora_turn *t, bool grad_checkpoint)
{
    return (struct learned_kind){.backend = t->device.machine.backend,
                                 .chip = t->device.of->profile->chip,
                                 .shape = t->want->shape,
                                 .method = t->want->method,
                                 .grad_checkpoint = grad_checkpoint};
}

/* A device alone learns from the same runs as a fleet. */
static void learn(struct lora_turn *t, const struct snapshot *s)
{
    for (int on = 0; on < 2; on++) {
        struct learned_kind kind = lora_turn_kind(t, on == 1);

        learned_find(s, &kind, &t->device.machine.learned[on]);
    }
}

static int turn_begin(struct lora_turn *t, const struct snapshot *s, const struct job *job,
                      const struct policy *policy, struct err *err)
{
    char need[NUM_BYTES_TEXT_MAX], room[NUM_BYTES_TEXT_MAX], held[64];

    memset(t, 0, sizeof *t);
    t->lora = job->lora;
    t->policy = policy;
    if (read_want(t, job, err) < 0 ||
        device_part_find(s, job, "lora", job->lora->device_id, job->lora->rules, policy, &t->device,
                         err) < 0)
        return -1;
    learn(t, s);
    t->own = own_settings(t);
    if (!lora_fits(t, &t->own, &t->own_solution))
        return err_set(
            err, ERR_INFEASIBLE,
            "nothing fits %.64s: the smallest set-up needs %s, it may fill %s%s",
            job->lora->device_id, num_format_bytes((int64_t)ceil(lora_smallest(t)), need),
            num_format_bytes((int64_t)((double)t->device.limit_bytes * policy->memory_share), room),
            device_part_held(&t->device, held, sizeof held));
    return lora_solve(t, &t->own, &t->own_solution, err);
}

/* Longer for the same tokens than the planner's own. "" when not. */
static void judge(struct lora_turn *t)
{
    double own = t->own_solution.training_seconds / t->own_solution.tokens;
    double ratio = t->solution.training_seconds / t->solution.tokens / own;

    /* a short training is mostly loading: its updates are compared */
    ratio = fmin(ratio, t->solution.fit.time.tokens_per_second > 0
                            ? t->own_solution.fit.time.tokens_per_second /
                                  t->solution.fit.time.tokens_per_second
                            : ratio);
    if (ratio > 1 + t->policy->worse_share)
        snprintf(t->replaced, sizeof t->replaced,
                 "the plan with it needs %.2f times the planner's time for the same tokens", ratio);
}

/* What the proposal has in common with the planner's own plan has its value for the same reason. */
static void inherit_why(const struct lora_solution *own, struct lora_solution *s)
{
    const struct cost_setup *a = &own->fit.setup, *b = &s->fit.setup;

    if (a->format == b->format)
        s->fit.why_format = own->fit.why_format;
    if (a->sequence_length == b->sequence_length)
        s->fit.why_sequence = own->fit.why_sequence;
    if (a->grad_checkpoint == b->grad_checkpoint)
        s->fit.why_checkpoint = own->fit.why_checkpoint;
    if (a->batch_size == b->batch_size)
        s->fit.why_batch = own->fit.why_batch;
    if (a->grad_accumulation == b->grad_accumulation)
        s->fit.why_accumulation = own->fit.why_accumulation;
    if (own->layers == s->layers)
        s->why_layers = own->why_layers;
    if (own->rank == s->rank)
        s->why_rank = own->why_rank;
}

static int turn_propose(struct lora_turn *t, const struct lora_proposal *p, struct err *err)
{
    struct err why = {0};

    lora_merge(t, p);
    if (p && !lora_fits(t, &t->settings, &t->solution)) {
        snprintf(t->replaced, sizeof t->replaced, "nothing near it fits the device's memory");
    } else if (p && lora_solve(t, &t->settings, &t->solution, &why) < 0) {
        if (why.code != ERR_INFEASIBLE)
            return err_set(err, why.code, "%s", why.text);
        snprintf(t->replaced, sizeof t->replaced, "%.190s", why.text);
    } else if (p) {
        judge(t);
    }
    t->proposed = p && !t->replaced[0];
    if (t->proposed)
        inherit_why(&t->own_solution, &t->solution);
    lora_settle(t, p);
    if (t->replaced[0])
        notes_reject(&t->notes, t->replaced);
    return 0;
}

int lora_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                enum engine_kind engine, const struct lora_proposal *p, struct plan **out,
                struct err *err)
{
    struct lora_turn t;
    struct plan *plan = NULL;
    int rc = -1;

    if (turn_begin(&t, s, job, policy, err) < 0 || turn_propose(&t, p, err) < 0 ||
        !(plan = plan_new(err)) || lora_write(&t, (int)engine, plan, err) < 0)
        goto out;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    plan_free(plan);
    turn_clear(&t);
    return rc;
}

/* ---- the analytic answer ---- */

static int propose_setup(const struct lora_turn *t, struct lora_proposal *p, struct err *err)
{
    const struct lora_solution *s = &t->own_solution;
    const struct cost_setup *c = &s->fit.setup;
    struct lora_strategy *o = p->optimization_strategy = lora_strategy_new(err);
    struct lora_config *g = p->lora_config = lora_config_new(err);
    struct lora_memory *m = p->memory_optimization = lora_memory_new(err);

    if (!o || !g || !m)
        return -1;
    o->model_format = c->format;
    o->sequence_length = c->sequence_length;
    g->rank = s->rank;
    g->alpha = s->scale * (double)s->rank;
    g->targets = c->targets;
    g->layers = s->layers;
    g->dropout = t->own.dropout;
    m->grad_checkpoint = c->grad_checkpoint ? TRI_TRUE : TRI_FALSE;
    if (text_setf(&o->rationale, err, "the first of the job's formats that fits") < 0 ||
        text_setf(&g->rationale, err, "%.4g parameters", s->parameters) < 0)
        return -1;
    return text_setf(&m->rationale, err, "peak %.3g GB of %.3g GB", s->fit.memory_bytes / 1e9,
                     (double)t->device.limit_bytes / 1e9);
}

static int propose_training(const struct lora_turn *t, struct lora_proposal *p, struct err *err)
{
    const struct lora_solution *s = &t->own_solution;
    struct lora_allocation *a = p->resource_allocation = lora_allocation_new(err);
    struct lora_training *r = p->training_strategy = lora_training_new(err);
    struct lora_performance *e = p->expected_performance = lora_performance_new(err);

    if (!a || !r || !e)
        return -1;
    a->memory_share = t->own.memory_share;
    r->batch_size = s->fit.setup.batch_size;
    r->grad_accumulation = s->fit.setup.grad_accumulation;
    r->learning_rate = t->own.learning_rate;
    r->lr_schedule = t->own.lr_schedule;
    r->warmup_steps = t->own.warmup_steps;
    r->updates = s->updates;
    e->memory_bytes = (int64_t)ceil(s->fit.memory_bytes);
    e->tokens_per_second = s->fit.time.tokens_per_second;
    e->training_seconds = fmin(s->training_seconds, 1e9);
    if (text_setf(&a->rationale, err, "%s", t->device.machine.limit_text) < 0 ||
        text_setf(&r->rationale, err, "the largest batch that is fastest: %.4g tokens/s",
                  s->fit.time.tokens_per_second) < 0)
        return -1;
    return text_setf(&e->rationale, err, "%s", t->device.machine.rates.text);
}

int lora_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                 struct lora_proposal **out, struct err *err)
{
    struct lora_turn t;
    struct lora_proposal *p = NULL;
    int rc = -1;

    if (turn_begin(&t, s, job, policy, err) < 0 || !(p = lora_proposal_new(err)) ||
        propose_setup(&t, p, err) < 0 || propose_training(&t, p, err) < 0 ||
        text_setf(&p->reasoning, err, "%" PRId64 " updates in %.0f s, the fastest that fits",
                  t.own_solution.updates, ceil(t.own_solution.training_seconds)) < 0)
        goto out;
    *out = p;
    p = NULL;
    rc = 0;
out:
    lora_proposal_free(p);
    turn_clear(&t);
    return rc;
}
