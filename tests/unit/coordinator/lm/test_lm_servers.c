/* What each kind of server was seen to do, as scripts of bytes: mlx_lm.server 0.32, Ollama's /v1,
 * LM Studio 0.4, llama.cpp's server, vLLM, OpenAI and what stands before them. One row, one quirk;
 * the shapes of answers that were refused are in test_lm_ladder.c. */
#include "coordinator/lm/lm.h"

#include "common/core/unknown.h"
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
#define U UNKNOWN_I64

#define CHOICE(message, finish) \
    "{\"choices\":[{\"message\":" message ",\"finish_reason\":" finish "}]"
#define ANSWER CHOICE("{\"role\":\"assistant\",\"content\":\"fine\"}", "\"stop\"") "}"
#define WITH_USAGE(usage) \
    CHOICE("{\"role\":\"assistant\",\"content\":\"fine\"}", "\"stop\"") ",\"usage\":" usage "}"
#define LOADING                                                                                \
    SCRIPT_STATUS("503 Service Unavailable", "{\"error\":{\"code\":503,\"message\":\"Loading " \
                                             "model\",\"type\":\"unavailable_error\"}}")

struct row {
    const char *who;
    struct script_step steps[SCRIPT_STEPS_MAX];
    enum lm_failure failure;
    int calls;
    const char *said;      /* in the reason of a failure */
    const char *content;   /* NULL: none */
    const char *reasoning; /* NULL: none */
    int64_t prompt, completion, cached;
};

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

static struct lm_reply *ask(const struct scripted_server *server, enum lm_format format,
                            const char *key)
{
    struct lm_request *r = lm_request_new(1, "Test", NULL);
    struct lm_settings s;
    struct lm_reply *reply;
    char url[64];
    struct lm *lm;

    lm_settings_init(&s);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", scripted_server_port(server));
    s.backend = LM_BACKEND_HTTP;
    s.url = url;
    s.model = "tiny";
    s.key = key;
    s.total_ms = WAIT_MS;
    s.retry_ms = 1;
    assert_non_null(lm = lm_start(net, &s, NULL));
    assert_int_equal(lm_request_add(r, "user", "Which Mac?", NULL), 0);
    assert_int_equal(lm_request_shape(r, format, "Plan", "{\"type\":\"object\"}", NULL), 0);
    assert_int_equal(lm_submit(lm, &r, NULL), 0);
    assert_non_null(reply = lm_receive_wait(lm, WAIT_MS + 5000));
    lm_stop(lm);
    return reply;
}

static bool same(const char *text, const char *wanted)
{
    return wanted ? text && strcmp(text, wanted) == 0 : !text;
}

static void play(const struct row *row)
{
    struct scripted_server *server = scripted_server_start(row->steps);
    struct lm_reply *r = ask(server, LM_FORMAT_NONE, NULL);

    if (r->failure != row->failure || r->calls != row->calls ||
        (int)scripted_server_count(server) != row->calls)
        fail_msg("%s: %s after %d calls, %s", row->who, lm_failure_name(r->failure), (int)r->calls,
                 r->err.text);
    if (row->said && !strstr(r->err.text, row->said))
        fail_msg("%s: said \"%s\"", row->who, r->err.text);
    if (!same(r->content, row->content) || !same(r->reasoning, row->reasoning))
        fail_msg("%s: content %s, reasoning %s", row->who, r->content ? r->content : "none",
                 r->reasoning ? r->reasoning : "none");
    if (r->prompt_tokens != row->prompt || r->completion_tokens != row->completion ||
        r->cached_tokens != row->cached)
        fail_msg("%s: %lld, %lld and %lld tokens", row->who, (long long)r->prompt_tokens,
                 (long long)r->completion_tokens, (long long)r->cached_tokens);
    lm_reply_free(r);
    scripted_server_stop(server);
}

#define GOOD LM_FAILURE_NONE, 1, NULL, "fine", NULL

