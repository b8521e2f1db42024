#include "common/core/text.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void utf8_is_told_from_bytes(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"", true},
        {"pear", true},
        {"\xc3\xa9", true},          /* e acute */
        {"\xe2\x82\xac", true},      /* euro */
        {"\xf0\x9f\x8d\x90", true},  /* a pear */
        {"\xed\x9f\xbf", true},      /* U+D7FF, before the surrogates */
        {"\xee\x80\x80", true},      /* U+E000, after them */
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* U+110000 */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xc0\x80", false},         /* overlong NUL */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\x80", false},             /* a tail alone */
        {"\xc3", false},             /* cut short */
        {"\xe2\x82", false},
        {"\xf0\x9f\x8d", false},
        {"\xc3\x28", false},
        {"\xe2\x28\xa1", false},
        {"\xe2\x82\x28", false},
        {"\xf0\x9f\x8d\x28", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(text_utf8_valid(rows[i].text, strlen(rows[i].text)), rows[i].valid);
    assert_false(text_utf8_valid("a\0b", 3));
    assert_true(text_utf8_valid(NULL, 0));
}

static void a_character_has_a_length(void **state)
{
    (void)state;
    assert_int_equal(text_utf8_len("x", 0), 0);
    assert_int_equal(text_utf8_len("\0", 1), 1);
    assert_int_equal(text_utf8_len("\xf0\x9f\x8d\x90", 4), 4);
    assert_int_equal(text_utf8_len("\xf0\x9f\x8d\x90", 3), 0);
}

static void cuts_fall_between_characters(void **state)
{
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x90z"; /* 1 + 2 + 3 + 4 + 1 bytes */
    static const size_t fits[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < sizeof fits / sizeof fits[0]; max++)
        assert_int_equal(text_utf8_fit(text, strlen(text), max), fits[max]);
    assert_int_equal(text_utf8_fit("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* no UTF-8: anywhere */
}

static void strangers_text_is_made_harmless(void **state)
{
    static const struct {
        const char *dirty, *clean;
    } rows[] = {
        {"Ana's Mac \xf0\x9f\x8d\x90", "Ana's Mac \xf0\x9f\x8d\x90"},
        {"a\nb\rc\td", "a?b?c?d"},
        {"\x1b[31mred\x1b[0m", "?red?"},
        {"\x1b]0;title\x07x", "?x"},
        {"\x1b]0;title\x1b\\x", "?x"},
        {"\x1b]0;no end", "?]0;no end"},
        {"\x1b[12;no end\x01", "?o end?"}, /* CSI ends at the first letter, n */
        {"\x1b", "?"},
        {"\x1b\x1b", "??"},
        {"\x1b"
         "7x",
         "?x"},
        {"\x1b[", "?["},
        {"\x7f", "?"},
        {"\xc2\x9b"
         "31m",
         "?31m"}, /* the one-character CSI */
        {"\xe2\x80\xae"
         "abc\xe2\x81\xa9",
         "?abc?"},
        {"\xff\xc3", "??"},
        {"", ""},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = text_clean(out, sizeof out, rows[i].dirty);

        assert_string_equal(out, rows[i].clean);
        assert_int_equal(n, strlen(out));
    }
}

static void what_does_not_fit_is_left_off(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(text_clean(out, 4, "pear"), 3);
    assert_string_equal(out, "pea");
    assert_int_equal(text_clean(out, 5, "pear"), 4);
    assert_int_equal(text_clean(out, 4, "ab\xc3\xa9"), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(text_clean(out, 1, "pear"), 0);
    assert_string_equal(out, "");
    out[0] = 'x';
    assert_int_equal(text_clean(out, 0, "pear"), 0);
    assert_int_equal(out[0], 'x');
    assert_int_equal(text_clean(out, sizeof out, NULL), 0);
    assert_string_equal(out, "");
}

static void case_may_be_ignored(void **state)
{
    (void)state;
    assert_true(text_equals_ci("Metal", "mETAL"));
    assert_true(text_equals_ci("", ""));
    assert_false(text_equals_ci("metal", "meta"));
    assert_false(text_equals_ci("meta", "metal"));
    assert_false(text_equals_ci("[", "{")); /* differ by 0x20 as letters do, but are none */
    assert_false(text_equals_ci("\xc3\x89", "\xc3\xa9")); /* only ASCII has case */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_bytes),
        cmocka_unit_test(a_character_has_a_length),
        cmocka_unit_test(cuts_fall_between_characters),
        cmocka_unit_test(strangers_text_is_made_harmless),
        cmocka_unit_test(what_does_not_fit_is_left_off),
        cmocka_unit_test(case_may_be_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
