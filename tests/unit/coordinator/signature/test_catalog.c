#include "common/core/file.h"
#include "common/core/mem.h"
#include "coordinator/signature/value_type.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>
#include <stdlib.h>

static void the_built_in_ones_are_there(void **state)
{
    static const struct {
        const char *name, *base;
        size_t inputs, outputs;
        enum signature_category category;
        bool typed;
    } rows[] = {
        {"AppleSiliconOptimizedSignature", NULL, 2, 2, SIGNATURE_CATEGORY_OPTIMIZATION, false},
        {"LoRAOptimizationSignature", "AppleSiliconOptimizedSignature", 6, 6,
         SIGNATURE_CATEGORY_TRAINING, true},
        {"DiffusionOptimizationSignature", "AppleSiliconOptimizedSignature", 5, 5,
         SIGNATURE_CATEGORY_INFERENCE, true},
        {"FederatedLearningSignature", "AppleSiliconOptimizedSignature", 6, 5,
         SIGNATURE_CATEGORY_TRAINING, true},
        {"MLPipelineOptimizationSignature", NULL, 4, 4, SIGNATURE_CATEGORY_OPTIMIZATION, true},
        {"TrainingCurriculumSignature", "AppleSiliconOptimizedSignature", 5, 5,
         SIGNATURE_CATEGORY_TRAINING, false},
        {"InferenceServingSignature", "AppleSiliconOptimizedSignature", 5, 6,
         SIGNATURE_CATEGORY_INFERENCE, false},
        {"ModelEvaluationSignature", "AppleSiliconOptimizedSignature", 5, 6,
         SIGNATURE_CATEGORY_EVALUATION, false},
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
    assert_int_equal(count, sizeof rows / sizeof rows[0]);
}

static void each_category_has_one(void **state)
{
    const struct asked *a = *state;
    const struct signature *sig;
    bool seen[SIGNATURE_CATEGORY_EVALUATION + 1] = {false};
    size_t cursor = 0;

    while ((sig = catalog_next(a->catalog, &cursor)))
        seen[sig->category] = true;
    for (int c = SIGNATURE_CATEGORY_OPTIMIZATION; c <= SIGNATURE_CATEGORY_EVALUATION; c++)
        assert_true(seen[c]);
}

/* The built-in base with other words for one field. */
#define REWORDED                                                                               \
    "{\"name\": \"AppleSiliconOptimizedSignature\", \"category\": \"optimization\","           \
    " \"instructions\": \"Other words.\", \"fields\": ["                                       \
    "{\"name\": \"hardware_context\", \"direction\": \"input\", \"role\": \"hardware\","       \
    " \"description\": \"The Macs\"},"                                                         \
    "{\"name\": \"performance_target\", \"direction\": \"input\", \"role\": \"performance\"}," \
    "{\"name\": \"optimization_strategy\", \"direction\": \"output\"},"                        \
    "{\"name\": \"resource_allocation\", \"direction\": \"output\"}]}"
#define DERIVED                                                                    \
    "{\"name\": \"Mine\", \"base\": \"Parent\", \"fields\": [{\"name\": \"more\"," \
    " \"direction\": \"output\", \"description\": \"More of it\", \"type\": \"list[str]\"}]}"
#define PARENT                                                                              \
    "{\"name\": \"Parent\", \"instructions\": \"Judge it.\", \"no_context\": \"it is about" \
    " texts\", \"fields\": [{\"name\": \"text\", \"direction\": \"input\"},"                \
    " {\"name\": \"verdict\", \"direction\": \"output\"}]}"

static void a_users_files_add_and_reword(void **state)
{
    const struct catalog_file files[] = {{"mine.json", DERIVED, strlen(DERIVED)},
                                         {"parent.json", PARENT, strlen(PARENT)},
                                         {"words.json", REWORDED, strlen(REWORDED)}};
    struct err err = {0};
    struct catalog *c = catalog_new_with(files, 3, &err);

    (void)state;
    if (!c)
        fail_msg("%s", err.text);
    assert_string_equal(catalog_find(c, "AppleSiliconOptimized")->instructions, "Other words.");
    /* what extends it has the new words too */
    assert_string_equal(
        signature_field(catalog_find(c, "LoRAOptimization"), "hardware_context")->description,
        "The Macs");
    assert_string_equal(catalog_find(c, "Mine")->no_context, "it is about texts");
    assert_non_null(signature_field(catalog_find(c, "Mine"), "more")->type);
    catalog_free(c);
}

static void a_users_files_may_not_change_the_contract(void **state)
{
    static const struct {
        const char *was, *now, *said;
    } rows[] = {
        {"\"hardware_context\"", "\"hardware\"", "hardware stands where hardware_context must"},
        {"\"direction\": \"output\"},", "\"direction\": \"input\"},", "3 inputs"},
        {"\"resource_allocation\", \"direction\": \"output\"",
         "\"resource_allocation\", \"direction\": \"output\", \"type\": \"int\"", "type"},
        {"\"category\"", "\"base\": \"MLPipelineOptimizationSignature\", \"category\"", "base"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        const char *at = strstr(REWORDED, rows[i].was);
        struct catalog_file f = {"words.json", text, 0};
        struct err err = {0};

        assert_non_null(at);
        f.len = (size_t)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - REWORDED), REWORDED,
                                 rows[i].now, at + strlen(rows[i].was));
        assert_null(catalog_new_with(&f, 1, &err));
        if (!strstr(err.text, rows[i].said) || !strstr(err.text, "words.json"))
            fail_msg("row %zu: %s", i, err.text);
    }
}

