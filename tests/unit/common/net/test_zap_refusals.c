#include "common/net/zap_internal.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_key_is_logged_once_a_minute_with_what_was_left_out(void **state)
{
    struct zap_refusals r = {.beyond = 0};
    uint64_t since = 99;
    uint64_t beyond = 99;

    (void)state;
    assert_true(zap_refusals_note(&r, "k", 1000, &since, &beyond));
    assert_int_equal(since, 0);
    assert_int_equal(beyond, 0);
    for (int i = 0; i < 5; i++)
        assert_false(zap_refusals_note(&r, "k", 1000 + ZAP_REFUSALS_QUIET_MS - 1, &since, &beyond));
    assert_true(zap_refusals_note(&r, "k", 1000 + ZAP_REFUSALS_QUIET_MS, &since, &beyond));
    assert_int_equal(since, 5);
    assert_false(zap_refusals_note(&r, "k", 1001 + ZAP_REFUSALS_QUIET_MS, &since, &beyond));
}

static void keys_do_not_hide_one_another(void **state)
{
    struct zap_refusals r = {.beyond = 0};
    uint64_t since;
    uint64_t beyond;

    (void)state;
    assert_true(zap_refusals_note(&r, "a", 0, &since, &beyond));
    assert_true(zap_refusals_note(&r, "b", 0, &since, &beyond));
    assert_false(zap_refusals_note(&r, "a", 1, &since, &beyond));
    assert_false(zap_refusals_note(&r, "b", 1, &since, &beyond));
}

/* Any number of new keys gives 64 lines a minute, and none is forgotten in the counts. */
static void a_flood_of_new_keys_gives_few_lines_and_exact_counts(void **state)
{
    struct zap_refusals r = {.beyond = 0};
    uint64_t lines = 0;
    uint64_t told = 0;
    const int keys = 100000;

    (void)state;
    for (int i = 0; i < keys; i++) {
        char key[NET_KEY_CHARS + 1];
        uint64_t since;
        uint64_t beyond;

        snprintf(key, sizeof key, "key-%d", i);
        if (zap_refusals_note(&r, key, i * 2, &since, &beyond)) { /* 200 s in all */
            lines++;
            told += 1 + since + beyond;
        }
    }
    assert_int_equal(lines, 4 * ZAP_REFUSALS_KEPT);
    assert_int_equal(told + r.beyond, keys);
}

static void the_longest_key_is_kept_whole(void **state)
{
    struct zap_refusals r = {.beyond = 0};
    const char *key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    uint64_t since;
    uint64_t beyond;

    (void)state;
    assert_true(zap_refusals_note(&r, key, 0, &since, &beyond));
    assert_string_equal(r.kept[0].key, key);
    assert_false(zap_refusals_note(&r, key, 1, &since, &beyond));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_logged_once_a_minute_with_what_was_left_out),
        cmocka_unit_test(keys_do_not_hide_one_another),
        cmocka_unit_test(a_flood_of_new_keys_gives_few_lines_and_exact_counts),
        cmocka_unit_test(the_longest_key_is_kept_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