static void answers_of_every_kind_are_read(void **state)
{
    static const struct row rows[] = {
        {"mlx_lm: HTTP/1.0, no length, the end of the connection is the end",
         {{NULL, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" ANSWER}},
         GOOD,
         U,
         U,
         U},
        {"vLLM: chunked",
         {{NULL,
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           "2b\r\n{\"choices\":[{\"message\":{\"content\":\"fine\"}}]\r\n1\r\n}\r\n0\r\n\r\n"}},
         GOOD,
         U,
         U,
         U},
        {"a proxy: blanks while it waits, then the answer",
         {{NULL, SCRIPT_JSON(" \n \n\r\n" ANSWER)}},
         GOOD,
         U,
         U,
         U},
        {"a proxy: 100 first", {{NULL, "HTTP/1.1 100 Continue\r\n\r\n" SCRIPT_OK}}, GOOD, 12, 3, U},
        {"usage: absent", {{NULL, SCRIPT_JSON(ANSWER)}}, GOOD, U, U, U},
        {"usage: null", {{NULL, SCRIPT_JSON(WITH_USAGE("null"))}}, GOOD, U, U, U},
        {"usage: partial, with a null",
         {{NULL, SCRIPT_JSON(WITH_USAGE("{\"prompt_tokens\":null,\"completion_tokens\":3}"))}},
         GOOD,
         U,
         3,
         U},
        {"OpenAI, llama.cpp: cached tokens",
         {{NULL, SCRIPT_JSON(WITH_USAGE("{\"prompt_tokens\":12,\"completion_tokens\":3,"
                                        "\"prompt_tokens_details\":{\"cached_tokens\":8}}"))}},
         GOOD,
         12,
         3,
         8},
        {"vLLM: null details",
         {{NULL, SCRIPT_JSON(WITH_USAGE("{\"prompt_tokens\":12,\"completion_tokens\":3,"
                                        "\"prompt_tokens_details\":null}"))}},
         GOOD,
         12,
         3,
         U},
        {"llama.cpp: members that nobody knows",
         {{NULL, SCRIPT_JSON("{\"timings\":{\"predicted_ms\":1.5},\"choices\":[{\"message\":{"
                             "\"content\":\"fine\",\"new\":[]},\"logprobs\":null,"
                             "\"stop_reason\":null}]}")}},
         GOOD,
         U,
         U,
         U},
        {"finish_reason: null",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"fine\"}", "null") "}")}},
         GOOD,
         U,
         U,
         U},
        {"finish_reason: a word that is new",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"fine\"}", "\"eos_found\"") "}")}},
         GOOD,
         U,
         U,
         U},
        {"error: null beside the answer",
         {{NULL,
           SCRIPT_JSON("{\"error\":null,\"choices\":[{\"message\":{\"content\":\"fine\"}}]}")}},
         GOOD,
         U,
         U,
         U},
        {"content: a list of parts",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":[{\"type\":\"text\",\"text\":\"fi\"},{\"type\":"
                                    "\"text\",\"text\":\"ne\"}]}",
                                    "\"stop\"") "}")}},
         GOOD,
         U,
         U,
         U},
        {"a completion's text instead of a message",
         {{NULL, SCRIPT_JSON("{\"choices\":[{\"text\":\"fine\",\"finish_reason\":\"stop\"}]}")}},
         GOOD,
         U,
         U,
         U},
        {"mlx_lm: an event stream with comments, and usage at the end",
         {{NULL, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                 ": keepalive 12/400\n\n: keepalive 400/400\n\n"
                 "data: {\"choices\":[{\"delta\":{\"content\":\"fi\"}}]}\n\n"
                 "data: {\"choices\":[{\"delta\":{\"content\":\"ne\"},\"finish_reason\":\"stop\"}]}"
                 "\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,"
                 "\"completion_tokens\":3}}\n\n"}},
         GOOD,
         12,
         3,
         U},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(&rows[i]);
}

