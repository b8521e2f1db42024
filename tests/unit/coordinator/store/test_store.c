/* test_store.c - what both backends promise, asked of each. */
#include "store_fixture.h"

#include "common/core/mem.h"
#include "common/model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct suite {
    struct store_fixture fx;
    struct store *s;
};

static int setup(void **state, bool memory)
{
    struct suite *t = mem_zalloc(sizeof *t);

    fixture_open(&t->fx);
    t->s = fixture_store(&t->fx, memory);
    *state = t;
    return 0;
}

static int setup_sqlite(void **state)
{
    return setup(state, false);
}

static int setup_memory(void **state)
{
    return setup(state, true);
}

static int teardown(void **state)
{
    struct suite *t = *state;

    store_close(t->s);
    fixture_close(&t->fx);
    mem_free(t);
    return 0;
}

static enum err_code code_of(struct store *s, struct store_op *op)
{
    struct store_result *r = store_call(s, op);
    enum err_code code = r->err.code;

    assert_true(code == ERR_NONE || r->err.text[0]);
    store_result_free(r);
    return code;
}

/* The example of use: a plan goes in with its job, its deliveries move, and all comes out again. */
static void a_plan_is_kept(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = plan_op("p1", "j1", 3, 5);
    struct plan *same = plan_for_test("p1", "j1", 3, 5);
    struct store_result *r = store_call(s, op);

    assert_int_equal(r->err.code, ERR_NONE);
    assert_int_equal(r->tag, 7);
    assert_string_equal(r->plan_id, "p1");
    assert_int_equal(r->op->plan->assignments_count, 3); /* what was asked comes back whole */
    assert_null(r->spent);
    store_result_free(r);

    r = store_call(s, get_op(STORE_GET_PLAN, "p1", NULL));
    assert_int_equal(r->err.code, ERR_NONE);
    assert_true(record_equal(&plan_type, r->plan, same));
    assert_int_equal(r->deliveries_count, 3);
    assert_string_equal(r->deliveries[1].device_id, "d2");
    assert_int_equal(r->deliveries[1].state, DELIVERY_STATE_PENDING);
    assert_int_equal(r->deliveries[1].generation, 5);
    assert_int_equal(r->deliveries[1].attempts, 0);
    store_result_free(r);
    plan_free(same);

    r = store_call(s, delivery_op("p1", "d2", DELIVERY_STATE_APPLIED, 2));
    assert_int_equal(r->added, 1);
    store_result_free(r);
    r = store_call(s, delivery_op("p1", "d9", DELIVERY_STATE_APPLIED, 2));
    assert_int_equal(r->err.code, ERR_NONE);
    assert_int_equal(r->added, 0);
    store_result_free(r);

    r = store_call(s, get_op(STORE_GET_DELIVERIES, "j1", NULL));
    assert_string_equal(r->plan_id, "p1");
    assert_int_equal(r->plan_state, PLAN_STATE_ACTIVE);
    assert_int_equal(r->deliveries[1].state, DELIVERY_STATE_APPLIED);
    assert_string_equal(r->deliveries[1].reason, "so it is");
    assert_int_equal(r->deliveries[1].updated_ms, 2000);
    assert_int_equal(r->deliveries[1].attempts, 2);
    assert_int_equal(r->deliveries[1].exit_code, UNKNOWN_I64);
    store_result_free(r);

    r = store_call(s, get_op(STORE_GET_JOB, "p", NULL));
    assert_string_equal(r->job->job_id, "j1");
    assert_string_equal(r->job->pipeline->stages[0].name, "load");
    store_result_free(r);
}

static void one_client_is_read_alone(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r;

    store_expect(s, plan_op("p1", "j1", 3, 1));
    r = store_call(s, get_op(STORE_GET_PLAN, "p1", "d3"));
    assert_int_equal(r->plan->assignments_count, 1);
    assert_string_equal(r->plan->assignments[0].device_id, "d3");
    assert_int_equal(r->deliveries_count, 1);
    store_result_free(r);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "p1", "d4")), ERR_NOT_FOUND);
}

