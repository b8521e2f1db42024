/* federated_select.c - who serves, of those that could.
 *
 * More are kept than are wanted, to make up for those that drop out. `random` keeps everybody and
 * gives each the rounds that its coin draws; the others choose once, until the job is planned
 * again. */
#include "coordinator/planner/federated_solver.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/selection.h"

#include <stdlib.h>

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

/* The clients that train most in the round. */
static int select_fastest(struct solver *v, const size_t *in, size_t count, size_t keep,
                          struct err *err)
{
    struct ranked *all = mem_calloc(count + 1, sizeof *all);

    if (!all)
        return err_set(err, ERR_NOMEM, "selection of %zu clients", count);
    for (size_t i = 0; i < count; i++)
        all[i] = (struct ranked){v->solution->parts[in[i]].tokens, in[i]};
    qsort(all, count, sizeof *all, ranked_compare);
    for (size_t i = keep; i < count; i++)
        v->solution->parts[all[i].client].out = OUT_SELECTION;
    mem_free(all);
    return 0;
}

/* Tried from a round of its own on: a client that serves in none has nothing to do. */
static void select_random(struct solver *v, const size_t *in, size_t count)
{
    struct federated_solution *s = v->solution;

    s->sampling_rate = selection_rate(v->want->clients_wanted, count, v->want->dropout_rate);
    for (size_t i = 0; i < count; i++) {
        const char *id = v->roster->snapshot->clients[in[i]].device_id;
        int64_t round = 1;

        while (round <= v->want->rounds &&
               !selection_serves(s->selection_seed, id, round, s->sampling_rate))
            round++;
        if (round > v->want->rounds)
            s->parts[in[i]].out = OUT_SELECTION;
    }
}

/* What a client's round takes when all do alike: the same few updates. Its part's own time says
 * little, since all parts finish together. */
static double alike_seconds(const struct solver *v, const struct client_part *p)
{
    int64_t few = envelope_policy(v->roster->envelope)->default_steps;

    few = few < v->want->steps_min ? v->want->steps_min : few;
    return p->fixed_seconds + (double)few * p->fit.time.step_seconds;
}

static struct candidate candidate_of(const struct solver *v, size_t client)
{
    const struct client_part *p = &v->solution->parts[client];
    const struct want_data *d =
        federated_want_data(v->want, v->roster->snapshot->clients[client].device_id);
    int64_t rows = p->fit.setup.batch_size * p->fit.setup.grad_accumulation;

    return (struct candidate){.seconds = alike_seconds(v, p),
                              .examples = (double)(rows * p->steps),
                              .mean_square_loss = d ? d->mean_square_loss : UNKNOWN_F64,
                              .last_round = d ? d->last_round : UNKNOWN_I64,
                              .picks = d ? d->picks : 0};
}

static int select_drawn(struct solver *v, const size_t *in, size_t count, size_t keep,
                        struct err *err)
{
    struct federated_solution *s = v->solution;
    struct candidate *c = mem_calloc(count + 1, sizeof *c);
    double preferred = v->want->preferred_seconds;
    int rc;

    if (!c)
        return err_set(err, ERR_NOMEM, "selection of %zu clients", count);
    for (size_t i = 0; i < count; i++)
        c[i] = candidate_of(v, in[i]);
    if (!known_f64(preferred))
        preferred = s->horizon_seconds;
    preferred = selection_pacer(preferred, v->want->utility_before, v->want->utility_last);
    if (v->want->selection == SELECTION_TIERS)
        rc = selection_tiers(c, count, keep, (int)v->want->tiers, s->selection_seed, &s->tier, err);
    else
        rc = selection_oort(c, count, keep,
                            &(struct oort){preferred, v->want->rounds_done + 1, s->selection_seed},
                            err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!c[i].chosen)
            s->parts[in[i]].out = OUT_SELECTION;
    mem_free(c);
    return rc;
}

int solver_select(struct solver *v, struct err *err)
{
    const struct snapshot *snap = v->roster->snapshot;
    const struct federated_want *w = v->want;
    size_t *in = mem_calloc(snap->clients_count + 1, sizeof *in), count = 0, keep;
    int rc = 0;

    if (!in)
        return err_set(err, ERR_NOMEM, "selection of %zu clients", snap->clients_count);
    for (size_t i = 0; i < snap->clients_count; i++)
        if (v->solution->parts[i].out == CLIENT_IN && v->solution->parts[i].steps > 0)
            in[count++] = i;
    v->solution->selectable = count;
    v->solution->selection_seed =
        known_i64(w->selection_seed)
            ? w->selection_seed
            : selection_seed_of(w->job->job_id ? w->job->job_id : "", snap->taken_ms);
    if (count > 0) {
        keep = (size_t)cost_over_selection(w->clients_wanted, w->dropout_rate, (int64_t)count);
        if (w->selection == SELECTION_RANDOM)
            select_random(v, in, count);
        else if (w->selection == SELECTION_FASTEST)
            rc = select_fastest(v, in, count, keep, err);
        else
            rc = select_drawn(v, in, count, keep, err);
    }
    mem_free(in);
    return rc;
}
