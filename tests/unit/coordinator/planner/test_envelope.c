/* test_envelope.c - the configurations of each class: all of them fit, none that fits is missing.
 */
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/envelope_list.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

static void configurations_are_counted_and_all_fit(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    struct envelope *e = envelope_build(s, j, &policy, NULL);

    (void)state;
    assert_non_null(e);
    assert_int_equal(envelope_classes(e), 4);
    for (size_t k = 0; k < 4; k++) {
        const struct class_summary *c = envelope_summary(e, k);
        struct configuration f;
        size_t cursor = 0;
        int64_t count = 0, largest = 0;
        double fastest = 0;

        while (envelope_next(e, k, &cursor, &f)) {
            count++;
            assert_true((double)f.memory_bytes <= 0.9 * (double)c->memory_limit_bytes);
            assert_true(f.step_seconds > 0 && f.layers >= 4 && f.sequence_length >= 256);
            if (f.tokens_per_second > fastest)
                fastest = f.tokens_per_second;
            if (f.layers == 16 && f.sequence_length == 512 && f.batch_size > largest)
                largest = f.batch_size;
        }
        assert_false(envelope_next(e, k, &cursor, &f)); /* the end stays the end */
        assert_int_equal(count, c->configurations);
        assert_true(fastest == c->best_tokens_per_second);
        assert_true(c->max_batch_size >= largest && c->max_batch_size < 2 * largest);
        assert_null(envelope_refusal(e, k));
        assert_string_equal(c->client_class, s->classes[k].id);
    }
    assert_true(envelope_summary(e, 0)->configurations < envelope_summary(e, 3)->configurations);
    envelope_free(e);
    job_free(j);
    snapshot_unref(s);
}

static void a_class_that_cannot_take_part_says_why(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_8B);
    struct policy policy = policy_default();
    struct envelope *e;

    (void)state;
    j->federated->model->variants_count = 1; /* bf16: 16 GB of weights */
    s->classes[1].state->thermal = THERMAL_SERIOUS;
    e = envelope_build(s, j, &policy, NULL);
    assert_non_null(e);
    assert_int_equal(envelope_summary(e, 0)->constraint, CONSTRAINT_MEMORY);
    assert_int_equal(envelope_summary(e, 0)->configurations, 0);
    assert_non_null(strstr(envelope_summary(e, 0)->text, "nothing fits"));
    assert_int_equal(envelope_summary(e, 1)->constraint, CONSTRAINT_THERMAL);
    assert_non_null(strstr(envelope_refusal(e, 1), "cooling"));
    envelope_free(e);
    envelope_free(NULL);
    j->federated->model->variants_count = 2;
    job_free(j);
    snapshot_unref(s);
}

static void a_job_without_shape_is_refused(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B), *pipeline = kit_pipeline();
    struct policy policy = policy_default();
    struct err err = {0};

    (void)state;
    model_shape_free(j->federated->model->shape);
    j->federated->model->shape = NULL;
    assert_null(envelope_build(s, j, &policy, &err));
    assert_non_null(strstr(err.text, "model.shape: missing"));
    assert_null(envelope_build(s, pipeline, &policy, &err));
    assert_int_equal(err.code, ERR_INVALID);
    job_free(j);
    job_free(pipeline);
    snapshot_unref(s);
}

/* What experts cost in training was never measured; better no plan than one from a wrong model. */
static void a_model_with_experts_is_refused(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    struct err err = {0};

    (void)state;
    j->federated->model->shape->experts = 8;
    j->federated->model->shape->experts_per_token = 2;
    assert_null(envelope_build(s, j, &policy, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "has experts"));
    job_free(j);
    snapshot_unref(s);
}

static void building_survives_lost_memory(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    struct envelope *e = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        e = envelope_build(s, j, &policy, NULL);
    } while (!e && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 10, 999);
    envelope_free(e);
    job_free(j);
    snapshot_unref(s);
}

/* Each row of the grid is either whole, or has its first batch that does not fit. */
static void what_does_not_fit_is_listed_too(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_8B);
    struct policy policy = policy_default();
    struct envelope *e = envelope_build(s, j, &policy, NULL);

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        struct envelope_list *list = envelope_list_make(e, k, true, NULL);
        const struct listed_class *c = &list->classes[0];
        int64_t fit = 0, over = 0;

        assert_int_equal(list->classes_count, 1);
        assert_int_equal(record_check(&envelope_list_type, list, NULL), 0);
        for (size_t i = 0; i < c->configurations_count; i++) {
            const struct listed_configuration *f = &c->configurations[i];
            bool fits = f->fits == TRI_TRUE;

            fit += fits;
            over += !fits;
            assert_true(fits == (f->memory_bytes <= c->room_bytes));
            assert_int_equal(f->constraint, fits ? CONSTRAINT_NONE : CONSTRAINT_MEMORY);
            assert_true(f->step_seconds > 0 && f->tokens_per_second > 0);
        }
        assert_int_equal(fit, c->summary->configurations);
        assert_true(over > 0);
        envelope_list_free(list);
    }
    envelope_free(e);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_counted_and_all_fit),
        cmocka_unit_test(a_class_that_cannot_take_part_says_why),
        cmocka_unit_test(a_job_without_shape_is_refused),
        cmocka_unit_test(a_model_with_experts_is_refused),
        cmocka_unit_test(building_survives_lost_memory),
        cmocka_unit_test(what_does_not_fit_is_listed_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
