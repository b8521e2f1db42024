/* cost.c - memory and step time of fine-tuning with MLX.
 *
 * Symbols as in the literature: N parameters, L layers, h hidden size, f MLP width, H query heads,
 * q = H x head size, kv = KV heads x head size, V vocabulary; K layers trained, r rank, B
 * micro-batch, S tokens per sequence. The activation terms are fitted to peaks measured on MLX; the
 * weights and trainable parameters are exact. */
#include "coordinator/planner/cost.h"

#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"

#include <math.h>

#define RUNTIME_BYTES 0.5e9     /* runtime, tokenizer, heaps: an assumption */
#define WEIGHTS_MARGIN 1.02     /* buffers are rounded up */
#define ACTIVATIONS_MARGIN 1.15 /* the formula's own error against measured peaks */

#define TRAIN_EFFICIENCY 0.42      /* M1 Max, Qwen3-8B q4, long micro-steps: 0.40 to 0.43 */
#define HALF_TOKENS_QUANTISED 175  /* tokens a micro-step at which half of it is reached */
#define HALF_TOKENS_PLAIN 25       /* the same for a 16-bit base: an assumption */
#define STEP_OVERHEAD_SECONDS 0.02 /* launch and Python, 5 to 20 ms: the upper end */

/* The shape as doubles, under its short names. */
struct dims {
    double n, l, h, f, heads, q, kv, v;
    double matrices; /* parameters that multiply a token: N without an untied input embedding */
    double body;     /* of those, without the output head */
};

static struct dims dims_of(const struct model_shape *s)
{
    struct dims d = {.n = (double)s->parameters,
                     .l = (double)s->layers,
                     .h = (double)s->hidden_size,
                     .f = (double)s->intermediate_size,
                     .heads = (double)s->attention_heads,
                     .q = (double)s->attention_heads * (double)s->head_dim,
                     .kv = (double)s->kv_heads * (double)s->head_dim,
                     .v = (double)s->vocab_size};

    d.matrices = s->tied_embeddings == TRI_TRUE ? d.n : d.n - d.v * d.h;
    d.body = d.matrices - d.v * d.h;
    if (d.body < 0) /* a shape whose parameters do not cover its own embeddings */
        d.body = 0;
    if (d.matrices < d.body)
        d.matrices = d.body;
    return d;
}

double cost_bits_per_weight(int format)
{
    static const double bits[] = {
        [MODEL_FORMAT_F32] = 32,
        /* affine: b bits, and one 16-bit scale and bias a group: b + 32 / group */
        [MODEL_FORMAT_Q8G32] = 9,
        [MODEL_FORMAT_Q8G64] = 8.5,
        [MODEL_FORMAT_Q8G128] = 8.25,
        [MODEL_FORMAT_Q6G32] = 7,
        [MODEL_FORMAT_Q6G64] = 6.5,
        [MODEL_FORMAT_Q6G128] = 6.25,
        [MODEL_FORMAT_Q5G32] = 6,
        [MODEL_FORMAT_Q5G64] = 5.5,
        [MODEL_FORMAT_Q5G128] = 5.25,
        [MODEL_FORMAT_Q4G32] = 5,
        [MODEL_FORMAT_Q4G64] = 4.5,
        [MODEL_FORMAT_Q4G128] = 4.25,
        [MODEL_FORMAT_Q3G32] = 4,
        [MODEL_FORMAT_Q3G64] = 3.5,
        [MODEL_FORMAT_Q3G128] = 3.25,
        [MODEL_FORMAT_Q2G32] = 3,
        [MODEL_FORMAT_Q2G64] = 2.5,
        [MODEL_FORMAT_Q2G128] = 2.25,
        [MODEL_FORMAT_MXFP8] = 8.25, /* one 8-bit scale a group of 32, no bias */
        [MODEL_FORMAT_MXFP4] = 4.25,
        [MODEL_FORMAT_NVFP4] = 4.5, /* one 8-bit scale a group of 16 */
    };

    if (format < 0 || (size_t)format >= sizeof bits / sizeof bits[0] || bits[format] == 0)
        return 16; /* bf16, f16 */
    return bits[format];
}

