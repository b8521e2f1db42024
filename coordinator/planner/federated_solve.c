/* federated_solve.c - who takes part, and how many steps until all finish together.
 *
 * In order: a set-up per class, refitted for the clients whose memory or data is less than their
 * class's; the horizon T* (the job's deadline, else the smallest that meets its token goal, else
 * what the slowest client needs for a few steps); steps = what fits before T* beside transfers and
 * warm-up, at most the caps; a client with too few steps is tried with a cheaper set-up, else left
 * out. */
#include "coordinator/planner/federated_solve.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_UNKNOWN ((int64_t)1 << 40) /* rows of data: no bound */
#define BISECTIONS 80                   /* halves a year to under a nanosecond */

struct solver {
    const struct roster *roster;
    const struct federated_settings *settings;
    const struct federated_want *want;
    struct federated_solution *solution;
    struct fit *class_fits;
    bool *class_fits_any;
    double *class_horizon; /* scratch of horizon_default */
};

struct federated_settings *federated_settings_new(size_t classes, struct err *err)
{
    struct federated_settings *s = mem_zalloc(sizeof *s);

    if (!s || !(s->classes = mem_calloc(classes + 1, sizeof *s->classes))) {
        federated_settings_free(s);
        err_set(err, ERR_NOMEM, "settings of %zu classes", classes);
        return NULL;
    }
    s->classes_count = classes;
    for (size_t i = 0; i < classes; i++)
        s->classes[i] = (struct class_settings){
            .participate = true, .ask = fit_ask_open(), .local_steps = UNKNOWN_I64};
    return s;
}

struct federated_settings *federated_settings_dup(const struct federated_settings *s,
                                                  struct err *err)
{
    struct federated_settings *copy = federated_settings_new(s->classes_count, err);
    struct class_settings *classes;

    if (!copy)
        return NULL;
    classes = copy->classes;
    memcpy(classes, s->classes, s->classes_count * sizeof *classes);
    *copy = *s;
    copy->classes = classes;
    return copy;
}

void federated_settings_free(struct federated_settings *s)
{
    if (!s)
        return;
    mem_free(s->classes);
    mem_free(s);
}

void federated_solution_free(struct federated_solution *s)
{
    if (!s)
        return;
    mem_free(s->parts);
    mem_free(s);
}

struct fit_place federated_place(const struct roster *r, const struct federated_settings *s,
                                 size_t client)
{
    const struct client *c = &r->snapshot->clients[client];
    const struct roster_client *rc = &r->clients[client];

    return (struct fit_place){
        .want = envelope_want(r->envelope),
        .machine = envelope_machine(r->envelope, c->class_index),
        .activation_factor = envelope_policy(r->envelope)->activation_factor,
        .rank = s->rank,
        .layers = s->layers,
        .room = known_i64(rc->limit_bytes) ? (double)rc->limit_bytes * s->memory_share : 0,
        .batch_max = known_i64(rc->examples) ? rc->examples : ROWS_UNKNOWN};
}

/* The set-up of a class whose members have all of its memory and enough data. */
static void fit_classes(struct solver *v)
{
    const struct roster *r = v->roster;

    for (size_t i = 0; i < r->snapshot->classes_count; i++) {
        const struct machine *m = envelope_machine(r->envelope, i);
        struct fit_place p = {.want = v->want,
                              .machine = m,
                              .activation_factor = envelope_policy(r->envelope)->activation_factor,
                              .rank = v->settings->rank,
                              .layers = v->settings->layers,
                              .batch_max = ROWS_UNKNOWN};

        v->class_fits_any[i] = false;
        if (!known_i64(m->limit_bytes) || envelope_refusal(r->envelope, i))
            continue;
        p.room = (double)m->limit_bytes * v->settings->memory_share;
        v->class_fits_any[i] = fit_any(&p, &v->settings->classes[i].ask, &v->class_fits[i]);
    }
}

/* The class's set-up where it serves this client too, else one of its own. */
static bool fit_client(struct solver *v, size_t i, struct fit *out)
{
    size_t k = v->roster->snapshot->clients[i].class_index;
    struct fit_place p = federated_place(v->roster, v->settings, i);
    const struct cost_setup *s = &v->class_fits[k].setup;

    if (v->class_fits_any[k] && v->class_fits[k].memory_bytes <= p.room &&
        s->batch_size * s->grad_accumulation <= p.batch_max) {
        *out = v->class_fits[k];
        return true;
    }
    return fit_any(&p, &v->settings->classes[k].ask, out);
}

