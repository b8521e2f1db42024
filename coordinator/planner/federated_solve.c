/* federated_solve.c - who takes part, and how many steps until all finish together.
 *
 * In order: a set-up per class, refitted for the clients whose memory or data is less than their
 * class's; the form in which each client's update travels; the horizon T*; steps = what fits before
 * T* beside transfers and warm-up, at most the caps; a client with too few steps is tried with a
 * cheaper set-up, else left out; then the selection. */
#include "coordinator/planner/federated_solver.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/adapters.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_UNKNOWN ((int64_t)1 << 40) /* rows of data: no bound */

struct federated_settings *federated_settings_new(size_t classes, struct err *err)
{
    struct federated_settings *s = mem_zalloc(sizeof *s);

    if (!s || !(s->classes = mem_calloc(classes + 1, sizeof *s->classes))) {
        federated_settings_free(s);
        err_set(err, ERR_NOMEM, "settings of %zu classes", classes);
        return NULL;
    }
    s->classes_count = classes;
    s->adapters = ADAPTERS_NAIVE;
    s->mask_factor = 1;
    s->stacked_clients = 1;
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

/* The best form whose upload is a small enough share of a round of `seconds`; a lower rank makes a
 * step a little cheaper. */
static void set_link(struct solver *v, size_t i, struct client_part *part, double seconds)
{
    const struct roster_client *rc = &v->roster->clients[i];
    struct cost_link link = {rc->up_bps, rc->down_bps, v->want->latency_seconds};

    part->link = *federated_link_pick(v->want, &v->links, rc->up_bps, seconds);
    part->fixed_seconds = cost_fixed_seconds(&link, part->link.down_bytes, part->link.up_bytes,
                                             v->want->warmup_seconds);
    part->upload_seconds = part->link.up_bytes * 8 / rc->up_bps;
    if (part->fit.setup.rank != part->link.rank) {
        struct fit_place p = federated_place(v->roster, v->settings, i);

        part->fit.setup.rank = part->link.rank;
        fit_time(&p, &part->fit);
    }
}

static void start_part(struct solver *v, size_t i, struct client_part *part)
{
    const struct roster_client *rc = &v->roster->clients[i];
    size_t k = v->roster->snapshot->clients[i].class_index;

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
    set_link(v, i, part, known_f64(v->want->deadline) ? v->want->deadline : 0);
    cap_steps(v, i, part);
    if (part->steps_cap < v->want->steps_min) /* only its data can make it so few */
        part->out = OUT_DATA;
}

double solver_useful_tokens(const struct solver *v, const struct client_part *p)
{
    return (double)(p->fit.setup.batch_size * p->fit.setup.grad_accumulation) *
           federated_want_tokens(v->want, p->fit.setup.sequence_length);
}

int64_t solver_steps_at(const struct solver *v, const struct client_part *p, double horizon)
{
    int64_t n = cost_steps_within(horizon, p->fixed_seconds, p->fit.time.step_seconds);

    if (p->upload_seconds > v->want->upload_share_max * horizon || n < v->want->steps_min)
        return 0;
    return n < p->steps_cap ? n : p->steps_cap;
}

double federated_quickest_step(const struct roster *r, const struct federated_settings *s,
                               size_t client, const struct client_part *p)
{
    struct fit_place place = federated_place(r, s, client);
    const struct federated_want *w = place.want;
    struct fit_ask ask = s->classes[r->snapshot->clients[client].class_index].ask;
    struct fit f = p->fit;

    if (!known_i64(ask.sequence_length))
        f.setup.sequence_length = w->sequence_min;
    if (!w->effective_stated)
        f.setup.batch_size = f.setup.grad_accumulation = 1;
    fit_time(&place, &f);
    return fmin(f.time.step_seconds, p->fit.time.step_seconds);
}

/* The set-up of `part` at another micro-batch, one of which may be the whole update. */
static bool try_cheaper(struct solver *v, size_t i, const struct fit_place *p, int64_t batch,
                        bool single, struct client_part *try)
{
    struct cost_setup *s = &try->fit.setup;

    s->batch_size = batch;
    s->grad_accumulation = single ? 1 : fit_accumulation(v->want, batch);
    if (batch * s->grad_accumulation > p->batch_max)
        return false;
    fit_time(p, &try->fit);
    if (try->fit.memory_bytes > p->room)
        return false;
    cap_steps(v, i, try);
    try->steps = solver_steps_at(v, try, v->solution->horizon_seconds);
    try->tokens = (double)try->steps * solver_useful_tokens(v, try);
    return try->steps > 0;
}

/* At this length, of all micro-batches, with checkpoints and without where that is open: whatever
 * trains most before the horizon. More memory allows more of them, so it never trains less. */
static bool cheapest_at(struct solver *v, size_t i, int64_t length, const struct client_part *part,
                        struct client_part *out)
{
    size_t k = v->roster->snapshot->clients[i].class_index;
    const struct fit_ask *ask = &v->settings->classes[k].ask;
    struct fit_place p = federated_place(v->roster, v->settings, i);
    bool open = v->want->grad_checkpoint == TRI_UNKNOWN && ask->checkpoint == TRI_UNKNOWN;
    int64_t top = known_i64(v->want->batch_size) ? v->want->batch_size : v->want->effective_batch;
    bool found = false;

