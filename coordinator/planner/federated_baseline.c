/* federated_baseline.c - the plan that a person writes by hand: one configuration for all.
 *
 * Sized for the client with the least room, so that it runs everywhere; the same number of updates
 * for all, as many as the slowest does in the plan's own time (or as the token goal needs), each
 * client at most one pass over its data. The same clients take part, so the comparison is of
 * planning alone. */
#include "coordinator/planner/federated_turn.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"

#include <inttypes.h>
#include <math.h>

/* The place with the least room; a CPU among the clients makes the pessimistic memory form count.
 */
static struct fit_place smallest_place(const struct federated_turn *t)
{
    const struct federated_solution *s = turn_solution(t);
    struct fit_place least = {0};

    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        struct fit_place p;

        if (s->parts[i].out != CLIENT_IN)
            continue;
        p = federated_place(t->roster, turn_settings(t), i);
        if (!least.machine || p.room < least.room) {
            int64_t rows =
                least.machine && least.batch_max < p.batch_max ? least.batch_max : p.batch_max;
            least = p;
            least.batch_max = rows;
        } else if (p.batch_max < least.batch_max) {
            least.batch_max = p.batch_max;
        }
    }
    return least;
}

static void time_of(const struct federated_turn *t, size_t i, const struct fit *common,
                    struct fit *out)
{
    struct fit_place p = federated_place(t->roster, turn_settings(t), i);

    *out = *common;
    fit_time(&p, out);
}

/* The one form of update that serves everybody: the smallest that any client of the plan sends. */
static struct link_option common_link(const struct federated_turn *t)
{
    const struct federated_solution *s = turn_solution(t);
    struct link_option least = {.up_bytes = INFINITY};

    for (size_t i = 0; i < t->snapshot->clients_count; i++)
        if (s->parts[i].out == CLIENT_IN && s->parts[i].link.up_bytes < least.up_bytes)
            least = s->parts[i].link;
    return least;
}

static double fixed_of(const struct federated_turn *t, size_t i, const struct link_option *o)
{
    const struct roster_client *c = &t->roster->clients[i];
    struct cost_link link = {c->up_bps, c->down_bps, t->want->latency_seconds};

    return cost_fixed_seconds(&link, o->down_bytes, o->up_bytes, t->want->warmup_seconds);
}

/* Updates for everybody. */
static int64_t common_steps(const struct federated_turn *t, const struct fit *common,
                            const struct link_option *link)
{
    const struct federated_solution *s = turn_solution(t);
    const struct federated_want *w = t->want;
    double tokens = (double)(common->setup.batch_size * common->setup.grad_accumulation) *
                    federated_want_tokens(w, common->setup.sequence_length);
    int64_t steps = INT64_MAX;

    if (known_f64(w->token_goal) && !known_f64(w->deadline)) {
        double need = ceil(w->token_goal / (tokens * (double)s->clients));

        steps = need < (double)w->steps_max ? (int64_t)need : w->steps_max;
        return steps < 1 ? 1 : steps;
    }
    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        struct fit f;
        int64_t n;

        if (s->parts[i].out != CLIENT_IN)
            continue;
        time_of(t, i, common, &f);
        n = cost_steps_within(s->horizon_seconds, fixed_of(t, i, link), f.time.step_seconds);
        steps = n < steps ? n : steps;
    }
    steps = steps > w->steps_max ? w->steps_max : steps;
    return steps < 1 ? 1 : steps;
}

static int64_t data_steps(const struct federated_turn *t, size_t i, const struct fit *common,
                          int64_t steps)
{
    int64_t examples = t->roster->clients[i].examples;
    int64_t rows = common->setup.batch_size * common->setup.grad_accumulation;

    if (!known_i64(examples) || examples / rows >= steps)
        return steps;
    return examples / rows < 1 ? 1 : examples / rows;
}

int federated_baseline(const struct federated_turn *t, struct forecast *out, struct err *err)
{
    const struct federated_solution *s = turn_solution(t);
    struct fit_place place = smallest_place(t);
    struct fit_ask ask = fit_ask_open();
    struct link_option link = common_link(t);
    struct fit common;
    double busy = 0;
    int64_t steps;

    if (!place.machine || !fit_any(&place, &ask, &common))
        return 0; /* a common configuration does not exist: the forecast stays empty */
    common.setup.rank = link.rank;
    steps = common_steps(t, &common, &link);
    out->clients = (int64_t)s->clients;
    out->left_out = (int64_t)(t->snapshot->clients_count - s->clients);
    out->round_seconds = out->tokens_per_round = 0;
    for (size_t i = 0; i < t->snapshot->clients_count; i++) {
        int64_t n;
        struct fit f;

        if (s->parts[i].out != CLIENT_IN)
            continue;
        time_of(t, i, &common, &f);
        n = data_steps(t, i, &common, steps);
        busy += (double)n * f.time.step_seconds;
        out->round_seconds =
            fmax(out->round_seconds, fixed_of(t, i, &link) + (double)n * f.time.step_seconds);
        out->tokens_per_round +=
            (double)n * (double)(common.setup.batch_size * common.setup.grad_accumulation) *
            federated_want_tokens(t->want, common.setup.sequence_length);
    }
    out->tokens_per_round *= s->sampling_rate;
    out->tokens_per_second = out->tokens_per_round / out->round_seconds;
    out->utilisation = fmin(busy / ((double)s->clients * out->round_seconds), 1);
    out->upload_bytes = (int64_t)(link.up_bytes * (double)s->clients * s->sampling_rate);
    return text_setf(&out->text, err,
                     "%s, batch %" PRId64 " x %" PRId64 ", %" PRId64 " tokens, %s, %" PRId64
                     " updates for every client, sized for the one with the least memory",
                     enum_name(&model_format_names, common.setup.format), common.setup.batch_size,
                     common.setup.grad_accumulation, common.setup.sequence_length,
                     common.setup.grad_checkpoint ? "checkpointed" : "not checkpointed", steps);
}
