/* show_predict.c - a prediction as a page and as JSON. */
#include "coordinator/cli/predict.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/model/device.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/page.h"
#include "coordinator/planner/estimate.h"

#include <math.h>
#include <stdio.h>

/* ---- for people ---- */

/* unit NULL: seconds */
static void show_rate(struct page *p, const char *label, const struct estimate_rate *r,
                      const char *unit)
{
    char value[FORMAT_MAX], error[FORMAT_MAX];

    if (!known_f64(r->value)) {
        page_pair(p, label, "cannot be said: %s", r->why);
        return;
    }
    page_pair(p, label, "%s%s, give or take %s (%s: %s)",
              unit ? format_amount(r->value, value) : format_seconds(r->value, value),
              unit ? unit : "", format_share(r->expected_error, error),
              estimate_source_names[r->source], r->why);
}

static void show_machine(struct page *p, const struct profile *m)
{
    char cores[FORMAT_MAX], memory[FORMAT_MAX];

    page_pair(p, "machine", "%s, %s GPU cores, %s%s%s", m->chip ? format_chip(m->chip) : "?",
              known_i64(m->gpu_cores) ? format_integer(m->gpu_cores, cores) : "?",
              format_memory(m->memory_bytes, memory), m->name ? ", " : "", m->name ? m->name : "");
}

static void show_memory(struct page *p, const struct estimate_ask *a, const struct estimate *q)
{
    char all[FORMAT_MAX], one[FORMAT_MAX], two[FORMAT_MAX], three[FORMAT_MAX];

    page_pair(p, "answering", "%s: weights %s, cache %s, workspace %s",
              format_bytes((int64_t)q->inference.total, all),
              format_bytes((int64_t)q->inference.weights, one),
              format_bytes((int64_t)q->inference.cache, two),
              format_bytes((int64_t)q->inference.workspace, three));
    if (known_f64(q->training_bytes))
        page_pair(p, "training", "%s: weights %s, adapters and optimizer %s, activations %s",
                  format_bytes((int64_t)q->training_bytes, all),
                  format_bytes((int64_t)q->training.weights, one),
                  format_bytes((int64_t)q->training.training, two),
                  format_bytes((int64_t)q->training.activations, three));
    else
        page_pair(p, "training", "cannot be said: %s", q->no_training);
    (void)a;
}

static void show_setup(struct page *p, const struct estimate_ask *a)
{
    const struct cost_setup *s = &a->setup;

    page_pair(p, "trained as", "%s, %s, rank %lld, %lld layers, batch %lld of %lld tokens%s",
              enum_name(&fine_tune_method_names, s->method),
              enum_name(&lora_targets_names, s->targets), (long long)s->rank, (long long)s->layers,
              (long long)s->batch_size, (long long)s->sequence_length,
              s->grad_checkpoint ? ", checkpointed" : "");
}

void show_predict(struct page *p, const struct estimate_ask *a, const struct profile *m,
                  const struct estimate *q)
{
    char amount[FORMAT_MAX];

    page_line(p, STYLE_STRONG, "%s of %s parameters as %s on %s", a->shape->model_type,
              format_amount((double)a->shape->parameters, amount), a->format.name,
              inference_engine_names[a->engine]);
    show_machine(p, m);
    page_blank(p);
    page_line(p,
              q->fits == TRI_TRUE    ? STYLE_GOOD
              : q->fits == TRI_FALSE ? STYLE_BAD
                                     : STYLE_WARN,
              "%s, %s", a->training ? "training" : "answering",
              q->fits == TRI_TRUE    ? "it fits"
              : q->fits == TRI_FALSE ? "it does not fit"
                                     : "whether it fits cannot be said");
    page_wrap(p, 2, STYLE_PLAIN, "%s%s", q->fits_why,
              q->limit_assumed ? " (part of the limit is assumed)" : "");
    page_blank(p);
    page_line(p, STYLE_STRONG, "memory");
    show_memory(p, a, q);
    page_blank(p);
    page_line(p, STYLE_STRONG, "speed");
    show_rate(p, "prompt", &q->prefill, " tokens/s");
    show_rate(p, "generation", &q->decode, " tokens/s");
    if (!q->no_training[0]) {
        show_setup(p, a);
        show_rate(p, "step", &q->step_seconds, NULL);
        show_rate(p, "training", &q->train, " tokens/s");
    }
}

/* ---- as JSON ---- */

