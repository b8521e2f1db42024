/* lora_solve.c - the set-up that fits, and how long the training then takes. */
#include "coordinator/planner/lora_turn.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/plan.h"
#include "coordinator/planner/policy.h"

#include <inttypes.h>
#include <math.h>

#define LAYERS_MAX 5
#define RANKS_MAX 12        /* 1024, 512, ... 1, and the least */
#define BATCHES 13          /* 1, 2, 4, ... 4096 */
#define UPDATES_MAX 1000000 /* what a plan carries */

/* The number asked for, three quarters, half, a quarter of it, the fewest. */
static int layers_grid(int64_t most, int64_t least, int64_t out[LAYERS_MAX])
{
    int n = 0;

    for (int quarter = 4; quarter >= 0; quarter--) {
        int64_t k = most * quarter / 4;

        k = k < least ? least : k;
        if (n == 0 || k < out[n - 1])
            out[n++] = k;
    }
    return n;
}

static int ranks_grid(int64_t most, int64_t least, int64_t out[RANKS_MAX])
{
    int n = 0;

    for (int64_t r = most; r > least && n < RANKS_MAX - 1; r /= 2)
        out[n++] = r;
    out[n++] = least < most ? least : most;
    return n;
}

static struct fit_place place_of(const struct lora_turn *t, const struct federated_want *want,
                                 double memory_share, int64_t rank, int64_t layers)
{
    return (struct fit_place){.want = want,
                              .machine = &t->device.machine,
                              .activation_factor = t->policy->activation_factor,
                              .rank = rank,
                              .layers = layers,
                              .room = (double)t->device.limit_bytes * memory_share,
                              .batch_max = t->lora->data->examples};
}

/* A job that states no checkpointing gets none, also where a repair would switch it on. */
static bool is_allowed(const struct lora_turn *t, const struct fit *f)
{
    return t->want->grad_checkpoint != TRI_FALSE || !f->setup.grad_checkpoint;
}

/* At this rank, length and number of layers: as asked, else the nearest. */
static bool try_fit(const struct lora_turn *t, const struct lora_settings *s, int64_t rank,
                    int64_t layers, int64_t length, struct fit *out)
{
    struct federated_want want = *t->want;
    struct fit_ask ask = s->ask;
    struct fit_place place = place_of(t, &want, s->memory_share, rank, layers);

    want.targets = s->targets;
    want.sequence = want.sequence_min = ask.sequence_length = length;
    if (fit_choose(&place, &ask, out) && is_allowed(t, out))
        return true;
    return fit_repair(&place, &ask, out) && is_allowed(t, out);
}

/* The asked length, then those of the job that are shorter. */
static int lengths_of(const struct lora_turn *t, const struct lora_settings *s,
                      int64_t out[FIT_LENGTHS_MAX + 1])
{
    int64_t grid[FIT_LENGTHS_MAX];
    int n = fit_lengths(t->want, grid), m = 0;

    out[m++] = known_i64(s->ask.sequence_length) ? s->ask.sequence_length : t->want->sequence;
    for (int i = 0; i < n; i++)
        if (grid[i] < out[m - 1])
            out[m++] = grid[i];
    return m;
}

bool lora_fits(const struct lora_turn *t, const struct lora_settings *s, struct lora_solution *out)
{
    int64_t ranks[RANKS_MAX], layers[LAYERS_MAX], lengths[FIT_LENGTHS_MAX + 1];
    int n_ranks = ranks_grid(s->rank, t->want->rank_min, ranks);
    int n_layers = layers_grid(s->layers, t->want->layers_min, layers);
    int n_lengths = lengths_of(t, s, lengths);

    for (int r = 0; r < n_ranks; r++) {
        for (int l = 0; l < n_lengths; l++) {
            for (int k = 0; k < n_layers; k++) {
                if (!try_fit(t, s, ranks[r], layers[k], lengths[l], &out->fit))
                    continue;
                out->rank = ranks[r];
                out->layers = layers[k];
                out->why_rank = r > 0 ? CONSTRAINT_MEMORY : CONSTRAINT_NONE;
                out->why_layers = k > 0 ? CONSTRAINT_MEMORY : CONSTRAINT_NONE;
                if (l > 0)
                    out->fit.why_sequence = CONSTRAINT_MEMORY;
                return true;
            }
        }
    }
    return false;
}

