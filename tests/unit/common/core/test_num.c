#include "common/core/num.h"
#include "common/core/err.h"
#include "common/core/unknown.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Copied to its exact length, so that reading past the end is seen. */
static char *exact(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void integers_are_read_whole(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"-7", true, -7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"-0", false, 0},
        {"007", false, 0},
        {"00", false, 0},
        {"+7", false, 0},
        {" 7", false, 0},
        {"7 ", false, 0},
        {"7x", false, 0},
        {"7.0", false, 0},
        {"1e3", false, 0},
        {"0x7", false, 0},
        {"--7", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = exact(rows[i].text);
        int64_t value = 4711;
        int rc = num_parse_i64(text, strlen(rows[i].text), INT64_MIN, INT64_MAX, &value, "n", NULL);

        assert_int_equal(rc, rows[i].good ? 0 : -1);
        assert_true(value == (rows[i].good ? rows[i].value : 4711));
        free(text);
    }
    assert_int_equal(num_parse_i64(NULL, 0, 0, 1, &(int64_t){0}, "n", NULL), -1);
    assert_int_equal(num_parse_i64("1\0", 2, 0, 1, &(int64_t){0}, "n", NULL), -1);
}

static void ranges_hold_and_errors_name_them(void **state)
{
    struct err err;
    int64_t value = 4711;

    (void)state;
    assert_int_equal(num_parse_i64("1", 1, 1, 8, &value, "rounds", NULL), 0);
    assert_int_equal(num_parse_i64("8", 1, 1, 8, &value, "rounds", NULL), 0);
    assert_int_equal(num_parse_i64("9", 1, 1, 8, &value, "rounds", &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.text, "rounds is \"9\", want an integer 1..8");
    assert_int_equal(num_parse_i64("0", 1, 1, 8, &value, "rounds", &err), -1);
    assert_true(value == 8);
}

static void reals_are_read_as_json_writes_them(void **state)
{
    static const struct {
        const char *text;
        bool good;
        double value;
    } rows[] = {
        {"0", true, 0},           {"-0", true, 0},
        {"0.5", true, 0.5},       {"-1.25e2", true, -125},
        {"1E+2", true, 100},      {"1e-2", true, 0.01},
        {"0e9", true, 0},         {"1.7976931348623157e308", true, DBL_MAX},
        {"5e-324", true, 5e-324}, {"0.0e-999", true, 0},
        {"1e999", false, 0},      {"-1e999", false, 0},
        {"1e-999", false, 0},     {"", false, 0},
        {"-", false, 0},          {".5", false, 0},
        {"5.", false, 0},         {"05", false, 0},
        {"1e", false, 0},         {"1e+", false, 0},
        {"1.e2", false, 0},       {"+1", false, 0},
        {" 1", false, 0},         {"1 ", false, 0},
        {"1,5", false, 0},        {"nan", false, 0},
        {"inf", false, 0},        {"0x1p3", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = exact(rows[i].text);
        double value = 4711;
        int rc = num_parse_f64(text, strlen(rows[i].text), -DBL_MAX, DBL_MAX, &value, "n", NULL);

        assert_int_equal(rc, rows[i].good ? 0 : -1);
        assert_true(value == (rows[i].good ? rows[i].value : 4711));
        free(text);
    }
}

static void real_errors_say_what_is_wrong(void **state)
{
    char many[500];
    struct err err;
    double value = 4711;

    (void)state;
    assert_int_equal(num_parse_f64("1e999", 5, 0, 1, &value, "delta", &err), -1);
    assert_string_equal(err.text, "delta is \"1e999\", which is too large; want a number 0..1");
    assert_int_equal(num_parse_f64("1.5", 3, 0, 1, &value, "delta", &err), -1);
    assert_string_equal(err.text, "delta is \"1.5\", want a number 0..1");
    assert_int_equal(num_parse_f64(NULL, 0, 0, 1, &value, "delta", &err), -1);
    memset(many, '1', sizeof many);
    assert_int_equal(num_parse_f64(many, sizeof many, 0, DBL_MAX, &value, "delta", &err), -1);
    assert_non_null(strstr(err.text, "too many digits"));
    assert_true(value == 4711);
}

static void bytes_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {"1024", 1024},
        {"0", 0},
        {"512B", 512},
        {"512MB", 512000000},
        {"8GiB", 8589934592},
        {"1.5GiB", 1610612736},
        {"0.5kB", 500},
        {"2KiB", 2048},
        {"3MiB", 3145728},
        {"4TB", 4000000000000},
        {"1TiB", 1099511627776},
        {"1.000001TB", 1000001000000},
        {"0.0001kB", 0},
        {"8388607TiB", 9223370937343148032},
        {"8388608TiB", -1}, /* 2^63 */
        {"", -1},
        {"GiB", -1},
        {"8 GiB", -1},
        {"8G", -1},
        {"8gib", -1},
        {"8GiBx", -1},
        {"-8GiB", -1},
        {"08GiB", -1},
        {"1.5", -1},
        {"1.GiB", -1},
        {".5GiB", -1},
        {"1.0000001TB", -1},
        {"99999999999999999999B", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = exact(rows[i].text);
        int64_t value = -1;
        int rc = num_parse_bytes(text, strlen(rows[i].text), 0, INT64_MAX, &value, "n", NULL);

        assert_int_equal(rc, rows[i].value < 0 ? -1 : 0);
        assert_true(value == rows[i].value);
        free(text);
    }
    assert_int_equal(num_parse_bytes(NULL, 0, 0, 1, &(int64_t){0}, "n", NULL), -1);
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {"250ms", 250},    {"5s", 5000},     {"2m", 120000},
        {"1h", 3600000},   {"1d", 86400000}, {"1.5s", 1500},
        {"0.25h", 900000}, {"0", 0},         {"0s", 0},
        {"5", -1},         {"", -1},         {"s", -1},
        {"5 s", -1},       {"-5s", -1},      {"5sec", -1},
        {"5S", -1},        {"0.0", -1},      {"106751991168d", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = -1;
        int rc = num_parse_duration_ms(rows[i].text, strlen(rows[i].text), 0, INT64_MAX, &value,
                                       "n", NULL);

        assert_int_equal(rc, rows[i].value < 0 ? -1 : 0);
        assert_true(value == rows[i].value);
    }
}

static void quantities_out_of_range_say_the_range(void **state)
{
    struct err err;
    int64_t value = 4711;

    (void)state;
    assert_int_equal(num_parse_bytes("1kB", 3, 2000, 8000000000, &value, "reserve", &err), -1);
    assert_string_equal(err.text, "reserve is \"1kB\", want bytes such as 1024, 512MB or 8GiB, "
                                  "from 2.00 kB to 8.00 GB");
    assert_int_equal(num_parse_duration_ms("1ms", 3, 1500, 7200000, &value, "quiet", &err), -1);
    assert_string_equal(err.text, "quiet is \"1ms\", want a time such as 250ms, 5s, 2m or 1h, "
                                  "from 1500ms to 2h");
    assert_true(value == 4711);
}

static void bytes_are_shown_with_three_digits(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1.00 kB"},
        {9994, "9.99 kB"},
        {9995, "10.0 kB"},
        {57300, "57.3 kB"},
        {99949, "99.9 kB"},
        {99951, "100 kB"},
        {999499, "999 kB"},
        {999500, "1.00 MB"},
        {5730000000, "5.73 GB"},
        {192000000000, "192 GB"},
        {INT64_MAX, "9.22 EB"},
        {-5730000000, "-5.73 GB"},
        {INT64_MIN + 1, "-9.22 EB"},
        {UNKNOWN_I64, "unknown"},
    };
    char text[NUM_BYTES_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(num_format_bytes(rows[i].bytes, text), rows[i].text);
}

static void reals_are_shown_short(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100"},
        {1e20, "1e+20"},
        {-2.5e-7, "-2.5e-07"},
        {5e-324, "5e-324"},
        {0.1 + 0.2, "0.30000000000000004"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {UNKNOWN_F64, "unknown"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    char text[NUM_F64_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(num_format_f64(rows[i].value, text), rows[i].text);
}

/* Any finite bit pattern comes back the same. */
static void reals_survive_the_round_trip(void **state)
{
    char text[NUM_F64_TEXT_MAX];
    uint64_t bits = 0x9E3779B97F4A7C15u; /* any start */
    double value, back;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13; /* xorshift */
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        num_format_f64(value, text);
        assert_int_equal(num_parse_f64(text, strlen(text), -DBL_MAX, DBL_MAX, &back, "n", NULL), 0);
        assert_memory_equal(&value, &back, sizeof value);
    }
}

static void unknown_is_no_number(void **state)
{
    (void)state;
    assert_false(known_i64(UNKNOWN_I64));
    assert_true(known_i64(0));
    assert_false(known_f64(UNKNOWN_F64));
    assert_false(known_f64(unknown_f64()));
    assert_true(known_f64(0));
    assert_false(known_tri(TRI_UNKNOWN));
    assert_true(known_tri(TRI_FALSE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_whole),
        cmocka_unit_test(ranges_hold_and_errors_name_them),
        cmocka_unit_test(reals_are_read_as_json_writes_them),
        cmocka_unit_test(real_errors_say_what_is_wrong),
        cmocka_unit_test(bytes_have_units),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(quantities_out_of_range_say_the_range),
        cmocka_unit_test(bytes_are_shown_with_three_digits),
        cmocka_unit_test(reals_are_shown_short),
        cmocka_unit_test(reals_survive_the_round_trip),
        cmocka_unit_test(unknown_is_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