static void thinking_is_kept_apart(void **state)
{
    static const struct row rows[] = {
        {"mlx_lm, Ollama, vLLM: reasoning",
         {{NULL,
           SCRIPT_JSON(CHOICE("{\"content\":\"fine\",\"reasoning\":\"so\"}", "\"stop\"") "}")}},
         LM_FAILURE_NONE,
         1,
         NULL,
         "fine",
         "so",
         U,
         U,
         U},
        {"llama.cpp, LM Studio: reasoning_content",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"fine\",\"reasoning_content\":\"so\"}",
                                    "\"stop\"") "}")}},
         LM_FAILURE_NONE,
         1,
         NULL,
         "fine",
         "so",
         U,
         U,
         U},
        {"LM Studio: a think block in the content",
         {{NULL,
           SCRIPT_JSON(CHOICE("{\"content\":\"<think>so</think>\\n\\nfine\"}", "\"stop\"") "}")}},
         LM_FAILURE_NONE,
         1,
         NULL,
         "fine",
         "so",
         U,
         U,
         U},
        {"a chat template that wrote the opening tag",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"so</think>fine\"}", "\"stop\"") "}")}},
         LM_FAILURE_NONE,
         1,
         NULL,
         "fine",
         "so",
         U,
         U,
         U},
        {"all tokens went into reasoning",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"\",\"reasoning\":\"so\"}", "\"length\"") "}")}},
         LM_FAILURE_THINKING,
         1,
         "thinking used up",
         NULL,
         "so",
         U,
         U,
         U},
        {"the same with null",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":null}", "\"length\"") "}")}},
         LM_FAILURE_THINKING,
         1,
         "thinking used up",
         NULL,
         NULL,
         U,
         U,
         U},
        {"the same in a block that does not end",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"<think>so\"}", "\"length\"") "}")}},
         LM_FAILURE_THINKING,
         1,
         "thinking used up",
         NULL,
         "so",
         U,
         U,
         U},
        {"llama.cpp: an object by its schema, in a fence and cut",
         {{NULL,
           SCRIPT_JSON(CHOICE("{\"content\":\"```json\\n{\\\"rank\\\": 8\"}", "\"length\"") "}")}},
         LM_FAILURE_LENGTH,
         1,
         "was cut",
         "```json\n{\"rank\": 8",
         NULL,
         U,
         U,
         U},
        {"mlx_lm: cut at 512 tokens",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"fi\"}", "\"length\"") "}")}},
         LM_FAILURE_LENGTH,
         1,
         "was cut",
         "fi",
         NULL,
         U,
         U,
         U},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(&rows[i]);
}

#define ONCE(failure, said) failure, 1, said, NULL, NULL, U, U, U

