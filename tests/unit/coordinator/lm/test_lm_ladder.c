/* What an endpoint refuses is left out at once, and remembered; and the caller can see it. */
#include "coordinator/lm/lm.h"

#include "common/net/net.h"
#include "tests/unit/coordinator/lm/scripted_server.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WAIT_MS 20000 /* far more than a machine under load needs */

static struct net *net;

static int setup(void **state)
{
    (void)state;
    return (net = net_new(1, NULL)) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    net_free(net);
    return 0;
}

static struct lm *start(const struct scripted_server *server)
{
    struct lm_settings s;
    struct err err = {0};
    char url[64];
    struct lm *lm;

    lm_settings_init(&s);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", scripted_server_port(server));
    s.backend = LM_BACKEND_HTTP;
    s.url = url;
    s.model = "tiny";
    s.temperature = 0;
    s.total_ms = WAIT_MS;
    s.retry_ms = 1;
    if (!(lm = lm_start(net, &s, &err)))
        fail_msg("%s", err.text);
    return lm;
}

static struct lm_reply *ask(struct lm *lm, enum lm_format format)
{
    struct lm_request *r = lm_request_new(1, "Test", NULL);
    struct lm_reply *reply;

    assert_int_equal(lm_request_add(r, "user", "Which Mac?", NULL), 0);
    assert_int_equal(
        lm_request_shape(r, format, "Plan", "{\"type\":\"object\",\"properties\":{}}", NULL), 0);
    r->seed = 7;
    assert_int_equal(lm_submit(lm, &r, NULL), 0);
    reply = lm_receive_wait(lm, WAIT_MS + 5000);
    assert_non_null(reply);
    return reply;
}

static void a_schema_is_sent_and_kept_to(void **state)
{
    static const struct script_step steps[] = {{NULL, SCRIPT_OK}, {NULL, NULL}};
    struct scripted_server *server = scripted_server_start(steps);
    struct lm *lm = start(server);
    struct lm_reply *r = ask(lm, LM_FORMAT_SCHEMA);

    (void)state;
    assert_int_equal(r->failure, LM_FAILURE_NONE);
    assert_int_equal(r->calls, 1);
    assert_int_equal(r->format, LM_FORMAT_SCHEMA);
    assert_true(lm_takes(lm, LM_FORMAT_SCHEMA));
    assert_non_null(
        strstr(scripted_server_request(server, 0),
               "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
               "\"Plan\",\"strict\":true,\"schema\":{\"type\":\"object\","));
    lm_reply_free(r);
    lm_stop(lm);
    scripted_server_stop(server);
}

