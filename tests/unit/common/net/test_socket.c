#include "net_lab.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "tests/support/net_peer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
    struct lab lab;
    struct net_socket *server;
};

static int setup(void **state)
{
    static struct fixture fx;

    lab_make(&fx.lab);
    fx.server = lab_server(&fx.lab, "agents");
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    net_socket_close(fx->server);
    lab_clear(&fx->lab);
    return 0;
}

static struct net_peer *peer_of(struct fixture *fx, struct net_peer_options o)
{
    struct net_peer *p;

    o.endpoint = net_socket_endpoint(fx->server);
    o.keys = &fx->lab.agent;
    o.server_public_key = fx->lab.server.public_key;
    assert_non_null(p = net_peer_open(&o));
    return p;
}

static void a_question_and_its_answer(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *client = lab_client(&fx->lab, fx->server, &fx->lab.agent);
    struct net_message question = {.len = 0};
    struct net_message answer = {.len = 0};

    lab_send_text(client, NULL, "who am I?");
    lab_receive(fx->server, &question);
    assert_string_equal((const char *)question.body, "who am I?");
    assert_int_equal(question.len, 9);
    assert_string_equal(question.user_id, "mac-1");
    assert_string_equal(question.address, "127.0.0.1");
    assert_false(question.enveloped);

    lab_send_text(fx->server, &question, "mac-1");
    lab_receive(client, &answer);
    assert_string_equal((const char *)answer.body, "mac-1");
    assert_string_equal(answer.user_id, ""); /* a client has no list of keys */
    net_message_clear(&question);
    net_message_clear(&answer);

    assert_int_equal(net_socket_counters(fx->server)->received, 1);
    assert_int_equal(net_socket_counters(fx->server)->sent, 1);
    assert_int_equal(net_socket_counters(fx->server)->connected, 1);
    assert_int_equal(net_socket_counters(client)->dropped, 0);
    net_socket_close(client);
}

static void a_message_can_be_answered_after_it_was_cleared_of_its_body(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *client = lab_client(&fx->lab, fx->server, &fx->lab.agent);
    struct net_message question = {.len = 0};
    struct net_message answer = {.len = 0};

    lab_send_text(client, NULL, "?");
    lab_receive(fx->server, &question);
    mem_free(question.body);
    question.body = NULL;
    lab_send_text(fx->server, &question, "!");
    lab_receive(client, &answer);
    net_message_clear(&answer);
    net_message_clear(&answer);
    net_message_clear(NULL);
    net_socket_close(client);
}

/* REQ puts an empty frame before the body, and wants one before the answer's. */
static void an_enveloped_question_is_answered_in_its_form(void **state)
{
    struct fixture *fx = *state;
    struct net_peer *req = peer_of(fx, (struct net_peer_options){.request = true});
    struct net_peer *dealer = peer_of(fx, (struct net_peer_options){.request = false});
    struct net_message m = {.len = 0};
    struct net_peer_frames f;

    assert_int_equal(net_peer_send(req, "asked", 5), 0);
    lab_receive(fx->server, &m);
    assert_true(m.enveloped);
    lab_send_text(fx->server, &m, "told");
    net_message_clear(&m);
    assert_int_equal(net_peer_receive(req, &f), 0);
    assert_int_equal(f.count, 1);
    assert_string_equal((const char *)f.frame[0].data, "told");
    net_peer_frames_clear(&f);

    assert_int_equal(net_peer_send_frames(dealer, (const char *const[]){"", "asked"}, 2), 0);
    lab_receive(fx->server, &m);
    assert_true(m.enveloped);
    lab_send_text(fx->server, &m, "told");
    net_message_clear(&m);
    assert_int_equal(net_peer_receive(dealer, &f), 0);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.frame[0].len, 0);
    assert_string_equal((const char *)f.frame[1].data, "told");
    net_peer_frames_clear(&f);
    net_peer_close(req);
    net_peer_close(dealer);
}

