#include "common/core/buf.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/signature/module.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <math.h>
#include <stdlib.h>

#define ALL (1u << MODULE_FREE | 1u << MODULE_OBJECT | 1u << MODULE_SCHEMA)
#define GOOD_CHAT "[[ ## reasoning ## ]]\nr\n\n[[ ## score ## ]]\n0.5\n\n[[ ## completed ## ]]"
#define GOOD_JSON "{\"reasoning\": \"r\", \"score\": 0.5}"

static const struct module_usage cost = {1, 100, 20, 0.5};
static const struct prompt_value question = {.name = "question", .text = "How good?"};

struct bench {
    struct framing *framing;
    struct signature *sig;
};

static int setup(void **state)
{
    static const char line[] = "question -> score: float";
    static struct bench b;

    b.framing = framing_builtin(NULL);
    b.sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    *state = &b;
    return b.framing && b.sig ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    framing_free(b->framing);
    signature_free(b->sig);
    return 0;
}

/* One question to a model: what it is sent, and what comes of its answer. */
static void a_question_is_answered(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module *m = module_new(&settings, &question, 1, NULL);
    struct module_request r;

    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    assert_int_equal(r.layout, MODULE_CHAT);
    assert_int_equal(r.format, MODULE_FREE);
    assert_null(r.schema);
    assert_true(isnan(r.temperature));
    assert_true(r.rollout == UNKNOWN_I64);
    assert_int_equal(r.prompt->count, 2);
    assert_non_null(strstr(r.prompt->messages[0].text, "`reasoning`"));
    assert_non_null(strstr(r.prompt->messages[1].text, "How good?"));
    assert_int_equal(module_reply(m, GOOD_CHAT, strlen(GOOD_CHAT), MODULE_WHOLE, &cost, NULL), 0);
    assert_int_equal(module_next(m, ALL, &r, NULL), 0);
    assert_int_equal(module_next(m, ALL, &r, NULL), 0); /* it stays over */
    assert_null(module_failure(m));
    assert_string_equal(module_answer(m)->sections[1], "0.5");
    assert_string_equal(module_text(m), GOOD_CHAT);
    assert_int_equal(module_total(m).prompt_tokens, 100);
    module_free(m);
    module_free(NULL);
}

/* One call: what must be asked, and what is answered. */
struct turn {
    enum module_layout layout;
    enum module_format format;
    bool retry;
    const char *reply; /* NULL: the endpoint fails */
};

struct script {
    unsigned takes;
    bool fallback, retry, answered;
    enum module_layout first;
    const char *line; /* NULL: the bench's */
    struct turn turns[6];
};

static void play(const struct bench *b, const struct script *s, size_t number)
{
    struct signature *own =
        s->line ? string_form_read(NULL, s->line, strlen(s->line), NULL, NULL) : NULL;
    struct module_settings settings = module_defaults(own ? own : b->sig, b->framing);
    const struct module_call *calls;
    struct module_request r;
    struct module *m;
    size_t i = 0, count;

    settings.fallback = s->fallback;
    settings.retry = s->retry;
    settings.layout = s->first;
    m = module_new(&settings, &question, 1, NULL);
    for (; module_next(m, s->takes, &r, NULL) == 1; i++) {
        const struct turn *t = &s->turns[i];

        if (!t->layout || r.layout != t->layout || r.format != t->format)
            fail_msg("script %zu, call %zu: layout %d, format %d", number, i, r.layout, r.format);
        assert_int_equal(r.schema != NULL, r.format == MODULE_SCHEMA);
        if (t->reply)
            module_reply(m, t->reply, strlen(t->reply), MODULE_WHOLE, &cost, NULL);
        else
            module_failed(m, "it is down", &cost, NULL);
        calls = module_calls(m, &count);
        assert_int_equal(count, i + 1);
        assert_int_equal(calls[i].retry, t->retry);
    }
    if (i < 6 && s->turns[i].layout)
        fail_msg("script %zu: only %zu calls", number, i);
    assert_int_equal(module_answer(m) != NULL, s->answered);
    assert_int_equal(module_failure(m) == NULL, s->answered);
    assert_int_equal(module_total(m).calls, i);
    module_free(m);
    signature_free(own);
}

