/* federated_fit.c - choosing and repairing one client's set-up within its memory.
 *
 * Peak memory is linear in the micro-batch, and tokens per second rise with it; so the fastest
 * set-up of a format and length is the largest fitting batch, with or without checkpointing. */
#include "coordinator/planner/federated_fit.h"

#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"

#include <math.h>

#define BATCH_MAX 4096 /* what a plan can carry */
#define ACCUMULATION_MAX 4096

static bool same_setup(const struct cost_setup *a, const struct cost_setup *b)
{
    return a->format == b->format && a->method == b->method && a->targets == b->targets &&
           a->optimizer == b->optimizer && a->rank == b->rank && a->layers == b->layers &&
           a->batch_size == b->batch_size && a->grad_accumulation == b->grad_accumulation &&
           a->sequence_length == b->sequence_length && a->grad_checkpoint == b->grad_checkpoint;
}

bool fit_same(const struct fit *a, const struct fit *b)
{
    return same_setup(&a->setup, &b->setup) && a->memory_bytes == b->memory_bytes &&
           a->time.micro_seconds == b->time.micro_seconds &&
           a->time.step_seconds == b->time.step_seconds && a->why_format == b->why_format &&
           a->why_batch == b->why_batch && a->why_accumulation == b->why_accumulation &&
           a->why_sequence == b->why_sequence && a->why_checkpoint == b->why_checkpoint;
}

struct fit_ask fit_ask_open(void)
{
    return (struct fit_ask){.format = MODEL_FORMAT_UNSET,
                            .checkpoint = TRI_UNKNOWN,
                            .batch_size = UNKNOWN_I64,
                            .grad_accumulation = UNKNOWN_I64,
                            .sequence_length = UNKNOWN_I64};
}

int fit_lengths(const struct federated_want *w, int64_t out[FIT_LENGTHS_MAX])
{
    int64_t middle = w->sequence * 3 / 4 / 32 * 32; /* mlx-lm pads to multiples of 32 */
    int n = 0;

    out[n++] = w->sequence;
    if (middle < w->sequence && middle > w->sequence_min)
        out[n++] = middle;
    if (w->sequence_min < w->sequence)
        out[n++] = w->sequence_min;
    return n;
}

int64_t fit_accumulation(const struct federated_want *w, int64_t batch)
{
    int64_t n = (w->effective_batch + batch - 1) / batch;

    return n > ACCUMULATION_MAX ? ACCUMULATION_MAX : n;
}

/* The largest batch at or below `top` that makes up one update exactly. */
int64_t fit_batch_below(const struct federated_want *w, int64_t top)
{
    for (int64_t b = top < BATCH_MAX ? top : BATCH_MAX; b > 1; b--)
        if (w->effective_batch % b == 0)
            return b;
    return 1;
}

double fit_peak(const struct fit_place *place, const struct cost_setup *setup)
{
    const struct machine *machine = place->machine;
    struct cost_memory m;

    cost_memory(
        place->want->shape, setup, machine->backend,
        place->activation_factor * machine->learned[setup->grad_checkpoint].activation_factor, &m);
    return m.peak;
}

static struct cost_setup setup_base(const struct federated_want *w, int64_t rank, int64_t layers)
{
    return (struct cost_setup){.format = w->formats[0],
                               .method = w->method,
                               .targets = w->targets,
                               .optimizer = w->optimizer,
                               .rank = rank,
                               .layers = layers,
                               .batch_size = 1,
                               .grad_accumulation = 1,
                               .sequence_length = w->sequence,
                               .grad_checkpoint = false};
}

/* Accumulation of a batch: as asked, else what the effective batch needs, within the data. */
static int64_t accumulation_for(const struct fit_place *p, const struct fit_ask *ask, int64_t batch)
{
    int64_t n = fit_accumulation(p->want, batch);

    if (known_i64(ask->grad_accumulation) && !p->want->effective_stated)
        n = ask->grad_accumulation;
    if (n > p->batch_max / batch)
        n = p->batch_max / batch;
    return n < 1 ? 1 : n;
}

static bool try_batch(const struct fit_place *p, const struct fit_ask *ask, int64_t batch,
                      struct cost_setup *s)
{
    s->batch_size = batch;
    s->grad_accumulation = accumulation_for(p, ask, batch);
    return fit_peak(p, s) <= p->room;
}

static int64_t batch_top(const struct fit_place *p, const struct fit_ask *ask)
{
    int64_t top = p->want->effective_batch;

    if (known_i64(p->want->batch_size))
        top = p->want->batch_size;
    if (known_i64(ask->batch_size))
        top = ask->batch_size;
    if (top > p->batch_max)
        top = p->batch_max;
    return top < 1 ? 1 : top > BATCH_MAX ? BATCH_MAX : top;
}

