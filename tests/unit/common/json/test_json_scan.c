/* What json_parse takes and what it refuses; each refusal says where and why. */
#include "common/json/json.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Parse a copy of exactly len bytes, so that reading past its end is seen. */
static struct json *parse_exact(const char *text, size_t len, struct err *err)
{
    char *copy = malloc(len ? len : 1);
    struct json *v;

    assert_non_null(copy);
    memcpy(copy, text, len);
    v = json_parse(copy, len, err);
    free(copy);
    return v;
}

static void what_rfc_8259_allows_is_read(void **state)
{
    static const char *const rows[] = {
        "null",
        " true ",
        "\t\r\nfalse\n",
        "0",
        "-0",
        "-12.5e+3",
        "1E2",
        "\"\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[[],{}]",
        "[1, 2 ,3]",
        "{\"a\":{\"b\":[{}]}}",
        "{\"\":1}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83C\\udf50\"",
        "\"\x7f\xc2\x80\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x90\"",
        "{\"a\":1,\"A\":2,\"a \":3}",
        "9007199254740992",
        "1.7976931348623157e308",
        "5e-324",
        "0e999",
        "0.000000000000000000000000000000000000000000000000000000000001",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {ERR_NONE, ""};
        struct json *v = parse_exact(rows[i], strlen(rows[i]), &err);

        if (!v)
            print_error("%s: %s\n", rows[i], err.text);
        assert_non_null(v);
        json_free(v);
    }
}

static void everything_else_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "1:1: want a value, found the end of the text"},
        {"  \n", "2:1: want a value, found the end of the text"},
        {"nul", "1:1: want a value, found 'n'"},
        {"True", "1:1: want a value, found 'T'"},
        {"NaN", "1:1: want a value, found 'N'"},
        {"nullx", "1:5: want the end of the text, found 'x'"},
        {"{} {}", "1:4: want the end of the text, found '{'"},
        {"\xef\xbb\xbf{}", "1:1: want a value, found \"\xef\xbb\xbf\""},
        {"// no\n1", "1:1: want a value, found '/'"},
        {"\xff", "1:1: want a value, found byte 0xff"},
        {"\v1", "1:1: want a value, found U+000B"},
        {"[1", "1:3: want ',' or ']', found the end of the text"},
        {"[1 2]", "1:4: want ',' or ']', found '2'"},
        {"[1,]", "1:4: want a value, found ']'"},
        {"[,1]", "1:2: want a value, found ','"},
        {"[1}", "1:3: want ',' or ']', found '}'"},
        {"]", "1:1: want a value, found ']'"},
        {"{", "1:2: want a key in quotes, found the end of the text"},
        {"{a:1}", "1:2: want a key in quotes, found 'a'"},
        {"{'a':1}", "1:2: want a key in quotes, found '''"},
        {"{\"a\"}", "1:5: want ':', found '}'"},
        {"{\"a\":}", "1:6: want a value, found '}'"},
        {"{\"a\":1,}", "1:8: want a key in quotes, found '}'"},
        {"{\"a\":1", "1:7: want ',' or '}', found the end of the text"},
        {"{\"a\":1 \"b\":2}", "1:8: want ',' or '}', found '\"'"},
        {"\"a", "1:1: string without an end"},
        {"\"a\\", "1:3: no such escape in a string"},
        {"\"\\x\"", "1:2: no such escape in a string"},
        {"\"\\'\"", "1:2: no such escape in a string"},
        {"\"a\nb\"", "1:3: control character 0x0a in a string"},
        {"\"\xc3\xa9 \xc0\x80\"", "1:4: byte 0xc0 is not UTF-8"},
        {"\"\xed\xa0\x80\"", "1:2: byte 0xed is not UTF-8"},
        {"\"\xe2\x82\"", "1:2: byte 0xe2 is not UTF-8"},
        {"\"\\u0000\"", "1:2: \\u0000 in a string"},
        {"\"\\u12\"", "1:2: want four hex digits after \\u"},
        {"\"\\u12g4\"", "1:2: want four hex digits after \\u"},
        {"\"\\u", "1:2: want four hex digits after \\u"},
        {"\"\\ud83c\"", "1:2: \\ud83c is half a character"},
        {"\"\\udf50\"", "1:2: \\udf50 is half a character"},
        {"\"\\ud83cx\\udf50\"", "1:2: \\ud83c is half a character"},
        {"\"\\ud83c\\u0041\"", "1:2: \\ud83c is half a character"},
        {"\"\\ud83c\\ud83c\"", "1:2: \\ud83c is half a character"},
        {"007", "1:1: 007 is no number"},
        {"-", "1:1: - is no number"},
        {"-a", "1:1: - is no number"},
        {"+1", "1:1: want a value, found '+'"},
        {".5", "1:1: want a value, found '.'"},
        {"5.", "1:1: 5. is no number"},
        {"1e", "1:1: 1e is no number"},
        {"1-2", "1:1: 1-2 is no number"},
        {"0x10", "1:2: want the end of the text, found 'x'"},
        {"1e999", "1:1: 1e999 is too large"},
        {"-1e999", "1:1: -1e999 is too large"},
        {"1e-999", "1:1: 1e-999 is too small to tell from 0"},
        {"9007199254740993",
         "1:1: 9007199254740993 is beyond 2^53, where integers are no longer exact"},
        {"-9007199254740993",
         "1:1: -9007199254740993 is beyond 2^53, where integers are no longer exact"},
        {"[1,\n 123456789012345678901234567890]",
         "2:2: 123456789012345678901234567890 is beyond 2^53, where integers are no longer exact"},
        {"0.00000000000000000000000000000000000000000000000000000000000001",
         "1:1: 0.00000000000000000000000000000000000000 has too many digits"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "1:14: repeated key \"a\""},
        {"{\"a\":1,\n \"\\u0061\":3}", "2:2: repeated key \"\\u0061\""},
        {"{\"\\n\":1,\"\\u000A\":3}", "1:9: repeated key \"\\u000A\""},
        {"{\"\\/\":1,\"/\":3}", "1:9: repeated key \"/\""},
        {"{\"\\ud83c\\udf50\":1,\"\xf0\x9f\x8d\x90\":3}",
         "1:19: repeated key \"\xf0\x9f\x8d\x90\""},
        {"{\"\xc3\xa9\":1,\"\\u00E9\":3}", "1:8: repeated key \"\\u00E9\""},
        {"{\"\xe2\x82\xac\":1,\"\\u20ac\":3}", "1:8: repeated key \"\\u20ac\""},
        {"[{\"a\":{\"b\":1,\"b\":2}}]", "1:14: repeated key \"b\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {ERR_NONE, ""};

        assert_null(parse_exact(rows[i].text, strlen(rows[i].text), &err));
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(err.code, ERR_MALFORMED);
    }
    assert_null(json_parse(NULL, 0, NULL));
}

