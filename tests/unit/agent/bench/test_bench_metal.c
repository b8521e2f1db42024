/* test_bench_metal.c - a GPU that is timed, or cannot be: the real calls, answered by the double.
 * The rates are invented; that they come back exactly says that work and time are counted rightly.
 */
#include "agent/bench/bench_metal.h"
#include "agent/bench/bench.h"
#include "agent/probe/darwin_calls.h"
#include "common/core/err.h"
#include "tests/support/darwin_double.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAC ESPALIER_TEST_DATA "/darwin/whole.json"
#define SOME_MAC "\"default\": {\"name\": \"Apple M0\"}"

static const struct darwin_calls *open_mac(const char *compute)
{
    char changes[512];

    snprintf(changes, sizeof changes, "{\"metal\": {" SOME_MAC ", \"compute\": %s}}", compute);
    return darwin_double_open(MAC, changes);
}

static int run(const char *compute, size_t buffer_bytes, bench_stop_fn *stop,
               struct bench_result *r, struct err *err)
{
    struct bench_options o = {.seconds = 2, .buffer_bytes = buffer_bytes, .stop = stop};
    int rc = bench_metal_run(open_mac(compute), &o, r, err);

    darwin_double_close(); /* everything was released */
    return rc;
}

static void a_gpu_is_timed_by_its_own_clock(void **state)
{
    static const char *const macs[] = {"{\"flops\": 2.6e12, \"bandwidth\": 6.6e10}",
                                       "{\"flops\": 1e11, \"bandwidth\": 1e9}",
                                       "{\"flops\": 9e13, \"bandwidth\": 2e12}"};
    static const double flops[] = {2.6e12, 1e11, 9e13}, bandwidth[] = {6.6e10, 1e9, 2e12};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bench_result r;

        assert_int_equal(run(macs[i], 0, NULL, &r, NULL), 0);
        assert_true(fabs(r.flops / flops[i] - 1) < 1e-9);
        assert_true(fabs(r.bandwidth / bandwidth[i] - 1) < 1e-9);
        assert_true(r.seconds >= 2 && r.seconds < 4);
        assert_string_equal(r.how, "Metal, Apple M0, f16 products, f32 sums");
    }
}

static void small_buffers_will_do(void **state)
{
    struct bench_result r;

    (void)state;
    assert_int_equal(run("{\"flops\": 1e12, \"bandwidth\": 1e10}", 1, NULL, &r, NULL), 0);
    assert_true(fabs(r.bandwidth / 1e10 - 1) < 1e-9);
}

static void what_metal_does_not_do_is_said_in_its_words(void **state)
{
    static const struct {
        const char *compute, *word;
        enum err_code code;
    } rows[] = {
        {"null", "command queue", ERR_UNSUPPORTED},
        {"{\"compiler_error\": \"no simdgroups here\"}", "no simdgroups here", ERR_UNSUPPORTED},
        {"{\"kernel_error\": \"too many registers\"}", "too many registers", ERR_UNSUPPORTED},
        {"{\"flops\": 1, \"bandwidth\": 1, \"command_error\": \"out of memory\"}", "out of memory",
         ERR_UNSUPPORTED},
        {"{\"no_buffers\": true}", "buffer of 8388608 bytes", ERR_NOMEM},
        {"{\"flops\": 1e12, \"bandwidth\": 1e10, \"no_times\": true}", "no times", ERR_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench_result r = {.flops = -1};
        struct err err = {0};

        assert_int_equal(run(rows[i].compute, 0, NULL, &r, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.text, rows[i].word));
        assert_true(r.flops == -1);
    }
}

static bool stop_at_once(void *arg)
{
    (void)arg;
    return true;
}

static void a_stop_ends_it(void **state)
{
    struct bench_result r;
    struct err err;

    (void)state;
    assert_int_equal(run("{\"flops\": 1e12, \"bandwidth\": 1e10}", 0, stop_at_once, &r, &err), -1);
    assert_int_equal(err.code, ERR_CANCELLED);
}

static void a_mac_without_a_device_has_no_rates(void **state)
{
    const struct darwin_calls *calls =
        darwin_double_open(MAC, "{\"metal\": {\"default\": null, \"devices\": null}}");
    struct bench_options o = {.seconds = 2};
    struct bench_result r;
    struct err err;

    (void)state;
    assert_int_equal(bench_metal_run(calls, &o, &r, &err), -1);
    assert_non_null(strstr(err.text, "no Metal device"));
    darwin_double_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gpu_is_timed_by_its_own_clock),
        cmocka_unit_test(small_buffers_will_do),
        cmocka_unit_test(what_metal_does_not_do_is_said_in_its_words),
        cmocka_unit_test(a_stop_ends_it),
        cmocka_unit_test(a_mac_without_a_device_has_no_rates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
