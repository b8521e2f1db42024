/* prompt_device.c - the texts, line by line. */
#include "coordinator/cycle/prompt_device.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/cycle/prompt_inputs.h"
#include "coordinator/cycle/prompt_text.h"

#include <string.h>

#define SOURCE_TEXT_MAX 160 /* bytes: how a limit or a rate was found */

/* ---- the device ---- */

static const struct device_class *class_of(const struct snapshot *s, const char *id)
{
    for (size_t i = 0; i < s->classes_count; i++)
        if (strcmp(s->classes[i].id, id) == 0)
            return &s->classes[i];
    return NULL;
}

static void add_state(struct buf *b, const struct state *s)
{
    if (!s)
        return;
    prompt_word(b, "thermal state", &thermal_names, s->thermal);
    prompt_word(b, "memory pressure", &memory_pressure_names, s->memory_pressure);
    prompt_word(b, "power from", &power_source_names, s->power_source);
    prompt_truth(b, "low-power mode", s->low_power_mode);
}

static void add_fit(struct buf *b, const struct class_summary *c)
{
    prompt_fact(b, "set-ups of the job that fit", prompt_whole(c->configurations), "");
    prompt_fact(b, "largest batch that fits", prompt_whole(c->max_batch_size), "");
    prompt_fact(b, "fastest that fits", c->best_tokens_per_second, "tokens/s");
}

static void add_device(struct buf *b, const struct snapshot *s, const struct plan *plan)
{
    const struct class_summary *c = &plan->classes[0];
    const struct device_class *k = class_of(s, c->client_class);

    prompt_named(b, "chip", c->chip, ID_TEXT_MAX);
    prompt_fact(b, "unified memory", prompt_scaled(c->memory_bytes, 1e9), "GB");
    prompt_fact(b, "usable", prompt_scaled(c->memory_limit_bytes, 1e9), "GB");
    prompt_named(b, "usable is", c->memory_limit_source, SOURCE_TEXT_MAX);
    prompt_fact(b, "GPU cores", prompt_whole(c->gpu_cores), "");
    prompt_fact(b, "GPU rate", c->gpu_flops / 1e12, "TFLOP/s");
    prompt_fact(b, "memory bandwidth", c->memory_bandwidth_bytes_per_s / 1e9, "GB/s");
    prompt_named(b, "rates are", c->rate_source, SOURCE_TEXT_MAX);
    if (k && k->profile)
        prompt_named(b, "macOS", k->profile->os_version, ID_TEXT_MAX);
    add_state(b, k ? k->state : NULL);
    add_fit(b, c);
}

/* ---- LoRA ---- */

static int fill_lora(const struct snapshot *s, const struct lora_job *job, const struct plan *plan,
                     struct prompt_inputs *in, struct buf *b, struct err *err)
{
    add_device(b, s, plan);
    if (prompt_inputs_keep(in, "hardware_context", b, err) < 0)
        return -1;
    if (job->run) {
        prompt_fact(b, "the training ends within", job->run->deadline_seconds, "s");
        prompt_fact(b, "wanted epochs", job->run->epochs, "");
        prompt_fact(b, "wanted updates", prompt_whole(job->run->updates), "");
    }
    prompt_prose(b, job->performance_target);
    if (prompt_inputs_keep(in, "performance_target", b, err) < 0)
        return -1;
    prompt_model_add(b, job->model);
    prompt_tuning_add(b, job->tuning);
    if (prompt_inputs_keep(in, "base_model_info", b, err) < 0)
        return -1;
    prompt_prose(b, job->task_description);
    if (prompt_inputs_keep(in, "task_description", b, err) < 0)
        return -1;
    prompt_fact(b, "examples", prompt_whole(job->data->examples), "");
    prompt_fact(b, "tokens of an example", job->data->tokens_per_example, "");
    prompt_prose(b, job->dataset_characteristics);
    if (prompt_inputs_keep(in, "dataset_characteristics", b, err) < 0)
        return -1;
    prompt_prose(b, job->quality_requirements);
    return prompt_inputs_keep(in, "quality_requirements", b, err);
}

