/* Strangers at the door: wrong keys, no keys, an agent at the tools' port, bytes of no protocol. */
#include "net_lab.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/random.h"
#include "tests/support/net_peer.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#ifndef MSG_NOSIGNAL /* macOS; main() ignores the signal */
#define MSG_NOSIGNAL 0
#endif

struct fixture {
    struct lab lab;
    struct net_socket *agents;
    struct net_socket *tools;
};

static void swallow(void *arg, enum log_level level, const char *line, size_t len)
{
    (void)level;
    (void)line;
    (void)len;
    atomic_fetch_add((atomic_int *)arg, 1);
}

static atomic_int lines;

static int setup(void **state)
{
    static struct fixture fx;

    atomic_store(&lines, 0);
    log_set_sink(swallow, &lines);
    lab_make(&fx.lab);
    fx.agents = lab_server(&fx.lab, "agents");
    fx.tools = lab_server(&fx.lab, "tools");
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    net_socket_close(fx->agents);
    net_socket_close(fx->tools);
    lab_clear(&fx->lab);
    log_set_sink(NULL, NULL);
    return 0;
}

static struct net_zap_counters zap_counts(struct fixture *fx)
{
    struct net_zap_counters c;

    net_zap_counters(fx->lab.zap, &c);
    return c;
}

static bool was_refused(void *arg)
{
    return net_socket_was_refused(arg);
}

/* A round trip by a key that may come in: the server lives. */
static void assert_lives(struct fixture *fx, struct net_socket *server, const struct net_keys *keys,
                         const char *user_id)
{
    struct net_socket *client = lab_client(&fx->lab, server, keys);
    struct net_message m = {.len = 0};

    lab_send_text(client, NULL, "alive?");
    lab_receive(server, &m);
    assert_string_equal(m.user_id, user_id);
    lab_send_text(server, &m, "alive");
    net_message_clear(&m);
    lab_receive(client, &m);
    net_message_clear(&m);
    net_socket_close(client);
}

static void the_right_key_comes_in_as_its_user(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *client = lab_client(&fx->lab, fx->agents, &fx->lab.agent);

    lab_wait_connected(client);
    assert_false(net_socket_was_refused(client));
    assert_int_equal(zap_counts(fx).accepted, 1);
    assert_int_equal(zap_counts(fx).refused, 0);
    net_socket_close(client);
    assert_lives(fx, fx->agents, &fx->lab.agent, "mac-1");
    assert_lives(fx, fx->tools, &fx->lab.tool, "tool-1");
}

static void an_unknown_key_is_refused_counted_and_logged(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *stranger = lab_client(&fx->lab, fx->agents, &fx->lab.stranger);
    struct net_message m;

    assert_int_equal(net_send(stranger, NULL, (const uint8_t *)"let me in", 9), 0); /* queued */
    lab_wait(stranger, fx->agents, was_refused, stranger);
    lab_wait_count(fx->agents, &net_socket_counters(fx->agents)->refused, 1);
    assert_int_equal(net_receive(fx->agents, &m), 0);
    assert_false(net_socket_is_connected(stranger));
    assert_int_equal(net_socket_counters(fx->agents)->connected, 0);
    assert_int_equal(zap_counts(fx).unknown_key, 1);
    assert_int_equal(zap_counts(fx).accepted, 0);
    assert_int_equal(atomic_load(&lines), 1);
    net_socket_close(stranger);
    assert_lives(fx, fx->agents, &fx->lab.agent, "mac-1");
}

static void an_agents_key_is_a_stranger_at_the_tools_port(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *agent = lab_client(&fx->lab, fx->tools, &fx->lab.agent);
    struct net_socket *tool = lab_client(&fx->lab, fx->agents, &fx->lab.tool);

    lab_wait(agent, fx->tools, was_refused, agent);
    lab_wait(tool, fx->agents, was_refused, tool);
    assert_int_equal(zap_counts(fx).unknown_key, 2);
    assert_int_equal(zap_counts(fx).accepted, 0);
    net_socket_close(agent);
    net_socket_close(tool);
}