static void our_own_req_asks_and_is_told(void **state)
{
    struct fixture *fx = *state;
    struct net_socket_options o = {.kind = NET_REQ,
                                   .endpoint = net_socket_endpoint(fx->server),
                                   .keys = &fx->lab.agent,
                                   .server_public_key = fx->lab.server.public_key};
    struct net_socket *req = net_socket_open(fx->lab.net, &o, NULL);
    struct net_message m = {.len = 0};

    assert_non_null(req);
    assert_int_equal(net_receive(req, &m), 0); /* it has asked nothing */
    lab_send_text(req, NULL, "asked");
    assert_int_equal(net_send(req, NULL, (const uint8_t *)"again", 5), -1); /* one at a time */
    assert_int_equal(net_socket_counters(req)->dropped, 1);
    lab_receive(fx->server, &m);
    lab_send_text(fx->server, &m, "told");
    net_message_clear(&m);
    lab_receive(req, &m);
    assert_string_equal((const char *)m.body, "told");
    net_message_clear(&m);
    net_socket_close(req);
}

/* Each of these is counted and skipped, and the good message after it arrives. */
static void messages_out_of_form_are_counted_and_the_next_one_arrives(void **state)
{
    struct fixture *fx = *state;
    struct net_peer *peer = peer_of(fx, (struct net_peer_options){.request = false});
    const struct {
        const char *frames[NET_PEER_FRAMES_MAX];
        size_t count;
    } rows[] = {
        {{""}, 1},     /* no body */
        {{"", ""}, 2}, /* an envelope, and no body in it */
        {{"body", "extra"}, 2},
        {{"body", ""}, 2},
        {{"", "body", "extra"}, 3},
        {{"", "", "body"}, 3},
        {{"1", "2", "3", "4", "5", "6", "7", "8"}, 8},
    };
    struct net_message m = {.len = 0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(net_peer_send_frames(peer, rows[i].frames, rows[i].count), 0);
        assert_int_equal(net_peer_send(peer, "good", 4), 0);
        lab_receive(fx->server, &m);
        assert_string_equal((const char *)m.body, "good");
        net_message_clear(&m);
        assert_int_equal(net_socket_counters(fx->server)->malformed, i + 1);
    }
    net_peer_close(peer);
}

static bool malformed_reached(void *arg)
{
    struct fixture *fx = arg;
    struct net_message m;

    assert_int_equal(net_receive(fx->server, &m), 0);
    return net_socket_counters(fx->server)->malformed >= 200;
}

/* A peer that sends nothing but rubbish does not keep net_receive from returning. */
static void a_flood_of_malformed_messages_is_taken_in_portions(void **state)
{
    struct fixture *fx = *state;
    struct net_peer *peer = peer_of(fx, (struct net_peer_options){.request = false});

    for (int i = 0; i < 200; i++)
        assert_int_equal(net_peer_send(peer, "", 0), 0);
    lab_wait(fx->server, NULL, malformed_reached, fx);
    net_peer_close(peer);
}

static void a_routing_id_that_is_too_long_is_malformed(void **state)
{
    struct fixture *fx = *state;
    struct net_peer *bad =
        peer_of(fx, (struct net_peer_options){.routing_id = "a routing id of 33 bytes is refused"});
    struct net_peer *good =
        peer_of(fx, (struct net_peer_options){.routing_id = "its own choice, of 32 bytes long"});
    struct net_message m = {.len = 0};

    assert_int_equal(net_peer_send(bad, "x", 1), 0);
    lab_wait_count(fx->server, &net_socket_counters(fx->server)->connected, 2);
    assert_int_equal(net_peer_send(good, "good", 4), 0);
    lab_receive(fx->server, &m);
    assert_string_equal((const char *)m.body, "good");
    assert_int_equal(m.peer_len, NET_PEER_MAX);
    net_message_clear(&m);
    net_peer_close(bad);
    net_peer_close(good);
}

