/* diffusion_turn.h - one planning turn of a diffusion job: settings in, the device's images out.
 *
 * Room-internal. */
#ifndef COORDINATOR_PLANNER_DIFFUSION_TURN_H
#define COORDINATOR_PLANNER_DIFFUSION_TURN_H

#include "coordinator/planner/decisions.h"
#include "coordinator/planner/device_part.h"
#include "coordinator/planner/diffusion_cost.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct class_summary;
struct diffusion_job;
struct diffusion_proposal;
struct err;
struct policy;

#define IMAGE_FORMATS_MAX 16
#define IMAGE_SIZE_STEP 64 /* pixels: what latents and tiles divide by */

/* What the job wants, every default filled in. */
struct image_want {
    int formats[IMAGE_FORMATS_MAX]; /* the wanted one first */
    const char *paths[IMAGE_FORMATS_MAX];
    size_t formats_count;
    int64_t width, height, width_min, height_min; /* multiples of 64 */
    int64_t batch_size, images, steps, steps_min;
    int sampler;
    double guidance;
    bool guided;
    int offload, tiling; /* enum tristate: stated, or unknown */
    int64_t seed;
    double image_seconds; /* NaN: no limit */
};

/* What an engine decides, checked and complete. */
struct image_settings {
    int format; /* MODEL_FORMAT_UNSET: the first that fits */
    int64_t width, height, batch_size, steps;
    int sampler;
    double guidance, memory_share;
    int offload, tiling; /* enum tristate: false and unknown may turn true */
    int compile;         /* enum tristate */
};

/* What follows from them. */
struct image_solution {
    struct image_setup setup;
    struct image_memory memory;
    struct image_time time;
    int why_format, why_size, why_batch, why_steps, why_offload, why_tiling; /* enum constraint */
};

struct diffusion_turn {
    const struct diffusion_job *diffusion;
    const struct policy *policy;
    struct device_part device;
    struct image_model model;
    struct image_want want;
    struct image_settings own, settings;
    struct image_solution own_solution, solution;
    bool proposed; /* settings and solution stand; else own */
    struct notes notes;
    char replaced[200]; /* why the proposal's plan was not taken; "": it was */
};

/* What stands. */
const struct image_settings *image_turn_settings(const struct diffusion_turn *t);
const struct image_solution *image_turn_solution(const struct diffusion_turn *t);

/* diffusion_fit.c: ERR_INFEASIBLE says what binds, and the nearest. */
int image_want_read(const struct diffusion_job *job, struct image_want *out, struct err *err);
int image_solve(const struct diffusion_turn *t, const struct image_settings *s,
                struct image_solution *out, struct err *err);
/* Set-ups of the job that fit, at its wanted size, counted into the class's summary. */
void image_count(const struct diffusion_turn *t, struct class_summary *out);

/* diffusion_merge.c: as lora_turn.h. */
void image_merge(struct diffusion_turn *t, const struct diffusion_proposal *p);
void image_settle(struct diffusion_turn *t);

/* diffusion_plan.c: the plan in full. */
int image_write(struct diffusion_turn *t, int engine, struct plan *plan, struct err *err);

#endif
