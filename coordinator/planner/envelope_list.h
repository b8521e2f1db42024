/* envelope_list.h - an envelope written out: per class what fits, and what does not and why.
 *
 * For people and tools that look; planning itself walks the grid with envelope_next. Of what does
 * not fit, each row of the grid (format, checkpointing, layers, length) gives its smallest batch
 * that does not: memory binds there, or whatever keeps the whole class out. */
#ifndef COORDINATOR_PLANNER_ENVELOPE_LIST_H
#define COORDINATOR_PLANNER_ENVELOPE_LIST_H

#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

struct class_summary;
struct envelope;
struct err;

/* one configuration of the grid */
struct listed_configuration {
    int fits;                  /* enum tristate: within the room of its class */
    int model_format;          /* enum model_format: base format */
    int grad_checkpoint;       /* enum tristate: recompute activations */
    int constraint;            /* enum constraint: what binds it where it does not fit */
    int64_t layers;            /* layers: blocks trained, from the top */
    int64_t sequence_length;   /* tokens: tokens per sequence */
    int64_t batch_size;        /* sequences: micro-batch */
    int64_t grad_accumulation; /* micro-steps: micro-batches per optimizer update */
    int64_t memory_bytes;      /* bytes: predicted peak */
    double step_seconds;       /* s: one optimizer update */
    double tokens_per_second;  /* tokens/s: while stepping */
};
RECORD_DECLARE(listed_configuration);

/* one class and its configurations */
struct listed_class {
    struct class_summary *summary; /* the class */
    int64_t room_bytes;            /* bytes: what a plan may fill of its memory limit */
    struct listed_configuration *configurations; /* those that fit, then the first that do not */
    size_t configurations_count;
};
RECORD_DECLARE(listed_class);

/* what each class of a fleet can do for a job */
struct envelope_list {
    char *fleet;                  /* where it comes from, for people */
    struct listed_class *classes; /* by falling number of devices */
    size_t classes_count;
};
RECORD_DECLARE(envelope_list);

/* One class, or SIZE_MAX for all; configurations only where `whole`. NULL without memory. */
struct envelope_list *envelope_list_make(const struct envelope *e, size_t class_index, bool whole,
                                         struct err *err);

#endif
