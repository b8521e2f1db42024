/* federated_fit.h - a training set-up that fits one machine's memory.
 *
 * Room-internal. Two ways in: fit_choose completes what an engine left open with the fastest set-up
 * that fits; fit_repair moves one that does not fit to the nearest that does, in the fixed order:
 * quantise, smaller micro-batch with more accumulation, checkpointing, shorter sequences. (Layers
 * and rank are common to all clients and are repaired for all at once, by federated_merge.) */
#ifndef COORDINATOR_PLANNER_FEDERATED_FIT_H
#define COORDINATOR_PLANNER_FEDERATED_FIT_H

#include "coordinator/planner/cost.h"

#include <stdbool.h>
#include <stdint.h>

struct federated_want;
struct machine;

#define FIT_LENGTHS_MAX 3

/* What is asked of one class; what is open is 0, UNKNOWN_I64 or TRI_UNKNOWN. */
struct fit_ask {
    int format;
    int checkpoint; /* enum tristate */
    int64_t batch_size, grad_accumulation, sequence_length;
};

/* Everything that a fit depends on beside the ask. */
struct fit_place {
    const struct federated_want *want;
    const struct machine *machine;
    double activation_factor;
    int64_t rank, layers;
    double room;       /* bytes that may be filled */
    int64_t batch_max; /* rows of data: a micro-batch cannot be larger */
};

struct fit {
    struct cost_setup setup;
    double memory_bytes;
    struct cost_time time;
    /* enum constraint per field: NONE where it is the asked or the best value */
    int why_format, why_batch, why_accumulation, why_sequence, why_checkpoint;
};

/* The same set-up, with the same prediction, for the same reasons. */
bool fit_same(const struct fit *a, const struct fit *b);

struct fit_ask fit_ask_open(void);

/* The fastest set-up within the ask; false where none fits. Formats in the job's order and lengths
 * from the longest: a shorter one is taken only where no format fits the longer. */
bool fit_choose(const struct fit_place *place, const struct fit_ask *ask, struct fit *out);

/* The nearest to the ask that fits; false where nothing does. */
bool fit_repair(const struct fit_place *place, const struct fit_ask *ask, struct fit *out);

/* fit_choose, else fit_repair. */
bool fit_any(const struct fit_place *place, const struct fit_ask *ask, struct fit *out);

/* Peak bytes of the smallest set-up that the job allows at this rank and number of layers. */
double fit_smallest(const struct federated_want *w, const struct machine *machine,
                    double activation_factor, int64_t rank, int64_t layers);

double fit_peak(const struct fit_place *place, const struct cost_setup *setup);
void fit_time(const struct fit_place *place, struct fit *f);

/* The lengths that the planner tries: the wanted, three quarters of it, the shortest. */
int fit_lengths(const struct federated_want *w, int64_t out[FIT_LENGTHS_MAX]);

/* The largest micro-batch at or below `top` that makes up one update exactly; at least 1. */
int64_t fit_batch_below(const struct federated_want *w, int64_t top);

/* Micro-batches that make up one update; at most what a plan can carry. */
int64_t fit_accumulation(const struct federated_want *w, int64_t batch);

#endif
