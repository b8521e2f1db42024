#include "coordinator/lm/lm_completion.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/lm/lm.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char key[] = "sk-0123456789";
static unsigned mentions; /* of the last response read */

static struct lm_request *question(void)
{
    struct lm_request *r = lm_request_new(5, "Test", NULL);

    assert_int_equal(lm_request_add(r, "system", "Be \"brief\".", NULL), 0);
    assert_int_equal(lm_request_add(r, "user", "h\xc3\xa9\n", NULL), 0);
    r->max_tokens = 100;
    return r;
}

static struct lm_reply *reply_new(void)
{
    struct lm_request *r = question();
    struct lm_reply *reply = lm_reply_new(r);

    lm_request_free(r);
    return reply;
}

#define SCHEMA "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}"

static void a_request_is_written(void **state)
{
    static const struct {
        const char *model;
        double temperature, own;
        unsigned refused;
        enum lm_format format;
        const char *end;
    } rows[] = {
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, 0, 0, "\"max_tokens\":100}"},
        {"tiny", 0, UNKNOWN_F64, 0, 0, "\"max_tokens\":100,\"temperature\":0}"},
        {"tiny", 0.7, UNKNOWN_F64, 0, 0, "\"max_tokens\":100,\"temperature\":0.7}"},
        {"tiny", 0.7, 1, 0, 0, "\"max_tokens\":100,\"temperature\":1}"},
        {"tiny", UNKNOWN_F64, 1, 0, 0, "\"max_tokens\":100,\"temperature\":1}"},
        {"tiny", 0.7, 1, LM_REFUSAL_TEMPERATURE, 0, "\"max_tokens\":100}"},
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, LM_REFUSAL_MAX_TOKENS, 0,
         "\"max_completion_tokens\":100}"},
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, 0, LM_FORMAT_OBJECT,
         "\"max_tokens\":100,\"response_format\":{\"type\":\"json_object\"}}"},
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, 0, LM_FORMAT_SCHEMA,
         "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"Plan\","
         "\"strict\":true,\"schema\":" SCHEMA "}}}"},
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, LM_REFUSAL_SCHEMA, LM_FORMAT_SCHEMA,
         "\"max_tokens\":100,\"response_format\":{\"type\":\"json_object\"}}"},
        {"tiny", UNKNOWN_F64, UNKNOWN_F64, LM_REFUSAL_FORMATS, LM_FORMAT_SCHEMA,
         "\"max_tokens\":100}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_request *r = question();
        char *body;

        r->temperature = rows[i].own;
        if (rows[i].format)
            assert_int_equal(lm_request_shape(r, rows[i].format, "Plan", SCHEMA, NULL), 0);
        body = lm_completion_write(rows[i].model, r, rows[i].temperature, rows[i].refused, NULL);
        assert_non_null(body);
        assert_string_equal(body + strlen(body) - strlen(rows[i].end), rows[i].end);
        assert_null(strstr(body, "null"));
        assert_non_null(strstr(body, "\"messages\":[{\"role\":\"system\",\"content\":\"Be "
                                     "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"h\xc3\xa9"
                                     "\\n\"}]"));
        mem_free(body);
        lm_request_free(r);
    }
}

/* The rollout tells requests apart here, and is nobody else's business. */
static void a_seed_is_sent_and_a_rollout_is_not(void **state)
{
    struct lm_request *r = question();
    char *body;

    (void)state;
    r->seed = 7;
    r->rollout = 3;
    body = lm_completion_write("tiny", r, UNKNOWN_F64, 0, NULL);
    assert_non_null(strstr(body, "\"seed\":7"));
    assert_null(strstr(body, "rollout"));
    mem_free(body);
    body = lm_completion_write("tiny", r, UNKNOWN_F64, LM_REFUSAL_SEED, NULL);
    assert_null(strstr(body, "seed"));
    mem_free(body);
    lm_request_free(r);
}

