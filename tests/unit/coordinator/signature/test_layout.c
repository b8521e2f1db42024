#include "common/core/mem.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

typedef int render_fn(const struct signature *sig, const struct framing *framing,
                      const struct prompt_content *content, struct prompt *out, struct err *err);

/* Examples and a conversation, as a loaded program and a caller give them. */
struct talk {
    struct framing *framing;
    struct signature *sig;
    struct program_state *state;
    struct prompt_content content;
};

static const char state_text[] =
    "{\"demos\": [{\"question\": \"Q1\", \"k\": 1.0, \"score\": 0.5, \"answer\": \"A1\"},"
    "             {\"question\": \"Q2\", \"answer\": null, \"augmented\": true},"
    "             {\"question\": \"only asked\", \"k\": 2}],"
    " \"signature\": {\"instructions\": \"\", \"fields\": []}, \"lm\": null}";
static const char history[] =
    "{\"messages\": [{\"question\": \"before\", \"answer\": \"[[ ## score ## ]]\"},"
    "                {\"score\": 1}]}";

static struct prompt_value values[] = {{.name = "past", .json = history},
                                       {.name = "question", .json = "[\"x\", \"y\"]"},
                                       {.name = "k", .json = "3"}};

static int setup(void **state)
{
    static const char line[] = "past: dspy.History, question, k: int -> score: float, answer";
    static struct talk t;

    t.framing = framing_read("f", plain_framing, strlen(plain_framing), NULL);
    t.sig = string_form_read(NULL, line, strlen(line), "Do it.", NULL);
    t.state = program_state_read("s", state_text, strlen(state_text), NULL);
    if (!t.framing || !t.sig || !t.state)
        return -1;
    t.content = (struct prompt_content){.values = values,
                                        .count = 3,
                                        .demos = t.state->predictors[0].demos,
                                        .demos_count = t.state->predictors[0].demos_count};
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    struct talk *t = *state;

    framing_free(t->framing);
    signature_free(t->sig);
    program_state_free(t->state);
    return 0;
}

