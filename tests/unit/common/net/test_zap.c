/* The list of keys, asked as libzmq asks it: over inproc, by RFC 27. */
#include "net_lab.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/net/net_internal.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
    struct lab lab;
    void *asker;
    uint8_t agent_key[32];
    uint8_t stranger_key[32];
};

static char last_line[LOG_LINE_MAX];

static void keep_line(void *arg, enum log_level level, const char *line, size_t len)
{
    (void)arg;
    (void)level;
    if (len < sizeof last_line)
        memcpy(last_line, line, len + 1);
}

static int setup(void **state)
{
    static struct fixture fx;
    const int limit = LAB_WAIT_MS;

    log_set_sink(keep_line, NULL);
    lab_make(&fx.lab);
    assert_non_null(fx.asker = net_raw_open(fx.lab.net, ZMQ_REQ, 0, 0));
    zmq_setsockopt(fx.asker, ZMQ_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(zmq_connect(fx.asker, "inproc://zeromq.zap.01"), 0);
    assert_non_null(zmq_z85_decode(fx.agent_key, fx.lab.agent.public_key));
    assert_non_null(zmq_z85_decode(fx.stranger_key, fx.lab.stranger.public_key));
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    net_raw_close(fx->lab.net, fx->asker);
    lab_clear(&fx->lab);
    log_set_sink(NULL, NULL);
    return 0;
}

struct frame {
    const void *data;
    size_t len;
};
#define TEXT(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

/* Ask, and compare status and user id of the answer. */
static void ask(struct fixture *fx, const struct frame *frames, size_t count, const char *status,
                const char *user_id)
{
    char answer[6][300];
    int more = 1;
    size_t n = 0;
    size_t size = sizeof more;

    for (size_t i = 0; i < count; i++)
        assert_true(zmq_send(fx->asker, frames[i].data, frames[i].len,
                             i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
    for (; more && n < 6; n++) {
        int len = zmq_recv(fx->asker, answer[n], sizeof answer[n] - 1, 0);

        assert_in_range(len, 0, sizeof answer[n] - 1);
        answer[n][len] = '\0';
        zmq_getsockopt(fx->asker, ZMQ_RCVMORE, &more, &size);
    }
    assert_int_equal(n, 6);
    assert_int_equal(more, 0);
    assert_string_equal(answer[0], "1.0");
    assert_string_equal(answer[2], status);
    assert_string_equal(answer[4], user_id);
    assert_string_equal(answer[5], "");
}

static void ask_about(struct fixture *fx, const char *domain, const char *mechanism,
                      const uint8_t key[32], const char *status, const char *user_id)
{
    const struct frame frames[] = {
        TEXT("1.0"),      TEXT("1"), {domain, strlen(domain)},
        TEXT("10.0.0.7"), TEXT(""),  {mechanism, strlen(mechanism)},
        {key, 32},
    };

    ask(fx, frames, 7, status, user_id);
}

static struct net_zap_counters counts(struct fixture *fx)
{
    struct net_zap_counters c;

    net_zap_counters(fx->lab.zap, &c);
    return c;
}

static void a_key_in_the_list_is_its_user(void **state)
{
    struct fixture *fx = *state;

    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
    assert_int_equal(counts(fx).accepted, 1);
    assert_int_equal(counts(fx).refused, 0);
}

static void everybody_else_is_refused_and_counted_by_reason(void **state)
{
    struct fixture *fx = *state;

    ask_about(fx, "agents", "CURVE", fx->stranger_key, "400", "");
    assert_non_null(strstr(last_line, fx->lab.stranger.public_key));
    assert_non_null(strstr(last_line, "10.0.0.7"));
    assert_non_null(strstr(last_line, "agents"));
    ask_about(fx, "tools", "CURVE", fx->agent_key, "400", "");
    ask_about(fx, "none", "CURVE", fx->agent_key, "400", "");
    ask_about(fx, "", "CURVE", fx->agent_key, "400", "");
    ask_about(fx, "agents", "NULL", fx->agent_key, "400", "");
    ask_about(fx, "agents", "PLAIN", fx->agent_key, "400", "");
    ask_about(fx, "agents", "GSSAPI", fx->agent_key, "400", "");
    assert_int_equal(counts(fx).unknown_key, 2);
    assert_int_equal(counts(fx).unknown_domain, 2);
    assert_int_equal(counts(fx).wrong_mechanism, 3);
    assert_int_equal(counts(fx).refused, 7);
    assert_int_equal(counts(fx).accepted, 0);
}

static void requests_out_of_form_get_an_answer(void **state)
{
    struct fixture *fx = *state;
    static char long_text[400];
    const struct frame key = {fx->agent_key, 32};
    const struct {
        struct frame frames[8];
        size_t count;
        const char *status;
    } rows[] = {
        {{TEXT("")}, 1, "500"},
        {{TEXT("1.0"), TEXT("1"), TEXT("agents")}, 3, "500"},
        {{TEXT("2.0"), TEXT("1"), TEXT("agents"), TEXT(""), TEXT(""), TEXT("CURVE"), key},
         7,
         "500"},
        {{TEXT("1.0"), TEXT("1"), TEXT("agents\0x"), TEXT(""), TEXT(""), TEXT("CURVE"), key},
         7,
         "500"},
        {{TEXT("1.0"), TEXT("1"), {long_text, 300}, TEXT(""), TEXT(""), TEXT("CURVE"), key},
         7,
         "500"},
        {{TEXT("1.0"), {long_text, 300}, TEXT("agents"), TEXT(""), TEXT(""), TEXT("CURVE"), key},
         7,
         "500"},
        {{TEXT("1.0"), TEXT("1"), TEXT("agents"), TEXT(""), TEXT(""), TEXT("CURVE")}, 6, "400"},
        {{TEXT("1.0"),
          TEXT("1"),
          TEXT("agents"),
          TEXT(""),
          TEXT(""),
          TEXT("CURVE"),
          {fx->agent_key, 31}},
         7,
         "400"},
        {{TEXT("1.0"),
          TEXT("1"),
          TEXT("agents"),
          TEXT(""),
          TEXT(""),
          TEXT("CURVE"),
          {long_text, 33}},
         7,
         "400"},
    };

    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ask(fx, rows[i].frames, rows[i].count, rows[i].status, "");
    assert_int_equal(counts(fx).malformed, 6);
    assert_int_equal(counts(fx).wrong_mechanism, 3);
    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
}

static void a_new_list_takes_the_place_of_the_old(void **state)
{
    struct fixture *fx = *state;

    lab_allow(&fx->lab, "agents", fx->lab.stranger.public_key, "mac-2");
    ask_about(fx, "agents", "CURVE", fx->agent_key, "400", "");
    ask_about(fx, "agents", "CURVE", fx->stranger_key, "200", "mac-2");
    assert_int_equal(net_zap_set(fx->lab.zap, "agents", NULL, 0, NULL), 0);
    ask_about(fx, "agents", "CURVE", fx->stranger_key, "400", "");
}

/* One bad entry, and the list is as it was. */
static void a_list_that_is_wrong_changes_nothing(void **state)
{
    struct fixture *fx = *state;
    const char *good = fx->lab.stranger.public_key;
    char long_id[ID_TEXT_MAX + 2];
    const struct {
        struct net_zap_entry entry[2];
        const char *says;
    } rows[] = {
        {{{good, "mac-2"}, {NULL, "mac-3"}}, "entry 2"},
        {{{good, "mac-2"}, {"short", "mac-3"}}, "5 characters"},
        {{{good, "mac-2"}, {good, "mac-3"}}, "twice"},
        {{{good, "mac-2"}, {fx->lab.tool.public_key, NULL}}, "user id"},
        {{{good, "mac-2"}, {fx->lab.tool.public_key, ""}}, "user id"},
        {{{good, "mac-2"}, {fx->lab.tool.public_key, "mac 3"}}, "user id"},
        {{{good, "mac-2"}, {fx->lab.tool.public_key, "mac\xc3\xa9"}}, "user id"},
        {{{good, "mac-2"}, {fx->lab.tool.public_key, long_id}}, "user id"},
    };

    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {ERR_NONE, ""};

        assert_int_equal(net_zap_set(fx->lab.zap, "agents", rows[i].entry, 2, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, rows[i].says));
    }
    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
    ask_about(fx, "agents", "CURVE", fx->stranger_key, "400", "");
}

static void a_user_id_of_the_greatest_length_arrives_whole(void **state)
{
    struct fixture *fx = *state;
    char id[ID_TEXT_MAX + 1];

    memset(id, 'x', ID_TEXT_MAX);
    id[ID_TEXT_MAX] = '\0';
    lab_allow(&fx->lab, "agents", fx->lab.agent.public_key, id);
    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", id);
}

static void many_keys_may_be_one_user(void **state)
{
    struct fixture *fx = *state;
    const struct net_zap_entry entries[] = {{fx->lab.agent.public_key, "mac-1"},
                                            {fx->lab.stranger.public_key, "mac-1"}};

    assert_int_equal(net_zap_set(fx->lab.zap, "agents", entries, 2, NULL), 0);
    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
    ask_about(fx, "agents", "CURVE", fx->stranger_key, "200", "mac-1");
}

static void domains_have_a_limit(void **state)
{
    struct fixture *fx = *state;
    struct err err = {ERR_NONE, ""};
    char domain[NET_ZAP_DOMAIN_MAX + 2];

    for (int i = 2; i < NET_ZAP_DOMAINS_MAX; i++) {
        snprintf(domain, sizeof domain, "domain-%d", i);
        lab_allow(&fx->lab, domain, fx->lab.agent.public_key, "mac-1");
    }
    ask_about(fx, "domain-7", "CURVE", fx->agent_key, "200", "mac-1");
    assert_int_equal(net_zap_set(fx->lab.zap, "one more", NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_int_equal(net_zap_set(fx->lab.zap, "agents", NULL, 0, &err), 0);
    assert_int_equal(net_zap_set(fx->lab.zap, "", NULL, 0, &err), -1);
    assert_int_equal(net_zap_set(fx->lab.zap, NULL, NULL, 0, &err), -1);
    memset(domain, 'x', sizeof domain - 1);
    domain[sizeof domain - 1] = '\0';
    assert_int_equal(net_zap_set(fx->lab.zap, domain, NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void a_net_has_one_list(void **state)
{
    struct fixture *fx = *state;
    struct err err = {ERR_NONE, ""};

    assert_null(net_zap_start(fx->lab.net, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
    net_zap_stop(NULL);
}

static void setting_a_list_survives_lost_memory(void **state)
{
    struct fixture *fx = *state;
    const struct net_zap_entry entries[] = {{fx->lab.stranger.public_key, "mac-2"},
                                            {fx->lab.tool.public_key, "mac-3"}};
    int nth = 0;
    int rc;

    do {
        ask_about(fx, "agents", "CURVE", fx->agent_key, "200", "mac-1");
        mem_fail_at((unsigned)++nth);
        rc = net_zap_set(fx->lab.zap, "agents", entries, 2, NULL);
        mem_fail_at(0);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 3, 999);
    ask_about(fx, "agents", "CURVE", fx->agent_key, "400", "");
    ask_about(fx, "agents", "CURVE", fx->stranger_key, "200", "mac-2");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_key_in_the_list_is_its_user),
        ROW(everybody_else_is_refused_and_counted_by_reason),
        ROW(requests_out_of_form_get_an_answer),
        ROW(a_new_list_takes_the_place_of_the_old),
        ROW(a_list_that_is_wrong_changes_nothing),
        ROW(a_user_id_of_the_greatest_length_arrives_whole),
        ROW(many_keys_may_be_one_user),
        ROW(domains_have_a_limit),
        ROW(a_net_has_one_list),
        ROW(setting_a_list_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
