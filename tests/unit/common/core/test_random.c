#include "common/core/random.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void two_draws_differ(void **state)
{
    unsigned char a[1000] = {0}, b[1000] = {0}; /* more than the system gives at once */

    (void)state;
    assert_int_equal(random_bytes(a, sizeof a, NULL), 0);
    assert_int_equal(random_bytes(b, sizeof b, NULL), 0);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a + 900, b + 900, 32);
    assert_int_equal(random_bytes(NULL, 0, NULL), 0);
}

static void hex_is_hex(void **state)
{
    char a[65], b[65], none[1] = {'x'};

    (void)state;
    assert_int_equal(random_hex(a, 64, NULL), 0);
    assert_int_equal(random_hex(b, 64, NULL), 0);
    assert_int_equal(strspn(a, "0123456789abcdef"), 64);
    assert_int_equal(strlen(a), 64);
    assert_string_not_equal(a, b);
    assert_int_equal(random_hex(none, 0, NULL), 0);
    assert_int_equal(none[0], '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_draws_differ),
        cmocka_unit_test(hex_is_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