/* The largest batch of the grid that fits; an asked one is taken as it is or not at all. */
static bool batch_fit(const struct fit_place *p, const struct fit_ask *ask, struct cost_setup *s)
{
    int64_t top = batch_top(p, ask), b;
    double one, two;

    if (try_batch(p, ask, top, s))
        return true;
    if (known_i64(ask->batch_size) || top == 1)
        return false;
    s->batch_size = s->grad_accumulation = 1;
    one = fit_peak(p, s);
    if (one > p->room)
        return false;
    s->batch_size = 2;
    two = fit_peak(p, s);
    b = two > one ? (int64_t)fmin((p->room - one) / (two - one) + 1, (double)top - 1) : top - 1;
    for (b = fit_batch_below(p->want, b); b >= 1; b = fit_batch_below(p->want, b - 1)) {
        if (try_batch(p, ask, b, s))
            return true;
        if (b == 1)
            break;
    }
    return false;
}

void fit_time(const struct fit_place *p, struct fit *f)
{
    const struct machine *m = p->machine;

    f->memory_bytes = fit_peak(p, &f->setup);
    cost_step(p->want->shape, &f->setup, m->rates.flops, m->rates.bandwidth,
              m->slow * m->learned[f->setup.grad_checkpoint].step_factor, &f->time);
}

/* With or without checkpointing, whichever is faster; false where neither fits. */
static bool choose_checkpoint(const struct fit_place *p, const struct fit_ask *ask,
                              struct cost_setup *s, struct fit *out)
{
    int fixed =
        p->want->grad_checkpoint != TRI_UNKNOWN ? p->want->grad_checkpoint : ask->checkpoint;
    bool found = false;

    for (int on = TRI_FALSE; on <= TRI_TRUE; on++) {
        struct fit f = {.setup = *s};

        if (fixed != TRI_UNKNOWN && fixed != on)
            continue;
        f.setup.grad_checkpoint = on == TRI_TRUE;
        if (!batch_fit(p, ask, &f.setup))
            continue;
        fit_time(p, &f);
        if (!found || f.time.tokens_per_second > out->time.tokens_per_second)
            *out = f;
        found = true;
    }
    return found;
}

/* What is not the first choice was made so by memory, or by the data. */
static void mark_choice(const struct fit_place *p, const struct fit_ask *ask, struct fit *f)
{
    const struct federated_want *w = p->want;
    const struct cost_setup *s = &f->setup;
    int64_t open = known_i64(w->batch_size) ? w->batch_size : w->effective_batch;

    f->why_format = f->why_batch = f->why_accumulation = f->why_sequence = f->why_checkpoint =
        CONSTRAINT_NONE;
    if (!ask->format && s->format != w->formats[0])
        f->why_format = CONSTRAINT_MEMORY;
    if (!known_i64(ask->sequence_length) && s->sequence_length < w->sequence)
        f->why_sequence = CONSTRAINT_MEMORY;
    if (known_i64(ask->batch_size))
        open = ask->batch_size;
    if (s->batch_size < open)
        f->why_batch = s->batch_size == p->batch_max ? CONSTRAINT_DATA : CONSTRAINT_MEMORY;
    if (s->batch_size * s->grad_accumulation < w->effective_batch &&
        !known_i64(ask->grad_accumulation))
        f->why_accumulation = CONSTRAINT_DATA;
    else if (s->grad_accumulation > 1 && f->why_batch == CONSTRAINT_MEMORY)
        f->why_accumulation = CONSTRAINT_MEMORY;
    if (s->grad_checkpoint && ask->checkpoint != TRI_TRUE && w->grad_checkpoint != TRI_TRUE)
        f->why_checkpoint = CONSTRAINT_MEMORY;
}

bool fit_choose(const struct fit_place *p, const struct fit_ask *ask, struct fit *out)
{
    const struct federated_want *w = p->want;
    struct cost_setup s = setup_base(w, p->rank, p->layers);
    int64_t lengths[FIT_LENGTHS_MAX];
    int n = fit_lengths(w, lengths);

    if (known_i64(ask->sequence_length)) {
        lengths[0] = ask->sequence_length;
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        for (size_t j = 0; j < w->formats_count; j++) {
            if (ask->format && ask->format != w->formats[j])
                continue;
            s.sequence_length = lengths[i];
            s.format = w->formats[j];
            if (choose_checkpoint(p, ask, &s, out)) {
                mark_choice(p, ask, out);
                return true;
            }
        }
    }
    return false;
}

