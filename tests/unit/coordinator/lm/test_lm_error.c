#include "coordinator/lm/lm_error.h"

#include "common/core/unknown.h"
#include "common/json/json.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void an_error_is_found_and_told_apart(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum lm_failure failure;
        const char *message;
    } rows[] = {
        {400, "{\"error\":{\"message\":\"bad\",\"type\":\"x\",\"param\":null,\"code\":null}}",
         LM_FAILURE_REQUEST, "bad"},
        {400, "{\"error\":\"bad\"}", LM_FAILURE_REQUEST, "bad"},
        {400, "{\"object\":\"error\",\"message\":\"bad\",\"code\":40303}", LM_FAILURE_REQUEST,
         "bad"},
        {404, "{\"detail\":\"Not Found\"}", LM_FAILURE_NOT_FOUND, "Not Found"},
        {404, "{\"error\":{\"message\":\"model \\\"x\\\" not found, try pulling it first\"}}",
         LM_FAILURE_NOT_FOUND, "model \"x\" not found, try pulling it first"},
        {400, "{\"error\":{\"message\":\"no\",\"code\":\"model_not_found\"}}", LM_FAILURE_NOT_FOUND,
         "no"},
        {401, "{\"error\":{\"message\":\"no\"}}", LM_FAILURE_AUTH, "no"},
        {403, "{\"error\":{\"message\":\"no\"}}", LM_FAILURE_AUTH, "no"},
        {400, "{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}", LM_FAILURE_AUTH,
         "no"},
        {402, "{\"error\":{\"message\":\"pay\"}}", LM_FAILURE_BILLING, "pay"},
        {429, "{\"error\":{\"message\":\"slow down\"}}", LM_FAILURE_RATE_LIMIT, "slow down"},
        {429,
         "{\"error\":{\"message\":\"You exceeded your quota\",\"code\":\"insufficient_quota\"}}",
         LM_FAILURE_BILLING, "You exceeded your quota"},
        {200, "{\"error\":{\"message\":\"x\",\"type\":\"rate_limit_error\"}}",
         LM_FAILURE_RATE_LIMIT, "x"},
        {408, "{\"error\":\"too slow\"}", LM_FAILURE_TIMEOUT, "too slow"},
        {500, "{\"error\":{\"message\":\"x\"}}", LM_FAILURE_SERVER, "x"},
        {529, "{\"error\":{\"message\":\"Overloaded\"}}", LM_FAILURE_SERVER, "Overloaded"},
        {200, "{\"error\":{\"message\":\"Overloaded\",\"code\":529}}", LM_FAILURE_SERVER,
         "Overloaded"},
        {400,
         "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size\","
         "\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":9000,\"n_ctx\":4096}}",
         LM_FAILURE_CONTEXT, "the request exceeds the available context size"},
        {400,
         "{\"error\":{\"message\":\"This model's maximum context length is 4096 tokens\",\"code\":"
         "400}}",
         LM_FAILURE_CONTEXT, "This model's maximum context length is 4096 tokens"},
        {400, "{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}",
         LM_FAILURE_CONTEXT, "x"},
        {200,
         "{\"error\":\"Trying to keep the first 5000 tokens when context the overflows. However, "
         "the model is loaded with context length of only 4096 tokens\"}",
         LM_FAILURE_CONTEXT, NULL},
        {500, "{\"error\":{\"message\":\"prompt is too long\"}}", LM_FAILURE_CONTEXT, NULL},
        {200, "{\"error\":\"No models loaded\"}", LM_FAILURE_REQUEST, "No models loaded"},
        {200, "{\"error\":{}}", LM_FAILURE_REQUEST, "it gave no reason"},
        {200, "{\"object\":\"error\",\"message\":\"flat\"}", LM_FAILURE_REQUEST, "flat"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json *root = json_parse(rows[i].body, strlen(rows[i].body), NULL);
        struct lm_error e;

        assert_non_null(root);
        assert_true(lm_error_find(root, rows[i].status, &e));
        if (lm_error_failure(&e) != rows[i].failure)
            fail_msg("%s: %s", rows[i].body, lm_failure_name(lm_error_failure(&e)));
        if (rows[i].message)
            assert_string_equal(e.message, rows[i].message);
        json_free(root);
    }
}

static void an_answer_is_no_error(void **state)
{
    static const char *const bodies[] = {"{\"choices\":[],\"error\":null}",
                                         "{\"choices\":[],\"message\":\"hello\"}", "{}", "[]",
                                         "{\"error\":false}"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct json *root = json_parse(bodies[i], strlen(bodies[i]), NULL);
        struct lm_error e;

        assert_false(lm_error_find(root, 200, &e));
        json_free(root);
    }
}

static void the_next_format_is_the_highest_left(void **state)
{
    (void)state;
    assert_int_equal(lm_refusal_format(LM_FORMAT_SCHEMA, 0), LM_FORMAT_SCHEMA);
    assert_int_equal(lm_refusal_format(LM_FORMAT_SCHEMA, LM_REFUSAL_SCHEMA), LM_FORMAT_OBJECT);
    assert_int_equal(lm_refusal_format(LM_FORMAT_SCHEMA, LM_REFUSAL_OBJECT), LM_FORMAT_SCHEMA);
    assert_int_equal(lm_refusal_format(LM_FORMAT_SCHEMA, LM_REFUSAL_FORMATS), LM_FORMAT_NONE);
    assert_int_equal(lm_refusal_format(LM_FORMAT_OBJECT, LM_REFUSAL_SCHEMA), LM_FORMAT_OBJECT);
    assert_int_equal(lm_refusal_format(LM_FORMAT_OBJECT, LM_REFUSAL_OBJECT), LM_FORMAT_NONE);
    assert_int_equal(lm_refusal_format(LM_FORMAT_NONE, LM_REFUSAL_FORMATS), LM_FORMAT_NONE);
}

static void reasoning_models_are_known_by_name(void **state)
{
    static const struct {
        const char *model;
        bool reasons;
    } rows[] = {
        {"o3-mini", true}, {"openai/gpt-5", true}, {"o1", true},    {"gpt-5-chat-latest", false},
        {"o300", false},   {"olmo", false},        {"tiny", false}, {"", false},
        {"a/", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(lm_refusal_of_model(rows[i].model),
                         rows[i].reasons ? LM_REFUSAL_MAX_TOKENS | LM_REFUSAL_TEMPERATURE : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_found_and_told_apart),
        cmocka_unit_test(an_answer_is_no_error),
        cmocka_unit_test(the_next_format_is_the_highest_left),
        cmocka_unit_test(reasoning_models_are_known_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
