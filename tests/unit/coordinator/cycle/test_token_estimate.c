#include "coordinator/cycle/token_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t estimate(const char *text)
{
    return token_estimate(text, strlen(text));
}

static void a_row_of_a_fleet(void **state)
{
    (void)state;
    /* c 1, 4, M 1, 8, 5 . 7, 8, 2 . 6, 6 8, 2, 3 1 0, nine bars and a break */
    assert_int_equal(estimate("c1|4|M1|8|5.7|8|2.6|68|2|310\n"),
                     2 + 1 + 2 + 1 + 3 + 1 + 3 + 2 + 1 + 3 + 9 + 1);
    assert_int_equal(estimate("batch 2"), 2 + 1 + 1);
}

static void each_kind_of_sign(void **state)
{
    static const struct {
        const char *text;
        size_t tokens;
    } rows[] = {
        {"", 0},         {"a", 1},        {"abcd", 1}, {"abcde", 2}, {"ab cd", 2},
        {"    ", 0},     {"1234", 4},     {"a1b2", 4}, {"\n\n", 2},  {"||", 2},
        {"\xc3\xa9", 2}, {"tokens/s", 4}, {"-0.5", 4}, {"\t", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(estimate(rows[i].text), rows[i].tokens);
    assert_int_equal(token_estimate(NULL, 0), 0);
}

/* No text costs more than a token a byte, and joining two saves at most one token. */
static void it_is_bounded_and_nearly_additive(void **state)
{
    char text[64];
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t len = (seed = seed * 1103515245 + 12345) / 65536 % sizeof text, cut;

        for (size_t i = 0; i < len; i++)
            text[i] = (char)((seed = seed * 1103515245 + 12345) / 65536 % 256);
        cut = len ? (seed / 65536) % len : 0;
        assert_true(token_estimate(text, len) <= len);
        assert_in_range(token_estimate(text, cut) + token_estimate(text + cut, len - cut) + 1 -
                            token_estimate(text, len),
                        1, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_a_fleet),
        cmocka_unit_test(each_kind_of_sign),
        cmocka_unit_test(it_is_bounded_and_nearly_additive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
