/* test_delivery.c - an assignment's way to its agent, with everything that arrives late, twice or
 * not at all. */
#include "coordinator/delivery/delivery.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EXPIRE_MS 1000

static struct delivery_table *table_of(size_t max)
{
    struct delivery_table *t = delivery_table_new(max, EXPIRE_MS, NULL);

    assert_non_null(t);
    return t;
}

static struct assignment *part(const char *plan, const char *job, const char *device,
                               int64_t generation)
{
    struct assignment *a = assignment_new(NULL);

    a->prediction = prediction_new(NULL);
    a->prediction->step_seconds = 2;

    assert_int_equal(text_set(&a->plan_id, plan, NULL), 0);
    assert_int_equal(text_set(&a->job_id, job, NULL), 0);
    assert_int_equal(text_set(&a->device_id, device, NULL), 0);
    assert_int_equal(text_set(&a->device_name, "mac", NULL), 0);
    a->generation = generation;
    return a;
}

static void open_one(struct delivery_table *t, const char *plan, const char *job,
                     const char *device, int64_t generation, int64_t now_ms)
{
    struct assignment *a = part(plan, job, device, generation);

    assert_int_equal(delivery_open(t, &a, now_ms, NULL, NULL), 0);
    assert_null(a);
}

/* The agent's word; at_ms UNKNOWN_I64: it has no clock. */
static int say(struct delivery_table *t, const char *plan, const char *device, int64_t generation,
               int state, int64_t at_ms, struct delivery_change *out, struct err *err)
{
    struct assignment_status s;

    record_init(&assignment_status_type, &s);
    s.plan_id = (char *)(uintptr_t)plan;
    s.generation = generation;
    s.state = state;
    s.at_ms = at_ms;
    s.reason = state == DELIVERY_STATE_FAILED ? (char *)(uintptr_t) "exit" : NULL;
    s.exit_code = state == DELIVERY_STATE_FAILED ? 3 : UNKNOWN_I64;
    return delivery_status(t, device, &s, at_ms == UNKNOWN_I64 ? 0 : at_ms, out, err);
}

static void an_assignment_arrives(void **unused)
{
    static const int way[] = {DELIVERY_STATE_RECEIVED, DELIVERY_STATE_APPLIED,
                              DELIVERY_STATE_RUNNING, DELIVERY_STATE_DONE};
    struct delivery_table *t = table_of(10);
    const struct delivery_item *item;
    struct delivery_change change;
    struct delivery_counts counts;
    struct delivery *list;
    int64_t after = 0, revision;
    size_t count;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 100);
    item = delivery_due(t, "d1", 0, &after);
    assert_int_equal(item->state, DELIVERY_STATE_PENDING);
    assert_string_equal(item->assignment->plan_id, "p1");
    assert_int_equal(delivery_sent(t, "p1", "d1", 110, &change, NULL), 0);
    assert_true(change.changed);
    assert_int_equal(change.before, DELIVERY_STATE_PENDING);
    assert_int_equal(item->attempts, 1);
    assert_null(delivery_due(t, "d1", 0, &after));
    for (size_t i = 0; i < 4; i++) {
        revision = delivery_revision(t, "p1");
        assert_int_equal(say(t, "p1", "d1", 1, way[i], 200 + (int64_t)i, &change, NULL), 0);
        assert_true(change.changed);
        assert_int_equal(item->state, way[i]);
        assert_true(delivery_revision(t, "p1") > revision);
    }
    assert_null(item->assignment);
    assert_true(delivery_prediction(item)->step_seconds ==
                2); /* its last measurements may be late */
    counts = delivery_counts(t, "p1");
    assert_int_equal(counts.total, 1);
    assert_int_equal(counts.done, 1);
    assert_int_equal(counts.unfinished, 0);
    assert_int_equal(delivery_for_plan(t, "p1", &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].device_name, "mac");
    assert_int_equal(record_check(&delivery_type, &list[0], NULL), 0);
    record_clear(&delivery_type, &list[0]);
    mem_free(list);
    delivery_table_free(t);
}

/* For every state and event: a final state stays (but for the two stated exceptions), the way never
 * leads back, and an event said twice changes nothing the second time. */
