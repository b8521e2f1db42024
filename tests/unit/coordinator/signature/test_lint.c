#include "common/core/buf.h"
#include "common/core/mem.h"
#include "coordinator/signature/definition.h"
#include "coordinator/signature/lint.h"
#include "coordinator/signature/lint_words.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>

/* A signature that breaks no rule: each row below breaks one of them. */
#define GOOD                                                                                \
    "{\"name\": \"Mine\", \"instructions\": \"Plan it.\", \"fields\": ["                    \
    "{\"name\": \"hardware_context\", \"direction\": \"input\", \"role\": \"hardware\","    \
    " \"description\": \"Apple Silicon hardware configuration (M1/M2/M3, memory, etc.)\"}," \
    "{\"name\": \"latency_goal\", \"direction\": \"input\", \"role\": \"performance\","     \
    " \"description\": \"Highest latency of a request\"},"                                  \
    "{\"name\": \"batch_plan\", \"direction\": \"output\", \"role\": \"strategy\","         \
    " \"description\": \"Batch size for each device, and the fallback when it fails\"}]}"

static struct signature *defined(const struct asked *a, const char *text)
{
    struct err err = {0};
    struct signature *sig = definition_read("mine.json", text, strlen(text), NULL, NULL, &err);

    (void)a;
    if (!sig)
        fail_msg("%s: %s", text, err.text);
    return sig;
}

static bool finds(const struct lint_report *r, const char *rule, const char *field)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->findings[i].rule->name, rule) == 0 &&
            (!field || (r->findings[i].field && strcmp(r->findings[i].field, field) == 0)))
            return true;
    return false;
}

static void a_finding_says_what_why_and_what_to_do(void **state)
{
    const struct asked *a = *state;
    struct signature *sig = string_form_read("Bare", "question -> answer", 18, NULL, NULL);
    struct lint_report r;
    struct buf b;
    struct err err = {0};

    assert_int_equal(lint_signature(sig, a->catalog, &r, &err), 0);
    assert_true(r.errors);
    buf_init(&b, 65536);
    lint_print(&b, &r);
    assert_non_null(
        strstr(b.data, "error hardware-context: no input says what machines there are"));
    assert_non_null(strstr(b.data, "; add an input with the role hardware, or say why not"));
    assert_non_null(strstr(b.data, "error performance-context"));
    assert_non_null(strstr(b.data, "error actionable-outputs answer: "));
    buf_clear(&b);
    lint_clear(&r);
    signature_free(sig);
}

static void the_built_in_ones_break_no_promise(void **state)
{
    const struct asked *a = *state;
    const struct signature *sig;
    size_t cursor = 0;

    while ((sig = catalog_next(a->catalog, &cursor))) {
        struct lint_report r;

        assert_int_equal(lint_signature(sig, a->catalog, &r, NULL), 0);
        for (size_t i = 0; i < r.count; i++) /* the mission's own words name no fallback */
            if (strcmp(r.findings[i].rule->name, "fallback") != 0)
                fail_msg("%s: %s %s", sig->name, r.findings[i].rule->name, r.findings[i].why);
        assert_false(r.errors);
        lint_clear(&r);
        assert_int_equal(lint_context(sig, NULL), 0);
    }
}

static void each_rule_is_broken_alone(void **state)
{
    static const struct {
        const char *was, *now, *rule, *field;
    } rows[] = {
        {"\"role\": \"hardware\"", "\"role\": \"task\"", "hardware-context", NULL},
        {"\"role\": \"performance\"", "\"role\": \"task\"", "performance-context", NULL},
        {"Highest latency of a request", "What is wanted most", "performance-hints", NULL},
        {", and the fallback when it fails", "", "fallback", NULL},
        {"latency_goal", "training_strategy", "consistent-names", "training_strategy"},
        {"latency_goal", "task_description", "consistent-names", "task_description"},
        {"\"description\": \"Apple Silicon hardware configuration (M1/M2/M3, memory, etc.)\"",
         "\"description\": \"Memory of the M2 or M3\"", "degrade-gracefully", "hardware_context"},
        {"\"role\": \"hardware\"", "\"role\": \"hardware\", \"type\": \"Literal['M1', 'M2_Max']\"",
         "degrade-gracefully", "hardware_context"},
        {"Plan it.", "Plan it for the M2.", "degrade-gracefully", NULL},
        {"Batch size for each device, and the fallback when it fails", "A fallback",
         "actionable-outputs", "batch_plan"},
        {"latency_goal", "batchPlan", "name-conflict", "batchPlan"},
        {"latency_goal", "reasoning", "name-conflict", "reasoning"},
    };
    const struct asked *a = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2048];
        const char *at = strstr(GOOD, rows[i].was);
        struct signature *sig = defined(a, GOOD);
        struct lint_report r;

        assert_int_equal(lint_signature(sig, a->catalog, &r, NULL), 0);
        assert_false(finds(&r, rows[i].rule, NULL)); /* not before */
        lint_clear(&r);
        signature_free(sig);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, rows[i].now,
                 at + strlen(rows[i].was));
        sig = defined(a, text);
        assert_int_equal(lint_signature(sig, a->catalog, &r, NULL), 0);
        if (!finds(&r, rows[i].rule, rows[i].field))
            fail_msg("row %zu: %s was not found", i, rows[i].rule);
        lint_clear(&r);
        signature_free(sig);
    }
}

