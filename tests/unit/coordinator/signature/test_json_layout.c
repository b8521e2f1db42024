#include "common/core/mem.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdlib.h>

static const char line[] = "q -> score: float, ok: bool, tags: list[str], answer";

static int setup(void **state)
{
    *state = string_form_read(NULL, line, strlen(line), NULL, NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    signature_free(*state);
    return 0;
}

/* What an endpoint that was held to a schema sends. */
static void an_object_is_read(void **state)
{
    static const char reply[] = "{\"score\": 0.5, \"ok\": \"yes\", \"tags\": [\"a\"], "
                                "\"answer\": \"B\", \"more\": 1}";
    const struct signature *sig = *state;
    struct answer a;

    assert_int_equal(json_layout_parse(sig, reply, strlen(reply), &a, NULL), 0);
    assert_int_equal(a.missing, 0);
    assert_string_equal(a.sections[0], "0.5");
    assert_true(a.is_json[0]);
    assert_string_equal(a.sections[1], "yes");
    assert_false(a.is_json[1]);
    assert_string_equal(a.sections[2], "[\"a\"]");
    assert_true(a.is_json[2]);
    assert_string_equal(a.sections[3], "B");
    assert_int_equal(a.notes.count, 0);
    answer_clear(&a);
    answer_clear(&a); /* twice */
}

/* What others send: each is read, and says what was forgiven. */
static void loose_objects_are_read_and_say_so(void **state)
{
    static const struct {
        const char *reply, *said;
    } rows[] = {
        {"Here it is:\n```json\n{\"answer\": \"B\"}\n```\nBye.", "text around"},
        {"{'answer': 'B'}", "quotes that are not JSON's"},
        {"{answer: B}", "without quotes"},
        {"{\"answer\": \"B\",}", "commas"},
        {"{\"answer\": \"B\", // as asked\n}", "comments"},
        {"{\"answer\": \"B\"", "ends too early"},
        {"{\"answer\": \"A\"} {\"answer\": \"B\"}", "several objects"},
        {"{{\"answer\": \"B\"}}", "braces, quotes or colons"},
        {"{\"answer\" \"B\"}", "braces, quotes or colons"},
        {"{answer\": \"B\"}", "without quotes"},
        {"{\"\"answer\":: \"B\"}", "braces, quotes or colons"},
        {"{\"x\": null \"answer\": \"B\"}", "commas"},
        {"{\"x\": 1,] \"answer\": \"B\"}", "braces, quotes or colons"},
        {"{\"answer: \"B\"}", "braces, quotes or colons"},
        {"{\"answer\"\": \"B\"}", "braces, quotes or colons"},
        {"{\"answer\",: \"B\"}", "braces, quotes or colons"},
        {"{[\"answer\": \"B\"}", "braces, quotes or colons"},
        {"{\"answer\": ]\"B\"}", "braces, quotes or colons"},
        {"{\"answer\": \"B", "kept as far as it goes"},
        {"{\"Answer\": \"B\"}", "other letters"},
        {"{\"output\": {\"answer\": \"B\"}}", "unwrapped"},
        {"<think>{\"answer\": \"A\"}</think>{\"answer\": \"B\"}", "score: missing"},
        {"\"{\\\"answer\\\": \\\"B\\\"}\"", "JSON inside a text"},
    };
    const struct signature *sig = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct answer a;

        if (json_layout_parse(sig, rows[i].reply, strlen(rows[i].reply), &a, &err) < 0)
            fail_msg("%s: %s", rows[i].reply, err.text);
        assert_string_equal(a.sections[3], "B");
        assert_int_equal(a.missing, 3);
        if (!notes_have(&a.notes, rows[i].said)) {
            notes_print(&a.notes);
            fail_msg("%s: no note \"%s\"", rows[i].reply, rows[i].said);
        }
        answer_clear(&a);
    }
}

static void what_holds_no_output_is_refused(void **state)
{
    static const char *const bad[] = {
        "",        "   ", "no", "[1, 2]", "{}", "{\"other\": 1}", "3", "[[ ## answer ## ]]\nB",
        "</think>"};
    const struct signature *sig = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        struct answer a;

        assert_int_equal(json_layout_parse(sig, bad[i], strlen(bad[i]), &a, &err), -1);
        assert_int_equal(err.code, ERR_MALFORMED);
    }
}

static void a_reply_has_a_limit(void **state)
{
    char *reply = calloc(1, REPLY_TEXT_MAX + 1);
    struct err err = {0};
    struct answer a;

    assert_int_equal(json_layout_parse(*state, reply, REPLY_TEXT_MAX + 1, &a, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_int_equal(json_layout_parse(*state, NULL, 7, &a, &err), -1);
    assert_int_equal(err.code, ERR_MALFORMED);
    free(reply);
}

/* Every prefix, every flipped bit: an answer or an error, and no byte read outside. */
static void damage_is_survived(void **state)
{
    static const char reply[] = "x {\"score\": 1e3, 'ok': True, tags: [\"a\"], \"answer\": null}";
    size_t len = strlen(reply);

    for (size_t i = 0; i < len * 9; i++) {
        size_t n = i < len ? i : len;
        char *copy = malloc(n + 1);
        struct answer a;

        memcpy(copy, reply, n);
        if (i >= len)
            copy[(i - len) / 8] ^= (char)(1 << ((i - len) % 8));
        if (json_layout_parse(*state, copy, n, &a, NULL) == 0)
            answer_clear(&a);
        free(copy);
    }
}

static void lost_memory_is_survived(void **state)
{
    static const char reply[] = "{'score': 1, 'Ok': true, 'answer': 'x'}";
    struct err err = {0};
    struct answer a;
    unsigned nth = 0;
    int rc;

    do {
        mem_fail_at(++nth);
        rc = json_layout_parse(*state, reply, strlen(reply), &a, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 5, 999);
    answer_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_read),
        cmocka_unit_test(loose_objects_are_read_and_say_so),
        cmocka_unit_test(what_holds_no_output_is_refused),
        cmocka_unit_test(a_reply_has_a_limit),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
