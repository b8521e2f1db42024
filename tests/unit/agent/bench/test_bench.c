/* test_bench.c - rates that were really timed, a product that is right, and a file of results. How
 * fast a machine is, is never asserted. */
#include "agent/bench/bench.h"
#include "common/core/err.h"
#include "common/core/unknown.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SHORT                                  \
    {                                          \
        .seconds = 0.02, .buffer_bytes = 65536 \
    }

static void a_run_gives_rates_and_how_they_came(void **state)
{
    struct bench_options o = SHORT;
    struct bench_result r;
    char text[300];

    (void)state;
    o.threads = 2;
    assert_int_equal(bench_run(&o, &r, NULL), 0);
    assert_true(r.flops > 0);
    assert_true(r.bandwidth > 0);
    assert_true(r.seconds >= 0.02);
    assert_false(known_i64(r.at_ms));
    assert_non_null(strstr(r.how, "CPU, 2 threads, f32, "));
    snprintf(r.conditions, sizeof r.conditions, "power ac");
    bench_describe(&r, text, sizeof text);
    assert_non_null(strstr(text, "CPU, 2 threads, f32, "));
    assert_non_null(strstr(text, "; power ac"));
}

/* Against sums by hand; small whole numbers are exact whatever the order, and fused or not. */
static void the_product_is_right(void **state)
{
    enum { DEPTH = 37 };
    float a[DEPTH * BENCH_ROWS], b[DEPTH * BENCH_COLUMNS];
    float c[BENCH_ROWS * BENCH_COLUMNS], want;

    (void)state;
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        a[i] = (float)(i % 11) - 5;
    for (size_t i = 0; i < sizeof b / sizeof b[0]; i++)
        b[i] = (float)(i % 13) - 6;
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
        c[i] = (float)i;
    bench_product(a, b, c, DEPTH);
    for (int row = 0; row < BENCH_ROWS; row++) {
        for (int column = 0; column < BENCH_COLUMNS; column++) {
            want = (float)(row * BENCH_COLUMNS + column);
            for (int k = 0; k < DEPTH; k++)
                want += a[k * BENCH_ROWS + row] * b[k * BENCH_COLUMNS + column];
            assert_true(c[row * BENCH_COLUMNS + column] == want);
        }
    }
    assert_true(strlen(bench_product_name()) > 0);
}

static bool stop_at_once(void *arg)
{
    ++*(int *)arg;
    return true;
}

static void a_stop_ends_it_without_a_result(void **state)
{
    struct bench_options o = SHORT;
    struct bench_result r = {.flops = -1};
    struct err err;
    int asked = 0;

    (void)state;
    o.seconds = BENCH_SECONDS_MAX; /* which nobody waits for */
    o.stop = stop_at_once;
    o.stop_arg = &asked;
    assert_int_equal(bench_run(&o, &r, &err), -1);
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_int_equal(asked, 1);
    assert_true(r.flops == -1);
}

