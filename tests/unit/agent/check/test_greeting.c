/* test_greeting.c - clocks and versions compared; the greeting itself is tried on a real
 * coordinator by tests/integration/test_check.py. */
#include "agent/check/greeting.h"
#include "agent/check/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NOON_MS 1795780800000LL

static void clocks_that_agree_are_well(void **state)
{
    static const int64_t off[] = {0, 1, -1, GREETING_CLOCK_WARN_MS - 1, 1 - GREETING_CLOCK_WARN_MS};

    (void)state;
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        struct findings f = {.count = 0};

        greeting_clock(&f, NOON_MS + off[i], NOON_MS);
        assert_int_equal(f.items[0].grade, FINDING_OK);
    }
}

static void a_clock_that_is_off_is_said_with_its_side(void **state)
{
    struct findings f = {.count = 0};

    (void)state;
    greeting_clock(&f, NOON_MS + GREETING_CLOCK_WARN_MS, NOON_MS);
    assert_int_equal(f.items[0].grade, FINDING_WARN);
    assert_string_equal(f.items[0].seen, "10 s ahead of the coordinator's");
    greeting_clock(&f, NOON_MS - 3600000, NOON_MS);
    assert_string_equal(f.items[1].seen, "3600 s behind the coordinator's");
    assert_non_null(strstr(f.items[1].todo, "NTP"));
}

static void versions_are_compared_by_their_numbers(void **state)
{
    static const struct {
        const char *ours, *theirs;
        enum finding_grade grade;
        const char *word; /* in what to do */
    } rows[] = {
        {"0.1.0", "0.1.0", FINDING_OK, ""},
        {"0.9.1", "0.10.0", FINDING_WARN, "update it"},
        {"0.10.0", "0.9.1", FINDING_WARN, "update it first"},
        {"1.0", "1.0.1", FINDING_WARN, "this agent is the older"},
        {"1.0.0", "1.0", FINDING_OK, ""},
        {"0.1.0", NULL, FINDING_OK, ""},
        {"0.1.0", "", FINDING_WARN, "the coordinator is the older"},
        {"0.1.0", "devel", FINDING_WARN, "the coordinator is the older"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings f = {.count = 0};

        greeting_version(&f, rows[i].ours, rows[i].theirs);
        assert_int_equal(f.items[0].grade, rows[i].grade);
        assert_non_null(strstr(f.items[0].todo, rows[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_agree_are_well),
        cmocka_unit_test(a_clock_that_is_off_is_said_with_its_side),
        cmocka_unit_test(versions_are_compared_by_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
