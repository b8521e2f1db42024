#include "common/core/limits.h"
#include "common/core/mem.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

/* Expected: what inspect.cleandoc of Python 3.11 makes of each. */
static void a_docstring_is_tidied(void **state)
{
    static const struct {
        const char *text, *clean;
    } rows[] = {
        {"Answer the question.\n\n    Be brief:\n      one line.\n    ",
         "Answer the question.\n\nBe brief:\n  one line."},
        {"a", "a"},
        {"", ""},
        {"  ", ""},
        {"  a\n    b\n      c\n\n", "a\nb\n  c"},
        {"\n\n  x\n\ty\n  \n", "x\n      y"},
        {"a\n\n\n   b", "a\n\n\nb"},
        {"a\tb\n\tc", "a       b\nc"},
        {"\n   \n  a\n     \n", " \na\n   "},
        {"a\r\n  b\n  c", "a\r\nb\nc"},
        {"x\n  a\n b\n   \n      ", "x\n a\nb\n  \n     "},
        {"gr\xc3\xbcn\tb", "gr\xc3\xbcn    b"}, /* tab stops count characters */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = instructions_clean(rows[i].text, strlen(rows[i].text), NULL);

        assert_non_null(got);
        assert_string_equal(got, rows[i].clean);
        mem_free(got);
    }
}

static void without_instructions_the_fields_are_named(void **state)
{
    static const struct {
        const char *line, *said;
    } rows[] = {
        {"a, b -> c", "Given the fields `a`, `b`, produce the fields `c`."},
        {"-> c", "Given the fields , produce the fields `c`."},
        {"a ->", "Given the fields `a`, produce the fields ."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signature *sig =
            string_form_read(NULL, rows[i].line, strlen(rows[i].line), NULL, NULL);

        assert_non_null(sig);
        assert_string_equal(sig->instructions, rows[i].said);
        assert_int_equal(instructions_set(sig, "  Other.\n\n", NULL), 0);
        assert_string_equal(sig->instructions, "Other.");
        signature_free(sig);
    }
}

static void long_text_is_refused_and_lost_memory_survived(void **state)
{
    char *text = test_malloc(TEXT_MAX + 2);
    struct err err = {0};
    unsigned nth = 0;
    char *got;

    (void)state;
    memset(text, 'x', TEXT_MAX + 1);
    assert_null(instructions_clean(text, TEXT_MAX + 1, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    got = instructions_clean(text, TEXT_MAX, &err);
    assert_non_null(got);
    mem_free(got);
    memset(text, '\t', TEXT_MAX); /* eight times as long, then nothing */
    got = instructions_clean(text, TEXT_MAX, &err);
    assert_string_equal(got, "");
    mem_free(got);
    do {
        mem_fail_at(++nth);
        got = instructions_clean("a\n\tb", 4, &err);
        mem_fail_at(0);
        assert_true(got || err.code == ERR_NOMEM);
    } while (!got && nth < 100);
    assert_in_range(nth, 2, 99);
    mem_free(got);
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_docstring_is_tidied),
        cmocka_unit_test(without_instructions_the_fields_are_named),
        cmocka_unit_test(long_text_is_refused_and_lost_memory_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