/* A server that is not the one we expect: we do not speak to it. */
static void a_server_of_another_key_is_not_trusted(void **state)
{
    struct fixture *fx = *state;
    struct net_socket_options o = {.kind = NET_DEALER,
                                   .endpoint = net_socket_endpoint(fx->agents),
                                   .keys = &fx->lab.agent,
                                   .server_public_key = fx->lab.stranger.public_key,
                                   .linger_ms = -1};
    struct net_socket *client = net_socket_open(fx->lab.net, &o, NULL);

    assert_non_null(client);
    lab_wait_count(fx->agents, &net_socket_counters(fx->agents)->refused, 1);
    assert_false(net_socket_is_connected(client));
    assert_int_equal(net_socket_counters(fx->agents)->connected, 0);
    assert_int_equal(zap_counts(fx).accepted, 0);
    net_socket_close(client);
}

static void a_peer_without_curve_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct net_peer_options o = {.endpoint = net_socket_endpoint(fx->agents)};
    struct net_peer *plain = net_peer_open(&o);

    assert_non_null(plain);
    lab_wait_count(fx->agents, &net_socket_counters(fx->agents)->refused, 1);
    assert_false(net_peer_gets_in(plain));
    assert_int_equal(net_socket_counters(fx->agents)->connected, 0);
    net_peer_close(plain);
    assert_lives(fx, fx->agents, &fx->lab.agent, "mac-1");
}

static void a_peer_on_libzmq_alone_comes_in(void **state)
{
    struct fixture *fx = *state;
    struct net_peer_options o = {.endpoint = net_socket_endpoint(fx->agents),
                                 .keys = &fx->lab.agent,
                                 .server_public_key = fx->lab.server.public_key};
    struct net_peer *peer = net_peer_open(&o);

    assert_true(net_peer_gets_in(peer));
    net_peer_close(peer);
}

/* While the server runs: a key is removed, another comes in its place. */
static void a_changed_list_judges_the_next_connection(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *before = lab_client(&fx->lab, fx->agents, &fx->lab.agent);
    struct net_socket *after;
    struct net_message m = {.len = 0};

    lab_wait_connected(before);
    lab_allow(&fx->lab, "agents", fx->lab.stranger.public_key, "mac-2");

    after = lab_client(&fx->lab, fx->agents, &fx->lab.agent);
    lab_wait(after, fx->agents, was_refused, after);
    net_socket_close(after);
    assert_lives(fx, fx->agents, &fx->lab.stranger, "mac-2");

    /* What was connected stays so: the owner of the session refuses by user id. */
    lab_send_text(before, NULL, "still here");
    lab_receive(fx->agents, &m);
    assert_string_equal(m.user_id, "mac-1");
    net_message_clear(&m);
    net_socket_close(before);
}

/* libzmq by itself would let everybody in here: encrypted, and unknown. */
static void nobody_comes_in_while_there_is_no_list_of_keys(void **state)
{
    struct fixture *fx = *state;
    struct lab lab = fx->lab;
    struct net_socket *server;
    struct net_socket *client;

    assert_non_null(lab.net = net_new(1, NULL)); /* another, in which none was ever started */
    server = lab_server(&lab, "agents");
    client = lab_client(&lab, server, &lab.agent);
    lab_wait_count(server, &net_socket_counters(server)->refused, 1);
    assert_int_equal(net_socket_counters(server)->connected, 0);
    net_socket_close(client);

    assert_non_null(lab.zap = net_zap_start(lab.net, NULL));
    lab_allow(&lab, "agents", lab.agent.public_key, "mac-1");
    client = lab_client(&lab, server, &lab.agent);
    lab_wait_connected(client);
    net_socket_close(client);
    net_socket_close(server);
    net_zap_stop(lab.zap);
    net_free(lab.net);
}

/* ---- bytes of no protocol ---- */

static void garbage_on_the_port_harms_nobody(void **state)
{
    struct fixture *fx = *state;
    const char *const rows[] = {
        "GET / HTTP/1.1\r\nHost: coordinator\r\n\r\n",
        "\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01QURVE",
        "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        "SSH-2.0-OpenSSH_9.2\r\n",
    };
    const size_t lens[] = {37, 17, 11, 21};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = net_peer_tcp(net_socket_endpoint(fx->agents));

        assert_true(fd >= 0);
        assert_int_equal(send(fd, rows[i], lens[i], MSG_NOSIGNAL), lens[i]);
        close(fd);
    }
    for (int i = 0; i < 30; i++) {
        uint8_t noise[512];
        int fd = net_peer_tcp(net_socket_endpoint(fx->agents));

        assert_true(fd >= 0);
        assert_int_equal(random_bytes(noise, sizeof noise, NULL), 0);
        if (i % 2) { /* every second one begins as ZMTP does */
            noise[0] = 0xff;
            noise[9] = 0x7f;
            noise[10] = 3;
        }
        send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        assert_true(net_peer_tcp_is_closed(fd));
        close(fd);
    }
    assert_int_equal(net_socket_counters(fx->agents)->connected, 0);
    assert_true(net_socket_counters(fx->agents)->refused > 0);
    assert_lives(fx, fx->agents, &fx->lab.agent, "mac-1");
}

