/* test_event_line.c - lines as trainers write them, and as they should not. */
#include "agent/apply/event_line.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct measurement *reading(const char *line)
{
    struct measurement *m = measurement_new(NULL);
    struct err err;

    m->at_ms = 5;
    if (event_line_read(line, strlen(line), m, &err) < 0)
        fail_msg("%s\n  %s", line, err.text);
    return m;
}

/* What a callback of mlx-lm that writes JSON lines gives. */
#define MLX_LINE                                                                \
    "{\"event\": \"train\", \"t\": 1790000000.125, \"rank\": 0, \"world\": 1, " \
    "\"active\": 10, \"cache\": 20, \"peak\": 3210000123, \"maxrss\": 5, "      \
    "\"iteration\": 40, \"train_loss\": 2.25, \"learning_rate\": 1e-05, "       \
    "\"iterations_per_second\": 2.5, \"tokens_per_second\": 1235.5, "           \
    "\"trained_tokens\": 123456, \"peak_memory\": 3.21}"

static void a_line_of_mlx_lm(void **state)
{
    struct measurement *m = reading(MLX_LINE);

    (void)state;
    assert_string_equal(m->event, "train");
    assert_int_equal(m->iteration, 40);
    assert_float_equal(m->loss, 2.25, 0);
    assert_float_equal(m->step_seconds, 0.4, 1e-12);
    assert_float_equal(m->tokens_per_second, 1235.5, 0);
    assert_int_equal(m->tokens, 123456);
    assert_int_equal(m->peak_bytes, 3210000123); /* the exact one, not the rounded */
    assert_int_equal(m->at_ms, 1790000000125);
    assert_null(m->text);
    measurement_free(m);
}

static void a_line_of_a_shell_script(void **state)
{
    struct measurement *m = reading("{\"event\":\"train\",\"step\":3,\"step_seconds\":0.1}");

    (void)state;
    assert_int_equal(m->iteration, 3);
    assert_float_equal(m->step_seconds, 0.1, 0);
    assert_int_equal(m->at_ms, 5); /* ours stands */
    assert_false(known_f64(m->loss));
    measurement_free(m);
}

static void units_and_names_in_all_their_forms(void **state)
{
    struct measurement *m =
        reading("{\"event\": \"val\", \"val_loss\": 1.5, \"peak_memory\": 0.5}");

    (void)state;
    assert_float_equal(m->loss, 1.5, 0);
    assert_int_equal(m->peak_bytes, 500000000);
    measurement_free(m);
    m = reading(
        "{\"event\":\"end\",\"rc\":1,\"error\":\"ValueError\",\"message\":\"no data\\nthere\"}");
    assert_string_equal(m->text, "ValueError: no data?there");
    measurement_free(m);
    m = reading("{\"peak_bytes\": 7, \"peak\": 8, \"trained_tokens\": 1234.0, \"tokens\": 9}");
    assert_int_equal(m->peak_bytes, 7);
    assert_int_equal(m->tokens, 9);
    measurement_free(m);
    m = reading("{}");
    assert_null(m->event);
    measurement_free(m);
}

static void python_numbers_that_are_none_are_unknown(void **state)
{
    struct measurement *m =
        reading("{\"train_loss\": NaN, \"val_loss\": Infinity, \"step\": 7, "
                "\"loss\": -Infinity, \"event\": \"is NaN, \\\"Infinity\\\"\"}");

    (void)state;
    assert_false(known_f64(m->loss));
    assert_int_equal(m->iteration, 7);
    assert_string_equal(m->event, "is NaN, \"Infinity\"");
    measurement_free(m);
}

