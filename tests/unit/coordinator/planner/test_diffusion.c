/* test_diffusion.c - what images cost, and a diffusion job planned for one device. */
#include "coordinator/planner/diffusion.h"

#include "device_kit.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/diffusion_cost.h"
#include "coordinator/planner/machine.h"

#include <math.h>
#include <stdio.h>

/* ---- the cost model ---- */

/* Stable Diffusion 2.1: UNet of 866 M parameters, heads of 64. */
static struct job *sd21(int64_t pixels)
{
    struct job *j = kit_diffusion("m");
    struct diffusion_job *d = j->diffusion;

    d->model->denoiser->parameters = 865910724;
    d->model->denoiser->flop_per_step = UNKNOWN_F64;
    d->model->text_encoder->parameters = 340387840;
    d->generation->width = d->generation->height = pixels;
    return j;
}

/* FLUX.1: 12 B parameters, of which a token passes its stream's half of the double blocks. */
static struct job *flux(void)
{
    struct job *j = kit_diffusion("m");
    struct diffusion_job *d = j->diffusion;

    d->model->denoiser->kind = DENOISER_KIND_TRANSFORMER;
    d->model->denoiser->parameters = 11901408320;
    d->model->denoiser->token_parameters = 6455033856;
    d->model->denoiser->layers = 57;
    d->model->denoiser->hidden_size = 3072;
    d->model->denoiser->head_dim = 128;
    d->model->denoiser->flop_per_step = UNKNOWN_F64;
    d->model->text_encoder->parameters = 4885000000;
    d->model->text_encoder->tokens = 256;
    return j;
}

static void flop_is_that_of_the_counted_models(void **state)
{
    struct job *small = sd21(512), *large = sd21(768), *f = flux(), *xl = kit_diffusion("m");
    struct image_model m;

    (void)state;
    /* counted layer by layer from the published configurations: 0.804 and 2.149 TFLOP */
    image_model_read(small->diffusion, &m);
    kit_close(image_flop(&m, 512, 512) / 0.804e12, 1, 0.02);
    image_model_read(large->diffusion, &m);
    kit_close(image_flop(&m, 768, 768) / 2.149e12, 1, 0.02);
    /* 56.2 in linear layers and 13.3 in attention */
    image_model_read(f->diffusion, &m);
    kit_close(image_flop(&m, 1024, 1024) / 69.45e12, 1, 0.01);
    /* given at 1024 x 1024: half the pixels half of it, twice the pixels four times */
    image_model_read(xl->diffusion, &m);
    kit_close(image_flop(&m, 1024, 1024), 6.76e12, 1);
    kit_close(image_flop(&m, 1024, 512), 3.38e12, 1);
    kit_close(image_flop(&m, 2048, 1024), 4 * 6.76e12, 1);
    /* the VAE decoder: 2.48 TFLOP at 512 x 512 */
    kit_close(m.vae_flop_per_pixel * 512 * 512 / 2.48e12, 1, 0.01);
    job_free(small);
    job_free(large);
    job_free(f);
    job_free(xl);
}

/* mflux prints what its files take: 33.73, 18.01 and 9.61 GB. */
static void weights_are_those_of_published_files(void **state)
{
    static const struct {
        int format;
        double gb;
    } rows[] = {
        {MODEL_FORMAT_BF16, 33.73}, {MODEL_FORMAT_Q8G64, 18.01}, {MODEL_FORMAT_Q4G64, 9.61}};
    struct job *j = flux();
    struct image_model m;

    (void)state;
    j->diffusion->model->vae = diffusion_vae_new(NULL);
    j->diffusion->model->vae->format = MODEL_FORMAT_BF16;
    image_model_read(j->diffusion, &m);
    for (size_t i = 0; i < 3; i++) {
        struct image_setup s = {
            .format = rows[i].format, .width = 1024, .height = 1024, .batch_size = 1, .steps = 4};
        struct image_memory memory;

        image_memory(&m, &s, &memory);
        kit_close(memory.weights / 1.02 / 1e9 / rows[i].gb, 1, 0.02);
    }
    job_free(j);
}

