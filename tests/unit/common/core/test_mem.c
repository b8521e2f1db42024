#include "common/core/mem.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void memory_comes_filled_as_promised(void **state)
{
    char *zeros = mem_zalloc(8), *copy = mem_strdup("pear"), *part = mem_strndup("pear", 2);
    int *row = mem_calloc(4, sizeof *row);

    (void)state;
    assert_memory_equal(zeros, "\0\0\0\0\0\0\0\0", 8);
    assert_string_equal(copy, "pear");
    assert_string_equal(part, "pe");
    assert_int_equal(row[3], 0);
    assert_non_null(row = mem_realloc_array(row, 100, sizeof *row));
    row[99] = 7;
    mem_free(zeros);
    mem_free(copy);
    mem_free(part);
    mem_free(row);
    mem_free(NULL);
}

static void nothing_is_still_something(void **state)
{
    void *a = mem_alloc(0), *b = mem_calloc(0, 8), *c = mem_realloc_array(NULL, 0, 8);
    char *d = mem_dup(NULL, 0), *e = mem_strndup("pear", 0);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_string_equal(d, "");
    assert_string_equal(e, "");
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
    mem_free(e);
}

static void dup_keeps_bytes_and_ends_them(void **state)
{
    char *copy = mem_dup("a\0b", 3);

    (void)state;
    assert_memory_equal(copy, "a\0b\0", 4);
    mem_free(copy);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    assert_null(mem_realloc_array(NULL, SIZE_MAX / 2, 3));
    assert_null(mem_dup("", SIZE_MAX));
}

static void the_nth_allocation_fails_and_only_it(void **state)
{
    void *p[4];

    (void)state;
    mem_fail_at(3);
    p[0] = mem_alloc(1);
    p[1] = mem_strdup("x");
    p[2] = mem_zalloc(1);
    p[3] = mem_alloc(1);
    assert_non_null(p[0]);
    assert_non_null(p[1]);
    assert_null(p[2]);
    assert_non_null(p[3]);
    for (int i = 0; i < 4; i++)
        mem_free(p[i]);
    mem_fail_at(1);
    mem_fail_at(0);
    assert_non_null(p[0] = mem_alloc(1));
    mem_free(p[0]);
}

static void a_failed_realloc_leaves_the_old(void **state)
{
    char *p = mem_strdup("pear");

    (void)state;
    mem_fail_at(1);
    assert_null(mem_realloc_array(p, 1000, 1));
    assert_string_equal(p, "pear");
    mem_free(p);
}

static void wiped_is_gone(void **state)
{
    char secret[] = "pear";

    (void)state;
    mem_wipe(secret, 4);
    assert_memory_equal(secret, "\0\0\0\0", 5);
    mem_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_comes_filled_as_promised),
        cmocka_unit_test(nothing_is_still_something),
        cmocka_unit_test(dup_keeps_bytes_and_ends_them),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(the_nth_allocation_fails_and_only_it),
        cmocka_unit_test(a_failed_realloc_leaves_the_old),
        cmocka_unit_test(wiped_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
