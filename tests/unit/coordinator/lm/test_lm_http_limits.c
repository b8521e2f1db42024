/* What never ends, what is too large, what cannot be reached: each reply still comes, and says why.
 */
#include "common/core/clock.h"
#include "common/net/net.h"
#include "tests/unit/coordinator/lm/fake_server.h"

#include <arpa/inet.h>
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
    struct net *net;
    struct fake_server server;
};

static int setup(void **state)
{
    static struct fixture f;

    *state = &f;
    return (f.net = net_new(1, NULL)) ? fake_server_start(&f.server, false) : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    fake_server_stop(&f->server);
    net_free(f->net);
    return 0;
}

static struct lm_reply *ask(struct net *net, const struct lm_settings *s)
{
    struct err err = {0};
    struct lm *lm = lm_start(net, s, &err);
    struct lm_reply *r;

    if (!lm)
        fail_msg("%s", err.text);
    fake_ask(lm, 1, 0);
    r = fake_wait(lm);
    lm_stop(lm);
    return r;
}

static void what_hangs_is_given_up(void **state)
{
    static const struct {
        const char *behaviour, *said;
        int64_t first_byte_ms, total_ms;
    } rows[] = {
        {"hang-first", "no first byte within 300 ms", 300, 15000},
        {"hang-first", "no whole answer in time", 15000, 1500},
        {"hang-headers", "no whole answer in time", 15000, 1500},
        {"hang-body", "no whole answer in time", 15000, 1500},
        {"drip", "no whole answer in time", 15000, 1500},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_settings s;
        struct lm_reply *r;
        char url[256];

        fake_server_settings(&f->server, rows[i].behaviour, url, &s);
        s.first_byte_ms = rows[i].first_byte_ms;
        s.total_ms = rows[i].total_ms;
        r = ask(f->net, &s);
        assert_int_equal(r->failure, LM_FAILURE_TIMEOUT);
        assert_int_equal(r->err.code, ERR_TIMEOUT);
        if (!strstr(r->err.text, rows[i].said))
            fail_msg("%s: said \"%s\"", rows[i].behaviour, r->err.text);
        assert_int_equal(r->calls, 1); /* the time is up: not asked again */
        lm_reply_free(r);
    }
}

static void a_request_has_its_own_limit(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm_reply *r;
    struct lm *lm;
    char url[256];

    fake_server_settings(&f->server, "hang-first", url, &s);
    s.parallel = 1;
    lm = lm_start(f->net, &s, NULL);
    fake_ask(lm, 1, 600);
    fake_ask(lm, 2, 300); /* waits for the first one's place, and not longer */
    r = fake_wait(lm);
    assert_int_equal(r->tag, 2);
    assert_int_equal(r->failure, LM_FAILURE_TIMEOUT);
    assert_int_equal(r->calls, 0);
    lm_reply_free(r);
    r = fake_wait(lm);
    assert_int_equal(r->tag, 1);
    assert_int_equal(r->failure, LM_FAILURE_TIMEOUT);
    lm_reply_free(r);
    lm_stop(lm);
}

static void what_is_too_large_is_refused(void **state)
{
    static const char *const behaviours[] = {"oversized", "oversized-headers", "ok"};
    struct fixture *f = *state;

    for (size_t i = 0; i < 3; i++) {
        struct lm_settings s;
        struct lm_reply *r;
        char url[256];

        fake_server_settings(&f->server, behaviours[i], url, &s);
        s.response_max = i == 2 ? 100 : 1 << 20;
        r = ask(f->net, &s);
        if (r->failure != LM_FAILURE_TOO_BIG)
            fail_msg("%s: %s, %s", behaviours[i], lm_failure_name(r->failure), r->err.text);
        assert_int_equal(r->err.code, ERR_TOO_BIG);
        assert_int_equal(r->calls, 1);
        lm_reply_free(r);
    }
}

/* A port that was free a moment ago: nobody listens there. */
static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0), port;

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    port = ntohs(a.sin_port);
    close(fd);
    return port;
}

static void an_absent_server_is_said(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm_reply *r;
    char url[256];

    fake_server_settings(&f->server, "ok", url, &s);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", free_port());
    r = ask(f->net, &s);
    assert_int_equal(r->failure, LM_FAILURE_CONNECT);
    assert_int_equal(r->calls, 1);
    assert_non_null(strstr(r->err.text, url));
    lm_reply_free(r);
}

static void a_stop_waits_for_nobody(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm *lm;
    char url[256];

    fake_server_settings(&f->server, "hang-first", url, &s);
    lm = lm_start(f->net, &s, NULL);
    for (uint64_t tag = 0; tag < 6; tag++) /* four run, two wait for a place */
        fake_ask(lm, tag, 0);
    while (fake_server_requests(&f->server, "hang-first", NULL, 0) < LM_PARALLEL)
        usleep(10000);
    lm_stop(lm); /* the test's own time limit would notice */
    lm = lm_start(f->net, &s, NULL);
    lm_stop(lm); /* before it was asked anything */
}

static void a_plain_server_is_no_https(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm_reply *r;
    char url[256];

    fake_server_settings(&f->server, "ok", url, &s);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", f->server.port);
    r = ask(f->net, &s);
    assert_int_equal(r->failure, LM_FAILURE_CONNECT);
    lm_reply_free(r);
}

/* A certificate that nobody vouches for is refused, and taken where the settings vouch for it. */
static void certificates_are_checked(void **state)
{
    struct fixture *f = *state;
    struct fake_server server;
    struct lm_settings s;
    struct lm_reply *r;
    struct err err = {0};
    char url[256];

    if (fake_server_start(&server, true) < 0) {
        print_message("left out: no openssl(1) to make a certificate with\n");
        skip();
    }
    fake_server_settings(&server, "ok", url, &s);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok/v1", server.port);
    r = ask(f->net, &s);
    assert_int_equal(r->failure, LM_FAILURE_CONNECT);
    assert_null(r->content);
    lm_reply_free(r);
    s.ca_file = "/nonexistent/cert.pem"; /* said at the start, not with the first plan */
    assert_null(lm_start(f->net, &s, &err));
    assert_non_null(strstr(err.text, "certificates in /nonexistent/cert.pem"));
    s.ca_file = server.cert;
    r = ask(f->net, &s);
    if (r->failure != LM_FAILURE_NONE)
        fail_msg("%s", r->err.text);
    lm_reply_free(r);
    snprintf(url, sizeof url, "https://127.0.0.2:%d/ok/v1", server.port); /* not its name */
    r = ask(f->net, &s);
    assert_int_equal(r->failure, LM_FAILURE_CONNECT);
    lm_reply_free(r);
    fake_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hangs_is_given_up),
        cmocka_unit_test(a_request_has_its_own_limit),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(an_absent_server_is_said),
        cmocka_unit_test(a_stop_waits_for_nobody),
        cmocka_unit_test(a_plain_server_is_no_https),
        cmocka_unit_test(certificates_are_checked),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