/* The greeting of ZMTP 3.1 with CURVE, cut at each length: no cut is taken for a peer. */
static void a_greeting_cut_anywhere_harms_nobody(void **state)
{
    struct fixture *fx = *state;
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'C', 'U', 'R', 'V', 'E'};

    for (size_t cut = 0; cut <= sizeof greeting; cut++) {
        int fd = net_peer_tcp(net_socket_endpoint(fx->agents));

        assert_true(fd >= 0);
        send(fd, greeting, cut, MSG_NOSIGNAL);
        close(fd);
    }
    assert_lives(fx, fx->agents, &fx->lab.agent, "mac-1");
    assert_int_equal(net_socket_counters(fx->agents)->connected, 1);
}

/* ---- who one is cannot be claimed ---- */

/* Greet as ZMTP 3.0 does, with a READY that has the property User-Id, and send a message. */
static void handshake_and_message(int fd, const char *user_id)
{
    uint8_t bytes[128] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    uint8_t *p = bytes + 64;
    uint8_t *size;
    uint8_t theirs[256];
    size_t len = 0;

    *p++ = 4; /* a command */
    size = p++;
    memcpy(p, "\5READY\13Socket-Type\0\0\0\6DEALER\7User-Id\0\0\0", 39);
    p += 39;
    *p++ = (uint8_t)strlen(user_id);
    memcpy(p, user_id, strlen(user_id));
    p += strlen(user_id);
    *size = (uint8_t)(p - size - 1);
    assert_int_equal(send(fd, bytes, (size_t)(p - bytes), MSG_NOSIGNAL), p - bytes);
    /* Their READY must be there before a message may follow: 64 bytes of greeting, then its size.
     */
    while (len < 66 || len < 66u + theirs[65]) {
        ssize_t n = recv(fd, theirs + len, sizeof theirs - len, 0);

        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_int_equal(send(fd, "\0\2hi", 4, MSG_NOSIGNAL), 4);
}

/* On ipc nobody is asked for keys, and a peer may put what it likes into its metadata. */
static void a_user_id_that_the_peer_claims_is_not_believed(void **state)
{
    struct fixture *fx = *state;
    char folder[] = "/tmp/espalier-ipc-XXXXXX";
    char endpoint[64];
    struct net_socket_options o = {.kind = NET_ROUTER, .bind = true, .endpoint = endpoint};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct net_socket *server;
    struct net_message m = {.len = 0};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_non_null(mkdtemp(folder));
    snprintf(endpoint, sizeof endpoint, "ipc://%s/s", folder);
    snprintf(to.sun_path, sizeof to.sun_path, "%s/s", folder);
    assert_non_null(server = net_socket_open(fx->lab.net, &o, NULL));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    handshake_and_message(fd, "admin");
    lab_receive(server, &m);
    assert_string_equal((const char *)m.body, "hi");
    assert_string_equal(m.user_id, "");
    net_message_clear(&m);
    close(fd);
    net_socket_close(server);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(the_right_key_comes_in_as_its_user),
        ROW(an_unknown_key_is_refused_counted_and_logged),
        ROW(an_agents_key_is_a_stranger_at_the_tools_port),
        ROW(a_server_of_another_key_is_not_trusted),
        ROW(a_peer_without_curve_is_refused),
        ROW(a_peer_on_libzmq_alone_comes_in),
        ROW(a_changed_list_judges_the_next_connection),
        ROW(nobody_comes_in_while_there_is_no_list_of_keys),
        ROW(garbage_on_the_port_harms_nobody),
        ROW(a_greeting_cut_anywhere_harms_nobody),
        ROW(a_user_id_that_the_peer_claims_is_not_believed),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