static void values_of_no_use_are_passed_over(void **state)
{
    struct measurement *m = reading(
        "{\"event\": 5, \"iteration\": \"many\", \"loss\": true, \"step_seconds\": -1, "
        "\"tokens_per_second\": 1e300, \"tokens\": -4, \"peak_bytes\": 1e18, \"step\": 1.5, "
        "\"iterations_per_second\": 0, \"t\": -1, \"text\": {\"a\": [1]}}");

    (void)state;
    assert_null(m->event);
    assert_false(known_i64(m->iteration));
    assert_false(known_f64(m->loss));
    assert_false(known_f64(m->step_seconds));
    assert_false(known_f64(m->tokens_per_second));
    assert_false(known_i64(m->tokens));
    assert_false(known_i64(m->peak_bytes));
    assert_null(m->text);
    measurement_free(m);
}

static void long_texts_are_cut_between_characters(void **state)
{
    char line[2048] = "{\"event\": \"", *p = line + strlen(line);
    struct measurement *m;

    (void)state;
    for (int i = 0; i < 400; i++, p += 2)
        memcpy(p, "\xc3\xa9", 2);
    snprintf(p, 8, "\"}");
    m = reading(line);
    assert_int_equal(strlen(m->event), 64);
    measurement_free(m);
}

static void what_is_no_object_is_refused_and_changes_nothing(void **state)
{
    static const char *const lines[] = {"",
                                        " ",
                                        "Loading pretrained model",
                                        "[1]",
                                        "5",
                                        "null",
                                        "\"x\"",
                                        "{",
                                        "{\"a\":1",
                                        "{\"a\":1}}",
                                        "{\"a\":1,\"a\":2}",
                                        "{'a':1}",
                                        "{\"a\":NaNa}",
                                        "{\"a\":\"\xff\"}",
                                        "\x1b[1m{}",
                                        "{\"a\":\"NaN}"};
    struct measurement *m = measurement_new(NULL);

    (void)state;
    m->iteration = 3;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(event_line_read(lines[i], strlen(lines[i]), m, NULL), -1);
    assert_int_equal(m->iteration, 3);
    measurement_free(m);
}

static void the_longest_line_and_one_more(void **state)
{
    char *line = mem_zalloc(EVENT_LINE_MAX + 2);
    struct measurement *m = measurement_new(NULL);
    struct err err;

    (void)state;
    memset(line, ' ', EVENT_LINE_MAX + 1);
    memcpy(line, "{\"step\":9}", 10);
    assert_int_equal(event_line_read(line, EVENT_LINE_MAX, m, &err), 0);
    assert_int_equal(m->iteration, 9);
    assert_int_equal(event_line_read(line, EVENT_LINE_MAX + 1, m, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    measurement_free(m);
    mem_free(line);
}

/* Whatever is read is a sound record. */
static void check_line(const char *line, size_t len)
{
    struct measurement *m = measurement_new(NULL);

    text_set(&m->plan_id, "p", NULL);
    text_set(&m->job_id, "j", NULL);
    m->generation = m->sequence = 1;
    event_line_read(line, len, m, NULL);
    assert_int_equal(record_check(&measurement_type, m, NULL), 0);
    measurement_free(m);
}

static void every_bit_and_every_length(void **state)
{
    char line[] = MLX_LINE;
    size_t len = strlen(line);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++)
        check_line(line, cut);
    for (size_t bit = 0; bit < len * 8; bit++) {
        line[bit / 8] ^= (char)(1 << bit % 8);
        check_line(line, len);
        line[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void lost_memory_changes_nothing(void **state)
{
    struct measurement *m = measurement_new(NULL);
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = event_line_read(MLX_LINE, strlen(MLX_LINE), m, NULL);
        mem_fail_at(0);
        assert_true((rc == 0) == (m->event != NULL));
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 2, 999);
    measurement_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_mlx_lm),
        cmocka_unit_test(a_line_of_a_shell_script),
        cmocka_unit_test(units_and_names_in_all_their_forms),
        cmocka_unit_test(python_numbers_that_are_none_are_unknown),
        cmocka_unit_test(values_of_no_use_are_passed_over),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(what_is_no_object_is_refused_and_changes_nothing),
        cmocka_unit_test(the_longest_line_and_one_more),
        cmocka_unit_test(every_bit_and_every_length),
        cmocka_unit_test(lost_memory_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