/* In which order forms are tried, on endpoints of every kind. */
static void what_cannot_be_read_is_asked_for_otherwise(void **state)
{
    static const unsigned free_only = 1u << MODULE_FREE,
                          objects = 1u << MODULE_FREE | 1u << MODULE_OBJECT,
                          schemas = 1u << MODULE_FREE | 1u << MODULE_SCHEMA;
    const struct script scripts[] = {
        {ALL,
         true,
         true,
         true,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"}, {MODULE_JSON, MODULE_SCHEMA, false, GOOD_JSON}}},
        {ALL,
         true,
         true,
         true,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, ""},
          {MODULE_JSON, MODULE_SCHEMA, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, false, "{}"},
          {MODULE_JSON, MODULE_OBJECT, true, GOOD_JSON}}},
        {ALL,
         true,
         true,
         false,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_SCHEMA, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, true, "no"}}},
        {ALL,
         true,
         false,
         false,
         MODULE_CHAT,
         NULL,
         /* as DSPy does: without the retry */
         {{MODULE_CHAT, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_SCHEMA, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, false, "no"}}},
        {objects,
         true,
         false,
         false,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"}, {MODULE_JSON, MODULE_OBJECT, false, "no"}}},
        {free_only,
         true,
         true,
         true,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_FREE, true, GOOD_JSON}}},
        {schemas,
         true,
         false,
         true,
         MODULE_CHAT,
         NULL,
         /* LM Studio knows schemas and no bare objects */
         {{MODULE_CHAT, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_SCHEMA, false, "no"},
          {MODULE_JSON, MODULE_FREE, false, GOOD_JSON}}},
        {ALL,
         true,
         false,
         true,
         MODULE_CHAT,
         "question -> m: dict[str, int]",
         /* no strict schema */
         {{MODULE_CHAT, MODULE_FREE, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, false, "{\"reasoning\": \"r\", \"m\": {\"a\": 1}}"}}},
        {ALL,
         false,
         true,
         true,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"}, {MODULE_CHAT, MODULE_FREE, true, GOOD_CHAT}}},
        {ALL,
         true,
         true,
         true,
         MODULE_JSON,
         NULL,
         {{MODULE_JSON, MODULE_SCHEMA, false, "no"},
          {MODULE_JSON, MODULE_OBJECT, false, GOOD_JSON}}},
        {ALL,
         true,
         true,
         false,
         MODULE_CHAT,
         NULL,
         /* an endpoint that is down is down in every form */
         {{MODULE_CHAT, MODULE_FREE, false, NULL}}},
        {ALL,
         true,
         true,
         false,
         MODULE_CHAT,
         NULL,
         {{MODULE_CHAT, MODULE_FREE, false, "no"}, {MODULE_JSON, MODULE_SCHEMA, false, NULL}}},
    };

    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        play(*state, &scripts[i], i);
}

