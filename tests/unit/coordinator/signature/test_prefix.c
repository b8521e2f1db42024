#include "common/core/mem.h"
#include "coordinator/signature/prefix.h"
#include "tests/unit/coordinator/signature/cases.h"

/* Expected: what DSPy 3.4.1 makes of each. */
static void names_become_words(void **state)
{
    static const struct {
        const char *name, *prefix;
    } rows[] = {
        {"lora_config", "Lora Config"},
        {"camelCaseText", "Camel Case Text"},
        {"HTMLParser", "HTML Parser"},
        {"text2number", "Text 2 Number"},
        {"gpt4o", "Gpt 4 O"},
        {"memoryGB", "Memory GB"},
        {"IOError2", "IO Error 2"},
        {"X1Y2", "X 1 Y 2"},
        {"a__b", "A  B"},
        {"ABcDe", "A Bc De"},
        {"a", "A"},
        {"", ""},
        {"gRPCPort", "G RPC Port"},
        {"x2y3Z", "X 2 Y 3 Z"},
        {"__a", "  A"},
        {"aB1c2D", "A B 1 C 2 D"},
        {"ABC", "ABC"},
        {"ABC2def", "ABC 2 Def"},
        {"iPhone12ProMax", "I Phone 12 Pro Max"},
        {"a_", "A "},
        {"HTTPServer2XX", "HTTP Server 2 XX"},
        {"kWh", "K Wh"},
        {"fooBAR", "Foo BAR"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = prefix_infer(rows[i].name, NULL);

        assert_non_null(got);
        assert_string_equal(got, rows[i].prefix);
        mem_free(got);
    }
}

static void a_field_keeps_its_own_prefix(void **state)
{
    char name[] = "lora_config", own[] = "Config, please:";
    struct signature_field f = {.name = name};
    char *got = prefix_of(&f, NULL);

    (void)state;
    assert_string_equal(got, "Lora Config:");
    mem_free(got);
    f.prefix = own;
    got = prefix_of(&f, NULL);
    assert_string_equal(got, own);
    mem_free(got);
    assert_true(prefix_is_inferred(name, "Lora Config:"));
    assert_false(prefix_is_inferred(name, "Lora Config"));
    assert_false(prefix_is_inferred(name, "Lora Config: "));
    assert_false(prefix_is_inferred(name, ""));
}

static void names_at_the_limit(void **state)
{
    char name[66];
    struct err err = {0};
    char *got;

    (void)state;
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 ? '1' : 'a'; /* a word begins at every byte */
    name[64] = '\0';
    got = prefix_infer(name, &err);
    assert_non_null(got);
    assert_int_equal(strlen(got), 64 + 63);
    mem_free(got);
    name[64] = 'a';
    name[65] = '\0';
    assert_null(prefix_infer(name, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_null(prefix_infer(NULL, &err));
    mem_fail_at(1);
    assert_null(prefix_infer("a", &err));
    mem_fail_at(0);
    assert_int_equal(err.code, ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_words),
        cmocka_unit_test(a_field_keeps_its_own_prefix),
        cmocka_unit_test(names_at_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
