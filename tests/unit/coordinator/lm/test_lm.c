#include "coordinator/lm/lm.h"

#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/actor.h"
#include "common/net/net.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WAIT_MS 20000 /* far more than a machine under load needs */

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

static struct lm_request *question(uint64_t tag, const char *label)
{
    struct lm_request *r = lm_request_new(tag, label, NULL);

    assert_int_equal(lm_request_add(r, "user", "Which Mac?", NULL), 0);
    return r;
}

static struct lm_reply *ask(struct lm *lm, uint64_t tag, const char *label)
{
    struct lm_request *r = question(tag, label);
    struct lm_reply *reply;

    assert_int_equal(lm_submit(lm, &r, NULL), 0);
    assert_null(r);
    reply = lm_receive_wait(lm, WAIT_MS);
    assert_non_null(reply);
    return reply;
}

static void without_an_endpoint_every_request_is_answered(void **state)
{
    struct lm_settings s;
    struct lm *lm;

    lm_settings_init(&s);
    lm = lm_start(*state, &s, NULL);
    assert_non_null(lm);
    assert_string_equal(lm_describe(lm), "none");
    for (uint64_t tag = 7; tag < 10; tag++) {
        struct lm_reply *reply = ask(lm, tag, "Test");

        assert_int_equal(reply->tag, tag);
        assert_int_equal(reply->failure, LM_FAILURE_ABSENT);
        assert_string_equal(reply->err.text, "no model endpoint is set");
        assert_null(reply->content);
        assert_int_equal(reply->calls, 0);
        assert_int_equal(reply->prompt_tokens, UNKNOWN_I64);
        lm_reply_free(reply);
    }
    assert_null(lm_receive(lm));
    lm_stop(lm);
    lm_stop(NULL);
    lm_reply_free(NULL);
}

static void a_recording_is_replayed(void **state)
{
    static const char text[] =
        "{\"label\": \"A\", \"content\": \"first\", \"finish\": \"stop\", \"prompt_tokens\": 9}\n\n"
        "{\"label\": \"A\", \"content\": \"second\"}\n"
        "{\"label\": \"B\", \"failure\": \"timeout\", \"error\": \"too slow\"}\n";
    char path[] = "/tmp/lm-replay-XXXXXX";
    struct lm_settings s;
    struct lm_reply *r;
    struct lm *lm;

    close(mkstemp(path));
    assert_int_equal(file_write_atomic(path, 0600, text, strlen(text), NULL), 0);
    lm_settings_init(&s);
    s.backend = LM_BACKEND_REPLAY;
    s.replay_file = path;
    lm = lm_start(*state, &s, NULL);
    assert_non_null(lm);
    assert_string_equal(lm_describe(lm), path);
    r = ask(lm, 1, "A");
    assert_string_equal(r->content, "first");
    assert_string_equal(r->finish, "stop");
    assert_int_equal(r->prompt_tokens, 9);
    assert_int_equal(r->completion_tokens, UNKNOWN_I64);
    lm_reply_free(r);
    r = ask(lm, 2, "A");
    assert_string_equal(r->content, "second");
    lm_reply_free(r);
    r = ask(lm, 3, "B");
    assert_int_equal(r->failure, LM_FAILURE_TIMEOUT);
    assert_string_equal(r->err.text, "too slow");
    lm_reply_free(r);
    r = ask(lm, 4, "C");
    assert_int_equal(r->failure, LM_FAILURE_ABSENT);
    lm_reply_free(r);
    lm_stop(lm);
    unlink(path);
}