/* One pass over its data bounds a round; so do the job and the proposal. */
static void cap_steps(struct solver *v, size_t i, struct client_part *part)
{
    const struct class_settings *c =
        &v->settings->classes[v->roster->snapshot->clients[i].class_index];
    int64_t examples = v->roster->clients[i].examples;
    int64_t rows = part->fit.setup.batch_size * part->fit.setup.grad_accumulation;

    part->steps_cap = v->settings->steps_max;
    part->why_steps = CONSTRAINT_RULE;
    if (known_i64(c->local_steps) && c->local_steps <= part->steps_cap) {
        part->steps_cap = c->local_steps;
        part->why_steps = CONSTRAINT_NONE;
    }
    if (known_i64(examples) && examples / rows < part->steps_cap) {
        part->steps_cap = examples / rows;
        part->why_steps = CONSTRAINT_DATA;
    }
}

static void start_part(struct solver *v, size_t i, struct client_part *part)
{
    const struct roster_client *rc = &v->roster->clients[i];
    size_t k = v->roster->snapshot->clients[i].class_index;
    struct cost_link link = {rc->up_bps, rc->down_bps, v->want->latency_seconds};
    double bytes = v->solution->update_bytes;

    part->out = OUT_RULE;
    if (rc->constraint != CONSTRAINT_NONE)
        return;
    part->out = OUT_ENGINE;
    if (!v->settings->classes[k].participate)
        return;
    part->out = OUT_MEMORY;
    if (!fit_client(v, i, &part->fit))
        return;
    part->out = CLIENT_IN;
    part->fixed_seconds = cost_fixed_seconds(&link, bytes, bytes, v->want->warmup_seconds);
    part->upload_seconds = bytes * 8 / rc->up_bps;
    cap_steps(v, i, part);
    if (part->steps_cap < v->want->steps_min) /* only its data can make it so few */
        part->out = OUT_DATA;
}

static double useful_tokens(const struct solver *v, const struct client_part *p)
{
    return (double)(p->fit.setup.batch_size * p->fit.setup.grad_accumulation) *
           federated_want_tokens(v->want, p->fit.setup.sequence_length);
}

static int64_t steps_at(const struct solver *v, const struct client_part *p, double horizon)
{
    int64_t n = cost_steps_within(horizon, p->fixed_seconds, p->fit.time.step_seconds);

    if (p->upload_seconds > v->want->upload_share_max * horizon || n < v->want->steps_min)
        return 0;
    return n < p->steps_cap ? n : p->steps_cap;
}

/* At this horizon the goal is reached, by enough clients for the round to count. */
static bool goal_reached(const struct solver *v, double horizon)
{
    int64_t clients = 0, needed = v->want->min_clients;
    double tokens = 0;

    if (known_i64(v->want->min_reports) && v->want->min_reports > needed)
        needed = v->want->min_reports;
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];
        int64_t steps = p->out == CLIENT_IN ? steps_at(v, p, horizon) : 0;

        clients += steps > 0;
        tokens += (double)steps * useful_tokens(v, p);
    }
    return tokens >= v->want->token_goal && clients >= needed;
}

/* When this client has done `steps`, and its upload is a small enough share. */
static double horizon_for(const struct solver *v, const struct client_part *p, int64_t steps)
{
    double t = p->fixed_seconds + (double)steps * p->fit.time.step_seconds;

    t = fmax(t, p->upload_seconds / v->want->upload_share_max);
    return t * (1 + 1e-12); /* so that dividing it again gives the same number of steps */
}

/* The slowest client does a few steps. A proposal that asks more of a class gets the time for it.
 */
