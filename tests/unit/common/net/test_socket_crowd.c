/* Many at once: 200 clients connect, ask and are answered; then their server is started again. */
#include "net_lab.h"
#include "common/core/clock.h"
#include "common/core/err.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CROWD 200

struct crowd {
    struct lab lab;
    struct net_socket *server;
    struct net_socket *client[CROWD];
    struct net_keys keys[CROWD];
    char user_id[CROWD][8];
    int served;
};

static struct crowd crowd;

static int setup(void **state)
{
    struct net_zap_entry entries[CROWD];

    memset(&crowd, 0, sizeof crowd);
    lab_make(&crowd.lab);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(net_keys_make(&crowd.keys[i], NULL), 0);
        snprintf(crowd.user_id[i], sizeof crowd.user_id[i], "mac-%d", i);
        entries[i] = (struct net_zap_entry){crowd.keys[i].public_key, crowd.user_id[i]};
    }
    assert_int_equal(net_zap_set(crowd.lab.zap, "agents", entries, CROWD, NULL), 0);
    crowd.server = lab_server(&crowd.lab, "agents");
    for (int i = 0; i < CROWD; i++)
        crowd.client[i] = lab_client(&crowd.lab, crowd.server, &crowd.keys[i]);
    *state = &crowd;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < CROWD; i++)
        net_socket_close(crowd.client[i]);
    net_socket_close(crowd.server);
    lab_clear(&crowd.lab);
    return 0;
}

/* Answer each with its user id. */
static bool all_are_served(void *arg)
{
    struct net_message m;

    (void)arg;
    while (net_receive(crowd.server, &m) == 1) {
        assert_string_equal(m.user_id, (const char *)m.body);
        lab_send_text(crowd.server, &m, m.user_id);
        net_message_clear(&m);
        crowd.served++;
    }
    return crowd.served == CROWD;
}

static void everybody_asks_and_is_told(void)
{
    struct net_message m = {.len = 0};

    crowd.served = 0;
    for (int i = 0; i < CROWD; i++)
        lab_send_text(crowd.client[i], NULL, crowd.user_id[i]);
    lab_wait(crowd.server, NULL, all_are_served, NULL);
    for (int i = 0; i < CROWD; i++) {
        lab_receive(crowd.client[i], &m);
        assert_string_equal((const char *)m.body, crowd.user_id[i]);
        net_message_clear(&m);
    }
}

static void two_hundred_clients_are_told_apart(void **state)
{
    (void)state;
    everybody_asks_and_is_told();
    assert_int_equal(net_socket_counters(crowd.server)->connected, CROWD);
    assert_int_equal(net_socket_counters(crowd.server)->dropped, 0);
}

/* The server goes and comes back at the same address: all return by themselves. */
static void two_hundred_clients_come_back(void **state)
{
    char endpoint[NET_ENDPOINT_MAX + 1];
    struct net_socket_options o = {.kind = NET_ROUTER,
                                   .bind = true,
                                   .endpoint = endpoint,
                                   .keys = &crowd.lab.server,
                                   .zap_domain = "agents"};
    int64_t until = clock_mono_ms() + LAB_WAIT_MS;

    (void)state;
    everybody_asks_and_is_told();
    snprintf(endpoint, sizeof endpoint, "%s", net_socket_endpoint(crowd.server));
    net_socket_close(crowd.server);
    crowd.server = NULL;
    /* libzmq gives the address up in a thread of its own, a moment later */
    while (!crowd.server && clock_mono_ms() < until)
        crowd.server = net_socket_open(crowd.lab.net, &o, NULL);
    assert_non_null(crowd.server);
    for (int i = 0; i < CROWD; i++)
        while (net_socket_counters(crowd.client[i])->connected < 2)
            lab_wait_count(crowd.client[i], &net_socket_counters(crowd.client[i])->connected, 2);
    everybody_asks_and_is_told();
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(two_hundred_clients_are_told_apart),
        ROW(two_hundred_clients_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
