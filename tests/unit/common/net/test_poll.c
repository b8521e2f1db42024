#include "net_lab.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/net/actor.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ID_SERVER, ID_PIPE, ID_ACTOR };

/* Sends back what it gets; waits in a poller of its own, as an actor with sockets does. */
static void echo_run(struct actor_pipe *pipe, void *arg)
{
    struct net_poller *p = net_poller_new(1, NULL);
    void *msg;
    int id;
    int rc = 0;

    (void)arg;
    net_poller_add_pipe(p, pipe, ID_PIPE, NULL);
    actor_ready(pipe);
    while (rc >= 0) {
        if (net_poller_wait(p, -1, &id, 1) < 0)
            break;
        while ((rc = pipe_receive(pipe, 0, &msg)) == 1)
            pipe_send(pipe, msg);
    }
    net_poller_remove_pipe(p, pipe);
    net_poller_free(p);
}

static const struct actor_type echo = {"echo", echo_run, mem_free, mem_free};

static void wait_for(struct net_poller *p, int id)
{
    int got = -1;

    while (got != id) {
        int n = net_poller_wait(p, LAB_WAIT_MS, &got, 1);

        assert_int_equal(n, 1);
    }
}

static void sockets_pipes_and_actors_are_waited_for_together(void **state)
{
    struct net_poller *p = net_poller_new(8, NULL);
    struct lab lab;
    struct net_socket *server;
    struct net_socket *client;
    struct actor *a;
    struct net_message m = {.len = 0};
    int fds[2];
    char byte;

    (void)state;
    lab_make(&lab);
    server = lab_server(&lab, "agents");
    client = lab_client(&lab, server, &lab.agent);
    a = actor_start(lab.net, &echo, NULL, NULL);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(net_poller_add_socket(p, server, ID_SERVER, NULL), 0);
    assert_int_equal(net_poller_add_fd(p, fds[0], ID_PIPE, NULL), 0);
    assert_int_equal(net_poller_add_actor(p, a, ID_ACTOR, NULL), 0);

    lab_send_text(client, NULL, "hello");
    while (net_receive(server, &m) != 1)
        wait_for(p, ID_SERVER);
    net_message_clear(&m);

    assert_int_equal(write(fds[1], "x", 1), 1);
    wait_for(p, ID_PIPE);
    wait_for(p, ID_PIPE); /* it is still there to be read */
    assert_int_equal(read(fds[0], &byte, 1), 1);

    assert_int_equal(actor_send(a, mem_zalloc(1)), 0);
    wait_for(p, ID_ACTOR);
    mem_free(actor_receive(a));

    close(fds[1]); /* hanging up is something to read, too */
    wait_for(p, ID_PIPE);
    net_poller_remove_fd(p, fds[0]);
    net_poller_remove_fd(p, fds[0]);
    net_poller_remove_socket(p, server);
    net_poller_remove_socket(p, server);
    net_poller_remove_actor(p, a);
    assert_int_equal(net_poller_wait(p, 0, &(int){0}, 1), 0);
    net_poller_free(p);
    close(fds[0]);
    actor_stop(a);
    net_socket_close(client);
    net_socket_close(server);
    lab_clear(&lab);
}

static void nothing_ready_is_nothing(void **state)
{
    struct net_poller *p = net_poller_new(1, NULL);
    int fds[2];
    int id = -7;

    (void)state;
    assert_int_equal(net_poller_wait(p, 0, &id, 1), 0); /* also when it is empty */
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(net_poller_add_fd(p, fds[0], 1, NULL), 0);
    assert_int_equal(net_poller_wait(p, 0, &id, 1), 0);
    assert_int_equal(net_poller_wait(p, 1, &id, 1), 0);
    assert_int_equal(id, -7);
    net_poller_free(p);
    close(fds[0]);
    close(fds[1]);
    net_poller_free(NULL);
}

#define MANY 100

/* It grows to its maximum, takes no more, and reports every one in turn although few fit. */
static void everybody_gets_a_turn(void **state)
{
    struct net_poller *p = net_poller_new(MANY, NULL);
    struct err err = {ERR_NONE, ""};
    int fds[MANY][2];
    int seen[MANY] = {0};
    int extra[2];
    int ids[7];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
        assert_int_equal(net_poller_add_fd(p, fds[i][0], i, &err), 0);
    }
    assert_int_equal(pipe(extra), 0);
    assert_int_equal(net_poller_add_fd(p, extra[0], MANY, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    for (int round = 0; round < 15; round++) { /* 15 * 7 > 100 */
        assert_int_equal(net_poller_wait(p, 0, ids, 7), 7);
        for (int i = 0; i < 7; i++)
            seen[ids[i]]++;
    }
    for (int i = 0; i < MANY; i++)
        assert_in_range(seen[i], 1, 2);
    for (int i = 0; i < MANY; i += 2)
        net_poller_remove_fd(p, fds[i][0]);
    assert_int_equal(net_poller_add_fd(p, extra[0], MANY, &err), 0);
    for (int round = 0; round < 10; round++) {
        assert_int_equal(net_poller_wait(p, 0, ids, 7), 7);
        for (int i = 0; i < 7; i++)
            assert_int_equal(ids[i] % 2, 1);
    }
    net_poller_free(p);
    for (int i = 0; i < MANY; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    close(extra[0]);
    close(extra[1]);
}

static void what_cannot_be_added_is_refused(void **state)
{
    struct net_poller *p = net_poller_new(4, NULL);
    struct err err = {ERR_NONE, ""};

    (void)state;
    assert_null(net_poller_new(0, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(net_poller_new(NET_POLLER_MAX + 1, &err));
    assert_int_equal(net_poller_add_fd(p, 0, -1, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(net_poller_add_fd(p, -1, 1, &err), -1);
    assert_int_equal(net_poller_add_fd(p, 0, 1, &err), 0);
    assert_int_equal(net_poller_add_fd(p, 0, 2, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    net_poller_free(p);
}

static void adding_survives_lost_memory(void **state)
{
    struct net_poller *p;
    int rc;
    int nth = 0;

    (void)state;
    mem_fail_at(1);
    assert_null(net_poller_new(4, NULL));
    mem_fail_at(0);
    assert_non_null(p = net_poller_new(4, NULL));
    do {
        mem_fail_at((unsigned)++nth);
        rc = net_poller_add_fd(p, 0, 0, NULL);
        mem_fail_at(0);
    } while (rc < 0 && nth < 10);
    assert_int_equal(nth, 3); /* two arrays */
    net_poller_free(p);
}

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
}

/* A signal ends the wait, so the loop can look at its flag. */
static void a_signal_ends_the_wait(void **state)
{
    struct net_poller *p = net_poller_new(1, NULL);
    struct sigaction act = {.sa_handler = on_signal};
    struct itimerval timer = {{0, 1000}, {0, 1000}}; /* again and again: one may come too early */
    struct itimerval off = {{0, 0}, {0, 0}};
    int fds[2];
    int id;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(net_poller_add_fd(p, fds[0], 1, NULL), 0);
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    assert_int_equal(net_poller_wait(p, -1, &id, 1), 0);
    setitimer(ITIMER_REAL, &off, NULL);
    assert_int_equal(signalled, 1);
    net_poller_free(p);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_pipes_and_actors_are_waited_for_together),
        cmocka_unit_test(nothing_ready_is_nothing),
        cmocka_unit_test(everybody_gets_a_turn),
        cmocka_unit_test(what_cannot_be_added_is_refused),
        cmocka_unit_test(adding_survives_lost_memory),
        cmocka_unit_test(a_signal_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
