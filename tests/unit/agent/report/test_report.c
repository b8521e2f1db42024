/* test_report.c - profile, digest and states, over replayed machines. */
#include "agent/report/report.h"
#include "agent/probe/fact.h"
#include "agent/probe/probe.h"
#include "common/model/device.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MACHINE ESPALIER_TEST_DATA "/machines/m1-8gb-1.json"

static const struct report_settings plain = {
    .name = "desk", .agent_version = "1.2", .up_bps = NAN, .down_bps = NAN};

static struct probe *replay(void)
{
    struct probe_options options = {.replay_path = MACHINE};

    return probe_open(&options, NULL);
}

static void a_report_knows_its_name_and_digest(void **state)
{
    struct probe *probe = replay();
    struct report *r = report_new(probe, &plain, 0, NULL);
    char digest[17];
    bool changed = true;

    (void)state;
    assert_non_null(r);
    assert_string_equal(report_profile(r)->name, "desk");
    assert_string_equal(report_profile(r)->agent_version, "1.2");
    assert_int_equal(strlen(report_digest(r)), 16);
    memcpy(digest, report_digest(r), sizeof digest);
    assert_int_equal(report_refresh(r, 0, &changed, NULL), 0);
    assert_false(changed);
    assert_string_equal(report_digest(r), digest);
    report_free(r);
    probe_free(probe);
}

static void another_name_is_another_digest(void **state)
{
    struct report_settings other = plain;
    struct probe *probe = replay();
    struct report *a = report_new(probe, &plain, 0, NULL), *b;

    (void)state;
    other.name = "shelf";
    b = report_new(probe, &other, 0, NULL);
    assert_string_not_equal(report_digest(a), report_digest(b));
    report_free(a);
    report_free(b);
    probe_free(probe);
}

/* A rate that was timed fills what the probe does not know, is another profile, and says how. */
static void measured_rates_are_in_the_profile(void **state)
{
    struct probe *probe = replay();
    struct report *r = report_new(probe, &plain, 0, NULL);
    const struct fact_note *note;
    bool changed;

    (void)state;
    assert_false(known_f64(report_profile(r)->gpu_flops));
    assert_non_null(profile_find_unknown(report_profile(r), "gpu_flops"));
    assert_int_equal(report_measured(r, 2.5e12, NAN, "2.0 s on the device", NULL), 0);
    assert_int_equal(report_refresh(r, 0, &changed, NULL), 0);
    assert_true(changed);
    assert_true(report_profile(r)->gpu_flops == 2.5e12);
    assert_false(known_f64(report_profile(r)->memory_bandwidth_bytes_per_s));
    assert_null(profile_find_unknown(report_profile(r), "gpu_flops"));
    assert_non_null(note = profile_find_note(report_profile(r), "gpu_flops"));
    assert_int_equal(note->source, FACT_SOURCE_MEASURED);
    assert_string_equal(note->detail, "2.0 s on the device");
    report_free(r);
    probe_free(probe);
}

static void reasons_come_with_the_first_state_alone(void **state)
{
    struct probe *probe = replay();
    struct report *r = report_new(probe, &plain, 0, NULL);
    struct state *s = NULL;

    (void)state;
    assert_int_equal(report_state(r, UNKNOWN_I64, true, 0, &s, NULL), 0);
    assert_non_null(state_find_unknown(s, "thermal"));
    assert_non_null(state_find_unknown(s, "up_bps"));
    assert_false(known_i64(s->plan_memory_bytes));
    state_free(s);
    assert_int_equal(report_state(r, 12345, false, 0, &s, NULL), 0);
    assert_int_equal(s->unknown_count, 0);
    assert_int_equal(s->facts_count, 0);
    assert_int_equal(s->plan_memory_bytes, 12345);
    state_free(s);
    report_free(r);
    probe_free(probe);
}

static void the_owners_rates_are_stated(void **state)
{
    struct report_settings fast = plain;
    struct probe *probe = replay();
    struct report *r;
    struct state *s = NULL;

    (void)state;
    fast.up_bps = 2e7;
    r = report_new(probe, &fast, 0, NULL);
    assert_int_equal(report_state(r, UNKNOWN_I64, true, 0, &s, NULL), 0);
    assert_float_equal(s->up_bps, 2e7, 0);
    assert_int_equal(state_find_note(s, "up_bps")->source, FACT_SOURCE_STATED);
    assert_null(state_find_unknown(s, "up_bps"));
    assert_non_null(state_find_unknown(s, "down_bps"));
    state_free(s);
    report_free(r);
    probe_free(probe);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    struct report_settings odd = plain;
    struct probe *probe = replay();
    char name[200];
    struct err err;

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    odd.name = name;
    assert_null(report_new(probe, &odd, 0, &err));
    assert_non_null(strstr(err.text, "name"));
    probe_free(probe);
}

static void lost_memory_is_survived(void **state)
{
    struct probe *probe = replay();
    struct report *r = NULL;
    struct state *s = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        r = report_new(probe, &plain, 0, NULL);
        mem_fail_at(0);
    } while (!r && nth < 5000);
    assert_in_range(nth, 2, 4999);
    nth = 0;
    do {
        mem_fail_at(++nth);
        report_state(r, 1, true, 0, &s, NULL);
        mem_fail_at(0);
    } while (!s && nth < 5000);
    assert_in_range(nth, 2, 4999);
    state_free(s);
    report_free(r);
    probe_free(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_knows_its_name_and_digest),
        cmocka_unit_test(another_name_is_another_digest),
        cmocka_unit_test(measured_rates_are_in_the_profile),
        cmocka_unit_test(reasons_come_with_the_first_state_alone),
        cmocka_unit_test(the_owners_rates_are_stated),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
