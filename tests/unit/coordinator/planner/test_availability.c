/* test_availability.c - traces of a week, and what a Mac draws from the wall. */
#include "coordinator/planner/availability.h"

#include "planner_kit.h"

#include "common/core/unknown.h"
#include "common/model/device.h"
#include "coordinator/planner/draw.h"
#include "coordinator/planner/power.h"

#include <math.h>

static void a_trace_repeats_every_week(void **state)
{
    struct availability a = {.count = 2, .active = {0, 1000}, .inactive = {100, 604800}};

    (void)state;
    assert_true(availability_left(&a, 0) == 100);
    assert_true(availability_left(&a, 99) == 1);
    assert_true(availability_left(&a, 100) == 0);
    assert_true(availability_left(&a, 999) == 0);
    assert_true(availability_left(&a, 1000) == 603800 + 100); /* on into the next week */
    assert_true(availability_left(&a, 604800 + 50) == 50);
    a.active[0] = 10;
    assert_true(availability_left(&a, 604799) == 1);
}

static void patterns_are_drawn_from_the_seed(void **state)
{
    size_t always = 0, away_at_noon = 0, n = 2000;

    (void)state;
    assert_true(isinf(availability_left(&(struct availability){0}, 12345)));
    for (uint64_t i = 0; i < n; i++) {
        struct availability a = availability_draw(3, i, i % 2 == 0);
        struct availability b = availability_draw(3, i, i % 2 == 0);

        assert_memory_equal(&a, &b, sizeof a);
        for (size_t k = 0; k < a.count; k++) {
            assert_true(a.active[k] < a.inactive[k] && a.inactive[k] <= AVAILABILITY_PERIOD);
            assert_true(k == 0 || a.active[k] > a.inactive[k - 1]);
        }
        always += a.count == 0;
        away_at_noon += availability_left(&a, 12 * 3600.0) == 0; /* on Monday */
    }
    assert_in_range(always, n * 55 / 100, n * 75 / 100);
    assert_in_range(away_at_noon, n * 22 / 100, n * 35 / 100);
}

static struct power power_named(const char *chip)
{
    struct profile *p = profile_new(NULL);
    struct power w;

    assert_int_equal(text_set(&p->chip, chip, NULL), 0);
    w = power_of(p);
    profile_free(p);
    return w;
}

static void published_figures_are_used_and_others_assumed(void **state)
{
    static const struct {
        const char *chip;
        double idle, most;
        bool assumed;
    } rows[] = {
        {"Apple M1 Max", 11, 115, false},  {"Apple M2 Ultra", 10, 295, false},
        {"Apple M4", 4, 65, false},        {"Apple M4 Pro", 5, 140, false},
        {"Apple M3 Ultra", 9, 270, false}, {"Apple M3 Max", 9, 145, true}, /* the M2 Max's */
        {"Apple M5 Ultra", 9, 270, true},  {"Apple M1", 4, 65, true},
        {"Apple M6", 4, 65, true},         {"Apple A18 Pro", 4, 65, true},
        {"Intel(R) Xeon(R)", 4, 65, true}, {NULL, 4, 65, true},
        {"Apple M99999999", 4, 65, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct power w = power_named(rows[i].chip);

        assert_true(w.idle_watts == rows[i].idle && w.max_watts == rows[i].most);
        assert_true(w.assumed == rows[i].assumed);
        assert_non_null(w.source);
    }
    kit_close(power_wh(&(struct power){10, 110, false, ""}, 3600, 1800), 60, 1e-9);
}

static void draws_are_even(void **state)
{
    struct draw d = draw_stream(1, 2, 3), e = draw_stream(1, 2, 4);
    double sum = 0, squares = 0;

    (void)state;
    assert_true(draw_next(&d) != draw_next(&e));
    for (int i = 0; i < 20000; i++) {
        double v = draw_normal(&d), u = draw_share(&d);

        assert_true(u >= 0 && u < 1);
        assert_true(draw_below(&d, 3) < 3);
        sum += v;
        squares += v * v;
    }
    kit_close(sum / 20000, 0, 0.03);
    kit_close(squares / 20000, 1, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_repeats_every_week),
        cmocka_unit_test(patterns_are_drawn_from_the_seed),
        cmocka_unit_test(published_figures_are_used_and_others_assumed),
        cmocka_unit_test(draws_are_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