/* Updates that the job wants: as stated, else as many as its epochs have rows for. */
static int64_t updates_wanted(const struct lora_turn *t, int64_t rows)
{
    double n;

    if (known_i64(t->updates))
        return t->updates;
    n = ceil((double)t->lora->data->examples * t->epochs / (double)rows);
    return n < 1 ? 1 : n > UPDATES_MAX ? UPDATES_MAX : (int64_t)n;
}

int lora_solve(const struct lora_turn *t, const struct lora_settings *s, struct lora_solution *out,
               struct err *err)
{
    const struct cost_setup *c = &out->fit.setup;
    int64_t rows = c->batch_size * c->grad_accumulation, wanted = updates_wanted(t, rows);
    double step = out->fit.time.step_seconds;

    out->scale = s->scale;
    out->parameters = cost_trainable(t->want->shape, c);
    out->updates = known_i64(s->updates) && s->updates < wanted ? s->updates : wanted;
    out->why_updates = CONSTRAINT_NONE;
    if (known_f64(t->deadline)) {
        double most = floor((t->deadline - t->warmup) / step);

        if (!(most >= 1))
            return err_set(err, ERR_INFEASIBLE,
                           "lora.run.deadline_seconds: %g, one update takes %.4g s after %.4g s of "
                           "loading; nearest: %.0f",
                           t->deadline, step, t->warmup, ceil(t->warmup + step));
        if (most < (double)out->updates)
            out->updates = (int64_t)most;
        if (most <= (double)out->updates && out->updates < wanted)
            out->why_updates = CONSTRAINT_DEADLINE;
    }
    out->tokens =
        (double)out->updates * (double)rows * federated_want_tokens(t->want, c->sequence_length);
    out->epochs = (double)out->updates * (double)rows / (double)t->lora->data->examples;
    out->training_seconds = t->warmup + (double)out->updates * step;
    return 0;
}

double lora_smallest(const struct lora_turn *t)
{
    struct federated_want want = *t->want;

    want.targets = t->own.targets;
    return fit_smallest(&want, &t->device.machine, t->policy->activation_factor, want.rank_min,
                        want.layers_min);
}

/* One row of the grid: batches in powers of two; peak memory rises with the batch. */
static void count_row(const struct fit_place *place, struct fit f, bool wanted,
                      struct class_summary *out)
{
    for (int i = 0; i < BATCHES; i++) {
        f.setup.batch_size = (int64_t)1 << i;
        f.setup.grad_accumulation = fit_accumulation(place->want, f.setup.batch_size);
        if (f.setup.batch_size > place->batch_max || fit_peak(place, &f.setup) > place->room)
            return;
        fit_time(place, &f);
        out->configurations++;
        if (wanted && f.setup.batch_size > out->max_batch_size)
            out->max_batch_size = f.setup.batch_size;
        if (f.time.tokens_per_second > out->best_tokens_per_second)
            out->best_tokens_per_second = f.time.tokens_per_second;
    }
}

void lora_count(const struct lora_turn *t, struct class_summary *out)
{
    const struct federated_want *w = t->want;
    int64_t layers[LAYERS_MAX], lengths[FIT_LENGTHS_MAX];
    int n_layers = layers_grid(w->layers, w->layers_min, layers);
    int n_lengths = fit_lengths(w, lengths);
    size_t rows = w->formats_count * 2 * (size_t)n_layers * (size_t)n_lengths;

    out->configurations = 0;
    out->max_batch_size = 0;
    out->best_tokens_per_second = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t at = row, k = at % (size_t)n_layers,
               l = (at /= (size_t)n_layers) % (size_t)n_lengths;
        struct fit_place place = place_of(t, w, t->policy->memory_share, w->rank, layers[k]);
        struct fit f = {.setup = {.method = w->method,
                                  .targets = w->targets,
                                  .optimizer = w->optimizer,
                                  .rank = w->rank,
                                  .layers = layers[k],
                                  .sequence_length = lengths[l]}};

        at /= (size_t)n_lengths;
        f.setup.grad_checkpoint = at % 2 == 1;
        f.setup.format = w->formats[at / 2];
        count_row(&place, f, layers[k] == w->layers && lengths[l] == w->sequence, out);
    }
}
