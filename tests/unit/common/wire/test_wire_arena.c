/* test_wire_arena.c - slices of memory that go together. */
#include "common/core/mem.h"
#include "common/wire/wire_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Example of use. */
static void slices_are_apart_and_aligned(void **state)
{
    struct wire_arena arena;
    unsigned char *slices[200];

    (void)state;
    wire_arena_init(&arena);
    for (size_t i = 0; i < 200; i++) {
        slices[i] = wire_arena_alloc(&arena, i * 13);
        assert_non_null(slices[i]);
        assert_int_equal((uintptr_t)slices[i] % _Alignof(max_align_t), 0);
        memset(slices[i], (int)i, i * 13);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i * 13; j++)
            assert_int_equal(slices[i][j], i);
    assert_false(arena.failed);
    wire_arena_clear(&arena);
}

static void a_large_slice_has_room(void **state)
{
    struct wire_arena arena;
    char *large;

    (void)state;
    wire_arena_init(&arena);
    assert_non_null(wire_arena_alloc(&arena, 1));
    large = wire_arena_alloc(&arena, 3 * 1024 * 1024);
    assert_non_null(large);
    memset(large, 1, 3 * 1024 * 1024);
    assert_non_null(wire_arena_alloc(&arena, 1));
    wire_arena_clear(&arena);
    wire_arena_clear(&arena); /* twice is fine */
}

static void lost_memory_is_remembered(void **state)
{
    struct wire_arena arena;

    (void)state;
    wire_arena_init(&arena);
    mem_fail_at(1);
    assert_null(wire_arena_alloc(&arena, 100));
    mem_fail_at(0);
    assert_true(arena.failed);
    wire_arena_clear(&arena);
    assert_false(arena.failed);
    assert_null(wire_arena_alloc(&arena, SIZE_MAX - 4)); /* rounding up must not wrap */
    assert_true(arena.failed);
    wire_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_apart_and_aligned),
        cmocka_unit_test(a_large_slice_has_room),
        cmocka_unit_test(lost_memory_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
