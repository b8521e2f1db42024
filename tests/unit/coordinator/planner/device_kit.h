/* device_kit.h - jobs for one device, and their plans. */
#ifndef TESTS_DEVICE_KIT_H
#define TESTS_DEVICE_KIT_H

#include "planner_kit.h"

struct diffusion_proposal;
struct lora_proposal;

/* LoRA on all linears of KIT_QWEN_4B for `device`: bf16 and q4g64, 1024 tokens, 4000 rows. */
struct job *kit_lora(const char *device);

/* Stable Diffusion XL for `device`: f16 and q4g64, two images of 1024 x 1024 in 30 steps. */
struct job *kit_diffusion(const char *device);

/* As kit_plan: checked against its own rows, and never above what the device may use. */
struct plan *kit_lora_plan(const struct snapshot *s, const struct job *job, int engine,
                           const struct lora_proposal *p, struct err *err);
struct plan *kit_diffusion_plan(const struct snapshot *s, const struct job *job, int engine,
                                const struct diffusion_proposal *p, struct err *err);

/* Every record of a proposal, each field unknown. */
struct lora_proposal *kit_lora_proposal(void);
struct diffusion_proposal *kit_diffusion_proposal(void);

#endif
