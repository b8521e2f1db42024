/* test_queueing.c - servers for a stream of requests, against the textbook's numbers. */
#include "coordinator/planner/queueing.h"

#include "planner_kit.h"

#include <math.h>

static void waits_are_the_textbooks(void **state)
{
    static const struct {
        int64_t servers;
        double arrivals, chance, wait;
    } rows[] = {
        {2, 1.5, 0.642857, 1.285714}, {4, 3, 0.509434, 0.509434}, {10, 8, 0.409180, 0.204590}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kit_close(queueing_wait_chance(rows[i].arrivals, 1, rows[i].servers), rows[i].chance, 1e-6);
        kit_close(queueing_mean_wait(rows[i].arrivals, 1, rows[i].servers, 1, 1), rows[i].wait,
                  1e-6);
    }
}

static void the_fewest_servers_that_keep_a_promise(void **state)
{
    static const struct {
        double arrivals, service, seconds;
        int64_t servers;
    } rows[] = {{8, 1, 0.5, 12}, {3, 0.5, 2, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double a = rows[i].arrivals, m = rows[i].service, t = rows[i].seconds;
        const int64_t c = rows[i].servers;

        assert_int_equal(queueing_servers(a, m, t, 0.05, 1000), c);
        assert_int_equal(queueing_servers(a, m, t, 0.05, c), c);
        assert_int_equal(queueing_servers(a, m, t, 0.05, c - 1), c);
        assert_true(queueing_late_chance(a, m, c, t) <= 0.05);
        assert_true(queueing_late_chance(a, m, c - 1, t) > 0.05);
    }
    assert_int_equal(queueing_servers(1e9, 1, 1, 0.01, 5), 6);
}

static void steadier_work_waits_less(void **state)
{
    double random = queueing_mean_wait(3, 1, 4, 1, 1);

    (void)state;
    kit_close(queueing_mean_wait(3, 1, 4, 1, 0), random / 2, 1e-12); /* M/D/c, about */
    assert_true(queueing_mean_wait(3, 1, 4, 1, 4) > random);
}

static void too_few_servers_never_catch_up(void **state)
{
    (void)state;
    assert_true(queueing_wait_chance(2, 1, 2) == 1);
    assert_true(isinf(queueing_mean_wait(2, 1, 2, 1, 1)));
    assert_true(queueing_late_chance(5, 1, 2, 100) == 1);
}

/* The largest rate is one at which the promise is kept, and hardly more is not. */
static void the_largest_rate_is_on_the_edge(void **state)
{
    (void)state;
    for (int64_t c = 1; c <= 20; c += 3) {
        double a = queueing_arrivals(0.5, 2, 0.05, c);

        assert_true(a > 0 && a < 0.5 * (double)c);
        assert_true(queueing_late_chance(a, 0.5, c, 2) <= 0.05);
        assert_true(queueing_late_chance(a * 1.001, 0.5, c, 2) > 0.05);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_the_textbooks),
        cmocka_unit_test(the_fewest_servers_that_keep_a_promise),
        cmocka_unit_test(steadier_work_waits_less),
        cmocka_unit_test(too_few_servers_never_catch_up),
        cmocka_unit_test(the_largest_rate_is_on_the_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