/* Each row asks twice: the second time nothing is asked that was refused. */
static void what_is_refused_is_left_out_and_remembered(void **state)
{
    static const struct {
        const char *who;
        struct script_step steps[4];
        enum lm_format asked, first, second;
        int calls, calls_again;
        const char *without; /* not in the last request */
        const char *with;    /* in it */
    } rows[] = {
        {"a server without schemas",
         {{"json_schema",
           SCRIPT_STATUS("400 Bad Request",
                         "{\"error\":{\"message\":\"Invalid parameter\",\"type\":"
                         "\"invalid_request_error\",\"param\":\"response_format\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_SCHEMA,
         LM_FORMAT_OBJECT,
         LM_FORMAT_OBJECT,
         2,
         1,
         "json_schema",
         "json_object"},
        {"a server without any",
         {{"response_format", SCRIPT_STATUS("422 Unprocessable Entity",
                                            "{\"error\":\"response_format: extra inputs are not "
                                            "permitted\"}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_SCHEMA,
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         3,
         1,
         "response_format",
         "max_tokens"},
        {"LM Studio: json_object is not among its formats",
         {{"json_object", SCRIPT_STATUS("400 Bad Request",
                                        "{\"error\":\"'response_format.type' must be 'json_schema' "
                                        "or 'text'\"}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_OBJECT,
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         2,
         1,
         "response_format",
         "max_tokens"},
        {"LM Studio: the same with status 200",
         {{"json_object", SCRIPT_JSON("{\"error\":\"'response_format.type' must be 'json_schema' "
                                      "or 'text'\"}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_OBJECT,
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         2,
         1,
         "response_format",
         "max_tokens"},
        {"llama.cpp: this schema is no good, the next may be",
         {{"json_schema",
           SCRIPT_STATUS("400 Bad Request",
                         "{\"error\":{\"code\":400,\"message\":\"Error resolving ref "
                         "#/$defs/X\",\"type\":\"invalid_request_error\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_SCHEMA,
         LM_FORMAT_OBJECT,
         LM_FORMAT_OBJECT,
         2,
         2,
         "json_schema",
         "json_object"},
        {"llama.cpp: the same, in other words",
         {{"json_schema",
           SCRIPT_STATUS("400 Bad Request",
                         "{\"error\":{\"code\":400,\"message\":\"JSON schema conversion failed: "
                         "Unrecognized type\",\"type\":\"invalid_request_error\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_SCHEMA,
         LM_FORMAT_OBJECT,
         LM_FORMAT_OBJECT,
         2,
         2,
         "json_schema",
         "json_object"},
        {"OpenAI: another name for the limit",
         {{"\"max_tokens\"",
           SCRIPT_STATUS("400 Bad Request", "{\"error\":{\"message\":\"Unsupported parameter: "
                                            "'max_tokens' is not supported with this model. Use "
                                            "'max_completion_tokens' instead.\",\"param\":"
                                            "\"max_tokens\",\"code\":\"unsupported_parameter\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         2,
         1,
         "\"max_tokens\"",
         "\"max_completion_tokens\":4096"},
        {"OpenAI: one temperature only",
         {{"temperature",
           SCRIPT_STATUS("400 Bad Request",
                         "{\"error\":{\"message\":\"Unsupported value: 'temperature' "
                         "does not support 0 with this model.\",\"param\":"
                         "\"temperature\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_SCHEMA,
         LM_FORMAT_SCHEMA,
         LM_FORMAT_SCHEMA,
         2,
         1,
         "temperature",
         "json_schema"},
        {"a server without seeds",
         {{"\"seed\"",
           SCRIPT_STATUS("400 Bad Request", "{\"error\":{\"message\":\"unknown field: seed\"}}")},
          {NULL, SCRIPT_OK}},
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         LM_FORMAT_NONE,
         2,
         1,
         "seed",
         "max_tokens"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scripted_server *server = scripted_server_start(rows[i].steps);
        struct lm *lm = start(server);

        for (int turn = 0; turn < 2; turn++) {
            struct lm_reply *r = ask(lm, rows[i].asked);

            if (r->failure || r->calls != (turn ? rows[i].calls_again : rows[i].calls) ||
                r->format != (turn ? rows[i].second : rows[i].first))
                fail_msg("%s, time %d: %s after %d calls as %s, %s", rows[i].who, turn + 1,
                         lm_failure_name(r->failure), (int)r->calls, lm_format_name(r->format),
                         r->err.text);
            if (rows[i].calls_again == 1 && rows[i].asked != rows[i].first)
                assert_false(lm_takes(lm, rows[i].asked));
            else
                assert_true(lm_takes(lm, rows[i].asked));
            assert_true(lm_takes(lm, LM_FORMAT_NONE));
            assert_string_equal(r->content, "fine");
            lm_reply_free(r);
        }
        {
            size_t last = scripted_server_count(server) - 1;

            assert_null(strstr(scripted_server_request(server, last), rows[i].without));
            assert_non_null(strstr(scripted_server_request(server, last), rows[i].with));
        }
        lm_stop(lm);
        scripted_server_stop(server);
    }
}

/* It says so of everything: nothing is learnt from it, and the asking ends. */
static void a_server_that_refuses_all_teaches_nothing(void **state)
{
    static const struct script_step steps[] = {
        {NULL, SCRIPT_STATUS("400 Bad Request",
                             "{\"error\":\"response_format, schema, temperature, seed, "
                             "max_completion_tokens: no\"}")},
        {NULL, NULL}};
    struct scripted_server *server = scripted_server_start(steps);
    struct lm *lm = start(server);
    struct lm_reply *r = ask(lm, LM_FORMAT_SCHEMA);

    (void)state;
    assert_int_equal(r->failure, LM_FAILURE_REQUEST);
    assert_int_equal(r->calls, 6); /* as asked, and without one thing after another */
    assert_int_equal(r->refused, 0);
    assert_true(lm_takes(lm, LM_FORMAT_SCHEMA));
    lm_reply_free(r);
    lm_stop(lm);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_sent_and_kept_to),
        cmocka_unit_test(what_is_refused_is_left_out_and_remembered),
        cmocka_unit_test(a_server_that_refuses_all_teaches_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