static void the_table_never_leads_back(void **unused)
{
    (void)unused;
    for (int s = DELIVERY_STATE_PENDING; s <= DELIVERY_STATE_EXPIRED; s++)
        for (int e = 0; e < DELIVERY_EVENTS; e++) {
            enum delivery_state to = delivery_next(s, e, false), newer = delivery_next(s, e, true);

            assert_int_equal(delivery_next(to, e, false), to);
            assert_in_range(to, DELIVERY_STATE_PENDING, DELIVERY_STATE_EXPIRED);
            if (!delivery_is_final(s))
                assert_true(to >= (enum delivery_state)s);
            else if (s != DELIVERY_STATE_EXPIRED)
                assert_int_equal(to, s);
            if (newer != to)
                assert_true(s == DELIVERY_STATE_FAILED &&
                            (newer == DELIVERY_STATE_RUNNING || newer == DELIVERY_STATE_DONE));
        }
    assert_int_equal(delivery_next(DELIVERY_STATE_RECEIVED, DELIVERY_EVENT_EXPIRED, false),
                     DELIVERY_STATE_RECEIVED);
    assert_int_equal(delivery_next(DELIVERY_STATE_EXPIRED, DELIVERY_EVENT_RECEIVED, false),
                     DELIVERY_STATE_RECEIVED);
    assert_int_equal(delivery_next(DELIVERY_STATE_RUNNING, DELIVERY_EVENT_REFUSED, false),
                     DELIVERY_STATE_RUNNING);
}

static void late_and_repeated_words_change_nothing(void **unused)
{
    struct delivery_table *t = table_of(10);
    struct delivery_change change;
    int64_t revision;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_FAILED, 50, &change, NULL), 0);
    assert_string_equal(change.item->reason, "exit");
    assert_int_equal(change.item->exit_code, 3);
    revision = delivery_revision(t, "p1");
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_FAILED, 50, &change, NULL), 0);
    assert_false(change.changed);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_RECEIVED, 10, &change, NULL), 0);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_RUNNING, 20, &change, NULL), 0);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_RUNNING, UNKNOWN_I64, &change, NULL), 0);
    assert_false(change.changed);
    assert_int_equal(delivery_revision(t, "p1"), revision);
    assert_string_equal(change.item->reason, "exit");
    /* the agent's user let it start again */
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_RUNNING, 60, &change, NULL), 0);
    assert_true(change.changed);
    assert_null(change.item->reason);
    assert_int_equal(change.item->exit_code, UNKNOWN_I64);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_DONE, 70, &change, NULL), 0);
    assert_int_equal(change.item->state, DELIVERY_STATE_DONE);
    delivery_table_free(t);
}

