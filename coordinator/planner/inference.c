/* inference.c - the constants of the engines, and three formulas. */
#include "coordinator/planner/inference.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

extern const struct embedded_file planner_files[];
extern const size_t planner_files_count;

#define ENGINES 2
#define NEWEST_BEFORE_M5 4

/* MLX and llama.cpp take prompts in parts of this many tokens. What they need beside weights and
 * cache was 0.6 to 0.75 GB for a whole part (Qwen3-4B and 8B, Mistral-7B, gpt-oss with mlx-lm),
 * 0.04 GB and more for a few tokens. */
#define PART_TOKENS 2048
#define PART_BYTES 0.7e9
#define RUNTIME_BYTES 0.05e9
#define CACHE_BYTES 2 /* of one value: 16-bit keys and values */

/* Expected error where a rate of the chip was not published: times this. */
#define DERIVED_FACTOR 1.5
#define ASSUMED_FACTOR 3

struct constants {
    double prefill_m1, prefill_m3, prefill_m5; /* share of F, by the first generation it is for */
    double prefill_quantised, prefill_k_quant, prefill_experts, prefill_ultra;
    double prefill_attention, prefill_start;
    double bandwidth, bandwidth_ultra;
    double layer_seconds, layer_experts;
    double dequantise, dequantise_k, dequantise_until; /* until: last generation that it slows */
    double cache_factor;
    double prefill_error, decode_error;
};

struct inference_table {
    struct constants of[ENGINES];
};

#define ROW(member)                                 \
    {                                               \
#member, offsetof(struct constants, member) \
    }
static const struct {
    const char *name;
    size_t offset;
} members[] = {
    ROW(prefill_m1),      ROW(prefill_m3),      ROW(prefill_m5),      ROW(prefill_quantised),
    ROW(prefill_k_quant), ROW(prefill_experts), ROW(prefill_ultra),   ROW(prefill_attention),
    ROW(prefill_start),   ROW(bandwidth),       ROW(bandwidth_ultra), ROW(layer_seconds),
    ROW(layer_experts),   ROW(dequantise),      ROW(dequantise_k),    ROW(dequantise_until),
    ROW(cache_factor),    ROW(prefill_error),   ROW(decode_error),
};
#define MEMBERS (sizeof members / sizeof members[0])

/* The next of a line's cells; *len 0 at its end. */
static const char *cell(const char **p, const char *end, size_t *len)
{
    const char *from = *p, *comma = memchr(from, ',', (size_t)(end - from));

    *len = (size_t)((comma ? comma : end) - from);
    *p = comma ? comma + 1 : end;
    return from;
}

/* engine,constant,value,unit,fitted_on; a line of ours, so what is wrong with it is a bug. */
static bool line_read(struct inference_table *t, const char *p, const char *end)
{
    size_t engine_len, name_len, value_len;
    const char *engine = cell(&p, end, &engine_len), *name = cell(&p, end, &name_len);
    const char *value = cell(&p, end, &value_len);
    double v;

    if (num_parse_f64(value, value_len, 0, 1e6, &v, "inference.csv", NULL) < 0)
        return false;
    for (size_t e = 0; e < ENGINES; e++) {
        if (strlen(inference_engine_names[e]) != engine_len ||
            memcmp(inference_engine_names[e], engine, engine_len) != 0)
            continue;
        for (size_t i = 0; i < MEMBERS; i++) {
            if (strlen(members[i].name) != name_len || memcmp(members[i].name, name, name_len) != 0)
                continue;
            *(double *)((char *)&t->of[e] + members[i].offset) = v;
            return true;
        }
    }
    return false;
}

struct inference_table *inference_table_new(struct err *err)
{
    const struct embedded_file *f = embed_find(planner_files, planner_files_count, "inference.csv");
    struct inference_table *t = mem_zalloc(sizeof *t);
    const char *p = f ? (const char *)f->data : "", *end = p + (f ? f->len : 0);
    size_t read = 0;

    if (!t) {
        err_set(err, ERR_NOMEM, "constants of inference");
        return NULL;
    }
    p = memchr(p, '\n', (size_t)(end - p)); /* the heading */
    while (p && ++p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));

        read += line_read(t, p, line_end ? line_end : end);
        p = line_end;
    }
    if (read != ENGINES * MEMBERS) {
        mem_free(t);
        err_set(err, ERR_INTERNAL, "inference.csv: %zu constants, wanted %zu", read,
                ENGINES * MEMBERS);
        return NULL;
    }
    return t;
}

