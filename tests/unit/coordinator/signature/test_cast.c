#include "common/core/mem.h"
#include "coordinator/signature/cast.h"
#include "coordinator/signature/cast_text.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>
#include <stdlib.h>

/* A reply's text becomes the values of the signature, as JSON. */
static void an_answer_is_cast(void **state)
{
    static const char line[] = "q -> score: float, tags: list[str], note: Optional[int], answer";
    static const char reply[] = "[[ ## score ## ]]\n3\n\n[[ ## tags ## ]]\n['a']\n\n"
                                "[[ ## answer ## ]]\nHe said \"no\".\n\n[[ ## completed ## ]]";
    struct signature *sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    struct cast_values v;
    struct notes notes = {0};
    struct answer a;

    (void)state;
    assert_int_equal(chat_parse(sig, reply, strlen(reply), &a, NULL), 0);
    assert_int_equal(cast_answer(sig, &a, &v, &notes, NULL), 0);
    assert_string_equal(v.json[0], "3.0");
    assert_string_equal(v.json[1], "[\"a\"]");
    assert_string_equal(v.json[2], "null"); /* its type takes null */
    assert_string_equal(v.json[3], "\"He said \\\"no\\\".\"");
    assert_true(notes_have(&notes, "tags: quotes that are not JSON's"));
    cast_values_clear(&v);
    cast_values_clear(&v); /* twice */
    notes_clear(&notes);
    answer_clear(&a);
    signature_free(sig);
}

/* NULL for what is refused; yours to mem_free. */
static char *cast_one(const char *type, const char *text, bool is_json, struct notes *notes,
                      struct err *err)
{
    struct signature *sig;
    char line[200], *out = NULL;

    snprintf(line, sizeof line, "q -> a: %s", type);
    sig = string_form_read(NULL, line, strlen(line), NULL, err);
    assert_non_null(sig);
    cast_section(signature_outputs(sig), text, is_json, &out, notes, err);
    signature_free(sig);
    return out;
}

struct row {
    const char *type, *text, *value; /* NULL: refused */
};

static void check(const struct row *rows, size_t count, bool is_json)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        char *out = cast_one(rows[i].type, rows[i].text, is_json, NULL, &err);

        if (!out != !rows[i].value || (out && strcmp(out, rows[i].value) != 0))
            fail_msg("%s of %s: %s %s", rows[i].type, rows[i].text, out ? out : "refused",
                     err.text);
        if (!out) {
            assert_int_equal(err.code, ERR_MALFORMED);
            assert_memory_equal(err.text, "a", 1); /* the field */
        }
        mem_free(out);
    }
}

/* What DSPy 3.4.1 with pydantic 2 makes of the same texts, but for the rows marked. */
static void texts_are_cast_as_dspy_casts_them(void **state)
{
    static const struct row rows[] = {
        {"str", "3", "\"3\""},
        {"str", "", "\"\""},
        {"int", "3", "3"},
        {"int", "3.0", "3"},
        {"int", "3.5", NULL},
        {"int", "1_000", "1000"},
        {"int", "1,000", NULL},
        {"int", "3 items", NULL},
        {"int", "", NULL},
        {"int", "007", "7"},
        {"int", "\"3\"", "3"},
        {"int", "'3'", "3"},
        {"int", "true", "1"},
        {"int", "1e3", "1000"},
        {"int", "0x10", "16"},
        {"int", "-0", "0"},
        {"int", "12345678901234567890", "12345678901234567890"},
        {"int", "1__0", NULL},
        {"int", "null", NULL},
        {"float", "3", "3.0"},
        {"float", ".5", "0.5"},
        {"float", "1e3", "1000.0"},
        {"float", "12345678901234567890", "1.2345678901234567e+19"},
        {"list[float]", "[1, 12345678901234567890]", "[1.0,1.2345678901234567e+19]"},
        {"float", "3%", NULL},
        {"float", "$3", NULL},
        {"float", "inf", NULL}, /* DSPy takes it: JSON has no word for it */
        {"float", "nan", NULL}, /* likewise */
        {"bool", "True", "true"},
        {"bool", "yes", "true"},
        {"bool", "OFF", "false"},
        {"bool", "0", "false"},
        {"bool", "2", NULL},
        {"bool", "False.", NULL},
        {"list[str]", "[\"a\"]", "[\"a\"]"},
        {"list[str]", "['a', 'b']", "[\"a\",\"b\"]"},
        {"list[str]", "('a', 'b')", "[\"a\",\"b\"]"},
        {"list[str]", "{'a', 'b'}", "[\"a\",\"b\"]"},
        {"list[str]", "[a, b]", "[\"a\",\"b\"]"},
        {"list[str]", "```json\n[\"a\"]\n```", "[\"a\"]"},
        {"list[str]", "Here: [\"a\"]", "[\"a\"]"},
        {"list[str]", "[\"a\", 1]", NULL},
        {"list[str]", "[None]", NULL},
        {"list[str]", "a, b", NULL},
        {"list[str]", "- a\n- b", NULL},
        {"list[int]", "[\"1\", 2.0]", "[1,2]"},
        {"list[int]", "1, 2", "[1,2]"},
        {"list[int]", "1,000", NULL},
        {"list[int]", "[1] # ids", "[1]"},
        {"list[int]", "as in [1]", NULL},
        {"list[Optional[int]]", "[1, null]", "[1,null]"},
        {"list", "[1.0, 2, \"x\"]", "[1.0,2,\"x\"]"},
        {"dict[str, int]", "{a: \"1\"}", "{\"a\":1}"},
        {"dict[str, float]", "{\"a\": 1}", "{\"a\":1.0}"},
        {"dict", "[1]", NULL},
        {"Literal['a', 'b']", "a", "\"a\""},
        {"Literal['a', 'b']", "'a'", "\"a\""},
        {"Literal['a', 'b']", "\"'a'\"", "\"a\""},
        {"Literal['a', 'b']", "Literal['a']", "\"a\""},
        {"Literal['a', 'b']", "A", NULL},
        {"Literal['a', 'b']", "a.", NULL},
        {"Literal['a', 2]", "2", "2"},
        {"Literal['a', 2]", "'2'", NULL},
        {"Optional[str]", "null", "\"null\""},
        {"Optional[int]", "null", "null"},
        {"Optional[int]", "None", "null"},
        {"Optional[list[str]]", "None", "null"},
        {"Any", "{\"a\": 1.50}", "{\"a\":1.50}"},
        {"Any", "007", "\"007\""},
        {"Any", "plain words", "\"plain words\""},
        {"Any", "", "\"\""},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], false);
}

