/* learned.h - what measurements have taught of one kind of run, as the planner uses it.
 *
 * A kind is (backend, chip, model, method), written "metal/Apple M4 Max/qwen3-4022468096/lora",
 * with "+checkpoint" behind the method where activations are recomputed: the two have different
 * laws. The model is its family and its number of parameters: the same shape under another name has
 * learnt already, and no name leaves the room. Runs that were imported without a chip are of chip
 * "*": they speak for every chip of the backend that has no reading of its own.
 *
 * A kind that was never measured is predicted by the pessimistic form of cost.c (loss buffers and
 * backward workspace both count) unless the pair (backend, method) is known from published
 * measurements: Metal with LoRA. Either way the plan says so. */
#ifndef COORDINATOR_PLANNER_LEARNED_H
#define COORDINATOR_PLANNER_LEARNED_H

#include "coordinator/planner/cost.h"

#include <stdbool.h>
#include <stdint.h>

struct chip_table;
struct err;
struct measured_run;
struct model_shape;
struct prediction;
struct snapshot;

#define LEARNED_KEY_MAX 257
#define LEARNED_ANY_CHIP "*"

struct learned_kind {
    enum cost_backend backend;
    const char *chip; /* NULL: any */
    const struct model_shape *shape;
    int method; /* enum fine_tune_method */
    bool grad_checkpoint;
};
void learned_key(const struct learned_kind *kind, char out[LEARNED_KEY_MAX]);

struct learned {
    double activation_factor, step_factor; /* 1: nothing was learnt */
    int64_t memory_samples, step_samples;
    bool any_chip; /* from runs without a chip */
};
void learned_find(const struct snapshot *s, const struct learned_kind *kind, struct learned *out);

/* For people: what was learnt, or that nothing was and what stands instead. */
void learned_text(const struct learned *l, const struct learned_kind *kind, char *out, size_t size);

/* What a prediction says of itself, for its measurements to be held against: the model before
 * anything was learnt. micro_seconds is of the plan, with what `l` has taught in it. */
int learned_write_parts(const struct learned_kind *kind, const struct cost_setup *setup,
                        const struct learned *l, double micro_seconds, struct prediction *r,
                        struct err *err);

/* Measured over predicted (NaN: not measured), from what a prediction said of itself: peak is what
 * the engine reports, fixed and activations as in struct prediction. */
double learned_activation_ratio(double peak_bytes, double fixed_bytes, double activation_bytes);

/* The same from a run that was measured elsewhere, and its key. ERR_INVALID names a field that no
 * run can have. */
int learned_from_run(const struct measured_run *run, const struct chip_table *chips,
                     char key[LEARNED_KEY_MAX], double *activations, double *step, struct err *err);

#endif
