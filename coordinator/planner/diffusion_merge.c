/* diffusion_merge.c - a stranger's proposal for a diffusion job made into settings, and its notes.
 */
#include "coordinator/planner/diffusion_turn.h"

#include "common/core/unknown.h"
#include "common/model/device_proposal.h"
#include "common/model/job.h"
#include "coordinator/planner/device_fields.h"
#include "coordinator/planner/device_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct device_merge reader(struct diffusion_turn *t, const struct record_type *type,
                                  const void *record)
{
    return (struct device_merge){&t->notes, diffusion_field_map, type, record};
}

static const char *truth(bool v)
{
    return v ? "true" : "false";
}

static bool lists_format(const struct image_want *w, int format)
{
    for (size_t i = 0; i < w->formats_count; i++)
        if (w->formats[i] == format)
            return true;
    return false;
}

/* Within what the job allows, and a multiple of 64. */
static void merge_size(struct device_merge *m, enum diffusion_field id, int64_t least, int64_t most,
                       int64_t *out)
{
    int64_t asked;

    if (!merge_i64(m, (int)id, least, most, &asked))
        return;
    *out = asked / IMAGE_SIZE_STEP * IMAGE_SIZE_STEP;
    if (*out != asked)
        merge_moved(m->notes, &m->map[id], CONSTRAINT_SHAPE, "a multiple of %d", IMAGE_SIZE_STEP);
}

static void merge_strategy(struct diffusion_turn *t, const struct diffusion_strategy *s)
{
    struct device_merge m = reader(t, &diffusion_strategy_type, s);
    const struct image_want *w = &t->want;
    int format;

    if (merge_int(&m, DF_FORMAT, &format)) {
        if (lists_format(w, format))
            t->settings.format = format;
        else
            note_outcome(merge_note(&t->notes, &diffusion_field_map[DF_FORMAT]), OUTCOME_REJECTED,
                         CONSTRAINT_VALUE, "not one of the job's variants");
    }
    merge_size(&m, DF_WIDTH, w->width_min, w->width, &t->settings.width);
    merge_size(&m, DF_HEIGHT, w->height_min, w->height, &t->settings.height);
}

static void merge_allocation(struct diffusion_turn *t, const struct diffusion_allocation *a)
{
    struct device_merge m = reader(t, &diffusion_allocation_type, a);

    merge_f64(&m, DF_MEMORY_SHARE, 0.1, 1, &t->settings.memory_share);
    merge_i64(&m, DF_BATCH, 1, t->want.batch_size, &t->settings.batch_size);
}

static void merge_sampling(struct diffusion_turn *t, const struct diffusion_sampling *s)
{
    struct device_merge m = reader(t, &diffusion_sampling_type, s);
    const struct image_want *w = &t->want;

    if (t->diffusion->generation->sampler)
        merge_stated(&m, DF_SAMPLER, "%s", enum_name(&diffusion_sampler_names, w->sampler));
    else
        merge_int(&m, DF_SAMPLER, &t->settings.sampler);
    merge_i64(&m, DF_STEPS, w->steps_min, w->steps, &t->settings.steps);
    if (known_f64(t->diffusion->generation->guidance))
        merge_stated(&m, DF_GUIDANCE, "%g", w->guidance);
    else
        merge_f64(&m, DF_GUIDANCE, 0, 100, &t->settings.guidance);
}

static void merge_layout(struct diffusion_turn *t, const struct diffusion_layout *l)
{
    struct device_merge m = reader(t, &diffusion_layout_type, l);

    if (t->want.offload != TRI_UNKNOWN)
        merge_stated(&m, DF_OFFLOAD, "%s", truth(t->want.offload == TRI_TRUE));
    else
        merge_int(&m, DF_OFFLOAD, &t->settings.offload);
    if (t->want.tiling != TRI_UNKNOWN)
        merge_stated(&m, DF_TILING, "%s", truth(t->want.tiling == TRI_TRUE));
    else
        merge_int(&m, DF_TILING, &t->settings.tiling);
}

void image_merge(struct diffusion_turn *t, const struct diffusion_proposal *p)
{
    struct device_merge acceleration =
        reader(t, &diffusion_acceleration_type, p ? p->acceleration_techniques : NULL);

    t->settings = t->own;
    merge_strategy(t, p ? p->optimization_strategy : NULL);
    merge_allocation(t, p ? p->resource_allocation : NULL);
    merge_sampling(t, p ? p->sampling_strategy : NULL);
    merge_layout(t, p ? p->memory_layout : NULL);
    merge_int(&acceleration, DF_COMPILE, &t->settings.compile);
}

/* ---- once the solution is known ---- */

/* The value that stands; where a taken one had to move, what moved it. */
static void settle(struct diffusion_turn *t, enum diffusion_field id, int constraint,
                   const char *used)
{
    const struct field_map *map = &diffusion_field_map[id];
    struct note *n = merge_note(&t->notes, map);

    note_used(n, "%s", used);
    if (n->outcome != OUTCOME_USED || strcmp(n->proposed, used) == 0)
        return;
    merge_moved(&t->notes, map, constraint ? constraint : CONSTRAINT_MEMORY,
                constraint == CONSTRAINT_DEADLINE
                    ? "as proposed an image takes longer than the job's image_seconds"
                    : "as proposed it does not fit the device's memory");
}

static void settle_i64(struct diffusion_turn *t, enum diffusion_field id, int constraint,
                       int64_t used)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, used);
    settle(t, id, constraint, text);
}

void image_settle(struct diffusion_turn *t)
{
    const struct image_settings *set = image_turn_settings(t);
    const struct image_solution *s = image_turn_solution(t);
    const struct image_setup *c = &s->setup;

    settle(t, DF_FORMAT, s->why_format, enum_name(&model_format_names, c->format));
    settle_i64(t, DF_WIDTH, s->why_size, c->width);
    settle_i64(t, DF_HEIGHT, s->why_size, c->height);
    settle_i64(t, DF_BATCH, s->why_batch, c->batch_size);
    settle_i64(t, DF_STEPS, s->why_steps, c->steps);
    settle(t, DF_OFFLOAD, s->why_offload, truth(c->offload));
    settle(t, DF_TILING, s->why_tiling, truth(c->tiling));
    note_used(merge_note(&t->notes, &diffusion_field_map[DF_SAMPLER]), "%s",
              enum_name(&diffusion_sampler_names, set->sampler));
    note_used(merge_note(&t->notes, &diffusion_field_map[DF_GUIDANCE]), "%g", set->guidance);
    note_used(merge_note(&t->notes, &diffusion_field_map[DF_MEMORY_SHARE]), "%g",
              set->memory_share);
    note_used(merge_note(&t->notes, &diffusion_field_map[DF_COMPILE]), "%s",
              truth(set->compile == TRI_TRUE));
}
