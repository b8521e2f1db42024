/* model_shape.c - see model_shape.h.
 *
 * All families here are the same decoder: embedding, blocks of attention and gated MLP, a last
 * norm, an output matrix that may be the embedding again. They differ in where they put biases and
 * norms, and in what a config may leave out; that is the table of families. Its defaults are those
 * of the published config classes. Sums: with q = H * d, kv = KV * d, block = h(q + 2kv) + qh + 3hf
 * + biases + norms,   all = V h (x 2 unless tied) + L block + h. Where a block has E experts of
 * width e, of which a token goes through a few, 3hf is E 3he + the router's hE. */
#include "common/document/model_shape.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NO_DEFAULT 0  /* the key must be there */
#define AS_HEADS (-1) /* kv_heads: as many as query heads; head_dim: hidden_size / heads */
#define EXPERTS_MAX 4096

enum attention_bias {
    BIAS_NEVER,
    BIAS_QKV,
    BIAS_SAID,
    BIAS_ALL
}; /* SAID: attention_bias, on q, k, v and o; ALL: always there */

/* What the MLP of a block is. */
enum experts_kind {
    DENSE,
    EXPERTS_LOCAL,  /* num_local_experts of intermediate_size */
    EXPERTS_SIZED,  /* num_experts of moe_intermediate_size */
    EXPERTS_SHARED, /* the same, and one of shared_expert_intermediate_size with a gate for all */
    EXPERTS_BIASED, /* as LOCAL; biases on router and experts, and a sink per query head */
};

struct family {
    const char *model_type;
    int64_t kv_heads, head_dim, attention_heads, vocab_size; /* where the config does not say */
    enum attention_bias bias;
    int norms;     /* of width h in a block */
    bool tied;     /* where the config does not say tie_word_embeddings */
    bool mlp_bias; /* the key mlp_bias is obeyed */
    bool qk_norm;  /* two more norms, of width d, on queries and keys */
    enum experts_kind experts;
};

static const struct family families[] = {
    {"llama", AS_HEADS, AS_HEADS, 0, 0, BIAS_SAID, 2, false, true, false, DENSE},
    {"mistral", 8, AS_HEADS, 0, 0, BIAS_NEVER, 2, false, false, false, DENSE},
    {"qwen2", AS_HEADS, AS_HEADS, 0, 0, BIAS_QKV, 2, false, false, false, DENSE},
    {"qwen3", AS_HEADS, 128, 0, 0, BIAS_SAID, 2, false, false, true, DENSE},
    {"gemma", AS_HEADS, 256, 0, 0, BIAS_SAID, 2, true, false, false, DENSE},
    {"gemma2", 4, 256, 0, 0, BIAS_SAID, 4, true, false, false, DENSE},
    /* the text_config of the larger ones leaves out what these four say */
    {"gemma3_text", 4, 256, 8, 262208, BIAS_SAID, 4, true, false, true, DENSE},
    {"phi3", AS_HEADS, AS_HEADS, 0, 0, BIAS_NEVER, 2, false, false, false, DENSE},
    {"smollm3", 4, AS_HEADS, 0, 0, BIAS_SAID, 2, true, true, false, DENSE},
    {"granite", AS_HEADS, AS_HEADS, 0, 0, BIAS_SAID, 2, false, true, false, DENSE},
    {"cohere", AS_HEADS, AS_HEADS, 0, 0, BIAS_SAID, 1, true, false, false, DENSE},
    {"cohere2", AS_HEADS, AS_HEADS, 0, 0, BIAS_SAID, 1, true, false, false, DENSE},
    {"mixtral", 8, AS_HEADS, 0, 0, BIAS_NEVER, 2, false, false, false, EXPERTS_LOCAL},
    {"qwen2_moe", AS_HEADS, AS_HEADS, 0, 0, BIAS_QKV, 2, false, false, false, EXPERTS_SHARED},
    {"qwen3_moe", 4, AS_HEADS, 0, 0, BIAS_SAID, 2, false, false, true, EXPERTS_SIZED},
    {"gpt_oss", 8, 64, 0, 0, BIAS_ALL, 2, false, false, false, EXPERTS_BIASED},
};

