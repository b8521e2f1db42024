/* federated_server.c - aggregation, noise, masks and weights of a turn. */
#include "coordinator/planner/federated_server.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/aggregation.h"
#include "coordinator/planner/buffered.h"
#include "coordinator/planner/federated_turn.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/privacy.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/selection.h"

#include <inttypes.h>
#include <math.h>

static bool is_private(const struct federated_turn *t)
{
    return known_f64(t->want->epsilon);
}

static struct mixture mixture_of(const struct federated_turn *t, const struct federated_solution *s)
{
    const struct federated_want *w = t->want;

    return (struct mixture){.strategy = t->aggregation,
                            .adapters = t->adapters,
                            .lora = w->method != FINE_TUNE_METHOD_FULL,
                            .mixed_ranks = s->rank_least < s->rank_most,
                            .private_sum = is_private(t),
                            .secure = w->secure_aggregation,
                            .secure_protocol = w->secure_protocol,
                            .top_k = known_f64(w->top_k_share) || s->top_k,
                            .quantised = s->quantised};
}

/* Random selection is the one kind that amplifies. */
static int choose_noise(struct federated_turn *t, struct err *err)
{
    const struct federated_want *w = t->want;

    if (!is_private(t))
        return 0;
    t->accounted_rate = w->selection == SELECTION_RANDOM ? t->own_solution->sampling_rate : 1;
    if (privacy_noise(t->accounted_rate, w->rounds, w->epsilon, w->delta, &t->noise_multiplier,
                      err) < 0)
        return -1;
    t->epsilon_spent =
        privacy_epsilon(t->accounted_rate, t->noise_multiplier, w->rounds, w->delta, NULL);
    return 0;
}

int federated_server_begin(struct federated_turn *t, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = t->own_solution;
    struct mixture m;

    t->aggregation = aggregation_resolve(w->strategy, s->steps_least, s->steps_most, is_private(t),
                                         t->aggregation_why, sizeof t->aggregation_why);
    t->adapters = t->own->adapters;
    if (w->method != FINE_TUNE_METHOD_FULL)
        t->adapters = adapters_resolve(w->adapters, is_private(t), s->rank_least < s->rank_most,
                                       t->adapters_why, sizeof t->adapters_why);
    m = mixture_of(t, s);
    return adapters_check(&m, err) < 0 ? -1 : choose_noise(t, err);
}

/* Of n clients the fewest that report with probability 0.95. */
static int64_t survivors_of(int64_t n, double dropout)
{
    int64_t low = 0, high = n;

    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;

        if (cost_over_selection(mid, dropout, n + 1) <= n)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

int federated_server_terms(const struct federated_turn *t, const struct federated_solution *s,
                           int64_t *min_reports, struct secure_terms *secure, struct err *err)
{
    const struct federated_want *w = t->want;
    int64_t per_round = (int64_t)floor(federated_clients_per_round(s) + 1e-9);
    int64_t n = known_i64(w->min_reports) ? w->min_reports : (per_round + 1) / 2;

    if (n < w->min_clients)
        n = w->min_clients;
    if (w->secure_aggregation) {
        struct secure_ask ask = {w->secure_protocol, w->malicious_server, per_round,
                                 survivors_of(per_round, w->dropout_rate), w->value_bits};

        if (secure_terms_of(&ask, secure, err) < 0)
            return -1;
        n = n < secure->min_reports ? secure->min_reports : n;
    }
    *min_reports = n < 1 ? 1 : n;
    return 0;
}

/* ---- weights ---- */

/* Examples where all are known, else the sequences that a round trains on. */
static double mass_of(const struct federated_turn *t, size_t client)
{
    const struct client_part *p = &turn_solution(t)->parts[client];
    int64_t examples = t->roster->clients[client].examples;

    if (t->examples_known)
        return (double)examples;
    return (double)(p->steps * p->fit.setup.batch_size * p->fit.setup.grad_accumulation);
}

void federated_server_weigh(struct federated_turn *t)
{
    const struct federated_solution *s = turn_solution(t);
    double effective = 0;

    t->examples_known = true;
    for (size_t i = 0; i < t->snapshot->clients_count; i++)
        if (s->parts[i].out == CLIENT_IN && !known_i64(t->roster->clients[i].examples))
            t->examples_known = false;
    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        double mass;

        if (s->parts[i].out != CLIENT_IN)
            continue;
        mass = mass_of(t, i);
        t->mass += mass; /* whole numbers: the sums do not depend on the order of clients */
        effective += mass * aggregation_steps_norm(s->parts[i].steps, t->want->local_momentum);
    }
    t->effective_steps = t->mass > 0 ? effective / t->mass : 0;
}

/* This client's share of the mean; NaN where only the server can know it: HetLoRA weighs by norm,
 * and of clients that are drawn anew each round the others are not known yet. Under differential
 * privacy all weigh the same, over a fixed denominator. */
static double weight_of(const struct federated_turn *t, size_t client)
{
    const struct federated_solution *s = turn_solution(t);

    if (is_private(t))
        return fmin(1 / fmax(federated_clients_per_round(s), 1), 1);
    if (t->adapters == ADAPTERS_HETLORA || s->sampling_rate < 1)
        return UNKNOWN_F64;
    if (t->aggregation == AGGREGATION_FEDBUFF)
        return 1 / (double)t->buffered.buffer_size;
    if (t->aggregation == AGGREGATION_SCAFFOLD)
        return 1 / (double)s->clients;
    return mass_of(t, client) / t->mass;
}