static void memory_follows_the_layout(void **state)
{
    struct job *j = kit_diffusion("m");
    struct image_setup s = {.format = MODEL_FORMAT_F16,
                            .width = 1024,
                            .height = 1024,
                            .batch_size = 1,
                            .steps = 30,
                            .guided = true};
    struct image_memory plain, tiled, apart, unfused;
    struct image_model m;

    (void)state;
    image_model_read(j->diffusion, &m);
    image_memory(&m, &s, &plain);
    s.tiling = true;
    image_memory(&m, &s, &tiled);
    s.offload = true;
    image_memory(&m, &s, &apart);
    assert_true(tiled.decode < plain.decode);
    kit_close(tiled.denoise, plain.denoise, 1);
    assert_true(apart.peak < tiled.peak);
    kit_close(apart.weights, plain.weights, 1); /* of all parts, wherever they are */
    s.batch_size = 4;
    image_memory(&m, &s, &tiled);
    assert_true(tiled.denoise > apart.denoise);
    m.is_fused = false;
    image_memory(&m, &s, &unfused);
    assert_true(unfused.denoise > tiled.denoise);
    job_free(j);
}

/* The ratio of each published run to the prediction: what the sources of a plan's times say. */
static void times_are_near_published_runs(void **state)
{
    char path[1024], *text = NULL, *save = NULL;
    size_t unet = 0, near = 0, runs = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/diffusion/runs.csv", ESPALIER_TEST_DATA);
    assert_int_equal(file_read(path, 65536, &text, NULL, NULL), 0);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char chip[64], model[32], what[16];
        long long cores, batch;
        double seconds, ratio;
        struct kit_mac mac = {.id = "m", .memory_gib = 128};
        struct snapshot *s;
        struct chip_table *chips = chip_table_new(NULL);
        struct policy policy = policy_default();
        struct machine machine;
        struct image_model m;
        struct image_time t;
        struct job *j;

        if (sscanf(line, "%63[^,],%lld,%31[^,],%lld,%15[^,],%lf", chip, &cores, model, &batch, what,
                   &seconds) != 6) {
            chip_table_free(chips);
            continue; /* the heading */
        }
        mac.chip = chip;
        mac.gpu_cores = cores;
        s = kit_fleet(&mac, 1);
        machine_of(&s->classes[0], chips, &policy, &machine);
        j = strcmp(model, "sd21") == 0 ? sd21(512) : flux();
        image_model_read(j->diffusion, &m);
        struct image_setup setup = {.format = MODEL_FORMAT_BF16,
                                    .width = j->diffusion->generation->width,
                                    .height = j->diffusion->generation->height,
                                    .batch_size = batch,
                                    .steps = 2,
                                    .guided = strcmp(model, "sd21") == 0};
        image_time(&m, &setup, &machine, &t);
        ratio = seconds / (strcmp(what, "step") == 0 ? t.step : t.image);
        print_message("%s, %s, batch %lld: %.3g s published, %.3g predicted, ratio %.2f\n", chip,
                      model, batch, seconds, seconds / ratio, ratio);
        if (strcmp(what, "step") == 0) {
            unet++;
            assert_true(fabs(ratio - 1) < 0.05);
        } else {
            runs++;
            near += fabs(ratio - 1) < 0.125;
            assert_true(ratio > 0.85 && ratio < 2);
        }
        job_free(j);
        snapshot_unref(s);
        chip_table_free(chips);
    }
    mem_free(text);
    assert_int_equal(unet, 7);
    assert_int_equal(runs, 6);
    assert_true(near >= 4);
}

/* ---- the plan ---- */

static struct snapshot *mac_with(double available_gib)
{
    struct kit_mac mac = {.id = "m",
                          .chip = "Apple M3 Max",
                          .gpu_cores = 40,
                          .memory_gib = 128,
                          .available_gib = available_gib};

    return kit_fleet(&mac, 1);
}