static void words_about_nothing_are_refused(void **unused)
{
    static const int not_theirs[] = {
        -1, 0, DELIVERY_STATE_PENDING, DELIVERY_STATE_SENT, DELIVERY_STATE_EXPIRED, 99};
    struct delivery_table *t = table_of(10);
    struct err err;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 4, 0);
    for (size_t i = 0; i < sizeof not_theirs / sizeof *not_theirs; i++) {
        assert_int_equal(say(t, "p1", "d1", 4, not_theirs[i], 1, NULL, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_int_equal(say(t, "p2", "d1", 4, DELIVERY_STATE_DONE, 1, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(say(t, "p1", "d2", 4, DELIVERY_STATE_DONE, 1, NULL, &err), -1);
    assert_int_equal(say(t, "p1", "d1", 3, DELIVERY_STATE_DONE, 1, NULL, &err), -1);
    assert_int_equal(say(t, NULL, "d1", 4, DELIVERY_STATE_DONE, 1, NULL, &err), -1);
    assert_int_equal(delivery_sent(t, "p1", "d9", 1, NULL, &err), -1);
    assert_int_equal(delivery_find(t, "p1", "d1")->state, DELIVERY_STATE_PENDING);
    delivery_table_free(t);
}

static void a_newer_generation_supersedes(void **unused)
{
    struct delivery_table *t = table_of(10);
    struct assignment *a;
    struct delivery_change change;
    struct err err;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p9", "j9", "d1", 2, 0);
    a = part("p2", "j1", "d1", 3);
    assert_int_equal(delivery_open(t, &a, 10, &change, NULL), 0);
    assert_true(change.changed);
    assert_string_equal(change.item->plan_id, "p1");
    assert_int_equal(change.item->state, DELIVERY_STATE_SUPERSEDED);
    assert_string_equal(change.item->reason, "plan p2 took its place");
    assert_int_equal(delivery_find(t, "p9", "d1")->state, DELIVERY_STATE_PENDING);
    assert_int_equal(delivery_open_for_device(t, "d1"), 2);
    a = part("p3", "j1", "d1", 3);
    assert_int_equal(delivery_open(t, &a, 10, &change, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_non_null(a);
    assignment_free(a);
    a = part("p2", "j1", "d1", 8);
    assert_int_equal(delivery_open(t, &a, 10, &change, &err), -1);
    assignment_free(a);
    a = part("p4", "j1", "d1", 0);
    assert_int_equal(delivery_open(t, &a, 10, &change, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assignment_free(a);
    /* its agent ends late: nobody is moved */
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_DONE, 5, &change, NULL), 0);
    assert_false(change.changed);
    delivery_table_free(t);
}

static void hello_gets_what_is_due(void **unused)
{
    struct delivery_table *t = table_of(10);
    const struct delivery_item *item;
    int64_t after = 0;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p2", "j2", "d1", 2, 0);
    open_one(t, "p3", "j3", "d1", 3, 0);
    open_one(t, "p1", "j1", "d2", 1, 0);
    assert_int_equal(delivery_sent(t, "p2", "d1", 1, NULL, NULL), 0);
    assert_int_equal(say(t, "p3", "d1", 3, DELIVERY_STATE_RECEIVED, 1, NULL, NULL), 0);
    assert_string_equal((item = delivery_due(t, "d1", 3, &after))->plan_id, "p1");
    assert_int_equal(delivery_sent(t, "p1", "d1", 2, NULL, NULL), 0);
    assert_string_equal((item = delivery_due(t, "d1", 3, &after))->plan_id, "p2");
    assert_null(delivery_due(t, "d1", 3, &after));
    /* it lost its disk: it has nothing on it */
    after = 2;
    item = delivery_due(t, "d1", 0, &after);
    assert_string_equal(item->plan_id, "p3");
    assert_non_null(item->assignment);
    assert_int_equal(delivery_sent(t, "p3", "d1", 3, NULL, NULL), 0);
    assert_int_equal(item->state, DELIVERY_STATE_RECEIVED);
    after = 0;
    assert_null(delivery_due(t, "stranger", 0, &after));
    delivery_table_free(t);
}

static void note(void *arg, const struct delivery_change *change)
{
    char *text = arg;

    assert_true(change->changed);
    strncat(text, change->item->device_id, 8);
}

static void a_cancelled_plan_ends_what_is_open(void **unused)
{
    struct delivery_table *t = table_of(10);
    const struct delivery_item *item;
    char told[64] = "";
    int64_t after = 0;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p1", "j1", "d2", 1, 0);
    open_one(t, "p1", "j1", "d3", 1, 0);
    open_one(t, "p2", "j2", "d1", 2, 0);
    delivery_sent(t, "p1", "d1", 1, NULL, NULL);
    say(t, "p1", "d2", 1, DELIVERY_STATE_DONE, 1, NULL, NULL);
    assert_int_equal(delivery_cancel_plan(t, "p1", "no longer wanted", 5, note, told), 2);
    assert_string_equal(told, "d1d3");
    assert_int_equal(delivery_cancel_plan(t, "p1", "again", 6, note, told), 0);
    assert_int_equal(delivery_cancel_plan(t, "p7", "x", 6, NULL, NULL), -1);
    item = delivery_find(t, "p1", "d1");
    assert_int_equal(item->state, DELIVERY_STATE_CANCELLED);
    assert_string_equal(item->reason, "no longer wanted");
    assert_int_equal(delivery_counts(t, "p1").closed, 2);
    assert_int_equal(delivery_counts_all(t).open, 1);
    /* d1 had it: it must hear of it until it says that it ended; d3 never had it */
    assert_ptr_equal(delivery_to_cancel(t, "d1", &after), item);
    assert_null(delivery_to_cancel(t, "d1", &after));
    after = 0;
    assert_null(delivery_to_cancel(t, "d3", &after));
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_CANCELLED, 9, NULL, NULL), 0);
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_RECEIVED, 2, NULL, NULL), 0); /* late */
    assert_null(delivery_to_cancel(t, "d1", &after));
    told[0] = '\0';
    assert_int_equal(delivery_cancel_device(t, "d1", "forgotten", 9, note, told), 1);
    assert_int_equal(delivery_cancel_device(t, "d8", "forgotten", 9, note, told), -1);
    delivery_table_free(t);
}

static void a_superseded_plan_leaves_a_device_out(void **unused)
{
    struct delivery_table *t = table_of(10);
    int64_t after = 0;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p1", "j1", "d2", 1, 0);
    delivery_sent(t, "p1", "d1", 1, NULL, NULL);
    delivery_sent(t, "p1", "d2", 1, NULL, NULL);
    open_one(t, "p2", "j1", "d1", 2, 5);
    assert_int_equal(delivery_supersede_plan(t, "p1", 6, NULL, NULL), 1);
    assert_null(delivery_to_cancel(t, "d1", &after)); /* p2 tells it */
    assert_string_equal(delivery_to_cancel(t, "d2", &after)->plan_id, "p1");
    delivery_table_free(t);
}

static void the_unreceived_expire(void **unused)
{
    struct delivery_table *t = table_of(10);
    struct delivery_change change;
    char told[64] = "";

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 100);
    open_one(t, "p1", "j1", "d2", 1, 100);
    open_one(t, "p1", "j1", "d3", 1, 101);
    say(t, "p1", "d2", 1, DELIVERY_STATE_RECEIVED, 1, NULL, NULL);
    assert_int_equal(delivery_expire(t, 100 + EXPIRE_MS - 1, note, told), 0);
    assert_int_equal(delivery_expire(t, 100 + EXPIRE_MS, note, told), 1);
    assert_string_equal(told, "d1");
    assert_int_equal(delivery_counts(t, "p1").failed, 1);
    delivery_set_expire(t, 10);
    assert_int_equal(delivery_expire(t, 111, note, told), 1);
    /* it was on its way: received after all */
    assert_int_equal(say(t, "p1", "d1", 1, DELIVERY_STATE_APPLIED, 5, &change, NULL), 0);
    assert_true(change.changed);
    assert_int_equal(delivery_counts(t, "p1").done, 1);
    delivery_table_free(t);
}

static void a_full_table_drops_finished_plans(void **unused)
{
    struct delivery_table *t = table_of(3);
    struct assignment *a = part("p3", "j3", "d3", 1);
    size_t cursor = 0;
    struct err err;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p1", "j1", "d2", 1, 0);
    open_one(t, "p2", "j2", "d1", 2, 0);
    assert_int_equal(delivery_open(t, &a, 0, NULL, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(delivery_room(t, 4, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    delivery_cancel_plan(t, "p1", NULL, 1, NULL, NULL);
    assert_int_equal(delivery_open(t, &a, 0, NULL, &err), 0);
    assert_null(delivery_find(t, "p1", "d1"));
    assert_int_equal(delivery_revision(t, "p1"), 0);
    assert_int_equal(delivery_counts_all(t).total, 2);
    assert_string_equal(delivery_next_plan(t, &cursor), "p2");
    assert_string_equal(delivery_next_plan(t, &cursor), "p3");
    assert_null(delivery_next_plan(t, &cursor));
    delivery_table_free(t);
}

static void a_restart_goes_on(void **unused)
{
    struct delivery_table *t = table_of(5);
    struct assignment *a = part("p1", "j1", "d1", 7);
    struct delivery saved;
    int64_t after = 0, revision;
    struct err err;

    (void)unused;
    record_init(&delivery_type, &saved);
    text_set(&saved.plan_id, "p1", NULL);
    text_set(&saved.job_id, "j1", NULL);
    text_set(&saved.device_id, "d1", NULL);
    saved.generation = 7;
    saved.state = DELIVERY_STATE_SENT;
    saved.attempts = 2;
    saved.updated_ms = 5000;
    assert_int_equal(delivery_load(t, &saved, 4000, &a, NULL), 0);
    assert_null(a);
    assert_int_equal(delivery_due(t, "d1", 0, &after)->attempts, 2);
    revision = delivery_revision(t, "p1");
    assert_true(revision >= 5000);
    assert_int_equal(say(t, "p1", "d1", 7, DELIVERY_STATE_RECEIVED, 5001, NULL, NULL), 0);
    assert_true(delivery_revision(t, "p1") > revision);
    assert_int_equal(delivery_load(t, &saved, 4000, NULL, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    saved.state = 99;
    text_set(&saved.plan_id, "p2", NULL);
    assert_int_equal(delivery_load(t, &saved, 4000, NULL, &err), -1);
    saved.state = DELIVERY_STATE_DONE;
    assert_int_equal(delivery_load(t, &saved, 4000, NULL, &err), 0);
    assert_int_equal(delivery_counts_all(t).total, 2);
    record_clear(&delivery_type, &saved);
    delivery_table_free(t);
}

static void lists_go_by_device(void **unused)
{
    struct delivery_table *t = table_of(10);
    struct delivery *list = NULL;
    size_t count = 0;
    struct err err;

    (void)unused;
    open_one(t, "p1", "j1", "d3", 1, 0);
    open_one(t, "p1", "j1", "d1", 1, 0);
    open_one(t, "p1", "j1", "d2", 1, 0);
    assert_int_equal(delivery_for_plan(t, "p1", &list, &count, NULL), 0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(list[i].device_id[1], '1' + (int)i);
        record_clear(&delivery_type, &list[i]);
    }
    mem_free(list);
    assert_int_equal(delivery_for_plan(t, "nope", &list, &count, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(delivery_counts(t, "nope").total, 0);
    delivery_table_free(t);
}

static void opening_survives_lost_memory(void **unused)
{
    struct delivery_table *t = table_of(10);
    struct assignment *a = part("p2", "j1", "d1", 2);
    struct assignment_status status;
    struct delivery *list = NULL;
    unsigned nth;
    size_t count;
    int rc;

    (void)unused;
    open_one(t, "p1", "j1", "d1", 1, 0);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = delivery_open(t, &a, 5, NULL, NULL);
        mem_fail_at(0);
        assert_true((rc < 0) == (a != NULL));
        assert_int_equal(delivery_counts_all(t).total, rc < 0 ? 1 : 2);
        assert_int_equal(delivery_find(t, "p1", "d1")->state,
                         rc < 0 ? DELIVERY_STATE_PENDING : DELIVERY_STATE_SUPERSEDED);
    }
    assert_in_range(nth, 6, 999);
    record_init(&assignment_status_type, &status);
    status.plan_id = (char *)(uintptr_t) "p2";
    status.generation = 2;
    status.state = DELIVERY_STATE_REFUSED;
    status.reason = (char *)(uintptr_t) "too big";
    mem_fail_at(1);
    assert_int_equal(delivery_status(t, "d1", &status, 6, NULL, NULL), -1);
    mem_fail_at(0);
    assert_int_equal(delivery_find(t, "p2", "d1")->state, DELIVERY_STATE_PENDING);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = delivery_for_plan(t, "p2", &list, &count, NULL);
        mem_fail_at(0);
    }
    assert_in_range(nth, 4, 999);
    record_clear(&delivery_type, &list[0]);
    mem_free(list);
    delivery_table_free(t);
    assert_null(delivery_table_new(0, 1, NULL));
    assert_null(delivery_table_new((size_t)DELIVERY_ITEMS_MAX + 1, 1, NULL));
    delivery_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_arrives),
        cmocka_unit_test(the_table_never_leads_back),
        cmocka_unit_test(late_and_repeated_words_change_nothing),
        cmocka_unit_test(words_about_nothing_are_refused),
        cmocka_unit_test(a_newer_generation_supersedes),
        cmocka_unit_test(hello_gets_what_is_due),
        cmocka_unit_test(a_cancelled_plan_ends_what_is_open),
        cmocka_unit_test(a_superseded_plan_leaves_a_device_out),
        cmocka_unit_test(the_unreceived_expire),
        cmocka_unit_test(a_full_table_drops_finished_plans),
        cmocka_unit_test(a_restart_goes_on),
        cmocka_unit_test(lists_go_by_device),
        cmocka_unit_test(opening_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
