#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/lenient_json.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>
#include <stdlib.h>

/* The value as compact JSON, which the caller frees; NULL: refused. */
static char *read_text(const char *text, size_t len, enum lenient_want want, struct notes *notes)
{
    char *copy = malloc(len + 1); /* to its exact length: reading past the end is seen */
    struct json *v;
    char *printed;

    memcpy(copy, text, len);
    v = lenient_json_parse("field", copy, len, want, notes, NULL);
    free(copy);
    if (!v)
        return NULL;
    printed = json_print(v, false, NULL);
    json_free(v);
    return printed;
}

struct row {
    const char *text, *json, *noted; /* noted NULL: no note at all; json NULL: refused */
};

static void check(const struct row *rows, size_t count, enum lenient_want want)
{
    for (size_t i = 0; i < count; i++) {
        struct notes notes = {0};
        char *got = read_text(rows[i].text, strlen(rows[i].text), want, &notes);

        if (!got != !rows[i].json || (got && strcmp(got, rows[i].json) != 0))
            fail_msg("%s: got %s, wanted %s", rows[i].text, got ? got : "nothing",
                     rows[i].json ? rows[i].json : "nothing");
        if (rows[i].json &&
            (rows[i].noted ? !notes_have(&notes, rows[i].noted) : notes.count > 0)) {
            notes_print(&notes);
            fail_msg("%s: wanted the note \"%s\"", rows[i].text,
                     rows[i].noted ? rows[i].noted : "none");
        }
        mem_free(got);
        notes_clear(&notes);
    }
}

static void what_models_write_is_read(void **state)
{
    static const struct row rows[] = {
        {"{\"rank\": 8, \"ok\": true, \"x\": null}", "{\"rank\":8,\"ok\":true,\"x\":null}", NULL},
        {" \n{\"a\": [1, {\"b\": \"c\"}]}\n", "{\"a\":[1,{\"b\":\"c\"}]}", NULL},
        {"```json\n{\"a\": 1}\n```", "{\"a\":1}", "text around"},
        {"```\n{\"a\": 1}", "{\"a\":1}", "text around"},
        {"Here it is: {\"a\": 1}. Good luck!", "{\"a\":1}", "text around"},
        {"{'a': 'it''s'}", "{\"a\":\"it''s\"}", "quotes"},
        {"{'a': 'it's fine'}", "{\"a\":\"it's fine\"}", "quotes"},
        {"{\xe2\x80\x9c"
         "a\xe2\x80\x9d: \xe2\x80\x9c"
         "b\xe2\x80\x9d}",
         "{\"a\":\"b\"}", "quotes"},
        {"{a: q4g64, b: two words}", "{\"a\":\"q4g64\",\"b\":\"two words\"}", "without quotes"},
        {"{\"a\": True, \"b\": False, \"c\": None}", "{\"a\":true,\"b\":false}", "Python"},
        {"{\"a\": NaN, \"b\": 1}", "{\"b\":1}", "Python"},
        {"{\"a\": 1, // why\n \"b\": 2 # so\n /* and */}", "{\"a\":1,\"b\":2}", "comments"},
        {"{\"a\": word # so\n}", "{\"a\":\"word\"}", "comments"},
        {"{\"a\": 1, \"b\": [1, 2,],}", "{\"a\":1,\"b\":[1,2]}", "commas"},
        {"{\"a\": 1 \"b\": 2}", "{\"a\":1,\"b\":2}", "commas"},
        {"{\"a\": \"x\"\n\"b\": 2}", "{\"a\":\"x\",\"b\":2}", "commas"},
        {"{\"a\": 1,, \"b\": 2}", "{\"a\":1,\"b\":2}", "commas"},
        {"{\"a\": \"one\ntwo\"}", "{\"a\":\"one\\ntwo\"}", "control characters"},
        {"{\"a\": \"C:\\dir \\'x\\'\"}", "{\"a\":\"C:\\\\dir 'x'\"}", "escapes"},
        {"{\"a\": \"\\u00e9\\ud83d\\ude00\",}", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}", "commas"},
        {"{\"a\": \"\\ud800\", \"b\": \"\\u0000\"}", "{\"a\":\"?\",\"b\":\"?\"}", "escapes"},
        {"{\"a\": \"use \"fast\" mode\"}", "{\"a\":\"use \\\"fast\\\" mode\"}", "inside a text"},
        {"{\"a\": 1, \"a\": 2}", "{\"a\":2}", "twice"},
        {"{\"a\": +5, \"b\": .5, \"c\": 1_000, \"d\": 007, \"e\": 2.}",
         "{\"a\":5,\"b\":0.5,\"c\":1000,\"d\":7,\"e\":2}", "form"},
        {"{\"a\": -1.5e-4, 'b': 0}", "{\"a\":-0.00015,\"b\":0}", "quotes"},
        {"{\"a\": 1}{\"b\": 2}\n{\"a\": 3}", "{\"a\":3,\"b\":2}", "in a row"},
        {"{\"a\": {\"b\": 1, \"c\": [1, 2", "{\"a\":{\"b\":1,\"c\":[1]}}", "too early"},
        {"{\"a\": 1, \"b\": \"cut he", "{\"a\":1}", "too early"},
        {"{\"a\": 1, \"b\": tru", "{\"a\":1}", "too early"},
        {"{\"a\": 1, \"b\": 16", "{\"a\":1}", "too early"},
        {"{\"a\": 1, \"b", "{\"a\":1}", "too early"},
        {"[{\"a\": 1, \"b\": [2}]", "{\"a\":1,\"b\":[2]}", "too early"},
        {"{\"a\": 1, \"b\", \"c\": 3}", "{\"a\":1,\"c\":3}", "without a value"},
        {"rank: 8\nlayers: 12\n", "{\"rank\":8,\"layers\":12}", "braces"},
        {"- **rank**: 8\n- layers = 12\n", "{\"rank\":8,\"layers\":12}", "braces"},
        {"\"rank\": 8, \"layers\": 12;", "{\"rank\":8,\"layers\":12}", "braces"},
        {"\"{\\\"a\\\": 1}\"", "{\"a\":1}", "inside a text"},
        {"{placeholder} {\"a\": 1}", "{\"a\":1}", "text around"},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], LENIENT_OBJECT);
}