static void nul_is_nowhere_allowed(void **state)
{
    struct err err;

    (void)state;
    assert_null(parse_exact("1\0", 2, &err));
    assert_string_equal(err.text, "1:2: want the end of the text, found U+0000");
    assert_null(parse_exact("\"a\0b\"", 5, &err));
    assert_string_equal(err.text, "1:3: control character 0x00 in a string");
    assert_null(parse_exact("\0", 1, &err));
}

/* The same key in two objects, one inside the other or side by side, is no repetition. */
static void keys_belong_to_their_object(void **state)
{
    static const char text[] =
        "{\"a\":{\"a\":{\"a\":1},\"b\":2},\"b\":[{\"a\":1},{\"a\":2}],\"c\":3}";
    struct err err = {ERR_NONE, ""};
    struct json *v = parse_exact(text, strlen(text), &err);

    (void)state;
    assert_non_null(v);
    json_free(v);
}

static void escapes_become_characters(void **state)
{
    static const char text[] = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\uD83C\\udf50\"";
    struct json *v = parse_exact(text, strlen(text), NULL);

    (void)state;
    assert_string_equal(json_text(v), "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x90");
    json_free(v);
}

/* depth arrays, one in another. */
static char *nested(size_t depth)
{
    char *text = malloc(2 * depth + 1);

    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void depth_has_a_limit(void **state)
{
    char *fits = nested(JSON_DEPTH_MAX), *deep = nested(JSON_DEPTH_MAX + 1),
         *abyss = nested(1000000);
    struct err err;
    struct json *v;

    (void)state;
    assert_non_null(v = json_parse(fits, strlen(fits), &err));
    json_free(v);
    assert_null(json_parse(deep, strlen(deep), &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_string_equal(err.text, "1:65: nested deeper than 64");
    assert_null(json_parse(abyss, strlen(abyss), &err));
    free(fits);
    free(deep);
    free(abyss);
}

static void length_has_a_limit(void **state)
{
    char *text = malloc(JSON_TEXT_MAX + 1);
    struct err err;
    struct json *v;

    (void)state;
    assert_non_null(text);
    memset(text, ' ', JSON_TEXT_MAX + 1);
    text[0] = '7';
    assert_non_null(v = json_parse(text, JSON_TEXT_MAX, &err));
    json_free(v);
    assert_null(json_parse(text, JSON_TEXT_MAX + 1, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    free(text);
}

/* An object of many keys, of which the last repeats the one in the middle when asked. */
static char *many_keys(int count, bool repeat, size_t *len)
{
    char *text = malloc((size_t)count * 20 + 40);
    size_t at = 0;

    assert_non_null(text);
    text[at++] = '{';
    for (int i = 0; i < count; i++)
        at += (size_t)sprintf(text + at, "%s\"k%07d\":%d", i ? "," : "", i, i % 10);
    if (repeat)
        at += (size_t)sprintf(text + at, ",\"\\u006b%07d\":0", count / 2);
    text[at++] = '}';
    *len = at;
    return text;
}

static void a_repeated_key_is_found_among_many(void **state)
{
    struct err err;
    struct json *v;
    size_t len;
    char *text = many_keys(100000, false, &len);

    (void)state;
    assert_non_null(v = json_parse(text, len, NULL));
    assert_int_equal(json_count(v), 100000);
    json_free(v);
    free(text);
    text = many_keys(100000, true, &len);
    assert_null(json_parse(text, len, &err));
    assert_non_null(strstr(err.text, "repeated key \"\\u006b0050000\""));
    free(text);
}

static const char SAMPLE[] =
    "{\"name\": \"p\\u00e9ar \xc3\xa9\", \"n\": [0, -1.5e3, 9007199254740992],\n"
    " \"deep\": {\"a\": {\"b\": [true, false, null, {}]}, \"\\ud83c\\udf50\": \"\"}}";

/* Whatever was accepted prints, and what was printed reads back to the same print. */
static void assert_stable(struct json *v)
{
    char *first = json_print(v, true, NULL), *second;
    struct json *again = json_parse(first, strlen(first), NULL);

    assert_non_null(again);
    second = json_print(again, true, NULL);
    assert_string_equal(first, second);
    mem_free(first);
    mem_free(second);
    json_free(again);
    json_free(v);
}

static void every_flipped_bit_is_refused_or_read(void **state)
{
    char text[sizeof SAMPLE];
    size_t len = strlen(SAMPLE);
    int read = 0, refused = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        struct err err = {ERR_NONE, ""};
        struct json *v;

        memcpy(text, SAMPLE, len);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if ((v = parse_exact(text, len, &err))) {
            read++;
            assert_stable(v);
        } else {
            refused++;
            assert_true(err.code == ERR_MALFORMED && err.text[0] >= '1' && err.text[0] <= '9');
        }
    }
    assert_true(read > 0 && refused > 0);
}

static void every_truncation_is_refused(void **state)
{
    struct json *v;

    (void)state;
    for (size_t len = 0; len < strlen(SAMPLE); len++) {
        struct err err = {ERR_NONE, ""};

        assert_null(parse_exact(SAMPLE, len, &err));
        assert_int_equal(err.code, ERR_MALFORMED);
    }
    assert_non_null(v = parse_exact(SAMPLE, strlen(SAMPLE), NULL));
    assert_stable(v);
}

static void every_lost_allocation_is_survived(void **state)
{
    struct json *v = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        struct err err = {ERR_NONE, ""};

        mem_fail_at(++nth);
        v = json_parse(SAMPLE, strlen(SAMPLE), &err);
        mem_fail_at(0);
        assert_true(v || err.code == ERR_NOMEM);
    } while (!v && nth < 1000);
    assert_in_range(nth, 10, 999);
    assert_stable(v);
}

/* Random strings of JSON's own pieces: more of them parse than of random bytes. */
static void random_texts_are_refused_or_read(void **state)
{
    static const char *const pieces[] = {
        "{",    "}",    "[", "]",  ",",       ":",  "\"a\"",   "\"b\"", "1",   "-2.5",
        "null", "true", " ", "\"", "\\u0061", "\\", "{\"a\":", "[1,",   "1e5",
    };
    uint32_t draw = 42;
    int read = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        char text[256];
        size_t len = 0;
        struct json *v;

        for (int n = 0; n < 8; n++) {
            const char *piece;

            draw = draw * 1664525u + 1013904223u; /* a linear congruential generator */
            piece = pieces[(draw >> 16) % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
            if (n > 3 && (draw >> 8) % 4 == 0)
                break;
        }
        if ((v = parse_exact(text, len, NULL))) {
            read++;
            assert_stable(v);
        }
    }
    assert_true(read > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rfc_8259_allows_is_read),
        cmocka_unit_test(everything_else_is_refused_with_its_place),
        cmocka_unit_test(nul_is_nowhere_allowed),
        cmocka_unit_test(keys_belong_to_their_object),
        cmocka_unit_test(escapes_become_characters),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(length_has_a_limit),
        cmocka_unit_test(a_repeated_key_is_found_among_many),
        cmocka_unit_test(every_flipped_bit_is_refused_or_read),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_lost_allocation_is_survived),
        cmocka_unit_test(random_texts_are_refused_or_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