static void plans_are_found_by_id_job_or_start(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r;

    store_expect(s, plan_op("pa1", "j1", 1, 1));
    store_expect(s, plan_op("pa2", "j1", 1, 2));
    store_expect(s, plan_op("pb", "pa", 1, 3));
    r = store_call(s, get_op(STORE_GET_JOB, "j1", NULL));
    assert_string_equal(r->plan_id, "pa2");
    store_result_free(r);
    r = store_call(s, get_op(STORE_GET_JOB, "pa", NULL)); /* a job before the start of an id */
    assert_string_equal(r->plan_id, "pb");
    store_result_free(r);
    assert_int_equal(code_of(s, get_op(STORE_GET_JOB, "p", NULL)), ERR_INVALID);
    assert_int_equal(code_of(s, get_op(STORE_GET_JOB, "x", NULL)), ERR_NOT_FOUND);
    assert_int_equal(code_of(s, get_op(STORE_GET_JOB, "", NULL)), ERR_NOT_FOUND);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "pa%", NULL)), ERR_NOT_FOUND);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "pa2'; --", NULL)), ERR_NOT_FOUND);
}

static void a_newer_plan_supersedes(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r;

    store_expect(s, plan_op("p1", "j1", 2, 1));
    store_expect(s, plan_op("q1", "j2", 2, 2));
    store_expect(s, delivery_op("p1", "d1", DELIVERY_STATE_DONE, 1));
    store_expect(s, plan_op("p2", "j1", 2, 3));
    r = store_call(s, get_op(STORE_GET_PLAN, "p1", NULL));
    assert_int_equal(r->plan->state, PLAN_STATE_SUPERSEDED);
    assert_int_equal(r->deliveries[0].state, DELIVERY_STATE_DONE);
    assert_int_equal(r->deliveries[1].state, DELIVERY_STATE_SUPERSEDED);
    assert_string_equal(r->deliveries[1].reason, "plan p2 took its place");
    store_result_free(r);
    r = store_call(s, get_op(STORE_GET_DELIVERIES, "q1", NULL));
    assert_int_equal(r->plan_state, PLAN_STATE_ACTIVE);
    assert_int_equal(r->deliveries[0].state, DELIVERY_STATE_PENDING);
    store_result_free(r);
}

static void a_cancelled_plan_stays_so(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = get_op(STORE_PLAN_STATE, "p1", NULL);
    struct store_result *r;

    store_expect(s, plan_op("p1", "j1", 2, 1));
    store_expect(s, delivery_op("p1", "d2", DELIVERY_STATE_FAILED, 1));
    op->plan_state = PLAN_STATE_CANCELLED;
    text_set(&op->text, "enough", NULL);
    store_expect(s, op);
    r = store_call(s, get_op(STORE_GET_DELIVERIES, "p1", NULL));
    assert_int_equal(r->plan_state, PLAN_STATE_CANCELLED);
    assert_int_equal(r->deliveries[0].state, DELIVERY_STATE_CANCELLED);
    assert_string_equal(r->deliveries[0].reason, "enough");
    assert_int_equal(r->deliveries[1].state, DELIVERY_STATE_FAILED);
    store_result_free(r);
    op = get_op(STORE_PLAN_STATE, "p7", NULL);
    op->plan_state = PLAN_STATE_CANCELLED;
    assert_int_equal(code_of(s, op), ERR_NOT_FOUND);
}

static void a_plan_goes_in_once(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = plan_op("p1", "j1", 2, 1);
    struct store_result *r;

    text_set(&op->request_id, "r1", NULL);
    op->answer = mem_dup("first", 5);
    op->answer_len = 5;
    store_expect(s, op);
    assert_int_equal(code_of(s, plan_op("p1", "j9", 1, 2)), ERR_EXISTS);
    /* the same request with a new plan: neither plan nor charge happens */
    op = plan_op("p2", "j1", 2, 3);
    text_set(&op->request_id, "r1", NULL);
    op->answer = mem_dup("second", 6);
    op->answer_len = 6;
    op->charge = mem_zalloc(sizeof *op->charge);
    assert_int_equal(code_of(s, op), ERR_EXISTS);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "p2", NULL)), ERR_NOT_FOUND);
    r = store_call(s, get_op(STORE_GET_DELIVERIES, "p1", NULL));
    assert_int_equal(r->plan_state, PLAN_STATE_ACTIVE);
    store_result_free(r);
    op = op_of(STORE_FIND_REQUEST);
    text_set(&op->request_id, "r1", NULL);
    r = store_call(s, op);
    assert_int_equal(r->answer_len, 5);
    assert_memory_equal(r->answer, "first", 5);
    store_result_free(r);
}

