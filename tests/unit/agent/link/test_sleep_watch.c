/* test_sleep_watch.c - a night, a nap, and moments that are neither. */
#include "agent/link/sleep_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR_MS 3600000LL

static void a_night_is_noticed_once(void **state)
{
    struct sleep_watch w;

    (void)state;
    sleep_watch_init(&w, 10 * HOUR_MS, 4 * HOUR_MS); /* it had slept before we came */
    assert_int_equal(sleep_watch_look(&w, 10 * HOUR_MS + 5000, 4 * HOUR_MS + 5000), 0);
    assert_int_equal(sleep_watch_look(&w, 18 * HOUR_MS + 5010, 4 * HOUR_MS + 5010), 8 * HOUR_MS);
    assert_int_equal(sleep_watch_look(&w, 18 * HOUR_MS + 9000, 4 * HOUR_MS + 9000), 0);
}

/* A stopped process and a slow machine: both clocks go on. */
static void a_long_time_awake_is_no_sleep(void **state)
{
    struct sleep_watch w;

    (void)state;
    sleep_watch_init(&w, 0, 0);
    assert_int_equal(sleep_watch_look(&w, 24 * HOUR_MS, 24 * HOUR_MS), 0);
}

static void the_least_counts_and_a_little_less_does_not(void **state)
{
    struct sleep_watch w;

    (void)state;
    sleep_watch_init(&w, 0, 0);
    assert_int_equal(sleep_watch_look(&w, SLEEP_WATCH_LEAST_MS - 1, 0), 0);
    sleep_watch_init(&w, 0, 0);
    assert_int_equal(sleep_watch_look(&w, SLEEP_WATCH_LEAST_MS, 0), SLEEP_WATCH_LEAST_MS);
}

static void short_ones_add_up(void **state)
{
    struct sleep_watch w;

    (void)state;
    sleep_watch_init(&w, 0, 0);
    assert_int_equal(sleep_watch_look(&w, 2000, 0), 0);
    assert_int_equal(sleep_watch_look(&w, 4000, 0), 4000);
    assert_int_equal(sleep_watch_look(&w, 4000, 0), 0);
}

/* Readings a tick apart may disagree either way. */
static void a_clock_that_lags_is_no_sleep(void **state)
{
    struct sleep_watch w;

    (void)state;
    sleep_watch_init(&w, 1000, 1000);
    assert_int_equal(sleep_watch_look(&w, 2000, 2001), 0);
    assert_int_equal(sleep_watch_look(&w, 3001, 3000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_night_is_noticed_once),
        cmocka_unit_test(a_long_time_awake_is_no_sleep),
        cmocka_unit_test(the_least_counts_and_a_little_less_does_not),
        cmocka_unit_test(short_ones_add_up),
        cmocka_unit_test(a_clock_that_lags_is_no_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
