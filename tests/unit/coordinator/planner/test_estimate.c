/* test_estimate.c - one model on one machine: memory, rates, and what cannot be said. (How near the
 * rates are to published ones is tests/truth's matter.) */
#include "coordinator/planner/estimate.h"

#include "planner_kit.h"

#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/policy.h"

#include <math.h>
#include <string.h>

struct fixture {
    struct model_shape shape;
    struct estimate_ask ask;
    struct profile *profile;
};

static struct fixture fixture(enum inference_engine engine, const char *format)
{
    struct fixture f;

    memset(&f, 0, sizeof f);
    kit_shape(KIT_LLAMA_8B, &f.shape);
    f.ask = (struct estimate_ask){.engine = engine,
                                  .prompt_tokens = 512,
                                  .context_tokens = 128,
                                  .activation_factor = 1,
                                  .step_factor = 1,
                                  .setup = {.method = FINE_TUNE_METHOD_LORA,
                                            .targets = LORA_TARGETS_ALL,
                                            .optimizer = OPTIMIZER_ADAMW,
                                            .rank = 8,
                                            .layers = 16,
                                            .batch_size = 1,
                                            .grad_accumulation = 1,
                                            .sequence_length = 1024}};
    assert_int_equal(weight_format_find(engine, format, &f.ask.format, NULL), 0);
    f.profile = profile_new(NULL);
    assert_non_null(f.profile);
    f.profile->origin = DEVICE_ORIGIN_RECORDED;
    return f;
}

static void machine_is(struct fixture *f, const char *chip, int64_t cores, double gib)
{
    if (chip)
        assert_int_equal(text_set(&f->profile->chip, chip, NULL), 0);
    if (cores)
        f->profile->gpu_cores = cores;
    if (gib > 0)
        f->profile->memory_bytes = (int64_t)(gib * 1073741824);
}

static struct estimate estimate(struct fixture *f)
{
    struct device_class c = {.profile = f->profile, .devices = 1};
    struct chip_table *chips = chip_table_new(NULL);
    struct inference_table *t = inference_table_new(NULL);
    struct policy policy = policy_default();
    struct machine m;
    struct estimate e;

    assert_non_null(chips);
    assert_non_null(t);
    f->ask.shape = &f->shape;
    machine_of(&c, chips, &policy, &m);
    estimate_make(&f->ask, &c, &m, t, &e);
    inference_table_free(t);
    chip_table_free(chips);
    profile_free(f->profile);
    f->profile = NULL;
    return e;
}

static void a_known_mac_gets_every_number(void **state)
{
    struct fixture f = fixture(INFERENCE_MLX, "q4g64");
    struct estimate e;

    (void)state;
    machine_is(&f, "Apple M1 Max", 32, 32);
    e = estimate(&f);
    kit_close(e.inference.weights, 8.0303e9 * 4.5 / 8, 1);
    kit_close(e.inference.cache, 2.0 * 32 * 1024 * 2 * 512, 1);
    assert_true(e.memory_bytes == e.inference.total);
    assert_int_equal(e.fits, TRI_TRUE);
    assert_int_equal(e.prefill.source, ESTIMATE_TABLE);
    assert_int_equal(e.decode.source, ESTIMATE_TABLE);
    assert_int_equal(e.train.source, ESTIMATE_TABLE);
    assert_true(e.prefill.value > e.decode.value && e.decode.value > 0);
    assert_true(e.prefill.expected_error > 0 && e.prefill.expected_error < 1);
    kit_close(e.train.value * e.step_seconds.value, 1024, 1e-6);
    f = fixture(INFERENCE_MLX, "q4g64");
    f.ask.training = true;
    machine_is(&f, "Apple M1 Max", 32, 32);
    e = estimate(&f);
    assert_true(e.memory_bytes == e.training.peak && e.training.peak > e.inference.total);
}

static void what_does_not_fit_says_what_it_needs(void **state)
{
    struct fixture f = fixture(INFERENCE_LLAMA_CPP, "f16");
    struct estimate e;

    (void)state;
    machine_is(&f, "Apple M1", 8, 8);
    e = estimate(&f);
    assert_int_equal(e.fits, TRI_FALSE);
    assert_non_null(strstr(e.fits_why, "needs 16."));
    assert_true(isnan(e.train.value)); /* llama.cpp answers only */
    assert_non_null(strstr(e.train.why, "llama.cpp"));
    assert_true(e.decode.value > 0);
}