/* Half a plan never shows: the second assignment of one device makes the whole operation fail. */
static void a_plan_goes_in_whole_or_not_at_all(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = plan_op("p2", "j1", 3, 2);

    store_expect(s, plan_op("p1", "j1", 1, 1));
    text_set(&op->plan->assignments[2].device_id, "d1", NULL);
    text_set(&op->request_id, "r1", NULL);
    op->answer = mem_dup("x", 1);
    op->answer_len = 1;
    assert_int_equal(code_of(s, op), ERR_EXISTS);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "p2", NULL)), ERR_NOT_FOUND);
    op = get_op(STORE_GET_DELIVERIES, "p1", NULL);
    struct store_result *r = store_call(s, op);
    assert_int_equal(r->plan_state, PLAN_STATE_ACTIVE);
    assert_int_equal(r->deliveries[0].state, DELIVERY_STATE_PENDING);
    store_result_free(r);
    op = op_of(STORE_FIND_REQUEST);
    text_set(&op->request_id, "r1", NULL);
    r = store_call(s, op);
    assert_int_equal(r->err.code, ERR_NONE);
    assert_null(r->answer);
    store_result_free(r);
}

static struct store_op *request_op(enum store_kind kind, const char *id, const char *answer,
                                   int64_t now_ms)
{
    struct store_op *op = op_of(kind);

    op->now_ms = now_ms;
    text_set(&op->request_id, id, NULL);
    if (answer) {
        op->answer = mem_dup(answer, strlen(answer));
        op->answer_len = strlen(answer);
    }
    return op;
}

static void answers_last_a_day(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    const int64_t day = 24LL * 3600 * 1000;
    struct store_result *r;

    store_expect(s, request_op(STORE_REQUEST, "r1", "one", 5));
    store_expect(s, request_op(STORE_REQUEST, "r1", "two", 6));
    r = store_call(s, request_op(STORE_FIND_REQUEST, "r1", NULL, day + 4));
    assert_int_equal(r->answer_len, 3);
    assert_memory_equal(r->answer, "one", 3);
    store_result_free(r);
    r = store_call(s, request_op(STORE_FIND_REQUEST, "r1", NULL, day + 5));
    assert_null(r->answer);
    store_result_free(r);
    store_expect(s, request_op(STORE_REQUEST, "r1", "three", day + 5));
    r = store_call(s, request_op(STORE_FIND_REQUEST, "r1", NULL, day + 6));
    assert_int_equal(r->answer_len, 5);
    store_result_free(r);
    store_expect(s, request_op(STORE_REQUEST, "r2", "", 2 * day + 6));
    r = store_call(s, request_op(STORE_FIND_REQUEST, "r1", NULL, day + 6)); /* gone for good */
    assert_null(r->answer);
    store_result_free(r);
    r = store_call(s, request_op(STORE_FIND_REQUEST, "r2", NULL, 2 * day + 6));
    assert_non_null(r->answer); /* empty is an answer */
    assert_int_equal(r->answer_len, 0);
    store_result_free(r);
}

static struct store_op *reply_op(enum store_kind kind, const char *digest, const char *reply,
                                 int64_t now_ms)
{
    struct store_op *op = request_op(kind, NULL, reply, now_ms);

    text_set(&op->digest, digest, NULL);
    return op;
}

static bool has_reply(struct store *s, const char *digest, const char *reply, int64_t now_ms)
{
    struct store_result *r = store_call(s, reply_op(STORE_FIND_REPLY, digest, NULL, now_ms));
    bool there = r->answer != NULL;

    assert_int_equal(r->err.code, ERR_NONE);
    if (there && reply) {
        assert_int_equal(r->answer_len, strlen(reply));
        assert_memory_equal(r->answer, reply, strlen(reply));
    }
    store_result_free(r);
    return there;
}

