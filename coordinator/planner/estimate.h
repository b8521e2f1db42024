/* estimate.h - will a model fit on one machine, and how fast will it be there.
 *
 * Puts cost.h (fine-tuning), inference.h (prompt and generation) and machine.h (rates and memory
 * limit) together for one question of a person. What cannot be said for want of a fact is NaN or
 * unknown, and the text beside it says which fact. Pure. */
#ifndef COORDINATOR_PLANNER_ESTIMATE_H
#define COORDINATOR_PLANNER_ESTIMATE_H

#include "common/core/unknown.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/inference.h"

#include <stdbool.h>
#include <stdint.h>

struct device_class;
struct machine;

#define ESTIMATE_TEXT_MAX 240

struct estimate_ask {
    const struct model_shape *shape;
    struct weight_format format;
    enum inference_engine engine;
    bool training;           /* the memory asked for is that of training */
    struct cost_setup setup; /* format is set from the one above */
    double prompt_tokens, context_tokens;
    /* what was measured on machines of the kind; 1: nothing (see calibration.h) */
    double activation_factor, step_factor;
    bool calibrated;
};

/* Where a rate comes from. */
enum estimate_source {
    ESTIMATE_NOTHING,  /* it cannot be said */
    ESTIMATE_MEASURED, /* the machine measured it */
    ESTIMATE_TABLE,    /* published for its chip */
    ESTIMATE_DERIVED,  /* from its other bin, its generation or its predecessor */
};
extern const char *const estimate_source_names[]; /* NULL, "measured", "table", "derived" */

struct estimate_rate {
    double value;          /* NaN: see why */
    double expected_error; /* share by which half of the published rates were off */
    enum estimate_source source;
    char why[ESTIMATE_TEXT_MAX];
};

struct estimate {
    struct inference_memory inference;
    struct cost_memory training;
    double training_bytes; /* peak; NaN: see no_training */
    double memory_bytes;   /* of what was asked for; NaN with training that cannot be */
    char no_training[ESTIMATE_TEXT_MAX];
    int64_t limit_bytes; /* UNKNOWN_I64: see limit_why */
    bool limit_assumed;
    char limit_why[ESTIMATE_TEXT_MAX];
    enum tristate fits;
    char fits_why[ESTIMATE_TEXT_MAX];
    struct estimate_rate step_seconds; /* one optimizer update */
    struct estimate_rate train, prefill, decode;
};

/* `c` is the machine as a class of one: its profile, and its state where one is known. */
void estimate_make(const struct estimate_ask *a, const struct device_class *c,
                   const struct machine *m, const struct inference_table *t, struct estimate *out);

#endif
