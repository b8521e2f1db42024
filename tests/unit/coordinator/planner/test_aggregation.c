/* test_aggregation.c - choosing how to combine, and FedNova's effective steps. */
#include "coordinator/planner/aggregation.h"

#include "planner_kit.h"

#include "common/model/enums.h"

static void unequal_steps_are_normalised(void **state)
{
    char why[320];

    (void)state;
    assert_int_equal(aggregation_resolve(AGGREGATION_AUTO, 100, 200, false, why, sizeof why),
                     AGGREGATION_FEDAVG); /* exactly twice is still fair */
    assert_int_equal(aggregation_resolve(AGGREGATION_AUTO, 100, 201, false, why, sizeof why),
                     AGGREGATION_FEDNOVA);
    assert_non_null(strstr(why, "100 to 201"));
    assert_int_equal(aggregation_resolve(AGGREGATION_AUTO, 100, 201, true, why, sizeof why),
                     AGGREGATION_FEDPROX);
    assert_int_equal(aggregation_resolve(AGGREGATION_FEDADAM, 1, 900, false, why, sizeof why),
                     AGGREGATION_FEDADAM);
    assert_non_null(strstr(why, "the job states fedadam"));
}

static void effective_steps_equal_the_worked_example(void **state)
{
    static const double weights[] = {.5, .3, .2};
    static const int64_t steps[] = {583, 229, 92};
    double scales[3];

    (void)state;
    kit_close(aggregation_effective_steps(weights, steps, 3, 0, scales), 378.6, 0.05);
    /* 378.6 / 583 is 0.6494; the worked example weighs too: p_i tau_eff / tau_i */
    kit_close(weights[0] * scales[0], 0.3247, 5e-5);
    kit_close(weights[1] * scales[1], 0.4960, 5e-5);
    kit_close(weights[2] * scales[2], 0.8230, 5e-5);
}

static void momentum_counts_more_than_the_steps(void **state)
{
    static const double weights[] = {1};
    static const int64_t steps[] = {100};

    (void)state;
    /* (100 - 0.9 (1 - 0.9^100) / 0.1) / 0.1 */
    kit_close(aggregation_effective_steps(weights, steps, 1, 0.9, NULL), 910.0024, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unequal_steps_are_normalised),
        cmocka_unit_test(effective_steps_equal_the_worked_example),
        cmocka_unit_test(momentum_counts_more_than_the_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