static void writing_survives_lost_memory(void **state)
{
    struct lm_request *r = question();
    unsigned nth = 0;
    char *body;

    (void)state;
    assert_int_equal(lm_request_shape(r, LM_FORMAT_SCHEMA, "Plan", SCHEMA, NULL), 0);
    do {
        struct err err = {0};

        mem_fail_at(++nth);
        body = lm_completion_write("tiny", r, 0.5, 0, &err);
        mem_fail_at(0);
        assert_true(body || err.code == ERR_NOMEM);
    } while (!body && nth < 1000);
    assert_in_range(nth, 10, 999);
    mem_free(body);
    lm_request_free(r);
}

#define CHOICE(message, finish) \
    "{\"choices\":[{\"message\":" message ",\"finish_reason\":" finish "}]}"

static void responses_are_read(void **state)
{
    static const struct {
        const char *body, *content, *reasoning;
        enum lm_failure failure;
    } rows[] = {
        {CHOICE("{\"content\":\"hi\"}", "\"stop\""), "hi", NULL, LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"  hi \"}", "null"), "hi ", NULL, LM_FAILURE_NONE},
        {"{\"choices\":[{\"message\":{\"content\":\"hi\"},\"new\":{\"x\":1}}],\"error\":null}",
         "hi", NULL, LM_FAILURE_NONE},
        {"{\"choices\":[{\"text\":\"hi\"}]}", "hi", NULL, LM_FAILURE_NONE},
        {CHOICE("{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"x\"},\"b\"]}",
                "\"stop\""),
         "ab", NULL, LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"hi\",\"reasoning_content\":\"t\",\"reasoning\":\"u\"}", "\"stop\""),
         "hi", "t", LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"hi\",\"reasoning_content\":null,\"reasoning\":\"u\"}", "\"stop\""),
         "hi", "u", LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"\\n<think>t</think>\\nhi\"}", "\"stop\""), "hi", "t",
         LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"t</think>hi\"}", "\"stop\""), "hi", "t", LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"<think>t</think>a<think>b</think>\"}", "\"stop\""),
         "a<think>b</think>", "t", LM_FAILURE_NONE}, /* one block, at the start */
        {CHOICE("{\"content\":\"[[ ## a ## ]]\\nsay </think>\"}", "\"stop\""),
         "[[ ## a ## ]]\nsay </think>", NULL, LM_FAILURE_NONE},
        {CHOICE("{\"content\":\"<think>still at it\"}", "\"length\""), NULL, "still at it",
         LM_FAILURE_THINKING},
        {CHOICE("{\"content\":\"\",\"reasoning\":\"still\"}", "\"length\""), NULL, "still",
         LM_FAILURE_THINKING},
        {CHOICE("{\"content\":\"half\"}", "\"length\""), "half", NULL, LM_FAILURE_LENGTH},
        {CHOICE("{\"content\":null}", "\"stop\""), NULL, NULL, LM_FAILURE_EMPTY},
        {CHOICE("{}", "\"tool_calls\""), NULL, NULL, LM_FAILURE_EMPTY},
        {CHOICE("{\"content\":{\"a\":1}}", "\"stop\""), NULL, NULL, LM_FAILURE_EMPTY},
        {CHOICE("7", "7"), NULL, NULL, LM_FAILURE_EMPTY},
        {"{\"choices\":[]}", NULL, NULL, LM_FAILURE_MALFORMED},
        {"{\"choices\":[7]}", NULL, NULL, LM_FAILURE_MALFORMED},
        {"{\"choices\":\"x\"}", NULL, NULL, LM_FAILURE_MALFORMED},
        {"{}", NULL, NULL, LM_FAILURE_MALFORMED},
        {"[]", NULL, NULL, LM_FAILURE_MALFORMED},
        {"null", NULL, NULL, LM_FAILURE_MALFORMED},
        {"", NULL, NULL, LM_FAILURE_TRANSPORT},
        {"<!DOCTYPE html>", NULL, NULL, LM_FAILURE_MALFORMED},
        {"{\"choices\":[{\"mess", NULL, NULL, LM_FAILURE_MALFORMED},
        {"data: {\"choices\":[]}\n\n", NULL, NULL, LM_FAILURE_MALFORMED},
        {"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n", "hi", NULL, LM_FAILURE_NONE},
        {"data: {\"error\":\"no\"}\n\n", NULL, NULL, LM_FAILURE_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = reply_new();

        assert_int_equal(
            lm_completion_read(200, rows[i].body, strlen(rows[i].body), key, r, &mentions), 0);
        if (r->failure != rows[i].failure)
            fail_msg("%s: %s (%s)", rows[i].body, lm_failure_name(r->failure), r->err.text);
        assert_true((r->err.text[0] != '\0') == (r->failure != LM_FAILURE_NONE));
        assert_true((r->content != NULL) == (rows[i].content != NULL));
        if (rows[i].content)
            assert_string_equal(r->content, rows[i].content);
        assert_true((r->reasoning != NULL) == (rows[i].reasoning != NULL));
        if (rows[i].reasoning)
            assert_string_equal(r->reasoning, rows[i].reasoning);
        lm_reply_free(r);
    }
}