bool cost_format_is_quantised(int format)
{
    return cost_bits_per_weight(format) < 16;
}

/* Sum over the adapted matrices of one block: of d_in + d_out, of d_out, of d_in x d_out. */
struct target_sums {
    double in_out, out, product;
};

/* Written out, since it is asked of every set-up of every class. d_in x d_out: q h x q, k and v
 * h x kv, o q x h, gate and up h x f, down f x h. */
static struct target_sums target_sums(const struct dims *d, int targets)
{
    if (targets == LORA_TARGETS_QV)
        return (struct target_sums){2 * d->h + d->q + d->kv, d->q + d->kv,
                                    d->h * d->q + d->h * d->kv};
    return (struct target_sums){7 * d->h + 2 * d->q + 2 * d->kv + 3 * d->f,
                                d->q + 2 * d->kv + 2 * d->h + 2 * d->f,
                                2 * d->h * d->q + 2 * d->h * d->kv + 3 * d->h * d->f};
}

double cost_trainable(const struct model_shape *shape, const struct cost_setup *s)
{
    struct dims d = dims_of(shape);
    struct target_sums t = target_sums(&d, s->targets);
    double k = (double)s->layers;

    if (s->method == FINE_TUNE_METHOD_FULL)
        return floor(d.body * k / d.l);
    return k * ((double)s->rank * t.in_out + (s->method == FINE_TUNE_METHOD_DORA ? t.out : 0));
}

/* Adapters are f32: 4 bytes, 4 of gradient, 8 of Adam. All weights trained: the weight is counted
 * already, gradient and Adam's two moments are of its own width. */
static double training_bytes(const struct model_shape *shape, const struct cost_setup *s)
{
    struct dims d = dims_of(shape);
    struct target_sums t = target_sums(&d, s->targets);
    bool full = s->method == FINE_TUNE_METHOD_FULL;
    double width = full && s->format != MODEL_FORMAT_F32 ? 2 : 4;
    double moments = s->optimizer == OPTIMIZER_SGD || s->optimizer == OPTIMIZER_ADAFACTOR ? 0 : 2;
    double each = (full ? 0 : width) + width + moments * width;
    double extra = 0;

    if (s->grad_accumulation > 1)
        each += width;
    if (s->method == FINE_TUNE_METHOD_DORA) /* a 16-bit copy of each adapted matrix; a 16-bit base
                                               needs an f32 transient of one block, once */
        extra = cost_format_is_quantised(s->format) ? 2 * t.product * (double)s->layers
                                                    : 5.2 * t.product;
    return cost_trainable(shape, s) * each + extra;
}

/* Per token: kept by each trained layer, and the workspace of one layer's backward pass. H S comes
 * from attention that is not fused where gradients are traced. */
static void activation_terms(const struct dims *d, const struct cost_setup *s, double *kept,
                             double *work)
{
    double attention = d->heads * (double)s->sequence_length;
    bool all = s->method != FINE_TUNE_METHOD_FULL && s->targets != LORA_TARGETS_QV;

    if (s->grad_checkpoint) {
        *kept = 4 * d->h; /* a block's input, kept twice: recomputed blocks can stay alive */
        *work = (all ? 83 * d->h + 6 * d->kv + 36 * d->f : 60 * d->h + 10 * d->kv + 20 * d->f) +
                5 * attention;
        return;
    }
    *work = (all ? 46 * d->h + 8 * d->kv + 18 * d->f : 37 * d->h + 18 * d->kv + 3 * d->f) +
            5 * attention;
    if (all)
        *kept = 14 * d->h + 4 * d->kv + 12 * d->f;
    else if (s->method == FINE_TUNE_METHOD_FULL)
        *kept = 12 * d->h + 4 * d->kv + 10 * d->f;
    else
        *kept = 6 * d->h + 4 * d->kv + 8 * d->f;
    *kept += 2 * attention;
}

/* Loss buffers (8 V) and the first backward workspace: Metal frees the one before the other is
 * needed, so the larger counts (LoRA measured within 0.97 to 1.08); the CPU holds both (the larger
 * alone is 0.67 to 0.90 of what was measured, the sum 0.91 to 1.17). A method never measured on
 * Metal starts at the pessimistic form. */
