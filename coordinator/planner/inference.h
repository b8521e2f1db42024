/* inference.h - memory and speed of a model that answers: prompt (prefill) and generation (decode).
 *
 *     memory  = weights + cache + workspace,      cache = 2 layers kv 2 bytes a token
 *     prefill = start + weights read / (b B) + tokens (2 N + a 2 layers q tokens) / (c F)
 *     decode  = (weights of a token + k cache) / (b B) + layers l + 2 N d / F     seconds a token
 *
 * F and B are the machine's rates (chip_rates.h), N the parameters of the blocks that a token goes
 * through (the output matrix too when decoding). b, c, a, k, l, d and start are constants of an
 * engine, fitted to published measurements: inference.csv has each with the rows it came from, and
 * tests/truth makes them anew. c is a share of the published 32-bit rate; above 1 from M5 on, whose
 * GPU has matrix units that this rate does not count.
 *
 * Pure. Callers pass shapes and numbers that were checked. */
#ifndef COORDINATOR_PLANNER_INFERENCE_H
#define COORDINATOR_PLANNER_INFERENCE_H

#include "coordinator/planner/chip_rates.h"
#include "coordinator/planner/weight_format.h"

#include <stdbool.h>

struct err;
struct inference_table;
struct model_shape;

/* The constants of both engines, from the embedded inference.csv. */
struct inference_table *inference_table_new(struct err *err);
void inference_table_free(struct inference_table *t); /* NULL is fine */

/* Where it runs. */
struct inference_machine {
    double flops, bandwidth;
    struct chip_name chip; /* generation 0: taken as the newest before M5 */
    double slow;           /* time factor of heat and low-power mode */
};

struct inference_ask {
    const struct model_shape *shape;
    const struct weight_format *format;
    enum inference_engine engine;
    double prompt_tokens;  /* of the prompt whose rate is asked; at least 1 */
    double context_tokens; /* in the cache while generating */
};

struct inference_memory {
    double weights, cache, workspace, total; /* bytes */
};

/* The cache holds the larger of prompt and context. */
void inference_memory(const struct inference_ask *a, struct inference_memory *out);

/* tokens/s */
double inference_prefill(const struct inference_table *t, const struct inference_ask *a,
                         const struct inference_machine *m);
double inference_decode(const struct inference_table *t, const struct inference_ask *a,
                        const struct inference_machine *m);

/* Share by which half of the published rates differ from what is predicted for a chip and a model
 * that the constants were not fitted to; more where the chip's own rates are not published. */
double inference_error(const struct inference_table *t, enum inference_engine engine, bool prefill,
                       enum rate_source source);

#endif
