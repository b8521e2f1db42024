#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/factory.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

static const struct factory_field vision[] = {
    {"model_compression", "Compression strategy for deployment", NULL},
    {"inference_optimization", "Real-time inference optimizations", "list[str]"},
};

static struct json *hardware(const char *text)
{
    struct json *v = json_parse(text, strlen(text), NULL);

    assert_non_null(v);
    return v;
}

static void a_domain_becomes_a_signature(void **state)
{
    struct json *facts = hardware("{\"device\": \"M2_Max\", \"memory\": \"64GB\", \"cores\": 12}");
    struct err err = {0};
    struct signature *sig = factory_make("computer_vision", facts, vision, 2, &err);
    char *line;

    (void)state;
    assert_non_null(sig);
    assert_string_equal(sig->name, "Computer_VisionOptimizationSignature");
    assert_string_equal(sig->instructions,
                        "Dynamic signature for computer_vision optimization on Apple Silicon");
    line = string_form_print(sig, NULL);
    assert_string_equal(line,
                        "domain_context, hardware_constraints, optimization_objective -> "
                        "optimized_approach, implementation_details, performance_predictions, "
                        "model_compression, inference_optimization: list[str]");
    mem_free(line);
    assert_string_equal(sig->fields[0].description,
                        "Specific context and requirements for computer_vision domain");
    assert_string_equal(sig->fields[1].description,
                        "Apple Silicon hardware constraints and capabilities");
    assert_string_equal(sig->fields[1].fallback, "device: M2_Max, memory: 64GB, cores: 12");
    assert_int_equal(sig->fields[1].role, SIGNATURE_ROLE_HARDWARE);
    assert_null(sig->fields[0].fallback);
    assert_string_equal(signature_outputs(sig)[0].description,
                        "Optimized approach for computer_vision on Apple Silicon");
    assert_string_equal(signature_outputs(sig)[3].description,
                        "Compression strategy for deployment");
    signature_free(sig);
    json_free(facts);
}

static void without_hardware_there_is_no_default(void **state)
{
    struct json *none = hardware("{}");
    struct signature *sig = factory_make("nlp", none, NULL, 0, NULL);

    (void)state;
    assert_string_equal(sig->name, "NlpOptimizationSignature");
    assert_null(sig->fields[1].fallback);
    signature_free(sig);
    json_free(none);
    sig = factory_make("a2Z_x", NULL, NULL, 0, NULL);
    assert_string_equal(sig->name, "A2Z_XOptimizationSignature");
    signature_free(sig);
}

static void conflicts_and_mistakes_are_refused(void **state)
{
    static const struct {
        const char *domain, *hardware;
        struct factory_field fields[2];
        size_t count;
        enum err_code code;
        const char *said;
    } rows[] = {
        {"nlp",
         "{}",
         {{"domain_context", "mine", NULL}},
         1,
         ERR_EXISTS,
         "fields[0]: domain_context is an input already (\"Specific context"},
        {"nlp", "{}", {{"performance_predictions", "mine", NULL}}, 1, ERR_EXISTS, "\"mine\" too"},
        {"nlp", "{}", {{"a", "one", NULL}, {"a", "two", NULL}}, 2, ERR_EXISTS, "\"one\""},
        {"nlp", "{}", {{"class", NULL, NULL}}, 1, ERR_INVALID, "fields[0]: field \"class\""},
        {"nlp", "{}", {{"lm", NULL, NULL}}, 1, ERR_INVALID, "reserved"},
        {"nlp", "{}", {{NULL, NULL, NULL}}, 1, ERR_INVALID, "fields[0]"},
        {"nlp", "{}", {{"a", NULL, "Foo"}}, 1, ERR_INVALID, "fields[0]: type \"Foo\""},
        {"", "{}", {{0}}, 0, ERR_INVALID, "domain"},
        {NULL, "{}", {{0}}, 0, ERR_INVALID, "domain"},
        {"two words", "{}", {{0}}, 0, ERR_INVALID, "two words"},
        {"3d", "{}", {{0}}, 0, ERR_INVALID, "3d"},
        {"x\nx", "{}", {{0}}, 0, ERR_INVALID, "domain"},
        {"nlp", "[1]", {{0}}, 0, ERR_INVALID, "hardware: array"},
    };
    char longer[FACTORY_DOMAIN_MAX + 2];
    struct signature *sig;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json *facts = hardware(rows[i].hardware);
        struct err err = {0};

        assert_null(factory_make(rows[i].domain, facts, rows[i].fields, rows[i].count, &err));
        if (err.code != rows[i].code || !strstr(err.text, rows[i].said))
            fail_msg("row %zu: %s", i, err.text);
        json_free(facts);
    }
    memset(longer, 'x', sizeof longer);
    longer[FACTORY_DOMAIN_MAX + 1] = '\0';
    assert_null(factory_make(longer, NULL, NULL, 0, NULL));
    longer[FACTORY_DOMAIN_MAX] = '\0';
    sig = factory_make(longer, NULL, NULL, 0, NULL);
    assert_int_equal(strlen(sig->name), FACTORY_DOMAIN_MAX + strlen("OptimizationSignature"));
    signature_free(sig);
}

static void lost_memory_is_survived(void **state)
{
    struct json *facts = hardware("{\"device\": \"M2_Max\", \"cores\": 12}");
    struct signature *sig;
    struct err err;
    unsigned nth = 0;

    (void)state;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        sig = factory_make("nlp", facts, vision, 2, &err);
        mem_fail_at(0);
        assert_true(sig || err.code == ERR_NOMEM);
    } while (!sig && nth < 1000);
    assert_in_range(nth, 20, 999);
    signature_free(sig);
    json_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_becomes_a_signature),
        cmocka_unit_test(without_hardware_there_is_no_default),
        cmocka_unit_test(conflicts_and_mistakes_are_refused),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