static void errors_are_told_apart(void **state)
{
    static const struct {
        long status;
        const char *body, *said;
        enum lm_failure failure;
    } rows[] = {
        {500, "{\"error\":{\"message\":\"fell over\"}}", "500: fell over", LM_FAILURE_SERVER},
        {503, "{\"error\":{\"code\":503,\"message\":\"Loading model\"}}", "Loading model",
         LM_FAILURE_SERVER},
        {404, "{\"error\":\"no such model\"}", "404: no such model", LM_FAILURE_NOT_FOUND},
        {400, "{\"object\":\"error\",\"message\":\"flat\",\"code\":40303}", "400: flat",
         LM_FAILURE_REQUEST},
        {404, "{\"detail\":\"Not Found\"}", "Not Found", LM_FAILURE_NOT_FOUND},
        {404, "Not Found", "404: Not Found", LM_FAILURE_NOT_FOUND},
        {502, "<html>Bad Gateway</html>", "502: <html>", LM_FAILURE_SERVER},
        {401, "{\"error\":{\"message\":\"bad key\"}}", "bad key", LM_FAILURE_AUTH},
        {403, "", "403", LM_FAILURE_AUTH},
        {429, "{}", "429", LM_FAILURE_RATE_LIMIT},
        {408, "[1]", "408", LM_FAILURE_TIMEOUT},
        {200, "{\"error\":\"No models loaded\"}", "with an error: No models loaded",
         LM_FAILURE_REQUEST},
        {200, "{\"error\":{\"message\":\"busy\",\"code\":529}}", "529: busy", LM_FAILURE_SERVER},
        {200, "{\"error\":{\"message\":\"no\",\"code\":\"x\"}}", "no", LM_FAILURE_REQUEST},
        {200, "{\"error\":{}}", "no reason", LM_FAILURE_REQUEST},
        {200, "{\"object\":\"error\",\"message\":\"flat\"}", "flat", LM_FAILURE_REQUEST},
        {301, "", "not followed", LM_FAILURE_REDIRECT},
        {307, "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}", "not followed",
         LM_FAILURE_REDIRECT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = reply_new();

        assert_int_equal(lm_completion_read(rows[i].status, rows[i].body, strlen(rows[i].body), key,
                                            r, &mentions),
                         0);
        if (r->failure != rows[i].failure || !strstr(r->err.text, rows[i].said))
            fail_msg("%ld %s: %s, \"%s\"", rows[i].status, rows[i].body,
                     lm_failure_name(r->failure), r->err.text);
        assert_null(r->content);
        lm_reply_free(r);
    }
}

static void usage_is_summed_where_it_is_said(void **state)
{
    static const struct {
        const char *usage;
        int64_t prompt, completion;
    } rows[] = {
        {"{\"prompt_tokens\":10,\"completion_tokens\":3}", 10, 3},
        {"{\"prompt_tokens\":null,\"completion_tokens\":3}", UNKNOWN_I64, 3},
        {"{\"prompt_tokens\":-1,\"completion_tokens\":1e300}", UNKNOWN_I64, UNKNOWN_I64},
        {"{\"prompt_tokens\":1.5,\"completion_tokens\":\"3\"}", UNKNOWN_I64, UNKNOWN_I64},
        {"[10, 3]", UNKNOWN_I64, UNKNOWN_I64},
        {"null", UNKNOWN_I64, UNKNOWN_I64},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = reply_new();
        char body[256];

        snprintf(body, sizeof body,
                 "{\"choices\":[{\"message\":{\"content\":\"x\"}}],\"usage\":%s}", rows[i].usage);
        assert_int_equal(lm_completion_read(200, body, strlen(body), NULL, r, &mentions), 0);
        assert_int_equal(r->prompt_tokens, rows[i].prompt);
        assert_int_equal(r->completion_tokens, rows[i].completion);
        assert_int_equal(lm_completion_read(200, body, strlen(body), NULL, r, &mentions),
                         0); /* a second call */
        assert_int_equal(r->prompt_tokens,
                         known_i64(rows[i].prompt) ? 2 * rows[i].prompt : UNKNOWN_I64);
        lm_reply_free(r);
    }
}

static void the_key_is_struck_out(void **state)
{
    static const struct {
        long status;
        const char *body;
    } rows[] = {
        {200, CHOICE("{\"content\":\"your key: sk-0123456789.\"}", "\"sk-0123456789\"")},
        {200,
         CHOICE("{\"content\":\"x\",\"reasoning\":\"sk-0123456789sk-0123456789\"}", "\"stop\"")},
        {200, CHOICE("{\"content\":[{\"text\":\"sk-012\"},{\"text\":\"3456789\"}]}", "\"stop\"")},
        {401, "{\"error\":{\"message\":\"wrong: sk-0123456789\"}}"},
        {401, "wrong: sk-0123456789"},
        {200, "wrong: sk-0123456789"},
        {200, CHOICE("{\"content\":null}", "\"sk-0123456789\"")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply *r = reply_new();

        assert_int_equal(lm_completion_read(rows[i].status, rows[i].body, strlen(rows[i].body), key,
                                            r, &mentions),
                         0);
        assert_null(strstr(r->err.text, "0123"));
        assert_true(!r->content || !strstr(r->content, "0123"));
        assert_true(!r->reasoning || !strstr(r->reasoning, "0123"));
        assert_true(!r->finish || !strstr(r->finish, "0123"));
        lm_reply_free(r);
    }
}

static const char sample[] =
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"<think>a</think>b\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}";

static void every_length_truncated_is_malformed(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(sample); len++) {
        char *part = malloc(len ? len : 1);
        struct lm_reply *r = reply_new();

        memcpy(part, sample, len);
        assert_int_equal(lm_completion_read(200, part, len, key, r, &mentions), 0);
        assert_int_equal(r->failure, len ? LM_FAILURE_MALFORMED : LM_FAILURE_TRANSPORT);
        lm_reply_free(r);
        free(part);
    }
}

static void every_bit_flipped_is_survived(void **state)
{
    char text[sizeof sample];
    size_t good = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * strlen(sample); bit++) {
        struct lm_reply *r = reply_new();

        memcpy(text, sample, sizeof sample);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(lm_completion_read(200, text, strlen(sample), key, r, &mentions), 0);
        assert_true((r->failure == LM_FAILURE_NONE) == (r->err.text[0] == '\0'));
        good += r->failure == LM_FAILURE_NONE;
        lm_reply_free(r);
    }
    assert_in_range(good, 50, 8 * sizeof sample - 200);
}

static void lost_memory_is_survived(void **state)
{
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct lm_reply *r = reply_new();

        mem_fail_at(++nth);
        rc = lm_completion_read(200, sample, strlen(sample), key, r, &mentions);
        mem_fail_at(0);
        assert_true((rc == 0) == (r->failure == LM_FAILURE_NONE));
        assert_true(rc == 0 || r->err.code == ERR_NOMEM);
        lm_reply_free(r);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 10, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_written),
        cmocka_unit_test(a_seed_is_sent_and_a_rollout_is_not),
        cmocka_unit_test(writing_survives_lost_memory),
        cmocka_unit_test(responses_are_read),
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(usage_is_summed_where_it_is_said),
        cmocka_unit_test(the_key_is_struck_out),
        cmocka_unit_test(every_length_truncated_is_malformed),
        cmocka_unit_test(every_bit_flipped_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
