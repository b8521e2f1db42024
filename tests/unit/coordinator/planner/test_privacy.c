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

/* A budget: sums stay within the limit at one order just as long as epsilon is within the target.
 */
static void spend_and_limit_agree_with_epsilon(void **state)
{
    static const double rates[] = {1, 0.1, 0.01};
    double spend[PRIVACY_ORDERS], limit[PRIVACY_ORDERS];

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        privacy_spend(rates[i], 1.5, spend);
        for (int64_t rounds = 1; rounds <= 100000; rounds *= 10) {
            double epsilon = privacy_epsilon(rates[i], 1.5, rounds, 1e-5, NULL);

            for (int over = 0; over < 2; over++) {
                bool within = false;

                privacy_limit(epsilon * (over ? 0.999999 : 1.000001), 1e-5, limit);
                for (size_t k = 0; k < PRIVACY_ORDERS; k++)
                    within = within || (double)rounds * spend[k] <= limit[k];
                assert_true(within == !over);
            }
        }
    }
}

/* Opacus' documented example: 10 rounds at 1e-5 and sigma 1, 4 at 1e-4 and sigma 3; orders to 32.
 */
static void unlike_rounds_add_up(void **state)
{
    double least = INFINITY;
    int at = 0;

    (void)state;
    for (int a = 2; a <= 32; a++) {
        double sum = 10 * privacy_rdp(1e-5, 1, a) + 4 * privacy_rdp(1e-4, 3, a);
        double epsilon = sum + log1p(-1. / a) - (log(1e-5) + log(a)) / (a - 1);

        at = epsilon < least ? a : at;
        least = fmin(least, epsilon);
    }
    kit_close(least, 0.336344, 1e-6);
    assert_int_equal(at, 23);
}

/* MNIST as TensorFlow Privacy runs it: whole orders are within 1 % of fractional ones, above. */
static void whole_orders_are_a_close_upper_bound(void **state)
{
    double epsilon = privacy_epsilon(256. / 60000, 1.1, 14062, 1e-5, NULL);

    (void)state;
    assert_true(epsilon >= 2.596556 && epsilon <= 2.596556 * 1.01);
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
        cmocka_unit_test(spend_and_limit_agree_with_epsilon),
        cmocka_unit_test(unlike_rounds_add_up),
        cmocka_unit_test(whole_orders_are_a_close_upper_bound),
        cmocka_unit_test(a_target_that_no_noise_keeps_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