void inference_table_free(struct inference_table *t)
{
    mem_free(t);
}

static double cache_bytes(const struct model_shape *s, double tokens)
{
    return 2 * (double)s->layers * (double)s->kv_heads * (double)s->head_dim * CACHE_BYTES * tokens;
}

void inference_memory(const struct inference_ask *a, struct inference_memory *out)
{
    out->weights = weight_format_bytes(a->format, a->shape);
    out->cache = cache_bytes(a->shape, fmax(a->prompt_tokens, a->context_tokens));
    out->workspace = RUNTIME_BYTES + PART_BYTES * fmin(a->prompt_tokens / PART_TOKENS, 1);
    out->total = out->weights + out->cache + out->workspace;
}

static int generation(const struct inference_machine *m)
{
    return m->chip.generation > 0 ? m->chip.generation : NEWEST_BEFORE_M5;
}

static bool is_ultra(const struct inference_machine *m)
{
    return strcmp(m->chip.tier, "Ultra") == 0;
}

/* Parameters that one token goes through, in the blocks. */
static double block_parameters(const struct model_shape *s)
{
    double matrix = (double)s->vocab_size * (double)s->hidden_size;
    double n = (double)(known_i64(s->active_parameters) ? s->active_parameters : s->parameters);

    return fmax(n - matrix * (s->tied_embeddings == TRI_TRUE ? 1 : 2), 0);
}

static double reading_seconds(const struct constants *c, const struct inference_machine *m,
                              double bytes)
{
    return bytes / ((is_ultra(m) ? c->bandwidth_ultra : c->bandwidth) * m->bandwidth);
}

static double prefill_share(const struct constants *c, const struct inference_ask *a,
                            const struct inference_machine *m)
{
    int g = generation(m);
    double share = g >= 5 ? c->prefill_m5 : g >= 3 ? c->prefill_m3 : c->prefill_m1;

    if (weight_format_is_quantised(a->format))
        share *= a->format->k_quant ? c->prefill_k_quant : c->prefill_quantised;
    if (known_i64(a->shape->experts))
        share *= c->prefill_experts;
    return is_ultra(m) ? share * c->prefill_ultra : share;
}

double inference_prefill(const struct inference_table *t, const struct inference_ask *a,
                         const struct inference_machine *m)
{
    const struct constants *c = &t->of[a->engine];
    const struct model_shape *s = a->shape;
    double n = fmax(a->prompt_tokens, 1), q = (double)s->attention_heads * (double)s->head_dim;
    double attention = c->prefill_attention * 2 * (double)s->layers * q * n;
    double flop = n * (2 * block_parameters(s) + attention);
    double seconds = c->prefill_start + flop / (prefill_share(c, a, m) * m->flops) +
                     reading_seconds(c, m, weight_format_batch_bytes(a->format, s, n));

    return n / (seconds * m->slow);
}

double inference_decode(const struct inference_table *t, const struct inference_ask *a,
                        const struct inference_machine *m)
{
    const struct constants *c = &t->of[a->engine];
    const struct model_shape *s = a->shape;
    double bytes = weight_format_token_bytes(a->format, s) +
                   c->cache_factor * cache_bytes(s, a->context_tokens);
    double seconds =
        reading_seconds(c, m, bytes) +
        c->layer_seconds * (double)s->layers * (known_i64(s->experts) ? c->layer_experts : 1);

    if (weight_format_is_quantised(a->format) && generation(m) <= c->dequantise_until) {
        double n = block_parameters(s) + (double)s->vocab_size * (double)s->hidden_size;

        seconds += 2 * n * c->dequantise * (a->format->k_quant ? c->dequantise_k : 1) / m->flops;
    }
    return 1 / (seconds * m->slow);
}

double inference_error(const struct inference_table *t, enum inference_engine engine, bool prefill,
                       enum rate_source source)
{
    const struct constants *c = &t->of[engine];
    double e = prefill ? c->prefill_error : c->decode_error;

    if (source == RATE_ASSUMED)
        return e * ASSUMED_FACTOR;
    return source == RATE_DERIVED ? e * DERIVED_FACTOR : e;
}
