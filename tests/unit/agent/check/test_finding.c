/* test_finding.c - findings as a person and as a program read them. */
#include "agent/check/finding.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void findings_are_printed_with_what_to_do(void **state)
{
    struct findings f = {.count = 0};
    struct finding *item;
    char *text;

    (void)state;
    finding_add(&f, "settings", FINDING_OK, "%s:%d", "tcp://mac", 7420);
    item = finding_add(&f, "keys", FINDING_FAIL, "not let in");
    finding_todo(item, "on the coordinator: espalier devices allow -- '%s'", "KEY");
    finding_add(&f, "session", FINDING_SKIP, "see above");
    assert_int_equal(findings_worst(&f), FINDING_FAIL);
    text = findings_print(&f, 100, NULL);
    assert_string_equal(text, "  ok       settings: tcp://mac:7420\n"
                              "  wrong    keys: not let in\n"
                              "           on the coordinator: espalier devices allow -- 'KEY'\n"
                              "  skipped  session: see above\n");
    mem_free(text);
}

static void long_texts_are_wrapped_and_words_stay_whole(void **state)
{
    struct findings f = {.count = 0};
    char *text;

    (void)state;
    finding_add(&f, "a", FINDING_WARN, "one two three four five six seven %s eight",
                "aVeryLongWordThatFitsOnNoLineOfFortyColumns");
    text = findings_print(&f, 10, NULL); /* narrower than 40: as 40 */
    assert_string_equal(text, "  warning  a: one two three four five\n"
                              "           six seven\n"
                              "           aVeryLongWordThatFitsOnNoLineOfFortyColumns\n"
                              "           eight\n");
    mem_free(text);
}

static void a_program_reads_the_same(void **state)
{
    struct findings f = {.count = 0};
    const struct json *first, *second;
    struct json *doc;
    char *text;

    (void)state;
    finding_add(&f, "clock", FINDING_OK, "well");
    finding_todo(finding_add(&f, "version", FINDING_WARN, "old"), "update");
    text = findings_json(&f, NULL);
    assert_non_null(doc = json_parse(text, strlen(text), NULL));
    assert_string_equal(json_text(json_member(doc, "worst")), "warning");
    first = json_item(json_member(doc, "findings"), 0);
    second = json_item(json_member(doc, "findings"), 1);
    assert_string_equal(json_text(json_member(first, "what")), "clock");
    assert_string_equal(json_text(json_member(first, "grade")), "ok");
    assert_string_equal(json_text(json_member(first, "seen")), "well");
    assert_null(json_member(first, "todo"));
    assert_string_equal(json_text(json_member(second, "todo")), "update");
    json_free(doc);
    mem_free(text);
}

static void the_worst_is_what_counts(void **state)
{
    struct findings f = {.count = 0};

    (void)state;
    assert_int_equal(findings_worst(&f), FINDING_OK);
    finding_add(&f, "a", FINDING_SKIP, "x");
    assert_int_equal(findings_worst(&f), FINDING_OK);
    finding_add(&f, "a", FINDING_WARN, "x");
    assert_int_equal(findings_worst(&f), FINDING_WARN);
    finding_add(&f, "a", FINDING_FAIL, "x");
    finding_add(&f, "a", FINDING_WARN, "x");
    assert_int_equal(findings_worst(&f), FINDING_FAIL);
}

/* What a stranger said goes to a terminal: no escape, nothing cut within a character. */
static void strangers_text_is_made_harmless(void **state)
{
    struct findings f = {.count = 0};
    char long_text[2000];
    struct finding *item;
    char *json;

    (void)state;
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
        memcpy(long_text + i, "é", 3);
    item = finding_add(&f, "a", FINDING_FAIL, "refused: \x1b[31mred\xff\n%s", long_text);
    finding_todo(item, "%s", long_text);
    assert_null(strpbrk(item->seen, "\x1b\n\xff"));
    assert_int_equal(strlen(item->seen) < sizeof item->seen, 1);
    json = findings_json(&f, NULL); /* which takes only UTF-8 */
    assert_non_null(json);
    mem_free(json);
}

static void lost_memory_is_an_error(void **state)
{
    struct findings f = {.count = 0};
    struct err err;
    unsigned nth = 0;
    char *text;

    (void)state;
    finding_todo(finding_add(&f, "version", FINDING_WARN, "old"), "update");
    do {
        mem_fail_at(++nth);
        text = findings_json(&f, &err);
        mem_fail_at(0);
        if (!text)
            assert_int_equal(err.code, ERR_NOMEM);
    } while (!text && nth < 1000);
    assert_in_range(nth, 2, 999);
    mem_free(text);
    mem_fail_at(1);
    assert_null(findings_print(&f, 80, &err));
    mem_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_printed_with_what_to_do),
        cmocka_unit_test(long_texts_are_wrapped_and_words_stay_whole),
        cmocka_unit_test(a_program_reads_the_same),
        cmocka_unit_test(the_worst_is_what_counts),
        cmocka_unit_test(strangers_text_is_made_harmless),
        cmocka_unit_test(lost_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
