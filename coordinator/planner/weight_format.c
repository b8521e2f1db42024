/* weight_format.c - the table of llama.cpp's formats, and sums over a shape. */
#include "coordinator/planner/weight_format.h"

#include "common/core/err.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "coordinator/planner/cost.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define Q8_0_BITS 8.5
#define Q6_K_BITS 6.5625

const char *const inference_engine_names[] = {"mlx", "llama.cpp", NULL};

static const struct gguf_format {
    const char *name;
    double block, embedding, output;
    bool k_quant;
} gguf[] = {
    {"f32", 32, 32, 32, false},
    {"bf16", 16, 16, 16, false},
    {"f16", 16, 16, 16, false},
    {"q8_0", Q8_0_BITS, Q8_0_BITS, Q8_0_BITS, false},
    {"q6_k", Q6_K_BITS, Q6_K_BITS, Q6_K_BITS, true},
    {"q5_k_m", 5.654, 5.5, Q6_K_BITS, true},
    {"q5_k_s", 5.5, 5.5, Q6_K_BITS, true},
    {"q5_1", 6, 6, Q6_K_BITS, false},
    {"q5_0", 5.5, 5.5, Q6_K_BITS, false},
    {"q4_k_m", 4.798, 4.5, Q6_K_BITS, true},
    {"q4_k_s", 4.537, 4.5, Q6_K_BITS, true},
    {"q4_1", 5, 5, Q6_K_BITS, false},
    {"q4_0", 4.5, 4.5, Q6_K_BITS, false},
    {"iq4_nl", 4.5, 4.5, Q6_K_BITS, true},
    {"iq4_xs", 4.32, 4.25, Q6_K_BITS, true},
    {"q3_k_l", 4.192, 3.4375, Q6_K_BITS, true},
    {"q3_k_m", 3.866, 3.4375, Q6_K_BITS, true}, /* from 3.91 of Llama 2 7B */
    {"q3_k_s", 3.439, 3.4375, Q6_K_BITS, true},
    {"q2_k", 2.944, 2.625, Q6_K_BITS, true},
    {"mxfp4", 4.25, Q8_0_BITS, Q8_0_BITS, false}, /* of experts; all else is q8_0 */
};

#define GGUF_COUNT (sizeof gguf / sizeof gguf[0])

static int refuse(enum inference_engine engine, const char *name, struct err *err)
{
    char list[120] = "";
    size_t len = 0;

    if (engine == INFERENCE_MLX)
        return err_set(err, ERR_INVALID,
                       "format: \"%.24s\", wanted one of mlx: bf16, f16, f32, mxfp4, mxfp8, nvfp4, "
                       "q8g64, or q and 2, 3, 4, 5, 6, 8 with g32, g64, g128",
                       name);
    for (size_t i = 0; i < GGUF_COUNT && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? " " : "", gguf[i].name);
    return err_set(err, ERR_INVALID, "format: \"%.12s\", wanted %s", name, list);
}

static int find_mlx(const char *name, struct weight_format *out)
{
    for (size_t i = 0; i < model_format_names.count; i++) {
        const struct enum_value *v = &model_format_names.values[i];

        if (!text_equals_ci(v->name, name))
            continue;
        out->model_format = v->value;
        out->block_bits = out->embedding_bits = out->output_bits = cost_bits_per_weight(v->value);
        out->around_bits = v->value == MODEL_FORMAT_MXFP4 ? Q8_0_BITS : out->block_bits;
        snprintf(out->name, sizeof out->name, "%s", v->name);
        return 0;
    }
    return -1;
}

static int find_gguf(const char *name, struct weight_format *out)
{
    for (size_t i = 0; i < GGUF_COUNT; i++) {
        const struct gguf_format *g = &gguf[i];

        if (!text_equals_ci(g->name, name))
            continue;
        out->block_bits = g->block;
        out->embedding_bits = g->embedding;
        out->output_bits = g->output;
        out->around_bits = strcmp(g->name, "mxfp4") == 0 ? Q8_0_BITS : g->block;
        out->k_quant = g->k_quant;
        snprintf(out->name, sizeof out->name, "%s", g->name);
        return 0;
    }
    return -1;
}

int weight_format_find(enum inference_engine engine, const char *name, struct weight_format *out,
                       struct err *err)
{
    struct weight_format f = {.model_format = MODEL_FORMAT_UNSET};

    if ((engine == INFERENCE_MLX ? find_mlx(name, &f) : find_gguf(name, &f)) < 0)
        return refuse(engine, name, err);
    *out = f;
    return 0;
}

bool weight_format_is_quantised(const struct weight_format *f)
{
    return f->block_bits < 16;
}

/* Parameters by where they are. */
struct parts {
    double experts; /* of all blocks */
    double around;  /* of the blocks, without experts */
    double embedding, output;
    double share; /* of the experts that one token goes through */
};

static struct parts parts_of(const struct model_shape *s)
{
    double matrix = (double)s->vocab_size * (double)s->hidden_size;
    bool tied = s->tied_embeddings == TRI_TRUE;
    struct parts p = {.embedding = tied ? 0 : matrix, .output = matrix, .share = 1};

    if (known_i64(s->experts) && known_i64(s->expert_size)) {
        p.experts = (double)s->layers * (double)s->experts * 3 * (double)s->hidden_size *
                    (double)s->expert_size;
        p.share = (double)s->experts_per_token / (double)s->experts;
    }
    p.around = fmax((double)s->parameters - p.experts - p.embedding - p.output, 0);
    return p;
}

/* A dense model's blocks are all of block_bits; around_bits is for what lies beside experts. */
static double sum(const struct weight_format *f, const struct parts *p, double share,
                  bool embedding)
{
    double around = p->experts > 0 ? f->around_bits : f->block_bits;
    double output = p->experts > 0 ? fmax(f->output_bits, f->around_bits) : f->output_bits;
    double bits = p->experts * share * f->block_bits + p->around * around + p->output * output;

    if (embedding)
        bits += p->embedding *
                (p->experts > 0 ? fmax(f->embedding_bits, f->around_bits) : f->embedding_bits);
    return bits / 8;
}

double weight_format_bytes(const struct weight_format *f, const struct model_shape *shape)
{
    struct parts p = parts_of(shape);

    return sum(f, &p, 1, true);
}

double weight_format_token_bytes(const struct weight_format *f, const struct model_shape *shape)
{
    struct parts p = parts_of(shape);

    return sum(f, &p, p.share, false);
}

double weight_format_batch_bytes(const struct weight_format *f, const struct model_shape *shape,
                                 double tokens)
{
    struct parts p = parts_of(shape);

    return sum(f, &p, 1 - pow(1 - p.share, fmax(tokens, 1)), false);
}