static double activation_bytes(const struct model_shape *shape, const struct cost_setup *s,
                               enum cost_backend backend)
{
    struct dims d = dims_of(shape);
    double loss = 8 * d.v, kept, work, phase;

    activation_terms(&d, s, &kept, &work);
    if (backend == COST_METAL && s->method == FINE_TUNE_METHOD_LORA)
        phase = fmax(loss, work);
    else
        phase = loss + work;
    return (double)s->batch_size * (double)s->sequence_length * ((double)s->layers * kept + phase);
}

void cost_memory(const struct model_shape *shape, const struct cost_setup *s,
                 enum cost_backend backend, double activation_factor, struct cost_memory *out)
{
    out->weights = (double)shape->parameters * cost_bits_per_weight(s->format) / 8;
    out->training = training_bytes(shape, s);
    out->activations = activation_bytes(shape, s, backend);
    out->peak = WEIGHTS_MARGIN * out->weights + out->training +
                ACTIVATIONS_MARGIN * activation_factor * out->activations + RUNTIME_BYTES;
}

double cost_fixed_bytes(const struct cost_memory *m)
{
    return WEIGHTS_MARGIN * m->weights + m->training;
}

double cost_resident_bytes(double measured_bytes)
{
    return WEIGHTS_MARGIN * measured_bytes;
}

double cost_activation_bytes(const struct cost_memory *m)
{
    return ACTIVATIONS_MARGIN * m->activations;
}

/* Forward, backward through activations, gradients of what is trained, and the forward again where
 * checkpointing recomputes. Attention is causal: half of its square. */
static double flop_per_token(const struct model_shape *shape, const struct cost_setup *s)
{
    struct dims d = dims_of(shape);
    double k = (double)s->layers, len = (double)s->sequence_length;
    double trained = d.body * k / d.l;
    double flop = 2 * d.matrices + 2 * d.l * len * d.q;

    flop += 2 * (trained + d.v * d.h) + 4 * k * len * d.q;
    flop += s->method == FINE_TUNE_METHOD_FULL ? 2 * trained : 6 * cost_trainable(shape, s);
    if (s->grad_checkpoint)
        flop += 2 * trained + 2 * k * len * d.q;
    return flop;
}

/* Share of the peak rate reached when reading weights: decoding measured 0.77, 0.68, 0.56. */
static double bandwidth_efficiency(int format)
{
    double bits = cost_bits_per_weight(format);

    if (bits >= 16)
        return 0.77;
    return bits >= 6 ? 0.68 : 0.56;
}

void cost_step(const struct model_shape *shape, const struct cost_setup *s, double flops,
               double bandwidth, double slow, struct cost_time *out)
{
    struct dims d = dims_of(shape);
    double tokens = (double)s->batch_size * (double)s->sequence_length;
    double half = cost_format_is_quantised(s->format) ? HALF_TOKENS_QUANTISED : HALF_TOKENS_PLAIN;
    double weights = (double)shape->parameters * cost_bits_per_weight(s->format) / 8;
    double bytes = 2 * weights + 12 * cost_trainable(shape, s);
    double compute, reading;

    out->flop_per_token = flop_per_token(shape, s);
    out->efficiency = TRAIN_EFFICIENCY * tokens / (tokens + half);
    compute = out->flop_per_token * tokens;
    if (s->method == FINE_TUNE_METHOD_DORA) /* the adapted matrices' norms, once a micro-step */
        compute += 2 * target_sums(&d, s->targets).product * (double)s->rank * (double)s->layers;
    compute /= out->efficiency * flops;
    reading = bytes / (bandwidth_efficiency(s->format) * bandwidth);
    out->bandwidth_bound = reading > compute;
    out->micro_seconds = (fmax(compute, reading) + STEP_OVERHEAD_SECONDS) * slow;
    out->step_seconds = out->micro_seconds * (double)s->grad_accumulation;
    out->tokens_per_second = tokens / out->micro_seconds;
}
