/* estimate.c - memory, limit and rates of one model on one machine, each with its reason. */
#include "coordinator/planner/estimate.h"

#include "common/core/num.h"
#include "common/model/device.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/machine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* By how much the few published LoRA rates differ from what cost.c predicts (tests/truth), and what
 * is added where a chip's rate is not published, or its matrix units are not counted (from M5 on).
 */
#define TRAIN_ERROR 0.15
#define TRAIN_ERROR_M5 0.5
#define TRAIN_ERROR_DERIVED 0.25
#define TRAIN_ERROR_ASSUMED 0.5
#define MEASURED_ERROR 0.1 /* machines of one kind among each other */

const char *const estimate_source_names[] = {NULL, "measured", "table", "derived"};

static bool fact_measured(const struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (p->facts[i].field && strcmp(p->facts[i].field, field) == 0)
            return p->facts[i].source == FACT_SOURCE_MEASURED;
    return false;
}

static enum estimate_source source_of(const struct profile *p, enum rate_source s,
                                      const char *field)
{
    if (s == RATE_REPORTED)
        return fact_measured(p, field) ? ESTIMATE_MEASURED : ESTIMATE_TABLE;
    return s == RATE_TABLE ? ESTIMATE_TABLE : ESTIMATE_DERIVED;
}

static struct estimate_rate unsaid(const char *why)
{
    struct estimate_rate r = {.value = UNKNOWN_F64, .expected_error = UNKNOWN_F64};

    snprintf(r.why, sizeof r.why, "%s", why);
    return r;
}

/* Why nothing can be said of speed; NULL where something can. */
static const char *no_rates(const struct profile *p)
{
    if (!p->chip && !known_f64(p->gpu_flops))
        return "the chip is unknown: nothing tells how fast it is";
    return NULL;
}

static void predict_training(const struct estimate_ask *a, const struct machine *m,
                             struct estimate *out)
{
    struct cost_setup s = a->setup;

    out->training_bytes = UNKNOWN_F64;
    if (a->engine == INFERENCE_LLAMA_CPP)
        snprintf(out->no_training, sizeof out->no_training,
                 "llama.cpp is planned for answering only: fine-tuning is MLX's");
    else if (known_i64(a->shape->experts))
        snprintf(out->no_training, sizeof out->no_training,
                 "a model with experts: what they cost in training was never measured");
    else if (s.method == FINE_TUNE_METHOD_FULL && weight_format_is_quantised(&a->format))
        snprintf(out->no_training, sizeof out->no_training,
                 "method full trains the weights themselves, and those of %s are quantised",
                 a->format.name);
    if (out->no_training[0])
        return;
    s.format = a->format.model_format;
    cost_memory(a->shape, &s, m->backend, a->activation_factor, &out->training);
    out->training_bytes = out->training.peak;
}

static void predict_limit(const struct machine *m, struct estimate *out)
{
    out->limit_bytes = m->limit_bytes;
    out->limit_assumed = m->limit_assumed;
    snprintf(out->limit_why, sizeof out->limit_why, "%s", m->limit_text);
}

static void predict_fit(const struct estimate_ask *a, struct estimate *out)
{
    char need[NUM_BYTES_TEXT_MAX], may[NUM_BYTES_TEXT_MAX];

    out->memory_bytes = a->training ? out->training_bytes : out->inference.total;
    if (!known_f64(out->memory_bytes)) {
        out->fits = TRI_UNKNOWN;
        snprintf(out->fits_why, sizeof out->fits_why, "%s", out->no_training);
        return;
    }
    if (!known_i64(out->limit_bytes)) {
        out->fits = TRI_UNKNOWN;
        snprintf(out->fits_why, sizeof out->fits_why, "needs %s; its limit is %s",
                 num_format_bytes((int64_t)out->memory_bytes, need), out->limit_why);
        return;
    }
    out->fits = out->memory_bytes <= (double)out->limit_bytes ? TRI_TRUE : TRI_FALSE;
    snprintf(out->fits_why, sizeof out->fits_why, "needs %s of %s: %.150s",
             num_format_bytes((int64_t)out->memory_bytes, need),
             num_format_bytes(out->limit_bytes, may), out->limit_why);
}