int federated_server_training(const struct federated_turn *t, size_t client, struct training *r,
                              struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);
    const struct client_part *p = &s->parts[client];
    size_t n = 0;

    r->weight = weight_of(t, client);
    if (t->aggregation == AGGREGATION_FEDNOVA)
        r->update_scale = t->effective_steps / aggregation_steps_norm(p->steps, w->local_momentum);
    if (p->link.top_k)
        r->top_k_share = w->top_k_share;
    if (w->method != FINE_TUNE_METHOD_FULL)
        r->adapters = t->adapters;
    if (w->secure_aggregation)
        r->secure_threshold = t->secure.threshold;
    if (!(s->sampling_rate < 1))
        return 0;
    if (!(r->serve_rounds = mem_calloc(record_room((size_t)w->rounds), sizeof *r->serve_rounds)))
        return err_set(err, ERR_NOMEM, "rounds of a client");
    for (int64_t round = 1; round <= w->rounds; round++)
        if (selection_serves(s->selection_seed, t->snapshot->clients[client].device_id, round,
                             s->sampling_rate))
            r->serve_rounds[n++] = round;
    r->serve_rounds_count = n;
    return 0;
}

/* ---- the common part ---- */

static int write_server(const struct federated_turn *t, struct federated_plan *f, struct err *err)
{
    const struct federated_want *w = t->want;
    int a = t->aggregation;
    bool adaptive = a == AGGREGATION_FEDADAM || a == AGGREGATION_FEDYOGI;
    struct server_rule *r;

    if (!adaptive && a != AGGREGATION_FEDNOVA && a != AGGREGATION_FEDBUFF)
        return 0;
    if (!(r = f->server = server_rule_new(err)))
        return -1;
    if (adaptive) {
        r->beta1 = w->beta1;
        r->beta2 = w->beta2;
        r->adaptivity = w->adaptivity;
    }
    if (a == AGGREGATION_FEDNOVA)
        r->effective_steps = t->effective_steps;
    if (a != AGGREGATION_FEDBUFF)
        return 0;
    r->buffer_size = t->buffered.buffer_size;
    r->concurrency = t->buffered.concurrency;
    r->staleness_expected = t->buffered.staleness_mean;
    r->updates_per_second = t->buffered.updates_per_second;
    r->staleness_max = known_i64(w->staleness_max) ? w->staleness_max
                                                   : (int64_t)ceil(2 * t->buffered.staleness_most);
    return 0;
}

static int write_secure(const struct federated_turn *t, struct federated_plan *f, struct err *err)
{
    struct secure_plan *s;

    if (!t->want->secure_aggregation)
        return 0;
    f->secure_aggregation = TRI_TRUE;
    if (!(s = f->secure = secure_plan_new(err)))
        return -1;
    s->protocol = t->want->secure_protocol;
    s->threshold = t->secure.threshold;
    s->neighbours = t->secure.neighbours;
    s->privacy_threshold = t->secure.privacy_threshold;
    s->dropouts = t->secure.dropouts;
    s->value_bits = t->secure.value_bits;
    s->ring_bits = t->secure.ring_bits;
    return 0;
}

int federated_server_write(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);
    struct federated_plan *f = plan->federated;

    f->selection = w->selection;
    if (s->sampling_rate < 1)
        f->sampling_rate = s->sampling_rate;
    if (w->selection == SELECTION_RANDOM || w->selection == SELECTION_OORT ||
        w->selection == SELECTION_TIERS)
        f->selection_seed = s->selection_seed;
    if (w->method != FINE_TUNE_METHOD_FULL) {
        f->adapters = t->adapters;
        if (s->rank_least < s->rank_most)
            f->rank_min = s->rank_least;
    }
    f->min_reports = t->min_reports;
    if (is_private(t)) {
        f->epsilon = t->epsilon_spent;
        f->epsilon_target = w->epsilon;
        f->delta = w->delta;
        f->noise_multiplier = t->noise_multiplier;
        f->clip_norm = w->clip_norm;
        f->accounted_rate = t->accounted_rate;
    }
    return write_server(t, f, err) < 0 ? -1 : write_secure(t, f, err);
}

/* Rates and staleness of an asynchronous plan, from the clients' own rounds. */
int federated_server_buffer(struct federated_turn *t, struct err *err)
{
    const struct federated_solution *s = turn_solution(t);
    const struct federated_want *w = t->want;
    double *seconds;
    size_t n = 0;

    if (t->aggregation != AGGREGATION_FEDBUFF)
        return 0;
    if (!(seconds = mem_calloc(s->clients + 1, sizeof *seconds)))
        return err_set(err, ERR_NOMEM, "buffer of %zu clients", s->clients);
    for (size_t i = 0; i < t->snapshot->clients_count; i++)
        if (s->parts[i].out == CLIENT_IN)
            seconds[n++] = s->parts[i].round_seconds;
    t->buffered =
        buffered_of(seconds, n, known_i64(w->buffer_size) ? w->buffer_size : BUFFERED_SIZE_DEFAULT,
                    known_i64(w->concurrency) ? w->concurrency : (int64_t)n);
    mem_free(seconds);
    return 0;
}
