/* test_outbox.c - messages kept until they are settled. */
#include "agent/link/outbox.h"
#include "common/core/err.h"
#include "common/model/agent_message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct outbox *o, uint64_t tag)
{
    struct agent_message *m = agent_message_new(NULL);

    m->goodbye = goodbye_new(NULL); /* any body will do here */
    assert_int_equal(outbox_add(o, tag, &m, NULL), 0);
    assert_null(m);
}

/* Hand over what is due now; how many. */
static int send_all(struct outbox *o, int64_t now)
{
    const struct agent_message *m;
    int sent = 0;

    while ((m = outbox_next(o, now))) {
        outbox_sent(o, m->sequence, now);
        sent++;
    }
    return sent;
}

static void a_message_is_sent_until_it_is_settled(void **state)
{
    struct outbox *o = outbox_new(NULL);
    uint64_t tag = 0;

    (void)state;
    add(o, 70);
    add(o, 71);
    assert_int_equal(outbox_next(o, 0)->sequence, 1);
    assert_int_equal(send_all(o, 0), 2);
    assert_null(outbox_next(o, OUTBOX_REPEAT_MS - 1));
    assert_int_equal(outbox_due(o, 1), OUTBOX_REPEAT_MS);
    assert_true(outbox_settle(o, 1, &tag));
    assert_int_equal(tag, 70);
    assert_false(outbox_settle(o, 1, &tag)); /* a receipt that comes twice */
    assert_int_equal(send_all(o, OUTBOX_REPEAT_MS), 1);
    assert_true(outbox_settle(o, 2, &tag));
    assert_int_equal(outbox_count(o), 0);
    assert_true(outbox_due(o, 5) == INT64_MAX);
    outbox_free(o);
}

static void a_new_session_gets_all_again_in_order(void **state)
{
    struct outbox *o = outbox_new(NULL);

    (void)state;
    for (uint64_t i = 0; i < 5; i++)
        add(o, i);
    assert_int_equal(send_all(o, 0), 5);
    outbox_restart(o);
    for (int64_t i = 1; i <= 5; i++) {
        assert_int_equal(outbox_next(o, 1)->sequence, i);
        outbox_sent(o, i, 1);
    }
    assert_null(outbox_next(o, 1));
    outbox_free(o);
}

static void only_a_window_is_under_way(void **state)
{
    struct outbox *o = outbox_new(NULL);
    uint64_t tag;

    (void)state;
    for (uint64_t i = 0; i < OUTBOX_WINDOW + 10; i++)
        add(o, i);
    assert_int_equal(send_all(o, 0), OUTBOX_WINDOW);
    assert_true(outbox_due(o, 1) > 1); /* the rest is due, but waits: the loop must not spin */
    for (int64_t i = 1; i <= 4; i++)
        assert_true(outbox_settle(o, i, &tag));
    assert_int_equal(outbox_due(o, 1), 1);
    assert_int_equal(send_all(o, 1), 4);
    outbox_free(o);
}

static void a_held_message_waits_and_the_others_do_not(void **state)
{
    struct outbox *o = outbox_new(NULL);

    (void)state;
    add(o, 1);
    add(o, 2);
    outbox_hold(o, 1, 5000);
    assert_int_equal(outbox_next(o, 0)->sequence, 2);
    assert_int_equal(send_all(o, 0), 1);
    outbox_restart(o);
    assert_int_equal(outbox_next(o, 0)->sequence, 2); /* still held */
    outbox_sent(o, 2, 0);
    assert_int_equal(outbox_next(o, 5000)->sequence, 1);
    outbox_hold(o, 77, 1); /* no such message */
    outbox_sent(o, 77, 1);
    outbox_free(o);
}

static void it_is_full_at_its_maximum(void **state)
{
    struct agent_message *m = agent_message_new(NULL);
    struct outbox *o = outbox_new(NULL);
    uint64_t tag;
    struct err err;

    (void)state;
    for (uint64_t i = 0; i < OUTBOX_MAX; i++)
        add(o, i);
    assert_int_equal(outbox_room(o), 0);
    assert_int_equal(outbox_add(o, 0, &m, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_non_null(m);                       /* still ours */
    assert_true(outbox_settle(o, 512, &tag)); /* from the middle */
    assert_int_equal(outbox_add(o, 0, &m, &err), 0);
    assert_int_equal(outbox_room(o), 0);
    outbox_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_sent_until_it_is_settled),
        cmocka_unit_test(a_new_session_gets_all_again_in_order),
        cmocka_unit_test(only_a_window_is_under_way),
        cmocka_unit_test(a_held_message_waits_and_the_others_do_not),
        cmocka_unit_test(it_is_full_at_its_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
