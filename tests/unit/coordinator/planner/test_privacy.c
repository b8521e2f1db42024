/* test_privacy.c - the accountant against published values. */
#include "coordinator/planner/privacy.h"

#include "planner_kit.h"

#include "common/core/err.h"

#include <math.h>

/* dp_accounting's own test: 50 rounds at rate 0.01, sigma 2.5. */
static void divergence_equals_published_values(void **state)
{
    (void)state;
    kit_close(50 * privacy_rdp(0.01, 2.5, 5), 2.18075656e-3, 1e-10);
    kit_close(50 * privacy_rdp(0.01, 2.5, 50), 2.38460375e-2, 1e-9);
    kit_close(50 * privacy_rdp(0.01, 2.5, 100), 167.416308, 1e-4);
    kit_close(privacy_rdp(1, 2, 8), 1, 0);
}

static void epsilon_equals_published_values(void **state)
{
    static const struct {
        double rate, sigma;
        int64_t rounds;
        double delta, epsilon;
        int order;
    } rows[] = {
        {0.04, 1.5, 2250, 1e-5, 7.329877, 4},    {0.0025, 1.3, 6000, 1e-5, 0.724223, 19},
        {0.001, 1.0, 30000, 1e-7, 1.415499, 13}, {0.01, 1.0, 1000, 1e-6, 2.436694, 8},
        {1.0, 10, 50, 1e-5, 3.190352, 7},        {1.0, 5, 100, 1e-4, 9.650399, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int order = 0;

        kit_close(
            privacy_epsilon(rows[i].rate, rows[i].sigma, rows[i].rounds, rows[i].delta, &order),
            rows[i].epsilon, 1e-6);
        assert_int_equal(order, rows[i].order);
    }
}

static void noise_meets_the_target_and_no_less_does(void **state)
{
    static const struct {
        double rate, epsilon, delta, sigma, tolerance;
        int64_t rounds;
    } rows[] = {
        {1, 8, 1e-3, 2.335, 1e-3, 20},
        {1, 8, 1e-3, 3.692, 1e-3, 50},
        {0.5, 8, 1e-3, 2.000, 1e-3, 50},
        {0.04, 8, 1e-5, 1.4158, 6e-3, 2250}, /* with fractional orders; whole ones need 0.3 % more
                                              */
        {0.04, 8, 1e-5, 1.3561, 6e-3, 2000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double sigma = 0;

        assert_int_equal(privacy_noise(rows[i].rate, rows[i].rounds, rows[i].epsilon, rows[i].delta,
                                       &sigma, NULL),
                         0);
        print_message("sigma %.4f, wanted %.4f\n", sigma, rows[i].sigma);
        kit_close(sigma, rows[i].sigma, rows[i].tolerance);
        assert_true(privacy_epsilon(rows[i].rate, sigma, rows[i].rounds, rows[i].delta, NULL) <=
                    rows[i].epsilon);
        assert_true(privacy_epsilon(rows[i].rate, sigma - 2e-4, rows[i].rounds, rows[i].delta,
                                    NULL) > rows[i].epsilon);
    }
}

static void a_target_that_no_noise_keeps_is_refused(void **state)
{
    struct err err = {0};
    double sigma = 7;

    (void)state;
    assert_int_equal(privacy_noise(1, 1000000, 1e-6, 1e-15, &sigma, &err), -1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "privacy.epsilon"));
    assert_non_null(strstr(err.text, "the nearest that can is"));
    assert_true(sigma == 7); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergence_equals_published_values),
        cmocka_unit_test(epsilon_equals_published_values),
        cmocka_unit_test(noise_meets_the_target_and_no_less_does),
        cmocka_unit_test(a_target_that_no_noise_keeps_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
