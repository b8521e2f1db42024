/* learned.c - keys of kinds of runs, and ratios of measured to predicted. */
#include "coordinator/planner/learned.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "coordinator/planner/chip_rates.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void learned_key(const struct learned_kind *k, char out[LEARNED_KEY_MAX])
{
    snprintf(out, LEARNED_KEY_MAX, "%s/%.64s/%.64s-%" PRId64 "/%s%s",
             k->backend == COST_CPU ? "cpu" : "metal", k->chip ? k->chip : LEARNED_ANY_CHIP,
             k->shape->model_type ? k->shape->model_type : "model", k->shape->parameters,
             enum_name(&fine_tune_method_names, k->method),
             k->grad_checkpoint ? "+checkpoint" : "");
}

void learned_find(const struct snapshot *s, const struct learned_kind *kind, struct learned *out)
{
    struct learned_kind any = *kind;
    const struct calibration *c;
    char key[LEARNED_KEY_MAX];

    *out = (struct learned){.activation_factor = 1, .step_factor = 1};
    if (s->calibrations_count == 0)
        return;
    learned_key(kind, key);
    c = snapshot_calibration(s, key);
    if (!c) {
        any.chip = NULL;
        learned_key(&any, key);
        c = snapshot_calibration(s, key);
        out->any_chip = c != NULL;
    }
    if (!c)
        return;
    if (known_i64(c->memory_samples) && c->memory_samples > 0) {
        out->activation_factor = c->activation_factor;
        out->memory_samples = c->memory_samples;
    }
    if (known_i64(c->step_samples) && c->step_samples > 0) {
        out->step_factor = c->step_factor;
        out->step_samples = c->step_samples;
    }
}

void learned_text(const struct learned *l, const struct learned_kind *k, char *out, size_t size)
{
    const char *on = l->any_chip ? "a machine of the kind" : k->chip ? k->chip : "this machine";
    const char *how = k->grad_checkpoint ? ", checkpointed" : "";
    size_t used;

    if (l->memory_samples == 0 && l->step_samples == 0) {
        snprintf(out, size, "%s%s was never measured on %s with this model: %s",
                 enum_name(&fine_tune_method_names, k->method), how, on,
                 k->backend == COST_METAL && k->method == FINE_TUNE_METHOD_LORA
                     ? "memory as published for other chips, with its margin"
                     : "memory by the pessimistic form until the first steps are measured");
        return;
    }
    used = (size_t)snprintf(out, size, "corrected by what was measured on %s%s: ", on, how);
    if (l->memory_samples > 0 && used < size)
        used += (size_t)snprintf(out + used, size - used, "activations x %.3f (%" PRId64 " peaks)",
                                 l->activation_factor, l->memory_samples);
    if (l->step_samples > 0 && used < size)
        snprintf(out + used, size - used, "%sstep time x %.3f (%" PRId64 " readings)",
                 l->memory_samples > 0 ? ", " : "", l->step_factor, l->step_samples);
}

double learned_activation_ratio(double peak, double fixed, double activations)
{
    if (!known_f64(peak) || !known_f64(fixed) || !(activations > 0) || peak <= fixed)
        return UNKNOWN_F64;
    return (peak - fixed) / activations;
}

static int run_setup(const struct measured_run *run, struct cost_setup *s,
                     enum cost_backend *backend, struct err *err)
{
    if (strcmp(run->backend, "metal") != 0 && strcmp(run->backend, "cpu") != 0)
        return err_set(err, ERR_INVALID, "backend: \"%s\", wanted metal or cpu", run->backend);
    if (known_i64(run->shape->experts))
        return err_set(err, ERR_INVALID, "shape: a model with experts, wanted one without");
    if (run->layers > run->shape->layers)
        return err_set(err, ERR_INVALID, "layers: %" PRId64 ", wanted at most the model's %" PRId64,
                       run->layers, run->shape->layers);
    *backend = strcmp(run->backend, "cpu") == 0 ? COST_CPU : COST_METAL;
    *s = (struct cost_setup){.format = run->model_format,
                             .method = run->method,
                             .targets = run->targets ? run->targets : LORA_TARGETS_ALL,
                             .optimizer = OPTIMIZER_ADAMW,
                             .rank = run->rank,
                             .layers = run->layers,
                             .batch_size = run->batch_size,
                             .grad_accumulation = 1,
                             .sequence_length = run->sequence_length,
                             .grad_checkpoint = run->grad_checkpoint == TRI_TRUE};
    return 0;
}

/* Held between steps: where it was measured, only the gradients come on top, and the margin that
 * predictions have. */
static double run_fixed(const struct measured_run *run, const struct cost_setup *s,
                        const struct cost_memory *m)
{
    double width = s->method == FINE_TUNE_METHOD_FULL && s->format != MODEL_FORMAT_F32 ? 2 : 4;

    if (!known_i64(run->resident_bytes))
        return cost_fixed_bytes(m);
    return cost_resident_bytes((double)run->resident_bytes) + width * cost_trainable(run->shape, s);
}

/* Step times mean something only beside the rates of a known chip. */
static double run_step(const struct measured_run *run, const struct cost_setup *s,
                       enum cost_backend backend, const struct chip_table *chips)
{
    struct profile p;
    struct chip_rates rates;
    struct cost_time time;

    if (!run->chip || !known_f64(run->step_seconds))
        return UNKNOWN_F64;
    record_init(&profile_type, &p);
    p.chip = run->chip; /* borrowed, and never cleared */
    p.gpu_cores = run->gpu_cores;
    chip_rates_find(chips, &p, backend == COST_METAL, &rates);
    cost_step(run->shape, s, rates.flops, rates.bandwidth, 1, &time);
    return run->step_seconds / time.micro_seconds;
}

int learned_from_run(const struct measured_run *run, const struct chip_table *chips,
                     char key[LEARNED_KEY_MAX], double *activations, double *step, struct err *err)
{
    struct learned_kind kind = {.chip = run->chip,
                                .shape = run->shape,
                                .method = run->method,
                                .grad_checkpoint = run->grad_checkpoint == TRI_TRUE};
    struct cost_memory m;
    struct cost_setup s;

    if (run_setup(run, &s, &kind.backend, err) < 0)
        return -1;
    learned_key(&kind, key);
    cost_memory(run->shape, &s, kind.backend, 1, &m);
    *activations = known_i64(run->peak_bytes)
                       ? learned_activation_ratio((double)run->peak_bytes, run_fixed(run, &s, &m),
                                                  cost_activation_bytes(&m))
                       : UNKNOWN_F64;
    *step = run_step(run, &s, kind.backend, chips);
    return 0;
}

int learned_write_parts(const struct learned_kind *kind, const struct cost_setup *setup,
                        const struct learned *l, double micro_seconds, struct prediction *r,
                        struct err *err)
{
    struct cost_memory memory;
    char key[LEARNED_KEY_MAX];

    cost_memory(kind->shape, setup, kind->backend, 1, &memory);
    learned_key(kind, key);
    r->fixed_bytes = (int64_t)ceil(cost_fixed_bytes(&memory));
    r->activation_bytes = (int64_t)ceil(cost_activation_bytes(&memory));
    r->micro_seconds = micro_seconds / l->step_factor;
    return text_set(&r->calibration_key, key, err);
}