/* Without ZMQ_ROUTER_HANDOVER the first that has a routing id keeps it. */
static void a_peer_cannot_take_over_the_address_of_another(void **state)
{
    struct fixture *fx = *state;
    struct net_peer *first = peer_of(fx, (struct net_peer_options){.routing_id = "desk"});
    struct net_peer *thief;
    struct net_message m = {.len = 0};
    struct net_peer_frames f;

    assert_int_equal(net_peer_send(first, "first", 5), 0);
    lab_receive(fx->server, &m);
    thief = peer_of(fx, (struct net_peer_options){.routing_id = "desk"});
    assert_true(net_peer_gets_in(thief));
    lab_send_text(fx->server, &m, "for the first");
    assert_int_equal(net_peer_receive(first, &f), 0);
    assert_string_equal((const char *)f.frame[0].data, "for the first");
    net_peer_frames_clear(&f);
    net_message_clear(&m);
    net_peer_close(first);
    net_peer_close(thief);
}

static void an_answer_to_a_peer_that_is_gone_is_dropped_and_counted(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *client = lab_client(&fx->lab, fx->server, &fx->lab.agent);
    struct net_message m = {.len = 0};

    lab_send_text(client, NULL, "bye");
    lab_receive(fx->server, &m);
    net_socket_close(client);
    lab_wait_count(fx->server, &net_socket_counters(fx->server)->disconnected, 1);
    /* The I/O thread tells of the end before the socket hears of it: some answers may still go. */
    for (int i = 0; i < 10000 && net_socket_counters(fx->server)->dropped == 0; i++)
        net_send(fx->server, &m, (const uint8_t *)"x", 1);
    assert_int_equal(net_socket_counters(fx->server)->dropped, 1);
    net_message_clear(&m);
}

static void what_cannot_be_sent_is_dropped_and_counted(void **state)
{
    struct fixture *fx = *state;
    struct net_message nobody = {.peer_len = 0};
    struct net_message long_peer = {.peer_len = NET_PEER_MAX + 1};
    const uint8_t x = 'x';

    assert_int_equal(net_send(fx->server, NULL, &x, 1), -1);
    assert_int_equal(net_send(fx->server, &nobody, &x, 1), -1);
    assert_int_equal(net_send(fx->server, &long_peer, &x, 1), -1);
    assert_int_equal(net_send(fx->server, &nobody, NULL, 0), -1);
    assert_int_equal(net_publish(fx->server, "t", &x, 1), -1);
    assert_int_equal(net_socket_counters(fx->server)->dropped, 5);
    assert_int_equal(net_socket_counters(fx->server)->sent, 0);
}

static void a_client_of_connections_only_drops_while_there_is_none(void **state)
{
    struct fixture *fx = *state;
    char endpoint[NET_ENDPOINT_MAX + 1];
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = endpoint,
                                   .keys = &fx->lab.server,
                                   .zap_domain = "agents"};
    struct net_socket_options c = {.kind = NET_DEALER,
                                   .endpoint = endpoint,
                                   .keys = &fx->lab.agent,
                                   .server_public_key = fx->lab.server.public_key,
                                   .only_connected = true,
                                   .reconnect_ms = 20};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t at_len = sizeof at;
    int nobody = socket(AF_INET, SOCK_STREAM, 0); /* has a port, and does not listen */
    struct net_message m = {.len = 0};
    struct net_socket *client;
    struct net_socket *server;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(nobody, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(nobody, (struct sockaddr *)&at, &at_len), 0);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    assert_non_null(client = net_socket_open(fx->lab.net, &c, NULL));
    assert_int_equal(net_send(client, NULL, (const uint8_t *)"early", 5), -1);
    assert_int_equal(net_socket_counters(client)->dropped, 1);
    close(nobody);
    assert_non_null(server = net_socket_open(fx->lab.net, &o, NULL));

    lab_wait_connected(client);
    lab_send_text(client, NULL, "in time");
    lab_receive(server, &m);
    assert_string_equal((const char *)m.body, "in time");
    net_message_clear(&m);
    net_socket_close(client);
    net_socket_close(server);
}

