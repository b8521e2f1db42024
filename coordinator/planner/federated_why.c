/* federated_why.c - each client's reasons: a sentence per field, with the numbers that bound it. */
#include "coordinator/planner/federated_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/rules.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct why {
    const struct federated_turn *turn;
    const struct federated_settings *settings;
    const struct federated_solution *solution;
    const struct client_part *part;
    struct fit_place place;
    struct assignment *a;
    struct err *err;
    int rc;
};

#define REASONS_ROOM 16 /* a power of two, as records_add wants; 15 are said at most */

#define BYTES(name) char name[NUM_BYTES_TEXT_MAX]

static const char *bytes(double v, char out[NUM_BYTES_TEXT_MAX])
{
    return num_format_bytes(v > 0 ? (int64_t)ceil(v) : 0, out);
}

/* In a block made for all of a client's reasons at once: growing it one by one would cost more than
 * the reasons themselves. */
static struct reason *add_reason(struct why *y)
{
    struct assignment *a = y->a;
    struct reason *r;

    if (a->reasons_count >= REASONS_ROOM)
        return records_add(&reason_type, &a->reasons, &a->reasons_count, y->err);
    if (!a->reasons && !(a->reasons = mem_calloc(REASONS_ROOM, sizeof *a->reasons))) {
        err_set(y->err, ERR_NOMEM, "reasons of a client");
        return NULL;
    }
    r = &a->reasons[a->reasons_count++];
    record_init(&reason_type, r);
    return r;
}