static void wrong_settings_are_refused(void **state)
{
    static const struct {
        const char *url, *model, *key, *said;
        int64_t connect_ms, total_ms;
        size_t response_max, parallel;
        double temperature;
    } rows[] = {
        {NULL, "m", NULL, "address", 1, 1, 1, 1, NAN},
        {"", "m", NULL, "address", 1, 1, 1, 1, NAN},
        {"ftp://x/v1", "m", NULL, "ftp", 1, 1, 1, 1, NAN},
        {"http://127.0.0.1", NULL, NULL, "model name", 1, 1, 1, 1, NAN},
        {"http://127.0.0.1", "", NULL, "model name", 1, 1, 1, 1, NAN},
        {"http://127.0.0.1", "m", "a\r\nX-Evil: 1", "key", 1, 1, 1, 1, NAN},
        {"http://127.0.0.1", "m", NULL, "connect_ms", 0, 1, 1, 1, NAN},
        {"http://127.0.0.1", "m", NULL, "total_ms", 1, -5, 1, 1, NAN},
        {"http://127.0.0.1", "m", NULL, "response_max", 1, 1, LM_RESPONSE_MAX + 1, 1, NAN},
        {"http://127.0.0.1", "m", NULL, "parallel", 1, 1, 1, 0, NAN},
        {"http://127.0.0.1", "m", NULL, "temperature", 1, 1, 1, 1, 2.5},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_settings s;
        struct err err = {0};

        lm_settings_init(&s);
        s.backend = LM_BACKEND_HTTP;
        s.url = rows[i].url;
        s.model = rows[i].model;
        s.key = rows[i].key;
        s.connect_ms = rows[i].connect_ms;
        s.total_ms = rows[i].total_ms;
        s.response_max = rows[i].response_max;
        s.parallel = rows[i].parallel;
        s.temperature = rows[i].temperature;
        assert_null(lm_start(*state, &s, &err));
        if (!strstr(err.text, rows[i].said))
            fail_msg("said \"%s\", wanted %s", err.text, rows[i].said);
        assert_null(strstr(err.text, "Evil"));
    }
}