/* A chip that nobody published yet: rates all the same, derived, with a larger error. */
static void a_new_chip_is_rated_by_its_predecessor(void **state)
{
    struct fixture f = fixture(INFERENCE_MLX, "q4g64"), old = fixture(INFERENCE_MLX, "q4g64");
    struct estimate e, m5;

    (void)state;
    machine_is(&f, "Apple M7 Max", 40, 128);
    machine_is(&old, "Apple M5 Max", 40, 128);
    e = estimate(&f);
    m5 = estimate(&old);
    assert_int_equal(e.fits, TRI_TRUE);
    assert_int_equal(e.prefill.source, ESTIMATE_DERIVED);
    assert_int_equal(e.decode.source, ESTIMATE_DERIVED);
    assert_true(e.decode.expected_error > 2 * m5.decode.expected_error);
    assert_true(e.decode.value <= m5.decode.value && e.decode.value > 0.8 * m5.decode.value);
    assert_non_null(strstr(e.decode.why, "assumed"));
}

static void what_is_unknown_is_named(void **state)
{
    struct fixture f = fixture(INFERENCE_MLX, "q4g64");
    struct estimate e;

    (void)state;
    machine_is(&f, NULL, 0, 16); /* memory only */
    e = estimate(&f);
    assert_int_equal(e.fits, TRI_TRUE);
    assert_true(isnan(e.decode.value) && isnan(e.prefill.value) && isnan(e.train.value));
    assert_non_null(strstr(e.decode.why, "chip is unknown"));
    f = fixture(INFERENCE_MLX, "q4g64");
    machine_is(&f, "Apple M2", 0, 0); /* chip only */
    e = estimate(&f);
    assert_int_equal(e.fits, TRI_UNKNOWN);
    assert_int_equal(e.limit_bytes, UNKNOWN_I64);
    assert_non_null(strstr(e.fits_why, "unknown"));
    assert_true(e.decode.value > 0);
    assert_int_equal(e.decode.source, ESTIMATE_TABLE); /* both its bins read alike */
    assert_int_equal(e.prefill.source, ESTIMATE_DERIVED);
}

static void what_the_machine_measured_counts(void **state)
{
    struct fixture f = fixture(INFERENCE_MLX, "q4g64");
    struct fact_note *n;
    struct estimate e;

    (void)state;
    machine_is(&f, "Apple M1", 8, 16);
    f.profile->memory_bandwidth_bytes_per_s = 34e9;
    n = records_add(&fact_note_type, &f.profile->facts, &f.profile->facts_count, NULL);
    assert_non_null(n);
    assert_int_equal(text_set(&n->field, "memory_bandwidth_bytes_per_s", NULL), 0);
    n->source = FACT_SOURCE_MEASURED;
    e = estimate(&f);
    assert_int_equal(e.decode.source, ESTIMATE_MEASURED);
    assert_int_equal(e.prefill.source, ESTIMATE_TABLE);
    assert_true(e.decode.value < 34e9 / e.inference.weights);
}

static void what_cannot_be_trained_says_so(void **state)
{
    struct fixture f = fixture(INFERENCE_MLX, "q4g64");
    struct estimate e;

    (void)state;
    f.ask.training = true;
    f.ask.setup.method = FINE_TUNE_METHOD_FULL;
    machine_is(&f, "Apple M4 Max", 40, 64);
    e = estimate(&f);
    assert_int_equal(e.fits, TRI_UNKNOWN);
    assert_true(isnan(e.memory_bytes));
    assert_non_null(strstr(e.fits_why, "quantised"));
    f = fixture(INFERENCE_MLX, "q4g64");
    f.shape.experts = 8;
    f.shape.experts_per_token = 2;
    f.shape.expert_size = 100;
    machine_is(&f, "Apple M4 Max", 40, 64);
    e = estimate(&f);
    assert_true(isnan(e.train.value) && e.decode.value > 0);
    assert_non_null(strstr(e.train.why, "experts"));
}

static void the_table_survives_lost_memory(void **state)
{
    struct inference_table *t;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        t = inference_table_new(NULL);
    } while (!t && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
    inference_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_mac_gets_every_number),
        cmocka_unit_test(what_does_not_fit_says_what_it_needs),
        cmocka_unit_test(a_new_chip_is_rated_by_its_predecessor),
        cmocka_unit_test(what_is_unknown_is_named),
        cmocka_unit_test(what_the_machine_measured_counts),
        cmocka_unit_test(what_cannot_be_trained_says_so),
        cmocka_unit_test(the_table_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
