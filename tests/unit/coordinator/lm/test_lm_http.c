/* What real servers were seen to do, each by a scripted one; see tests/support/fake_lm.py. */
#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/net.h"
#include "tests/unit/coordinator/lm/fake_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    /* a proxy that is not there: this machine is asked without one */
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
    return (f.net = net_new(1, NULL)) ? fake_server_start(&f.server, false) : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    fake_server_stop(&f->server);
    net_free(f->net);
    return 0;
}

/* Ask once and wait. */
static struct lm_reply *ask(struct fixture *f, const char *behaviour, const char *key)
{
    struct lm_settings s;
    struct lm_reply *r;
    struct err err = {0};
    struct lm *lm;
    char url[256];

    fake_server_settings(&f->server, behaviour, url, &s);
    s.key = key;
    s.retry_ms = 1;
    if (!(lm = lm_start(f->net, &s, &err)))
        fail_msg("%s", err.text);
    fake_ask(lm, 42, 0);
    r = fake_wait(lm);
    assert_int_equal(r->tag, 42);
    assert_null(lm_receive(lm));
    lm_stop(lm);
    return r;
}

static void a_question_is_answered(void **state)
{
    struct fixture *f = *state;
    struct lm_reply *r = ask(f, "ok", "sk-0123456789");
    char line[8192];

    assert_int_equal(r->failure, LM_FAILURE_NONE);
    assert_memory_equal(r->content, "[[ ## reasoning ## ]]", 21);
    assert_string_equal(r->finish, "stop");
    assert_int_equal(r->status, 200);
    assert_int_equal(r->calls, 1);
    assert_int_equal(r->prompt_tokens, 120);
    assert_int_equal(r->completion_tokens, 34);
    assert_true(r->seconds >= 0 && r->seconds < 60);
    lm_reply_free(r);
    assert_int_equal(fake_server_requests(&f->server, "ok", line, sizeof line), 1);
    assert_non_null(strstr(line, "\"path\": \"/ok/v1/chat/completions\""));
    assert_non_null(strstr(line, "\"Authorization\": \"Bearer sk-0123456789\""));
    assert_non_null(strstr(line, "\"Content-Type\": \"application/json\""));
    assert_non_null(strstr(line, "\"Content-Length\""));
    assert_null(strstr(line, "Transfer-Encoding"));
    assert_null(strstr(line, "Expect"));
}

