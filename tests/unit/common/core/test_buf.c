#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void text_grows_and_is_taken(void **state)
{
    struct buf b;
    size_t len;
    char *text;

    (void)state;
    buf_init(&b, 1000);
    buf_adds(&b, "mac");
    buf_addc(&b, '-');
    buf_addf(&b, "%03d", 7);
    buf_add(&b, "!?", 1);
    text = buf_take(&b, &len, NULL);
    assert_string_equal(text, "mac-007!");
    assert_int_equal(len, 8);
    mem_free(text);
    assert_null(b.data); /* and may be used again */
    buf_adds(&b, "x");
    text = buf_take(&b, NULL, NULL);
    assert_string_equal(text, "x");
    mem_free(text);
}

static void nothing_added_is_empty_text(void **state)
{
    struct buf b;
    size_t len = 9;
    char *text;

    (void)state;
    buf_init(&b, 0);
    buf_add(&b, NULL, 0);
    buf_adds(&b, "");
    text = buf_take(&b, &len, NULL);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
    mem_free(text);
}

static void the_maximum_may_be_reached_but_not_passed(void **state)
{
    struct err err = {ERR_NONE, ""};
    struct buf b;
    char *text;

    (void)state;
    buf_init(&b, 4);
    buf_adds(&b, "pear");
    assert_false(b.failed);
    text = buf_take(&b, NULL, &err);
    assert_string_equal(text, "pear");
    mem_free(text);

    buf_adds(&b, "pears");
    assert_true(b.failed);
    buf_adds(&b, "x"); /* would fit, but the text is broken already */
    assert_int_equal(b.len, 0);
    assert_null(buf_take(&b, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_string_equal(err.text, "text is longer than 4 bytes");
    assert_false(b.failed);

    buf_addf(&b, "%d", 12345);
    assert_null(buf_take(&b, NULL, &err));
}

static void bytes_may_be_anything(void **state)
{
    struct buf b;
    size_t len;
    char *data;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 10000; i++)
        buf_add(&b, "\0\xff\n", 3);
    data = buf_take(&b, &len, NULL);
    assert_int_equal(len, 30000);
    assert_memory_equal(data + 29997, "\0\xff\n", 4);
    mem_free(data);
}

static void lost_memory_sticks_until_taken(void **state)
{
    struct err err = {ERR_NONE, ""};
    struct buf b;

    (void)state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        buf_init(&b, 100000);
        mem_fail_at(nth);
        for (int i = 0; i < 1000; i++)
            buf_addf(&b, "%d,", i);
        mem_fail_at(0);
        assert_true(b.failed);
        assert_null(buf_take(&b, NULL, &err));
        assert_int_equal(err.code, ERR_NOMEM);
    }
}

static void clear_forgets(void **state)
{
    struct buf b, zero = {0};

    (void)state;
    buf_init(&b, 10);
    buf_adds(&b, "pear");
    buf_clear(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 10);
    buf_clear(&b);
    buf_clear(&zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_is_taken),
        cmocka_unit_test(nothing_added_is_empty_text),
        cmocka_unit_test(the_maximum_may_be_reached_but_not_passed),
        cmocka_unit_test(bytes_may_be_anything),
        cmocka_unit_test(lost_memory_sticks_until_taken),
        cmocka_unit_test(clear_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
