/* diffusion_fit.c - what the job wants, and the first set-up in the fixed order that fits. */
#include "coordinator/planner/diffusion_turn.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"

#include <inttypes.h>
#include <math.h>

#define SIZES_MAX 17 /* the asked size, and sixteenths of the way to the smallest */

/* ---- the job ---- */

static int64_t down_to_step(double pixels)
{
    int64_t v = (int64_t)(pixels / IMAGE_SIZE_STEP) * IMAGE_SIZE_STEP;

    return v < IMAGE_SIZE_STEP ? IMAGE_SIZE_STEP : v;
}

static int check_size(const char *name, int64_t pixels, struct err *err)
{
    if (pixels % IMAGE_SIZE_STEP == 0)
        return 0;
    return err_set(err, ERR_INVALID,
                   "diffusion.generation.%s: %" PRId64 ", wanted a multiple of %d", name, pixels,
                   IMAGE_SIZE_STEP);
}

static int read_variants(const struct diffusion_model *m, struct image_want *w, struct err *err)
{
    for (size_t i = 0; i < m->variants_count && w->formats_count < IMAGE_FORMATS_MAX; i++) {
        for (size_t k = 0; k < w->formats_count; k++)
            if (w->formats[k] == m->variants[i].format)
                return err_set(err, ERR_INVALID, "diffusion.model.variants[%zu].format: %s twice",
                               i, enum_name(&model_format_names, m->variants[i].format));
        w->paths[w->formats_count] = m->variants[i].path;
        w->formats[w->formats_count++] = m->variants[i].format;
    }
    if (m->vae && m->vae->format && cost_format_is_quantised(m->vae->format))
        return err_set(err, ERR_INVALID, "diffusion.model.vae.format: %s, wanted f32, f16 or bf16",
                       enum_name(&model_format_names, m->vae->format));
    return 0;
}

static int read_generation(const struct diffusion_generation *g, bool transformer,
                           struct image_want *w, struct err *err)
{
    double least = known_f64(g->size_share_min) ? g->size_share_min : 0.5;

    if (check_size("width", g->width, err) < 0 || check_size("height", g->height, err) < 0)
        return -1;
    w->width = g->width;
    w->height = g->height;
    w->width_min = down_to_step((double)g->width * least);
    w->height_min = down_to_step((double)g->height * least);
    w->batch_size = known_i64(g->batch_size) ? g->batch_size : 1;
    w->images = known_i64(g->images) ? g->images : w->batch_size;
    w->steps = g->steps;
    w->steps_min = known_i64(g->steps_min) ? g->steps_min : (g->steps + 1) / 2;
    w->sampler = g->sampler    ? g->sampler
                 : transformer ? DIFFUSION_SAMPLER_FLOW_MATCH_EULER
                               : DIFFUSION_SAMPLER_EULER;
    w->guidance = known_f64(g->guidance) ? g->guidance : transformer ? 3.5 : 7.5;
    w->guided = g->guided == TRI_UNKNOWN ? !transformer : g->guided == TRI_TRUE;
    w->seed = known_i64(g->seed) ? g->seed : 0;
    if (w->steps_min > w->steps)
        return err_set(err, ERR_INVALID,
                       "diffusion.generation.steps_min: %" PRId64
                       ", wanted at most steps, %" PRId64,
                       w->steps_min, w->steps);
    if (w->batch_size > w->images)
        return err_set(err, ERR_INVALID,
                       "diffusion.generation.batch_size: %" PRId64 ", wanted at most images, "
                       "%" PRId64,
                       w->batch_size, w->images);
    return 0;
}

int image_want_read(const struct diffusion_job *job, struct image_want *out, struct err *err)
{
    const struct diffusion_constraints *c = job->constraints;
    struct image_want w = {.offload = c ? c->offload : TRI_UNKNOWN,
                           .tiling = c ? c->vae_tiling : TRI_UNKNOWN,
                           .image_seconds = c ? c->image_seconds : UNKNOWN_F64};

    if (read_variants(job->model, &w, err) < 0 ||
        read_generation(job->generation, job->model->denoiser->kind == DENOISER_KIND_TRANSFORMER,
                        &w, err) < 0)
        return -1;
    *out = w;
    return 0;
}