#define FAMILIES (sizeof families / sizeof families[0])

/* A key's value; NULL where it is absent or null, which the config classes do not tell apart. */
static const struct json *said(const struct json *config, const char *key)
{
    const struct json *v = json_member(config, key);

    return json_type_of(v) == JSON_NULL ? NULL : v;
}

static int refuse_family(const struct json *v, struct err *err)
{
    char shown[DOCUMENT_VALUE_MAX];
    struct buf list;
    char *words;

    buf_init(&list, 256);
    for (size_t i = 0; i < FAMILIES; i++)
        buf_addf(&list, "%s%s", i ? ", " : "", families[i].model_type);
    words = buf_take(&list, NULL, NULL);
    err_set(err, v ? ERR_UNSUPPORTED : ERR_INVALID, "model_type: %s, wanted one of %s",
            v ? document_shown(v, shown) : "missing", words ? words : "the known families");
    mem_free(words);
    return -1;
}

static const struct family *family_of(const struct json *config, struct err *err)
{
    const struct json *v = said(config, "model_type");
    const char *type = json_text(v);

    for (size_t i = 0; type && i < FAMILIES; i++)
        if (strcmp(families[i].model_type, type) == 0)
            return &families[i];
    refuse_family(v, err);
    return NULL;
}

/* An integer into the row `name` of the shape, from the key, else from standard (NO_DEFAULT:
 * refused). */
static int read_count(const struct json *config, const char *key, const char *name,
                      int64_t standard, struct model_shape *shape, struct err *err)
{
    const struct field *f = record_field(&model_shape_type, name);
    const struct json *v = said(config, key);
    char wanted[DOCUMENT_WANTED_MAX];

    if (v && !json_is_integer(v))
        return document_refuse(v, f, key, err);
    if (!v && standard == NO_DEFAULT)
        return err_set(err, ERR_INVALID, "%s: missing, wanted %s", key, document_wanted(f, wanted));
    *(int64_t *)field_at(f, shape) = v ? json_integer(v) : standard;
    return field_check(f, shape, key, err);
}

static int read_bool(const struct json *config, const char *key, bool standard, bool *out,
                     struct err *err)
{
    const struct json *v = said(config, key);
    char shown[DOCUMENT_VALUE_MAX];

    if (v && json_type_of(v) != JSON_BOOL)
        return err_set(err, ERR_INVALID, "%s: %s, wanted true or false", key,
                       document_shown(v, shown));
    *out = v ? json_bool_value(v) : standard;
    return 0;
}

static int read_heads(const struct json *config, const struct family *family, struct model_shape *s,
                      struct err *err)
{
    bool even = true;
    int64_t kv, dim;

    if (read_count(config, "num_attention_heads", "attention_heads", family->attention_heads, s,
                   err) < 0)
        return -1;
    kv = family->kv_heads == AS_HEADS ? s->attention_heads : family->kv_heads;
    if (read_count(config, "num_key_value_heads", "kv_heads", kv, s, err) < 0)
        return -1;
    if (s->attention_heads % s->kv_heads != 0)
        return err_set(err, ERR_INVALID,
                       "num_key_value_heads: %" PRId64 ", wanted a divisor of the %" PRId64
                       " attention heads",
                       s->kv_heads, s->attention_heads);
    dim = family->head_dim;
    if (dim == AS_HEADS) {
        even = s->hidden_size % s->attention_heads == 0;
        dim = s->hidden_size / s->attention_heads;
    }
    if (!even && !said(config, "head_dim"))
        return err_set(err, ERR_INVALID,
                       "head_dim: missing, and hidden_size %" PRId64
                       " is no multiple of the %" PRId64 " attention heads",
                       s->hidden_size, s->attention_heads);
    return read_count(config, "head_dim", "head_dim", dim > 0 ? dim : NO_DEFAULT, s, err);
}