static void a_roomy_mac_makes_what_is_wanted(void **state)
{
    struct snapshot *s = mac_with(100);
    struct job *j = kit_diffusion("m");
    struct plan *plan = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    const struct image_generation *g = plan->assignments[0].image_generation;

    (void)state;
    assert_int_equal(plan->kind, PLAN_KIND_DIFFUSION);
    assert_int_equal(g->model_format, MODEL_FORMAT_F16);
    assert_string_equal(g->model_path, "sdxl");
    assert_int_equal(g->vae_format, MODEL_FORMAT_F32);
    assert_int_equal(g->width, 1024);
    assert_int_equal(g->steps, 30);
    assert_int_equal(g->batch_size, 2);
    assert_int_equal(g->images, 10);
    assert_int_equal(g->offload, TRI_FALSE);
    assert_int_equal(g->vae_tiling, TRI_FALSE);
    assert_int_equal(g->guided, TRI_TRUE);
    assert_int_equal(g->sampler, DIFFUSION_SAMPLER_EULER);
    kit_close(plan->diffusion->image_seconds,
              (plan->diffusion->text_seconds + 30 * plan->diffusion->step_seconds) / 2 +
                  plan->diffusion->decode_seconds,
              1e-6);
    kit_close(plan->diffusion->total_seconds, 10 * plan->diffusion->image_seconds, 1e-6);
    assert_non_null(strstr(plan->diffusion->flop_source, "given by the job"));
    assert_non_null(strstr(plan->diffusion->seconds_source, "within 5 %"));
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

/* Tiles, then one part at a time, then fewer bits, then fewer images, then smaller ones. */
static void less_memory_gives_way_in_order(void **state)
{
    struct job *j = kit_diffusion("m");
    int stage = 0, seen = 0;

    (void)state;
    for (int tenths = 300; tenths > 25; tenths--) {
        struct snapshot *s = mac_with(tenths / 10.0);
        struct err err = {0};
        struct plan *plan = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err);
        const struct image_generation *g;
        int now;

        if (!plan) {
            assert_int_equal(err.code, ERR_INFEASIBLE);
            snapshot_unref(s);
            continue;
        }
        g = plan->assignments[0].image_generation;
        now = g->width < 1024                       ? 5
              : g->batch_size < 2                   ? 4
              : g->model_format != MODEL_FORMAT_F16 ? 3
              : g->offload == TRI_TRUE              ? 2
              : g->vae_tiling == TRI_TRUE           ? 1
                                                    : 0;
        assert_true(now >= stage);
        seen |= 1 << now;
        stage = now;
        plan_free(plan);
        snapshot_unref(s);
    }
    assert_int_equal(seen & 0xf, 0xf); /* none, tiles, offload and fewer bits were all met */
    job_free(j);
}

static void a_time_limit_takes_steps_first(void **state)
{
    struct snapshot *s = mac_with(100);
    struct job *j = kit_diffusion("m");
    struct plan *free_plan = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *plan;
    double whole = free_plan->diffusion->image_seconds;
    struct err err = {0};

    (void)state;
    j->diffusion->constraints = diffusion_constraints_new(NULL);
    j->diffusion->constraints->image_seconds = 0.8 * whole;
    plan = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_true(plan->diffusion->image_seconds <= 0.8 * whole);
    assert_in_range(plan->assignments[0].image_generation->steps, 15, 29);
    assert_int_equal(plan->assignments[0].image_generation->width, 1024);
    plan_free(plan);
    j->diffusion->constraints->image_seconds = 0.35 * whole; /* also with 15 steps too long */
    plan = kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_true(plan->assignments[0].image_generation->width < 1024);
    assert_true(plan->diffusion->image_seconds <= 0.35 * whole);
    plan_free(plan);
    j->diffusion->constraints->image_seconds = 0.001;
    assert_null(kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "diffusion.constraints.image_seconds: 0.001; nearest: "));
    plan_free(free_plan);
    job_free(j);
    snapshot_unref(s);
}

static void what_cannot_be_planned_says_why(void **state)
{
    static const struct {
        enum err_code code;
        const char *text;
    } wanted[] = {{ERR_INVALID, "diffusion.device_id: missing"},
                  {ERR_NOT_FOUND, "diffusion.device_id: x, the fleet has no such device"},
                  {ERR_INVALID, "diffusion.generation.width: 1000, wanted a multiple of 64"},
                  {ERR_INVALID, "diffusion.generation.steps_min: 31, wanted at most steps, 30"},
                  {ERR_INVALID, "diffusion.generation.batch_size: 2, wanted at most images, 1"},
                  {ERR_INVALID, "diffusion.model.variants[1].format: f16 twice"},
                  {ERR_INVALID, "diffusion.model.vae.format: q4g64, wanted f32, f16 or bf16"},
                  {ERR_INFEASIBLE, "nothing fits m: the smallest set-up needs"}};

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct snapshot *s = mac_with(i == 7 ? 1.5 : 60);
        struct job *j = kit_diffusion(i == 1 ? "x" : "m");
        struct diffusion_generation *g = j->diffusion->generation;
        struct err err = {0};

        if (i == 0)
            text_set(&j->diffusion->device_id, NULL, NULL);
        if (i == 2)
            g->width = 1000;
        if (i == 3)
            g->steps_min = 31;
        if (i == 4)
            g->images = 1;
        if (i == 5)
            j->diffusion->model->variants[1].format = MODEL_FORMAT_F16;
        if (i == 6) {
            j->diffusion->model->vae = diffusion_vae_new(NULL);
            j->diffusion->model->vae->format = MODEL_FORMAT_Q4G64;
        }
        assert_null(kit_diffusion_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
        if (err.code != wanted[i].code || !strstr(err.text, wanted[i].text))
            fail_msg("case %zu: %s", i, err.text);
        job_free(j);
        snapshot_unref(s);
    }
}