static void check(const struct talk *t, render_fn *render, const char *const *wanted, size_t count)
{
    struct err err = {0};
    struct prompt p;

    if (render(t->sig, t->framing, &t->content, &p, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(p.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(p.messages[i].text, wanted[i]);
        assert_string_equal(p.messages[i].role, i == 0            ? "system"
                                                : i == 6 || i % 2 ? "user"
                                                                  : "assistant");
    }
    prompt_clear(&p);
}

#define LISTS                                                                                 \
    "I\n1. `past` (History): \n2. `question` (str): \n3. `k` (int):\nO\n1. `score` (float): " \
    "\n2. `answer` (str):\n"
#define INPUTS "[[ ## past ## ]]\n{past}\n\n[[ ## question ## ]]\n{question}\n\n[[ ## k ## ]]\n{k}"
#define QUESTION                         \
    "[[ ## question ## ]]\n[1] \xc2\xab" \
    "x\xc2\xbb\n[2] \xc2\xaby\xc2\xbb\n\n[[ ## k ## ]]\n3\n\n"

/* With a field for the conversation no example is whole: each lacks that one. Both stand as
 * examples that leave something out, in their order; the third has no answer at all. */
static void messages_of_the_layout_with_markers(void **state)
{
    static const char *const wanted[] = {
        LISTS "S\n\n" INPUTS "\n\n[[ ## score ## ]]\n{score}        #a float!\n\n"
              "[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]\nT\n        Do it.",
        "D\n\n[[ ## question ## ]]\nQ1\n\n[[ ## k ## ]]\n1.0",
        "[[ ## score ## ]]\n0.5\n\n[[ ## answer ## ]]\nA1\n\n[[ ## completed ## ]]\n",
        "D\n\n[[ ## question ## ]]\nQ2",
        "[[ ## score ## ]]\nM \n\n[[ ## answer ## ]]\nNone\n\n[[ ## completed ## ]]\n",
        "[[ ## question ## ]]\nbefore",
        ("[[ ## score ## ]]\nNone\n\n[[ ## answer ## ]]\n[ [ ## score ## ]]\n\n"
         "[[ ## completed ## ]]\n"),
    };
    const struct talk *t = *state;
    struct prompt p;

    assert_int_equal(chat_render(t->sig, t->framing, &t->content, &p, NULL), 0);
    assert_int_equal(p.count, 9);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_string_equal(p.messages[i].text, wanted[i]);
    /* a turn without a question is an answer alone */
    assert_string_equal(p.messages[7].role, "assistant");
    assert_string_equal(p.messages[7].text, "[[ ## score ## ]]\n1\n\n[[ ## answer ## ]]\nNone\n\n"
                                            "[[ ## completed ## ]]\n");
    assert_string_equal(p.messages[8].role, "user");
    assert_string_equal(p.messages[8].text, QUESTION "R`[[ ## score ## ]]`(float), then "
                                                     "`[[ ## answer ## ]]`.");
    prompt_clear(&p);
}

static void messages_of_the_layout_with_an_object(void **state)
{
    static const char *const wanted[] = {
        LISTS "S\n\nJI\n\n" INPUTS "\n\nJO\n\n{\n  \"score\": \"{score}        #a float!\",\n"
              "  \"answer\": \"{answer}\"\n}\nT\n        Do it.",
        "D\n\n[[ ## question ## ]]\nQ1\n\n[[ ## k ## ]]\n1.0",
        "{\n  \"score\": 0.5,\n  \"answer\": \"A1\"\n}",
        "D\n\n[[ ## question ## ]]\nQ2",
        "{\n  \"score\": \"M \",\n  \"answer\": null\n}",
        QUESTION "JR`score`(float), then `answer`.",
    };
    struct talk t = *(const struct talk *)*state;

    t.content.values = values + 1; /* without the conversation */
    t.content.count = 2;
    check(&t, json_layout_render, wanted, 6);
}

static void whole_examples_come_last(void **state)
{
    static const char line[] = "question, k: int -> score: float, answer";
    struct talk t = *(const struct talk *)*state;
    struct prompt p;

    t.sig = string_form_read(NULL, line, strlen(line), NULL, NULL);
    t.content.count = 0;
    assert_int_equal(chat_render(t.sig, t.framing, &t.content, &p, NULL), 0);
    assert_int_equal(p.count, 6);
    assert_string_equal(p.messages[1].text, "D\n\n[[ ## question ## ]]\nQ2");
    assert_string_equal(p.messages[3].text, "[[ ## question ## ]]\nQ1\n\n[[ ## k ## ]]\n1.0");
    prompt_clear(&p);
    signature_free(t.sig);
}

static void a_default_stands_in(void **state)
{
    struct talk t = *(const struct talk *)*state;
    char fallback[] = "by default";
    struct prompt p;

    t.sig = signature_dup(t.sig, NULL);
    t.sig->fields[1].fallback = mem_strdup(fallback);
    t.sig->fields[2].constraints = mem_strdup("less than: 9");
    t.content.count = 0;
    t.content.demos_count = 0;
    assert_int_equal(chat_render(t.sig, t.framing, &t.content, &p, NULL), 0);
    assert_non_null(strstr(p.messages[1].text, "[[ ## question ## ]]\nby default\n\nR"));
    assert_non_null(strstr(p.messages[0].text, "`k` (int): \nC: less than: 9\nO"));
    assert_true(notes_have(&p.notes, "k: no value"));
    prompt_clear(&p);
    signature_free(t.sig);
}

static void what_is_no_history_is_refused(void **state)
{
    static const char *const bad[] = {"3", "{}", "{\"messages\": 3}", "{\"messages\": [3]}", "{"};
    struct talk t = *(const struct talk *)*state;
    struct err err = {0};
    struct prompt p;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct prompt_value value = {.name = "past", .json = bad[i]};

        t.content.values = &value;
        t.content.count = 1;
        assert_int_equal(chat_render(t.sig, t.framing, &t.content, &p, &err), -1);
        assert_non_null(strstr(err.text, "past"));
    }
}

static void messages_have_a_limit(void **state)
{
    struct state_demo demos[PROMPT_MESSAGES_MAX];
    struct talk t = *(const struct talk *)*state;
    struct err err = {0};
    struct prompt p;

    for (size_t i = 0; i < PROMPT_MESSAGES_MAX; i++)
        demos[i] = t.content.demos[0];
    t.content.demos = demos;
    t.content.demos_count = PROMPT_MESSAGES_MAX / 2; /* two messages each, and two more */
    assert_int_equal(chat_render(t.sig, t.framing, &t.content, &p, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
}

static void lost_memory_is_survived(void **state)
{
    render_fn *const layouts[] = {chat_render, json_layout_render};
    const struct talk *t = *state;

    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct prompt p;
        unsigned nth = 0;
        int rc;

        do {
            mem_fail_at(++nth);
            rc = layouts[i](t->sig, t->framing, &t->content, &p, &err);
            mem_fail_at(0);
            assert_true(rc == 0 || err.code == ERR_NOMEM);
        } while (rc < 0 && nth < 5000);
        assert_in_range(nth, 10, 4999);
        prompt_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_the_layout_with_markers),
        cmocka_unit_test(messages_of_the_layout_with_an_object),
        cmocka_unit_test(whole_examples_come_last),
        cmocka_unit_test(a_default_stands_in),
        cmocka_unit_test(what_is_no_history_is_refused),
        cmocka_unit_test(messages_have_a_limit),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