struct biases {
    bool qkv, o, mlp;
};

static int read_biases(const struct json *config, const struct family *family, struct biases *out,
                       struct err *err)
{
    bool attention = false, mlp = false;

    if (family->bias == BIAS_SAID &&
        read_bool(config, "attention_bias", false, &attention, err) < 0)
        return -1;
    if (family->mlp_bias && read_bool(config, "mlp_bias", false, &mlp, err) < 0)
        return -1;
    attention = attention || family->bias == BIAS_ALL;
    out->qkv = attention || family->bias == BIAS_QKV;
    out->o = attention;
    out->mlp = mlp;
    return 0;
}

static int read_moe_count(const struct json *config, const char *key, int64_t least, int64_t most,
                          int64_t *out, struct err *err)
{
    const struct json *v = said(config, key);
    char shown[DOCUMENT_VALUE_MAX];

    if (!v || !json_is_integer(v) || json_integer(v) < least || json_integer(v) > most)
        return err_set(err, ERR_INVALID, "%s: %s, wanted an integer from %" PRId64 " to %" PRId64,
                       key, v ? document_shown(v, shown) : "missing", least, most);
    *out = json_integer(v);
    return 0;
}

/* Blocks without experts among those with them are not read: their sum would be a guess. */
static int refuse_mixed_blocks(const struct json *config, struct err *err)
{
    const struct json *step = said(config, "decoder_sparse_step");
    const struct json *only = said(config, "mlp_only_layers");
    char shown[DOCUMENT_VALUE_MAX];

    if (step && (!json_is_integer(step) || json_integer(step) != 1))
        return err_set(err, ERR_UNSUPPORTED,
                       "decoder_sparse_step: %s, wanted 1: every block with experts",
                       document_shown(step, shown));
    if (only && (json_type_of(only) != JSON_ARRAY || json_count(only) > 0))
        return err_set(err, ERR_UNSUPPORTED,
                       "mlp_only_layers: %s, wanted none: every block with experts",
                       document_shown(only, shown));
    return 0;
}

/* What a block's MLP holds beside its experts, and one expert. */
struct experts {
    unsigned __int128 each, around;
};

static int read_experts(const struct json *config, const struct family *family,
                        struct model_shape *s, struct experts *out, struct err *err)
{
    const bool local = family->experts == EXPERTS_LOCAL || family->experts == EXPERTS_BIASED;
    unsigned __int128 h = (uint64_t)s->hidden_size;
    int64_t shared = 0;

    if (refuse_mixed_blocks(config, err) < 0 ||
        read_moe_count(config, local ? "num_local_experts" : "num_experts", 2, EXPERTS_MAX,
                       &s->experts, err) < 0 ||
        read_moe_count(config, "num_experts_per_tok", 1, s->experts, &s->experts_per_token, err) <
            0)
        return -1;
    s->expert_size = s->intermediate_size;
    if (!local &&
        read_moe_count(config, "moe_intermediate_size", 1, 1 << 22, &s->expert_size, err) < 0)
        return -1;
    if (family->experts == EXPERTS_SHARED &&
        read_moe_count(config, "shared_expert_intermediate_size", 1, 1 << 22, &shared, err) < 0)
        return -1;
    out->each = 3 * h * (uint64_t)s->expert_size;
    out->around = h * (uint64_t)s->experts + 3 * h * (uint64_t)shared + (shared > 0 ? h : 0);
    if (family->experts == EXPERTS_BIASED) {
        out->each += 2 * (unsigned __int128)s->expert_size + h;
        out->around += (uint64_t)s->experts + (uint64_t)s->attention_heads;
    }
    return 0;
}

