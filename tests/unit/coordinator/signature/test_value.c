#include "common/core/buf.h"
#include "common/core/mem.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/string_form.h"
#include "coordinator/signature/value.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <float.h>
#include <math.h>

/* A value under a field of text and one of another type; yours to mem_free. */
static char *shown(const char *field, const char *json, struct err *err)
{
    static const char line[] = "text, any: Any -> b";
    struct signature *sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    struct buf b;
    char *out = NULL;

    buf_init(&b, 4096);
    buf_adds(&b, "");
    if (value_add(&b, signature_field(sig, field), json, err) == 0)
        out = buf_take(&b, NULL, err);
    buf_clear(&b);
    signature_free(sig);
    return out;
}

static void values_are_shown_as_dspy_shows_them(void **state)
{
    static const struct {
        const char *field, *json, *shown;
    } rows[] = {
        {"text", "\"as it \\\"stands\\\"\\n\"", "as it \"stands\"\n"},
        {"text", "true", "True"},
        {"text", "false", "False"},
        {"text", "null", "None"},
        {"text", " 3 ", "3"},
        {"text", "-0", "0"},
        {"text", "1.0", "1.0"},
        {"text", "1e-7", "1e-07"},
        {"text", "1E5", "100000.0"},
        {"text", "9007199254740992", "9007199254740992"},
        {"text", "[]", "N/A"},
        {"text", "[\"one\"]", "\xc2\xabone\xc2\xbb"},
        {"text", "[\"a\", \"b\\nc\"]",
         "[1] \xc2\xab"
         "a\xc2\xbb\n[2] \xc2\xab\xc2\xab\xc2\xab\n    b\n    c\n\xc2\xbb\xc2\xbb\xc2\xbb"},
        {"text", "[\"\xc2\xab\", 1.0]",
         "[1] \xc2\xab\xc2\xab\xc2\xab\n    \xc2\xab\n\xc2\xbb\xc2\xbb\xc2\xbb\n[2] \xc2\xab"
         "1.0\xc2\xbb"},
        {"text", "{\"b\":1,\"a\":[1.50,true,null,\"\\u00e9\\u0001\\u007f/\"]}",
         "{\"b\": 1, \"a\": [1.5, true, null, \"\xc3\xa9\\u0001\x7f/\"]}"},
        {"any", "[]", "[]"},
        {"any", "{}", "{}"},
        {"any", "[\"x\", [1e300]]", "[\"x\", [1e+300]]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = shown(rows[i].field, rows[i].json, NULL);

        assert_string_equal(text, rows[i].shown);
        mem_free(text);
    }
}

static void floats_are_pythons(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-2.5, "-2.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b;

        buf_init(&b, 64);
        value_add_float(&b, rows[i].value);
        assert_string_equal(b.data, rows[i].text);
        buf_clear(&b);
    }
}

static void json_is_indented(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    assert_int_equal(value_add_json(&b, "f", "{\"a\":[1,{}],\"b\":[]}", 1, NULL), 0);
    assert_string_equal(b.data, "{\n    \"a\": [\n      1,\n      {}\n    ],\n    \"b\": []\n  }");
    buf_clear(&b);
}

static void what_is_no_json_is_refused_by_name(void **state)
{
    static const char *const bad[] = {"", "{", "[1,]", "nul", "1 2", "\"\xff\"", "01"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};

        assert_null(shown("text", bad[i], &err));
        assert_int_equal(err.code, ERR_MALFORMED);
        assert_memory_equal(err.text, "text: ", 6);
    }
}

static void lost_memory_is_survived(void **state)
{
    static const char line[] = "text -> b";
    struct signature *sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    struct err err = {0};
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct buf b;

        buf_init(&b, 4096);
        mem_fail_at(++nth);
        rc = value_add(&b, sig->fields, "[\"a\", {\"b\": 1.5}]", &err);
        mem_fail_at(0);
        if (rc == 0 && b.failed)
            rc = -1; /* told by whoever takes the text */
        buf_clear(&b);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 3, 999);
    signature_free(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_shown_as_dspy_shows_them),
        cmocka_unit_test(floats_are_pythons),
        cmocka_unit_test(json_is_indented),
        cmocka_unit_test(what_is_no_json_is_refused_by_name),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
