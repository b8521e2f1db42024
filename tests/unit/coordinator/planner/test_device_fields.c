/* test_device_fields.c - every row of the two tables is a member of its proposal, names a field of
 * the plan, moves that field when it is proposed, and is recorded. */
#include "coordinator/planner/device_fields.h"

#include "device_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- names ---- */

static void row_names_a_member(const struct record_type *proposal, const struct field_map *f)
{
    const struct field *output = record_field(proposal, f->output);
    char whole[160];

    if (!output) {
        fail_msg("%s: no output", f->output);
        return;
    }
    if (!*f->member)
        return; /* reasoning */
    if (!record_field(output->record, f->member))
        fail_msg("%s.%s: no member", f->output, f->member);
    snprintf(whole, sizeof whole, "%s.%s", f->output, f->member);
    assert_string_equal(f->proposal_field, whole);
}

/* "assignments[].training.rank", down from the plan. */
static void row_names_a_plan_field(const struct field_map *f)
{
    const struct record_type *at = &plan_type;
    char path[160], *save = NULL;

    if (f->prose) {
        assert_string_equal(f->plan_field, "proposal");
        return;
    }
    snprintf(path, sizeof path, "%s", f->plan_field);
    for (char *part = strtok_r(path, ".", &save); part; part = strtok_r(NULL, ".", &save)) {
        const struct field *field;

        part[strcspn(part, "[")] = '\0';
        field = record_field(at, part);
        if (!field) {
            fail_msg("%s: %s has no field %s", f->plan_field, at->name, part);
            return;
        }
        at = field->record;
    }
}

/* Every member has its row, in order and once. */
static void tables_are_whole(const struct record_type *proposal, const struct field_map *rows,
                             size_t count)
{
    size_t members = 0, seen = 0;

    for (size_t i = 0; i < proposal->count; i++)
        members += proposal->fields[i].record ? proposal->fields[i].record->count : 1;
    for (size_t i = 0; i < count; i++) {
        row_names_a_member(proposal, &rows[i]);
        row_names_a_plan_field(&rows[i]);
        assert_true(rows[i].within && *rows[i].within);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(rows[i].proposal_field, rows[k].proposal_field);
        seen++;
    }
    assert_int_equal(seen, members);
}

static void every_member_has_its_row(void **state)
{
    (void)state;
    assert_int_equal(lora_field_map_count, LORA_FIELDS);
    assert_int_equal(diffusion_field_map_count, DIFFUSION_FIELDS);
    tables_are_whole(&lora_proposal_type, lora_field_map, lora_field_map_count);
    tables_are_whole(&diffusion_proposal_type, diffusion_field_map, diffusion_field_map_count);
}

/* ---- effect ---- */

/* One value within what the job allows, other than the planner's own. */
static bool lora_change(enum lora_field id, struct lora_proposal *p)
{
    switch (id) {
    case LF_FORMAT:
        p->optimization_strategy->model_format = MODEL_FORMAT_Q4G64;
        break;
    case LF_SEQUENCE:
        p->optimization_strategy->sequence_length = 960;
        break;
    case LF_MEMORY_SHARE:
        p->resource_allocation->memory_share = 0.85;
        break;
    case LF_RANK:
        p->lora_config->rank = 8;
        break;
    case LF_ALPHA:
        p->lora_config->alpha = 32;
        break;
    case LF_TARGETS:
        p->lora_config->targets = LORA_TARGETS_QV;
        break;
    case LF_LAYERS:
        p->lora_config->layers = 12;
        break;
    case LF_DROPOUT:
        p->lora_config->dropout = 0.25;
        break;
    case LF_BATCH:
        p->training_strategy->batch_size = 4;
        break;
    case LF_ACCUMULATION:
        p->training_strategy->grad_accumulation = 3;
        break;
    case LF_LEARNING_RATE:
        p->training_strategy->learning_rate = 3e-5;
        break;
    case LF_LR_SCHEDULE:
        p->training_strategy->lr_schedule = LR_SCHEDULE_COSINE;
        break;
    case LF_WARMUP_STEPS:
        p->training_strategy->warmup_steps = 7;
        break;
    case LF_UPDATES:
        p->training_strategy->updates = 60;
        break;
    case LF_CHECKPOINT:
        p->lora_config->layers = 12; /* recomputing costs time: fewer layers win it back */
        p->memory_optimization->grad_checkpoint = TRI_TRUE;
        break;
    default: /* prose and predictions move nothing */
        return false;
    }
    return true;
}