static void a_recording_must_be_there_and_right(void **state)
{
    struct lm_settings s;
    struct err err = {0};

    lm_settings_init(&s);
    s.backend = LM_BACKEND_REPLAY;
    assert_null(lm_start(*state, &s, &err));
    s.replay_file = "/nonexistent/answers";
    assert_null(lm_start(*state, &s, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void requests_are_checked(void **state)
{
    struct lm_settings s;
    struct lm *lm;
    struct lm_request *r = lm_request_new(1, NULL, NULL);
    struct err err = {0};

    lm_settings_init(&s);
    lm = lm_start(*state, &s, NULL);
    assert_int_equal(lm_request_add(r, "tool", "x", &err), -1);
    assert_int_equal(lm_submit(lm, &r, &err), -1);
    assert_non_null(r); /* still ours */
    assert_non_null(strstr(err.text, "messages"));
    for (int i = 0; i < LM_MESSAGES_MAX; i++)
        assert_int_equal(lm_request_add(r, "assistant", "x", &err), 0);
    assert_int_equal(lm_request_add(r, "user", "x", &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    r->max_tokens = 0;
    assert_int_equal(lm_submit(lm, &r, &err), -1);
    assert_non_null(strstr(err.text, "max_tokens"));
    lm_request_free(r);
    lm_request_free(NULL);
    lm_stop(lm);
}

static void so_many_may_wait(void **state)
{
    struct lm_settings s;
    struct lm *lm;
    struct err err = {0};
    struct lm_request *one_more = question(99, "x");

    lm_settings_init(&s);
    lm = lm_start(*state, &s, NULL);
    for (uint64_t i = 0; i < LM_REQUESTS_MAX; i++) {
        struct lm_request *r = question(i, "x");

        assert_int_equal(lm_submit(lm, &r, NULL), 0);
    }
    assert_int_equal(lm_submit(lm, &one_more, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    for (struct lm_reply *r = NULL; !r;)
        lm_reply_free(r = lm_receive(lm));
    assert_int_equal(lm_submit(lm, &one_more, &err), 0); /* one was received */
    lm_stop(lm);                                         /* with the others never received */
}

static void a_key_is_read(void **state)
{
    char path[] = "/tmp/lm-key-XXXXXX", longer[LM_KEY_MAX + 2];
    char *key = NULL;
    struct err err = {0};

    (void)state;
    close(mkstemp(path));
    assert_int_equal(file_write_atomic(path, 0600, "  sk-secret \nmore\n", 18, NULL), 0);
    setenv("ESPALIER_TEST_KEY", "from-env", 1);
    assert_int_equal(lm_key_read(path, "ESPALIER_TEST_KEY", &key, &err), 0);
    assert_string_equal(key, "sk-secret");
    mem_free(key);
    assert_int_equal(lm_key_read(NULL, "ESPALIER_TEST_KEY", &key, &err), 0);
    assert_string_equal(key, "from-env");
    mem_free(key);
    unsetenv("ESPALIER_TEST_KEY");
    assert_int_equal(lm_key_read(NULL, "ESPALIER_TEST_KEY", &key, &err), 0);
    assert_null(key);
    assert_int_equal(lm_key_read(NULL, NULL, &key, &err), 0);
    assert_null(key);
    assert_int_equal(file_write_atomic(path, 0600, "two words", 9, NULL), 0);
    assert_int_equal(lm_key_read(path, NULL, &key, &err), -1);
    assert_null(strstr(err.text, "words"));
    assert_int_equal(file_write_atomic(path, 0600, "\n\n", 2, NULL), 0);
    assert_int_equal(lm_key_read(path, NULL, &key, &err), -1);
    unlink(path);
    assert_int_equal(lm_key_read(path, NULL, &key, &err), -1); /* named, but not there */
    memset(longer, 'k', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    setenv("ESPALIER_TEST_KEY", longer, 1);
    assert_int_equal(lm_key_read(NULL, "ESPALIER_TEST_KEY", &key, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    unsetenv("ESPALIER_TEST_KEY");
}

static void failures_have_names(void **state)
{
    (void)state;
    assert_string_equal(lm_failure_name(LM_FAILURE_NONE), "none");
    assert_string_equal(lm_failure_name(LM_FAILURE_RATE_LIMIT), "rate_limit");
    for (int f = LM_FAILURE_NONE; f <= LM_FAILURE_INTERNAL; f++)
        assert_true(strlen(lm_failure_name((enum lm_failure)f)) > 0);
    assert_string_equal(lm_failure_name((enum lm_failure)99), "internal");
}

static void requests_survive_lost_memory(void **state)
{
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct lm_request *r;
        struct err err = {0};

        mem_fail_at(++nth);
        r = lm_request_new(1, "x", &err);
        rc = r ? lm_request_add(r, "user", "y", &err) : -1;
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
        lm_request_free(r);
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 5, 99);
}

static void a_shape_is_checked(void **state)
{
    static const struct {
        enum lm_format format;
        const char *name, *schema, *said;
    } rows[] = {
        {LM_FORMAT_SCHEMA, "Plan_1-a", "{}", NULL},
        {LM_FORMAT_OBJECT, NULL, NULL, NULL},
        {LM_FORMAT_NONE, NULL, NULL, NULL},
        {LM_FORMAT_SCHEMA, "", "{}", "schema name \"\""},
        {LM_FORMAT_SCHEMA, NULL, "{}", "schema name"},
        {LM_FORMAT_SCHEMA, "a b", "{}", "schema name \"a b\""},
        {LM_FORMAT_SCHEMA, "0123456789012345678901234567890123456789012345678901234567890123x",
         "{}", "schema name"},
        {LM_FORMAT_SCHEMA, "Plan", NULL, "schema: "},
        {LM_FORMAT_SCHEMA, "Plan", "[]", "schema: array, wanted an object"},
        {LM_FORMAT_SCHEMA, "Plan", "{", "schema: "},
    };
    struct lm_request *r = lm_request_new(1, "Test", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int rc = lm_request_shape(r, rows[i].format, rows[i].name, rows[i].schema, &err);

        assert_int_equal(rc, rows[i].said ? -1 : 0);
        if (rows[i].said && !strstr(err.text, rows[i].said))
            fail_msg("row %zu: %s", i, err.text);
    }
    assert_int_equal(r->format, LM_FORMAT_NONE); /* the last that was good */
    assert_null(r->schema);
    lm_request_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_endpoint_every_request_is_answered),
        cmocka_unit_test(a_recording_is_replayed),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(a_recording_must_be_there_and_right),
        cmocka_unit_test(requests_are_checked),
        cmocka_unit_test(so_many_may_wait),
        cmocka_unit_test(a_key_is_read),
        cmocka_unit_test(failures_have_names),
        cmocka_unit_test(requests_survive_lost_memory),
        cmocka_unit_test(a_shape_is_checked),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
