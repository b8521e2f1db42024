#include "common/json/json.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_pretty(const char *text, const char *expected)
{
    struct json *v = json_parse(text, strlen(text), NULL);
    char *printed = json_print(v, true, NULL);

    assert_non_null(printed);
    assert_string_equal(printed, expected);
    mem_free(printed);
    json_free(v);
}

static void assert_plain(struct json *v, const char *expected)
{
    char *printed = json_print(v, false, NULL);

    assert_non_null(printed);
    assert_string_equal(printed, expected);
    mem_free(printed);
    json_free(v);
}

static void a_plan_is_laid_out_for_people(void **state)
{
    (void)state;
    assert_pretty("{\"id\":\"p1\",\"ranks\":[8,16],\"limits\":{\"bytes\":1,\"s\":2.5},"
                  "\"clients\":[{\"id\":\"a\",\"keys\":[]},{\"id\":\"b\",\"keys\":[\"q\"]}],"
                  "\"none\":{}}",
                  "{\n"
                  "  \"id\": \"p1\",\n"
                  "  \"ranks\": [8, 16],\n"
                  "  \"limits\": {\"bytes\": 1, \"s\": 2.5},\n"
                  "  \"clients\": [\n"
                  "    {\n"
                  "      \"id\": \"a\",\n"
                  "      \"keys\": []\n"
                  "    },\n"
                  "    {\n"
                  "      \"id\": \"b\",\n"
                  "      \"keys\": [\"q\"]\n"
                  "    }\n"
                  "  ],\n"
                  "  \"none\": {}\n"
                  "}\n");
    assert_pretty("{\"a\":1}", "{\n  \"a\": 1\n}\n");
    assert_pretty("[{\"a\":1},{\"a\":2}]", "[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n");
    assert_pretty("[]", "[]\n");
    assert_pretty("7", "7\n");
}

static void long_lists_fill_their_lines(void **state)
{
    char text[400] = "{\"n\":[", *printed, *line;
    struct json *v;

    (void)state;
    for (int i = 0; i < 60; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? ",1000" : "1000");
    snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    v = json_parse(text, strlen(text), NULL);
    printed = json_print(v, true, NULL);
    assert_memory_equal(printed, "{\n  \"n\": [\n    1000, 1000", 25);
    for (line = strtok(printed, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 101); /* a comma may follow */
        if (line[4] == '1' && line[strlen(line) - 1] == ',')
            assert_true(strlen(line) > 90);
    }
    mem_free(printed);
    json_free(v);
}

static void long_objects_take_a_line_a_member(void **state)
{
    (void)state;
    assert_pretty(
        "[{\"a\":\"0123456789012345678901234567890123456789\","
        "\"b\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}]",
        "[\n"
        "  {\n"
        "    \"a\": \"0123456789012345678901234567890123456789\",\n"
        "    \"b\": \"0123456789012345678901234567890123456789012345678901234567890123456789\"\n"
        "  }\n"
        "]\n");
}

static void numbers_are_as_short_as_they_read_back(void **state)
{
    (void)state;
    assert_plain(json_new_i64(9007199254740992), "9007199254740992");
    assert_plain(json_new_i64(-9007199254740992), "-9007199254740992");
    assert_plain(json_new_f64(3), "3");
    assert_plain(json_new_f64(-0.0), "0");
    assert_plain(json_new_f64(0.1), "0.1");
    assert_plain(json_new_f64(1e300), "1e+300");
    assert_plain(json_new_f64(1.0 / 3), "0.3333333333333333");
    assert_plain(json_new_f64(9007199254740994.0), "9007199254740994.0");
}

static void controls_are_escaped(void **state)
{
    (void)state;
    assert_plain(json_new_text("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc2\x9b\xc2\xa0\xc3\xa9"),
                 "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u009b\xc2\xa0\xc3\xa9\"");
}

static void nothing_and_too_much_are_refused(void **state)
{
    struct json *v = json_array(), *outer;
    struct err err;
    char *text, *big = malloc(JSON_PRINT_MAX);

    (void)state;
    assert_null(json_print(NULL, false, &err));
    assert_int_equal(err.code, ERR_INVALID);

    for (int i = 1; i < JSON_DEPTH_MAX; i++) {
        outer = json_array();
        assert_int_equal(json_append(outer, &v), 0);
        v = outer;
    }
    assert_non_null(text = json_print(v, true, NULL));
    mem_free(text);
    outer = json_array();
    assert_int_equal(json_append(outer, &v), 0);
    assert_null(json_print(outer, false, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    json_free(outer);

    assert_non_null(big);
    memset(big, 'x', JSON_PRINT_MAX);
    v = json_new_text_n(big, JSON_PRINT_MAX - 2);
    assert_non_null(text = json_print(v, false, NULL));
    assert_int_equal(strlen(text), JSON_PRINT_MAX);
    mem_free(text);
    assert_null(json_print(v, true, &err)); /* with its newline one too long */
    assert_int_equal(err.code, ERR_TOO_BIG);
    json_free(v);
    free(big);
}

static void printing_survives_lost_memory(void **state)
{
    static const char sample[] =
        "{\"a\": [1, 2, 3], \"b\": {\"c\": \"0123456789012345678901234567\"},"
        " \"d\": [[], {}, \"0123456789012345678901234567890123456789\"]}";
    struct json *v = json_parse(sample, strlen(sample), NULL);
    unsigned nth = 0;
    char *text;

    (void)state;
    do {
        struct err err = {ERR_NONE, ""};

        mem_fail_at(++nth);
        text = json_print(v, true, &err);
        mem_fail_at(0);
        assert_true(text || err.code == ERR_NOMEM);
    } while (!text && nth < 100);
    assert_in_range(nth, 3, 99);
    mem_free(text);
    json_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_laid_out_for_people),
        cmocka_unit_test(long_lists_fill_their_lines),
        cmocka_unit_test(long_objects_take_a_line_a_member),
        cmocka_unit_test(numbers_are_as_short_as_they_read_back),
        cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(nothing_and_too_much_are_refused),
        cmocka_unit_test(printing_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
