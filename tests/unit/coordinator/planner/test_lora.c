/* test_lora.c - a LoRA job planned for one device. */
#include "coordinator/planner/lora.h"

#include "device_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "coordinator/planner/cost.h"

#include <math.h>

static void the_fastest_that_fits(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-3"); /* an M3 Max with 48 GB */
    struct plan *plan = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    const struct assignment *a = &plan->assignments[0];
    const struct training *t = a->training;
    struct cost_setup set = {.format = t->model_format,
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

    (void)state;
    assert_int_equal(plan->kind, PLAN_KIND_LORA);
    assert_string_equal(a->device_id, "mac-3");
    assert_string_equal(plan->lora->device_id, "mac-3");
    assert_int_equal(t->rank, 16);
    assert_int_equal(t->layers, 36);
    assert_int_equal(t->sequence_length, 1024);
    assert_int_equal(t->batch_size * t->grad_accumulation, 16);
    assert_int_equal(t->local_steps, 250); /* one epoch of 4000 rows */
    assert_int_equal(t->iters, 250 * t->grad_accumulation);
    assert_int_equal(t->upload_format, 0); /* nothing is sent anywhere */
    assert_true(isnan(t->deadline_seconds));
    assert_int_equal(t->memory_limit_bytes, (int64_t)(0.9 * (double)a->memory_limit_bytes));
    /* the prediction is the cost model's, of exactly this training */
    cost_memory(j->lora->model->shape, &set, COST_METAL, 1, &m);
    assert_int_equal(a->prediction->memory_bytes, (int64_t)ceil(m.peak));
    assert_true(m.peak <= 0.9 * (double)a->memory_limit_bytes);
    assert_int_equal(plan->lora->trainable_parameters,
                     (int64_t)cost_trainable(j->lora->model->shape, &set));
    kit_close(plan->lora->training_seconds, 30 + 250 * a->prediction->step_seconds, 1e-6);
    kit_close(plan->lora->epochs, 1, 1e-9);
    assert_non_null(strstr(plan->lora->seconds_source, "efficiency"));
    assert_int_equal(plan->forecast->clients, 1);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

/* What measurements of such runs taught corrects the plan, and is said; what its own measurements
 * will be held against is the model before that. */
static void what_was_measured_corrects_it(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-3");
    struct plan *before = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *after;
    const struct prediction *was = before->assignments[0].prediction, *is;
    struct calibration *c;
    bool said = false;

    (void)state;
    assert_non_null(was->calibration_key);
    assert_true(was->activation_bytes > 0 && was->fixed_bytes > 0);
    c = records_add(&calibration_type, &s->calibrations, &s->calibrations_count, NULL);
    assert_int_equal(text_set(&c->key, was->calibration_key, NULL), 0);
    c->activation_factor = 0.9;
    c->step_factor = 1.2;
    c->memory_samples = c->step_samples = 8;
    after = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    is = after->assignments[0].prediction;
    assert_string_equal(is->calibration_key, was->calibration_key);
    assert_true(is->memory_bytes < was->memory_bytes);
    assert_true(is->step_seconds > 1.15 * was->step_seconds);
    assert_int_equal(is->activation_bytes, was->activation_bytes);
    assert_int_equal(is->fixed_bytes, was->fixed_bytes);
    kit_close(is->micro_seconds, was->micro_seconds, 1e-9);
    for (size_t i = 0; i < after->assignments[0].reasons_count; i++)
        said |= strcmp(after->assignments[0].reasons[i].field, "prediction.memory_bytes") == 0;
    assert_true(said);
    plan_free(before);
    plan_free(after);
    job_free(j);
    snapshot_unref(s);
}

/* Less memory gives way in the fixed order, and every step says so. */
static void smaller_machines_get_less(void **state)
{
    static const struct {
        double available_gib;
        int format;
        bool checkpoint;
    } rows[] = {{46, MODEL_FORMAT_BF16, false},
                {19, MODEL_FORMAT_BF16, true},
                {9, MODEL_FORMAT_Q4G64, true}};
    struct job *j = kit_lora("m");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kit_mac mac = {.id = "m",
                              .chip = "Apple M3 Max",
                              .gpu_cores = 40,
                              .memory_gib = 64,
                              .available_gib = rows[i].available_gib};
        struct snapshot *s = kit_fleet(&mac, 1);
        struct plan *plan = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
        const struct training *t;

        assert_non_null(plan);
        t = plan->assignments[0].training;
        assert_int_equal(t->model_format, rows[i].format);
        assert_int_equal(t->grad_checkpoint == TRI_TRUE, rows[i].checkpoint);
        assert_non_null(kit_reason(&plan->assignments[0], "model_format"));
        plan_free(plan);
        snapshot_unref(s);
    }
    job_free(j);
}

static void a_deadline_limits_the_updates(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-3");
    struct err err = {0};
    struct plan *plan;

    (void)state;
    j->lora->run = lora_run_new(NULL);
    j->lora->run->epochs = 3;
    j->lora->run->deadline_seconds = 3600;
    plan = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_true(plan->lora->training_seconds <= 3600);
    assert_true(plan->lora->epochs < 3);
    assert_true(plan->lora->training_seconds + plan->assignments[0].prediction->step_seconds >
                3600);
    assert_true(kit_warned(plan, "epochs"));
    plan_free(plan);
    j->lora->run->deadline_seconds = 31; /* a second after loading */
    assert_null(kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "lora.run.deadline_seconds: 31"));
    assert_non_null(strstr(err.text, "nearest"));
    job_free(j);
    snapshot_unref(s);
}

