#include "common/core/buf.h"
#include "common/core/mem.h"
#include "tests/unit/coordinator/signature/cases.h"

static const char *const slots[] = {
    "inputs_heading",      "outputs_heading",      "constraints_label", "structure_heading",
    "json_inputs_heading", "json_outputs_heading", "objective_heading", "note_lead",
    "note_bool",           "note_number",          "note_enum",         "note_literal",
    "note_schema",         "reminder_lead",        "reminder_type",     "reminder_end",
    "json_reminder",       "demo_incomplete",      "demo_missing",      "schema_form",
    "turn_form",
};

/* A form is one of two words; every other slot holds its own name. */
static const char *slot_text(const char *slot)
{
    if (strcmp(slot, "schema_form") == 0)
        return "json";
    return strcmp(slot, "turn_form") == 0 ? "reminded" : slot;
}

/* Every slot but the one left out, each holding its own name. */
static char *framing_text(size_t left_out, const char *extra)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_adds(&b, "{");
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        if (i != left_out)
            buf_addf(&b, "%s\"%s\": \"%s\"", b.len > 1 ? "," : "", slots[i], slot_text(slots[i]));
    buf_addf(&b, "%s}", extra);
    return buf_take(&b, NULL, NULL);
}

static void a_framing_is_read(void **state)
{
    char *text = framing_text(99, "");
    struct framing *f = framing_read("mine.json", text, strlen(text), NULL);

    (void)state;
    assert_non_null(f);
    assert_string_equal(f->inputs_heading, "inputs_heading");
    assert_string_equal(f->reminder_end, "reminder_end");
    framing_free(f);
    framing_free(NULL);
    mem_free(text);
}

static void the_builtin_one_is_short(void **state)
{
    const struct asked *a = *state;

    assert_true(strlen(a->framing->structure_heading) < 100);
    assert_non_null(strstr(a->framing->reminder_end, "[[ ## completed ## ]]"));
}

static void every_slot_must_be_there_and_nothing_else(void **state)
{
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        char *text = framing_text(i, "");

        assert_null(framing_read("mine.json", text, strlen(text), &err));
        assert_non_null(strstr(err.text, slots[i]));
        assert_non_null(strstr(err.text, "mine.json"));
        mem_free(text);
    }
    char *text = framing_text(99, ", \"more\": \"x\"");

    assert_null(framing_read("mine.json", text, strlen(text), &err));
    assert_non_null(strstr(err.text, "more"));
    mem_free(text);
}

static void a_form_is_one_of_its_words(void **state)
{
    char *text = framing_text(99, ""), *at = strstr(text, "reminded");
    struct err err = {0};

    (void)state;
    memcpy(at, "weird_ed", 8);
    assert_null(framing_read("mine.json", text, strlen(text), &err));
    assert_string_equal(err.text,
                        "mine.json: turn_form is \"weird_ed\", want \"bare\" or \"reminded\"");
    mem_free(text);
}

static void lost_memory_is_survived(void **state)
{
    struct framing *f;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        f = framing_builtin(NULL);
        mem_fail_at(0);
    } while (!f && nth < 1000);
    assert_in_range(nth, 10, 999);
    framing_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_framing_is_read),
        cmocka_unit_test(the_builtin_one_is_short),
        cmocka_unit_test(every_slot_must_be_there_and_nothing_else),
        cmocka_unit_test(a_form_is_one_of_its_words),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
