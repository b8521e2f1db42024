/* test_wire.c - records to bytes and back. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/wire/wire.h"
#include "tests/support/record_fill.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Example of use: an agent tells how it is, the coordinator reads it. */
static void a_state_travels(void **state)
{
    struct agent_message *sent = agent_message_new(NULL), *got = NULL;
    struct wire_stats stats;
    struct err err;
    uint8_t *bytes = NULL;
    size_t len = 0;
    void *record = NULL;

    (void)state;
    sent->state = state_new(NULL);
    sent->state->memory_available_bytes = 12884901888;
    sent->state->thermal = THERMAL_FAIR;
    sent->state->charging = TRI_FALSE;

    assert_int_equal(wire_encode(&agent_message_type, sent, &bytes, &len, &err), 0);
    assert_int_equal(wire_decode(&agent_message_type, WIRE_REPORT, bytes, len, WIRE_AGENT_MAX,
                                 &record, &stats, &err),
                     0);
    got = record;
    assert_non_null(got->state);
    assert_int_equal(got->state->memory_available_bytes, 12884901888);
    assert_int_equal(got->state->thermal, THERMAL_FAIR);
    assert_int_equal(got->state->charging, TRI_FALSE);
    /* What was not said is unknown, not zero. */
    assert_false(known_i64(got->sequence));
    assert_false(known_i64(got->state->disk_free_bytes));
    assert_false(known_f64(got->state->cpu_load));
    assert_int_equal(got->state->lid_closed, TRI_UNKNOWN);
    assert_int_equal(got->state->power_source, 0);
    assert_int_equal(got->state->links_count, 0);
    assert_null(got->profile);

    mem_free(bytes);
    agent_message_free(sent);
    agent_message_free(got);
}

static void comes_back(const struct record_type *type, const void *record)
{
    struct err err;
    uint8_t *bytes = NULL;
    size_t len = 0;
    void *again = NULL;

    if (wire_encode(type, record, &bytes, &len, &err) < 0 ||
        wire_decode(type, WIRE_COMMAND, bytes, len, wire_max(type), &again, NULL, &err) < 0)
        fail_msg("%s: %s", type->name, err.text);
    assert_true(record_equal(type, record, again));
    mem_free(bytes);
    record_free(type, again);
}

static const struct record_type *const roots[] = {&agent_message_type, &coordinator_message_type,
                                                  &request_type,       &tool_message_type,
                                                  &event_type,         &plan_type,
                                                  &job_type,           &profile_type,
                                                  &state_type,         &assignment_type,
                                                  &measurement_type,   &response_type,
                                                  &proposal_type};

/* Full and sparse, short and long: zero and empty stay what they are, unknown stays unknown. */
static void varied_records_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct fill how = {.seed = seed, .sparse = seed % 2, .items = seed % 5};
            void *record = record_fill(roots[i], &how);

            assert_non_null(record);
            comes_back(roots[i], record);
            record_free(roots[i], record);
        }
    }
}

/* Lists grow by doubling, so what was decoded must have room for one more where its count says so.
 */
static void a_decoded_list_can_grow(void **state)
{
    struct plan *plan = NULL;
    struct fill how = {.seed = 3, .items = 3};
    void *made = record_fill(&plan_type, &how);
    uint8_t *bytes = NULL;
    size_t len = 0;
    void *record = NULL;

    (void)state;
    assert_int_equal(wire_encode(&plan_type, made, &bytes, &len, NULL), 0);
    assert_int_equal(wire_decode(&plan_type, WIRE_COMMAND, bytes, len, wire_max(&plan_type),
                                 &record, NULL, NULL),
                     0);
    plan = record;
    assert_int_equal(plan->classes_count, 3);
    for (int i = 0; i < 10; i++) {
        assert_non_null(
            records_add(&class_summary_type, &plan->classes, &plan->classes_count, NULL));
        assert_int_equal(texts_add(&plan->warnings, &plan->warnings_count, "one more", NULL), 0);
    }
    assert_int_equal(plan->classes_count, 13);
    plan_free(plan);
    record_free(&plan_type, made);
    mem_free(bytes);
}

