/* test_device_properties.c - what must hold for any device, any job for one, and any proposal.
 *
 * Cases are made from a seed, which is printed when one fails. */
#include "device_kit.h"
#include "planner_random.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/diffusion_cost.h"

#include <math.h>

#define CASES 1500

static double maybe_f64(struct kit_random *r, double low, double high)
{
    return kit_chance(r, 0.5) ? kit_uniform(r, low, high) : UNKNOWN_F64;
}

static struct job *random_lora(struct kit_random *r, const struct snapshot *s)
{
    size_t client = (size_t)kit_range(r, 0, (int64_t)s->clients_count - 1);
    struct job *j = kit_lora(s->clients[client].device_id);
    struct tuning_spec *t = j->lora->tuning;

    text_set(&j->lora->model->shape->model_type, NULL, NULL);
    kit_shape((enum kit_model)kit_range(r, 0, KIT_MODELS - 1), j->lora->model->shape);
    text_set(&j->lora->model->shape->model_type, "llama", NULL);
    j->lora->model->variants[0].format = (int)kit_range(r, 1, 14);
    j->lora->model->variants[1].format = (int)kit_range(r, 1, 14);
    t->method = (int)kit_range(r, 1, 2);
    t->targets = (int)kit_range(r, 0, 2);
    t->rank = maybe(r, 1, 128);
    t->rank_min = maybe(r, 1, 64);
    t->layers = maybe(r, 1, 40);
    t->layers_min = maybe(r, 1, 20);
    t->batch_size = kit_chance(r, 0.2) ? kit_range(r, 1, 32) : UNKNOWN_I64;
    t->effective_batch = maybe(r, 1, 64);
    t->sequence_length = kit_range(r, 32, 4000);
    t->sequence_length_min = maybe(r, 32, 4000);
    t->grad_checkpoint = kit_chance(r, 0.3) ? (int)kit_range(r, 0, 1) : TRI_UNKNOWN;
    t->scale = maybe_f64(r, 0.1, 100);
    t->optimizer = (int)kit_range(r, 0, 4);
    j->lora->data->examples = kit_range(r, 1, 100000);
    j->lora->data->tokens_per_example = maybe_f64(r, 1, 5000);
    if (kit_chance(r, 0.5)) {
        j->lora->run = lora_run_new(NULL);
        assert_non_null(j->lora->run);
        j->lora->run->epochs = maybe_f64(r, 0.01, 20);
        j->lora->run->updates = maybe(r, 1, 100000);
        j->lora->run->deadline_seconds = maybe_f64(r, 10, 1e6);
    }
    return j;
}

static struct lora_proposal *hostile_lora(struct kit_random *r)
{
    struct lora_proposal *p = kit_lora_proposal();

    p->optimization_strategy->model_format = hostile_enum(r, 14);
    p->optimization_strategy->sequence_length = hostile_i64(r, 32, 4000);
    p->resource_allocation->memory_share = hostile_f64(r, 0.1, 1);
    p->lora_config->rank = hostile_i64(r, 1, 128);
    p->lora_config->alpha = hostile_f64(r, 1, 1000);
    p->lora_config->targets = hostile_enum(r, 2);
    p->lora_config->layers = hostile_i64(r, 1, 80);
    p->lora_config->dropout = hostile_f64(r, 0, 0.9);
    p->training_strategy->batch_size = hostile_i64(r, 1, 64);
    p->training_strategy->grad_accumulation = hostile_i64(r, 1, 64);
    p->training_strategy->learning_rate = hostile_f64(r, 1e-6, 1e-2);
    p->training_strategy->lr_schedule = hostile_enum(r, 3);
    p->training_strategy->warmup_steps = hostile_i64(r, 0, 1000);
    p->training_strategy->updates = hostile_i64(r, 1, 100000);
    p->memory_optimization->grad_checkpoint = (int)kit_range(r, -1, 1);
    p->expected_performance->memory_bytes = hostile_i64(r, 0, 100000000000);
    p->expected_performance->tokens_per_second = hostile_f64(r, 0, 1e6);
    return p;
}

