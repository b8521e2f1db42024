/* federated.c - one planning turn: the planner's own plan, then the proposal's, then the better
 * one. */
#include "coordinator/planner/federated.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/federated_merge.h"
#include "coordinator/planner/federated_server.h"
#include "coordinator/planner/federated_turn.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PROPOSAL_CLASSES_MAX 10000 /* what a proposal carries */

const struct federated_settings *turn_settings(const struct federated_turn *t)
{
    return t->settings ? t->settings : t->own;
}

const struct federated_solution *turn_solution(const struct federated_turn *t)
{
    return t->solution ? t->solution : t->own_solution;
}

static void turn_clear(struct federated_turn *t)
{
    decision_notes_clear(&t->notes);
    federated_settings_free(t->own);
    federated_settings_free(t->settings);
    federated_solution_free(t->own_solution);
    federated_solution_free(t->solution);
    roster_free(t->roster);
    mem_free(t->memos);
}

/* "5 memory, 2 liveness": what left clients out, most frequent words first come by constraint. */
static void count_reasons(const struct federated_turn *t, const struct federated_solution *s,
                          char *out, size_t size)
{
    static const int of[] = {[CLIENT_IN] = 0,
                             [OUT_RULE] = 0,
                             [OUT_ENGINE] = CONSTRAINT_RULE,
                             [OUT_MEMORY] = CONSTRAINT_MEMORY,
                             [OUT_DATA] = CONSTRAINT_DATA,
                             [OUT_LINK] = CONSTRAINT_LINK,
                             [OUT_DEADLINE] = CONSTRAINT_DEADLINE,
                             [OUT_SELECTION] = CONSTRAINT_OBJECTIVE};
    size_t counts[CONSTRAINT_OBJECTIVE + 1] = {0}, used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        enum client_out why = s->parts[i].out;
        int c = why == OUT_RULE ? t->roster->clients[i].constraint : of[why];

        counts[c]++;
    }
    for (int c = CONSTRAINT_MEMORY; c <= CONSTRAINT_OBJECTIVE && used < size; c++)
        if (counts[c] > 0)
            used += (size_t)snprintf(out + used, size - used, "%s%zu %s", used ? ", " : "",
                                     counts[c], enum_name(&constraint_names, c));
}

/* What would let the first client in: the nearest deadline or memory. "" when neither is the
 * matter. */
static void nearest(const struct federated_turn *t, const struct federated_solution *s, char *out,
                    size_t size)
{
    const struct federated_want *w = t->want;
    double deadline = INFINITY, memory = INFINITY;

    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        const struct client_part *p = &s->parts[i];
        struct fit_place place = federated_place(t->roster, t->own, i);

        if (p->out == OUT_DEADLINE || p->out == OUT_LINK)
            deadline = fmin(deadline, fmax(p->fixed_seconds +
                                               (double)w->steps_min *
                                                   federated_quickest_step(t->roster, t->own, i, p),
                                           p->upload_seconds / w->upload_share_max));
        if (p->out == OUT_MEMORY)
            memory = fmin(memory, fit_smallest(w, place.machine, t->policy->activation_factor,
                                               w->rank_min, w->layers_min) -
                                      place.room);
    }
    out[0] = '\0';
    if (deadline < INFINITY)
        snprintf(out, size, "; nearest: deadline_seconds %.0f", ceil(deadline));
    else if (memory < INFINITY)
        snprintf(out, size, "; nearest: %.2f GB more memory on one client", fmax(memory, 0) / 1e9);
}

/* The demands on the number of clients. */
static int check_clients(const struct federated_turn *t, const struct federated_solution *s,
                         struct err *err)
{
    const struct federated_want *w = t->want;
    double per_round = federated_clients_per_round(s) + 1e-9;
    char reasons[120], near[60];
    struct secure_terms secure;
    int64_t fewest;

    count_reasons(t, s, reasons, sizeof reasons);
    nearest(t, s, near, sizeof near);
    if (s->clients == 0)
        return err_set(err, ERR_INFEASIBLE, "no client of %zu can take part: %s%s",
                       t->snapshot->clients_count, reasons[0] ? reasons : "the fleet is empty",
                       near);
    if (known_i64(w->min_reports) && (double)w->min_reports > per_round)
        return err_set(err, ERR_INFEASIBLE,
                       "round.min_reports: %" PRId64 ", the nearest that can be met is %zu: %s%s",
                       w->min_reports, (size_t)per_round, reasons[0] ? reasons : "no more clients",
                       near);
    if ((double)w->min_clients > per_round)
        return err_set(err, ERR_INFEASIBLE,
                       "privacy.min_clients: %" PRId64 " (at least 3 under secure aggregation), "
                       "only %zu can take part: %s%s",
                       w->min_clients, (size_t)per_round, reasons[0] ? reasons : "no more clients",
                       near);
    if (federated_server_terms(t, s, &fewest, &secure, err) < 0)
        return -1;
    if ((double)fewest > per_round)
        return err_set(err, ERR_INFEASIBLE,
                       "round.min_reports: %" PRId64 " must report, only %zu serve in a round",
                       fewest, (size_t)per_round);
    return 0;
}

