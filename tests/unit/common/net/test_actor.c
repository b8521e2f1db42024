#include "common/net/actor.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/net/net.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state)
{
    *state = net_new(1, NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    net_free(*state);
    return 0;
}

struct number {
    int value;
};

static struct number *number_new(int value)
{
    struct number *n = mem_alloc(sizeof *n);

    assert_non_null(n);
    n->value = value;
    return n;
}

/* Doubles each number. */
static void double_run(struct actor_pipe *pipe, void *arg)
{
    void *msg;

    (void)arg;
    actor_ready(pipe);
    while (pipe_receive(pipe, -1, &msg) == 1) {
        struct number *n = msg;

        n->value *= 2;
        pipe_send(pipe, n);
    }
}

static const struct actor_type doubler = {"doubler", double_run, mem_free, mem_free};

static void a_message_goes_there_and_back(void **state)
{
    struct err err = {ERR_NONE, ""};
    struct actor *a = actor_start(*state, &doubler, NULL, &err);
    struct number *n;

    assert_non_null(a);
    assert_int_equal(actor_send(a, number_new(21)), 0);
    assert_non_null(n = actor_receive_wait(a, -1));
    assert_int_equal(n->value, 42);
    mem_free(n);
    assert_null(actor_receive(a));
    assert_null(actor_receive_wait(a, 1));
    assert_false(actor_has_ended(a));
    actor_stop(a);
    actor_stop(NULL);
}

static void a_thousand_messages_each_way_keep_their_order(void **state)
{
    struct actor *a = actor_start(*state, &doubler, NULL, NULL);

    for (int i = 0; i < 1000; i++)
        assert_int_equal(actor_send(a, number_new(i)), 0);
    for (int i = 0; i < 1000; i++) {
        struct number *n = actor_receive_wait(a, -1);

        assert_non_null(n);
        assert_int_equal(n->value, 2 * i);
        mem_free(n);
    }
    actor_stop(a);
}

static void several_actors_live_side_by_side(void **state)
{
    struct actor *a[8];

    for (int i = 0; i < 8; i++)
        assert_non_null(a[i] = actor_start(*state, &doubler, NULL, NULL));
    for (int i = 0; i < 8; i++)
        assert_int_equal(actor_send(a[i], number_new(i)), 0);
    for (int i = 7; i >= 0; i--) {
        struct number *n = actor_receive_wait(a[i], -1);

        assert_int_equal(n->value, 2 * i);
        mem_free(n);
        actor_stop(a[i]);
    }
}

/* ---- failing at start ---- */

static void refuse_run(struct actor_pipe *pipe, void *arg)
{
    struct err err;

    (void)arg;
    err_set(&err, ERR_NOT_FOUND, "no such database");
    actor_failed(pipe, &err);
}

static void silent_run(struct actor_pipe *pipe, void *arg)
{
    (void)pipe;
    (void)arg;
}

static void a_start_that_fails_says_why(void **state)
{
    const struct actor_type refuser = {"refuser", refuse_run, mem_free, mem_free};
    const struct actor_type silent = {"silent", silent_run, mem_free, mem_free};
    struct err err = {ERR_NONE, ""};

    assert_null(actor_start(*state, &refuser, NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "no such database");
    assert_null(actor_start(*state, &refuser, NULL, NULL));
    assert_null(actor_start(*state, &silent, NULL, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "silent"));
}

static void a_start_without_memory_fails(void **state)
{
    struct err err = {ERR_NONE, ""};

    mem_fail_at(1);
    assert_null(actor_start(*state, &doubler, NULL, &err));
    mem_fail_at(0);
    assert_int_equal(err.code, ERR_NOMEM);
}

/* ---- stopping ---- */

static atomic_int requests_freed;
static atomic_int answers_freed;

static void request_free(void *msg)
{
    atomic_fetch_add(&requests_freed, 1);
    mem_free(msg);
}

static void answer_free(void *msg)
{
    atomic_fetch_add(&answers_freed, 1);
    mem_free(msg);
}

/* Takes one message and answers it, then waits for the flag without reading. */
static void lazy_run(struct actor_pipe *pipe, void *arg)
{
    void *msg;

    (void)arg;
    actor_ready(pipe);
    if (pipe_receive(pipe, -1, &msg) == 1)
        pipe_send(pipe, msg);
    while (!pipe_is_stopping(pipe))
        usleep(100);
}

/* What is under way in either direction when an actor stops is freed, once. */
static void stopping_frees_what_nobody_received(void **state)
{
    const struct actor_type lazy = {"lazy", lazy_run, request_free, answer_free};
    struct actor *a = actor_start(*state, &lazy, NULL, NULL);

    atomic_store(&requests_freed, 0);
    atomic_store(&answers_freed, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(actor_send(a, number_new(i)), 0);
    actor_stop(a);
    /* the first may have been taken or not when $TERM came */
    assert_int_equal(atomic_load(&requests_freed) + atomic_load(&answers_freed), 100);
    assert_in_range(atomic_load(&answers_freed), 0, 1);
}

/* The queue is full, so $TERM has no room: the flag does. */
static void a_full_queue_refuses_and_does_not_stop_the_stopping(void **state)
{
    const struct actor_type lazy = {"lazy", lazy_run, request_free, answer_free};
    struct actor *a = actor_start(*state, &lazy, NULL, NULL);
    struct number *n = number_new(0);
    int sent = 0;

    atomic_store(&requests_freed, 0);
    atomic_store(&answers_freed, 0);
    while (sent <= 2 * ACTOR_QUEUE_MAX && actor_send(a, n) == 0) {
        sent++;
        n = number_new(sent);
    }
    assert_in_range(sent, ACTOR_QUEUE_MAX / 2, ACTOR_QUEUE_MAX + 1);
    mem_free(n); /* the one that was refused is still ours */
    actor_stop(a);
    assert_int_equal(atomic_load(&requests_freed) + atomic_load(&answers_freed), sent);
}

/* Sends more answers than the queue holds. */
static void flood_run(struct actor_pipe *pipe, void *arg)
{
    (void)arg;
    actor_ready(pipe);
    for (int i = 0; i < 2 * ACTOR_QUEUE_MAX; i++)
        pipe_send(pipe, mem_zalloc(sizeof(struct number)));
}

/* An actor that waits for room to answer is stopped all the same: its owner reads on. */
static void an_actor_that_waits_for_its_owner_can_be_stopped(void **state)
{
    const struct actor_type flood = {"flood", flood_run, request_free, answer_free};
    struct actor *a = actor_start(*state, &flood, NULL, NULL);

    atomic_store(&answers_freed, 0);
    actor_stop(a);
    assert_int_equal(atomic_load(&answers_freed), 2 * ACTOR_QUEUE_MAX);
}

static void backpressure_loses_nothing(void **state)
{
    const struct actor_type flood = {"flood", flood_run, request_free, answer_free};
    struct actor *a = actor_start(*state, &flood, NULL, NULL);
    void *msg;
    int received = 0;

    while ((msg = actor_receive_wait(a, -1))) {
        received++;
        mem_free(msg);
    }
    assert_int_equal(received, 2 * ACTOR_QUEUE_MAX);
    assert_true(actor_has_ended(a));
    actor_stop(a);
}

/* Finishes what it was given before it ends, as a store does. */
static void thorough_run(struct actor_pipe *pipe, void *arg)
{
    int *sum = arg;
    void *msg;

    actor_ready(pipe);
    while (pipe_receive(pipe, -1, &msg) == 1 || pipe_leftover(pipe, &msg) == 1) {
        *sum += ((struct number *)msg)->value;
        mem_free(msg);
    }
}

static void an_actor_may_finish_what_it_was_given(void **state)
{
    const struct actor_type thorough = {"thorough", thorough_run, request_free, answer_free};

    for (int round = 0; round < 20; round++) { /* $TERM comes early, late and in between */
        int sum = 0;
        struct actor *a = actor_start(*state, &thorough, &sum, NULL);

        for (int i = 1; i <= 100; i++)
            assert_int_equal(actor_send(a, number_new(i)), 0);
        actor_stop(a);
        assert_int_equal(sum, 5050);
    }
}

static void short_run(struct actor_pipe *pipe, void *arg)
{
    (void)arg;
    actor_ready(pipe);
}

static void an_actor_that_ends_by_itself_is_noticed(void **state)
{
    const struct actor_type brief = {"short", short_run, request_free, answer_free};
    struct actor *a = actor_start(*state, &brief, NULL, NULL);
    struct number *n = number_new(1);

    assert_null(actor_receive_wait(a, -1));
    assert_true(actor_has_ended(a));
    assert_null(actor_receive(a));
    assert_null(actor_receive_wait(a, -1));
    assert_int_equal(actor_send(a, n), -1);
    mem_free(n);
    actor_stop(a);
}

/* ---- the thread ---- */

static void patient_run(struct actor_pipe *pipe, void *arg)
{
    int *timeouts = arg;
    void *msg;
    int rc;

    actor_ready(pipe);
    while ((rc = pipe_receive(pipe, *timeouts ? -1 : 1, &msg)) >= 0) {
        if (rc == 0) {
            ++*timeouts;
            pipe_send(pipe, number_new(0));
        } else {
            mem_free(msg);
        }
    }
}

static void waiting_has_a_limit(void **state)
{
    const struct actor_type patient = {"patient", patient_run, mem_free, mem_free};
    int timeouts = 0;
    struct actor *a = actor_start(*state, &patient, &timeouts, NULL);

    mem_free(actor_receive_wait(a, -1));
    actor_stop(a);
    assert_int_equal(timeouts, 1);
}

static void signals_run(struct actor_pipe *pipe, void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
    actor_ready(pipe);
}

static void signals_are_for_the_loop(void **state)
{
    const struct actor_type type = {"signals", signals_run, mem_free, mem_free};
    sigset_t of_actor;
    sigset_t mine;
    struct actor *a = actor_start(*state, &type, &of_actor, NULL);

    assert_int_equal(sigismember(&of_actor, SIGTERM), 1);
    assert_int_equal(sigismember(&of_actor, SIGINT), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_int_equal(sigismember(&mine, SIGTERM), 0);
    actor_stop(a);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_message_goes_there_and_back),
        ROW(a_thousand_messages_each_way_keep_their_order),
        ROW(several_actors_live_side_by_side),
        ROW(a_start_that_fails_says_why),
        ROW(a_start_without_memory_fails),
        ROW(stopping_frees_what_nobody_received),
        ROW(a_full_queue_refuses_and_does_not_stop_the_stopping),
        ROW(an_actor_that_waits_for_its_owner_can_be_stopped),
        ROW(backpressure_loses_nothing),
        ROW(an_actor_may_finish_what_it_was_given),
        ROW(an_actor_that_ends_by_itself_is_noticed),
        ROW(waiting_has_a_limit),
        ROW(signals_are_for_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