static void say(struct why *y, const char *field, int constraint, const char *value,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void say(struct why *y, const char *field, int constraint, const char *value,
                const char *fmt, ...)
{
    char text[400];
    struct reason *r;
    va_list args;

    if (y->rc < 0)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r = add_reason(y);
    if (!r || text_set(&r->field, field, y->err) < 0 || text_set(&r->value, value, y->err) < 0 ||
        text_set(&r->text, text, y->err) < 0) {
        y->rc = -1;
        return;
    }
    r->constraint = constraint ? constraint : CONSTRAINT_NONE;
}

static const char *number(int64_t v, char out[24])
{
    snprintf(out, 24, "%" PRId64, v);
    return out;
}

/* ---- why a client is left out, and what would let it in ---- */

static int out_memory(const struct why *y, char *text, size_t size)
{
    const struct federated_want *w = y->turn->want;
    BYTES(need);
    BYTES(room);
    BYTES(more);
    double least = fit_smallest(w, y->place.machine, y->turn->policy->activation_factor,
                                y->settings->rank, y->settings->layers);

    snprintf(text, size,
             "nothing fits: the smallest set-up (%" PRId64 " layers, batch 1, %" PRId64
             " tokens) needs %s, it may fill %s; %s more would let it in",
             y->settings->layers, w->sequence_min, bytes(least, need), bytes(y->place.room, room),
             bytes((least - y->place.room) / y->settings->memory_share, more));
    return CONSTRAINT_MEMORY;
}

static int out_data(const struct why *y, size_t client, char *text, size_t size)
{
    int64_t rows = y->part->fit.setup.batch_size * y->part->fit.setup.grad_accumulation;

    snprintf(text, size,
             "%" PRId64 " examples make %" PRId64 " updates of %" PRId64
             " sequences; local_steps_min is %" PRId64 ": %" PRId64 " examples would let it in",
             y->turn->roster->clients[client].examples, y->part->steps_cap, rows,
             y->turn->want->steps_min, rows * y->turn->want->steps_min);
    return CONSTRAINT_DATA;
}

static int out_link(const struct why *y, size_t client, char *text, size_t size)
{
    const struct federated_want *w = y->turn->want;
    BYTES(update);

    snprintf(text, size,
             "an upload of %s takes %.0f s at %.4g Mbit/s, more than %.0f %% of a round of %.0f s; "
             "%.4g Mbit/s would let it in",
             bytes(y->part->link.up_bytes, update), y->part->upload_seconds,
             y->turn->roster->clients[client].up_bps / 1e6, 100 * w->upload_share_max,
             y->solution->horizon_seconds,
             y->part->link.up_bytes * 8 /
                 (w->upload_share_max * y->solution->horizon_seconds * 1e6));
    return CONSTRAINT_LINK;
}

static int out_deadline(const struct why *y, size_t client, char *text, size_t size)
{
    int64_t steps = y->turn->want->steps_min;
    double step = federated_quickest_step(y->turn->roster, y->settings, client, y->part);
    double need = y->part->fixed_seconds + (double)steps * step;

    snprintf(text, size,
             "%" PRId64 " updates of at least %.1f s and %.1f s of transfers and warm-up need %.0f "
             "s, the round has %.0f s; a deadline of %.0f s would let it in",
             steps, step, y->part->fixed_seconds, need, y->solution->horizon_seconds, ceil(need));
    return CONSTRAINT_DEADLINE;
}

static void out_selection(const struct why *y, char *text, size_t size)
{
    const struct federated_want *w = y->turn->want;
    const struct federated_solution *s = y->solution;

    if (w->selection == SELECTION_FASTEST)
        snprintf(text, size,
                 "%" PRId64 " updates are wanted and %zu clients selected for that; they train "
                 "more tokens in a round than this one's %.3g; round.clients_wanted absent would "
                 "let it in",
                 w->clients_wanted, s->clients, y->part->tokens);
    else if (w->selection == SELECTION_RANDOM)
        snprintf(text, size,
                 "drawn in none of the %" PRId64 " rounds, each with a chance of %.3g; more "
                 "rounds or a larger round.clients_wanted could let it in",
                 w->rounds, s->sampling_rate);
    else if (w->selection == SELECTION_TIERS)
        snprintf(text, size,
                 "tier %d of %" PRId64 " was drawn and %zu of its clients (1 is the fastest "
                 "tier); the next plan draws again",
                 s->tier + 1, w->tiers, s->clients);
    else
        snprintf(text, size,
                 "%zu clients were selected by loss and speed, or to be tried; the next plan "
                 "chooses again",
                 s->clients);
}

static int why_out(struct why *y, size_t client)
{
    struct verdict v = {.constraint = CONSTRAINT_RULE};
    int constraint = CONSTRAINT_RULE;
    char text[320];

    switch (y->part->out) {
    case OUT_MEMORY:
        constraint = out_memory(y, text, sizeof text);
        break;
    case OUT_DATA:
        constraint = out_data(y, client, text, sizeof text);
        break;
    case OUT_LINK:
        constraint = out_link(y, client, text, sizeof text);
        break;
    case OUT_DEADLINE:
        constraint = out_deadline(y, client, text, sizeof text);
        break;
    case OUT_SELECTION:
        out_selection(y, text, sizeof text);
        constraint = CONSTRAINT_OBJECTIVE;
        break;
    case OUT_ENGINE:
        snprintf(text, sizeof text, "the proposal leaves class %s out", y->a->client_class);
        break;
    case OUT_RULE:
    case CLIENT_IN:
        roster_why(y->turn->roster, client, &v);
        snprintf(text, sizeof text, "%s", v.text);
        constraint = v.constraint;
        break;
    }
    y->a->participate = TRI_FALSE;
    if (text_setf(&y->a->reason, y->err, "left out: %s", text) < 0)
        return -1;
    say(y, "participate", constraint, "false", "%s", text);
    return y->rc;
}

/* ---- why a field has its value ---- */

static double peak_with(const struct why *y, struct cost_setup s)
{
    return fit_peak(&y->place, &s);
}

static void why_format(struct why *y)
{
    const struct federated_want *w = y->turn->want;
    struct cost_setup s = y->part->fit.setup;
    const char *value = enum_name(&model_format_names, s.format);
    BYTES(need);
    BYTES(room);

    if (s.format == w->formats[0]) {
        say(y, "training.model_format", CONSTRAINT_NONE, value,
            "the job's first choice: %s of weights",
            bytes((double)w->shape->parameters * cost_bits_per_weight(s.format) / 8, need));
        return;
    }
    s.format = w->formats[0];
    s.batch_size = s.grad_accumulation = 1;
    s.grad_checkpoint = true;
    if (peak_with(y, s) > y->place.room)
        say(y, "training.model_format", CONSTRAINT_MEMORY, value,
            "%s would need at least %s at this length, it may fill %s",
            enum_name(&model_format_names, w->formats[0]), bytes(peak_with(y, s), need),
            bytes(y->place.room, room));
    else
        say(y, "training.model_format", y->part->fit.why_format, value,
            "chosen for this client; %s would need at least %s of the %s it may fill",
            enum_name(&model_format_names, w->formats[0]), bytes(peak_with(y, s), need),
            bytes(y->place.room, room));
}

static void why_rank(struct why *y)
{
    const struct federated_want *w = y->turn->want;
    int64_t rank = y->part->link.rank;
    char value[24];
    BYTES(update);

    if (rank < y->settings->rank)
        say(y, "training.rank", CONSTRAINT_LINK, number(rank, value),
            "others have up to %" PRId64 "; its upload of %s takes %.1f s of %.0f s, a larger one "
            "more than %.0f %%",
            y->settings->rank, bytes(y->part->link.up_bytes, update), y->part->upload_seconds,
            y->solution->horizon_seconds, 100 * w->upload_share_max);
    else
        say(y, "training.rank", rank < w->rank ? CONSTRAINT_LINK : CONSTRAINT_NONE,
            number(rank, value), "%s; the job wants %" PRId64,
            y->solution->rank_least < y->solution->rank_most
                ? "the most that any client trains"
                : "one rank for all clients, so that adapters can be averaged",
            w->rank);
}

static void why_common(struct why *y)
{
    const struct federated_want *w = y->turn->want;
    char value[24];

    if (w->method != FINE_TUNE_METHOD_FULL)
        why_rank(y);
    say(y, "training.layers", y->settings->layers < w->layers ? CONSTRAINT_MEMORY : CONSTRAINT_NONE,
        number(y->settings->layers, value),
        "one number for all clients; the job wants %" PRId64 " of the model's %" PRId64
        ", %zu clients take part with this",
        w->layers, w->shape->layers, y->solution->clients);
}

static void why_batch(struct why *y)
{
    const struct fit *f = &y->part->fit;
    struct cost_setup s = f->setup;
    int why = f->why_batch;
    char value[24], accumulation[24];
    BYTES(need);
    BYTES(room);
    BYTES(twice);

    s.batch_size = s.batch_size * 2;
    if (why == CONSTRAINT_NONE && f->setup.batch_size < y->turn->want->effective_batch &&
        peak_with(y, s) > y->place.room)
        why = CONSTRAINT_MEMORY;
    if (f->why_batch == CONSTRAINT_DATA)
        say(y, "training.batch_size", CONSTRAINT_DATA, number(f->setup.batch_size, value),
            "it has %" PRId64 " examples", y->place.batch_max);
    else
        say(y, "training.batch_size", why, number(f->setup.batch_size, value),
            "peak %s of the %s it may fill; %" PRId64 " would need %s",
            bytes(f->memory_bytes, need), bytes(y->place.room, room), s.batch_size,
            bytes(peak_with(y, s), twice));
    say(y, "training.grad_accumulation", f->why_accumulation,
        number(f->setup.grad_accumulation, accumulation),
        "micro-batches of %" PRId64 " to an update of %" PRId64 " sequences, %" PRId64 " wanted",
        f->setup.batch_size, f->setup.batch_size * f->setup.grad_accumulation,
        y->turn->want->effective_batch);
}

static void why_length(struct why *y)
{
    const struct federated_want *w = y->turn->want;
    const struct fit *f = &y->part->fit;
    struct cost_setup s = f->setup;
    char value[24];
    BYTES(need);
    BYTES(room);

    number(f->setup.sequence_length, value);
    if (f->setup.sequence_length == w->sequence) {
        say(y, "training.sequence_length", CONSTRAINT_NONE, value, "the length the job wants");
    } else if (f->why_sequence == CONSTRAINT_DEADLINE) {
        say(y, "training.sequence_length", CONSTRAINT_DEADLINE, value,
            "%" PRId64 " tokens would leave fewer than %" PRId64 " updates before the end",
            w->sequence, w->steps_min);
    } else {
        s.sequence_length = w->sequence;
        say(y, "training.sequence_length", f->why_sequence, value,
            "the job wants %" PRId64 " and at least %" PRId64
            "; the wanted length would need %s of "
            "the %s it may fill",
            w->sequence, w->sequence_min, bytes(peak_with(y, s), need), bytes(y->place.room, room));
    }
    s = f->setup;
    s.grad_checkpoint = !s.grad_checkpoint;
    say(y, "training.grad_checkpoint",
        f->setup.grad_checkpoint && peak_with(y, s) > y->place.room ? CONSTRAINT_MEMORY
                                                                    : f->why_checkpoint,
        f->setup.grad_checkpoint ? "true" : "false", "peak %s; %s recomputing it would be %s of %s",
        bytes(f->memory_bytes, value), f->setup.grad_checkpoint ? "without" : "with",
        bytes(peak_with(y, s), need), bytes(y->place.room, room));
}

static void why_steps(struct why *y)
{
    const struct client_part *p = y->part;
    double next = p->fixed_seconds + (double)(p->steps + 1) * p->fit.time.step_seconds;
    char value[24];

    number(p->steps, value);
    if (p->why_steps == CONSTRAINT_DATA && p->steps == p->steps_cap)
        say(y, "training.local_steps", CONSTRAINT_DATA, value,
            "one pass over its %" PRId64 " examples, %" PRId64 " an update", y->place.batch_max,
            p->fit.setup.batch_size * p->fit.setup.grad_accumulation);
    else if (next > y->solution->horizon_seconds)
        say(y, "training.local_steps", CONSTRAINT_DEADLINE, value,
            "updates of %.2f s that fit %.0f s beside %.1f s of transfers and warm-up, so that all "
            "finish together",
            p->fit.time.step_seconds, y->solution->horizon_seconds, p->fixed_seconds);
    else if (p->steps == y->turn->want->steps_max)
        say(y, "training.local_steps", CONSTRAINT_RULE, value,
            "the job's local_steps_max; updates of %.2f s, done after %.0f s",
            p->fit.time.step_seconds, p->round_seconds);
    else
        say(y, "training.local_steps", CONSTRAINT_NONE, value,
            "as proposed; updates of %.2f s, done after %.0f s of %.0f s", p->fit.time.step_seconds,
            p->round_seconds, y->solution->horizon_seconds);
}

static void why_rate(struct why *y, size_t client)
{
    const struct federated_turn *t = y->turn;
    const struct federated_want *w = t->want;
    char value[NUM_F64_TEXT_MAX];
    BYTES(limit);

    say(y, "training.learning_rate", w->learning_rate_stated ? CONSTRAINT_RULE : CONSTRAINT_NONE,
        num_format_f64(y->settings->learning_rate, value), "%s",
        w->learning_rate_stated ? "the job states it"
        : y->settings->learning_rate != w->learning_rate
            ? "proposed; the planner would take 2e-4 over the LoRA scale"
        : w->method == FINE_TUNE_METHOD_FULL
            ? "mlx-lm's default where all weights are trained"
            : "2e-4 over the LoRA scale, as mlx-lm's defaults pair");
    say(y, "training.memory_limit_bytes", CONSTRAINT_MEMORY, number((int64_t)y->place.room, value),
        "%.3g of %s: %s", y->settings->memory_share,
        bytes((double)t->roster->clients[client].limit_bytes, limit), y->a->memory_limit_source);
}

static void why_link(struct why *y, size_t client)
{
    const struct federated_turn *t = y->turn;
    const struct federated_want *w = t->want;
    char value[NUM_F64_TEXT_MAX];
    BYTES(update);

    say(y, "training.deadline_seconds",
        known_f64(w->deadline) ? CONSTRAINT_DEADLINE : CONSTRAINT_NONE,
        num_format_f64(y->solution->deadline_seconds, value),
        known_f64(w->deadline) ? "the job's deadline; predicted to be done after %.0f s"
                               : "the job gives none: the predicted round with slack; done after "
                                 "%.0f s",
        y->part->round_seconds);
    say(y, "training.upload_format",
        w->secure_aggregation                                             ? CONSTRAINT_PRIVACY
        : y->part->link.top_k || y->part->link.format != w->upload_format ? CONSTRAINT_LINK
                                                                          : CONSTRAINT_NONE,
        enum_name(&upload_format_names, y->part->link.format),
        "%s%s an update, %.1f s at %.4g Mbit/s, of which a round allows %.1f s",
        y->part->link.top_k ? "of the largest values only, " : "",
        bytes(y->part->link.up_bytes, update), y->part->upload_seconds,
        t->roster->clients[client].up_bps / 1e6,
        w->upload_share_max * y->solution->horizon_seconds);
}

static void why_server(struct why *y)
{
    const struct federated_turn *t = y->turn;
    const struct federated_want *w = t->want;
    char value[NUM_F64_TEXT_MAX];

    if (w->method != FINE_TUNE_METHOD_FULL)
        say(y, "training.adapters", CONSTRAINT_NONE, enum_name(&adapters_names, t->adapters), "%s",
            t->adapters_why);
    if (known_f64(t->noise_multiplier))
        say(y, "training.noise_multiplier", CONSTRAINT_PRIVACY,
            num_format_f64(t->noise_multiplier, value),
            "keeps epsilon %.4g of %.4g after %" PRId64 " rounds at delta %.3g, reckoned with "
            "%.3g of the clients in each",
            t->epsilon_spent, w->epsilon, w->rounds, w->delta, t->accounted_rate);
}

/* How sure the prediction is: what was measured of runs like this one. */
static void why_prediction(struct why *y, size_t client)
{
    const struct client *c = &y->turn->snapshot->clients[client];
    const struct machine *m = y->place.machine;
    bool checkpoint = y->part->fit.setup.grad_checkpoint;
    struct learned_kind kind = {.backend = m->backend,
                                .chip = y->turn->snapshot->classes[c->class_index].profile->chip,
                                .shape = y->turn->want->shape,
                                .method = y->turn->want->method,
                                .grad_checkpoint = checkpoint};
    char text[320];
    BYTES(need);

    learned_text(&m->learned[checkpoint], &kind, text, sizeof text);
    say(y, "prediction.memory_bytes", CONSTRAINT_NONE, bytes(y->part->fit.memory_bytes, need), "%s",
        text);
}

/* Is what was said of another client of the class true of this one too? */
static bool alike(const struct why *y, size_t client, size_t other)
{
    const struct roster_client *a = &y->turn->roster->clients[client];
    const struct roster_client *b = &y->turn->roster->clients[other];
    const struct client_part *p = &y->solution->parts[other];

    return a->limit_bytes == b->limit_bytes && a->examples == b->examples &&
           y->part->link.rank == y->settings->rank && p->link.rank == y->settings->rank &&
           fit_same(&y->part->fit, &p->fit);
}

static void copy_reasons(struct why *y, const struct assignment *from, size_t first, size_t end)
{
    for (size_t i = first; y->rc == 0 && i < end; i++) {
        const struct reason *r = &from->reasons[i];
        struct reason *copy = add_reason(y);

        if (!copy || text_set(&copy->field, r->field, y->err) < 0 ||
            text_set(&copy->value, r->value, y->err) < 0 ||
            text_set(&copy->text, r->text, y->err) < 0)
            y->rc = -1;
        else
            copy->constraint = r->constraint;
    }
}

/* What follows from class and set-up alone is said once and copied for those that are alike. */
static void say_fields(struct why *y, size_t client)
{
    size_t k = y->turn->snapshot->clients[client].class_index;
    struct why_memo *m = &y->turn->memos[k];
    const struct assignment *from = NULL;
    size_t other = m->client_plus_1 - 1;

    if (m->client_plus_1 && alike(y, client, other))
        from = y->a - (client - other); /* assignments stand in the clients' order */
    if (from) {
        copy_reasons(y, from, 1, m->setup_end);
    } else {
        why_format(y);
        why_common(y);
        why_batch(y);
        why_length(y);
        m->setup_end = y->a->reasons_count;
    }
    why_steps(y);
    if (from) {
        copy_reasons(y, from, m->setup_end + 1, m->rate_end);
    } else {
        why_rate(y, client);
        m->rate_end = y->a->reasons_count;
    }
    why_link(y, client);
    if (from) {
        copy_reasons(y, from, m->link_end, from->reasons_count);
    } else {
        m->link_end = y->a->reasons_count;
        why_server(y);
        why_prediction(y, client);
        m->client_plus_1 = client + 1;
    }
}

static int why_in(struct why *y, size_t client)
{
    const struct client_part *p = y->part;
    BYTES(need);
    BYTES(room);

    y->a->participate = TRI_TRUE;
    bytes(p->fit.memory_bytes, need);
    bytes(y->place.room, room);
    if (text_setf(&y->a->reason, y->err,
                  "takes part: %s of the %s it may fill, %" PRId64 " updates in %.0f s of %.0f s",
                  need, room, p->steps, p->round_seconds, y->solution->horizon_seconds) < 0)
        return -1;
    say(y, "participate", CONSTRAINT_NONE, "true",
        "the job's rules allow it, %s fit the %s it may fill, and %" PRId64
        " updates fit the round",
        need, room, p->steps);
    say_fields(y, client);
    return y->rc;
}

int federated_why(const struct federated_turn *t, size_t client, struct assignment *a,
                  struct err *err)
{
    struct why y = {.turn = t,
                    .settings = turn_settings(t),
                    .solution = turn_solution(t),
                    .part = &turn_solution(t)->parts[client],
                    .place = federated_place(t->roster, turn_settings(t), client),
                    .a = a,
                    .err = err};

    return y.part->out == CLIENT_IN ? why_in(&y, client) : why_out(&y, client);
}
