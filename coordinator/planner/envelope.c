/* envelope.c - the grid of set-ups per class, walked on demand; its summary, made once. */
#include "coordinator/planner/envelope.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/federated_fit.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/rules.h"

#include <inttypes.h>
#include <string.h>

#define LAYERS_STEPS_MAX 5
#define BATCHES 13 /* 1, 2, 4, ... 4096 */
#define BATCH_MAX 4096

struct envelope {
    const struct snapshot *snapshot;
    struct policy policy;
    struct federated_want *want;
    struct rules *rules;
    struct chip_table *chips;
    int64_t layers[LAYERS_STEPS_MAX];
    int64_t lengths[FIT_LENGTHS_MAX];
    int layers_count, lengths_count;
    struct envelope_class {
        struct machine machine;
        struct verdict verdict;
        struct class_summary *summary;
    } * classes;
    size_t count;
};

/* The wanted number of layers, three quarters, half, a quarter of it, the fewest. */
static void layers_grid(struct envelope *e)
{
    static const int quarters[] = {4, 3, 2, 1, 0};

    for (size_t i = 0; i < LAYERS_STEPS_MAX; i++) {
        int64_t k = e->want->layers * quarters[i] / 4;

        if (k < e->want->layers_min)
            k = e->want->layers_min;
        if (e->layers_count == 0 || k < e->layers[e->layers_count - 1])
            e->layers[e->layers_count++] = k;
    }
}

static struct fit_place place_of(const struct envelope *e, const struct machine *m, int64_t layers)
{
    return (struct fit_place){
        .want = e->want,
        .machine = m,
        .activation_factor = e->policy.activation_factor,
        .rank = e->want->rank,
        .layers = layers,
        .room = known_i64(m->limit_bytes) ? (double)m->limit_bytes * e->policy.memory_share : 0,
        .batch_max = BATCH_MAX};
}

/* One cell of the grid; batch 0 stands for no such cell. */
static struct cost_setup setup_at(const struct envelope *e, size_t cell)
{
    struct cost_setup s = {.method = e->want->method,
                           .targets = e->want->targets,
                           .optimizer = e->want->optimizer,
                           .rank = e->want->rank};

    s.batch_size = (int64_t)1 << (cell % BATCHES);
    cell /= BATCHES;
    s.sequence_length = e->lengths[cell % (size_t)e->lengths_count];
    cell /= (size_t)e->lengths_count;
    s.layers = e->layers[cell % (size_t)e->layers_count];
    cell /= (size_t)e->layers_count;
    s.grad_checkpoint = cell % 2 == 1;
    s.format = e->want->formats[cell / 2];
    s.grad_accumulation = fit_accumulation(e->want, s.batch_size);
    return s;
}

static size_t grid_cells(const struct envelope *e)
{
    return e->want->formats_count * 2 * (size_t)e->layers_count * (size_t)e->lengths_count *
           BATCHES;
}

static void configuration_of(const struct fit_place *place, struct fit *f,
                             struct configuration *out)
{
    fit_time(place, f);
    *out = (struct configuration){.model_format = f->setup.format,
                                  .grad_checkpoint = f->setup.grad_checkpoint,
                                  .layers = f->setup.layers,
                                  .sequence_length = f->setup.sequence_length,
                                  .batch_size = f->setup.batch_size,
                                  .grad_accumulation = f->setup.grad_accumulation,
                                  .memory_bytes = (int64_t)f->memory_bytes,
                                  .step_seconds = f->time.step_seconds,
                                  .tokens_per_second = f->time.tokens_per_second};
}

bool envelope_next(const struct envelope *e, size_t class_index, size_t *cursor,
                   struct configuration *out)
{
    const struct machine *m = &e->classes[class_index].machine;
    size_t cells = grid_cells(e);

    while (*cursor < cells) {
        size_t cell = (*cursor)++;
        struct fit f = {.setup = setup_at(e, cell)};
        struct fit_place place = place_of(e, m, f.setup.layers);

        if (fit_peak(&place, &f.setup) > place.room) {
            *cursor = (cell / BATCHES + 1) * BATCHES; /* no larger batch fits either */
            continue;
        }
        configuration_of(&place, &f, out);
        return true;
    }
    return false;
}

static bool power_fits(const struct fit_place *place, struct cost_setup *s, int power)
{
    s->batch_size = (int64_t)1 << power;
    s->grad_accumulation = fit_accumulation(place->want, s->batch_size);
    return fit_peak(place, s) <= place->room;
}