static double horizon_default(const struct solver *v)
{
    const struct snapshot *s = v->roster->snapshot;
    int64_t few = envelope_policy(v->roster->envelope)->default_steps;
    double horizon = 0, *class_least = v->class_horizon;

    few = few < v->want->steps_min ? v->want->steps_min : few;
    memset(class_least, 0, s->classes_count * sizeof *class_least);
    for (size_t i = 0; i < s->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];
        size_t k = s->clients[i].class_index;
        double t;

        if (p->out != CLIENT_IN)
            continue;
        horizon = fmax(horizon, horizon_for(v, p, few < p->steps_cap ? few : p->steps_cap));
        if (!known_i64(v->settings->classes[k].local_steps))
            continue;
        t = horizon_for(v, p, p->steps_cap);
        class_least[k] = class_least[k] > 0 ? fmin(class_least[k], t) : t;
    }
    for (size_t k = 0; k < s->classes_count; k++)
        horizon = fmax(horizon, class_least[k]);
    return horizon;
}

/* The smallest T* at which the clients reach the goal together; where none does, the smallest at
 * which all have done what they can. */
static double horizon_goal(struct solver *v)
{
    double low = 0, high = 0;

    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];

        if (p->out == CLIENT_IN)
            high = fmax(high, horizon_for(v, p, p->steps_cap));
    }
    v->solution->goal_missed = !goal_reached(v, high);
    for (int i = 0; i < BISECTIONS && !v->solution->goal_missed; i++) {
        double mid = low + (high - low) / 2;

        if (goal_reached(v, mid))
            high = mid;
        else
            low = mid;
    }
    return high;
}

static double horizon_find(struct solver *v)
{
    bool deadline = known_f64(v->want->deadline), goal = known_f64(v->want->token_goal);
    double t;

    v->solution->goal_missed = false;
    if (!goal)
        return deadline ? v->want->deadline : horizon_default(v);
    t = horizon_goal(v);
    if (deadline && t > v->want->deadline) {
        v->solution->goal_missed = true;
        return v->want->deadline;
    }
    return t;
}

/* A set-up that costs less time: one micro-batch per update, then shorter sequences. */
static bool cheaper(struct solver *v, size_t i, struct client_part *part)
{
    struct fit_place p = federated_place(v->roster, v->settings, i);
    struct client_part try = *part;
    int64_t lengths[FIT_LENGTHS_MAX];
    int n = fit_lengths(v->want, lengths);

    for (int k = 0; k < n; k++) {
        if (lengths[k] > part->fit.setup.sequence_length)
            continue;
        for (int single = 0; single < 2; single++) {
            if (single && v->want->effective_stated)
                continue;
            try.fit = part->fit;
            try.fit.setup.sequence_length = lengths[k];
            if (single)
                try.fit.setup.grad_accumulation = 1;
            fit_time(&p, &try.fit);
            cap_steps(v, i, &try);
            if (try.fit.memory_bytes > p.room ||
                steps_at(v, &try, v->solution->horizon_seconds) == 0)
                continue;
            if (lengths[k] < part->fit.setup.sequence_length)
                try.fit.why_sequence = CONSTRAINT_DEADLINE;
            if (single && part->fit.setup.grad_accumulation > 1)
                try.fit.why_accumulation = CONSTRAINT_DEADLINE;
            *part = try;
            return true;
        }
    }
    return false;
}

static void finish_part(struct solver *v, size_t i, struct client_part *p)
{
    double horizon = v->solution->horizon_seconds;

    p->steps = steps_at(v, p, horizon);
    if (p->steps == 0 && p->upload_seconds > v->want->upload_share_max * horizon) {
        p->out = OUT_LINK;
        return;
    }
    if (p->steps == 0 && cheaper(v, i, p))
        p->steps = steps_at(v, p, horizon);
    if (p->steps == 0) {
        p->out = OUT_DEADLINE;
        return;
    }
    if (p->steps < p->steps_cap)
        p->why_steps = CONSTRAINT_DEADLINE;
    p->round_seconds = p->fixed_seconds + (double)p->steps * p->fit.time.step_seconds;
    p->tokens = (double)p->steps * useful_tokens(v, p);
}

struct ranked {
    double tokens;
    size_t client;
};

/* Most tokens first; the snapshot's order, by device id, among equals. */
static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->tokens != y->tokens)
        return x->tokens > y->tokens ? -1 : 1;
    return x->client < y->client ? -1 : x->client > y->client;
}

/* Keep the clients that train most in the round, enough of them to make up for those that drop out.
 */
