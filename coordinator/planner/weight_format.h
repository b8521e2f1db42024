/* weight_format.h - how many bits a weight takes, by format and inference engine.
 *
 * MLX stores every matrix alike. llama.cpp's formats mix: the output matrix (and the embedding that
 * takes its place in a tied model) is kept finer than the blocks. Bits of the plain formats follow
 * from their layout: q8_0, q4_0 and their kin have a 16-bit scale (q4_1, q5_1 also an offset) for
 * 32 weights; q6_k is 6.5625. Bits of the mixed ones are those of the blocks, worked out from what
 * llama.cpp's tools/quantize/README.md (commit 311c2c9) lists for Llama-3.1-8B as a whole: 4.8944
 * for q4_k_m is 4.798 in the blocks, 4.5 in the embedding and 6.5625 in the output. */
#ifndef COORDINATOR_PLANNER_WEIGHT_FORMAT_H
#define COORDINATOR_PLANNER_WEIGHT_FORMAT_H

#include <stdbool.h>

struct err;
struct model_shape;

enum inference_engine { INFERENCE_MLX, INFERENCE_LLAMA_CPP };
extern const char *const inference_engine_names[]; /* "mlx", "llama.cpp", NULL */

struct weight_format {
    char name[16];
    double block_bits, embedding_bits, output_bits;
    double around_bits; /* what is not an expert in a model with experts, where that differs */
    bool k_quant;       /* llama.cpp's super-blocks: more arithmetic to unpack a weight */
    int model_format;   /* enum model_format where fine-tuning knows it; else unset */
};

/* By name in either case. ERR_INVALID lists what the engine has. */
int weight_format_find(enum inference_engine engine, const char *name, struct weight_format *out,
                       struct err *err);

/* 4.5 bits and more: what a weight takes in a block. */
bool weight_format_is_quantised(const struct weight_format *f);

/* Bytes of all weights, and of those that one token reads: few of the experts, one row of the
 * embedding. */
double weight_format_bytes(const struct weight_format *f, const struct model_shape *shape);
double weight_format_token_bytes(const struct weight_format *f, const struct model_shape *shape);

/* Bytes of the weights read for `tokens` at once: the more, the likelier that each expert is
 * wanted by one of them. */
double weight_format_batch_bytes(const struct weight_format *f, const struct model_shape *shape,
                                 double tokens);

#endif