/* How many powers of two fit in one row of the grid: peak memory rises with the batch. */
static int row_fits(const struct fit_place *place, struct cost_setup *s)
{
    int low = 0, high = BATCHES; /* the first `low` fit, the one after `high` does not */

    if (!power_fits(place, s, 0))
        return 0;
    low = 1;
    while (low < high) {
        int mid = low + (high - low) / 2;

        if (power_fits(place, s, mid))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool envelope_next_over(const struct envelope *e, size_t class_index, size_t *cursor,
                        struct configuration *out)
{
    const struct machine *m = &e->classes[class_index].machine;
    size_t rows = grid_cells(e) / BATCHES;

    while (*cursor < rows) {
        struct fit f = {.setup = setup_at(e, (*cursor)++ * BATCHES)};
        struct fit_place place = place_of(e, m, f.setup.layers);
        int fits = row_fits(&place, &f.setup);

        if (fits == BATCHES)
            continue;
        f.setup.batch_size = (int64_t)1 << fits;
        f.setup.grad_accumulation = fit_accumulation(e->want, f.setup.batch_size);
        configuration_of(&place, &f, out);
        return true;
    }
    return false;
}

/* The largest micro-batch, not only of the grid, at the wanted length and layers. */
static int64_t batch_largest(const struct fit_place *place, struct cost_setup s, int64_t from)
{
    int64_t low = from, high = from * 2 > BATCH_MAX ? BATCH_MAX : from * 2;

    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;

        s.batch_size = mid;
        s.grad_accumulation = fit_accumulation(place->want, mid);
        if (fit_peak(place, &s) > place->room)
            high = mid - 1;
        else
            low = mid;
    }
    return low;
}

/* Count the grid and find its fastest and its largest, a row at a time. */
static void grid_summary(const struct envelope *e, const struct machine *m,
                         struct class_summary *out)
{
    size_t rows = grid_cells(e) / BATCHES;

    out->configurations = 0;
    out->max_batch_size = 0;
    out->best_tokens_per_second = 0;
    for (size_t row = 0; row < rows; row++) {
        struct fit f = {.setup = setup_at(e, row * BATCHES)};
        struct fit_place place = place_of(e, m, f.setup.layers);
        int fits = row_fits(&place, &f.setup);

        if (fits == 0)
            continue;
        out->configurations += fits;
        f.setup.batch_size = (int64_t)1 << (fits - 1);
        f.setup.grad_accumulation = fit_accumulation(e->want, f.setup.batch_size);
        fit_time(&place, &f);
        if (f.time.tokens_per_second > out->best_tokens_per_second)
            out->best_tokens_per_second = f.time.tokens_per_second;
        if (f.setup.sequence_length == e->want->sequence && f.setup.layers == e->want->layers) {
            int64_t b = batch_largest(&place, f.setup, f.setup.batch_size);

            if (b > out->max_batch_size)
                out->max_batch_size = b;
        }
    }
}

static int summary_text(const struct envelope *e, const struct envelope_class *c,
                        struct class_summary *s, struct err *err)
{
    char need[NUM_BYTES_TEXT_MAX], room[NUM_BYTES_TEXT_MAX];
    double least = fit_smallest(e->want, &c->machine, e->policy.activation_factor,
                                e->want->rank_min, e->want->layers_min);

    s->constraint = CONSTRAINT_NONE;
    if (c->verdict.constraint != CONSTRAINT_NONE) {
        s->constraint = c->verdict.constraint;
        return text_setf(&s->text, err, "left out: %s", c->verdict.text);
    }
    if (!known_i64(c->machine.limit_bytes)) {
        s->constraint = CONSTRAINT_UNKNOWN_FACT;
        return text_setf(&s->text, err, "left out: memory %s", c->machine.limit_text);
    }
    num_format_bytes((int64_t)least, need);
    num_format_bytes((int64_t)((double)c->machine.limit_bytes * e->policy.memory_share), room);
    if (s->configurations == 0) {
        s->constraint = CONSTRAINT_MEMORY;
        return text_setf(&s->text, err, "nothing fits: the smallest set-up needs %s of %s", need,
                         room);
    }
    return text_setf(&s->text, err, "%" PRId64 " configurations fit %s; the smallest needs %s",
                     s->configurations, room, need);
}

static int summary_make(const struct envelope *e, const struct device_class *dc,
                        struct envelope_class *c, struct err *err)
{
    struct class_summary *s = c->summary = class_summary_new(err);

    if (!s || text_set(&s->client_class, dc->id, err) < 0 ||
        text_set(&s->chip, dc->profile->chip, err) < 0 ||
        text_set(&s->memory_limit_source, c->machine.limit_text, err) < 0 ||
        text_set(&s->rate_source, c->machine.rates.text, err) < 0)
        return -1;
    s->devices = (int64_t)dc->devices;
    s->memory_bytes = dc->profile->memory_bytes;
    s->gpu_cores = dc->profile->gpu_cores;
    s->memory_limit_bytes = c->machine.limit_bytes;
    s->gpu_flops = c->machine.rates.flops;
    s->memory_bandwidth_bytes_per_s = c->machine.rates.bandwidth;
    grid_summary(e, &c->machine, s);
    return summary_text(e, c, s, err);
}

/* What was learnt of this job's runs on each chip: looked up once per chip, for there are far fewer
 * chips than classes. */
#define CHIPS_KEPT 32
struct learnt_chips {
    struct learnt_chip {
        const char *chip; /* borrowed from the snapshot; NULL: unknown */
        enum cost_backend backend;
        struct learned learned[2];
    } chips[CHIPS_KEPT];
    size_t count;
};

static bool same_chip(const struct learnt_chip *c, const char *chip, enum cost_backend backend)
{
    if (c->backend != backend || !c->chip || !chip)
        return c->backend == backend && c->chip == chip;
    return strcmp(c->chip, chip) == 0;
}

static void learn_class(const struct envelope *e, const char *chip, struct machine *m,
                        struct learnt_chips *kept)
{
    struct learnt_chip found = {.chip = chip, .backend = m->backend};

    if (e->snapshot->calibrations_count == 0)
        return;
    for (size_t i = 0; i < kept->count; i++) {
        if (same_chip(&kept->chips[i], chip, m->backend)) {
            memcpy(m->learned, kept->chips[i].learned, sizeof m->learned);
            return;
        }
    }
    for (int on = 0; on < 2; on++) {
        struct learned_kind kind = {.backend = m->backend,
                                    .chip = chip,
                                    .shape = e->want->shape,
                                    .method = e->want->method,
                                    .grad_checkpoint = on == 1};

        learned_find(e->snapshot, &kind, &found.learned[on]);
    }
    memcpy(m->learned, found.learned, sizeof m->learned);
    if (kept->count < CHIPS_KEPT)
        kept->chips[kept->count++] = found;
}

struct envelope *envelope_build(const struct snapshot *s, const struct job *job,
                                const struct policy *policy, struct err *err)
{
    struct envelope *e = mem_zalloc(sizeof *e);
    struct learnt_chips kept = {.count = 0};

    if (!e || !(e->classes = mem_calloc(s->classes_count + 1, sizeof *e->classes))) {
        err_set(err, ERR_NOMEM, "envelope of %zu classes", s->classes_count);
        goto fail;
    }
    e->snapshot = s;
    e->policy = *policy;
    e->count = s->classes_count;
    if (!(e->want = federated_want_new(job, err)) ||
        !(e->rules = rules_new(job->federated->rules, err)) || !(e->chips = chip_table_new(err)))
        goto fail;
    layers_grid(e);
    e->lengths_count = fit_lengths(e->want, e->lengths);
    for (size_t i = 0; i < e->count; i++) {
        struct envelope_class *c = &e->classes[i];

        machine_of(&s->classes[i], e->chips, &e->policy, &c->machine);
        learn_class(e, s->classes[i].profile->chip, &c->machine, &kept);
        rules_allow_class(e->rules, &s->classes[i], &c->verdict);
        if (summary_make(e, &s->classes[i], c, err) < 0)
            goto fail;
    }
    return e;
fail:
    envelope_free(e);
    return NULL;
}

void envelope_free(struct envelope *e)
{
    if (!e)
        return;
    for (size_t i = 0; e->classes && i < e->count; i++)
        class_summary_free(e->classes[i].summary);
    chip_table_free(e->chips);
    rules_free(e->rules);
    federated_want_free(e->want);
    mem_free(e->classes);
    mem_free(e);
}

size_t envelope_classes(const struct envelope *e)
{
    return e->count;
}

const struct class_summary *envelope_summary(const struct envelope *e, size_t class_index)
{
    return e->classes[class_index].summary;
}

const struct machine *envelope_machine(const struct envelope *e, size_t class_index)
{
    return &e->classes[class_index].machine;
}

const char *envelope_refusal(const struct envelope *e, size_t class_index)
{
    const struct verdict *v = &e->classes[class_index].verdict;

    return v->constraint == CONSTRAINT_NONE ? NULL : v->text;
}

const struct verdict *envelope_verdict(const struct envelope *e, size_t class_index)
{
    return &e->classes[class_index].verdict;
}

const struct policy *envelope_policy(const struct envelope *e)
{
    return &e->policy;
}

const struct federated_want *envelope_want(const struct envelope *e)
{
    return e->want;
}

const struct rules *envelope_rules(const struct envelope *e)
{
    return e->rules;
}