static void what_models_said_is_kept_for_a_while(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    const int64_t day = 24LL * 3600 * 1000;
    struct store_op *op;

    assert_false(has_reply(s, "a", NULL, 5));
    store_expect(s, reply_op(STORE_REPLY, "a", "{\"content\":\"one\"}\n", 5));
    store_expect(s, reply_op(STORE_REPLY, "b", "two", 6));
    assert_true(has_reply(s, "a", "{\"content\":\"one\"}\n", 7));
    store_expect(s, reply_op(STORE_REPLY, "a", "newer", 10)); /* the newest stands */
    assert_true(has_reply(s, "a", "newer", day + 9));
    assert_false(has_reply(s, "a", NULL, day + 10));
    assert_false(has_reply(s, "b", NULL, day + 9));
    store_expect(s, reply_op(STORE_REPLY, "c", "three", day + 10));
    assert_false(has_reply(s, "a", NULL, 11)); /* gone for good */
    assert_int_equal(code_of(s, reply_op(STORE_FIND_REPLY, NULL, NULL, 1)), ERR_INVALID);
    assert_int_equal(code_of(s, reply_op(STORE_REPLY, "d", NULL, 1)), ERR_INVALID);
    op = reply_op(STORE_REPLY, "d", NULL, 1);
    op->answer = mem_zalloc(STORE_REPLY_MAX + 1);
    op->answer_len = STORE_REPLY_MAX + 1;
    assert_int_equal(code_of(s, op), ERR_TOO_BIG);
}

/* Neither their number nor their size grows past the limits; the oldest go. */
static void what_models_said_has_bounds(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    const int big = STORE_REPLIES_BYTES / STORE_REPLY_MAX; /* this many of the largest fit */
    char digest[16];

    for (int i = 0; i < STORE_REPLIES_MAX + 5; i++) {
        struct store_op *op;

        snprintf(digest, sizeof digest, "s%d", i);
        op = reply_op(STORE_REPLY, digest, "x", 100 + i);
        assert_int_equal(store_submit(s, &op, NULL), 0); /* together: they share transactions */
    }
    for (int i = 0; i < STORE_REPLIES_MAX + 5; i++) {
        struct store_result *r = store_next(s);

        assert_int_equal(r->err.code, ERR_NONE);
        store_result_free(r);
    }
    assert_false(has_reply(s, "s4", NULL, 101));
    assert_true(has_reply(s, "s5", "x", 101));
    for (int i = 0; i <= big; i++) {
        struct store_op *op;

        snprintf(digest, sizeof digest, "b%d", i);
        op = reply_op(STORE_REPLY, digest, NULL, 100000 + i);
        op->answer = mem_zalloc(STORE_REPLY_MAX);
        op->answer_len = STORE_REPLY_MAX;
        store_expect(s, op);
    }
    assert_false(has_reply(s, "b0", NULL, 100000));
    assert_true(has_reply(s, "b1", NULL, 100000));
    snprintf(digest, sizeof digest, "s%d", STORE_REPLIES_MAX + 4);
    assert_false(has_reply(s, digest, NULL, 100000));
}

static void measurements_are_kept_once(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op;
    struct store_result *r;

    store_expect(s, plan_op("p1", "j1", 2, 1));
    r = store_call(s, measurement_op("p1", "d1", 1, 5));
    assert_int_equal(r->added, 5);
    store_result_free(r);
    r = store_call(s, measurement_op("p1", "d1", 4, 4));
    assert_int_equal(r->added, 2);
    store_result_free(r);
    r = store_call(s, measurement_op("p1", "d2", 1, 1));
    assert_int_equal(r->added, 1);
    store_result_free(r);
    op = get_op(STORE_GET_MEASUREMENTS, "p1", "d1");
    op->limit = 3;
    r = store_call(s, op);
    assert_int_equal(r->measurements_count, 3);
    assert_int_equal(r->measurements[0].measurement->sequence, 5);
    assert_int_equal(r->measurements[2].measurement->sequence, 7);
    assert_true(r->measurements[2].measurement->loss == 1.5);
    store_result_free(r);
    r = store_call(s, get_op(STORE_GET_MEASUREMENTS, "p1", NULL));
    assert_int_equal(r->measurements_count, 8);
    assert_string_equal(r->measurements[7].device_id, "d2");
    store_result_free(r);
    op = measurement_op("p1", "d1", 10, 2);
    op->measurements[1].measurement->sequence = 0;
    assert_int_equal(code_of(s, op), ERR_INVALID);
    r = store_call(s, get_op(STORE_GET_MEASUREMENTS, "p1", "d1"));
    assert_int_equal(r->measurements_count, 7);
    store_result_free(r);
}