static bool diffusion_change(enum diffusion_field id, struct diffusion_proposal *p)
{
    switch (id) {
    case DF_FORMAT:
        p->optimization_strategy->model_format = MODEL_FORMAT_Q4G64;
        break;
    case DF_WIDTH:
        p->optimization_strategy->width = 768;
        break;
    case DF_HEIGHT:
        p->optimization_strategy->height = 832;
        break;
    case DF_MEMORY_SHARE:
        p->resource_allocation->memory_share = 0.7;
        break;
    case DF_BATCH:
        p->resource_allocation->batch_size = 1;
        p->sampling_strategy->steps = 15; /* alone, an image costs more: fewer steps keep it */
        break;
    case DF_SAMPLER:
        p->sampling_strategy->sampler = DIFFUSION_SAMPLER_DDIM;
        break;
    case DF_STEPS:
        p->sampling_strategy->steps = 20;
        break;
    case DF_GUIDANCE:
        p->sampling_strategy->guidance = 5;
        break;
    case DF_OFFLOAD:
        p->memory_layout->offload = TRI_TRUE;
        break;
    case DF_TILING:
        p->memory_layout->vae_tiling = TRI_TRUE;
        break;
    case DF_COMPILE:
        p->acceleration_techniques->compile = TRI_FALSE;
        break;
    default:
        return false;
    }
    return true;
}

static char *dump(const struct plan *plan)
{
    const struct assignment *a = &plan->assignments[0];

    return a->training ? kit_dump(&training_type, a->training)
                       : kit_dump(&image_generation_type, a->image_generation);
}

static void check_moved(const struct plan *plan, const char *before, const struct field_map *f)
{
    char *after = dump(plan);
    const struct decision *d = kit_decision(plan, "", f->proposal_field);

    if (strcmp(before, after) == 0)
        fail_msg("%s moves nothing", f->proposal_field);
    if (d->outcome != OUTCOME_USED || !d->used)
        fail_msg("%s: %s", f->proposal_field, d->reason);
    assert_string_equal(d->plan_field, f->plan_field);
    mem_free(after);
}

static void every_lora_row_moves_the_plan(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-4");
    struct plan *own;
    char *before;

    (void)state;
    j->lora->tuning->effective_batch = UNKNOWN_I64;
    j->lora->tuning->rank = 64;
    own = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    before = dump(own);
    for (int id = 0; id < LORA_FIELDS; id++) {
        struct lora_proposal *p = kit_lora_proposal();

        if (lora_change((enum lora_field)id, p)) {
            struct plan *plan = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);

            check_moved(plan, before, &lora_field_map[id]);
            plan_free(plan);
        } else {
            assert_true(lora_field_map[id].prose ||
                        strstr(lora_field_map[id].within, "always the planner's"));
        }
        lora_proposal_free(p);
    }
    mem_free(before);
    plan_free(own);
    job_free(j);
    snapshot_unref(s);
}

static void every_diffusion_row_moves_the_plan(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_diffusion("mac-4");
    struct plan *own = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    char *before = dump(own);

    (void)state;
    for (int id = 0; id < DIFFUSION_FIELDS; id++) {
        struct diffusion_proposal *p = kit_diffusion_proposal();

        if (diffusion_change((enum diffusion_field)id, p)) {
            struct plan *plan = kit_diffusion_plan(s, j, ENGINE_KIND_LM, p, NULL);

            check_moved(plan, before, &diffusion_field_map[id]);
            plan_free(plan);
        } else {
            assert_true(diffusion_field_map[id].prose);
        }
        diffusion_proposal_free(p);
    }
    mem_free(before);
    plan_free(own);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_has_its_row),
        cmocka_unit_test(every_lora_row_moves_the_plan),
        cmocka_unit_test(every_diffusion_row_moves_the_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
