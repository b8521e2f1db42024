#include "coordinator/lm/lm_retry.h"

#include "coordinator/lm/lm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_pause_doubles_and_ends_doubling(void **state)
{
    static const struct {
        int64_t base, nth, asked;
        uint32_t random;
        int64_t pause;
    } rows[] = {
        {1000, 1, -1, 0, 1000},
        {1000, 2, -1, 0, 2000},
        {1000, 3, -1, 0, 4000},
        {1000, 5, -1, 0, 16000},
        {1000, 6, -1, 0, 16000},
        {1000, 1000000, -1, 0, 16000},
        {1000, 1, -1, UINT32_MAX, 1250},
        {1000, 2, -1, UINT32_MAX / 2, 2124},
        {1, 1, -1, UINT32_MAX, 1},
        {60000, 1, -1, 0, 16000},
        {1000, 1, 0, 0, 0},
        {1000, 3, 7000, 0, 7000},
        {1000, 1, 7000, UINT32_MAX, 7250},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            lm_retry_pause_ms(rows[i].base, rows[i].nth, rows[i].asked, rows[i].random),
            rows[i].pause);
}

static void only_what_may_pass_is_tried_again(void **state)
{
    static const struct {
        enum lm_failure failure;
        int64_t status;
        enum err_code code;
        bool helps;
    } rows[] = {
        {LM_FAILURE_NONE, 200, ERR_NONE, false},
        {LM_FAILURE_ABSENT, -1, ERR_NOT_FOUND, false},
        {LM_FAILURE_CONNECT, -1, ERR_IO, false}, /* refused, no such host, certificate */
        {LM_FAILURE_CONNECT, -1, ERR_TIMEOUT, true},
        {LM_FAILURE_TRANSPORT, -1, ERR_IO, true},
        {LM_FAILURE_TIMEOUT, -1, ERR_TIMEOUT, false}, /* the model may still be at work */
        {LM_FAILURE_TIMEOUT, 408, ERR_TIMEOUT, true},
        {LM_FAILURE_TOO_BIG, 200, ERR_TOO_BIG, false},
        {LM_FAILURE_REDIRECT, 307, ERR_DENIED, false},
        {LM_FAILURE_AUTH, 401, ERR_DENIED, false},
        {LM_FAILURE_BILLING, 429, ERR_DENIED, false},
        {LM_FAILURE_NOT_FOUND, 404, ERR_NOT_FOUND, false},
        {LM_FAILURE_CONTEXT, 400, ERR_TOO_BIG, false},
        {LM_FAILURE_RATE_LIMIT, 429, ERR_BUSY, true},
        {LM_FAILURE_REQUEST, 400, ERR_INVALID, false},
        {LM_FAILURE_SERVER, 500, ERR_IO, true},
        {LM_FAILURE_SERVER, 501, ERR_IO, false},
        {LM_FAILURE_SERVER, 503, ERR_IO, true},
        {LM_FAILURE_SERVER, 505, ERR_IO, false},
        {LM_FAILURE_MALFORMED, 200, ERR_MALFORMED, false},
        {LM_FAILURE_LENGTH, 200, ERR_TOO_BIG, false},
        {LM_FAILURE_THINKING, 200, ERR_TOO_BIG, false},
        {LM_FAILURE_EMPTY, 200, ERR_MALFORMED, false},
        {LM_FAILURE_INTERNAL, -1, ERR_NOMEM, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lm_reply r = {.failure = rows[i].failure, .status = rows[i].status};

        r.err.code = rows[i].code;
        if (lm_retry_helps(&r) != rows[i].helps)
            fail_msg("%s with %d", lm_failure_name(r.failure), (int)r.status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_doubles_and_ends_doubling),
        cmocka_unit_test(only_what_may_pass_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
