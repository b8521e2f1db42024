/* federated_plan.c - a turn written down: common part, an assignment per client, forecast,
 * warnings. */
#include "coordinator/planner/federated_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/aggregation.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_server.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/plan_warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static bool is_private(const struct federated_turn *t)
{
    return known_f64(t->noise_multiplier);
}

static int write_common(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_settings *s = turn_settings(t);
    const struct federated_solution *solution = turn_solution(t);
    struct federated_plan *f = plan->federated = federated_plan_new(err);

    if (!f || text_setf(&f->aggregation_reason, err, "%s", t->aggregation_why) < 0)
        return -1;
    f->aggregation = t->aggregation;
    f->server_learning_rate = s->server_learning_rate;
    if (t->aggregation == AGGREGATION_FEDPROX)
        f->proximal_mu = s->proximal_mu;
    if (t->want->method != FINE_TUNE_METHOD_FULL)
        f->rank = solution->rank_most;
    f->layers = s->layers;
    f->trainable_parameters = (int64_t)solution->parameters;
    f->upload_format = solution->best_link.format;
    f->rounds = t->want->rounds;
    f->deadline_seconds = solution->deadline_seconds;
    return federated_server_write(t, plan, err);
}

static int write_training(const struct federated_turn *t, size_t i, struct assignment *a,
                          struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_settings *s = turn_settings(t);
    const struct federated_solution *solution = turn_solution(t);
    const struct client_part *p = &solution->parts[i];
    const struct cost_setup *c = &p->fit.setup;
    const struct data_spec *data = w->job->federated->data;
    struct training *r = a->training = training_new(err);

    if (!r || text_set(&r->model_path, w->paths[federated_want_format(w, c->format)], err) < 0 ||
        text_set(&r->data_path, data ? data->path : NULL, err) < 0)
        return -1;
    r->model_format = c->format;
    r->method = w->method;
    if (w->method != FINE_TUNE_METHOD_FULL) {
        r->targets = w->targets;
        r->rank = p->link.rank;
        r->scale = w->scale;
        r->dropout = w->dropout;
    }
    r->layers = s->layers;
    r->batch_size = c->batch_size;
    r->grad_accumulation = c->grad_accumulation;
    r->sequence_length = c->sequence_length;
    r->grad_checkpoint = c->grad_checkpoint ? TRI_TRUE : TRI_FALSE;
    r->local_steps = p->steps;
    r->iters = p->steps * c->grad_accumulation;
    r->learning_rate = s->learning_rate;
    r->lr_schedule = s->lr_schedule;
    r->warmup_steps = s->warmup_steps < p->steps ? s->warmup_steps : p->steps - 1;
    r->optimizer = w->optimizer;
    r->seed = w->seed;
    r->memory_limit_bytes = (int64_t)((double)t->roster->clients[i].limit_bytes * s->memory_share);
    r->deadline_seconds = solution->deadline_seconds;
    r->upload_format = p->link.format;
    r->rounds = w->rounds;
    r->aggregation = t->aggregation;
    if (t->aggregation == AGGREGATION_FEDPROX)
        r->proximal_mu = s->proximal_mu;
    if (w->secure_aggregation)
        r->secure_aggregation = TRI_TRUE;
    if (is_private(t)) {
        r->clip_norm = w->clip_norm;
        r->noise_multiplier = t->noise_multiplier;
    }
    return federated_server_training(t, i, r, err);
}

static int write_parts(const struct federated_turn *t, size_t i, struct prediction *r,
                       struct err *err)
{
    const struct fit *f = &turn_solution(t)->parts[i].fit;
    const struct client *c = &t->snapshot->clients[i];
    const struct machine *m = envelope_machine(t->envelope, c->class_index);
    struct learned_kind kind = {.backend = m->backend,
                                .chip = t->snapshot->classes[c->class_index].profile->chip,
                                .shape = t->want->shape,
                                .method = t->want->method,
                                .grad_checkpoint = f->setup.grad_checkpoint};

    return learned_write_parts(&kind, &f->setup, &m->learned[f->setup.grad_checkpoint],
                               f->time.micro_seconds, r, err);
}

static int write_prediction(const struct federated_turn *t, size_t i, struct assignment *a,
                            struct err *err)
{
    const struct client_part *p = &turn_solution(t)->parts[i];
    struct prediction *r = a->prediction = prediction_new(err);

    if (!r)
        return -1;
    r->memory_bytes = (int64_t)ceil(p->fit.memory_bytes);
    r->step_seconds = p->fit.time.step_seconds;
    r->round_seconds = p->round_seconds;
    r->upload_bytes = (int64_t)p->link.up_bytes;
    r->download_bytes = (int64_t)p->link.down_bytes;
    r->tokens_per_second = p->fit.time.tokens_per_second;
    return write_parts(t, i, r, err);
}

static int write_limit(const struct federated_turn *t, size_t i, struct assignment *a,
                       struct err *err)
{
    const struct client *c = &t->snapshot->clients[i];
    const struct machine *m = envelope_machine(t->envelope, c->class_index);
    int64_t held = client_committed_bytes(c, t->want->job->job_id);
    char text[NUM_BYTES_TEXT_MAX];