static void options_out_of_range_are_named(void **state)
{
    static const struct bench_options wrong[] = {{.seconds = 0},
                                                 {.seconds = -1},
                                                 {.seconds = BENCH_SECONDS_MAX * 1.01},
                                                 {.seconds = 1, .threads = -1},
                                                 {.seconds = 1, .threads = BENCH_THREADS_MAX + 1}};
    struct bench_result r;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(bench_run(&wrong[i], &r, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static struct bench_result a_result(void)
{
    return (struct bench_result){.flops = 2.5e12,
                                 .bandwidth = 6.6e10,
                                 .seconds = 2.01,
                                 .at_ms = 1795780800000,
                                 .how = "CPU, 8 threads, f32, NEON",
                                 .conditions = "thermal nominal",
                                 .chip = "Apple M1"};
}

static void a_result_is_kept(void **state)
{
    struct bench_result r = a_result(), back = {.flops = 0};
    char *folder = folder_make(), *path = file_path(NULL, "%s/bench.json", folder);
    struct err err;

    (void)state;
    assert_int_equal(bench_load(path, &back, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(bench_save(path, &r, NULL), 0);
    assert_int_equal(bench_load(path, &back, NULL), 0);
    assert_true(back.flops == r.flops && back.bandwidth == r.bandwidth);
    assert_true(back.seconds == r.seconds && back.at_ms == r.at_ms);
    assert_string_equal(back.how, r.how);
    assert_string_equal(back.conditions, r.conditions);
    assert_string_equal(back.chip, r.chip);
    mem_free(path);
    folder_remove(folder);
}

static void a_file_that_is_no_result_is_refused_by_field(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"", "bench.json"},
        {"[]", "bench.json"},
        {"{\"gpu_flops\": 1e12}", "memory_bandwidth_bytes_per_s"},
        {"{\"gpu_flops\": -1, \"memory_bandwidth_bytes_per_s\": 1e10, \"seconds\": 2, \"how\": "
         "\"x\"}",
         "gpu_flops"},
        {"{\"gpu_flops\": 1e12, \"memory_bandwidth_bytes_per_s\": 1e30, \"seconds\": 2, \"how\": "
         "\"x\"}",
         "memory_bandwidth_bytes_per_s"},
        {"{\"gpu_flops\": 1e12, \"memory_bandwidth_bytes_per_s\": 1e10, \"seconds\": 2, \"how\": "
         "3}",
         "how"},
        {"{\"gpu_flops\": 1e12, \"memory_bandwidth_bytes_per_s\": 1e10, \"seconds\": 2, \"how\": "
         "\"x\", \"extra\": 1}",
         "extra"},
    };
    char *folder = folder_make(), *path = file_path(NULL, "%s/bench.json", folder);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench_result r = {.flops = -1};
        struct err err;

        folder_put(folder, "bench.json", rows[i].text);
        assert_int_equal(bench_load(path, &r, &err), -1);
        assert_non_null(strstr(err.text, rows[i].word));
        assert_true(r.flops == -1);
    }
    mem_free(path);
    folder_remove(folder);
}

/* Every length and every bit: a result that was cut or turned is refused, or is still a result. */
static void damage_is_survived(void **state)
{
    struct bench_result r = a_result(), back;
    char *whole = bench_print(&r, NULL);
    size_t len = strlen(whole);

    (void)state;
    assert_int_equal(bench_parse(whole, len, &back, NULL), 0);
    for (size_t i = 0; i + 1 < len; i++) { /* without the newline alone it is whole */
        char *cut = mem_strndup(whole, i);

        assert_int_equal(bench_parse(cut, i, &back, NULL), -1);
        mem_free(cut);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        whole[bit / 8] = (char)(whole[bit / 8] ^ (1 << bit % 8));
        if (bench_parse(whole, len, &back, NULL) == 0)
            assert_true(back.flops >= 1e6 && back.flops <= 1e18);
        whole[bit / 8] = (char)(whole[bit / 8] ^ (1 << bit % 8));
    }
    mem_free(whole);
}

static void lost_memory_is_an_error(void **state)
{
    struct bench_result r = a_result(), back;
    char *folder = folder_make(), *path = file_path(NULL, "%s/bench.json", folder);
    unsigned nth = 0;
    int rc;

    (void)state;
    assert_int_equal(bench_save(path, &r, NULL), 0);
    do {
        mem_fail_at(++nth);
        rc = bench_save(path, &r, NULL) < 0 || bench_load(path, &back, NULL) < 0 ? -1 : 0;
        mem_fail_at(0);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 2, 999);
    mem_free(path);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_gives_rates_and_how_they_came),
        cmocka_unit_test(the_product_is_right),
        cmocka_unit_test(a_stop_ends_it_without_a_result),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(a_result_is_kept),
        cmocka_unit_test(a_file_that_is_no_result_is_refused_by_field),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(lost_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
