#include "common/core/mem.h"
#include "tests/unit/coordinator/signature/cases.h"

static void the_five_are_there(void **state)
{
    static const struct {
        const char *name, *base;
        size_t inputs, outputs;
        enum signature_category category;
        bool typed;
    } rows[] = {
        {"AppleSiliconOptimizedSignature", NULL, 2, 2, SIGNATURE_CATEGORY_OPTIMIZATION, false},
        {"LoRAOptimizationSignature", "AppleSiliconOptimizedSignature", 6, 6,
         SIGNATURE_CATEGORY_TRAINING, false},
        {"DiffusionOptimizationSignature", "AppleSiliconOptimizedSignature", 5, 5,
         SIGNATURE_CATEGORY_INFERENCE, false},
        {"FederatedLearningSignature", "AppleSiliconOptimizedSignature", 6, 5,
         SIGNATURE_CATEGORY_TRAINING, true},
        {"MLPipelineOptimizationSignature", NULL, 4, 4, SIGNATURE_CATEGORY_OPTIMIZATION, true},
    };
    const struct asked *a = *state;
    size_t cursor = 0, count = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct signature *sig = catalog_find(a->catalog, rows[i].name);

        assert_non_null(sig);
        assert_string_equal(sig->name, rows[i].name);
        assert_int_equal(sig->category, rows[i].category);
        assert_int_equal(sig->inputs, rows[i].inputs);
        assert_int_equal(sig->outputs, rows[i].outputs);
        assert_true((sig->typed != NULL) == rows[i].typed);
        assert_true((sig->base != NULL) == (rows[i].base != NULL));
        if (rows[i].base)
            assert_string_equal(sig->base, rows[i].base);
        for (size_t f = 0; f < sig->inputs + sig->outputs; f++) {
            assert_non_null(sig->fields[f].description);
            assert_true(sig->fields[f].role > SIGNATURE_ROLE_OTHER);
        }
    }
    while (catalog_next(a->catalog, &cursor))
        count++;
    assert_int_equal(count, 5);
}

static void the_base_comes_first(void **state)
{
    static const char *const names[] = {
        "hardware_context",          "performance_target",   "client_capabilities",
        "communication_constraints", "privacy_requirements", "aggregation_strategy",
        "optimization_strategy",     "resource_allocation",  "client_optimization",
        "communication_protocol",    "convergence_strategy",
    };
    const struct asked *a = *state;
    const struct signature *sig = catalog_find(a->catalog, "FederatedLearning");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(sig->fields[i].name, names[i]);
    assert_string_equal(sig->instructions,
                        "Signature for federated learning on Apple Silicon devices.");
    assert_string_equal(signature_field(sig, "hardware_context")->description,
                        "Apple Silicon hardware configuration (M1/M2/M3, memory, etc.)");
}

static void names_are_found_and_refused(void **state)
{
    static const char again[] =
        "{\"name\": \"FederatedLearningSignature\", \"instructions\": \"x\", \"fields\":"
        " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"b\", \"direction\":"
        " \"output\"}]}";
    struct asked *a = *state;
    struct err err = {0};
    char longer[300];

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(catalog_find(a->catalog, "Nobody"));
    assert_null(catalog_find(a->catalog, ""));
    assert_null(catalog_find(a->catalog, NULL));
    assert_null(catalog_find(NULL, "FederatedLearning"));
    assert_null(catalog_find(a->catalog, longer));
    assert_int_equal(catalog_add(a->catalog, "mine.json", again, strlen(again), &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
}

static void lost_memory_is_survived(void **state)
{
    struct catalog *c;
    struct err err;
    unsigned nth = 0;

    (void)state;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        c = catalog_new(&err);
        mem_fail_at(0);
        assert_true(c || err.code == ERR_NOMEM);
    } while (!c && nth < 5000);
    assert_in_range(nth, 50, 4999);
    catalog_free(c);
    catalog_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_are_there),
        cmocka_unit_test(the_base_comes_first),
        cmocka_unit_test(names_are_found_and_refused),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
