/* model_shape.h - a decoder's shape from its Hugging Face config.json.
 *
 * Families: llama (with all that call themselves so), mistral, qwen2, qwen3, gemma, gemma2,
 * gemma3_text, phi3, smollm3, granite, cohere, cohere2; with experts mixtral, qwen2_moe, qwen3_moe
 * (every block alike) and gpt_oss. Others are refused by name: a shape that is guessed would be
 * planned with the wrong memory. A config of a model with images is read through its text_config:
 * only the language part is counted. Keys that do not touch the shape are the file's own business.
 */
#ifndef COMMON_DOCUMENT_MODEL_SHAPE_H
#define COMMON_DOCUMENT_MODEL_SHAPE_H

#include <stddef.h>

struct err;
struct json;
struct model_shape;

/* *out is complete and checked, `parameters` counted exactly; yours to model_shape_free. An error
 * names the key: "num_hidden_layers: missing, wanted an integer from 1 to 4096". */
int model_shape_read(const char *config_json, size_t len, struct model_shape **out,
                     struct err *err);

#endif