static void what_is_to_blame_is_said_and_not_asked_again(void **state)
{
    static const struct row rows[] = {
        {"content: null",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":null}", "\"stop\"") "}")}},
         ONCE(LM_FAILURE_EMPTY, "empty (stop)")},
        {"content: \"\"",
         {{NULL, SCRIPT_JSON(CHOICE("{\"content\":\"\"}", "\"stop\"") "}")}},
         ONCE(LM_FAILURE_EMPTY, "empty (stop)")},
        {"content: absent",
         {{NULL, SCRIPT_JSON(CHOICE("{}", "\"tool_calls\"") "}")}},
         ONCE(LM_FAILURE_EMPTY, "empty (tool_calls)")},
        {"mlx_lm: an error that is a text",
         {{NULL, SCRIPT_STATUS("400 Bad Request", "{\"error\":\"model must be a string\"}")}},
         ONCE(LM_FAILURE_REQUEST, "400: model must be a string")},
        {"mlx_lm: plain text",
         {{NULL, "HTTP/1.0 404 Not Found\r\n\r\nNot Found"}},
         ONCE(LM_FAILURE_NOT_FOUND, "404: Not Found")},
        {"mlx_lm: a model it would have to load",
         {{NULL, SCRIPT_STATUS("404 Not Found", "{\"error\":\"Repository Not Found\"}")}},
         ONCE(LM_FAILURE_NOT_FOUND, "Repository Not Found")},
        {"Ollama: null codes",
         {{NULL, SCRIPT_STATUS("404 Not Found",
                               "{\"error\":{\"message\":\"model 'tiny' not found\",\"type\":"
                               "\"not_found_error\",\"param\":null,\"code\":null}}")}},
         ONCE(LM_FAILURE_NOT_FOUND, "model 'tiny' not found")},
        {"LM Studio: an error with status 200",
         {{NULL, SCRIPT_JSON("{\"error\":\"No models loaded. Please load a model.\"}")}},
         ONCE(LM_FAILURE_REQUEST, "with an error: No models loaded")},
        {"LM Studio: an unknown path with status 200",
         {{NULL, SCRIPT_JSON("{\"error\":\"Unexpected endpoint or method. (POST /v1/x)\"}")}},
         ONCE(LM_FAILURE_REQUEST, "Unexpected endpoint")},
        {"llama.cpp: codes that are numbers",
         {{NULL,
           SCRIPT_STATUS("400 Bad Request", "{\"error\":{\"code\":400,\"message\":\"bad\",\"type\":"
                                            "\"invalid_request_error\"}}")}},
         ONCE(LM_FAILURE_REQUEST, "400: bad")},
        {"llama.cpp: longer than its context",
         {{NULL, SCRIPT_STATUS("400 Bad Request",
                               "{\"error\":{\"code\":400,\"message\":\"the request exceeds the "
                               "available context size, try increasing it\",\"type\":"
                               "\"exceed_context_size_error\",\"n_prompt_tokens\":9000,\"n_ctx\":"
                               "4096}}")}},
         ONCE(LM_FAILURE_CONTEXT, "available context size")},
        {"llama.cpp: a schema with a reference to nothing, and no format to leave out",
         {{NULL,
           SCRIPT_STATUS("400 Bad Request",
                         "{\"error\":{\"code\":400,\"message\":\"Error resolving ref #/$defs/X\","
                         "\"type\":\"invalid_request_error\"}}")}},
         ONCE(LM_FAILURE_REQUEST, "resolving ref")},
        {"vLLM: flat",
         {{NULL,
           SCRIPT_STATUS("400 Bad Request", "{\"object\":\"error\",\"message\":\"flat\",\"type\":"
                                            "\"BadRequestError\",\"param\":null,\"code\":400}")}},
         ONCE(LM_FAILURE_REQUEST, "400: flat")},
        {"FastAPI: detail",
         {{NULL, SCRIPT_STATUS("404 Not Found", "{\"detail\":\"Not Found\"}")}},
         ONCE(LM_FAILURE_NOT_FOUND, "404: Not Found")},
        {"OpenAI: no such key",
         {{NULL, SCRIPT_STATUS("401 Unauthorized",
                               "{\"error\":{\"message\":\"Incorrect API key provided\",\"code\":"
                               "\"invalid_api_key\"}}")}},
         ONCE(LM_FAILURE_AUTH, "Incorrect API key")},
        {"OpenAI: the account is empty",
         {{NULL, SCRIPT_STATUS("429 Too Many Requests",
                               "{\"error\":{\"message\":\"You exceeded your quota\",\"code\":"
                               "\"insufficient_quota\"}}")}},
         ONCE(LM_FAILURE_BILLING, "quota")},
        {"402",
         {{NULL, SCRIPT_STATUS("402 Payment Required", "{}")}},
         ONCE(LM_FAILURE_BILLING, "402")},
        {"a proxy's page",
         {{NULL, "HTTP/1.1 200 OK\r\n{body}<!DOCTYPE html>Sign in"}},
         ONCE(LM_FAILURE_MALFORMED, "not JSON, it begins: <!DOCTYPE html>")},
        {"half a JSON",
         {{NULL, SCRIPT_JSON("{\"choices\":[{\"mess")}},
         ONCE(LM_FAILURE_MALFORMED, "not JSON")},
        {"JSON of another kind",
         {{NULL, SCRIPT_JSON("{\"object\":\"list\",\"data\":[]}")}},
         ONCE(LM_FAILURE_MALFORMED, "no choices")},
        {"no HTTP at all", {{NULL, "SSH-2.0-OpenSSH_9.2\r\n"}}, ONCE(LM_FAILURE_MALFORMED, "")},
        {"another host",
         {{NULL, "HTTP/1.1 308 Permanent Redirect\r\nLocation: "
                 "http://127.0.0.2:9/v1/chat/completions\r\n{body}"}},
         ONCE(LM_FAILURE_REDIRECT, "308")},
        {"a file",
         {{NULL, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n{body}"}},
         ONCE(LM_FAILURE_REDIRECT, "302")},
        {"a stream that ends in an error",
         {{NULL, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{"
                 "\"content\":\"fi\"}}]}\n\ndata: {\"error\":{\"message\":\"fell over\"}}\n\n"}},
         ONCE(LM_FAILURE_REQUEST, "fell over")},
        {"a pause of an hour",
         {{NULL,
           "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\n{body}{\"error\":\"no\"}"}},
         ONCE(LM_FAILURE_RATE_LIMIT, "a longer pause is wanted than we wait: 3600000 ms")},
        {"a pause until a day far away",
         {{NULL, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 2100 23:59:59 GMT"
                 "\r\n{body}{\"error\":\"no\"}"}},
         ONCE(LM_FAILURE_SERVER, "a longer pause is wanted than we wait: 86400000 ms")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(&rows[i]);
}

#define AFTER(calls) LM_FAILURE_NONE, calls, NULL, "fine", NULL, 12, 3, U
#define THRICE(failure, said) failure, 3, said, NULL, NULL, U, U, U

static void what_may_pass_is_asked_again(void **state)
{
    static const struct row rows[] = {
        {"mlx_lm: it closes the connection without a word",
         {{NULL, ""}, {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"the same, and always", {{NULL, ""}}, THRICE(LM_FAILURE_TRANSPORT, "")},
        {"a body of no bytes", {{NULL, "HTTP/1.1 200 OK\r\n{body}"}, {NULL, SCRIPT_OK}}, AFTER(2)},
        {"less than the length that was said",
         {{NULL, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\""}, {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"500 twice",
         {{NULL, SCRIPT_STATUS("500 Oops", "{\"error\":\"x\"}")},
          {NULL, SCRIPT_STATUS("502 Bad Gateway", "<html>")},
          {NULL, SCRIPT_OK}},
         AFTER(3)},
        {"500 and on",
         {{NULL, SCRIPT_STATUS("500 Oops", "{\"error\":\"x\"}")}},
         THRICE(LM_FAILURE_SERVER, "500: x")},
        {"408", {{NULL, SCRIPT_STATUS("408 Request Timeout", "{}")}, {NULL, SCRIPT_OK}}, AFTER(2)},
        {"429 without a word on when",
         {{NULL, SCRIPT_STATUS("429 Too Many Requests", "{\"error\":\"slow down\"}")},
          {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"429 and a day that is past",
         {{NULL, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
                 "{body}{}"},
          {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"429 and nonsense",
         {{NULL, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: soon\r\n{body}{}"},
          {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"an overload with status 200",
         {{NULL, SCRIPT_JSON("{\"error\":{\"message\":\"Overloaded\",\"code\":529}}")},
          {NULL, SCRIPT_OK}},
         AFTER(2)},
        {"llama.cpp: loading the model takes longer than the retries",
         {{NULL, LOADING},
          {NULL, LOADING},
          {NULL, LOADING},
          {NULL, LOADING},
          {NULL, LOADING},
          {NULL, SCRIPT_OK}},
         AFTER(6)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(&rows[i]);
}

/* The request as the strictest of them want it. */
static void a_request_pleases_the_strictest(void **state)
{
    static const struct script_step strict[] = {
        {"chunked", "HTTP/1.0 411 Length Required\r\n\r\nLength Required"}, /* mlx_lm */
        {"null", ""},                                                       /* mlx_lm drops it */
        {"Expect:", ""},
        {NULL, SCRIPT_OK},
        {NULL, NULL}};
    static const char *const wanted[] = {
        "POST /v1/chat/completions HTTP/1.1\r\n",
        "Content-Length: ",
        "Content-Type: application/json\r\n",
        "Authorization: Bearer x\r\n", /* a dummy too */
        "\"model\":\"tiny\"",
        "\"max_tokens\":4096", /* Ollama knows no other */
        "\"type\":\"json_schema\"",
        "\"json_schema\":{\"name\":\"Plan\"",
    };
    struct scripted_server *server = scripted_server_start(strict);
    struct lm_reply *r = ask(server, LM_FORMAT_SCHEMA, "x");
    const char *request = scripted_server_request(server, 0);

    (void)state;
    assert_int_equal(r->failure, LM_FAILURE_NONE);
    assert_int_equal(r->calls, 1);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!strstr(request, wanted[i]))
            fail_msg("no %s in %s", wanted[i], request);
    assert_null(strstr(request, "\"stream\""));
    assert_null(strstr(request, "\"n\""));
    lm_reply_free(r);
    scripted_server_stop(server);
}

/* mlx_lm, Ollama with an MLX model: nothing says that the schema was ignored; the answer is given
 * as it is. */
static void a_schema_that_is_ignored_goes_unnoticed(void **state)
{
    static const struct script_step steps[] = {{NULL, SCRIPT_OK}, {NULL, NULL}};
    struct scripted_server *server = scripted_server_start(steps);
    struct lm_reply *r = ask(server, LM_FORMAT_SCHEMA, NULL);

    (void)state;
    assert_string_equal(r->content, "fine"); /* no object, and no failure */
    assert_int_equal(r->format, LM_FORMAT_SCHEMA);
    assert_int_equal(r->refused, 0);
    lm_reply_free(r);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_every_kind_are_read),
        cmocka_unit_test(thinking_is_kept_apart),
        cmocka_unit_test(what_is_to_blame_is_said_and_not_asked_again),
        cmocka_unit_test(what_may_pass_is_asked_again),
        cmocka_unit_test(a_request_pleases_the_strictest),
        cmocka_unit_test(a_schema_that_is_ignored_goes_unnoticed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