static void a_copied_base_is_noticed(void **state)
{
    const struct asked *a = *state;
    struct signature *copy = signature_dup(catalog_find(a->catalog, "AppleSiliconOptimized"), NULL);
    struct lint_report r;

    mem_free(copy->name);
    copy->name = mem_strdup("Copied");
    assert_int_equal(lint_signature(copy, a->catalog, &r, NULL), 0);
    assert_true(finds(&r, "reuse-parts", NULL));
    lint_clear(&r);
    signature_free(copy);
}

static void a_reason_stands_for_context(void **state)
{
    static const char text[] =
        "{\"name\": \"Mine\", \"instructions\": \"Judge it.\", \"no_context\": \"it is about texts"
        " alone\", \"fields\": [{\"name\": \"text\", \"direction\": \"input\"},"
        " {\"name\": \"verdict\", \"direction\": \"output\", \"description\": \"Whether the text is"
        " fit to print\", \"type\": \"Optional[bool]\"}]}";
    const struct asked *a = *state;
    struct signature *sig = defined(a, text);
    struct lint_report r;
    struct err err = {0};

    assert_int_equal(lint_signature(sig, NULL, &r, NULL), 0);
    assert_int_equal(r.count, 0);
    lint_clear(&r);
    assert_int_equal(lint_context(sig, &err), 0);
    mem_free(sig->no_context);
    sig->no_context = NULL;
    assert_int_equal(lint_context(sig, &err), -1);
    assert_non_null(strstr(err.text, "Mine: no input gives hardware, none performance"));
    signature_free(sig);
}

/* A signature of one line has no roles: names speak. */
static void names_stand_for_roles(void **state)
{
    static const char *const good[] = {"device_facts, latency -> x", "hardware, objective -> x"};
    static const char *const bad[] = {"device_facts -> x", "latency -> x", "a -> x", "a -> device"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct signature *sig = string_form_read(NULL, good[i], strlen(good[i]), NULL, NULL);

        assert_int_equal(lint_context(sig, NULL), 0);
        signature_free(sig);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct signature *sig = string_form_read(NULL, bad[i], strlen(bad[i]), NULL, NULL);

        assert_int_equal(lint_context(sig, NULL), -1);
        signature_free(sig);
    }
}

static void words_are_told_apart(void **state)
{
    static const char *const time[] = {"time", NULL};

    (void)state;
    assert_true(lint_words_any("Time to answer", time));
    assert_true(lint_words_any("the (time)", time));
    assert_false(lint_words_any("sometimes", time));
    assert_false(lint_words_any(NULL, time));
    assert_true(lint_words_part("round_time", time));
    assert_true(lint_words_chip("an M2_Max"));
    assert_true(lint_words_chip("M1/M2"));
    assert_false(lint_words_chip("M"));
    assert_false(lint_words_chip("FLM2x and ITEM1 M1234"));
    assert_int_equal(lint_words_count(" a, b-c d2 "), 4);
    assert_int_equal(lint_words_count(""), 0);
    assert_true(lint_words_alike("batchPlan", "batch_plan"));
    assert_false(lint_words_alike("batch_plan", "batch_plans"));
}

static void lost_memory_is_survived(void **state)
{
    const struct asked *a = *state;
    struct signature *sig = string_form_read("Bare", "question -> answer", 18, NULL, NULL);
    struct lint_report r = {0};
    struct err err;
    unsigned nth = 0;
    int rc;

    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        rc = lint_signature(sig, a->catalog, &r, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || (err.code == ERR_NOMEM && r.count == 0));
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 10, 999);
    lint_clear(&r);
    signature_free(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_says_what_why_and_what_to_do),
        cmocka_unit_test(the_built_in_ones_break_no_promise),
        cmocka_unit_test(each_rule_is_broken_alone),
        cmocka_unit_test(a_copied_base_is_noticed),
        cmocka_unit_test(a_reason_stands_for_context),
        cmocka_unit_test(names_stand_for_roles),
        cmocka_unit_test(words_are_told_apart),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
