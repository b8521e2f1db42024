/* diffusion_plan.c - a turn written down: the device's images, their prediction, reasons. */
#include "coordinator/planner/diffusion_turn.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/plan_warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static double total_seconds(const struct diffusion_turn *t)
{
    return image_turn_solution(t)->time.image * (double)t->want.images;
}

static int write_common(const struct diffusion_turn *t, struct plan *plan, struct err *err)
{
    const struct image_solution *s = image_turn_solution(t);
    struct diffusion_plan *d = plan->diffusion = diffusion_plan_new(err);

    if (!d || text_set(&d->device_id, t->device.client->device_id, err) < 0)
        return -1;
    d->image_seconds = fmin(s->time.image, 1e9);
    d->total_seconds = fmin(total_seconds(t), 1e12);
    d->text_seconds = fmin(s->time.text, 1e9);
    d->step_seconds = fmin(s->time.step, 1e9);
    d->decode_seconds = fmin(s->time.decode, 1e9);
    d->load_seconds = fmin(s->time.load, 1e9);
    d->flop_per_step = fmin(s->time.flop_per_step, 1e24);
    d->weights_bytes = (int64_t)ceil(s->memory.weights);
    d->text_bytes = (int64_t)ceil(s->memory.text);
    d->denoise_bytes = (int64_t)ceil(s->memory.denoise);
    d->decode_bytes = (int64_t)ceil(s->memory.decode);
    if (text_set(&d->flop_source, image_flop_source(&t->model), err) < 0)
        return -1;
    return text_setf(&d->seconds_source, err, "%s; %s", image_time_source(&t->model),
                     t->device.machine.rates.text);
}

static const char *path_of(const struct image_want *w, int format)
{
    for (size_t i = 0; i < w->formats_count; i++)
        if (w->formats[i] == format)
            return w->paths[i];
    return NULL;
}

static int write_images(const struct diffusion_turn *t, struct assignment *a, struct err *err)
{
    const struct image_settings *set = image_turn_settings(t);
    const struct image_setup *c = &image_turn_solution(t)->setup;
    struct image_generation *g = a->image_generation = image_generation_new(err);

    if (!g || text_set(&g->model_path, path_of(&t->want, c->format), err) < 0)
        return -1;
    g->model_format = c->format;
    g->vae_format = t->model.vae_format;
    g->sampler = set->sampler;
    g->steps = c->steps;
    g->guidance = set->guidance;
    g->guided = c->guided ? TRI_TRUE : TRI_FALSE;
    g->width = c->width;
    g->height = c->height;
    g->batch_size = c->batch_size;
    g->images = t->want.images;
    g->offload = c->offload ? TRI_TRUE : TRI_FALSE;
    g->vae_tiling = c->tiling ? TRI_TRUE : TRI_FALSE;
    if (c->tiling)
        g->vae_tile_pixels = IMAGE_TILE_PIXELS;
    g->compile = set->compile;
    g->seed = t->want.seed;
    g->memory_limit_bytes = (int64_t)((double)t->device.limit_bytes * set->memory_share);
    return 0;
}

static int write_prediction(const struct diffusion_turn *t, struct plan *plan, struct assignment *a,
                            struct err *err)
{
    const struct image_solution *s = image_turn_solution(t);
    struct prediction *r = a->prediction = prediction_new(err);
    struct forecast *f = plan->forecast = forecast_new(err);

    if (!r || !f)
        return -1;
    r->memory_bytes = (int64_t)ceil(s->memory.peak);
    r->step_seconds = fmin(s->time.step, 1e9);
    r->round_seconds = fmin(total_seconds(t), 1e9);
    f->clients = 1;
    f->left_out = 0;
    f->round_seconds = r->round_seconds;
    return text_setf(
        &f->text, err,
        "%" PRId64 " images of %" PRId64 " x %" PRId64 ", %" PRId64 " steps, %" PRId64 " together",
        t->want.images, s->setup.width, s->setup.height, s->setup.steps, s->setup.batch_size);
}

/* ---- why ---- */

/* "wanted 1024, at least 512", and what made it less. */
static int say_range(struct assignment *a, struct err *err, const char *field, int why,
                     int64_t value, int64_t wanted, int64_t least)
{
    return device_part_say_range(a, err, field, why, value, wanted, least,
                                 why == CONSTRAINT_DEADLINE
                                     ? ": more takes longer than image_seconds"
                                     : ": the engine chose less");
}