static void what_cannot_be_planned_says_why(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 8; i++) {
        static const struct {
            enum err_code code;
            const char *text;
        } wanted[] = {{ERR_INVALID, "lora.device_id: missing"},
                      {ERR_NOT_FOUND, "lora.device_id: nobody, the fleet has no such device"},
                      {ERR_INVALID, "lora.tuning.method: full, wanted lora or dora"},
                      {ERR_INVALID, "lora.tuning.layers: 99, wanted at most the model's 36"},
                      {ERR_INVALID, "lora.model.variants[1].format: bf16 twice"},
                      {ERR_INFEASIBLE, "lora.device_id: mac-1 cannot take part: offline"},
                      {ERR_INVALID, "lora.model.config_json: missing"},
                      {ERR_INFEASIBLE, "nothing fits mac-1: the smallest set-up needs"}};
        struct job *j = kit_lora(i == 1 ? "nobody" : "mac-1");

        if (i == 0)
            text_set(&j->lora->device_id, NULL, NULL);
        if (i == 2)
            j->lora->tuning->method = FINE_TUNE_METHOD_FULL;
        if (i == 3)
            j->lora->tuning->layers = 99;
        if (i == 4)
            j->lora->model->variants[1].format = MODEL_FORMAT_BF16;
        s->clients[0].liveness = i == 5 ? LIVENESS_OFFLINE : LIVENESS_ONLINE;
        if (i == 6) {
            model_shape_free(j->lora->model->shape);
            j->lora->model->shape = NULL;
        }
        if (i == 7) {
            j->lora->model->variants_count = 1; /* bf16 on 8 GB */
            record_clear(&model_variant_type, &j->lora->model->variants[1]);
        }
        assert_null(kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
        if (err.code != wanted[i].code || !strstr(err.text, wanted[i].text))
            fail_msg("case %d: %s", i, err.text);
        job_free(j);
    }
    snapshot_unref(s);
}