/* Sends return at once whatever the peer does; what its queue does not hold is dropped, counted. */
static void a_slow_peer_costs_messages_and_never_time(void **state)
{
    enum { SENT = 400, SIZE = 64 * 1024 };
    struct fixture *fx = *state;
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = "tcp://127.0.0.1:*",
                                   .keys = &fx->lab.server,
                                   .zap_domain = "agents",
                                   .send_hwm = 4,
                                   .linger_ms = -1};
    struct net_socket_options c = {.kind = NET_DEALER,
                                   .keys = &fx->lab.agent,
                                   .server_public_key = fx->lab.server.public_key,
                                   .receive_hwm = 4,
                                   .linger_ms = -1};
    struct net_socket *server = net_socket_open(fx->lab.net, &o, NULL);
    struct net_socket *client;
    struct net_socket *other;
    struct net_message m = {.len = 0};
    uint8_t *body = mem_zalloc(SIZE);

    assert_non_null(server);
    c.endpoint = net_socket_endpoint(server);
    assert_non_null(client = net_socket_open(fx->lab.net, &c, NULL));
    lab_send_text(client, NULL, "hello");
    lab_receive(server, &m);
    for (int i = 0; i < SENT; i++)
        net_send(server, &m, body, SIZE);
    /* 25 MB fit in no socket's buffers, and 8 messages in the two queues */
    assert_true(net_socket_counters(server)->dropped > 0);
    assert_int_equal(net_socket_counters(server)->dropped + net_socket_counters(server)->sent,
                     SENT);
    net_message_clear(&m);

    /* Nobody else is the worse for it. */
    other = lab_client(&fx->lab, server, &fx->lab.agent);
    lab_send_text(other, NULL, "and I?");
    lab_receive(server, &m);
    lab_send_text(server, &m, "you are served");
    net_message_clear(&m);
    lab_receive(other, &m);
    assert_string_equal((const char *)m.body, "you are served");
    net_message_clear(&m);
    net_socket_close(other);
    mem_free(body);
    net_socket_close(client);
    net_socket_close(server);
}

/* Over the socket's limit the connection is lost, and the server lives. */
static void a_message_that_is_too_large_costs_the_connection(void **state)
{
    enum { LIMIT = 1000 };
    struct fixture *fx = *state;
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = "tcp://127.0.0.1:*",
                                   .keys = &fx->lab.server,
                                   .zap_domain = "agents",
                                   .message_max = LIMIT};
    struct net_socket *server = net_socket_open(fx->lab.net, &o, NULL);
    struct net_socket *bad = lab_client(&fx->lab, server, &fx->lab.agent);
    struct net_socket *good = lab_client(&fx->lab, server, &fx->lab.agent);
    struct net_message m = {.len = 0};
    uint8_t body[LIMIT + 1] = {1};

    assert_int_equal(net_send(good, NULL, body, LIMIT), 0);
    lab_receive(server, &m);
    assert_int_equal(m.len, LIMIT);
    net_message_clear(&m);
    assert_int_equal(net_send(bad, NULL, body, sizeof body), 0);
    lab_wait_count(server, &net_socket_counters(server)->disconnected, 1);
    assert_int_equal(net_receive(server, &m), 0);
    lab_send_text(good, NULL, "still here");
    lab_receive(server, &m);
    assert_string_equal((const char *)m.body, "still here");
    net_message_clear(&m);
    net_socket_close(bad);
    net_socket_close(good);
    net_socket_close(server);
}

static bool event_comes(void *arg)
{
    struct net_socket **pub_sub = arg;
    struct net_message m;

    /* A subscription takes a moment to arrive: publish until it does. */
    assert_int_equal(net_publish(pub_sub[0], "other", (const uint8_t *)"no", 2), 0);
    assert_int_equal(net_publish(pub_sub[0], "plan.stored", (const uint8_t *)"yes", 3), 0);
    if (net_receive(pub_sub[1], &m) != 1)
        return false;
    assert_string_equal(m.topic, "plan.stored");
    assert_string_equal((const char *)m.body, "yes");
    assert_int_equal(m.len, 3);
    net_message_clear(&m);
    return true;
}

