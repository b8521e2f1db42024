/* A peer that stops without a word, as a Mac does that goes to sleep: its connection stays, and
 * only heartbeats tell. The peer is a process of its own, stopped by a signal. */
#include "net_lab.h"
#include "common/core/err.h"
#include "tests/support/net_peer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What the child is told, once the server is there. */
struct letter {
    char endpoint[NET_ENDPOINT_MAX + 1];
    char server_key[NET_KEY_CHARS + 1];
    struct net_keys keys;
};

static void child_main(int fd)
{
    struct letter letter;
    struct net_peer_options o = {
        .endpoint = letter.endpoint, .keys = &letter.keys, .server_public_key = letter.server_key};
    struct net_peer_frames f;
    struct net_peer *p;

    alarm(60);
    if (read(fd, &letter, sizeof letter) != sizeof letter || !(p = net_peer_open(&o)) ||
        net_peer_send(p, "hello", 5) < 0)
        _exit(1);
    net_peer_receive(p, &f); /* nothing comes */
    _exit(0);
}

static void a_peer_that_falls_silent_is_given_up(void **state)
{
    struct lab lab;
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = "tcp://127.0.0.1:*",
                                   .keys = &lab.server,
                                   .zap_domain = "agents",
                                   .heartbeat_ms = 50};
    struct net_message m = {.len = 0};
    struct net_socket *server;
    struct letter letter;
    int fds[2];
    pid_t child;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    if ((child = fork()) == 0) /* before there are threads */
        child_main(fds[0]);
    lab_make(&lab);
    assert_non_null(server = net_socket_open(lab.net, &o, NULL));
    memset(&letter, 0, sizeof letter);
    snprintf(letter.endpoint, sizeof letter.endpoint, "%s", net_socket_endpoint(server));
    memcpy(letter.server_key, lab.server.public_key, sizeof letter.server_key);
    letter.keys = lab.agent;
    assert_int_equal(write(fds[1], &letter, sizeof letter), sizeof letter);
    lab_receive(server, &m);
    assert_string_equal((const char *)m.body, "hello");

    assert_int_equal(kill(child, SIGSTOP), 0);
    lab_wait_count(server, &net_socket_counters(server)->disconnected, 1);
    while (net_socket_counters(server)->dropped == 0) /* and it is nobody's address any more */
        net_send(server, &m, (const uint8_t *)"x", 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    net_message_clear(&m);
    net_socket_close(server);
    lab_clear(&lab);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_falls_silent_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