static void a_folder_is_read(void **state)
{
    char folder[] = "/tmp/espalier-catalog-XXXXXX", path[64];
    struct err err = {0};
    struct catalog *c;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/mine.json", folder);
    assert_int_equal(file_write_atomic(path, 0600, PARENT, strlen(PARENT), &err), 0);
    snprintf(path, sizeof path, "%s/README.md", folder);
    assert_int_equal(file_write_atomic(path, 0600, "not one", 7, &err), 0);
    c = catalog_new_from_folder(folder, &err);
    assert_non_null(c);
    assert_non_null(catalog_find(c, "Parent"));
    assert_non_null(catalog_find(c, "FederatedLearning"));
    catalog_free(c);
    snprintf(path, sizeof path, "%s/broken.json", folder);
    assert_int_equal(file_write_atomic(path, 0600, "{", 1, &err), 0);
    assert_null(catalog_new_from_folder(folder, &err));
    assert_non_null(strstr(err.text, "broken.json"));
    assert_int_equal(file_remove_tree(folder, &err), 0);
    assert_null(catalog_new_from_folder(folder, &err));
}

static void context_or_a_reason_is_demanded(void **state)
{
    static const char bare[] =
        "{\"name\": \"Bare\", \"instructions\": \"x\", \"fields\":"
        " [{\"name\": \"a\", \"direction\": \"input\"}, {\"name\": \"b\", \"direction\":"
        " \"output\"}]}";
    struct asked *a = *state;
    struct err err = {0};

    assert_int_equal(catalog_add(a->catalog, "bare.json", bare, strlen(bare), &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "no_context"));
    assert_null(catalog_find(a->catalog, "Bare"));
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
        "{\"name\": \"FederatedLearningSignature\", \"instructions\": \"x\", \"no_context\": \"y\","
        " \"fields\":"
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
        cmocka_unit_test(the_built_in_ones_are_there),
        cmocka_unit_test(each_category_has_one),
        cmocka_unit_test(a_users_files_add_and_reword),
        cmocka_unit_test(a_users_files_may_not_change_the_contract),
        cmocka_unit_test(a_folder_is_read),
        cmocka_unit_test(context_or_a_reason_is_demanded),
        cmocka_unit_test(the_base_comes_first),
        cmocka_unit_test(names_are_found_and_refused),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