static void plans_are_listed_by_page(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op;
    struct store_result *r;
    char id[8], job[8];

    for (int i = 1; i <= 5; i++) {
        snprintf(id, sizeof id, "p%d", i);
        snprintf(job, sizeof job, "j%d", i);
        store_expect(s, plan_op(id, job, 4, i));
    }
    store_expect(s, delivery_op("p5", "d1", DELIVERY_STATE_APPLIED, 1));
    store_expect(s, delivery_op("p5", "d2", DELIVERY_STATE_REFUSED, 1));
    store_expect(s, delivery_op("p5", "d3", DELIVERY_STATE_CANCELLED, 1));
    op = op_of(STORE_LIST_PLANS);
    op->limit = 2;
    r = store_call(s, op);
    assert_int_equal(r->plans_count, 2);
    assert_true(r->more);
    assert_string_equal(r->plans[0].plan_id, "p5");
    assert_string_equal(r->plans[0].job_name, "a job");
    assert_int_equal(r->plans[0].deliveries_open, 1);
    assert_int_equal(r->plans[0].deliveries_done, 1);
    assert_int_equal(r->plans[0].deliveries_failed, 1);
    assert_int_equal(r->plans[0].clients, 4);
    assert_int_equal(record_check(&plan_summary_type, &r->plans[0], NULL), 0);
    assert_int_equal(r->plans[1].deliveries_open, 4);
    store_result_free(r);
    op = get_op(STORE_LIST_PLANS, "p4", NULL);
    op->limit = 3;
    r = store_call(s, op);
    assert_int_equal(r->plans_count, 3);
    assert_false(r->more);
    assert_string_equal(r->plans[2].plan_id, "p1");
    store_result_free(r);
    assert_int_equal(code_of(s, get_op(STORE_LIST_PLANS, "nope", NULL)), ERR_NOT_FOUND);
}

static void a_client_that_is_left_out_stays_in_the_plan_and_gets_no_delivery(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = plan_op("p1", "j1", 3, 1);
    struct store_result *r;

    op->plan->assignments[1].generation = UNKNOWN_I64;
    op->plan->assignments[1].participate = TRI_FALSE;
    store_expect(s, op);
    r = store_call(s, get_op(STORE_GET_PLAN, "p1", NULL));
    assert_int_equal(r->plan->assignments_count, 3);
    assert_string_equal(r->plan->assignments[1].device_id, "d2");
    assert_int_equal(r->plan->assignments[1].participate, TRI_FALSE);
    assert_int_equal(r->deliveries_count, 2);
    store_result_free(r);
    r = store_call(s, get_op(STORE_GET_PLAN, "p1", "d2"));
    assert_int_equal(r->plan->assignments_count, 1);
    assert_string_equal(r->plan->assignments[0].device_id, "d2");
    assert_int_equal(r->deliveries_count, 0);
    store_result_free(r);
}

static void operations_without_their_parts_are_refused(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op;

    for (int kind = 0; kind < STORE_KINDS; kind++)
        if (kind != STORE_LIST_PLANS && kind != STORE_DELIVERIES && kind != STORE_MEASUREMENTS &&
            kind != STORE_CALIBRATION)
            assert_int_equal(code_of(s, op_of(kind)), ERR_INVALID);
    assert_int_equal(code_of(s, op_of(STORE_KINDS)), ERR_INVALID);
    assert_int_equal(code_of(s, measurement_op("p1", "d1", 1, STORE_BATCH_MAX + 1)), ERR_TOO_BIG);
    op = plan_op("p1", "j1", 1, 1);
    op->plan->forecast->utilisation = 7; /* out of range */
    assert_int_equal(code_of(s, op), ERR_INVALID);
    op = plan_op("p1", "j1", 2, 1);
    op->plan->assignments[1].generation = UNKNOWN_I64;
    op->plan->assignments[1].participate = TRI_TRUE;
    assert_int_equal(code_of(s, op), ERR_INVALID);
    op = plan_op("p1", "j1", 2, 1);
    text_set(&op->plan->assignments[1].device_id, NULL, NULL);
    assert_int_equal(code_of(s, op), ERR_INVALID);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "p1", NULL)), ERR_NOT_FOUND);
    assert_string_equal(store_kind_name(STORE_KINDS), "unknown");
}