static int select_clients(struct solver *v, struct err *err)
{
    size_t n = v->roster->snapshot->clients_count, in = 0, keep;
    struct ranked *all;

    if (!known_i64(v->want->clients_wanted))
        return 0;
    if (!(all = mem_calloc(n + 1, sizeof *all)))
        return err_set(err, ERR_NOMEM, "selection of %zu clients", n);
    for (size_t i = 0; i < n; i++) {
        const struct client_part *p = &v->solution->parts[i];

        if (p->out == CLIENT_IN && p->steps > 0)
            all[in++] = (struct ranked){p->tokens, i};
    }
    keep = in ? (size_t)cost_over_selection(v->want->clients_wanted, v->want->dropout_rate,
                                            (int64_t)in)
              : 0;
    qsort(all, in, sizeof *all, ranked_compare);
    for (size_t i = keep; i < in; i++)
        v->solution->parts[all[i].client].out = OUT_SELECTION;
    mem_free(all);
    return 0;
}

/* Steps for everybody within the horizon; those that cannot are out. */
static void finish_all(struct solver *v)
{
    v->solution->horizon_seconds = horizon_find(v);
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++)
        if (v->solution->parts[i].out == CLIENT_IN)
            finish_part(v, i, &v->solution->parts[i]);
}

static void sum_up(struct solver *v)
{
    struct federated_solution *s = v->solution;
    double slack = envelope_policy(v->roster->envelope)->deadline_slack;

    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &s->parts[i];

        if (p->out != CLIENT_IN)
            continue;
        s->steps_least = s->clients == 0 || p->steps < s->steps_least ? p->steps : s->steps_least;
        s->steps_most = p->steps > s->steps_most ? p->steps : s->steps_most;
        s->clients++;
        s->round_seconds = fmax(s->round_seconds, p->round_seconds);
        s->tokens += p->tokens;
        s->busy_seconds += (double)p->steps * p->fit.time.step_seconds;
    }
    if (known_f64(v->want->deadline))
        s->deadline_seconds = v->want->deadline;
    else
        s->deadline_seconds = fmin(fmax(s->round_seconds * slack, 1), 1e9);
    if (known_f64(v->want->token_goal))
        s->goal_missed = s->tokens < v->want->token_goal;
}

static struct cost_setup trained_setup(const struct federated_want *w,
                                       const struct federated_settings *s)
{
    return (struct cost_setup){.format = w->formats[0],
                               .method = w->method,
                               .targets = w->targets,
                               .rank = s->rank,
                               .layers = s->layers};
}

static int solve_into(struct solver *v, struct err *err)
{
    struct cost_setup setup = trained_setup(v->want, v->settings);
    const struct snapshot *s = v->roster->snapshot;

    v->solution->parameters = cost_trainable(v->want->shape, &setup);
    v->solution->update_bytes =
        cost_update_bytes(v->solution->parameters, v->settings->upload_format);
    fit_classes(v);
    for (size_t i = 0; i < s->clients_count; i++)
        start_part(v, i, &v->solution->parts[i]);
    finish_all(v);
    if (known_i64(v->want->clients_wanted)) {
        if (select_clients(v, err) < 0)
            return -1;
        finish_all(v); /* fewer clients may need longer for the goal, or less time without one */
    }
    sum_up(v);
    return 0;
}

struct federated_solution *federated_solve(const struct roster *r,
                                           const struct federated_settings *s, struct err *err)
{
    struct solver v = {.roster = r, .settings = s, .want = envelope_want(r->envelope)};
    int rc = -1;

    v.solution = mem_zalloc(sizeof *v.solution);
    v.class_fits = mem_calloc(r->snapshot->classes_count + 1, sizeof *v.class_fits);
    v.class_fits_any = mem_calloc(r->snapshot->classes_count + 1, sizeof *v.class_fits_any);
    v.class_horizon = mem_calloc(r->snapshot->classes_count + 1, sizeof *v.class_horizon);
    if (v.solution)
        v.solution->parts = mem_calloc(r->snapshot->clients_count + 1, sizeof *v.solution->parts);
    if (!v.solution || !v.class_fits || !v.class_fits_any || !v.class_horizon || !v.solution->parts)
        err_set(err, ERR_NOMEM, "plan of %zu clients", r->snapshot->clients_count);
    else
        rc = solve_into(&v, err);
    mem_free(v.class_fits);
    mem_free(v.class_fits_any);
    mem_free(v.class_horizon);
    if (rc < 0) {
        federated_solution_free(v.solution);
        return NULL;
    }
    return v.solution;
}
