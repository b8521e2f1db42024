/* test_fact.c - notes and reasons beside the values. */
#include "agent/probe/fact.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_reason_and_a_note_for_a_field(void **state)
{
    struct profile *p = profile_new(NULL);

    (void)state;
    assert_int_equal(profile_unknown(p, NULL, "gpu_cores", "no entry %d", 7), 0);
    assert_string_equal(profile_find_unknown(p, "gpu_cores"), "no entry 7");
    assert_int_equal(profile_note(p, NULL, "chip", FACT_SOURCE_READ, "brand_string"), 0);
    assert_string_equal(profile_find_note(p, "chip")->detail, "brand_string");
    assert_null(profile_find_unknown(p, "chip"));
    assert_null(profile_find_note(p, "gpu_cores"));
    profile_free(p);
}

static void the_second_replaces_the_first(void **state)
{
    struct state *s = state_new(NULL);

    (void)state;
    assert_int_equal(state_unknown(s, NULL, "thermal", "first"), 0);
    assert_int_equal(state_unknown(s, NULL, "thermal", "second"), 0);
    assert_int_equal(s->unknown_count, 1);
    assert_string_equal(state_find_unknown(s, "thermal"), "second");
    assert_int_equal(state_note(s, NULL, "up_bps", FACT_SOURCE_READ, NULL), 0);
    assert_int_equal(state_note(s, NULL, "up_bps", FACT_SOURCE_STATED, "settings"), 0);
    assert_int_equal(s->facts_count, 1);
    assert_int_equal(state_find_note(s, "up_bps")->source, FACT_SOURCE_STATED);
    state_free(s);
}

static void a_reason_is_one_clean_line_and_fits(void **state)
{
    struct profile *p = profile_new(NULL);
    char longer[1000];

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(profile_unknown(p, NULL, "chip", "a\nb\x1b[2J%s", longer), 0);
    assert_int_equal(record_check(&profile_type, p, NULL), 0);
    assert_memory_equal(profile_find_unknown(p, "chip"), "a?b", 3);
    profile_free(p);
}

static void the_rest_is_explained_and_what_is_known_is_not(void **state)
{
    struct profile *p = profile_new(NULL);

    (void)state;
    p->gpu_cores = 10;
    assert_int_equal(profile_unknown(p, NULL, "chip", "its own reason"), 0);
    assert_int_equal(profile_explain_rest(p, "the rest", NULL), 0);
    assert_string_equal(profile_find_unknown(p, "chip"), "its own reason");
    assert_string_equal(profile_find_unknown(p, "memory_bytes"), "the rest");
    assert_null(profile_find_unknown(p, "gpu_cores"));
    assert_null(profile_find_unknown(p, "name"));
    profile_free(p);
}

static void nothing_is_half_added_without_memory(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 8; nth++) {
        struct profile *p = profile_new(NULL);
        int rc;

        mem_fail_at(nth);
        rc = profile_unknown(p, NULL, "chip", "reason");
        mem_fail_at(0);
        assert_true((rc == 0) == (p->unknown_count == 1));
        assert_int_equal(record_check(&profile_type, p, NULL), 0);
        profile_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_and_a_note_for_a_field),
        cmocka_unit_test(the_second_replaces_the_first),
        cmocka_unit_test(a_reason_is_one_clean_line_and_fits),
        cmocka_unit_test(the_rest_is_explained_and_what_is_known_is_not),
        cmocka_unit_test(nothing_is_half_added_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
