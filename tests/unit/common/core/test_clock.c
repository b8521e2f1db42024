#include "common/core/clock.h"
#include "common/core/unknown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void moments_read_as_utc(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951827696789, "2000-02-29T12:34:56.789Z"},
        {1795415999999, "2026-11-23T06:39:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"}, /* 2100 has no 29 February */
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-62167219200001, "unknown"},
        {253402300800000, "unknown"},
        {UNKNOWN_I64, "unknown"},
        {INT64_MAX, "unknown"},
    };
    char text[CLOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(clock_format_utc(rows[i].ms, text), rows[i].text);
}

static void monotonic_time_does_not_go_back(void **state)
{
    int64_t last = clock_mono_ms();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_ms();

        assert_true(now >= last);
        last = now;
    }
}

/* Nobody sleeps while this runs: both clocks count the same time, to the millisecond that a reading
 * between two ticks costs. */
static void time_awake_is_part_of_all_time(void **state)
{
    int64_t mono = clock_mono_ms(), awake = clock_awake_ms(), last = awake;

    (void)state;
    assert_true(awake <= clock_mono_ms() + 1);
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_awake_ms();

        assert_true(now >= last);
        last = now;
    }
    assert_true(last - awake <= clock_mono_ms() - mono + 1);
}

static void the_wall_clock_is_of_this_century(void **state)
{
    (void)state;
    assert_true(clock_wall_ms() > 1577836800000); /* 2020 */
    assert_true(clock_wall_ms() < 4102444800000); /* 2100 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_read_as_utc),
        cmocka_unit_test(monotonic_time_does_not_go_back),
        cmocka_unit_test(time_awake_is_part_of_all_time),
        cmocka_unit_test(the_wall_clock_is_of_this_century),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