static double train_error(const struct estimate_ask *a, const struct machine *m,
                          const struct profile *p)
{
    if (a->calibrated)
        return MEASURED_ERROR;
    if (m->rates.flops_source == RATE_ASSUMED)
        return TRAIN_ERROR_ASSUMED;
    if (chip_name_read(p->chip).generation >= 5)
        return TRAIN_ERROR_M5;
    return m->rates.flops_source == RATE_DERIVED ? TRAIN_ERROR_DERIVED : TRAIN_ERROR;
}

static void predict_steps(const struct estimate_ask *a, const struct profile *p,
                          const struct machine *m, struct estimate *out)
{
    struct cost_setup s = a->setup;
    struct estimate_rate r = {.source = source_of(p, m->rates.flops_source, "gpu_flops"),
                              .expected_error = train_error(a, m, p)};
    struct cost_time time;

    s.format = a->format.model_format;
    cost_step(a->shape, &s, m->rates.flops, m->rates.bandwidth, m->slow * a->step_factor, &time);
    snprintf(r.why, sizeof r.why, "%.140s; %.3g GFLOP a token at %.0f %% of that%s%s",
             m->rates.text, time.flop_per_token / 1e9, 100 * time.efficiency,
             a->calibrated ? ", corrected by what was measured" : "",
             time.bandwidth_bound ? "; bound by reading the weights" : "");
    if (a->calibrated)
        r.source = ESTIMATE_MEASURED;
    out->train = out->step_seconds = r;
    out->step_seconds.value = time.step_seconds;
    out->train.value = time.tokens_per_second;
}

static void predict_answers(const struct estimate_ask *a, const struct profile *p,
                            const struct machine *m, const struct inference_table *t,
                            struct estimate *out)
{
    struct inference_ask ask = {.shape = a->shape,
                                .format = &a->format,
                                .engine = a->engine,
                                .prompt_tokens = a->prompt_tokens,
                                .context_tokens = a->context_tokens};
    struct inference_machine on = {.flops = m->rates.flops,
                                   .bandwidth = m->rates.bandwidth,
                                   .chip = chip_name_read(p->chip),
                                   .slow = m->slow};
    struct estimate_rate *r = &out->prefill;

    r->value = inference_prefill(t, &ask, &on);
    r->source = source_of(p, m->rates.flops_source, "gpu_flops");
    r->expected_error = inference_error(t, a->engine, true, m->rates.flops_source);
    snprintf(r->why, sizeof r->why, "a prompt of %.0f tokens; %.160s", a->prompt_tokens,
             m->rates.text);
    r = &out->decode;
    r->value = inference_decode(t, &ask, &on);
    r->source = source_of(p, m->rates.bandwidth_source, "memory_bandwidth_bytes_per_s");
    r->expected_error = inference_error(t, a->engine, false, m->rates.bandwidth_source);
    snprintf(r->why, sizeof r->why, "with %.0f tokens in the cache; %.160s", a->context_tokens,
             m->rates.text);
}

void estimate_make(const struct estimate_ask *a, const struct device_class *c,
                   const struct machine *m, const struct inference_table *t, struct estimate *out)
{
    struct inference_ask ask = {.shape = a->shape,
                                .format = &a->format,
                                .engine = a->engine,
                                .prompt_tokens = a->prompt_tokens,
                                .context_tokens = a->context_tokens};
    const char *why = no_rates(c->profile);

    memset(out, 0, sizeof *out);
    inference_memory(&ask, &out->inference);
    predict_training(a, m, out);
    predict_limit(m, out);
    predict_fit(a, out);
    if (why || m->backend == COST_CPU)
        out->prefill = out->decode = unsaid(
            why ? why : "no Metal device: rates of answering are known for Apple's GPUs only");
    else
        predict_answers(a, c->profile, m, t, out);
    if (why || out->no_training[0])
        out->train = out->step_seconds = unsaid(out->no_training[0] ? out->no_training : why);
    else
        predict_steps(a, c->profile, m, out);
}
