#include "common/core/buf.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/schema.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

static struct signature *line(const char *text)
{
    return string_form_read(NULL, text, strlen(text), NULL, NULL);
}

/* The object that a server which knows schemas is sent. */
static void an_answer_has_a_schema(void **state)
{
    struct signature *sig = line("q -> score: float, ok: bool, tags: list[str], "
                                 "label: Literal['a', 'b'], note: Optional[str], memoryGB_2x: int");
    char *text = schema_answer_text(sig, NULL);

    (void)state;
    assert_string_equal(
        text, "{\"properties\":{\"score\":{\"type\":\"number\",\"title\":\"Score\"},"
              "\"ok\":{\"type\":\"boolean\",\"title\":\"Ok\"},"
              "\"tags\":{\"items\":{\"type\":\"string\"},\"type\":\"array\",\"title\":\"Tags\"},"
              "\"label\":{\"enum\":[\"a\",\"b\"],\"type\":\"string\",\"title\":\"Label\"},"
              "\"note\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}],\"title\":\"Note\"},"
              "\"memoryGB_2x\":{\"type\":\"integer\",\"title\":\"Memorygb 2X\"}},"
              "\"required\":[\"score\",\"ok\",\"tags\",\"label\",\"note\",\"memoryGB_2x\"],"
              "\"title\":\"DSPyProgramOutputs\",\"type\":\"object\","
              "\"additionalProperties\":false}");
    mem_free(text);
    signature_free(sig);
}

/* Records stand once, under $defs; all their members are asked for. */
static void records_are_defined_once(void **state)
{
    const struct asked *a = *state;
    struct json *s = schema_answer(a->federated, NULL);
    const struct json *defs = json_member(s, "$defs"), *properties = json_member(s, "properties");
    const struct json *class_type = json_member(defs, "ClientOptimization");
    const struct json *rank =
        json_member(json_member(json_member(defs, "ResourceAllocation"), "properties"), "rank");
    const struct json *first = json_first(json_member(rank, "anyOf"));

    assert_int_equal(json_count(defs), 5);
    assert_string_equal(
        json_text(json_member(json_member(properties, "optimization_strategy"), "$ref")),
        "#/$defs/OptimizationStrategy");
    assert_string_equal(
        json_text(json_member(json_member(json_member(properties, "client_optimization"), "items"),
                              "$ref")),
        "#/$defs/ClientOptimization");
    assert_int_equal(json_count(json_member(class_type, "required")),
                     json_count(json_member(class_type, "properties")));
    assert_false(json_bool_value(json_member(class_type, "additionalProperties")));
    assert_int_equal(json_integer(json_member(first, "minimum")), 1);
    assert_true(json_integer(json_member(first, "maximum")) > 1);
    assert_string_equal(json_text(json_member(rank, "title")), "Rank");
    json_free(s);
}

static void open_mappings_have_none(void **state)
{
    static const struct {
        const char *text;
        bool open;
    } rows[] = {{"q -> a", false},
                {"q -> a: dict", true},
                {"q -> a: dict[str, int]", true},
                {"q -> a: list[dict[str, int]]", false},
                {"q: dict -> a", false}};
    const struct asked *a = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signature *sig = line(rows[i].text);

        assert_int_equal(schema_is_open(sig), rows[i].open);
        signature_free(sig);
    }
    assert_false(schema_is_open(a->federated));
}

static void notes_stand_in_order(void **state)
{
    static const struct {
        const char *text, *note;
    } rows[] = {
        {"q -> a: list[str]", "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}"},
        {"q -> a: list", "{\"type\": \"array\", \"items\": {}}"},
        {"q -> a: dict", "{\"type\": \"object\", \"additionalProperties\": true}"},
        {"q -> a: Any", "{}"},
        {"q -> a: Optional[Literal['x', 3]]",
         "{\"anyOf\": [{\"enum\": [\"x\", 3]}, {\"type\": \"null\"}]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signature *sig = line(rows[i].text);
        struct buf b;

        buf_init(&b, 1024);
        assert_int_equal(schema_add_note(&b, signature_outputs(sig), NULL), 0);
        assert_string_equal(b.data, rows[i].note);
        buf_clear(&b);
        signature_free(sig);
    }
}

static void lost_memory_is_survived(void **state)
{
    const struct asked *a = *state;
    struct err err = {0};
    unsigned nth = 0;
    char *text;

    do {
        mem_fail_at(++nth);
        text = schema_answer_text(a->federated, &err);
        mem_fail_at(0);
        assert_true(text || err.code == ERR_NOMEM);
    } while (!text && nth < 5000);
    assert_in_range(nth, 10, 4999);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_a_schema),  cmocka_unit_test(records_are_defined_once),
        cmocka_unit_test(open_mappings_have_none), cmocka_unit_test(notes_stand_in_order),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