static int set_number(struct json *o, const char *name, double v)
{
    struct json *null;

    if (known_f64(v))
        return json_set_f64(o, name, v);
    return (null = json_new_null()) ? json_set(o, name, &null) : -1;
}

static int set_bytes(struct json *o, const char *name, double v)
{
    return known_f64(v) ? json_set_i64(o, name, (int64_t)ceil(v)) : set_number(o, name, v);
}

static int set_word(struct json *o, const char *name, const char *word)
{
    struct json *null;

    if (word)
        return json_set_text(o, name, word);
    return (null = json_new_null()) ? json_set(o, name, &null) : -1;
}

static int set_rate(struct json *o, struct json *details, const char *name,
                    const struct estimate_rate *r)
{
    struct json *d = json_set_object(details, name);

    return !d || set_number(o, name, r->value) < 0 ||
                   set_word(d, "source", estimate_source_names[r->source]) < 0 ||
                   set_number(d, "expected_error", r->expected_error) < 0 ||
                   json_set_text(d, "why", r->why) < 0
               ? -1
               : 0;
}

static int set_fit(struct json *o, const struct estimate_ask *a, const struct estimate *q)
{
    double limit = known_i64(q->limit_bytes) ? (double)q->limit_bytes : UNKNOWN_F64;
    struct json *null = NULL;
    int rc;

    if (q->fits == TRI_UNKNOWN)
        rc = (null = json_new_null()) ? json_set(o, "fits", &null) : -1;
    else
        rc = json_set_bool(o, "fits", q->fits == TRI_TRUE);
    return rc < 0 || set_bytes(o, "memory_bytes", q->memory_bytes) < 0 ||
                   json_set_text(o, "memory_of", a->training ? "training" : "answering") < 0 ||
                   set_bytes(o, "memory_limit_bytes", limit) < 0 ||
                   json_set_bool(o, "memory_limit_assumed", q->limit_assumed) < 0 ||
                   json_set_text(o, "memory_limit_why", q->limit_why) < 0 ||
                   set_word(o, "binding_constraint",
                            q->fits == TRI_UNKNOWN ? NULL
                            : q->fits == TRI_TRUE  ? "none"
                                                   : "memory") < 0 ||
                   json_set_text(o, "fits_why", q->fits_why) < 0 ||
                   set_bytes(o, "answering_memory_bytes", q->inference.total) < 0 ||
                   set_bytes(o, "weights_bytes", q->inference.weights) < 0 ||
                   set_bytes(o, "cache_bytes", q->inference.cache) < 0 ||
                   set_bytes(o, "training_memory_bytes", q->training_bytes) < 0
               ? -1
               : 0;
}

static int set_machine(struct json *o, const struct profile *m)
{
    struct json *d = json_set_object(o, "machine");

    return !d || set_word(d, "chip", m->chip) < 0 ||
                   set_bytes(d, "gpu_cores",
                             known_i64(m->gpu_cores) ? (double)m->gpu_cores : UNKNOWN_F64) < 0 ||
                   set_bytes(d, "memory_bytes",
                             known_i64(m->memory_bytes) ? (double)m->memory_bytes : UNKNOWN_F64) < 0
               ? -1
               : 0;
}

static int set_model(struct json *o, const struct estimate_ask *a)
{
    return json_set_text(o, "model_type", a->shape->model_type) < 0 ||
                   json_set_i64(o, "parameters", a->shape->parameters) < 0 ||
                   json_set_text(o, "format", a->format.name) < 0 ||
                   json_set_text(o, "engine", inference_engine_names[a->engine]) < 0 ||
                   json_set_i64(o, "prompt_tokens", (int64_t)a->prompt_tokens) < 0 ||
                   json_set_i64(o, "context_tokens", (int64_t)a->context_tokens) < 0
               ? -1
               : 0;
}

struct json *predict_json(const struct estimate_ask *a, const struct profile *m,
                          const struct estimate *q)
{
    struct json *o = json_object();
    struct json *details = json_object();

    if (!o || !details || set_model(o, a) < 0 || set_machine(o, m) < 0 || set_fit(o, a, q) < 0 ||
        set_rate(o, details, "step_seconds", &q->step_seconds) < 0 ||
        set_rate(o, details, "train_tokens_per_s", &q->train) < 0 ||
        set_rate(o, details, "prefill_tokens_per_s", &q->prefill) < 0 ||
        set_rate(o, details, "decode_tokens_per_s", &q->decode) < 0 ||
        json_set(o, "rates", &details) < 0) {
        json_free(details);
        json_free(o);
        return NULL;
    }
    return o;
}