static void a_proposal_within_the_envelope_is_used(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-4"); /* an M2 Ultra with 192 GB */
    struct lora_proposal *p = kit_lora_proposal();
    struct plan *plan;
    const struct training *t;

    (void)state;
    j->lora->tuning->effective_batch = UNKNOWN_I64;
    p->lora_config->rank = 8;
    p->lora_config->alpha = 64;
    p->lora_config->layers = 20;
    p->lora_config->dropout = 0.1;
    p->training_strategy->batch_size = 16;
    p->training_strategy->learning_rate = 3e-4;
    p->training_strategy->lr_schedule = LR_SCHEDULE_COSINE;
    p->training_strategy->warmup_steps = 10;
    p->training_strategy->updates = 100;
    p->expected_performance->memory_bytes = 1;
    plan = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);
    t = plan->assignments[0].training;
    assert_int_equal(t->rank, 8);
    kit_close(t->scale, 8, 1e-9); /* alpha over rank */
    assert_int_equal(t->layers, 20);
    kit_close(t->dropout, 0.1, 1e-9);
    assert_int_equal(t->batch_size, 16);
    kit_close(t->learning_rate, 3e-4, 1e-12);
    assert_int_equal(t->lr_schedule, LR_SCHEDULE_COSINE);
    assert_int_equal(t->warmup_steps, 10);
    assert_int_equal(t->local_steps, 100);
    assert_int_equal(kit_decision(plan, "", "lora_config.rank")->outcome, OUTCOME_USED);
    assert_int_equal(kit_decision(plan, "", "lora_config.rank")->engine, ENGINE_KIND_LM);
    assert_int_equal(kit_decision(plan, "", "memory_optimization.grad_checkpoint")->outcome,
                     OUTCOME_MISSING);
    /* a prediction is never taken from an engine */
    assert_int_equal(kit_decision(plan, "", "expected_performance.memory_bytes")->outcome,
                     OUTCOME_REJECTED);
    plan_free(plan);
    lora_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void what_does_not_fit_or_is_stated_is_repaired(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-2"); /* an M2 Pro with 16 GB */
    struct lora_proposal *p = kit_lora_proposal();
    struct plan *plan;
    const struct training *t;

    (void)state;
    j->lora->tuning->scale = 10;
    p->optimization_strategy->model_format = MODEL_FORMAT_BF16;
    p->optimization_strategy->sequence_length = 1000000;
    p->resource_allocation->memory_share = 1;
    p->lora_config->rank = 1000;
    p->lora_config->alpha = 7;
    p->lora_config->layers = 36;
    p->training_strategy->batch_size = 16;
    p->memory_optimization->grad_checkpoint = TRI_FALSE;
    plan = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);
    t = plan->assignments[0].training;
    assert_int_equal(t->model_format, MODEL_FORMAT_Q4G64);
    assert_int_equal(t->rank, 16);
    kit_close(t->scale, 10, 1e-9);
    assert_true(t->batch_size < 16);
    assert_int_equal(kit_decision(plan, "", "optimization_strategy.model_format")->outcome,
                     OUTCOME_REPAIRED);
    assert_int_equal(kit_decision(plan, "", "optimization_strategy.sequence_length")->constraint,
                     CONSTRAINT_RULE);
    assert_int_equal(kit_decision(plan, "", "lora_config.rank")->outcome, OUTCOME_REPAIRED);
    assert_string_equal(kit_decision(plan, "", "lora_config.alpha")->reason, "the job states 160");
    assert_int_equal(kit_decision(plan, "", "training_strategy.batch_size")->constraint,
                     CONSTRAINT_MEMORY);
    plan_free(plan);
    lora_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void a_worse_proposal_is_replaced(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-4");
    struct lora_proposal *p = kit_lora_proposal();
    struct plan *plan;

    (void)state;
    j->lora->tuning->effective_batch = UNKNOWN_I64;
    p->training_strategy->batch_size = 1;
    p->memory_optimization->grad_checkpoint = TRI_TRUE;
    plan = kit_lora_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_true(kit_warned(plan, "replaced by the planner's own plan"));
    assert_int_equal(plan->assignments[0].training->grad_checkpoint, TRI_FALSE);
    assert_int_equal(kit_decision(plan, "", "memory_optimization.grad_checkpoint")->outcome,
                     OUTCOME_REJECTED);
    plan_free(plan);
    lora_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void what_other_jobs_hold_is_not_planned(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-3");
    struct plan *alone = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *beside;
    struct client *c = &s->clients[2];

    (void)state;
    c->committed_job_ids = mem_calloc(1, sizeof(char *));
    c->committed_job_bytes = mem_calloc(1, sizeof(int64_t));
    c->committed_job_ids[0] = mem_strdup("other");
    c->committed_job_bytes[0] = 20000000000;
    c->committed_jobs = 1;
    beside = kit_lora_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_int_equal(beside->assignments[0].memory_limit_bytes + 20000000000,
                     alone->assignments[0].memory_limit_bytes);
    assert_non_null(strstr(beside->assignments[0].memory_limit_source, "of other jobs"));
    plan_free(alone);
    plan_free(beside);
    job_free(j);
    snapshot_unref(s);
}

static void lost_memory_is_survived(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_lora("mac-3");
    struct policy policy = policy_default();
    struct lora_proposal *p = NULL;
    struct plan *plan = NULL;
    struct err err = {0};
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = lora_propose(s, j, &policy, &p, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0);
    nth = 0;
    do {
        mem_fail_at(++nth);
        rc = lora_verify(s, j, &policy, ENGINE_KIND_LM, p, &plan, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0);
    assert_true(nth > 50);
    plan_free(plan);
    lora_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fastest_that_fits),
        cmocka_unit_test(what_was_measured_corrects_it),
        cmocka_unit_test(smaller_machines_get_less),
        cmocka_unit_test(a_deadline_limits_the_updates),
        cmocka_unit_test(what_cannot_be_planned_says_why),
        cmocka_unit_test(a_proposal_within_the_envelope_is_used),
        cmocka_unit_test(what_does_not_fit_or_is_stated_is_repaired),
        cmocka_unit_test(a_worse_proposal_is_replaced),
        cmocka_unit_test(what_other_jobs_hold_is_not_planned),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