static void values_of_json_are_cast_as_dspy_casts_them(void **state)
{
    static const struct row rows[] = {
        {"str", "null", "\"None\""},
        {"str", "true", "\"True\""},
        {"str", "1.0", "\"1.0\""},
        {"str", "[\"a\", 1, {\"b\": \"it's\"}]", "\"['a', 1, {'b': \\\"it's\\\"}]\""},
        {"int", "3.0", "3"},
        {"int", "3.5", NULL},
        {"bool", "1", "true"},
        {"bool", "2", NULL},
        {"list[str]", "[1]", NULL},
        {"Literal['a', 3]", "3", "3"},
        {"Literal['a', 3]", "\"b\"", NULL},
        {"Optional[str]", "null", "null"},
        {"Optional[str]", "3", NULL},
        {"Any", "[1.0]", "[1.0]"},
        {"dict", "{\"a\":null}", "{\"a\":null}"},
    };

    (void)state;
    check(rows, sizeof rows / sizeof rows[0], true);
}

/* Only what a reader of the answer could not see himself. */
static void leniencies_are_noted(void **state)
{
    static const struct {
        const char *type, *text, *said;
    } rows[] = {
        {"int", "true", "a: \"true\" read as 1"},
        {"int", "'1_0'", "a: \"1_0\" read as 10"},
        {"bool", "yes", "a: \"yes\" read as true"},
        {"list[str]", "('a',)", "tuple or set"},
        {"list", "```\n[1]\n```", "code fence"},
        {"Literal['a']", "'a'", "what stands around"},
        {"int", "3", NULL},
        {"bool", "True", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct notes notes = {0};
        char *out = cast_one(rows[i].type, rows[i].text, false, &notes, NULL);

        assert_non_null(out);
        if (rows[i].said ? !notes_have(&notes, rows[i].said) : notes.count > 0) {
            notes_print(&notes);
            fail_msg("%s of %s", rows[i].type, rows[i].text);
        }
        mem_free(out);
        notes_clear(&notes);
    }
}

static void errors_name_field_text_and_type(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(cast_one("list[int]", "[1, \"x\"]", false, NULL, &err));
    assert_string_equal(err.text, "a[1]: \"x\", wanted int");
    assert_null(cast_one("dict[str, bool]", "{\"k\": 7}", false, NULL, &err));
    assert_string_equal(err.text, "a.k: \"7\", wanted bool");
}

static void what_is_missing_is_an_error_unless_null_will_do(void **state)
{
    static const char line[] = "q -> a: Optional[str], b";
    struct signature *sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    struct cast_values v;
    struct err err = {0};
    struct answer a;

    (void)state;
    assert_int_equal(answer_init(&a, sig, NULL), 0);
    assert_int_equal(cast_answer(sig, &a, &v, NULL, &err), -1);
    assert_string_equal(err.text, "b: missing");
    answer_clear(&a);
    signature_free(sig);
}

static void damage_is_survived(void **state)
{
    static const char *const types[] = {"int", "Any", "list[int]", "dict[str, float]",
                                        "Literal['a', 1]"};
    static const char text[] = "```json\n{'a': [1_0, 'x'], \"b\": ('c', 0x1F)}\n```";
    size_t len = strlen(text);

    (void)state;
    for (size_t i = 0; i < len * 9; i++) {
        char *copy = strdup(text);

        if (i < len)
            copy[i] = '\0';
        else
            copy[(i - len) / 8] ^= (char)(1 << ((i - len) % 8));
        for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
            mem_free(cast_one(types[k], copy, false, NULL, NULL));
        free(copy);
    }
}

static void lost_memory_is_survived(void **state)
{
    static const char *const texts[] = {"```\n[1, 'x', {'a': 2}]\n```", "('a', 1)", "7", "'a'"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct signature *sig = string_form_read(NULL, "q -> a: Any", 11, NULL, NULL);
        unsigned lost = 0;

        /* a first look that is lost may be made up for by the next */
        for (unsigned nth = 1; nth < 100; nth++) {
            struct notes notes = {0};
            struct err err = {0};
            char *out = NULL;
            int rc;

            mem_fail_at(nth);
            rc = cast_section(signature_outputs(sig), texts[i], false, &out, &notes, &err);
            mem_fail_at(0);
            assert_true(rc == 0 || err.code == ERR_NOMEM);
            lost += rc < 0;
            mem_free(out);
            notes_clear(&notes);
        }
        assert_in_range(lost, 1, 98);
        signature_free(sig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_cast),
        cmocka_unit_test(texts_are_cast_as_dspy_casts_them),
        cmocka_unit_test(values_of_json_are_cast_as_dspy_casts_them),
        cmocka_unit_test(leniencies_are_noted),
        cmocka_unit_test(errors_name_field_text_and_type),
        cmocka_unit_test(what_is_missing_is_an_error_unless_null_will_do),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