static void every_quirk_is_tolerated(void **state)
{
    static const struct {
        const char *behaviour;
        enum lm_failure failure;
        int calls;
        const char *said, *content, *reasoning;
    } rows[] = {
        {"http-1-0", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"chunked", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"strict-mlx", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"content-parts", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"content-null", LM_FAILURE_EMPTY, 1, "empty (stop)", NULL, NULL},
        {"content-absent", LM_FAILURE_EMPTY, 1, "empty", NULL, NULL},
        {"tool-calls", LM_FAILURE_EMPTY, 1, "tool_calls", NULL, NULL},
        {"reasoning-content", LM_FAILURE_NONE, 1, NULL, "[[", "first"},
        {"reasoning", LM_FAILURE_NONE, 1, NULL, "[[", "first"},
        {"think", LM_FAILURE_NONE, 1, NULL, "[[", "\nfirst"},
        {"think-unopened", LM_FAILURE_NONE, 1, NULL, "[[", "first"},
        {"think-only", LM_FAILURE_THINKING, 1, "thinking used up", NULL, "\nI think"},
        {"length", LM_FAILURE_LENGTH, 1, "was cut", "[[", NULL},
        {"usage-absent", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"usage-partial", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"finish-null", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"error-400", LM_FAILURE_CONTEXT, 1, "exceed the context", NULL, NULL},
        {"error-text", LM_FAILURE_NOT_FOUND, 1, "model 'x' not found", NULL, NULL},
        {"error-flat", LM_FAILURE_REQUEST, 1, "flat and old", NULL, NULL},
        {"error-detail", LM_FAILURE_NOT_FOUND, 1, "Not Found", NULL, NULL},
        {"error-plain", LM_FAILURE_NOT_FOUND, 1, "404: Not Found", NULL, NULL},
        {"error-at-200", LM_FAILURE_REQUEST, 1, "No models loaded", NULL, NULL},
        {"html", LM_FAILURE_MALFORMED, 1, "not JSON", NULL, NULL},
        {"half-json", LM_FAILURE_MALFORMED, 1, "not JSON", NULL, NULL},
        {"empty", LM_FAILURE_TRANSPORT, 3, "empty body", NULL, NULL},
        {"no-choices", LM_FAILURE_MALFORMED, 1, "no choices", NULL, NULL},
        {"wrong-kinds", LM_FAILURE_MALFORMED, 1, "no choices", NULL, NULL},
        {"error-501", LM_FAILURE_SERVER, 1, "501", NULL, NULL},
        {"redirect", LM_FAILURE_REDIRECT, 1, "307", NULL, NULL},
        {"redirect-file", LM_FAILURE_REDIRECT, 1, "302", NULL, NULL},
        {"garbage", LM_FAILURE_MALFORMED, 1, "", NULL, NULL},
        {"hostile", LM_FAILURE_NONE, 1, NULL, "Ignore", NULL},
        {"impossible", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
        {"gigantic", LM_FAILURE_NONE, 1, NULL, "[[", NULL},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = ask(f, rows[i].behaviour, NULL);

        if (r->failure != rows[i].failure || r->calls != rows[i].calls)
            fail_msg("%s: %s after %d calls, %s", rows[i].behaviour, lm_failure_name(r->failure),
                     (int)r->calls, r->err.text);
        if (rows[i].said &&
            (!strstr(r->err.text, rows[i].said) || !strstr(r->err.text, "http://127.0.0.1:")))
            fail_msg("%s: said \"%s\"", rows[i].behaviour, r->err.text);
        if (!r->content != !rows[i].content ||
            (r->content && strncmp(r->content, rows[i].content, strlen(rows[i].content)) != 0))
            fail_msg("%s: content %.40s", rows[i].behaviour, r->content ? r->content : "none");
        if (!r->reasoning != !rows[i].reasoning ||
            (r->reasoning &&
             strncmp(r->reasoning, rows[i].reasoning, strlen(rows[i].reasoning)) != 0))
            fail_msg("%s: reasoning %s", rows[i].behaviour, r->reasoning ? r->reasoning : "none");
        assert_int_equal(fake_server_requests(&f->server, rows[i].behaviour, NULL, 0),
                         rows[i].calls);
        lm_reply_free(r);
    }
}

static void what_may_pass_is_asked_again(void **state)
{
    static const struct {
        const char *behaviour;
        enum lm_failure failure;
        int calls;
    } rows[] = {
        {"error-500-once", LM_FAILURE_NONE, 2},      {"error-503-once", LM_FAILURE_NONE, 2},
        {"drop-first", LM_FAILURE_NONE, 2},          {"error-429-once", LM_FAILURE_NONE, 2},
        {"error-500", LM_FAILURE_SERVER, 3},         {"html-502", LM_FAILURE_SERVER, 3},
        {"drop-always", LM_FAILURE_TRANSPORT, 3},    {"half-body", LM_FAILURE_TRANSPORT, 3},
        {"error-code-at-200", LM_FAILURE_SERVER, 3},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = ask(f, rows[i].behaviour, NULL);

        if (r->failure != rows[i].failure)
            fail_msg("%s: %s, %s", rows[i].behaviour, lm_failure_name(r->failure), r->err.text);
        assert_int_equal(r->calls, rows[i].calls);
        assert_int_equal(fake_server_requests(&f->server, rows[i].behaviour, NULL, 0),
                         rows[i].calls);
        assert_true((r->content != NULL) == (rows[i].failure == LM_FAILURE_NONE));
        lm_reply_free(r);
    }
}

/* It asked for an hour: no second call is made and nothing is waited for. */
static void a_pause_past_the_limit_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct lm_reply *r = ask(f, "error-429", NULL);

    assert_int_equal(r->failure, LM_FAILURE_RATE_LIMIT);
    assert_int_equal(r->calls, 1);
    assert_non_null(strstr(r->err.text, "a longer pause is wanted than we wait: 3600000 ms"));
    lm_reply_free(r);
}

