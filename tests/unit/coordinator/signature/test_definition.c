#include "common/core/mem.h"
#include "coordinator/signature/definition.h"
#include "coordinator/signature/value_type.h"
#include "tests/unit/coordinator/signature/cases.h"

static const char example[] =
    "{\"name\": \"Mine\", \"category\": \"evaluation\", \"instructions\": \"Judge it.\","
    " \"fields\": [{\"name\": \"text\", \"direction\": \"input\", \"role\": \"data\","
    " \"description\": \"What to judge\"},"
    " {\"name\": \"verdict\", \"direction\": \"output\"}]}";

static const struct signature *find(void *arg, const char *name)
{
    return catalog_find(arg, name);
}

static void a_definition_is_read(void **state)
{
    struct err err = {0};
    struct signature *sig =
        definition_read("mine.json", example, strlen(example), NULL, NULL, &err);

    (void)state;
    assert_non_null(sig);
    assert_string_equal(sig->name, "Mine");
    assert_int_equal(sig->category, SIGNATURE_CATEGORY_EVALUATION);
    assert_null(sig->base);
    assert_string_equal(sig->fields[0].description, "What to judge");
    assert_int_equal(sig->fields[0].role, SIGNATURE_ROLE_DATA);
    assert_null(sig->fields[1].description);
    assert_int_equal(sig->fields[1].role, SIGNATURE_ROLE_OTHER);
    signature_free(sig);
}

static void a_base_gives_fields_instructions_and_category(void **state)
{
    const struct asked *a = *state;
    static const char text[] =
        "{\"name\": \"Mine\", \"base\": \"LoRAOptimizationSignature\", \"fields\":"
        " [{\"name\": \"lora_config\", \"direction\": \"output\", \"description\": \"other"
        " words\"},"
        "  {\"name\": \"extra\", \"direction\": \"input\"}]}";
    struct err err = {0};
    struct signature *sig =
        definition_read("mine.json", text, strlen(text), find, a->catalog, &err);

    assert_non_null(sig);
    assert_string_equal(sig->instructions,
                        "Signature for LoRA fine-tuning optimization on Apple Silicon.");
    assert_int_equal(sig->category, SIGNATURE_CATEGORY_TRAINING);
    assert_string_equal(sig->fields[0].name, "hardware_context");
    assert_string_equal(sig->fields[sig->inputs - 1].name, "extra");
    assert_string_equal(signature_outputs(sig)[2].name, "lora_config"); /* where the base has it */
    assert_string_equal(signature_outputs(sig)[2].description, "other words");
    signature_free(sig);
}

