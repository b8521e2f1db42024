/* lora_merge.c - a stranger's proposal for a LoRA job made into settings, and its notes. */
#include "coordinator/planner/lora_turn.h"

#include "common/core/unknown.h"
#include "common/model/device_proposal.h"
#include "coordinator/planner/device_fields.h"
#include "coordinator/planner/device_merge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WARMUP_MAX 100000 /* what a plan carries */

static struct device_merge reader(struct lora_turn *t, const struct record_type *type,
                                  const void *record)
{
    return (struct device_merge){&t->notes, lora_field_map, type, record};
}

static bool states_targets(const struct lora_turn *t)
{
    return t->lora->tuning->targets != LORA_TARGETS_UNSET;
}

static void merge_strategy(struct lora_turn *t, const struct lora_strategy *s)
{
    struct device_merge m = reader(t, &lora_strategy_type, s);
    const struct federated_want *w = t->want;
    int format;

    if (merge_int(&m, LF_FORMAT, &format)) {
        if (federated_want_format(w, format) >= 0)
            t->settings.ask.format = format;
        else
            note_outcome(merge_note(&t->notes, &lora_field_map[LF_FORMAT]), OUTCOME_REJECTED,
                         CONSTRAINT_VALUE, "not one of the job's variants");
    }
    merge_i64(&m, LF_SEQUENCE, w->sequence_min, w->sequence, &t->settings.ask.sequence_length);
}

/* The job's scale is its word; without it the engine's alpha makes one. */
static void merge_alpha(struct lora_turn *t, struct device_merge *m)
{
    double alpha, rank = (double)t->settings.rank;

    if (known_f64(t->lora->tuning->scale))
        merge_stated(m, LF_ALPHA, "%g", t->want->scale * rank);
    else if (merge_f64(m, LF_ALPHA, 0.001 * rank, 10000 * rank, &alpha))
        t->settings.scale = alpha / rank;
}

static void merge_config(struct lora_turn *t, const struct lora_config *c)
{
    struct device_merge m = reader(t, &lora_config_type, c);
    const struct federated_want *w = t->want;

    merge_i64(&m, LF_RANK, w->rank_min, w->rank_max, &t->settings.rank);
    merge_alpha(t, &m);
    if (states_targets(t))
        merge_stated(&m, LF_TARGETS, "%s", enum_name(&lora_targets_names, w->targets));
    else
        merge_int(&m, LF_TARGETS, &t->settings.targets);
    merge_i64(&m, LF_LAYERS, w->layers_min, w->layers, &t->settings.layers);
    if (known_f64(t->lora->tuning->dropout))
        merge_stated(&m, LF_DROPOUT, "%g", w->dropout);
    else
        merge_f64(&m, LF_DROPOUT, 0, 0.95, &t->settings.dropout);
}

static void merge_batch(struct lora_turn *t, struct device_merge *m)
{
    const struct federated_want *w = t->want;
    int64_t most = t->lora->data->examples < 4096 ? t->lora->data->examples : 4096;

    if (known_i64(w->batch_size))
        merge_stated(m, LF_BATCH, "%" PRId64, w->batch_size);
    else
        merge_i64(m, LF_BATCH, 1, w->effective_stated ? w->effective_batch : most,
                  &t->settings.ask.batch_size);
    if (w->effective_stated)
        merge_stated(m, LF_ACCUMULATION, "%" PRId64,
                     fit_accumulation(w, known_i64(t->settings.ask.batch_size)
                                             ? t->settings.ask.batch_size
                                             : t->own_solution.fit.setup.batch_size));
    else
        merge_i64(m, LF_ACCUMULATION, 1, 4096, &t->settings.ask.grad_accumulation);
}

static void merge_training(struct lora_turn *t, const struct lora_training *r)
{
    struct device_merge m = reader(t, &lora_training_type, r);
    const struct federated_want *w = t->want;

    merge_batch(t, &m);
    if (w->learning_rate_stated)
        merge_stated(&m, LF_LEARNING_RATE, "%g", w->learning_rate);
    else
        merge_f64(&m, LF_LEARNING_RATE, 1e-9, 10, &t->settings.learning_rate);
    if (t->lora->tuning->lr_schedule)
        merge_stated(&m, LF_LR_SCHEDULE, "%s", enum_name(&lr_schedule_names, w->lr_schedule));
    else
        merge_int(&m, LF_LR_SCHEDULE, &t->settings.lr_schedule);
    merge_i64(&m, LF_WARMUP_STEPS, 0, WARMUP_MAX, &t->settings.warmup_steps);
    merge_i64(&m, LF_UPDATES, 1, 1000000, &t->settings.updates);
}

