/* test_session.c - connecting, greeting, losing and finding again, an hour in no time. */
#include "agent/link/session.h"
#include "common/core/unknown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct session_view view;

static enum session_action step(struct session *s, int64_t now)
{
    return session_step(s, &view, now, 0.5);
}

/* Connected and welcomed at `now`. */
static void open_session(struct session *s, int64_t now)
{
    view = (struct session_view){0};
    session_init(s, now);
    assert_int_equal(step(s, now), SESSION_CONNECT);
    assert_int_equal(step(s, now), SESSION_NOTHING);
    view.connected = true;
    view.connections = 1;
    assert_int_equal(step(s, now), SESSION_HELLO);
    session_welcome(s, 5000, now);
    assert_int_equal(step(s, now), SESSION_NOTHING);
    assert_int_equal(s->phase, SESSION_OPEN);
}

static void a_session_is_made_at_once(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 1000);
    assert_true(session_due(&s) >= 1000 + SESSION_SILENCE_MIN_MS);
}

static void an_absent_coordinator_is_waited_for(void **state)
{
    struct session s;

    (void)state;
    view = (struct session_view){0};
    session_init(&s, 0);
    assert_int_equal(step(&s, 0), SESSION_CONNECT);
    for (int64_t now = 0; now < 3600000; now += 60000)
        assert_int_equal(step(&s, now), SESSION_NOTHING);
    assert_true(session_due(&s) == INT64_MAX);
}

static void a_lost_connection_greets_again_spread_over_a_heartbeat(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 0);
    view.connected = false;
    assert_int_equal(step(&s, 1000), SESSION_LOST);
    assert_int_equal(step(&s, 1000), SESSION_NOTHING);
    view.connected = true;
    view.connections = 2;
    assert_int_equal(step(&s, 2000), SESSION_NOTHING); /* not at once: half of 5 s here */
    assert_int_equal(session_due(&s), 2000 + 2500);
    assert_int_equal(step(&s, 4500), SESSION_HELLO);
}

/* It slept: whatever the old socket says, another one is opened, and greets without a spread. */
static void one_that_slept_connects_and_greets_at_once(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 0);
    session_wake(&s, 9000000);
    assert_int_equal(step(&s, 9000000), SESSION_CONNECT);
    view.connected = false; /* the new socket has none yet */
    view.connections = 0;
    assert_int_equal(step(&s, 9000000), SESSION_NOTHING);
    view.connected = true;
    view.connections = 1;
    assert_int_equal(step(&s, 9000100), SESSION_HELLO);
}

static void a_connection_made_anew_between_two_looks_is_noticed(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 0);
    view.connections = 2;
    assert_int_equal(step(&s, 1000), SESSION_LOST);
    assert_int_equal(s.phase, SESSION_GREETING);
}

static void silence_is_asked_about_and_then_ends_the_connection(void **state)
{
    struct session s;
    int64_t now = 0;
    int hellos = 0;

    (void)state;
    open_session(&s, now);
    session_heard(&s, 30000);
    assert_int_equal(step(&s, SESSION_SILENCE_MIN_MS), SESSION_NOTHING);
    assert_int_equal(s.phase, SESSION_OPEN);
    now = 30000 + SESSION_SILENCE_MIN_MS;
    assert_int_equal(step(&s, now), SESSION_NOTHING);
    assert_int_equal(s.phase, SESSION_GREETING);
    for (;;) {
        enum session_action action = step(&s, session_due(&s));

        if (action == SESSION_DISCONNECT)
            break;
        assert_int_equal(action, SESSION_HELLO);
        hellos++;
        assert_true(hellos < 10);
    }
    assert_int_equal(hellos, SESSION_GREETINGS_MAX);
    assert_int_equal(s.phase, SESSION_DOWN);
    assert_int_equal(step(&s, session_due(&s)), SESSION_CONNECT);
}

static void an_answer_to_the_question_keeps_the_session(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 0);
    step(&s, SESSION_SILENCE_MIN_MS);
    assert_int_equal(step(&s, session_due(&s)), SESSION_HELLO);
    session_welcome(&s, 5000, SESSION_SILENCE_MIN_MS + 9000);
    assert_int_equal(step(&s, SESSION_SILENCE_MIN_MS + 9001), SESSION_NOTHING);
    assert_int_equal(s.phase, SESSION_OPEN);
}

/* A key that is not allowed: tried again, ever more seldom, at most a minute apart. */
static void a_refused_key_is_tried_ever_more_seldom(void **state)
{
    int64_t now = 0, before = 0, wait = 0;
    struct session s;

    (void)state;
    view = (struct session_view){.refused = true};
    session_init(&s, 0);
    for (int i = 0; i < 20; i++) {
        int64_t last = wait;

        assert_int_equal(step(&s, now), SESSION_CONNECT);
        assert_int_equal(step(&s, now), SESSION_DISCONNECT);
        before = now;
        now = session_due(&s);
        wait = now - before;
        assert_true(wait >= last && wait <= SESSION_CONNECT_MAX_MS && wait > 0);
    }
    assert_true(wait >= SESSION_CONNECT_MAX_MS / 2);
}

static void a_refusal_says_when_to_come_back(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, 0);
    session_refused(&s, 2000, 1000, 0.0);
    assert_int_equal(s.phase, SESSION_GREETING);
    assert_int_equal(step(&s, 2999), SESSION_NOTHING);
    assert_int_equal(step(&s, 3000), SESSION_HELLO);
    session_refused(&s, UNKNOWN_I64, 3000, 1.0); /* not said: a minute, and half of one at random */
    assert_int_equal(session_due(&s), 3000 + 90000);
}

static void a_refusal_without_a_connection_changes_nothing(void **state)
{
    struct session s, before;

    (void)state;
    session_init(&s, 0);
    before = s;
    session_refused(&s, 5, 0, 0.5);
    assert_int_equal(s.phase, before.phase);
    assert_int_equal(s.due_ms, before.due_ms);
}

static void waits_double_and_half_of_each_is_random(void **state)
{
    struct backoff b = {100, 1000, 0};

    (void)state;
    assert_int_equal(backoff_next(&b, 0.0), 50);
    assert_int_equal(backoff_next(&b, 1.0), 200);
    assert_int_equal(backoff_next(&b, 0.5), 300);
    assert_int_equal(backoff_next(&b, 1.0), 800);
    for (int i = 0; i < 100; i++)
        assert_in_range(backoff_next(&b, 0.3), 500, 1000);
    backoff_reset(&b);
    assert_int_equal(backoff_next(&b, 1.0), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_made_at_once),
        cmocka_unit_test(an_absent_coordinator_is_waited_for),
        cmocka_unit_test(a_lost_connection_greets_again_spread_over_a_heartbeat),
        cmocka_unit_test(one_that_slept_connects_and_greets_at_once),
        cmocka_unit_test(a_connection_made_anew_between_two_looks_is_noticed),
        cmocka_unit_test(silence_is_asked_about_and_then_ends_the_connection),
        cmocka_unit_test(an_answer_to_the_question_keeps_the_session),
        cmocka_unit_test(a_refused_key_is_tried_ever_more_seldom),
        cmocka_unit_test(a_refusal_says_when_to_come_back),
        cmocka_unit_test(a_refusal_without_a_connection_changes_nothing),
        cmocka_unit_test(waits_double_and_half_of_each_is_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