/* The next smaller format of the job, by bits per weight; the same one when there is none. */
static int smaller_format(const struct federated_want *w, int format)
{
    double bits = cost_bits_per_weight(format), best = 0;
    int found = format;

    for (size_t i = 0; i < w->formats_count; i++) {
        double b = cost_bits_per_weight(w->formats[i]);

        if (b < bits && b > best) {
            best = b;
            found = w->formats[i];
        }
    }
    return found;
}

/* Halve until it fits; leaves the smallest where nothing does. */
static bool shrink_batch(const struct fit_place *p, const struct fit_ask *ask, int64_t top,
                         struct cost_setup *s)
{
    for (int64_t b = top;; b = fit_batch_below(p->want, b / 2)) {
        if (try_batch(p, ask, b, s))
            return true;
        if (b == 1)
            return false;
    }
}

static bool repair_in_order(const struct fit_place *p, const struct fit_ask *ask, int64_t top,
                            struct cost_setup *s)
{
    const struct federated_want *w = p->want;
    struct fit_ask loose = *ask; /* more accumulation makes up for a smaller batch */
    int64_t lengths[FIT_LENGTHS_MAX];
    int n = fit_lengths(w, lengths);

    if (try_batch(p, ask, top, s))
        return true;
    for (int f = smaller_format(w, s->format); f != s->format; f = smaller_format(w, f)) {
        s->format = f;
        if (try_batch(p, ask, top, s))
            return true;
    }
    loose.grad_accumulation = UNKNOWN_I64;
    if (shrink_batch(p, &loose, top, s))
        return true;
    s->grad_checkpoint = true;
    if (shrink_batch(p, &loose, top, s))
        return true;
    for (int i = 0; i < n; i++) {
        if (lengths[i] >= s->sequence_length)
            continue;
        s->sequence_length = lengths[i];
        if (shrink_batch(p, &loose, top, s))
            return true;
    }
    return false;
}

/* Quantising comes first in the order and may not have been needed once the rest had moved. */
static void restore_format(const struct fit_place *p, const struct cost_setup *asked,
                           struct cost_setup *s)
{
    struct cost_setup try = *s;

    for (int f = asked->format; f != s->format; f = smaller_format(p->want, f)) {
        try.format = f;
        if (fit_peak(p, &try) <= p->room) {
            s->format = f;
            return;
        }
        if (smaller_format(p->want, f) == f)
            return;
    }
}

bool fit_repair(const struct fit_place *p, const struct fit_ask *ask, struct fit *out)
{
    const struct federated_want *w = p->want;
    struct cost_setup s = setup_base(w, p->rank, p->layers), asked;
    int64_t top = batch_top(p, ask);

    if (ask->format)
        s.format = ask->format;
    if (known_i64(ask->sequence_length))
        s.sequence_length = ask->sequence_length;
    s.grad_checkpoint = w->grad_checkpoint == TRI_TRUE ||
                        (w->grad_checkpoint == TRI_UNKNOWN && ask->checkpoint == TRI_TRUE);
    asked = s;
    asked.batch_size = known_i64(ask->batch_size) ? ask->batch_size : top;
    if (!repair_in_order(p, ask, top, &s))
        return false;
    restore_format(p, &asked, &s);
    out->setup = s;
    fit_time(p, out);
    out->why_format = s.format != asked.format ? CONSTRAINT_MEMORY : CONSTRAINT_NONE;
    out->why_sequence =
        s.sequence_length != asked.sequence_length ? CONSTRAINT_MEMORY : CONSTRAINT_NONE;
    out->why_checkpoint =
        s.grad_checkpoint != asked.grad_checkpoint ? CONSTRAINT_MEMORY : CONSTRAINT_NONE;
    out->why_batch = s.batch_size == asked.batch_size ? CONSTRAINT_NONE
                     : s.batch_size == p->batch_max   ? CONSTRAINT_DATA
                                                      : CONSTRAINT_MEMORY;
    out->why_accumulation = out->why_batch;
    return true;
}

bool fit_any(const struct fit_place *p, const struct fit_ask *ask, struct fit *out)
{
    return fit_choose(p, ask, out) || fit_repair(p, ask, out);
}

double fit_smallest(const struct federated_want *w, const struct machine *machine,
                    double activation_factor, int64_t rank, int64_t layers)
{
    struct cost_setup s = setup_base(w, rank, layers);
    double least = INFINITY;

    s.sequence_length = w->sequence_min;
    s.grad_accumulation = fit_accumulation(w, 1);
    for (size_t i = 0; i < w->formats_count; i++) {
        for (int on = 0; on < 2; on++) { /* tiny models can need less without checkpointing */
            struct cost_memory m;

            s.format = w->formats[i];
            s.grad_checkpoint = on;
            cost_memory(w->shape, &s, machine->backend,
                        activation_factor * machine->learned[on].activation_factor, &m);
            least = fmin(least, m.peak);
        }
    }
    return least;
}