/* 1,000 or 8 GB is a text for the cast to refuse by name, never a number by guess. */
static void numbers_are_not_guessed(void **state)
{
    static const struct row rows[] = {
        {"{\"a\": 1,000, \"b\": 2}", "{\"a\":\"1,000\",\"b\":2}", "without quotes"},
        {"{\"a\": 8 GB, \"b\": 3%, \"c\": $3}", "{\"a\":\"8 GB\",\"b\":\"3%\",\"c\":\"$3\"}",
         "without quotes"},
        {"{\"a\": 1/8, \"b\": 0x10, \"c\": 1-2}", "{\"a\":\"1/8\",\"b\":\"0x10\",\"c\":\"1-2\"}",
         "without quotes"},
        {"{\"a\": integer 1..1024, 'b': 1}", "{\"a\":\"integer 1..1024\",\"b\":1}", "quotes"},
        {"{\"a\": 1..5, \"b\": ...}", "{\"a\":\"1..5\",\"b\":\"...\"}", "without quotes"},
        {"{\"a\": 1e999, 'b': 1}", "{\"a\":\"1e999\",\"b\":1}", "quotes"},
        {"{\"a\": 99999999999999999999, 'b': 1}", "{\"a\":\"99999999999999999999\",\"b\":1}",
         "quotes"},
        {"{\"a\": 8 (for all), 'b': 1}", "{\"a\":\"8 (for all)\",\"b\":1}", "quotes"},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], LENIENT_OBJECT);
}

static void lists_are_found(void **state)
{
    static const struct row rows[] = {
        {"[{\"a\": 1}, {\"a\": 2}]", "[{\"a\":1},{\"a\":2}]", NULL},
        {"As [asked], the list: [{\"a\": 1},\n{\"a\": 2},]", "[{\"a\":1},{\"a\":2}]", "commas"},
        {"{\"a\": 1}\n{\"a\": 2}", "[{\"a\":1},{\"a\":2}]", "in a row"},
        {"{\"a\": 1},\n{\"a\": 2},", "[{\"a\":1},{\"a\":2}]", "in a row"},
        {"{\"a\": 1}", "{\"a\":1}", NULL},
        {"[{\"a\": 1, \"b\": 2}, {\"a\": 3, \"b", "[{\"a\":1,\"b\":2},{\"a\":3}]", "too early"},
        {"[\"x\", 'y', z]", "[\"x\",\"y\",\"z\"]", "quotes"},
        {"[{\"a\": 1}, ...]", "[{\"a\":1},\"...\"]", "without quotes"},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], LENIENT_ARRAY);
}

static void what_is_no_json_is_refused(void **state)
{
    static const struct row rows[] = {
        {"", NULL, NULL},       {"   ", NULL, NULL},         {"just words", NULL, NULL},
        {"{}", "{}", NULL},     {"{ }{", NULL, NULL},        {"{\"a\"}", NULL, NULL},
        {"}{", NULL, NULL},     {"42", NULL, NULL},          {"null", NULL, NULL},
        {"{{{{{{", NULL, NULL}, {"{a} {b} {c}", NULL, NULL}, {"\"\"", NULL, NULL},
        {"{\"", NULL, NULL},    {"```\n```", NULL, NULL},    {"\\", NULL, NULL},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], LENIENT_OBJECT);
}

