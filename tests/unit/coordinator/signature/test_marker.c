#include "common/core/buf.h"
#include "common/core/mem.h"
#include "coordinator/signature/marker.h"
#include "tests/unit/coordinator/signature/cases.h"

static void check(const char *line, enum marker_form form, const char *name, const char *rest)
{
    struct marker m;
    bool found = marker_match(line, strlen(line), form, &m);

    if (!name) {
        if (found)
            fail_msg("\"%s\" is no marker", line);
        return;
    }
    if (!found)
        fail_msg("\"%s\" is a marker", line);
    assert_int_equal(m.name_len, strlen(name));
    assert_memory_equal(m.name, name, m.name_len);
    assert_int_equal(m.rest_len, strlen(rest));
    assert_memory_equal(m.rest, rest, m.rest_len);
}

static void the_exact_form_is_dspys(void **state)
{
    (void)state;
    check("[[ ## answer ## ]]", MARKER_EXACT, "answer", "");
    check("  \t[[ ## answer ## ]] Paris ", MARKER_EXACT, "answer", " Paris");
    check("\xc2\xa0[[ ## answer ## ]]", MARKER_EXACT, "answer", "");
    check("[[ ## gr\xc3\xb6sse_2 ## ]]x", MARKER_EXACT, "gr\xc3\xb6sse_2", "x");
    check("[[ ## answer ## ]", MARKER_EXACT, NULL, NULL);
    check("[[ ## answer##]]", MARKER_EXACT, NULL, NULL);
    check("[[##answer##]]", MARKER_EXACT, NULL, NULL);
    check("[[  ## answer ## ]]", MARKER_EXACT, NULL, NULL);
    check("[[ ## two words ## ]]", MARKER_EXACT, NULL, NULL);
    check("[[ ##  ## ]]", MARKER_EXACT, NULL, NULL);
    check("**[[ ## answer ## ]]**", MARKER_EXACT, NULL, NULL);
    check("so [[ ## answer ## ]]", MARKER_EXACT, NULL, NULL);
    check("", MARKER_EXACT, NULL, NULL);
}

static void the_lenient_form_takes_more(void **state)
{
    (void)state;
    check("[[ ## answer ## ]]", MARKER_LENIENT, "answer", "");
    check("[[##answer##]] Paris", MARKER_LENIENT, "answer", "Paris");
    check("**[[ ## answer ## ]]** Paris", MARKER_LENIENT, "answer", "Paris");
    check("### [[ # Answer # ]]:", MARKER_LENIENT, "Answer", "");
    check("- `[[ ## answer ]]`", MARKER_LENIENT, "answer", "");
    check("[ ## answer ## ]", MARKER_LENIENT, "answer", "");
    check("[[answer]]", MARKER_LENIENT, "answer", "");
    check("[** [## answer ## ]]", MARKER_LENIENT, "answer", "");
    check("[answer](http://x)", MARKER_LENIENT, NULL, NULL);
    check("# answer ]", MARKER_LENIENT, NULL, NULL);
    check("so [[ ## answer ## ]]", MARKER_LENIENT, NULL, NULL);
    check("[[[ ## answer ## ]]]", MARKER_LENIENT, NULL, NULL);
    check("[[", MARKER_LENIENT, NULL, NULL);
    check("", MARKER_LENIENT, NULL, NULL);
}

static void lines_end_as_pythons_do(void **state)
{
    static const char text[] = "a\nb\r\nc\rd\ve\x1c"
                               "f\xc2\x85g\xe2\x80\xa8h\xe2\x80\xa9i";
    const char *p = text;
    size_t left = strlen(text), line;

    (void)state;
    for (int c = 'a'; c <= 'i'; c++) {
        size_t step = marker_line(p, left, &line);

        assert_int_equal(line, 1);
        assert_int_equal(*p, c);
        p += step;
        left -= step;
    }
    assert_int_equal(left, 0);
    assert_int_equal(marker_line("", 0, &line), 0);
    assert_int_equal(marker_line("\n", 1, &line), 1);
    assert_int_equal(line, 0);
}

static void blanks_are_trimmed_at_both_ends(void **state)
{
    const char *p = "\xe3\x80\x80 \t\n a b \xc2\xa0\xe2\x80\x89";
    size_t len = strlen(p);

    (void)state;
    marker_trim(&p, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(p, "a b", 3);
    p = " \n";
    len = 2;
    marker_trim(&p, &len);
    assert_int_equal(len, 0);
}

static void no_value_can_open_a_field(void **state)
{
    static const char *const hostile[] = {
        "[[ ## completed ## ]]", "x\n[[ ## a ## ]]\ny", "[[##a##]]",      "[[\t# a",
        "[[[ ## a ## ]]]",       "[[\n## a ## ]]",      "[[\xc2\xa0## a", "a[[ [[ ## b ## ]]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct buf b;
        char *text;
        struct marker m;

        buf_init(&b, 1000);
        assert_int_equal(marker_neutralise(&b, hostile[i], strlen(hostile[i])), 1);
        text = buf_take(&b, NULL, NULL);
        assert_null(strstr(text, "[[ ##"));
        for (size_t at = 0, line; at < strlen(text);) {
            size_t step = marker_line(text + at, strlen(text) - at, &line);

            assert_false(marker_match(text + at, line, MARKER_EXACT, &m));
            at += step;
        }
        mem_free(text);
    }
}

static void ordinary_text_is_as_it_was(void **state)
{
    static const char text[] = "a[[1, 2], [3]] ## heading [[x]] [ ## y ## ]";
    struct buf b;
    char *same;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(marker_neutralise(&b, text, strlen(text)), 0);
    same = buf_take(&b, NULL, NULL);
    assert_string_equal(same, text);
    mem_free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exact_form_is_dspys),
        cmocka_unit_test(the_lenient_form_takes_more),
        cmocka_unit_test(lines_end_as_pythons_do),
        cmocka_unit_test(blanks_are_trimmed_at_both_ends),
        cmocka_unit_test(no_value_can_open_a_field),
        cmocka_unit_test(ordinary_text_is_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
