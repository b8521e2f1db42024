/* net_lab.c - see net_lab.h. */
#include "net_lab.h"
#include "common/core/clock.h"
#include "common/core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* done() is asked at least this often: some wait for what no socket of theirs tells. */
#define LAB_LOOK_MS 20

void lab_make(struct lab *lab)
{
    struct err err = {ERR_NONE, ""};

    memset(lab, 0, sizeof *lab);
    lab->net = net_new(1, &err);
    assert_non_null(lab->net);
    lab->zap = net_zap_start(lab->net, &err);
    assert_non_null(lab->zap);
    assert_int_equal(net_keys_make(&lab->server, &err), 0);
    assert_int_equal(net_keys_make(&lab->agent, &err), 0);
    assert_int_equal(net_keys_make(&lab->tool, &err), 0);
    assert_int_equal(net_keys_make(&lab->stranger, &err), 0);
    lab_allow(lab, "agents", lab->agent.public_key, "mac-1");
    lab_allow(lab, "tools", lab->tool.public_key, "tool-1");
}

void lab_clear(struct lab *lab)
{
    net_zap_stop(lab->zap);
    net_free(lab->net);
    memset(lab, 0, sizeof *lab);
}

void lab_allow(struct lab *lab, const char *domain, const char *public_key, const char *user_id)
{
    struct net_zap_entry entry = {public_key, user_id};

    assert_int_equal(net_zap_set(lab->zap, domain, &entry, 1, NULL), 0);
}

static struct net_socket *open_or_fail(struct lab *lab, const struct net_socket_options *o)
{
    struct err err = {ERR_NONE, ""};
    struct net_socket *s = net_socket_open(lab->net, o, &err);

    if (!s)
        print_error("%s\n", err.text);
    assert_non_null(s);
    return s;
}

struct net_socket *lab_server(struct lab *lab, const char *domain)
{
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = "tcp://127.0.0.1:*",
                                   .keys = &lab->server,
                                   .zap_domain = domain};

    return open_or_fail(lab, &o);
}

struct net_socket *lab_client(struct lab *lab, struct net_socket *server,
                              const struct net_keys *keys)
{
    struct net_socket_options o = {.kind = NET_DEALER,
                                   .endpoint = net_socket_endpoint(server),
                                   .keys = keys,
                                   .server_public_key = lab->server.public_key,
                                   .linger_ms = -1,
                                   .reconnect_ms = 20};

    return open_or_fail(lab, &o);
}

void lab_wait(struct net_socket *s, struct net_socket *other, lab_done_fn *done, void *arg)
{
    struct net_poller *p = net_poller_new(2, NULL);
    int64_t until = clock_mono_ms() + LAB_WAIT_MS;
    int ids[2];

    assert_int_equal(net_poller_add_socket(p, s, 0, NULL), 0);
    if (other)
        assert_int_equal(net_poller_add_socket(p, other, 1, NULL), 0);
    while (!done(arg)) {
        int64_t left = until - clock_mono_ms();

        assert_true(left > 0);
        net_poller_wait(p, left < LAB_LOOK_MS ? left : LAB_LOOK_MS, ids, 2);
    }
    net_poller_free(p);
}

struct reception {
    struct net_socket *s;
    struct net_message *out;
};

static bool was_received(void *arg)
{
    struct reception *r = arg;

    return net_receive(r->s, r->out) == 1;
}

void lab_receive(struct net_socket *s, struct net_message *out)
{
    struct reception r = {s, out};

    lab_wait(s, NULL, was_received, &r);
}

struct count {
    struct net_socket *s;
    const uint64_t *counter;
    uint64_t n;
};

static bool was_counted(void *arg)
{
    struct count *c = arg;

    net_socket_counters(c->s);
    return *c->counter >= c->n;
}

void lab_wait_count(struct net_socket *s, const uint64_t *counter, uint64_t n)
{
    struct count c = {s, counter, n};

    lab_wait(s, NULL, was_counted, &c);
}

static bool is_connected(void *arg)
{
    return net_socket_is_connected(arg);
}

void lab_wait_connected(struct net_socket *client)
{
    lab_wait(client, NULL, is_connected, client);
}

void lab_send_text(struct net_socket *s, const struct net_message *to, const char *text)
{
    assert_int_equal(net_send(s, to, (const uint8_t *)text, strlen(text)), 0);
}
