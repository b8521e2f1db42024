#include "coordinator/lm/lm_recording.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/lm/lm_backend.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct lm_request *question(const char *label, const char *text)
{
    struct lm_request *r = lm_request_new(1, label, NULL);

    assert_int_equal(lm_request_add(r, "user", text, NULL), 0);
    return r;
}

static char *line_of(const struct lm_request *q, const struct lm_reply *r)
{
    char digest[LM_DIGEST_SIZE];

    return lm_recording_line(q->label, lm_recording_digest(q, digest), r, NULL);
}

static void check_answer(struct lm_recording *rec, const char *label, const char *text,
                         const char *content)
{
    struct lm_request *q = question(label, text);
    struct lm_reply *r = lm_reply_new(q);

    assert_int_equal(lm_recording_answer(rec, q, r), 0);
    if (content)
        assert_string_equal(r->content, content);
    else
        assert_int_equal(r->failure, LM_FAILURE_ABSENT);
    lm_reply_free(r);
    lm_request_free(q);
}

/* What was asked is answered as it was, whatever stands around it. */
static void what_is_recorded_is_replayed(void **state)
{
    struct lm_request *q = question("A", "Which?");
    struct lm_reply *r = lm_reply_new(q), *again = lm_reply_new(q);
    struct lm_recording *rec;
    char *line;

    (void)state;
    r->content = mem_strdup("one\nline \"quoted\"");
    r->reasoning = mem_strdup("so");
    r->finish = mem_strdup("stop");
    r->prompt_tokens = 12;
    r->cached_tokens = 4;
    r->format = LM_FORMAT_OBJECT;
    r->refused = 1U << LM_FORMAT_SCHEMA;
    line = line_of(q, r);
    assert_int_equal(strchr(line, '\n') - line, strlen(line) - 1); /* one line */
    assert_null(strstr(line, "Which?"));                           /* no prompt in it */
    rec = lm_recording_parse("f", line, strlen(line), NULL);
    assert_non_null(rec);
    assert_int_equal(lm_recording_answer(rec, q, again), 0);
    assert_string_equal(again->content, r->content);
    assert_string_equal(again->reasoning, "so");
    assert_string_equal(again->finish, "stop");
    assert_int_equal(again->prompt_tokens, 12);
    assert_int_equal(again->completion_tokens, UNKNOWN_I64);
    assert_int_equal(again->cached_tokens, 4);
    assert_int_equal(again->format, LM_FORMAT_OBJECT);
    assert_int_equal(again->refused, 1U << LM_FORMAT_SCHEMA);
    lm_recording_free(rec);
    lm_recording_free(NULL);
    mem_free(line);
    lm_reply_free(r);
    lm_reply_free(again);
    lm_request_free(q);
}

static void failures_are_recorded_too(void **state)
{
    struct lm_request *q = question("A", "Which?");
    struct lm_reply *r = lm_reply_new(q), *again = lm_reply_new(q);
    struct lm_recording *rec;
    char *line;

    (void)state;
    lm_reply_fail(r, LM_FAILURE_RATE_LIMIT, ERR_BUSY, "slow down");
    line = line_of(q, r);
    rec = lm_recording_parse("f", line, strlen(line), NULL);
    assert_int_equal(lm_recording_answer(rec, q, again), 0);
    assert_int_equal(again->failure, LM_FAILURE_RATE_LIMIT);
    assert_string_equal(again->err.text, "slow down");
    lm_recording_free(rec);
    mem_free(line);
    lm_reply_free(r);
    lm_reply_free(again);
    lm_request_free(q);
}

static void the_digest_then_the_least_used_answers(void **state)
{
    struct lm_request *q = question("A", "exactly this");
    struct lm_reply *r = lm_reply_new(q);
    struct lm_recording *rec;
    char *line, text[1024];

    (void)state;
    r->content = mem_strdup("exact");
    line = line_of(q, r);
    snprintf(text, sizeof text,
             "{\"label\": \"A\", \"content\": \"one\"}\r\n%s\n{\"content\": \"two\"}\n"
             "{\"label\": \"B\", \"content\": \"three\"}",
             line);
    rec = lm_recording_parse("f", text, strlen(text), NULL);
    assert_non_null(rec);
    check_answer(rec, "A", "exactly this", "exact");
    check_answer(rec, "A", "other", "one");
    check_answer(rec, "A", "other", "two");
    check_answer(rec, "A", "exactly this", "exact"); /* as often as it is asked */
    check_answer(rec, "A", "other", "one");          /* round again */
    check_answer(rec, "B", "other", "three");
    check_answer(rec, "B", "other", "two");
    lm_recording_free(rec);
    rec = lm_recording_parse("f", line, strlen(line), NULL);
    check_answer(rec, "Z", "exactly this", NULL);
    lm_recording_free(rec);
    mem_free(line);
    lm_reply_free(r);
    lm_request_free(q);
}

