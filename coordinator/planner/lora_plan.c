/* lora_plan.c - a turn written down: the device's training, its prediction, forecast, reasons. */
#include "coordinator/planner/lora_turn.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/plan_warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MLX_BATCH 4 /* mlx_lm.lora's own */

#define ADAPTER_BYTES 4 /* mlx-lm writes adapters as f32 */

/* The errors that the planning model has shown against published and own measurements. */
#define MEMORY_ERROR                                                                                \
    "cost model; LoRA on Metal measured at 0.97 to 1.08 of it (M1 Max, 1 to 8 k tokens), a margin " \
    "of 15 % on activations is in"
#define TIME_ERROR                                                                                \
    "arithmetic over the device's rate at the efficiency of measured trainings (0.35 to 0.43 of " \
    "peak; short sequences less)"

static int write_common(const struct lora_turn *t, struct plan *plan, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    struct lora_plan *l = plan->lora = lora_plan_new(err);

    if (!l || text_set(&l->device_id, t->device.client->device_id, err) < 0)
        return -1;
    l->rank = s->rank;
    l->layers = s->layers;
    l->trainable_parameters = (int64_t)s->parameters;
    l->adapter_bytes = (int64_t)s->parameters * ADAPTER_BYTES;
    l->updates = s->updates;
    l->epochs = s->epochs;
    l->tokens = s->tokens;
    l->training_seconds = s->training_seconds;
    if (text_setf(&l->seconds_source, err, "%s; %s", TIME_ERROR, t->device.machine.rates.text) < 0)
        return -1;
    return text_set(&l->memory_source, MEMORY_ERROR, err);
}

static int write_training(const struct lora_turn *t, struct assignment *a, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct lora_settings *set = lora_turn_settings(t);
    const struct lora_solution *s = lora_turn_solution(t);
    const struct cost_setup *c = &s->fit.setup;
    struct training *r = a->training = training_new(err);

    if (!r || text_set(&r->model_path, w->paths[federated_want_format(w, c->format)], err) < 0 ||
        text_set(&r->data_path, t->lora->data->path, err) < 0)
        return -1;
    r->model_format = c->format;
    r->method = w->method;
    r->targets = c->targets;
    r->rank = s->rank;
    r->scale = fmin(fmax(s->scale, 0.001), 10000);
    r->dropout = set->dropout;
    r->layers = s->layers;
    r->batch_size = c->batch_size;
    r->grad_accumulation = c->grad_accumulation;
    r->sequence_length = c->sequence_length;
    r->grad_checkpoint = c->grad_checkpoint ? TRI_TRUE : TRI_FALSE;
    r->local_steps = s->updates;
    r->iters = s->updates * c->grad_accumulation;
    r->learning_rate = set->learning_rate;
    r->lr_schedule = set->lr_schedule;
    r->warmup_steps = set->warmup_steps < s->updates ? set->warmup_steps : s->updates - 1;
    r->optimizer = w->optimizer;
    r->seed = w->seed;
    r->memory_limit_bytes = (int64_t)((double)t->device.limit_bytes * set->memory_share);
    r->deadline_seconds = t->deadline;
    r->rounds = 1;
    return 0;
}

static int write_prediction(const struct lora_turn *t, struct assignment *a, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    struct learned_kind kind = lora_turn_kind(t, s->fit.setup.grad_checkpoint);
    struct prediction *r = a->prediction = prediction_new(err);

    if (!r)
        return -1;
    r->memory_bytes = (int64_t)ceil(s->fit.memory_bytes);
    r->step_seconds = s->fit.time.step_seconds;
    r->round_seconds = fmin(s->training_seconds, 1e9);
    r->tokens_per_second = s->fit.time.tokens_per_second;
    return learned_write_parts(&kind, &s->fit.setup,
                               &t->device.machine.learned[s->fit.setup.grad_checkpoint],
                               s->fit.time.micro_seconds, r, err);
}

/* The same adapters as mlx-lm trains them when nobody says more: its batch of 4, nothing
 * recomputed, the job's first format. */