    if (known_i64(ask->batch_size))
        top = ask->batch_size;
    for (int way = 0; way < 4; way++) {
        bool other = way & 1, single = way & 2;

        if ((other && !open) || (single && v->want->effective_stated))
            continue;
        for (int64_t b = top; b >= 1; b = b > 1 ? fit_batch_below(v->want, b - 1) : 0) {
            struct client_part try = *part;

            try.fit.setup.sequence_length = length;
            try.fit.setup.grad_checkpoint = part->fit.setup.grad_checkpoint != other;
            if (try_cheaper(v, i, &p, b, single, &try) && (!found || try.tokens > out->tokens)) {
                *out = try;
                found = true;
            }
        }
    }
    return found;
}

/* Not even the class's shortest update fits: nothing need be tried. */
static bool hopeless(struct solver *v, size_t i, const struct client_part *part)
{
    double *quickest = &v->class_quickest[v->roster->snapshot->clients[i].class_index];
    double horizon = v->solution->horizon_seconds;

    if (!(*quickest > 0)) /* less a little, since the set-ups of members may differ */
        *quickest = 0.5 * federated_quickest_step(v->roster, v->settings, i, part);
    return part->fixed_seconds + (double)v->want->steps_min * *quickest > horizon ||
           part->upload_seconds > v->want->upload_share_max * horizon;
}

/* A set-up that costs less time: other micro-batches, then shorter sequences. */
static bool cheaper(struct solver *v, size_t i, struct client_part *part)
{
    const struct cost_setup was = part->fit.setup;
    int64_t lengths[FIT_LENGTHS_MAX];
    int n = fit_lengths(v->want, lengths);
    struct client_part best = *part;

    if (hopeless(v, i, part))
        return false;
    for (int k = 0; k < n; k++) {
        if (lengths[k] > was.sequence_length || !cheapest_at(v, i, lengths[k], part, &best))
            continue;
        if (lengths[k] < was.sequence_length)
            best.fit.why_sequence = CONSTRAINT_DEADLINE;
        if (best.fit.setup.batch_size != was.batch_size)
            best.fit.why_batch = CONSTRAINT_DEADLINE;
        if (best.fit.setup.grad_accumulation != was.grad_accumulation)
            best.fit.why_accumulation = CONSTRAINT_DEADLINE;
        *part = best;
        return true;
    }
    return false;
}

static void finish_part(struct solver *v, size_t i, struct client_part *p)
{
    double horizon = v->solution->horizon_seconds;

    p->steps = solver_steps_at(v, p, horizon);
    if (p->steps == 0 && p->upload_seconds > v->want->upload_share_max * horizon) {
        p->out = OUT_LINK;
        return;
    }
    if (p->steps == 0 && cheaper(v, i, p))
        p->steps = solver_steps_at(v, p, horizon);
    if (p->steps == 0) {
        p->out = OUT_DEADLINE;
        return;
    }
    if (p->steps < p->steps_cap)
        p->why_steps = CONSTRAINT_DEADLINE;
    p->round_seconds = p->fixed_seconds + (double)p->steps * p->fit.time.step_seconds;
    p->tokens = (double)p->steps * solver_useful_tokens(v, p);
}

static bool links_open(const struct solver *v)
{
    return v->links.count > 1 && (known_f64(v->want->token_goal) || !known_f64(v->want->deadline));
}

/* T*. Where it follows from the clients themselves it is first found with the smallest updates;
 * each then sends the best that is a small enough share of that. */
static double find_horizon(struct solver *v)
{
    double t;

    if (!links_open(v))
        return solver_horizon(v);
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++)
        if (v->solution->parts[i].out == CLIENT_IN)
            set_link(v, i, &v->solution->parts[i], 0);
    t = solver_horizon(v);
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++)
        if (v->solution->parts[i].out == CLIENT_IN)
            set_link(v, i, &v->solution->parts[i], t);
    return solver_horizon(v);
}

/* Steps for everybody within the horizon; those that cannot are out. */
static void finish_all(struct solver *v)
{
    v->solution->horizon_seconds = find_horizon(v);
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++)
        if (v->solution->parts[i].out == CLIENT_IN)
            finish_part(v, i, &v->solution->parts[i]);
}

double federated_clients_per_round(const struct federated_solution *s)
{
    return s->sampling_rate < 1 ? s->sampling_rate * (double)s->selectable : (double)s->clients;
}