static void wrong_lines_are_named(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "no answers"},
        {"\n\n", "no answers"},
        {"{}", "f:1: holds neither"},
        {"{\"content\": \"x\"}\n{\"content\": 3}", "f:2: content"},
        {"{\"content\": \"x\", \"answer\": 1}", "answer"},
        {"{\"failure\": \"sadness\"}", "sadness"},
        {"{\"failure\": \"none\"}", "none"},
        {"{\"content\": \"x\"", "f:1"},
        {"[1]", "f:1"},
        {"{\"content\": \"x\", \"prompt_tokens\": -1}", "prompt_tokens"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};

        assert_null(lm_recording_parse("f", rows[i].text, strlen(rows[i].text), &err));
        if (!strstr(err.text, rows[i].said))
            fail_msg("%s: said \"%s\"", rows[i].text, err.text);
    }
}

static const char sample[] = "{\"label\": \"A\", \"content\": \"x\\n\", \"finish\": \"stop\"}";

static void every_length_and_bit_is_survived(void **state)
{
    char text[sizeof sample];
    size_t good = 0;

    (void)state;
    for (size_t len = 0; len < strlen(sample); len++)
        assert_null(lm_recording_parse("f", sample, len, NULL));
    for (size_t bit = 0; bit < 8 * strlen(sample); bit++) {
        struct lm_recording *rec;

        memcpy(text, sample, sizeof sample);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        rec = lm_recording_parse("f", text, strlen(sample), NULL);
        good += rec != NULL;
        lm_recording_free(rec);
    }
    assert_in_range(good, 10, 4 * sizeof sample);
}

static void lost_memory_is_survived(void **state)
{
    struct lm_recording *rec;
    unsigned nth = 0;

    (void)state;
    do {
        struct err err = {0};

        mem_fail_at(++nth);
        rec = lm_recording_parse("f", sample, strlen(sample), &err);
        mem_fail_at(0);
        assert_true(rec || err.code == ERR_NOMEM);
    } while (!rec && nth < 1000);
    assert_in_range(nth, 4, 999);
    lm_recording_free(rec);
}

/* A chain of several calls with the same messages is told apart by what else was asked. */
static void the_digest_knows_shape_and_rollout(void **state)
{
    struct lm_request *q = question("A", "Which?");
    char plain[LM_DIGEST_SIZE], other[LM_DIGEST_SIZE], third[LM_DIGEST_SIZE];

    (void)state;
    lm_recording_digest(q, plain);
    q->max_tokens = 7; /* another limit is still the same question */
    assert_string_equal(lm_recording_digest(q, other), plain);
    q->rollout = 1;
    assert_string_not_equal(lm_recording_digest(q, other), plain);
    q->rollout = 2;
    assert_string_not_equal(lm_recording_digest(q, third), other);
    q->rollout = UNKNOWN_I64;
    assert_int_equal(lm_request_shape(q, LM_FORMAT_OBJECT, NULL, NULL, NULL), 0);
    assert_string_not_equal(lm_recording_digest(q, other), plain);
    assert_int_equal(lm_request_shape(q, LM_FORMAT_SCHEMA, "P", "{}", NULL), 0);
    assert_string_not_equal(lm_recording_digest(q, third), other);
    lm_request_free(q);
}

/* Out of a cache it cost nothing; what is no good answer is none. */
static void a_line_is_recalled_without_its_cost(void **state)
{
    static const char *const no_good[] = {"",
                                          "{",
                                          "{\"label\":\"A\"}",
                                          "{\"label\":\"B\",\"content\":\"x\"}",
                                          "{\"failure\":\"timeout\"}",
                                          "{\"content\":7}"};
    struct lm_request *q = question("A", "Which?");
    struct lm_reply *r = lm_recording_recall(
        q, "{\"label\":\"A\",\"content\":\"x\",\"prompt_tokens\":9,\"completion_tokens\":3}\n");

    (void)state;
    assert_non_null(r);
    assert_true(r->cached);
    assert_string_equal(r->content, "x");
    assert_int_equal(r->calls, 0);
    assert_int_equal(r->prompt_tokens, 0);
    assert_int_equal(r->completion_tokens, 0);
    lm_reply_free(r);
    for (size_t i = 0; i < sizeof no_good / sizeof no_good[0]; i++)
        assert_null(lm_recording_recall(q, no_good[i]));
    lm_request_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_recorded_is_replayed),
        cmocka_unit_test(failures_are_recorded_too),
        cmocka_unit_test(the_digest_then_the_least_used_answers),
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(every_length_and_bit_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
        cmocka_unit_test(the_digest_knows_shape_and_rollout),
        cmocka_unit_test(a_line_is_recalled_without_its_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