static int write_baseline(const struct lora_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct lora_solution *s = lora_turn_solution(t);
    struct fit_place place = {.want = w,
                              .machine = &t->device.machine,
                              .activation_factor = t->policy->activation_factor};
    struct fit f = {.setup = s->fit.setup};
    char need[NUM_BYTES_TEXT_MAX], room[NUM_BYTES_TEXT_MAX];
    struct forecast *b = plan->baseline = forecast_new(err);
    double tokens = MLX_BATCH * federated_want_tokens(w, f.setup.sequence_length);
    double updates = ceil(s->tokens / tokens);
    bool fits;

    if (!b)
        return -1;
    f.setup.format = w->formats[0];
    f.setup.batch_size = MLX_BATCH;
    f.setup.grad_accumulation = 1;
    f.setup.grad_checkpoint = false;
    fit_time(&place, &f);
    fits = f.memory_bytes <= (double)t->device.limit_bytes;
    b->clients = fits;
    b->left_out = !fits;
    if (fits) {
        b->tokens_per_round = updates * tokens;
        b->round_seconds = fmin(t->warmup + updates * f.time.step_seconds, 1e9);
        b->tokens_per_second = b->tokens_per_round / b->round_seconds;
    }
    return text_setf(&b->text, err,
                     "%s, the same adapters, batch %d, nothing recomputed: needs %s, %s of %s",
                     enum_name(&model_format_names, f.setup.format), MLX_BATCH,
                     num_format_bytes((int64_t)ceil(f.memory_bytes), need),
                     fits ? "within the limit" : "more than the limit",
                     num_format_bytes(t->device.limit_bytes, room));
}

static int write_forecast(const struct lora_turn *t, struct plan *plan, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    struct forecast *f = plan->forecast = forecast_new(err);

    if (!f)
        return -1;
    f->clients = 1;
    f->left_out = 0;
    f->round_seconds = fmin(s->training_seconds, 1e9);
    f->tokens_per_round = s->tokens;
    f->tokens_per_second = s->tokens / f->round_seconds;
    f->utilisation = fmin((double)s->updates * s->fit.time.step_seconds / s->training_seconds, 1);
    if (text_setf(&f->text, err,
                  "%" PRId64 " updates of %" PRId64 " x %" PRId64 " sequences, %.3g epochs",
                  s->updates, s->fit.setup.batch_size, s->fit.setup.grad_accumulation,
                  s->epochs) < 0)
        return -1;
    return write_baseline(t, plan, err);
}

/* ---- why ---- */

/* "wanted 36, at least 8": and whether memory or the engine made it less. */
static int say_range(struct assignment *a, struct err *err, const char *field, int why,
                     int64_t value, int64_t wanted, int64_t least)
{
    return device_part_say_range(a, err, field, why, value, wanted, least,
                                 ": the engine chose less");
}

static int why_memory(const struct lora_turn *t, struct assignment *a, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    const struct federated_want *w = t->want;
    const struct fit *f = &s->fit;
    const char *first = enum_name(&model_format_names, w->formats[0]);

    if (device_part_say(a, err, "model_format", f->why_format,
                        enum_name(&model_format_names, f->setup.format),
                        f->setup.format == w->formats[0] ? "%s is the job's first, and fits"
                        : f->why_format == CONSTRAINT_MEMORY
                            ? "%s, the job's first, does not fit with the rest of what is wanted"
                            : "the engine chose it over %s",
                        first) < 0 ||
        say_range(a, err, "sequence_length", f->why_sequence, f->setup.sequence_length, w->sequence,
                  w->sequence_min) < 0 ||
        say_range(a, err, "layers", s->why_layers, s->layers, w->layers, w->layers_min) < 0 ||
        say_range(a, err, "rank", s->why_rank, s->rank, w->rank, w->rank_min) < 0)
        return -1;
    return device_part_say(
        a, err, "grad_checkpoint", f->why_checkpoint, f->setup.grad_checkpoint ? "true" : "false",
        f->setup.grad_checkpoint ? "recomputing activations lets the rest fit, or a larger batch "
                                   "that is faster"
                                 : "activations fit, and keeping them is faster");
}

