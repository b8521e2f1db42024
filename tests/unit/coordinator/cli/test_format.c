/* test_format.c - numbers for people: three digits at most, unknown is "?", columns counted. */
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/record.h"
#include "coordinator/cli/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sizes_have_three_digits(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1 kB"},
        {999499, "999 kB"},
        {999500, "1 MB"},
        {5726630000, "5.73 GB"},
        {12000000000, "12 GB"},
        {154618822656, "155 GB"},
        {UNKNOWN_I64, "?"},
        {INT64_MAX, "9223 PB"},
    };
    char out[FORMAT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(format_bytes(rows[i].bytes, out), rows[i].text);
}

static void memory_is_named_as_apple_names_it(void **state)
{
    char out[FORMAT_MAX];

    (void)state;
    assert_string_equal(format_memory(8589934592, out), "8 GB");
    assert_string_equal(format_memory(192 * 1073741824LL, out), "192 GB");
    assert_string_equal(format_memory(8325726208, out), "8.33 GB"); /* a Linux machine's */
    assert_string_equal(format_memory(536870912, out), "537 MB");
    assert_string_equal(format_memory(UNKNOWN_I64, out), "?");
    assert_string_equal(format_used(4910000000, 5730000000, out), "4.91 of 5.73 GB");
    assert_string_equal(format_used(491000000, 5730000000, out), "491 MB of 5.73 GB");
    assert_string_equal(format_used(UNKNOWN_I64, 5730000000, out), "? of 5.73 GB");
}

static void times_are_read_as_people_say_them(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {
        {0, "0 s"},      {0.0004, "0.4 ms"},   {0.85, "850 ms"},    {0.9996, "1 s"},
        {3.42, "3.4 s"}, {34.4, "34 s"},       {59.6, "1 min"},     {95, "1 min 35 s"},
        {3599.6, "1 h"}, {3725, "1 h 2 min"},  {86399, "1 d"},      {93600, "1 d 2 h"},
        {-1, "?"},       {1e9, "11574 d 1 h"}, {1e300, "1e+300 s"}, {900, "15 min"},
    };
    char out[FORMAT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(format_seconds(rows[i].seconds, out), rows[i].text);
    assert_string_equal(format_seconds(unknown_f64(), out), "?");
    assert_string_equal(format_age(3400, out), "3 s ago");
    assert_string_equal(format_age(3999, out), "3 s ago"); /* never younger or older than it is */
    assert_string_equal(format_age(10, out), "now");
    assert_string_equal(format_age(UNKNOWN_I64, out), "never");
    assert_string_equal(format_when(1795416060123, out), "2026-11-23 06:41:00 UTC");
    assert_string_equal(format_when(UNKNOWN_I64, out), "?");
}

static void counts_and_rates(void **state)
{
    char out[FORMAT_MAX];

    (void)state;
    assert_string_equal(format_integer(0, out), "0");
    assert_string_equal(format_integer(-1234567, out), "-1,234,567");
    assert_string_equal(format_integer(999, out), "999");
    assert_string_equal(format_integer(1000, out), "1,000");
    assert_string_equal(format_amount(11272192, out), "11.3 M");
    assert_string_equal(format_amount(812.4, out), "812");
    assert_string_equal(format_amount(0.5, out), "0.5");
    assert_string_equal(format_amount(-1500, out), "-1.5 k");
    assert_string_equal(format_amount(unknown_f64(), out), "?");
    assert_string_equal(format_share(0.734, out), "73 %");
    assert_string_equal(format_share(0.061, out), "6.1 %");
    assert_string_equal(format_share(0, out), "0 %");
    assert_string_equal(format_bits_rate(2e7, out), "20 Mbit/s");
}

static void changes_are_relative(void **state)
{
    char out[FORMAT_MAX];

    (void)state;
    assert_string_equal(format_change(58, 100, out), "-42 %");
    assert_string_equal(format_change(230, 100, out), "+130 %");
    assert_string_equal(format_change(100.2, 100, out), "same");
    assert_string_equal(format_change(2500, 100, out), "25x");
    assert_string_equal(format_change(1, 0, out),
                        ""); /* from nothing to something: no percentage */
    assert_string_equal(format_change(unknown_f64(), 3, out), "");
}

static void fields_by_their_rows(void **state)
{
    struct profile p;
    char out[FORMAT_MAX];

    (void)state;
    record_init(&profile_type, &p);
    p.memory_bytes = 17179869184;
    p.gpu_cores = 10;
    p.cpu_cores = 1;
    p.gpu_flops = 2.617e12;
    p.memory_bandwidth_bytes_per_s = 68e9;
    p.origin = DEVICE_ORIGIN_COMPOSED;
    assert_string_equal(format_field(record_field(&profile_type, "memory_bytes"), &p, out),
                        "16 GB");
    assert_string_equal(format_field(record_field(&profile_type, "gpu_cores"), &p, out),
                        "10 cores");
    assert_string_equal(format_field(record_field(&profile_type, "gpu_flops"), &p, out),
                        "2.62 TFLOP/s");
    assert_string_equal(
        format_field(record_field(&profile_type, "memory_bandwidth_bytes_per_s"), &p, out),
        "68 GB/s");
    assert_string_equal(format_field(record_field(&profile_type, "origin"), &p, out), "composed");
    assert_string_equal(format_field(record_field(&profile_type, "cpu_cores"), &p, out), "1 core");
    assert_string_equal(format_field(record_field(&profile_type, "wired_limit_bytes"), &p, out),
                        "?");
    assert_string_equal(format_chip("Apple M4 Max"), "M4 Max");
    assert_string_equal(format_chip("Apple "), "Apple ");
    assert_string_equal(format_chip(NULL), "?");
}

static void columns_of_every_script(void **state)
{
    (void)state;
    assert_int_equal(format_columns(""), 0);
    assert_int_equal(format_columns("mac"), 3);
    assert_int_equal(format_columns("Ren\xc3\xa9"), 4);
    assert_int_equal(format_columns("e\xcc\x81"), 1);                /* e and a combining accent */
    assert_int_equal(format_columns("\xe6\x9d\xb1\xe4\xba\xac"), 4); /* two wide characters */
    assert_int_equal(format_columns("\xf0\x9f\x8d\x8e"), 2);         /* an apple */
    assert_int_equal(format_columns("\xff\xfe"), 2);                 /* no UTF-8: a byte each */
    assert_int_equal(format_fit("\xe6\x9d\xb1\xe4\xba\xac", 3), 3);  /* never half a character */
    assert_int_equal(format_fit("Ren\xc3\xa9", 4), 5);
    assert_int_equal(format_fit("Ren\xc3\xa9", 3), 3);
    assert_int_equal(format_fit("abc", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_three_digits),
        cmocka_unit_test(memory_is_named_as_apple_names_it),
        cmocka_unit_test(times_are_read_as_people_say_them),
        cmocka_unit_test(counts_and_rates),
        cmocka_unit_test(changes_are_relative),
        cmocka_unit_test(fields_by_their_rows),
        cmocka_unit_test(columns_of_every_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
