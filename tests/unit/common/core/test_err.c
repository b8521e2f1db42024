#include "common/core/err.h"
#include "common/core/text.h"

#include <errno.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void an_error_has_a_code_and_a_sentence(void **state)
{
    struct err err = {ERR_NONE, ""};

    (void)state;
    assert_int_equal(err_set(&err, ERR_TOO_BIG, "%d rows, limit %d", 12, 10), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_string_equal(err.text, "12 rows, limit 10");
    assert_int_equal(err_prefix(&err, "job %s", "pears"), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_string_equal(err.text, "job pears: 12 rows, limit 10");
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
    assert_int_equal(err_prefix(NULL, "x"), -1);
    assert_int_equal(err_set_errno(NULL, ENOENT, "x"), -1);
}

static void system_errors_name_themselves(void **state)
{
    static const struct {
        int number;
        enum err_code code;
    } rows[] = {
        {ENOENT, ERR_NOT_FOUND},  {EEXIST, ERR_EXISTS},        {EACCES, ERR_DENIED},
        {ENOMEM, ERR_NOMEM},      {EINVAL, ERR_INVALID},       {EAGAIN, ERR_BUSY},
        {ETIMEDOUT, ERR_TIMEOUT}, {ENAMETOOLONG, ERR_TOO_BIG}, {EIO, ERR_IO},
        {99999, ERR_IO},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(err_set_errno(&err, rows[i].number, "open %s", "x"), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_memory_equal(err.text, "open x: ", 8);
        assert_true(strlen(err.text) > 8);
    }
}

static void strangers_cannot_reach_the_terminal(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_INVALID, "name %s", "a\nb\tc\x1b[31md\x7f\xff");
    assert_string_equal(err.text, "name a?b?c?d??");
}

static void its_own_text_may_be_an_argument(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_IO, "disk");
    err_set(&err, ERR_IO, "%s, %s", err.text, err.text);
    assert_string_equal(err.text, "disk, disk");
}

/* Whatever the offset, a cut falls between characters. */
static void long_text_is_cut_between_characters(void **state)
{
    char word[2 * 600 + 4];
    struct err err;

    (void)state;
    for (int lead = 0; lead < 4; lead++) {
        size_t at = 0;

        for (; (int)at < lead; at++)
            word[at] = 'x';
        for (int i = 0; i < 600; i++, at += 2)
            memcpy(word + at, "\xc3\xa9", 2);
        word[at] = '\0';
        err_set(&err, ERR_INVALID, "%s", word);
        assert_in_range(strlen(err.text), ERR_TEXT_MAX - 2, ERR_TEXT_MAX - 1);
        assert_true(text_utf8_valid(err.text, strlen(err.text)));
        assert_null(strchr(err.text, '?'));
        for (int i = 0; i < 50; i++)
            err_prefix(&err, "again");
        assert_memory_equal(err.text, "again: again: ", 14);
    }
}

static void codes_have_names_both_ways(void **state)
{
    enum err_code code;

    (void)state;
    for (int i = 0; i <= ERR_INTERNAL; i++) {
        assert_int_equal(err_code_parse(err_code_name((enum err_code)i), &code), 0);
        assert_int_equal(code, i);
    }
    assert_string_equal(err_code_name(ERR_TOO_BIG), "too_big");
    assert_string_equal(err_code_name((enum err_code)(ERR_INTERNAL + 1)), "internal");
    assert_string_equal(err_code_name((enum err_code) - 1), "internal");
    code = ERR_BUSY;
    assert_int_equal(err_code_parse("nonsense", &code), -1);
    assert_int_equal(err_code_parse("", &code), -1);
    assert_int_equal(err_code_parse(NULL, &code), -1);
    assert_int_equal(code, ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_code_and_a_sentence),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(system_errors_name_themselves),
        cmocka_unit_test(strangers_cannot_reach_the_terminal),
        cmocka_unit_test(its_own_text_may_be_an_argument),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(codes_have_names_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