static char *repeat(const char *head, const char *part, size_t times, size_t *len)
{
    size_t h = strlen(head), p = strlen(part);
    char *text = malloc(h + p * times + 1);

    memcpy(text, head, h);
    for (size_t i = 0; i < times; i++)
        memcpy(text + h + p * i, part, p);
    *len = h + p * times;
    text[*len] = '\0';
    return text;
}

/* Each of these would be slow, deep or large without a limit. */
static void hostile_texts_are_bounded(void **state)
{
    static const struct {
        const char *head, *part;
        size_t times;
        enum err_code code;
    } rows[] = {
        {"", "{\"a\":", 100000, ERR_TOO_BIG},      {"", "[", 1000000, ERR_MALFORMED},
        {"[{", "}{", 1000000, ERR_TOO_BIG},        {"", "{x} ", 500000, ERR_MALFORMED},
        {"[{'a':1},", "1,", 1000000, ERR_TOO_BIG}, {"{'a':\"", "\"\"", 1000000, ERR_NONE},
        {"{'a': ", "[{'b':", 1000, ERR_TOO_BIG},   {"", "\"", 1000000, ERR_MALFORMED},
        {"{'a':1,", "/*", 1000000, ERR_NONE},      {"{'a':'", "' ", 1000000, ERR_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct json *v;
        size_t len;
        char *text = repeat(rows[i].head, rows[i].part, rows[i].times, &len);

        v = lenient_json_parse("field", text, len, LENIENT_ARRAY, NULL, &err);
        if (rows[i].code && err.code != rows[i].code)
            fail_msg("%s: %s %s", rows[i].part, err_code_name(err.code), err.text);
        json_free(v);
        free(text);
    }
}

static void members_are_counted(void **state)
{
    struct err err = {0};
    char *text = malloc(LENIENT_MEMBERS_MAX * 16 + 64);
    struct json *v;

    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        size_t at = (size_t)sprintf(text, "{");

        for (int i = 0; i < LENIENT_MEMBERS_MAX + extra; i++)
            at += (size_t)sprintf(text + at, "'k%d': 1, ", i);
        v = lenient_json_parse("field", text, at, LENIENT_OBJECT, NULL, &err);
        assert_true((v != NULL) == (extra == 0));
        assert_true(v || err.code == ERR_TOO_BIG);
        json_free(v);
    }
    free(text);
}

static const char messy[] =
    "Sure!\n```json\n{'a': [1, 2.5, True, None, {\"b\": \"c \\u00e9 \"d\" e\", f: g_h}], // no\n"
    " \"i\": \"j\nk\", \"l\": 1,000,}\n```\n";

static void every_length_truncated_is_survived(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(messy); len++)
        mem_free(read_text(messy, len, LENIENT_OBJECT, NULL));
    char *all = read_text(messy, strlen(messy), LENIENT_OBJECT, NULL);

    assert_string_equal(all, "{\"a\":[1,2.5,true,{\"b\":\"c \xc3\xa9 \\\"d\\\" e\",\"f\":\"g_h\"}],"
                             "\"i\":\"j\\nk\",\"l\":\"1,000\"}");
    mem_free(all);
}

static void every_bit_flipped_is_survived(void **state)
{
    char text[sizeof messy];
    size_t read = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * strlen(messy); bit++) {
        char *got;

        memcpy(text, messy, sizeof messy);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        got = read_text(text, strlen(messy), bit % 2 ? LENIENT_OBJECT : LENIENT_ARRAY, NULL);
        read += got != NULL;
        mem_free(got);
    }
    assert_in_range(read, 4 * sizeof messy, 8 * sizeof messy); /* that is what lenient means */
}

static void lost_memory_is_survived(void **state)
{
    struct err err;
    struct json *v;
    unsigned nth = 0;

    (void)state;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        v = lenient_json_parse("field", messy, strlen(messy), LENIENT_OBJECT, NULL, &err);
        mem_fail_at(0);
        assert_true(v || err.code == ERR_NOMEM);
    } while (!v && nth < 1000);
    assert_in_range(nth, 20, 999);
    json_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_models_write_is_read),
        cmocka_unit_test(numbers_are_not_guessed),
        cmocka_unit_test(lists_are_found),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(hostile_texts_are_bounded),
        cmocka_unit_test(members_are_counted),
        cmocka_unit_test(every_length_truncated_is_survived),
        cmocka_unit_test(every_bit_flipped_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