/* ---- diffusion ---- */

static void add_parts(struct buf *b, const struct diffusion_model *m)
{
    const struct diffusion_denoiser *d = m->denoiser;

    prompt_named(b, "model", m->name, ID_TEXT_MAX);
    prompt_word(b, "denoiser", &denoiser_kind_names, d->kind);
    prompt_fact(b, "denoiser parameters", prompt_whole(d->parameters), "");
    prompt_fact(b, "denoiser", d->flop_per_step / 1e12, "TFLOP a step");
    prompt_fact(b, "text encoder parameters", prompt_whole(m->text_encoder->parameters), "");
    prompt_fact(b, "VAE decoder parameters",
                prompt_whole(m->vae ? m->vae->parameters : UNKNOWN_I64), "");
    buf_adds(b, "formats allowed, wanted first:");
    for (size_t i = 0; i < m->variants_count; i++) {
        const char *word = enum_name(&model_format_names, m->variants[i].format);

        buf_addf(b, " %s", word ? word : "?");
    }
    buf_addc(b, '\n');
}

static void add_generation(struct buf *b, const struct diffusion_generation *g)
{
    prompt_fact(b, "wanted width", prompt_whole(g->width), "pixels");
    prompt_fact(b, "wanted height", prompt_whole(g->height), "pixels");
    prompt_fact(b, "smallest size worth making, share,", g->size_share_min, "");
    prompt_fact(b, "wanted images together", prompt_whole(g->batch_size), "");
    prompt_fact(b, "images in all", prompt_whole(g->images), "");
    prompt_fact(b, "wanted steps", prompt_whole(g->steps), "");
    prompt_fact(b, "fewest steps", prompt_whole(g->steps_min), "");
    prompt_word(b, "sampler", &diffusion_sampler_names, g->sampler);
    prompt_fact(b, "guidance", g->guidance, "");
}

static int fill_diffusion(const struct snapshot *s, const struct diffusion_job *job,
                          const struct plan *plan, struct prompt_inputs *in, struct buf *b,
                          struct err *err)
{
    const struct diffusion_constraints *c = job->constraints;

    add_device(b, s, plan);
    if (prompt_inputs_keep(in, "hardware_context", b, err) < 0)
        return -1;
    if (plan->diffusion)
        prompt_fact(b, "an image takes, as the planner reckons,", plan->diffusion->image_seconds,
                    "s");
    prompt_prose(b, job->performance_target);
    if (prompt_inputs_keep(in, "performance_target", b, err) < 0)
        return -1;
    add_parts(b, job->model);
    prompt_prose(b, job->model_architecture);
    if (prompt_inputs_keep(in, "model_architecture", b, err) < 0)
        return -1;
    add_generation(b, job->generation);
    prompt_prose(b, job->generation_requirements);
    if (prompt_inputs_keep(in, "generation_requirements", b, err) < 0)
        return -1;
    if (c) {
        prompt_fact(b, "an image within", c->image_seconds, "s");
        prompt_truth(b, "one part in memory at a time", c->offload);
        prompt_truth(b, "decode in tiles", c->vae_tiling);
    }
    prompt_prose(b, job->inference_constraints);
    return prompt_inputs_keep(in, "inference_constraints", b, err);
}

int prompt_device_inputs(const struct snapshot *s, const struct job *job, const struct plan *plan,
                         struct prompt_inputs *out, struct err *err)
{
    struct prompt_inputs in = {0};
    struct buf b;
    int rc;

    buf_init(&b, PROMPT_INPUT_MAX);
    rc = job->lora ? fill_lora(s, job->lora, plan, &in, &b, err)
                   : fill_diffusion(s, job->diffusion, plan, &in, &b, err);
    buf_clear(&b);
    if (rc < 0)
        prompt_inputs_clear(&in);
    else
        *out = in;
    return rc;
}