/* Roster, the planner's own settings and solution, the aggregation, the noise. */
static int turn_begin(struct federated_turn *t, const struct snapshot *s, const struct envelope *e,
                      struct err *err)
{
    memset(t, 0, sizeof *t);
    t->snapshot = s;
    t->envelope = e;
    t->want = envelope_want(e);
    t->policy = envelope_policy(e);
    t->noise_multiplier = t->epsilon_spent = t->accounted_rate = UNKNOWN_F64;
    if (!(t->roster = roster_new(s, e, err)) || !(t->own = federated_choose(t->roster, err)) ||
        !(t->own_solution = federated_solve(t->roster, t->own, err)) ||
        check_clients(t, t->own_solution, err) < 0)
        return -1;
    return federated_server_begin(t, err);
}

/* Longer for the same tokens, or short of a goal that the planner's own plan reaches. "" when not.
 */
static void judge(struct federated_turn *t)
{
    const struct federated_solution *own = t->own_solution, *s = t->solution;
    double limit = 1 + t->policy->worse_share, ratio;
    struct err err = {0};

    if (check_clients(t, s, &err) < 0) {
        snprintf(t->replaced, sizeof t->replaced, "the plan with it cannot be met: %.140s",
                 err.text);
        return;
    }
    ratio = (s->round_seconds / s->tokens) / (own->round_seconds / own->tokens);
    if (ratio > limit)
        snprintf(t->replaced, sizeof t->replaced,
                 "the plan with it needs %.2f times the planner's time for the same tokens", ratio);
    else if (known_f64(t->want->token_goal) &&
             s->tokens * limit < fmin(own->tokens, t->want->token_goal))
        snprintf(t->replaced, sizeof t->replaced,
                 "the plan with it trains %.3g tokens a round; the planner's own %.3g", s->tokens,
                 own->tokens);
}

/* The proposal made into settings, repaired, solved and compared. */
static int turn_propose(struct federated_turn *t, const struct federated_proposal *p,
                        struct err *err)
{
    t->settings = federated_merge(t->roster, t->own, t->aggregation, p, &t->notes, err);
    if (!t->settings)
        return -1;
    if (!p)
        return federated_settle(t->roster, t->own, t->own_solution, &t->notes, err);
    if (federated_repair_common(t->roster, t->own, t->settings, &t->notes, err) < 0 ||
        !(t->solution = federated_solve(t->roster, t->settings, err)))
        return -1;
    judge(t);
    if (!t->replaced[0])
        return federated_settle(t->roster, t->settings, t->solution, &t->notes, err);
    federated_settings_free(t->settings);
    federated_solution_free(t->solution);
    t->settings = NULL;
    t->solution = NULL;
    if (federated_settle(t->roster, t->own, t->own_solution, &t->notes, err) < 0)
        return -1;
    notes_reject(&t->notes, t->replaced);
    return 0;
}

int federated_verify(const struct snapshot *s, const struct job *job, const struct envelope *e,
                     enum engine_kind engine, const struct federated_proposal *p, struct plan **out,
                     struct err *err)
{
    struct federated_turn t;
    struct plan *plan = NULL;
    int rc = -1;

    (void)job; /* the envelope's */
    if (turn_begin(&t, s, e, err) < 0 || turn_propose(&t, p, err) < 0)
        goto out;
    if (federated_server_terms(&t, turn_solution(&t), &t.min_reports, &t.secure, err) < 0 ||
        federated_server_buffer(&t, err) < 0)
        goto out;
    federated_server_weigh(&t);
    if (!(t.memos = mem_calloc(s->classes_count + 1, sizeof *t.memos))) {
        err_set(err, ERR_NOMEM, "reasons of %zu classes", s->classes_count);
        goto out;
    }
    if (!(plan = plan_new(err)) || federated_write(&t, (int)engine, plan, err) < 0)
        goto out;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    plan_free(plan);
    turn_clear(&t);
    return rc;
}

int federated_aggregation(const struct snapshot *s, const struct job *job, const struct envelope *e,
                          int *aggregation, char *why, size_t why_size, struct err *err)
{
    struct federated_turn t;
    int rc = turn_begin(&t, s, e, err);

    (void)job;
    if (rc == 0) {
        *aggregation = t.aggregation;
        snprintf(why, why_size, "%s", t.aggregation_why);
    }
    turn_clear(&t);
    return rc;
}

/* The first member that takes part speaks for its class; its steps are those of the fastest link.
 */