/* The largest report that the rows allow fits its limit, and WIRE_AGENT_MAX is not idly large. */
static void the_largest_reports_fit(void **state)
{
    static const char *const bodies[] = {"hello",  "profile",     "state",
                                         "status", "measurement", "goodbye"};
    size_t largest = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fill how = {.seed = i, .body = bodies[i], .items = 1000, .text = 1000};
        void *record = record_fill(&agent_message_type, &how);
        struct err err;
        uint8_t *bytes = NULL;
        size_t len = 0;

        if (wire_encode(&agent_message_type, record, &bytes, &len, &err) < 0)
            fail_msg("%s: %s", bodies[i], err.text);
        largest = len > largest ? len : largest;
        mem_free(bytes);
        record_free(&agent_message_type, record);
    }
    assert_in_range(largest, WIRE_AGENT_MAX / 2, WIRE_AGENT_MAX);
}

static void the_largest_event_fits(void **state)
{
    struct fill how = {.text = 1000};
    void *record = record_fill(&event_type, &how);

    (void)state;
    comes_back(&event_type, record);
    record_free(&event_type, record);
}

static void what_is_unsound_is_not_encoded(void **state)
{
    struct agent_message *m = agent_message_new(NULL);
    struct err err;
    uint8_t *bytes = (uint8_t *)m; /* untouched by a failed call */
    size_t len = 77;

    (void)state;
    assert_int_equal(wire_encode(&agent_message_type, m, &bytes, &len, &err), -1);
    assert_non_null(strstr(err.text, "no known body"));
    m->state = state_new(NULL);
    m->state->cpu_load = 1.5;
    assert_int_equal(wire_encode(&agent_message_type, m, &bytes, &len, &err), -1);
    assert_string_equal(err.text, "state.cpu_load: 1.5, wanted a number from 0 to 1 share");
    assert_true(bytes == (uint8_t *)m && len == 77);
    agent_message_free(m);
}

/* Nobody would read it, so it is not written. */
static void what_is_too_big_is_not_encoded(void **state)
{
    struct fill how = {.seed = 1, .body = "assignment", .items = 64, .text = 4000};
    void *record = record_fill(&coordinator_message_type, &how);
    struct err err;
    uint8_t *bytes = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(wire_encode(&coordinator_message_type, record, &bytes, &len, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_non_null(strstr(err.text, "limit 1048576"));
    assert_null(bytes);
    record_free(&coordinator_message_type, record);
}

static void the_limit_is_the_caller_s(void **state)
{
    struct fill how = {.seed = 1, .body = "goodbye"};
    void *record = record_fill(&agent_message_type, &how), *again = NULL;
    struct err err;
    uint8_t *bytes = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(wire_encode(&agent_message_type, record, &bytes, &len, NULL), 0);
    assert_int_equal(
        wire_decode(&agent_message_type, WIRE_REPORT, bytes, len, len - 1, &again, NULL, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_null(again);
    assert_int_equal(
        wire_decode(&agent_message_type, WIRE_REPORT, bytes, len, len, &again, NULL, &err), 0);
    record_free(&agent_message_type, record);
    record_free(&agent_message_type, again);
    mem_free(bytes);
}

static void a_type_that_does_not_travel_is_refused(void **state)
{
    const struct record_type stranger = {"Stranger", sizeof(int), NULL, 0};
    struct err err;
    uint8_t *bytes = NULL;
    size_t len = 0;
    int record = 0;
    void *out = NULL;

    (void)state;
    assert_int_equal(wire_encode(&stranger, &record, &bytes, &len, &err), -1);
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(wire_decode(&stranger, WIRE_REPORT, NULL, 0, 10, &out, NULL, &err), -1);
    assert_string_equal(err.text, "no message of the protocol holds a Stranger");
}

static void *first_calls(void *arg)
{
    struct fill how = {.seed = 9, .sparse = true};
    void *record = record_fill(&request_type, &how);
    uint8_t *bytes = NULL;
    size_t len = 0;
    int rc = wire_encode(&request_type, record, &bytes, &len, NULL);

    record_free(&request_type, record);
    mem_free(bytes);
    *(int *)arg = rc;
    return NULL;
}

/* First in the list of tests: the matching of types happens in these calls. */
static void several_threads_may_be_first(void **state)
{
    pthread_t threads[8];
    int rc[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, first_calls, &rc[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(rc[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_threads_may_be_first),
        cmocka_unit_test(a_state_travels),
        cmocka_unit_test(varied_records_come_back),
        cmocka_unit_test(a_decoded_list_can_grow),
        cmocka_unit_test(the_largest_reports_fit),
        cmocka_unit_test(the_largest_event_fits),
        cmocka_unit_test(what_is_unsound_is_not_encoded),
        cmocka_unit_test(what_is_too_big_is_not_encoded),
        cmocka_unit_test(the_limit_is_the_caller_s),
        cmocka_unit_test(a_type_that_does_not_travel_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