static int why_training(const struct lora_turn *t, struct assignment *a, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    const struct lora_settings *set = lora_turn_settings(t);
    const struct federated_want *w = t->want;
    const struct fit *f = &s->fit;
    char v[DEVICE_NUMBER_MAX], text[NUM_F64_TEXT_MAX];

    if (device_part_say(
            a, err, "batch_size", f->why_batch, device_part_number(f->setup.batch_size, v),
            "%.4g tokens/s; an update has %" PRId64 " sequences", f->time.tokens_per_second,
            f->setup.batch_size * f->setup.grad_accumulation) < 0 ||
        device_part_say(a, err, "grad_accumulation", f->why_accumulation,
                        device_part_number(f->setup.grad_accumulation, v),
                        "makes up the %" PRId64 " sequences wanted for an update",
                        w->effective_batch) < 0 ||
        device_part_say(a, err, "learning_rate", CONSTRAINT_NONE,
                        num_format_f64(set->learning_rate, text),
                        w->learning_rate_stated ? "the job states it"
                                                : "the engine's, or 2e-4 over the scale") < 0)
        return -1;
    return device_part_say(
        a, err, "local_steps", s->why_updates, device_part_number(s->updates, v),
        s->why_updates == CONSTRAINT_DEADLINE
            ? "%.4g s an update: no more end before the deadline; %.3g epochs of %" PRId64 " rows"
            : "%.4g s an update; %.3g epochs of %" PRId64 " rows",
        f->time.step_seconds, s->epochs, t->lora->data->examples);
}

static int write_why(const struct lora_turn *t, struct assignment *a, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    bool checkpoint = s->fit.setup.grad_checkpoint;
    struct learned_kind kind = lora_turn_kind(t, checkpoint);
    char peak[NUM_BYTES_TEXT_MAX], limit[NUM_BYTES_TEXT_MAX], taught[320];

    learned_text(&t->device.machine.learned[checkpoint], &kind, taught, sizeof taught);
    if (text_setf(&a->reason, err, "trains %" PRId64 " updates in %.0f s, peak %s of %s",
                  s->updates, ceil(s->training_seconds),
                  num_format_bytes((int64_t)ceil(s->fit.memory_bytes), peak),
                  num_format_bytes(t->device.limit_bytes, limit)) < 0 ||
        device_part_say(a, err, "memory_limit_bytes", CONSTRAINT_MEMORY, limit,
                        "%.0f %% of what it may use: %s", lora_turn_settings(t)->memory_share * 100,
                        t->device.machine.limit_text) < 0 ||
        device_part_say(a, err, "prediction.memory_bytes", CONSTRAINT_NONE, peak, "%s", taught) < 0)
        return -1;
    return why_memory(t, a, err) < 0 ? -1 : why_training(t, a, err);
}

static int write_warnings(const struct lora_turn *t, struct plan *plan, struct err *err)
{
    const struct lora_solution *s = lora_turn_solution(t);
    double wanted = known_i64(t->updates) ? UNKNOWN_F64 : t->epochs;

    if (t->replaced[0] &&
        plan_warn(plan, err, "the proposal was replaced by the planner's own plan: %s",
                  t->replaced) < 0)
        return -1;
    if (s->why_updates == CONSTRAINT_DEADLINE && known_f64(wanted) &&
        plan_warn(plan, err,
                  "lora.run.epochs: %g do not end before the deadline; it is enough for "
                  "%.3g",
                  wanted, s->epochs) < 0)
        return -1;
    if (t->device.machine.limit_assumed)
        return plan_warn(plan, err, "the memory limit is assumed: %s",
                         t->device.machine.limit_text);
    return 0;
}

int lora_write(struct lora_turn *t, int engine, struct plan *plan, struct err *err)
{
    struct assignment *a;
    struct class_summary *c;

    if (device_part_write(&t->device, PLAN_KIND_LORA, engine, plan, &a, &c, err) < 0)
        return -1;
    lora_count(t, c);
    if (text_setf(&c->text, err, "%" PRId64 " configurations fit", c->configurations) < 0 ||
        write_common(t, plan, err) < 0 || write_training(t, a, err) < 0 ||
        write_prediction(t, a, err) < 0 || write_forecast(t, plan, err) < 0 ||
        write_why(t, a, err) < 0 || notes_write(&t->notes, engine, plan, err) < 0 ||
        write_warnings(t, plan, err) < 0)
        return -1;
    return decision_notes_say(&t->notes, engine, t->replaced, plan, err);
}