/* ---- the order in which things give way ---- */

/* Sizes from the asked one down, in its proportions. */
static int sizes_of(const struct image_want *w, const struct image_settings *s,
                    int64_t widths[SIZES_MAX], int64_t heights[SIZES_MAX])
{
    double least =
        fmax((double)w->width_min / (double)s->width, (double)w->height_min / (double)s->height);
    int n = 0;

    for (int i = 0; i < SIZES_MAX; i++) {
        double share = 1 - (1 - fmin(least, 1)) * i / (SIZES_MAX - 1);
        int64_t x = down_to_step((double)s->width * share + 0.5);
        int64_t y = down_to_step((double)s->height * share + 0.5);

        x = x < w->width_min ? w->width_min : x;
        y = y < w->height_min ? w->height_min : y;
        if (n > 0 && x >= widths[n - 1] && y >= heights[n - 1])
            continue;
        widths[n] = x;
        heights[n++] = y;
    }
    return n;
}

/* The asked format, then those of the job with fewer bits; all of them where none is asked. */
static bool format_allowed(const struct image_want *w, const struct image_settings *s, size_t i)
{
    if (!s->format || w->formats[i] == s->format)
        return true;
    return cost_bits_per_weight(w->formats[i]) < cost_bits_per_weight(s->format);
}

static bool layout_allowed(int stated, int asked, bool on)
{
    if (stated != TRI_UNKNOWN)
        return on == (stated == TRI_TRUE);
    return on || asked != TRI_TRUE;
}

/* Everything of one candidate but its steps. */
struct candidate {
    struct image_setup setup;
    struct image_memory memory;
};

/* The format and layout with which it fits: tiles first, then offload, then fewer bits. */
static bool fit_layout(const struct diffusion_turn *t, const struct image_settings *s, double room,
                       struct candidate *c)
{
    const struct image_want *w = &t->want;

    for (int pass = 0; pass < 2; pass++) { /* the asked format before all others */
        for (size_t i = 0; i < w->formats_count; i++) {
            bool first = !s->format || w->formats[i] == s->format;

            if (!format_allowed(w, s, i) || first == (pass == 1))
                continue;
            for (int layout = 0; layout < 4; layout++) {
                c->setup.format = w->formats[i];
                c->setup.offload = layout & 2;
                c->setup.tiling = layout & 1;
                if (!layout_allowed(w->offload, s->offload, c->setup.offload) ||
                    !layout_allowed(w->tiling, s->tiling, c->setup.tiling))
                    continue;
                image_memory(&t->model, &c->setup, &c->memory);
                if (c->memory.peak <= room)
                    return true;
            }
        }
    }
    return false;
}

/* As many steps as the limit leaves, up to the asked; false where the fewest take too long. */
static bool fit_steps(const struct diffusion_turn *t, const struct image_settings *s,
                      struct image_setup *setup, struct image_time *time)
{
    double limit = t->want.image_seconds, left;

    setup->steps = s->steps;
    image_time(&t->model, setup, &t->device.machine, time);
    if (!known_f64(limit) || time->image <= limit)
        return true;
    left = (limit - time->decode) * (double)setup->batch_size - time->text - time->load;
    setup->steps = left / time->step >= (double)t->want.steps_min ? (int64_t)(left / time->step)
                                                                  : t->want.steps_min;
    image_time(&t->model, setup, &t->device.machine, time);
    return time->image <= limit;
}

static int none_fits(const struct diffusion_turn *t, double least, double room, double fastest,
                     struct err *err)
{
    char need[NUM_BYTES_TEXT_MAX], have[NUM_BYTES_TEXT_MAX], held[64];