static void check_lora(const struct job *j, const struct plan *plan)
{
    const struct assignment *a = &plan->assignments[0];
    const struct training *t = a->training;
    const struct tuning_spec *u = j->lora->tuning;
    const struct model_shape *shape = j->lora->model->shape;
    struct cost_setup c = {.format = t->model_format,
                           .method = t->method,
                           .targets = t->targets,
                           .optimizer = t->optimizer,
                           .rank = t->rank,
                           .layers = t->layers,
                           .batch_size = t->batch_size,
                           .grad_accumulation = t->grad_accumulation,
                           .sequence_length = t->sequence_length,
                           .grad_checkpoint = t->grad_checkpoint == TRI_TRUE};
    struct cost_memory m;

    cost_memory(shape, &c, COST_METAL, 1, &m); /* the CPU's form is never less */
    holds(m.peak <= (double)a->memory_limit_bytes);
    holds(m.peak <= (double)t->memory_limit_bytes + 1);
    holds(a->prediction->memory_bytes <= a->memory_limit_bytes);
    holds(t->layers <= shape->layers);
    holds(!known_i64(u->rank) || t->rank <= u->rank);
    holds(!known_i64(u->rank_min) || t->rank >= u->rank_min || t->rank == u->rank);
    holds(t->sequence_length <= u->sequence_length);
    holds(t->batch_size <= j->lora->data->examples);
    holds(u->grad_checkpoint == TRI_UNKNOWN || t->grad_checkpoint == u->grad_checkpoint ||
          (u->grad_checkpoint == TRI_TRUE && t->grad_checkpoint == TRI_TRUE));
    holds(t->iters == t->local_steps * t->grad_accumulation);
    holds(t->warmup_steps < t->local_steps);
    if (j->lora->run && known_f64(j->lora->run->deadline_seconds))
        holds(plan->lora->training_seconds <= j->lora->run->deadline_seconds * (1 + 1e-9));
    if (j->lora->run && known_i64(j->lora->run->updates))
        holds(t->local_steps <= j->lora->run->updates);
}

static void no_training_is_over_memory(void **state)
{
    size_t planned = 0, refused = 0;

    (void)state;
    for (current_seed = 1; current_seed <= CASES; current_seed++) {
        struct kit_random r = {current_seed};
        struct snapshot *s = random_fleet(&r);
        struct job *j = random_lora(&r, s);
        struct lora_proposal *p = kit_chance(&r, 0.7) ? hostile_lora(&r) : NULL;
        struct err err = {0};
        struct plan *plan = kit_lora_plan(s, j, ENGINE_KIND_LM, p, &err);

        if (plan) {
            check_lora(j, plan);
            planned++;
        } else {
            holds(err.code == ERR_INFEASIBLE || err.code == ERR_INVALID);
            refused++;
        }
        plan_free(plan);
        lora_proposal_free(p);
        job_free(j);
        snapshot_unref(s);
    }
    assert_true(planned > CASES / 20);
    assert_true(refused > CASES / 20);
}

static struct job *random_diffusion(struct kit_random *r, const struct snapshot *s)
{
    size_t client = (size_t)kit_range(r, 0, (int64_t)s->clients_count - 1);
    struct job *j = kit_diffusion(s->clients[client].device_id);
    struct diffusion_generation *g = j->diffusion->generation;
    struct diffusion_denoiser *d = j->diffusion->model->denoiser;

    d->kind = (int)kit_range(r, 1, 2);
    d->parameters = kit_range(r, 10000000, 20000000000);
    d->head_dim = maybe(r, 32, 160);
    d->flop_per_step = maybe_f64(r, 1e10, 1e14);
    d->layers = maybe(r, 1, 80);
    d->hidden_size = maybe(r, 64, 6000);
    j->diffusion->model->text_encoder->parameters = kit_range(r, 1000000, 5000000000);
    g->width = 64 * kit_range(r, 1, 32);
    g->height = 64 * kit_range(r, 1, 32);
    g->size_share_min = maybe_f64(r, 0.05, 1);
    g->batch_size = maybe(r, 1, 10);
    g->images = maybe(r, 10, 100);
    g->steps = kit_range(r, 15, 60);
    g->guided = (int)kit_range(r, -1, 1);
    if (kit_chance(r, 0.5)) {
        j->diffusion->constraints = diffusion_constraints_new(NULL);
        assert_non_null(j->diffusion->constraints);
        j->diffusion->constraints->image_seconds = maybe_f64(r, 1, 1000);
        j->diffusion->constraints->offload = (int)kit_range(r, -1, 1);
        j->diffusion->constraints->vae_tiling = (int)kit_range(r, -1, 1);
    }
    return j;
}