static void proposals_are_used_repaired_or_replaced(void **state)
{
    struct snapshot *s = mac_with(14);
    struct job *j = kit_diffusion("m");
    struct diffusion_proposal *p = kit_diffusion_proposal();
    struct plan *plan;
    const struct image_generation *g;

    (void)state;
    p->optimization_strategy->model_format = MODEL_FORMAT_Q4G64;
    p->optimization_strategy->width = 1000;
    p->optimization_strategy->height = 4096;
    p->sampling_strategy->sampler = DIFFUSION_SAMPLER_DPMPP_2M;
    p->sampling_strategy->steps = 3;
    p->sampling_strategy->guidance = 6;
    p->memory_layout->vae_tiling = TRI_TRUE;
    p->acceleration_techniques->compile = TRI_FALSE;
    plan = kit_diffusion_plan(s, j, ENGINE_KIND_LM, p, NULL);
    g = plan->assignments[0].image_generation;
    assert_int_equal(g->model_format, MODEL_FORMAT_Q4G64);
    assert_int_equal(g->width, 960);
    assert_int_equal(g->height, 1024);
    assert_int_equal(g->steps, 15);
    assert_int_equal(g->sampler, DIFFUSION_SAMPLER_DPMPP_2M);
    assert_int_equal(g->compile, TRI_FALSE);
    assert_int_equal(kit_decision(plan, "", "optimization_strategy.width")->outcome,
                     OUTCOME_REPAIRED);
    assert_int_equal(kit_decision(plan, "", "sampling_strategy.steps")->constraint,
                     CONSTRAINT_RULE);
    assert_int_equal(kit_decision(plan, "", "sampling_strategy.guidance")->outcome, OUTCOME_USED);
    assert_int_equal(kit_decision(plan, "", "resource_allocation.batch_size")->outcome,
                     OUTCOME_MISSING);
    plan_free(plan);
    diffusion_proposal_free(p);
    p = kit_diffusion_proposal();
    p->optimization_strategy->model_format = MODEL_FORMAT_NVFP4; /* not of the job */
    p->memory_layout->vae_tiling = TRI_FALSE;                    /* does not fit */
    p->resource_allocation->memory_share = 0.1;                  /* nothing fits that */
    plan = kit_diffusion_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_true(kit_warned(plan, "replaced by the planner's own plan"));
    assert_int_equal(kit_decision(plan, "", "optimization_strategy.model_format")->outcome,
                     OUTCOME_REJECTED);
    plan_free(plan);
    diffusion_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void lost_memory_is_survived(void **state)
{
    struct snapshot *s = mac_with(20);
    struct job *j = kit_diffusion("m");
    struct policy policy = policy_default();
    struct diffusion_proposal *p = NULL;
    struct plan *plan = NULL;
    struct err err = {0};
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = diffusion_propose(s, j, &policy, &p, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0);
    nth = 0;
    do {
        mem_fail_at(++nth);
        rc = diffusion_verify(s, j, &policy, ENGINE_KIND_LM, p, &plan, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0);
    assert_true(nth > 40);
    plan_free(plan);
    diffusion_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flop_is_that_of_the_counted_models),
        cmocka_unit_test(weights_are_those_of_published_files),
        cmocka_unit_test(memory_follows_the_layout),
        cmocka_unit_test(times_are_near_published_runs),
        cmocka_unit_test(a_roomy_mac_makes_what_is_wanted),
        cmocka_unit_test(less_memory_gives_way_in_order),
        cmocka_unit_test(a_time_limit_takes_steps_first),
        cmocka_unit_test(what_cannot_be_planned_says_why),
        cmocka_unit_test(proposals_are_used_repaired_or_replaced),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