static int why_wanted(const struct diffusion_turn *t, struct assignment *a, struct err *err)
{
    const struct image_solution *s = image_turn_solution(t);
    const struct image_setup *c = &s->setup;
    const struct image_want *w = &t->want;

    if (device_part_say(a, err, "model_format", s->why_format,
                        enum_name(&model_format_names, c->format),
                        c->format == w->formats[0]           ? "the job's first, and it fits"
                        : s->why_format == CONSTRAINT_MEMORY ? "with more bits a weight the parts "
                                                               "do not fit"
                                                             : "the engine chose it") < 0 ||
        say_range(a, err, "width", s->why_size, c->width, w->width, w->width_min) < 0 ||
        say_range(a, err, "height", s->why_size, c->height, w->height, w->height_min) < 0 ||
        say_range(a, err, "batch_size", s->why_batch, c->batch_size, w->batch_size, 1) < 0)
        return -1;
    return say_range(a, err, "steps", s->why_steps, c->steps, w->steps, w->steps_min);
}

static int why_layout(const struct diffusion_turn *t, struct assignment *a, struct err *err)
{
    const struct image_solution *s = image_turn_solution(t);
    char x[NUM_BYTES_TEXT_MAX], y[NUM_BYTES_TEXT_MAX], z[NUM_BYTES_TEXT_MAX];

    if (device_part_say(a, err, "offload", s->why_offload, s->setup.offload ? "true" : "false",
                        s->setup.offload
                            ? "one part in memory at a time; reading the others again takes %.3g "
                              "s a batch"
                            : "all parts fit together, nothing is read twice",
                        s->time.load) < 0 ||
        device_part_say(a, err, "vae_tiling", s->why_tiling, s->setup.tiling ? "true" : "false",
                        s->setup.tiling ? "decoding in tiles of %d pixels is what fits"
                                        : "the image is decoded at once",
                        IMAGE_TILE_PIXELS) < 0)
        return -1;
    return device_part_say(
        a, err, "memory_bytes", CONSTRAINT_NONE, num_format_bytes((int64_t)ceil(s->memory.peak), x),
        "the largest of reading the prompt, removing noise (%s) and making pixels (%s)",
        num_format_bytes((int64_t)ceil(s->memory.denoise), y),
        num_format_bytes((int64_t)ceil(s->memory.decode), z));
}

static int write_why(const struct diffusion_turn *t, struct assignment *a, struct err *err)
{
    const struct image_solution *s = image_turn_solution(t);
    char peak[NUM_BYTES_TEXT_MAX], limit[NUM_BYTES_TEXT_MAX];

    if (text_setf(&a->reason, err, "an image of %" PRId64 " x %" PRId64 " in %.4g s, peak %s of %s",
                  s->setup.width, s->setup.height, s->time.image,
                  num_format_bytes((int64_t)ceil(s->memory.peak), peak),
                  num_format_bytes(t->device.limit_bytes, limit)) < 0 ||
        device_part_say(a, err, "memory_limit_bytes", CONSTRAINT_MEMORY, limit,
                        "%.0f %% of what it may use: %s",
                        image_turn_settings(t)->memory_share * 100,
                        t->device.machine.limit_text) < 0)
        return -1;
    return why_wanted(t, a, err) < 0 ? -1 : why_layout(t, a, err);
}

static int write_warnings(const struct diffusion_turn *t, struct plan *plan, struct err *err)
{
    if (t->replaced[0] &&
        plan_warn(plan, err, "the proposal was replaced by the planner's own plan: %s",
                  t->replaced) < 0)
        return -1;
    if (t->device.machine.limit_assumed &&
        plan_warn(plan, err, "the memory limit is assumed: %s", t->device.machine.limit_text) < 0)
        return -1;
    return plan_warn(plan, err,
                     "memory of activations is an upper bound by formula, not yet measured "
                     "on a Mac; a first image at these settings settles it");
}

int image_write(struct diffusion_turn *t, int engine, struct plan *plan, struct err *err)
{
    struct assignment *a;
    struct class_summary *c;

    if (device_part_write(&t->device, PLAN_KIND_DIFFUSION, engine, plan, &a, &c, err) < 0)
        return -1;
    image_count(t, c);
    if (text_setf(&c->text, err, "%" PRId64 " set-ups of the wanted size fit", c->configurations) <
            0 ||
        write_common(t, plan, err) < 0 || write_images(t, a, err) < 0 ||
        write_prediction(t, plan, a, err) < 0 || write_why(t, a, err) < 0 ||
        notes_write(&t->notes, engine, plan, err) < 0 || write_warnings(t, plan, err) < 0)
        return -1;
    return decision_notes_say(&t->notes, engine, t->replaced, plan, err);
}