/* Many at once: answered in order, a failing one among them alone. */
static void results_come_in_order(void **state)
{
    enum { N = 1000 };
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r;
    struct err err;
    size_t got = 0;

    store_expect(s, plan_op("p1", "j1", 1, 1));
    for (uint64_t i = 0; i < N; i++) {
        struct store_op *op = i % 100 == 50 ? get_op(STORE_PLAN_STATE, "none", NULL)
                                            : measurement_op("p1", "d1", (int64_t)i + 1, 1);

        op->tag = i;
        assert_int_equal(store_submit(s, &op, &err), 0);
    }
    while (got < N) {
        if (!(r = store_receive(s)))
            continue;
        assert_int_equal(r->tag, got);
        assert_int_equal(r->err.code, got % 100 == 50 ? ERR_NOT_FOUND : ERR_NONE);
        store_result_free(r);
        got++;
    }
    assert_int_equal(store_pending(s), 0);
    assert_null(store_receive(s));
}

static void nobody_asks_without_end(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = NULL;
    struct err err = {ERR_NONE, ""};
    size_t sent = 0;

    for (; sent <= STORE_QUEUE_MAX; sent++) {
        op = request_op(STORE_FIND_REQUEST, "r", NULL, 1);
        if (store_submit(s, &op, &err) < 0)
            break;
    }
    assert_in_range(sent, 1, STORE_QUEUE_MAX);
    assert_int_equal(err.code, ERR_BUSY);
    assert_non_null(op); /* still ours */
    store_op_free(op);
}

static void contents_are_taken_once(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_contents *c = store_load(s, NULL);
    struct err err;

    assert_int_equal(strlen(c->coordinator_id), 32);
    assert_int_equal(c->devices_count, 0);
    assert_null(store_load(s, &err));
    store_contents_free(c);
}

/* Whichever allocation of this thread fails, submitting refuses and the operation stays. */
static void submitting_survives_lost_memory(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_op *op = request_op(STORE_FIND_REQUEST, "r", NULL, 1);

    mem_fail_at(1);
    assert_int_equal(store_submit(s, &op, NULL), -1);
    mem_fail_at(1);
    assert_null(store_op_new(STORE_PLAN, 1, 1, NULL));
    mem_fail_at(0);
    assert_non_null(op);
    assert_int_equal(code_of(s, op), ERR_NONE);
    store_op_free(NULL);
    store_result_free(NULL);
    store_contents_free(NULL);
    store_close(NULL);
}

#define BOTH(test)                                           \
    {"sqlite: " #test, test, setup_sqlite, teardown, NULL},  \
    {                                                        \
        "memory: " #test, test, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_plan_is_kept),
        BOTH(one_client_is_read_alone),
        BOTH(plans_are_found_by_id_job_or_start),
        BOTH(a_newer_plan_supersedes),
        BOTH(a_cancelled_plan_stays_so),
        BOTH(a_plan_goes_in_once),
        BOTH(a_plan_goes_in_whole_or_not_at_all),
        BOTH(answers_last_a_day),
        BOTH(what_models_said_is_kept_for_a_while),
        BOTH(what_models_said_has_bounds),
        BOTH(measurements_are_kept_once),
        BOTH(plans_are_listed_by_page),
        BOTH(a_client_that_is_left_out_stays_in_the_plan_and_gets_no_delivery),
        BOTH(operations_without_their_parts_are_refused),
        BOTH(results_come_in_order),
        BOTH(nobody_asks_without_end),
        BOTH(contents_are_taken_once),
        BOTH(submitting_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