void lora_merge(struct lora_turn *t, const struct lora_proposal *p)
{
    struct device_merge allocation =
        reader(t, &lora_allocation_type, p ? p->resource_allocation : NULL);
    struct device_merge memory = reader(t, &lora_memory_type, p ? p->memory_optimization : NULL);

    t->settings = t->own;
    merge_strategy(t, p ? p->optimization_strategy : NULL);
    merge_f64(&allocation, LF_MEMORY_SHARE, 0.1, 1, &t->settings.memory_share);
    merge_config(t, p ? p->lora_config : NULL);
    merge_training(t, p ? p->training_strategy : NULL);
    if (t->want->grad_checkpoint != TRI_UNKNOWN)
        merge_stated(&memory, LF_CHECKPOINT, "%s",
                     t->want->grad_checkpoint == TRI_TRUE ? "true" : "false");
    else
        merge_int(&memory, LF_CHECKPOINT, &t->settings.ask.checkpoint);
}

/* ---- once the solution is known ---- */

/* The value that stands; where a taken one had to move, what moved it. */
static void settle_i64(struct lora_turn *t, enum lora_field id, int64_t used, int constraint,
                       const char *why)
{
    const struct field_map *map = &lora_field_map[id];
    struct note *n = merge_note(&t->notes, map);
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, used);
    note_used(n, "%s", text);
    if (strcmp(n->proposed, text) != 0 && n->outcome == OUTCOME_USED)
        merge_moved(&t->notes, map, constraint, "%s", why);
}

static void settle_word(struct lora_turn *t, enum lora_field id, const char *used, const char *why)
{
    const struct field_map *map = &lora_field_map[id];
    struct note *n = merge_note(&t->notes, map);

    note_used(n, "%s", used);
    if (strcmp(n->proposed, used) != 0 && n->outcome == OUTCOME_USED)
        merge_moved(&t->notes, map, CONSTRAINT_MEMORY, "%s", why);
}

static void settle_f64(struct lora_turn *t, enum lora_field id, double used)
{
    note_used(merge_note(&t->notes, &lora_field_map[id]), "%g", used);
}

static void settle_setup(struct lora_turn *t, const struct lora_solution *s)
{
    static const char fits[] = "as proposed it does not fit the device's memory";
    const struct cost_setup *c = &s->fit.setup;

    settle_word(t, LF_FORMAT, enum_name(&model_format_names, c->format), fits);
    settle_i64(t, LF_SEQUENCE, c->sequence_length, CONSTRAINT_MEMORY, fits);
    settle_i64(t, LF_RANK, s->rank, CONSTRAINT_MEMORY, fits);
    settle_i64(t, LF_LAYERS, s->layers, CONSTRAINT_MEMORY, fits);
    settle_i64(t, LF_BATCH, c->batch_size, CONSTRAINT_MEMORY, fits);
    settle_i64(t, LF_ACCUMULATION, c->grad_accumulation, CONSTRAINT_DATA,
               "it makes up the sequences of one update from this batch, within the data");
    settle_word(t, LF_CHECKPOINT, c->grad_checkpoint ? "true" : "false", fits);
    settle_word(t, LF_TARGETS, enum_name(&lora_targets_names, c->targets), fits);
}

void lora_settle(struct lora_turn *t, const struct lora_proposal *p)
{
    const struct lora_settings *set = lora_turn_settings(t);
    const struct lora_solution *s = lora_turn_solution(t);
    struct device_merge m = reader(t, &lora_performance_type, p ? p->expected_performance : NULL);
    int64_t warmup = set->warmup_steps < s->updates ? set->warmup_steps : s->updates - 1;

    settle_setup(t, s);
    settle_f64(t, LF_MEMORY_SHARE, set->memory_share);
    settle_f64(t, LF_ALPHA, s->scale * (double)s->rank);
    settle_f64(t, LF_DROPOUT, set->dropout);
    settle_f64(t, LF_LEARNING_RATE, set->learning_rate);
    settle_word(t, LF_LR_SCHEDULE, enum_name(&lr_schedule_names, set->lr_schedule), "");
    settle_i64(t, LF_WARMUP_STEPS, warmup, CONSTRAINT_SHAPE, "fewer than the updates");
    settle_i64(t, LF_UPDATES, s->updates,
               s->why_updates == CONSTRAINT_DEADLINE ? CONSTRAINT_DEADLINE : CONSTRAINT_DATA,
               s->why_updates == CONSTRAINT_DEADLINE ? "no more fit before the deadline"
                                                     : "the job wants no more");
    merge_predicted(&m, LF_EXPECTED_MEMORY, ceil(s->fit.memory_bytes));
    merge_predicted(&m, LF_EXPECTED_SPEED, s->fit.time.tokens_per_second);
    merge_predicted(&m, LF_EXPECTED_SECONDS, s->training_seconds);
}
