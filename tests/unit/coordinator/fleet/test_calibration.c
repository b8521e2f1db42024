/* test_calibration.c - bounded means of what was measured, per kind of run. */
#include "coordinator/fleet/calibration.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/record.h"
#include "common/model/tool_message.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KIND "metal/Apple M1/llama-100/lora"

static const struct calibration *learn(struct calibration_table *t, double activations, double step)
{
    struct calibration_reading r = {activations, step};
    const struct calibration *now = NULL;

    assert_int_equal(calibration_learn(t, KIND, &r, 5, &now, NULL), 0);
    return now;
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-9)
        fail_msg("%.12g is not %.12g", a, b);
}

static void the_first_reading_counts_whole_and_later_ones_by_weight(void **state)
{
    struct calibration_table *t = calibration_table_new(NULL);
    const struct calibration *c;

    (void)state;
    assert_non_null(t);
    assert_null(calibration_find(t, KIND));
    c = learn(t, 0.9, 1.2);
    near(c->activation_factor, 0.9);
    near(c->step_factor, 1.2);
    c = learn(t, 1.0, UNKNOWN_F64); /* memory alone */
    near(c->activation_factor, 0.9 + 0.3 * 0.1);
    near(c->step_factor, 1.2);
    assert_int_equal(c->memory_samples, 2);
    assert_int_equal(c->step_samples, 1);
    assert_int_equal(c->outliers, 0);
    assert_int_equal(c->updated_ms, 5);
    assert_ptr_equal(calibration_find(t, KIND), c);
    calibration_table_free(t);
}

/* Whatever one reading says, a factor moves by half at first and by 15 % later, within its clamp.
 */
static void one_bad_reading_moves_nothing_far(void **state)
{
    static const double bad[] = {3, 19, 0.06, 0.3, 1e9, -1, 0, INFINITY, 1e-9};
    struct calibration_table *t;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct calibration *c;
        double was;

        t = calibration_table_new(NULL);
        c = learn(t, bad[i], bad[i]);
        if (c) {
            assert_true(c->activation_factor >= 0.8 && c->activation_factor <= 1.5);
            assert_true(c->step_factor >= 1 / 1.5 - 1e-9 && c->step_factor <= 1.5 + 1e-9);
            assert_true(c->outliers > 0);
        }
        for (int k = 0; k < 50; k++)
            learn(t, 1.0, 1.0);
        c = calibration_find(t, KIND);
        near(round(c->step_factor * 1e6) / 1e6, 1);
        was = c->step_factor;
        learn(t, bad[i], bad[i]);
        assert_true(c->step_factor <= was * 1.15 + 1e-9 && c->step_factor >= was * 0.9 - 1e-9);
        assert_true(c->activation_factor <= 1.16 && c->activation_factor >= 0.89);
        calibration_table_free(t);
    }
    t = calibration_table_new(NULL);
    assert_null(learn(t, UNKNOWN_F64, UNKNOWN_F64));
    assert_null(learn(t, 1e9, -1)); /* makes no kind */
    assert_null(calibration_find(t, KIND));
    for (int k = 0; k < 100; k++)
        learn(t, 15, 15);
    near(calibration_find(t, KIND)->activation_factor, 1.5);
    near(calibration_find(t, KIND)->step_factor, 4);
    calibration_table_free(t);
}

static void what_was_kept_comes_back_in_order_of_key(void **state)
{
    struct calibration_table *t = calibration_table_new(NULL);
    struct calibration from, *all = NULL;
    size_t count = 0;

    (void)state;
    record_init(&calibration_type, &from);
    from.activation_factor = 9; /* beyond the clamp: an older version's */
    from.step_factor = 1.1;
    from.memory_samples = 4;
    for (int i = 3; i > 0; i--) {
        char key[8];

        snprintf(key, sizeof key, "k%d", i);
        from.key = key;
        assert_int_equal(calibration_restore(t, &from, NULL), 0);
    }
    assert_int_equal(calibration_copy(t, &all, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_string_equal(all[0].key, "k1");
    assert_string_equal(all[2].key, "k3");
    near(all[0].activation_factor, 1.5);
    assert_int_equal(all[0].memory_samples, 4);
    assert_int_equal(all[0].step_samples, 0);
    for (size_t i = 0; i < count; i++)
        record_clear(&calibration_type, &all[i]);
    mem_free(all);
    calibration_table_free(t);
}

static void a_full_table_refuses_a_new_kind(void **state)
{
    struct calibration_table *t = calibration_table_new(NULL);
    struct calibration_reading r = {1, 1};
    const struct calibration *now;
    struct err err = {0};
    char key[16];

    (void)state;
    for (int i = 0; i < CALIBRATIONS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(calibration_learn(t, key, &r, 1, &now, NULL), 0);
    }
    assert_int_equal(calibration_learn(t, KIND, &r, 1, &now, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_null(now);
    assert_int_equal(calibration_learn(t, "k7", &r, 1, &now, NULL), 0);
    calibration_table_free(t);
}

static void learning_survives_lost_memory(void **state)
{
    struct calibration_reading r = {1.1, 1.1};
    const struct calibration *now = NULL;
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct calibration *all = NULL;
        struct calibration_table *t;
        size_t count = 0;

        mem_fail_at(++nth);
        t = calibration_table_new(NULL);
        rc = t ? calibration_learn(t, KIND, &r, 1, &now, NULL) : -1;
        if (rc == 0)
            rc = calibration_copy(t, &all, &count, NULL);
        mem_fail_at(0);
        for (size_t i = 0; i < count; i++)
            record_clear(&calibration_type, &all[i]);
        mem_free(all);
        calibration_table_free(t);
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 4, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_reading_counts_whole_and_later_ones_by_weight),
        cmocka_unit_test(one_bad_reading_moves_nothing_far),
        cmocka_unit_test(what_was_kept_comes_back_in_order_of_key),
        cmocka_unit_test(a_full_table_refuses_a_new_kind),
        cmocka_unit_test(learning_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