static struct diffusion_proposal *hostile_diffusion(struct kit_random *r)
{
    struct diffusion_proposal *p = kit_diffusion_proposal();

    p->optimization_strategy->model_format = hostile_enum(r, 14);
    p->optimization_strategy->width = hostile_i64(r, 1, 4000);
    p->optimization_strategy->height = hostile_i64(r, 1, 4000);
    p->resource_allocation->memory_share = hostile_f64(r, 0.1, 1);
    p->resource_allocation->batch_size = hostile_i64(r, 1, 20);
    p->sampling_strategy->sampler = hostile_enum(r, 5);
    p->sampling_strategy->steps = hostile_i64(r, 1, 100);
    p->sampling_strategy->guidance = hostile_f64(r, 0, 20);
    p->memory_layout->offload = (int)kit_range(r, -1, 1);
    p->memory_layout->vae_tiling = (int)kit_range(r, -1, 1);
    p->acceleration_techniques->compile = (int)kit_range(r, -1, 1);
    return p;
}

static void check_diffusion(const struct job *j, const struct plan *plan)
{
    const struct assignment *a = &plan->assignments[0];
    const struct image_generation *g = a->image_generation;
    const struct diffusion_generation *w = j->diffusion->generation;
    const struct diffusion_constraints *c = j->diffusion->constraints;
    struct image_setup s = {.format = g->model_format,
                            .width = g->width,
                            .height = g->height,
                            .batch_size = g->batch_size,
                            .steps = g->steps,
                            .guided = g->guided == TRI_TRUE,
                            .offload = g->offload == TRI_TRUE,
                            .tiling = g->vae_tiling == TRI_TRUE};
    struct image_model m;
    struct image_memory memory;

    image_model_read(j->diffusion, &m);
    image_memory(&m, &s, &memory);
    holds(memory.peak <= (double)a->memory_limit_bytes);
    holds(memory.peak <= (double)g->memory_limit_bytes + 1);
    holds(g->width <= w->width && g->height <= w->height && g->steps <= w->steps);
    holds(g->width % 64 == 0 && g->height % 64 == 0);
    holds(g->steps >= (known_i64(w->steps_min) ? w->steps_min : 1));
    holds(!known_i64(w->batch_size) || g->batch_size <= w->batch_size);
    if (c && known_f64(c->image_seconds))
        holds(plan->diffusion->image_seconds <= c->image_seconds * (1 + 1e-9));
    if (c && c->offload != TRI_UNKNOWN)
        holds(g->offload == c->offload);
    if (c && c->vae_tiling != TRI_UNKNOWN)
        holds(g->vae_tiling == c->vae_tiling);
}

static void no_image_is_over_memory(void **state)
{
    size_t planned = 0, refused = 0;

    (void)state;
    for (current_seed = 1; current_seed <= CASES; current_seed++) {
        struct kit_random r = {current_seed};
        struct snapshot *s = random_fleet(&r);
        struct job *j = random_diffusion(&r, s);
        struct diffusion_proposal *p = kit_chance(&r, 0.7) ? hostile_diffusion(&r) : NULL;
        struct err err = {0};
        struct plan *plan = kit_diffusion_plan(s, j, ENGINE_KIND_LM, p, &err);

        if (plan) {
            check_diffusion(j, plan);
            planned++;
        } else {
            holds(err.code == ERR_INFEASIBLE || err.code == ERR_INVALID);
            refused++;
        }
        plan_free(plan);
        diffusion_proposal_free(p);
        job_free(j);
        snapshot_unref(s);
    }
    assert_true(planned > CASES / 20);
    assert_true(refused > CASES / 20);
}

/* The same inputs give the same bytes. */
static void plans_are_a_function_of_their_inputs(void **state)
{
    (void)state;
    for (current_seed = 1; current_seed <= 50; current_seed++) {
        struct kit_random r = {current_seed};
        struct snapshot *s = random_fleet(&r);
        struct job *j = random_lora(&r, s);
        struct lora_proposal *p = hostile_lora(&r);
        struct plan *a = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);
        struct plan *b = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);

        holds(!a == !b);
        if (a)
            holds(record_equal(&plan_type, a, b));
        plan_free(a);
        plan_free(b);
        lora_proposal_free(p);
        job_free(j);
        snapshot_unref(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_training_is_over_memory),
        cmocka_unit_test(no_image_is_over_memory),
        cmocka_unit_test(plans_are_a_function_of_their_inputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