static void types_defaults_and_reasons_are_read(void **state)
{
    static const char text[] =
        "{\"name\": \"Mine\", \"instructions\": \"Judge it.\", \"no_context\": \"about texts\","
        " \"fields\": [{\"name\": \"text\", \"direction\": \"input\", \"default\": \"none\"},"
        " {\"name\": \"marks\", \"direction\": \"output\", \"type\": \"dict[str, int]\"}]}";
    struct err err = {0};
    struct signature *sig = definition_read("mine.json", text, strlen(text), NULL, NULL, &err);
    struct signature *copy = signature_dup(sig, NULL);

    (void)state;
    assert_non_null(copy);
    assert_string_equal(copy->no_context, "about texts");
    assert_string_equal(copy->fields[0].fallback, "none");
    assert_int_equal(copy->fields[1].type->kind, VALUE_DICT);
    assert_int_equal(copy->fields[1].type->item->kind, VALUE_INT);
    assert_true(signature_field_same(&sig->fields[1], &copy->fields[1]));
    assert_false(signature_field_same(&sig->fields[0], &copy->fields[1]));
    signature_free(copy);
    signature_free(sig);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "x.json"},
        {"[]", "object"},
        {"{\"name\": \"A\", \"instruction\": \"b\", \"fields\": []}", "instruction"},
        {"{\"name\": \"A\", \"fields\": []}", "instructions"},
        {"{\"name\": \"\", \"instructions\": \"b\", \"fields\": []}", "name"},
        {"{\"instructions\": \"b\", \"fields\": []}", "name"},
        {"{\"name\": \"A\", \"instructions\": \"b\"}", "fields"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\": []}", "0 inputs"},
        {"{\"name\": \"A\", \"instructions\": 3, \"fields\": []}", "instructions"},
        {"{\"name\": \"A\", \"base\": \"Nobody\", \"fields\": []}", "Nobody"},
        {"{\"name\": \"A\", \"category\": \"magic\", \"instructions\": \"b\", \"fields\": []}",
         "magic"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\": [3]}", "fields[0]"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\": [{\"name\": \"a\"}]}",
         "direction"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"up\"}]}",
         "up"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\":"
         " [{\"name\": \"completed\", \"direction\": \"input\"}]}",
         "completed"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"a\", \"direction\":"
         " \"output\"}]}",
         "twice"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"typed\": \"Plan\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"b\", \"direction\":"
         " \"output\"}]}",
         "Plan"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"typed\": \"FederatedProposal\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"b\", \"direction\":"
         " \"output\"}]}",
         "no field b"},
        {"{\"name\": \"A\", \"base\": \"LoRAOptimizationSignature\", \"fields\":"
         " [{\"name\": \"lora_config\", \"direction\": \"input\"}]}",
         "lora_config has another direction in the base, LoRAOpt"},
        {"{\"name\": \"A\", \"base\": \"LoRAOptimizationSignature\", \"fields\":"
         " [{\"name\": \"lora_config\", \"direction\": \"output\", \"type\": \"int\"}]}",
         "another type"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"input\", \"type\": \"Foo\"}]}",
         "fields[0]: type \"Foo\""},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"output\", \"default\": \"x\"}]}",
         "fields[0].default"},
        {"{\"name\": \"A\", \"instructions\": \"b\", \"no_context\": \"\", \"fields\":"
         " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"b\", \"direction\":"
         " \"output\"}]}",
         "no_context: empty"},
    };
    const struct asked *a = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};

        assert_null(
            definition_read("x.json", rows[i].text, strlen(rows[i].text), find, a->catalog, &err));
        assert_memory_equal(err.text, "x.json", 6);
        if (!strstr(err.text, rows[i].said))
            fail_msg("%s: said \"%s\", wanted %s", rows[i].text, err.text, rows[i].said);
    }
}

static void a_file_has_a_limit(void **state)
{
    struct err err = {0};
    char *text = test_malloc(DEFINITION_TEXT_MAX + 1);

    (void)state;
    memset(text, ' ', DEFINITION_TEXT_MAX + 1);
    memcpy(text, example, strlen(example));
    assert_null(definition_read("x", text, DEFINITION_TEXT_MAX + 1, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    struct signature *sig = definition_read("x", text, DEFINITION_TEXT_MAX, NULL, NULL, &err);
    assert_non_null(sig);
    signature_free(sig);
    test_free(text);
}

static void every_length_truncated_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(example); len++)
        assert_null(definition_read("x", example, len, NULL, NULL, NULL));
}

static void every_bit_flipped_is_survived(void **state)
{
    char text[sizeof example];
    size_t read = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * strlen(example); bit++) {
        struct signature *sig;

        memcpy(text, example, sizeof example);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        sig = definition_read("x", text, strlen(example), NULL, NULL, NULL);
        read += sig != NULL;
        signature_free(sig);
    }
    assert_in_range(read, 10, 8 * sizeof example - 100); /* flips in words pass, in syntax do not */
}

static void lost_memory_is_survived(void **state)
{
    struct signature *sig;
    struct err err;
    unsigned nth = 0;

    (void)state;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        sig = definition_read("x", example, strlen(example), NULL, NULL, &err);
        mem_fail_at(0);
        assert_true(sig || err.code == ERR_NOMEM);
    } while (!sig && nth < 1000);
    assert_in_range(nth, 5, 999);
    signature_free(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_is_read),
        cmocka_unit_test(a_base_gives_fields_instructions_and_category),
        cmocka_unit_test(types_defaults_and_reasons_are_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_file_has_a_limit),
        cmocka_unit_test(every_length_truncated_is_refused),
        cmocka_unit_test(every_bit_flipped_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