static void events_reach_those_who_subscribed(void **state)
{
    struct fixture *fx = *state;
    struct net_socket_options o = {.kind = NET_PUB,
                                   .bind = true,
                                   .endpoint = "tcp://127.0.0.1:*",
                                   .keys = &fx->lab.server,
                                   .zap_domain = "tools"};
    struct net_socket_options c = {
        .kind = NET_SUB, .keys = &fx->lab.tool, .server_public_key = fx->lab.server.public_key};
    struct net_socket *pub_sub[2];
    struct net_message m;
    char topic[NET_TOPIC_MAX + 2];
    struct err err = {ERR_NONE, ""};

    memset(topic, 't', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    assert_non_null(pub_sub[0] = net_socket_open(fx->lab.net, &o, NULL));
    c.endpoint = net_socket_endpoint(pub_sub[0]);
    assert_non_null(pub_sub[1] = net_socket_open(fx->lab.net, &c, NULL));
    assert_int_equal(net_subscribe(pub_sub[1], "plan.", &err), 0);
    assert_int_equal(net_subscribe(pub_sub[1], topic, &err), -1);
    assert_int_equal(net_subscribe(pub_sub[1], NULL, &err), -1);
    assert_int_equal(net_subscribe(pub_sub[0], "plan.", &err), -1);
    lab_wait(pub_sub[1], pub_sub[0], event_comes, pub_sub);
    assert_int_equal(net_receive(pub_sub[0], &m), 0);
    assert_int_equal(net_publish(pub_sub[0], topic, (const uint8_t *)"x", 1), -1);
    assert_int_equal(net_publish(pub_sub[0], "t", (const uint8_t *)"", 0), -1);
    assert_int_equal(net_socket_counters(pub_sub[0])->dropped, 2);
    net_socket_close(pub_sub[0]);
    net_socket_close(pub_sub[1]);
}

static bool is_readable(void *arg)
{
    struct net_poller *p = net_poller_new(1, NULL);
    int id;
    int n;

    assert_int_equal(net_poller_add_socket(p, arg, 7, NULL), 0);
    n = net_poller_wait(p, 0, &id, 1);
    net_poller_free(p);
    return n == 1;
}

static void lost_memory_drops_the_message_alone(void **state)
{
    struct fixture *fx = *state;
    struct net_socket *client = lab_client(&fx->lab, fx->server, &fx->lab.agent);
    struct net_message m = {.len = 0};
    int rc;

    lab_send_text(client, NULL, "first");
    lab_receive(fx->server, &m);
    net_message_clear(&m);
    lab_send_text(client, NULL, "lost");
    lab_send_text(client, NULL, "kept");
    lab_wait(fx->server, NULL, is_readable, fx->server);
    mem_fail_at(1);
    rc = net_receive(fx->server, &m);
    mem_fail_at(0);
    if (rc == 0) /* the second is still on its way */
        lab_receive(fx->server, &m);
    assert_string_equal((const char *)m.body, "kept");
    net_message_clear(&m);
    assert_int_equal(net_socket_counters(fx->server)->dropped, 1);
    net_socket_close(client);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_question_and_its_answer),
        ROW(a_message_can_be_answered_after_it_was_cleared_of_its_body),
        ROW(an_enveloped_question_is_answered_in_its_form),
        ROW(our_own_req_asks_and_is_told),
        ROW(messages_out_of_form_are_counted_and_the_next_one_arrives),
        ROW(a_flood_of_malformed_messages_is_taken_in_portions),
        ROW(a_routing_id_that_is_too_long_is_malformed),
        ROW(a_peer_cannot_take_over_the_address_of_another),
        ROW(an_answer_to_a_peer_that_is_gone_is_dropped_and_counted),
        ROW(what_cannot_be_sent_is_dropped_and_counted),
        ROW(a_client_of_connections_only_drops_while_there_is_none),
        ROW(a_slow_peer_costs_messages_and_never_time),
        ROW(a_message_that_is_too_large_costs_the_connection),
        ROW(events_reach_those_who_subscribed),
        ROW(lost_memory_drops_the_message_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