static void sum_part(struct federated_solution *s, const struct client_part *p)
{
    bool first = s->clients == 0;

    s->steps_least = first || p->steps < s->steps_least ? p->steps : s->steps_least;
    s->steps_most = p->steps > s->steps_most ? p->steps : s->steps_most;
    s->rank_least = first || p->link.rank < s->rank_least ? p->link.rank : s->rank_least;
    s->rank_most = p->link.rank > s->rank_most ? p->link.rank : s->rank_most;
    if (first || p->link.up_bytes > s->best_link.up_bytes)
        s->best_link = p->link;
    s->top_k = s->top_k || p->link.top_k;
    s->quantised = s->quantised || cost_format_is_quantised(p->fit.setup.format);
    s->clients++;
    s->round_seconds = fmax(s->round_seconds, p->round_seconds);
    s->tokens += p->tokens;
    s->upload_bytes += p->link.up_bytes;
    s->busy_seconds += (double)p->steps * p->fit.time.step_seconds;
}

static void sum_up(struct solver *v)
{
    struct federated_solution *s = v->solution;
    double slack = envelope_policy(v->roster->envelope)->deadline_slack;

    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &s->parts[i];

        if (p->out == CLIENT_IN)
            sum_part(s, p);
    }
    s->tokens *= s->sampling_rate; /* of one round, expected */
    s->upload_bytes *= s->sampling_rate;
    if (known_f64(v->want->deadline))
        s->deadline_seconds = v->want->deadline;
    else
        s->deadline_seconds = fmin(fmax(s->round_seconds * slack, 1), 1e9);
    if (known_f64(v->want->token_goal))
        s->goal_missed = s->tokens < v->want->token_goal;
}

/* Values that the client of the highest rank trains and sends. */
static void count_parameters(struct solver *v)
{
    const struct federated_want *w = v->want;
    struct federated_solution *s = v->solution;
    struct cost_setup setup = {.format = w->formats[0],
                               .method = w->method,
                               .targets = w->targets,
                               .rank = s->clients > 0 ? s->rank_most : v->settings->rank,
                               .layers = v->settings->layers};

    s->parameters = cost_trainable(w->shape, &setup);
    s->sent_parameters =
        s->parameters * adapters_up_share(w->shape, w->targets, v->settings->adapters, w->strategy);
    if (v->settings->adapters == ADAPTERS_FFA_LORA)
        s->parameters = s->sent_parameters; /* A is frozen */
}

/* Before some are selected everybody is looked at: a round long enough for those that will be. */
static double scale_before_selection(const struct solver *v)
{
    const struct federated_want *w = v->want;
    int64_t in = 0;

    if (w->selection == SELECTION_ALL)
        return 1;
    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++)
        in += v->solution->parts[i].out == CLIENT_IN;
    if (in == 0)
        return 1;
    return (double)in / (double)cost_over_selection(w->clients_wanted, w->dropout_rate, in);
}

static int solve_into(struct solver *v, struct err *err)
{
    const struct snapshot *s = v->roster->snapshot;

    v->solution->sampling_rate = 1;
    v->solution->selection_seed = UNKNOWN_I64;
    federated_link_options(v->want, v->settings, &v->links);
    v->solution->update_bytes = v->links.items[0].up_bytes;
    fit_classes(v);
    for (size_t i = 0; i < s->clients_count; i++)
        start_part(v, i, &v->solution->parts[i]);
    v->goal_scale = scale_before_selection(v);
    finish_all(v);
    v->goal_scale = 1;
    if (v->want->selection != SELECTION_ALL) {
        if (solver_select(v, err) < 0)
            return -1;
        finish_all(v); /* fewer clients may need longer for the goal, or less time without one */
    }
    sum_up(v);
    count_parameters(v);
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
    v.class_quickest = mem_calloc(r->snapshot->classes_count + 1, sizeof *v.class_quickest);
    if (known_f64(v.want->token_goal))
        v.goal_rows = mem_calloc(r->snapshot->clients_count + 1, sizeof *v.goal_rows);
    if (v.solution)
        v.solution->parts = mem_calloc(r->snapshot->clients_count + 1, sizeof *v.solution->parts);
    if (!v.solution || !v.class_fits || !v.class_fits_any || !v.class_horizon ||
        !v.class_quickest || !v.solution->parts || (known_f64(v.want->token_goal) && !v.goal_rows))
        err_set(err, ERR_NOMEM, "plan of %zu clients", r->snapshot->clients_count);
    else
        rc = solve_into(&v, err);
    mem_free(v.class_fits);
    mem_free(v.class_fits_any);
    mem_free(v.class_horizon);
    mem_free(v.class_quickest);
    mem_free(v.goal_rows);
    if (rc < 0) {
        federated_solution_free(v.solution);
        return NULL;
    }
    return v.solution;
}
