/* device_kit.c - see device_kit.h. */
#include "device_kit.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "coordinator/planner/diffusion.h"
#include "coordinator/planner/lora.h"

static struct job *job_make(const char *id)
{
    struct job *j = job_new(NULL);

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, id, NULL), 0);
    return j;
}

static void add_variant(struct model_variant **list, size_t *count, int format, const char *path)
{
    struct model_variant *v = records_add(&model_variant_type, list, count, NULL);

    assert_non_null(v);
    v->format = format;
    assert_int_equal(text_set(&v->path, path, NULL), 0);
}

struct job *kit_lora(const char *device)
{
    struct job *j = job_make("replies");
    struct lora_job *l = j->lora = lora_job_new(NULL);

    assert_non_null(l);
    l->model = model_spec_new(NULL);
    l->tuning = tuning_spec_new(NULL);
    l->data = lora_data_new(NULL);
    assert_non_null(l->model);
    assert_non_null(l->tuning);
    assert_non_null(l->data);
    assert_int_equal(text_set(&l->device_id, device, NULL), 0);
    l->model->shape = model_shape_new(NULL);
    assert_non_null(l->model->shape);
    kit_shape(KIT_QWEN_4B, l->model->shape);
    assert_int_equal(text_set(&l->model->shape->model_type, "qwen3", NULL), 0);
    add_variant(&l->model->variants, &l->model->variants_count, MODEL_FORMAT_BF16, "qwen-bf16");
    add_variant(&l->model->variants, &l->model->variants_count, MODEL_FORMAT_Q4G64, "qwen-4bit");
    l->tuning->method = FINE_TUNE_METHOD_LORA;
    l->tuning->rank = 16;
    l->tuning->rank_min = 4;
    l->tuning->sequence_length = 1024;
    l->tuning->effective_batch = 16;
    l->data->examples = 4000;
    assert_int_equal(text_set(&l->data->path, "replies", NULL), 0);
    return j;
}

struct job *kit_diffusion(const char *device)
{
    struct job *j = job_make("pictures");
    struct diffusion_job *d = j->diffusion = diffusion_job_new(NULL);

    assert_non_null(d);
    d->model = diffusion_model_new(NULL);
    d->generation = diffusion_generation_new(NULL);
    assert_non_null(d->model);
    assert_non_null(d->generation);
    d->model->denoiser = diffusion_denoiser_new(NULL);
    d->model->text_encoder = diffusion_text_encoder_new(NULL);
    assert_non_null(d->model->denoiser);
    assert_non_null(d->model->text_encoder);
    assert_int_equal(text_set(&d->device_id, device, NULL), 0);
    d->model->denoiser->kind = DENOISER_KIND_UNET;
    d->model->denoiser->parameters = 2567463684;
    d->model->denoiser->head_dim = 64;
    d->model->denoiser->flop_per_step = 6.76e12;
    d->model->text_encoder->parameters = 817720320;
    add_variant(&d->model->variants, &d->model->variants_count, MODEL_FORMAT_F16, "sdxl");
    add_variant(&d->model->variants, &d->model->variants_count, MODEL_FORMAT_Q4G64, "sdxl-4bit");
    d->generation->width = d->generation->height = 1024;
    d->generation->batch_size = 2;
    d->generation->images = 10;
    d->generation->steps = 30;
    d->generation->steps_min = 15;
    return j;
}

/* What holds for every plan of one device. */
static struct plan *checked(struct plan *plan, struct err *err)
{
    struct err own = {0};
    const struct assignment *a = &plan->assignments[0];

    if (record_check(&plan_type, plan, &own) < 0)
        fail_msg("%s", own.text);
    assert_int_equal(plan->assignments_count, 1);
    assert_int_equal(plan->classes_count, 1);
    assert_true(a->prediction->memory_bytes <= a->memory_limit_bytes);
    (void)err;
    return plan;
}

struct plan *kit_lora_plan(const struct snapshot *s, const struct job *job, int engine,
                           const struct lora_proposal *p, struct err *err)
{
    struct policy policy = policy_default();
    struct lora_proposal *own = NULL;
    struct plan *plan = NULL;

    if (!p && lora_propose(s, job, &policy, &own, err) < 0)
        return NULL;
    if (lora_verify(s, job, &policy, (enum engine_kind)engine, p ? p : own, &plan, err) < 0)
        plan = NULL;
    lora_proposal_free(own);
    return plan ? checked(plan, err) : NULL;
}

struct plan *kit_diffusion_plan(const struct snapshot *s, const struct job *job, int engine,
                                const struct diffusion_proposal *p, struct err *err)
{
    struct policy policy = policy_default();
    struct diffusion_proposal *own = NULL;
    struct plan *plan = NULL;

    if (!p && diffusion_propose(s, job, &policy, &own, err) < 0)
        return NULL;
    if (diffusion_verify(s, job, &policy, (enum engine_kind)engine, p ? p : own, &plan, err) < 0)
        plan = NULL;
    diffusion_proposal_free(own);
    return plan ? checked(plan, err) : NULL;
}

struct lora_proposal *kit_lora_proposal(void)
{
    struct lora_proposal *p = lora_proposal_new(NULL);

    assert_non_null(p);
    assert_non_null(p->optimization_strategy = lora_strategy_new(NULL));
    assert_non_null(p->resource_allocation = lora_allocation_new(NULL));
    assert_non_null(p->lora_config = lora_config_new(NULL));
    assert_non_null(p->training_strategy = lora_training_new(NULL));
    assert_non_null(p->memory_optimization = lora_memory_new(NULL));
    assert_non_null(p->expected_performance = lora_performance_new(NULL));
    return p;
}

struct diffusion_proposal *kit_diffusion_proposal(void)
{
    struct diffusion_proposal *p = diffusion_proposal_new(NULL);

    assert_non_null(p);
    assert_non_null(p->optimization_strategy = diffusion_strategy_new(NULL));
    assert_non_null(p->resource_allocation = diffusion_allocation_new(NULL));
    assert_non_null(p->sampling_strategy = diffusion_sampling_new(NULL));
    assert_non_null(p->memory_layout = diffusion_layout_new(NULL));
    assert_non_null(p->acceleration_techniques = diffusion_acceleration_new(NULL));
    return p;
}
