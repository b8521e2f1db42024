#include "common/core/hash.h"
#include "common/core/unknown.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Values published with the algorithm. */
static void it_is_fnv_1a(void **state)
{
    char hex[17];

    (void)state;
    assert_string_equal(hash64_hex(hash64_init(), hex), "cbf29ce484222325");
    assert_string_equal(hash64_hex(hash64_add(hash64_init(), "a", 1), hex), "af63dc4c8601ec8c");
    assert_string_equal(hash64_hex(hash64_add(hash64_init(), "foobar", 6), hex),
                        "85944171f73967e8");
    assert_string_equal(hash64_hex(1, hex), "0000000000000001");
}

static void parts_add_up(void **state)
{
    uint64_t whole = hash64_add(hash64_init(), "foobar", 6);

    (void)state;
    assert_true(hash64_add(hash64_add(hash64_init(), "foo", 3), "bar", 3) == whole);
    assert_true(hash64_add(whole, NULL, 0) == whole);
}

static uint64_t of_texts(const char *a, const char *b)
{
    return hash64_add_text(hash64_add_text(hash64_init(), a), b);
}

static void fields_do_not_run_together(void **state)
{
    (void)state;
    assert_true(of_texts("ab", "c") != of_texts("a", "bc"));
    assert_true(of_texts("", "a") != of_texts("a", ""));
    assert_true(of_texts(NULL, "a") != of_texts("", "a"));
    assert_true(of_texts("ab", "c") == of_texts("ab", "c"));
}

static void numbers_hash_by_what_they_mean(void **state)
{
    uint64_t h = hash64_init();

    (void)state;
    assert_true(hash64_add_f64(h, 0.0) == hash64_add_f64(h, -0.0));
    assert_true(hash64_add_f64(h, UNKNOWN_F64) == hash64_add_f64(h, -UNKNOWN_F64));
    assert_true(hash64_add_f64(h, 1.0) != hash64_add_f64(h, -1.0));
    assert_true(hash64_add_i64(h, UNKNOWN_I64) != hash64_add_i64(h, 0));
    assert_true(hash64_add_i64(h, 256) == hash64_add(h, "\0\1\0\0\0\0\0\0", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_fnv_1a),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(fields_do_not_run_together),
        cmocka_unit_test(numbers_hash_by_what_they_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