static int propose_class(const struct federated_turn *t, size_t k, size_t first, int64_t steps,
                         struct federated_proposal *p, struct err *err)
{
    const struct cost_setup *s = &t->own_solution->parts[first].fit.setup;
    struct client_optimization *c = records_add(&client_optimization_type, &p->client_optimization,
                                                &p->client_optimization_count, err);

    if (!c || text_set(&c->client_class, t->snapshot->classes[k].id, err) < 0)
        return -1;
    if (steps == 0) /* nothing to propose: verification says of each member why */
        return text_set(&c->rationale, "no member can take part now", err);
    c->participate = TRI_TRUE;
    c->model_format = s->format;
    c->batch_size = s->batch_size;
    c->grad_accumulation = s->grad_accumulation;
    c->sequence_length = s->sequence_length;
    c->grad_checkpoint = s->grad_checkpoint ? TRI_TRUE : TRI_FALSE;
    c->local_steps = steps;
    return text_setf(&c->rationale, err,
                     "the fastest set-up that fits: %.3g tokens/s, peak %.3g GB of %.3g GB",
                     t->own_solution->parts[first].fit.time.tokens_per_second,
                     t->own_solution->parts[first].fit.memory_bytes / 1e9,
                     (double)t->roster->clients[first].limit_bytes / 1e9);
}

static int propose_classes(const struct federated_turn *t, struct federated_proposal *p,
                           struct err *err)
{
    size_t classes = t->snapshot->classes_count, *first = mem_calloc(classes + 1, sizeof *first);
    int64_t *steps = mem_calloc(classes + 1, sizeof *steps);
    int rc = first && steps ? 0 : err_set(err, ERR_NOMEM, "proposal for %zu classes", classes);

    for (size_t i = 0; rc == 0 && i < t->snapshot->clients_count; i++) {
        const struct client_part *part = &t->own_solution->parts[i];
        size_t k = t->snapshot->clients[i].class_index;

        if (part->out != CLIENT_IN)
            continue;
        first[k] = steps[k] == 0 ? i : first[k];
        steps[k] = part->steps > steps[k] ? part->steps : steps[k];
    }
    for (size_t k = 0; rc == 0 && k < classes && k < PROPOSAL_CLASSES_MAX; k++)
        rc = propose_class(t, k, first[k], steps[k], p, err);
    mem_free(first);
    mem_free(steps);
    return rc;
}

static int propose_common(const struct federated_turn *t, struct federated_proposal *p,
                          struct err *err)
{
    const struct federated_settings *s = t->own;
    struct optimization_strategy *o = p->optimization_strategy = optimization_strategy_new(err);
    struct resource_allocation *a = p->resource_allocation = resource_allocation_new(err);
    struct communication_protocol *c = p->communication_protocol = communication_protocol_new(err);
    struct convergence_strategy *v = p->convergence_strategy = convergence_strategy_new(err);

    if (!o || !a || !c || !v)
        return -1;
    o->model_format = t->want->formats[0];
    o->sequence_length = t->want->sequence;
    a->rank = s->rank;
    a->layers = s->layers;
    a->memory_share = s->memory_share;
    c->upload_format = s->upload_format;
    v->learning_rate = s->learning_rate;
    v->lr_schedule = s->lr_schedule;
    v->warmup_steps = s->warmup_steps;
    v->local_steps_max = s->steps_max;
    v->server_learning_rate = s->server_learning_rate;
    v->proximal_mu = t->aggregation == AGGREGATION_FEDPROX ? s->proximal_mu : UNKNOWN_F64;
    if (text_setf(&o->rationale, err, "each class trains the fastest set-up that fits its memory") <
            0 ||
        text_setf(&a->rationale, err,
                  "%zu of %zu clients fit rank %" PRId64 " on %" PRId64 " layers",
                  t->own_solution->clients, t->snapshot->clients_count, s->rank, s->layers) < 0 ||
        text_setf(&c->rationale, err, "%.3g MB an update", t->own_solution->update_bytes / 1e6) <
            0 ||
        text_setf(&v->rationale, err, "%s", t->aggregation_why) < 0)
        return -1;
    return text_setf(&p->reasoning, err, "%zu clients train %.3g tokens in a round of %.0f s",
                     t->own_solution->clients, t->own_solution->tokens,
                     t->own_solution->round_seconds);
}

int federated_propose(const struct snapshot *s, const struct job *job, const struct envelope *e,
                      struct federated_proposal **out, struct err *err)
{
    struct federated_turn t;
    struct federated_proposal *p = NULL;
    int rc = -1;

    (void)job;
    if (turn_begin(&t, s, e, err) < 0 || !(p = federated_proposal_new(err)) ||
        propose_common(&t, p, err) < 0 || propose_classes(&t, p, err) < 0)
        goto out;
    *out = p;
    p = NULL;
    rc = 0;
out:
    federated_proposal_free(p);
    turn_clear(&t);
    return rc;
}