    if (fastest < INFINITY)
        return err_set(err, ERR_INFEASIBLE,
                       "diffusion.constraints.image_seconds: %g; nearest: %.4g s with %" PRId64
                       " steps",
                       t->want.image_seconds, fastest, t->want.steps_min);
    return err_set(
        err, ERR_INFEASIBLE, "nothing fits %.64s: the smallest set-up needs %s, it may fill %s%s",
        t->device.client->device_id, num_format_bytes((int64_t)fmin(least, 1e18), need),
        num_format_bytes((int64_t)room, have), device_part_held(&t->device, held, sizeof held));
}

/* Why what stands is not what was asked. */
static void mark(const struct diffusion_turn *t, const struct image_settings *s,
                 struct image_solution *out)
{
    const struct image_setup *c = &out->setup;
    int wanted = s->format ? s->format : t->want.formats[0];
    bool slow = known_f64(t->want.image_seconds) && c->steps == t->want.steps_min;
    int bound = slow ? CONSTRAINT_DEADLINE : CONSTRAINT_MEMORY;

    out->why_format = c->format == wanted ? CONSTRAINT_NONE : CONSTRAINT_MEMORY;
    out->why_size = c->width == s->width && c->height == s->height ? CONSTRAINT_NONE : bound;
    out->why_batch = c->batch_size == s->batch_size ? CONSTRAINT_NONE : CONSTRAINT_MEMORY;
    out->why_steps = c->steps == s->steps ? CONSTRAINT_NONE : CONSTRAINT_DEADLINE;
    out->why_offload = c->offload && s->offload != TRI_TRUE && t->want.offload == TRI_UNKNOWN
                           ? CONSTRAINT_MEMORY
                           : CONSTRAINT_NONE;
    out->why_tiling = c->tiling && s->tiling != TRI_TRUE && t->want.tiling == TRI_UNKNOWN
                          ? CONSTRAINT_MEMORY
                          : CONSTRAINT_NONE;
}

int image_solve(const struct diffusion_turn *t, const struct image_settings *s,
                struct image_solution *out, struct err *err)
{
    int64_t widths[SIZES_MAX], heights[SIZES_MAX];
    int sizes = sizes_of(&t->want, s, widths, heights);
    double room = (double)t->device.limit_bytes * s->memory_share;
    double least = INFINITY, fastest = INFINITY;

    for (int i = 0; i < sizes; i++) {
        for (int64_t batch = s->batch_size; batch >= 1; batch /= 2) {
            struct candidate c = {.setup = {.width = widths[i],
                                            .height = heights[i],
                                            .batch_size = batch,
                                            .steps = s->steps,
                                            .guided = t->want.guided}};
            struct image_time time;

            if (!fit_layout(t, s, room, &c)) {
                least = fmin(least, c.memory.peak);
                continue;
            }
            if (fit_steps(t, s, &c.setup, &time)) {
                *out = (struct image_solution){.setup = c.setup, .memory = c.memory, .time = time};
                mark(t, s, out);
                return 0;
            }
            fastest = fmin(fastest, time.image);
        }
    }
    return none_fits(t, least, room, fastest, err);
}

void image_count(const struct diffusion_turn *t, struct class_summary *out)
{
    const struct image_want *w = &t->want;
    double room = (double)t->device.limit_bytes * t->policy->memory_share;

    out->configurations = 0;
    out->max_batch_size = 0;
    for (size_t i = 0; i < w->formats_count; i++) {
        for (int layout = 0; layout < 4; layout++) {
            for (int64_t batch = 1; batch <= 256; batch *= 2) {
                struct image_setup s = {.format = w->formats[i],
                                        .width = w->width,
                                        .height = w->height,
                                        .batch_size = batch,
                                        .steps = w->steps,
                                        .guided = w->guided,
                                        .offload = layout & 2,
                                        .tiling = layout & 1};
                struct image_memory m;

                image_memory(&t->model, &s, &m);
                if (m.peak > room)
                    break;
                out->configurations++;
                if (batch > out->max_batch_size)
                    out->max_batch_size = batch;
            }
        }
    }
}