/* All parameters. Wide: the largest shape that the rows allow would pass 64 bits. */
static unsigned __int128 count(const struct model_shape *s, const struct family *family,
                               const struct biases *bias, const struct experts *experts)
{
    unsigned __int128 h = (uint64_t)s->hidden_size, f = (uint64_t)s->intermediate_size;
    unsigned __int128 d = (uint64_t)s->head_dim, q = (uint64_t)s->attention_heads * d;
    unsigned __int128 kv = (uint64_t)s->kv_heads * d;
    unsigned __int128 block = h * (q + 2 * kv) + q * h + (unsigned)family->norms * h;

    block += family->experts == DENSE ? 3 * h * f
                                      : experts->around + experts->each * (uint64_t)s->experts;
    block += (family->qk_norm ? 2 * d : 0) + (bias->qkv ? q + 2 * kv : 0);
    block += (bias->o ? h : 0) + (bias->mlp ? 2 * f + h : 0);
    return (uint64_t)s->vocab_size * h * (s->tied_embeddings == TRI_TRUE ? 1 : 2) +
           (uint64_t)s->layers * block + h;
}

static int read_shape(const struct json *config, bool tied_outside, bool has_outside,
                      struct model_shape *s, struct err *err)
{
    const struct family *family = family_of(config, err);
    const struct field *parameters = record_field(&model_shape_type, "parameters");
    struct experts experts = {0, 0};
    unsigned __int128 all;
    struct biases bias;
    bool tied;

    if (!family || text_set(&s->model_type, family->model_type, err) < 0 ||
        read_count(config, "num_hidden_layers", "layers", NO_DEFAULT, s, err) < 0 ||
        read_count(config, "hidden_size", "hidden_size", NO_DEFAULT, s, err) < 0 ||
        read_count(config, "intermediate_size", "intermediate_size", NO_DEFAULT, s, err) < 0 ||
        read_count(config, "vocab_size", "vocab_size", family->vocab_size, s, err) < 0 ||
        read_heads(config, family, s, err) < 0 || read_biases(config, family, &bias, err) < 0 ||
        read_bool(config, "tie_word_embeddings", has_outside ? tied_outside : family->tied, &tied,
                  err) < 0)
        return -1;
    s->tied_embeddings = tied ? TRI_TRUE : TRI_FALSE;
    if (family->experts != DENSE && read_experts(config, family, s, &experts, err) < 0)
        return -1;
    all = count(s, family, &bias, &experts);
    if (all > (unsigned __int128)parameters->max)
        return err_set(
            err, ERR_INVALID,
            "hidden_size, intermediate_size, vocab_size: %g parameters, wanted at most %g",
            (double)all, parameters->max);
    s->parameters = (int64_t)all;
    if (family->experts != DENSE)
        s->active_parameters =
            s->parameters - s->layers * (s->experts - s->experts_per_token) * (int64_t)experts.each;
    return record_check(&model_shape_type, s, err);
}

/* Where a model has several parts, its language part is text_config, and what that does not say of
 * tying the outer object may. */
static int read_config(const struct json *v, struct model_shape *shape, struct err *err)
{
    const struct json *inner = said(v, "text_config");
    char shown[DOCUMENT_VALUE_MAX];
    bool tied = false;

    if (json_type_of(v) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "config: %s, wanted an object", document_shown(v, shown));
    if (!inner)
        return read_shape(v, false, false, shape, err);
    if (json_type_of(inner) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "text_config: %s, wanted an object",
                       document_shown(inner, shown));
    if (read_bool(v, "tie_word_embeddings", false, &tied, err) < 0)
        return -1;
    if (read_shape(inner, tied, said(v, "tie_word_embeddings") != NULL, shape, err) < 0)
        return err_prefix(err, "text_config");
    return 0;
}

int model_shape_read(const char *config_json, size_t len, struct model_shape **out, struct err *err)
{
    struct json *v = json_parse(config_json, len, err);
    struct model_shape *shape = v ? model_shape_new(err) : NULL;
    int rc = shape ? read_config(v, shape, err) : -1;

    json_free(v);
    if (rc < 0) {
        model_shape_free(shape);
        return -1;
    }
    *out = shape;
    return 0;
}
