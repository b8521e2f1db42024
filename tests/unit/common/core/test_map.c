#include "common/core/map.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char a[] = "apple", b[] = "pear", c[] = "plum";

static void values_are_found_by_key(void **state)
{
    struct map *m = map_new(10);
    void *old = a;

    (void)state;
    assert_int_equal(map_put(m, "a", a, &old), 0);
    assert_null(old);
    assert_int_equal(map_put(m, "b", b, NULL), 0);
    assert_ptr_equal(map_get(m, "a"), a);
    assert_ptr_equal(map_get(m, "b"), b);
    assert_null(map_get(m, "c"));
    assert_int_equal(map_count(m), 2);

    assert_int_equal(map_put(m, "a", c, &old), 0);
    assert_ptr_equal(old, a);
    assert_ptr_equal(map_get(m, "a"), c);
    assert_int_equal(map_count(m), 2);

    assert_ptr_equal(map_remove(m, "a"), c);
    assert_null(map_remove(m, "a"));
    assert_null(map_get(m, "a"));
    assert_int_equal(map_count(m), 1);
    map_free(m, NULL);
}

static void nothing_is_an_empty_map(void **state)
{
    size_t cursor = 0;

    (void)state;
    assert_null(map_get(NULL, "a"));
    assert_int_equal(map_count(NULL), 0);
    assert_null(map_next(NULL, &cursor));
    map_free(NULL, mem_free);
}

static void keys_are_copied_and_may_be_empty(void **state)
{
    struct map *m = map_new(2);
    char key[] = "x";

    (void)state;
    map_put(m, key, a, NULL);
    key[0] = 'y';
    assert_ptr_equal(map_get(m, "x"), a);
    map_put(m, "", b, NULL);
    assert_ptr_equal(map_get(m, ""), b);
    map_free(m, NULL);
}

static void it_refuses_one_more_than_its_maximum(void **state)
{
    struct map *m = map_new(2);

    (void)state;
    map_put(m, "a", a, NULL);
    assert_false(map_is_full(m));
    map_put(m, "b", b, NULL);
    assert_true(map_is_full(m));
    assert_int_equal(map_put(m, "c", c, NULL), -1);
    assert_null(map_get(m, "c"));
    assert_int_equal(map_put(m, "a", c, NULL), 0); /* replacing needs no room */
    map_remove(m, "b");
    assert_int_equal(map_put(m, "c", c, NULL), 0);
    map_free(m, NULL);
}

static void walks_go_in_order_of_insertion(void **state)
{
    struct map *m = map_new(100);
    const struct map_entry *e;
    size_t cursor = 0;
    char key[8];
    int i;

    (void)state;
    for (i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(map_put(m, key, a, NULL), 0);
    }
    for (i = 0; i < 50; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        map_remove(m, key);
    }
    map_put(m, "k3", b, NULL); /* keeps its place */
    map_put(m, "k0", c, NULL); /* comes last now */
    for (i = 1; i < 50; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        e = map_next(m, &cursor);
        assert_string_equal(e->key, key);
    }
    e = map_next(m, &cursor);
    assert_string_equal(e->key, "k0");
    assert_ptr_equal(e->value, c);
    assert_null(map_next(m, &cursor));
    assert_null(map_next(m, &cursor));
    map_free(m, NULL);
}

/* A long life of random steps, compared with an array at each. */
static void a_long_life_agrees_with_an_array(void **state)
{
    enum { KEYS = 300, STEPS = 60000 };
    struct map *m = map_new(KEYS);
    void *expect[KEYS] = {NULL};
    size_t count = 0, cursor = 0, seen = 0;
    uint32_t draw = 12345;
    char key[16];

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        void *old = NULL;
        unsigned k;

        draw = draw * 1664525u + 1013904223u; /* a linear congruential generator */
        k = (draw >> 8) % KEYS;
        snprintf(key, sizeof key, "key-%u", k);
        /* Waves: mostly growing, then mostly shrinking. */
        if ((draw >> 20) % 10 < (step / 2000 % 2 ? 2u : 8u)) {
            void *value = draw & 64 ? a : b;

            assert_int_equal(map_put(m, key, value, &old), 0);
            assert_ptr_equal(old, expect[k]);
            count += expect[k] == NULL;
            expect[k] = value;
        } else {
            assert_ptr_equal(map_remove(m, key), expect[k]);
            count -= expect[k] != NULL;
            expect[k] = NULL;
        }
        assert_int_equal(map_count(m), count);
        assert_ptr_equal(map_get(m, key), expect[k]);
    }
    for (unsigned k = 0; k < KEYS; k++) {
        snprintf(key, sizeof key, "key-%u", k);
        assert_ptr_equal(map_get(m, key), expect[k]);
    }
    while (map_next(m, &cursor))
        seen++;
    assert_int_equal(seen, count);
    map_free(m, NULL);
}

static void it_frees_what_it_holds(void **state)
{
    struct map *m = map_new(5);

    (void)state;
    map_put(m, "a", mem_strdup("x"), NULL);
    map_put(m, "b", mem_strdup("y"), NULL);
    mem_free(map_remove(m, "a"));
    map_free(m, mem_free); /* the sanitizer sees a leak */
}

static void many_keys_stay_apart(void **state)
{
    enum { MANY = 100000 };
    struct map *m = map_new(MANY);
    char key[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "device-%024d", i);
        assert_int_equal(map_put(m, key, i % 2 ? a : b, NULL), 0);
    }
    for (int i = 0; i < MANY; i += 7) {
        snprintf(key, sizeof key, "device-%024d", i);
        assert_ptr_equal(map_get(m, key), i % 2 ? a : b);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "device-%024d", i);
        assert_non_null(map_remove(m, key));
    }
    assert_int_equal(map_count(m), 0);
    map_free(m, NULL);
}

/* Whichever allocation fails, the map is as it was before that call. */
static void lost_memory_changes_nothing(void **state)
{
    char key[16];
    unsigned nth = 0;
    int failures;

    (void)state;
    do {
        struct map *m;
        size_t count = 0;

        failures = 0;
        mem_fail_at(++nth);
        if (!(m = map_new(100))) {
            failures++;
        } else {
            for (int i = 0; i < 40; i++) {
                snprintf(key, sizeof key, "k%d", i);
                if (map_put(m, key, a, NULL) < 0) {
                    failures++;
                    assert_null(map_get(m, key));
                } else {
                    count++;
                }
                assert_int_equal(map_count(m), count);
            }
        }
        mem_fail_at(0);
        map_free(m, NULL);
    } while (failures && nth < 1000);
    assert_in_range(nth, 40, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_key),
        cmocka_unit_test(nothing_is_an_empty_map),
        cmocka_unit_test(keys_are_copied_and_may_be_empty),
        cmocka_unit_test(it_refuses_one_more_than_its_maximum),
        cmocka_unit_test(walks_go_in_order_of_insertion),
        cmocka_unit_test(a_long_life_agrees_with_an_array),
        cmocka_unit_test(it_frees_what_it_holds),
        cmocka_unit_test(many_keys_stay_apart),
        cmocka_unit_test(lost_memory_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