    a->memory_limit_bytes = t->roster->clients[i].limit_bytes;
    if (held > 0)
        return text_setf(&a->memory_limit_source, err, "%s, less %s of other jobs", m->limit_text,
                         num_format_bytes(held, text));
    return text_set(&a->memory_limit_source, m->limit_text, err);
}

static int write_assignment(const struct federated_turn *t, size_t i, struct assignment *a,
                            struct err *err)
{
    const struct client *c = &t->snapshot->clients[i];

    a->kind = PLAN_KIND_FEDERATED;
    if (text_set(&a->device_id, c->device_id, err) < 0 ||
        text_set(&a->device_name, c->name, err) < 0 ||
        text_set(&a->job_id, t->want->job->job_id, err) < 0 ||
        text_set(&a->client_class, t->snapshot->classes[c->class_index].id, err) < 0 ||
        write_limit(t, i, a, err) < 0)
        return -1;
    if (turn_solution(t)->parts[i].out == CLIENT_IN &&
        (write_training(t, i, a, err) < 0 || write_prediction(t, i, a, err) < 0))
        return -1;
    return federated_why(t, i, a, err);
}

static int write_assignments(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    size_t n = t->snapshot->clients_count;

    if (!(plan->assignments = mem_calloc(n + 1, sizeof *plan->assignments)))
        return err_set(err, ERR_NOMEM, "%zu assignments", n);
    for (size_t i = 0; i < n; i++) {
        record_init(&assignment_type, &plan->assignments[i]);
        plan->assignments_count = i + 1;
        if (write_assignment(t, i, &plan->assignments[i], err) < 0)
            return -1;
    }
    return 0;
}

static int write_forecast(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_solution *s = turn_solution(t);
    struct forecast *f = plan->forecast = forecast_new(err);

    if (!f)
        return -1;
    f->clients = (int64_t)s->clients;
    f->left_out = (int64_t)(t->snapshot->clients_count - s->clients);
    f->round_seconds = s->round_seconds;
    f->tokens_per_round = s->tokens;
    f->tokens_per_second = s->tokens / s->round_seconds;
    f->utilisation = fmin(s->busy_seconds / ((double)s->clients * s->round_seconds), 1);
    f->upload_bytes = (int64_t)s->upload_bytes;
    if (text_setf(&f->text, err,
                  "a set-up for each class: %" PRId64 " to %" PRId64
                  " updates a client, all done within %.0f s",
                  s->steps_least, s->steps_most, s->horizon_seconds) < 0)
        return -1;
    if (!(plan->baseline = forecast_new(err)))
        return -1;
    return federated_baseline(t, plan->baseline, err);
}

static int write_classes(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    size_t n = envelope_classes(t->envelope);

    if (!(plan->classes = mem_calloc(n + 1, sizeof *plan->classes)))
        return err_set(err, ERR_NOMEM, "%zu classes", n);
    for (size_t i = 0; i < n; i++) {
        struct class_summary *copy = class_summary_dup(envelope_summary(t->envelope, i), err);

        if (!copy)
            return -1;
        plan->classes[plan->classes_count++] = *copy;
        mem_free(copy); /* what it owned is the plan's now */
    }
    return 0;
}

static int write_warnings(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);

    if (t->replaced[0] &&
        plan_warn(plan, err, "the proposal was replaced by the planner's own plan: %s",
                  t->replaced) < 0)
        return -1;
    if (s->goal_missed &&
        plan_warn(
            plan, err,
            "round.token_goal: %.4g tokens cannot be reached; %.4g is the nearest, bound by %s",
            w->token_goal, s->tokens,
            known_f64(w->deadline) ? "deadline_seconds, local_steps_max and the data"
                                   : "local_steps_max and the data") < 0)
        return -1;
    if (!known_f64(w->deadline) && !known_f64(w->token_goal) &&
        plan_warn(
            plan, err,
            "the job gives neither deadline_seconds nor token_goal: a round is as long as the "
            "slowest client needs for %" PRId64 " updates, %.0f s",
            t->policy->default_steps > w->steps_min ? t->policy->default_steps : w->steps_min,
            s->horizon_seconds) < 0)
        return -1;
    if (t->aggregation == AGGREGATION_FEDAVG &&
        s->steps_most > AGGREGATION_RATIO_MAX * s->steps_least &&
        plan_warn(plan, err,
                  "local steps are %" PRId64 " to %" PRId64
                  ": plain averaging leans towards the clients that do more",
                  s->steps_least, s->steps_most) < 0)
        return -1;
    return federated_server_warn(t, plan, err);
}

int federated_write(struct federated_turn *t, int engine, struct plan *plan, struct err *err)
{
    plan->format_version = 1;
    plan->kind = PLAN_KIND_FEDERATED;
    plan->state = PLAN_STATE_DRY_RUN;
    plan->engine_asked = engine;
    if (text_set(&plan->job_id, t->want->job->job_id, err) < 0 ||
        text_set(&plan->job_name, t->want->job->name, err) < 0 || write_common(t, plan, err) < 0 ||
        write_assignments(t, plan, err) < 0 || write_forecast(t, plan, err) < 0 ||
        write_classes(t, plan, err) < 0 || notes_write(&t->notes, engine, plan, err) < 0 ||
        write_warnings(t, plan, err) < 0)
        return -1;
    return decision_notes_say(&t->notes, engine, t->replaced, plan, err);
}