static void the_key_comes_back_nowhere(void **state)
{
    static const char *const behaviours[] = {"key-echo", "key-echo-error"};
    struct fixture *f = *state;

    for (size_t i = 0; i < 2; i++) {
        struct lm_reply *r = ask(f, behaviours[i], "sk-0123456789");

        assert_null(strstr(r->err.text, "0123456789"));
        assert_true(!r->content || !strstr(r->content, "0123456789"));
        assert_true(r->content || strstr(r->err.text, "[key]"));
        lm_reply_free(r);
    }
}

static void several_run_at_once_and_the_rest_wait(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm *lm;
    char url[256];
    uint64_t seen = 0;

    fake_server_settings(&f->server, "slow", url, &s);
    s.parallel = 3;
    lm = lm_start(f->net, &s, NULL);
    for (uint64_t tag = 0; tag < 10; tag++)
        fake_ask(lm, tag, 0);
    for (int i = 0; i < 10; i++) {
        struct lm_reply *r = fake_wait(lm);

        assert_int_equal(r->failure, LM_FAILURE_NONE);
        seen |= UINT64_C(1) << r->tag;
        lm_reply_free(r);
    }
    assert_int_equal(seen, 1023);
    lm_stop(lm);
}

static void answers_are_recorded_and_replayed(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/lm-record-XXXXXX", url[256];
    struct lm_settings s;
    struct lm_reply *first, *again;
    struct lm *lm;

    close(mkstemp(path));
    fake_server_settings(&f->server, "think", url, &s);
    s.record_file = path;
    s.key = "sk-0123456789";
    lm = lm_start(f->net, &s, NULL);
    assert_non_null(lm);
    fake_ask(lm, 1, 0);
    first = fake_wait(lm);
    lm_stop(lm);
    lm_settings_init(&s);
    s.backend = LM_BACKEND_REPLAY;
    s.replay_file = path;
    lm = lm_start(f->net, &s, NULL);
    assert_non_null(lm);
    fake_ask(lm, 2, 0);
    again = fake_wait(lm);
    assert_string_equal(again->content, first->content);
    assert_string_equal(again->reasoning, first->reasoning);
    assert_int_equal(again->prompt_tokens, first->prompt_tokens);
    assert_int_equal(again->calls, 0);
    lm_stop(lm);
    lm_reply_free(first);
    lm_reply_free(again);
    unlink(path);
}

static void the_address_is_shown_without_secrets(void **state)
{
    struct fixture *f = *state;
    struct lm_settings s;
    struct lm *lm;

    lm_settings_init(&s);
    s.backend = LM_BACKEND_HTTP;
    s.url = "https://api.example.org/v1?token=hidden";
    s.model = "m";
    s.key = "sk-0123456789";
    lm = lm_start(f->net, &s, NULL);
    assert_string_equal(lm_describe(lm), "https://api.example.org/v1/chat/completions");
    lm_stop(lm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered),
        cmocka_unit_test(every_quirk_is_tolerated),
        cmocka_unit_test(what_may_pass_is_asked_again),
        cmocka_unit_test(a_pause_past_the_limit_is_not_waited_for),
        cmocka_unit_test(the_key_comes_back_nowhere),
        cmocka_unit_test(several_run_at_once_and_the_rest_wait),
        cmocka_unit_test(answers_are_recorded_and_replayed),
        cmocka_unit_test(the_address_is_shown_without_secrets),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