static void the_retry_shows_the_reply_and_what_was_wrong(void **state)
{
    static const char bad[] = "[[ ## reasoning ## ]]\nr\n\n[[ ## score ## ]]\n3 %";
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module_request r;
    struct module *m;
    struct buf line;

    settings.fallback = false;
    m = module_new(&settings, &question, 1, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_reply(m, bad, strlen(bad), MODULE_WHOLE, &cost, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    assert_int_equal(r.prompt->count, 4);
    assert_string_equal(r.prompt->messages[2].role, "assistant");
    assert_string_equal(r.prompt->messages[2].text, bad);
    assert_string_equal(r.prompt->messages[3].role, "user");
    assert_non_null(strstr(r.prompt->messages[3].text, "score: \"3 %\", wanted float"));
    module_reply(m, GOOD_CHAT, strlen(GOOD_CHAT), MODULE_WHOLE, &cost, NULL);
    buf_init(&line, 500);
    module_add_call(&line, m, 0);
    buf_addc(&line, '\n');
    module_add_call(&line, m, 1);
    assert_string_equal(
        line.data, "call 1, fields under markers: 100 + 20 tokens, not used: score: \"3 %\", "
                   "wanted float\n"
                   "call 2, fields under markers, shown what was wrong: 100 + 20 tokens, used");
    buf_clear(&line);
    assert_int_equal(module_total(m).completion_tokens, 40);
    module_free(m);
}

static void a_cut_reply_is_used_as_far_as_it_goes_or_ends_it(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module *m = module_new(&settings, &question, 1, NULL);
    struct module_request r;

    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_reply(m, GOOD_CHAT, strlen(GOOD_CHAT) - 24, MODULE_CUT, &cost, NULL);
    assert_non_null(module_answer(m));
    assert_true(notes_have(module_notes(m), "cut at the token limit"));
    module_free(m);

    m = module_new(&settings, &question, 1, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_reply(m, GOOD_CHAT, 30, MODULE_CUT, &cost, NULL);
    assert_null(module_answer(m));
    assert_memory_equal(module_failure(m), "cut at the token limit: ", 24);
    assert_int_equal(module_next(m, ALL, &r, NULL), 0);
    module_free(m);
}

/* A record that lacks fields is as good as one that has them, to the caller's own check. */
static int takes_anything(void *arg, const struct answer *a, struct notes *notes, struct err *err)
{
    (void)a;
    (void)err;
    note_add(notes, "looked at");
    ++*(int *)arg;
    return 0;
}

static void the_callers_check_decides(void **state)
{
    static const char part[] = "[[ ## reasoning ## ]]\nr";
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module_request r;
    struct module *m;
    int looked = 0;

    settings.check = takes_anything;
    settings.arg = &looked;
    m = module_new(&settings, &question, 1, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_reply(m, part, strlen(part), MODULE_WHOLE, &cost, NULL);
    assert_non_null(module_answer(m));
    assert_int_equal(looked, 1);
    assert_true(notes_have(module_notes(m), "looked at"));
    module_free(m);
}

static double by_score(void *arg, const struct answer *a)
{
    (void)arg;
    return strtod(a->sections[1], NULL);
}

static void the_best_of_several_is_taken(void **state)
{
    static const char *const replies[] = {
        "[[ ## reasoning ## ]]\n.\n[[ ## score ## ]]\n0.4",
        NULL, /* an attempt that fails costs the others nothing */
        "[[ ## reasoning ## ]]\n.\n[[ ## score ## ]]\n0.7",
        "[[ ## reasoning ## ]]\n.\n[[ ## score ## ]]\n0.6",
        "[[ ## reasoning ## ]]\n.\n[[ ## score ## ]]\n0.9",
    };
    const struct bench *b = *state;

    for (int good_enough = 0; good_enough < 2; good_enough++) {
        struct module_settings settings = module_defaults(b->sig, b->framing);
        struct module_request r;
        struct module *m;
        size_t i = 0;

        settings.reward = by_score;
        settings.attempts = 4;
        settings.threshold = good_enough ? 0.7 : 5;
        settings.rollout = 10;
        m = module_new(&settings, &question, 1, NULL);
        for (; module_next(m, ALL, &r, NULL) == 1; i++) {
            assert_true(r.temperature == 1);
            assert_int_equal(r.rollout, 10 + i);
            if (replies[i])
                module_reply(m, replies[i], strlen(replies[i]), MODULE_WHOLE, &cost, NULL);
            else
                module_failed(m, "it is down", &cost, NULL);
        }
        assert_int_equal(i, good_enough ? 3 : 4);
        assert_true(module_score(m) == 0.7);
        assert_string_equal(module_text(m), replies[2]);
        module_free(m);
    }
}

/* DSPy's fail_count: it shrinks with each failure, so of five that all fail four are made. */
static void failing_attempts_are_not_made_for_ever(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module_request r;
    struct module *m;
    int calls = 0;

    settings.reward = by_score;
    settings.attempts = 5;
    settings.threshold = 1;
    m = module_new(&settings, &question, 1, NULL);
    for (; module_next(m, ALL, &r, NULL) == 1; calls++)
        module_failed(m, "it is down", &cost, NULL);
    assert_int_equal(calls, 4);
    assert_string_equal(module_failure(m), "it is down");
    assert_true(isnan(module_score(m)));
    module_free(m);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    const struct bench *b = *state;
    const struct prompt_value unknown = {.name = "other", .text = "x"};
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module_request r;
    struct err err = {0};
    struct module *m;

    settings.reward = by_score;
    for (size_t n = 0; n <= MODULE_ATTEMPTS_MAX + 1; n += MODULE_ATTEMPTS_MAX + 1) {
        settings.attempts = n;
        assert_null(module_new(&settings, &question, 1, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    settings.reward = NULL;
    m = module_new(&settings, &unknown, 1, NULL);
    assert_int_equal(module_next(m, ALL, &r, &err), -1);
    assert_non_null(strstr(err.text, "other is no input"));
    module_free(m);
}

/* A server that refused the schema was asked for any object at once: that is not asked again. */
static void what_was_lowered_is_not_asked_again(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module_request r;
    struct module *m;

    settings.layout = MODULE_JSON;
    settings.retry = false;
    m = module_new(&settings, &question, 1, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    assert_int_equal(r.format, MODULE_SCHEMA);
    module_lowered(m, MODULE_OBJECT);
    module_reply(m, "no", 2, MODULE_WHOLE, &cost, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 0);
    module_free(m);
}

static void it_may_be_stopped(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module *m = module_new(&settings, &question, 1, NULL);
    const struct module_call *calls;
    struct module_request r;
    size_t count;

    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_reply(m, "no", 2, MODULE_WHOLE, &cost, NULL);
    assert_int_equal(module_next(m, ALL, &r, NULL), 1);
    module_stop(m);
    assert_int_equal(module_next(m, ALL, &r, NULL), 0);
    calls = module_calls(m, &count);
    assert_int_equal(count, 1);
    assert_true(calls[0].came);
    assert_non_null(module_failure(m));
    module_free(m);
}

/* Asked twice without an answer between, the same request stands. */
static void a_request_may_be_asked_for_again(void **state)
{
    const struct bench *b = *state;
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module *m = module_new(&settings, &question, 1, NULL);
    struct module_request r;
    size_t count;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(module_next(m, ALL, &r, NULL), 1);
        assert_int_equal(r.layout, MODULE_CHAT);
    }
    assert_null(module_calls(m, &count));
    assert_int_equal(count, 0);
    assert_null(module_text(m));
    module_free(m);
}

static int run(const struct bench *b, struct err *err)
{
    static const char *const replies[] = {"no", "no", "no", GOOD_JSON};
    struct module_settings settings = module_defaults(b->sig, b->framing);
    struct module *m = module_new(&settings, &question, 1, err);
    struct module_request r;
    int rc = m ? 1 : -1;

    for (size_t i = 0; rc == 1; i++) {
        rc = module_next(m, ALL, &r, err);
        if (rc == 1 &&
            module_reply(m, replies[i], strlen(replies[i]), MODULE_WHOLE, &cost, err) < 0)
            rc = -1;
    }
    if (rc == 0)
        assert_non_null(module_answer(m));
    module_free(m);
    return rc;
}

static void lost_memory_is_survived(void **state)
{
    unsigned nth = 0;
    int rc;

    do {
        struct err err = {0};

        mem_fail_at(++nth);
        rc = run(*state, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 50, 4999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered),
        cmocka_unit_test(what_cannot_be_read_is_asked_for_otherwise),
        cmocka_unit_test(the_retry_shows_the_reply_and_what_was_wrong),
        cmocka_unit_test(a_cut_reply_is_used_as_far_as_it_goes_or_ends_it),
        cmocka_unit_test(the_callers_check_decides),
        cmocka_unit_test(the_best_of_several_is_taken),
        cmocka_unit_test(failing_attempts_are_not_made_for_ever),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(what_was_lowered_is_not_asked_again),
        cmocka_unit_test(it_may_be_stopped),
        cmocka_unit_test(a_request_may_be_asked_for_again),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
